// GET /api/v1/extract, availability, windows and explain: what the IDB holds, streamed as it is read. Whatever tells of
// callers needs a token for that, on every address: a port on loopback is reached by each user of the host, while the IDB
// file is the instance's user's alone.

import { type Context, Hono } from "hono";
import { type Access, lacking, problem, requires, type StatusEnvironment } from "./access.ts";
import { streamHeader } from "./exchange.ts";
import type { ReadIdb, ReadQuestion } from "./read-api.ts";
import { ParameterError, type ReadPage, readPages, readQuestion } from "./read-parameters.ts";

export function readRoutes(readIdb: ReadIdb, access: Access | null): Hono<StatusEnvironment> {
  const app = new Hono<StatusEnvironment>();
  const reader = requires(access, "read");
  for (const page of readPages) {
    app.get(`/api/v1/${page}`, reader, async (context) => {
      const question = questionOf(page, context);
      if (question instanceof Response) return question;
      const needed = question.what === "subjects" ? "read-personal" : "read";
      return lacking(context, context.get("visitor"), needed) ?? answer(context, question, readIdb);
    });
  }
  return app;
}

function questionOf(page: ReadPage, context: Context<StatusEnvironment>): ReadQuestion | Response {
  try {
    return readQuestion(page, new URL(context.req.url).searchParams);
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    return problem(context, 400, error.message);
  }
}

async function answer(
  context: Context<StatusEnvironment>,
  question: ReadQuestion,
  readIdb: ReadIdb,
): Promise<Response> {
  if (context.req.method === "HEAD") return context.body(null, 200);
  const answered = await readIdb(question, context.req.raw.signal);
  switch (answered.kind) {
    case "answer":
      return context.body(answered.body, 200, { "Content-Type": answered.contentType, [streamHeader]: "no" });
    case "busy":
      return problem(
        context,
        503,
        "Cannot answer now: others are being answered; ask again.",
        answered.retryAfterSeconds,
      );
    case "refused":
      return answered.isPassing
        ? problem(context, 503, answered.reason, retryLaterSeconds)
        : problem(context, 409, answered.reason);
  }
}

// A locked or replaced IDB is back within seconds as a rule.
const retryLaterSeconds = 5;
