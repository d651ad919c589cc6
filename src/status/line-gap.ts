// What the time line shows as not whole, as a list: for whoever cannot hover, and for whoever wants to read it.

import type { PairSource, PairStretch, WindowState } from "./pair-report.ts";

export type LineOwner = "pair" | "own" | "peer";

export interface LineGap {
  readonly owner: LineOwner;
  readonly stretch: PairStretch;
  /** What the pair has of this stretch. */
  readonly inPair: "whole" | "missing" | "partly missing" | "copies differ" | "not yet known";
}

/**
 * Stretches in which something is missing or two copies differ, the newest first. A copy's gap that says the same as the
 * pair's is that one.
 */
export function gapsOf({ verdict, own, peer }: PairSource): LineGap[] {
  const gaps = (owner: LineOwner, stretches: readonly PairStretch[]) =>
    stretches.filter(isGap).map((stretch): LineGap => ({ owner, stretch, inPair: inPair(stretch, verdict) }));
  // Alone, a copy's gaps are the pair's: to list them twice would tell nothing.
  if (peer === null) return newestFirst(gaps("own", own));
  const ofPair = gaps("pair", verdict);
  const ofCopies = [...gaps("own", own), ...gaps("peer", peer)];
  return newestFirst([
    ...ofPair,
    ...ofCopies.filter((each) => !ofPair.some(({ stretch }) => isSame(stretch, each.stretch))),
  ]);
}

/** The gap of the list that tells of this stretch. */
export function gapOf(gaps: readonly LineGap[], owner: LineOwner, stretch: PairStretch): LineGap | null {
  return (
    gaps.find((gap) => gap.owner === owner && gap.stretch === stretch) ??
    gaps.find((gap) => isSame(gap.stretch, stretch)) ??
    null
  );
}

function newestFirst(gaps: readonly LineGap[]): LineGap[] {
  return gaps.toSorted((one, other) => other.stretch.from - one.stretch.from);
}

function isSame(one: PairStretch, other: PairStretch): boolean {
  return (
    one.from === other.from &&
    one.until === other.until &&
    one.state === other.state &&
    one.causes.join() === other.causes.join()
  );
}

// More would not be read.
const causesMax = 5;

/** Each gap as one stretch, however many windows it has and whatever each of them says of it. */
export function withWholeGaps<T extends PairStretch>(stretches: readonly T[]): T[] {
  const whole: T[] = [];
  for (const each of stretches) {
    const last = whole.at(-1);
    if (last === undefined || !isGap(each) || last.state !== each.state || last.until !== each.from) whole.push(each);
    else {
      const causes = [...new Set([...last.causes, ...each.causes])];
      whole[whole.length - 1] = { ...last, until: each.until, causes };
    }
  }
  return whole.map((each) => (each.causes.length <= causesMax ? each : { ...each, causes: shortened(each.causes) }));
}

function shortened(causes: readonly string[]): string[] {
  return [...causes.slice(0, causesMax), `and ${causes.length - causesMax} more`];
}

export function isGap({ state }: PairStretch): boolean {
  return state === "incomplete" || state === "divergent";
}

function inPair({ from, until }: PairStretch, verdict: readonly PairStretch[]): LineGap["inPair"] {
  const over = verdict.filter((each) => each.until > from && each.from < until);
  const has = (...states: WindowState[]) => over.some(({ state }) => states.includes(state));
  if (has("divergent")) return "copies differ";
  if (has("incomplete")) return has("complete", "silent") ? "partly missing" : "missing";
  if (over.length === 0 || has("unknown")) return "not yet known";
  return "whole";
}

export interface LineSummary {
  readonly tone: "good" | "look" | "bad";
  readonly missingMs: number;
  readonly differingMs: number;
  /** Not known although what follows is; null: nothing is known. */
  readonly unknownMs: number | null;
}

/** What the verdict comes to, from the line's begin on. */
export function summaryOf({ verdict }: PairSource, line: { readonly from: number }): LineSummary {
  const total = (stretches: readonly PairStretch[]) =>
    stretches.reduce((sum, { from, until }) => sum + until - from, 0);
  const missingMs = total(verdict.filter(({ state }) => state === "incomplete"));
  const differingMs = total(verdict.filter(({ state }) => state === "divergent"));
  const known = verdict.filter(({ state }) => state !== "unknown");
  const knownUntil = known.at(-1)?.until;
  const unknownMs = knownUntil === undefined ? null : Math.max(0, knownUntil - line.from - total(known));
  const tone = missingMs + differingMs > 0 ? "bad" : unknownMs === 0 ? "good" : "look";
  return { tone, missingMs, differingMs, unknownMs };
}
