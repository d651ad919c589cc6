// What the words mean by which a span of coverage begins or ends, to whoever judges what lies between two of them.

/** Words of the ledger: CoverageBeginning and CoverageEnding in src/event/ledger-word.ts; a newer program may know more. */
export type BreakWord = string;

// Numbers tell what is missing there, and when it must have happened. At any other word something is missing that has no
// number, or that numbers do not show.
const numberBreaks: ReadonlySet<BreakWord> = new Set([
  "first connection",
  "hole",
  "gap reported",
  "new run",
  "orderly end",
  "queue lost",
  "history not kept",
]);

// The server itself was blind: whoever listened to it missed nothing, and nobody has what happened.
const blindServers: ReadonlySet<BreakWord> = new Set(["cti link down", "link to another server down"]);

/** Numbers alone tell what is missing at this end of a span; null: the span has not ended. */
export function isNumberBreak(word: BreakWord | null): boolean {
  return word === null || numberBreaks.has(word);
}

/** What was lost was lost to every copy of the run. */
export function isBlindServer(word: BreakWord | null): boolean {
  return word !== null && blindServers.has(word);
}
