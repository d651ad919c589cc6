// The ledgers of a stretch, read as far beyond it as it takes to judge it: words outside narrow down what is missing inside.

import type { Copy, Ledger, Stretch } from "./copy.ts";

// Whoever misses more at once may be told of a little too much: the words that would narrow it lie further away.
const beyondSecondsMax = 7 * 86_400;
// Clocks' ends and late events.
const beyondWindowsMin = 10;

export interface ReadLedgers {
  /** Of each copy, in order. */
  readonly ledgers: readonly Ledger[];
  /** Of this stretch their windows were read. */
  readonly read: Stretch;
}

/** Throws CopyError. */
export async function readLedgers(copies: readonly Copy[], stretch: Stretch): Promise<ReadLedgers> {
  const ask = (each: Stretch, changedAfter: number | null) =>
    Promise.all(copies.map((copy) => copy.ledger({ stretch: each, changedAfter })));
  // Asked for what changed after all that will ever be, a ledger has no windows.
  const outline = await ask(stretch, Number.MAX_SAFE_INTEGER);
  const read = neededStretch(outline, stretch);
  return { ledgers: await ask(read, null), read };
}

/** The stretch, and every gap between a source's spans that reaches into it, whole. */
export function neededStretch(ledgers: readonly Ledger[], stretch: Stretch): Stretch {
  let { from, until } = stretch;
  for (const { spans, identity } of ledgers) {
    const margin = beyondWindowsMin * identity.windowSeconds;
    from = Math.min(from, stretch.from - margin);
    until = Math.max(until, stretch.until + margin);
    const lastEnd = new Map<string, number>();
    for (const { SOURCE_CLUSTER, SWITCH_DBID, FROM_TIME, UNTIL_TIME } of spans.toSorted(
      (one, other) => one.ID - other.ID,
    )) {
      if (FROM_TIME === null || UNTIL_TIME === null) continue;
      const source = `${SOURCE_CLUSTER}/${SWITCH_DBID}`;
      const end = lastEnd.get(source);
      const beginning = Date.parse(FROM_TIME) / 1000;
      if (end !== undefined && end < stretch.until && beginning >= stretch.from) {
        from = Math.min(from, end - margin);
        until = Math.max(until, beginning + margin);
      }
      lastEnd.set(source, Date.parse(UNTIL_TIME) / 1000);
    }
  }
  return {
    from: Math.max(0, Math.floor(from), stretch.from - beyondSecondsMax),
    until: Math.min(Math.ceil(until), stretch.until + beyondSecondsMax),
  };
}

/** Parts of a stretch, one after another, so that a year of windows is never in memory at once. */
export function* partsOf({ from, until }: Stretch, partSeconds: number): Generator<Stretch> {
  for (let start = from; start < until; ) {
    const end = Math.min(until, (Math.floor(start / partSeconds) + 1) * partSeconds);
    yield { from: start, until: end };
    start = end;
  }
}
