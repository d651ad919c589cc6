// POST /api/v1/purge?before=…[&evenIfOnlyCopy=true][&dryRun=true]: the one route that changes what is recorded. It is for
// programs: it takes a token that may act from the Authorization header alone, for a browser sends a visit's cookie along
// whoever asked for it. A dry run only tells whether it would be done.

import { Hono } from "hono";
import { readTimeText } from "../time-text.ts";
import { type Access, lacking, problem, refusal, requires, type StatusEnvironment } from "./access.ts";

export type PurgeAnswer =
  /** It is in the persistent queue, and obeyed from now on. */
  | { readonly kind: "asked for" }
  /** Only that was asked. */
  | { readonly kind: "would be asked for" }
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
export type AskPurge = (before: number, options: PurgeOptions, gone: AbortSignal) => Promise<PurgeAnswer>;

export interface PurgeOptions {
  readonly isEvenIfOnlyCopy: boolean;
  /** Nothing is to be done. */
  readonly isDryRun: boolean;
}

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
    const names = [...searchParams.keys()];
    const isKnown = (name: string) => ["before", "evenIfOnlyCopy", "dryRun"].includes(name);
    if (!names.every(isKnown) || new Set(names).size < names.length) {
      return problem(
        context,
        400,
        "Cannot purge: expected before=TIME, evenIfOnlyCopy=true or false and dryRun=true or false, each once, alone.",
      );
    }
    const before = readTimeText(searchParams.get("before") ?? "");
    if (before.kind !== "time" || before.ms % 1000 !== 0) {
      return problem(
        context,
        400,
        "Cannot purge: expected before to be a date, or a time with its zone in whole seconds.",
      );
    }
    const [evenIfOnlyCopy, dryRun] = ["evenIfOnlyCopy", "dryRun"].map((name) => searchParams.get(name) ?? "false");
    if (![evenIfOnlyCopy, dryRun].every((value) => value === "true" || value === "false")) {
      return problem(context, 400, "Cannot purge: expected evenIfOnlyCopy and dryRun to be true or false.");
    }
    const options = { isEvenIfOnlyCopy: evenIfOnlyCopy === "true", isDryRun: dryRun === "true" };
    const answer = await askPurge(before.ms, options, context.req.raw.signal);
    if (answer.kind === "refused") {
      const { isPassing, reason, heldUntil } = answer;
      const until = heldUntil === null ? "" : ` Up to ${new Date(heldUntil).toISOString()} it can be purged.`;
      return problem(context, isPassing ? 503 : 409, `${reason}${until}`, isPassing ? 5 : undefined);
    }
    return context.json({ before: new Date(before.ms).toISOString(), result: answer.kind });
  });
  return app;
}
