// The ledger's words for what is wrong, in plain ones: clauses without a full stop, for the page and the API.

import type { MissingRange } from "./coverage.ts";
import type { CauseWord, CopyVerdict } from "./verdict.ts";

const clauses: Readonly<Record<string, string>> = {
  "first connection": "the source was connected to for the first time",
  "not listened yet": "this copy did not listen yet",
  "never listened": "this copy never listened to the source",
  "not heard yet": "the source was not heard far enough beyond it yet",
  "another copy has more": "another copy has events that are missing here",
  purged: "its calls were purged from this copy",
  "role given up": "the server had given up its role",
  "run not heard": "another copy heard a run of the server that this one did not",
  hole: "numbers are missing",
  "gap reported": "the server could not send again what was missed",
  "numbers went back": "the server counted from a lower number on",
  "new run": "the server was started again, or another took over",
  "orderly end": "the server had ended in order",
  "session ended": "the connection to the source was lost",
  "cti link down": "the CTI link was down",
  "link to another server down": "the server's link to another server was down",
  "damaged record": "a record of the persistent queue is damaged",
  "undecodable frame": "a message could not be decoded",
  "projection failed": "a message made no rows",
  "queue lost": "the persistent queue was lost",
  "history not kept": "this IDB begins later",
  "snapshot damaged": "a line of the snapshot could not be taken in",
  "source clock stepped": "the source's clock was set",
  "configuration changed": "the source was configured as another one",
};

/** A word of a newer version is said as it stands. */
export function causeClause(word: CauseWord): string {
  return clauses[word] ?? word;
}

// More would not be read; how many there are is said.
const rangesMax = 3;

/** Why a copy's window is not whole, and what is missing of it. */
export function causeClauses({ causes, missing }: CopyVerdict): string[] {
  return [...causes.map(causeClause), ...missingClauses(missing)];
}

function missingClauses(missing: readonly MissingRange[]): string[] {
  const shown = missing.slice(0, rangesMax).map(missingClause);
  const more = missing.length - shown.length;
  return more === 0 ? shown : [...shown, `${more} more ranges of numbers are missing`];
}

function missingClause({ from, to }: MissingRange): string {
  if (to === null) return `events from ${from} on are missing`;
  return from === to ? `event ${from} is missing` : `events ${from} to ${to} are missing`;
}
