// What a copy has purged: it went on listening, and its ledger says what there was, but calls that had ended before that day
// are gone from it. So it vouches for no window before it, and no other copy that has them contradicts it.

import { purgedBefore } from "../../schema/purge-mark.ts";
import type { Selected } from "../../schema/tables.ts";

/** Milliseconds by the sources' clocks: the calls that had ended before it are gone; null: nothing was purged. */
export function purgedUntilMs(marks: readonly Selected<"ICON_MARK">[]): number | null {
  return furthestPurge(marks)?.beforeMs ?? null;
}

/** The mark of the purge that went furthest. */
export function furthestPurge(
  marks: readonly Selected<"ICON_MARK">[],
): { readonly mark: Selected<"ICON_MARK">; readonly beforeMs: number } | null {
  let furthest: { mark: Selected<"ICON_MARK">; beforeMs: number } | null = null;
  for (const mark of marks) {
    const beforeMs = purgedBefore(mark);
    if (beforeMs !== null && beforeMs > (furthest?.beforeMs ?? Number.NEGATIVE_INFINITY)) furthest = { mark, beforeMs };
  }
  return furthest;
}
