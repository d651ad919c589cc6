// POST /api/v1/purge?before=…[&evenIfOnlyCopy=true]: the one route that changes what is recorded. It is for programs: it takes
// a token that may act from the Authorization header alone, for a browser sends a visit's cookie along whoever asked for it.

import { Hono } from "hono";
import { readTimeText } from "../time-text.ts";
import { type Access, lacking, problem, refusal, requires, type StatusEnvironment } from "./access.ts";

export type PurgeAnswer =
  /** It is in the persistent queue, and obeyed from now on. */
  | { readonly kind: "asked for" }
  /** All of it was purged already. */
  | { readonly kind: "done before" }
  /** `heldUntil`: a purge up to then would not be refused, milliseconds since 1970; null: there is none. */
  | {
      readonly kind: "refused";
      readonly isPassing: boolean;
      readonly heldUntil: number | null;
      readonly reason: string;
    };

/** Purges elsewhere. `before`: milliseconds since 1970, whole seconds. */
export type AskPurge = (before: number, isEvenIfOnlyCopy: boolean, gone: AbortSignal) => Promise<PurgeAnswer>;

export const purgePath = "/api/v1/purge";

export function purgeRoute(askPurge: AskPurge, access: Access | null): Hono<StatusEnvironment> {
  const app = new Hono<StatusEnvironment>();
  app.post(purgePath, requires(access, "read"), async (context) => {
    const refused = lacking(context, context.get("visitor"), "act");
    if (refused !== null) return refused;
    if (context.req.header("authorization") === undefined) {
      return refusal(context, 401, "This needs a token in the request itself, as in: Authorization: Bearer icon_…");
    }
    const { searchParams } = new URL(context.req.url);
    const unknown = [...searchParams.keys()].find((name) => name !== "before" && name !== "evenIfOnlyCopy");
    if (unknown !== undefined)
      return problem(context, 400, "Cannot purge: expected before=TIME and evenIfOnlyCopy=true or false alone.");
    const before = readTimeText(searchParams.get("before") ?? "");
    if (before.kind !== "time" || before.ms % 1000 !== 0) {
      return problem(
        context,
        400,
        "Cannot purge: expected before to be a date, or a time with its zone in whole seconds.",
      );
    }
    const evenIfOnlyCopy = searchParams.get("evenIfOnlyCopy") ?? "false";
    if (evenIfOnlyCopy !== "true" && evenIfOnlyCopy !== "false") {
      return problem(context, 400, "Cannot purge: expected evenIfOnlyCopy to be true or false.");
    }
    const answer = await askPurge(before.ms, evenIfOnlyCopy === "true", context.req.raw.signal);
    if (answer.kind === "refused") {
      const { isPassing, reason, heldUntil } = answer;
      const until = heldUntil === null ? "" : ` Up to ${new Date(heldUntil).toISOString()} it can be purged.`;
      return problem(context, isPassing ? 503 : 409, `${reason}${until}`, isPassing ? 5 : undefined);
    }
    return context.json({ before: new Date(before.ms).toISOString(), result: answer.kind });
  });
  return app;
}
