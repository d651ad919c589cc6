// Which copy tells of which part of a subject's life: segments that follow on one another and cover it.

import type { Doubted } from "./source-coverage.ts";
import type { SubjectVersion } from "./subject-version.ts";
import { type Segment, takenWithin } from "./taken-row.ts";

/** UTC seconds, both ends included, and in milliseconds what a row would say. */
export interface Life {
  readonly from: number;
  readonly until: number;
  readonly createdMs: number;
  readonly endedMs: number | null;
}

export interface Coverable {
  /** Stretches of its life in which the version's copy is not whole. */
  readonly doubted: ReadonlyMap<SubjectVersion, readonly Doubted[]>;
  readonly versions: readonly SubjectVersion[];
  readonly life: Life;
  readonly windowSeconds: number;
}

/** Covers the life with as few changes of copy as possible, each as late as possible. Null: it cannot be covered. */
export function segmentsForward(given: Coverable): Segment[] | null {
  const { first, end } = bounds(given);
  const segments: Segment[] = [];
  for (let from = first; from < end; ) {
    const best = longestWhole(given, from, end);
    if (best === null) return null;
    segments.push(best);
    from = best.until;
  }
  return segments;
}

/** The same with each change as early as possible. */
export function segmentsBackward(given: Coverable): Segment[] | null {
  const { first, end } = bounds(given);
  const segments: Segment[] = [];
  for (let until = end; until > first; ) {
    const reaches = given.versions.map((version) => ({ version, from: wholeSince(given, version, until, first) }));
    const best = reaches.reduce<(typeof reaches)[number] | undefined>(
      (one, other) => (one === undefined || other.from < one.from ? other : one),
      undefined,
    );
    if (best === undefined || best.from >= until) return null;
    segments.unshift({ version: best.version, from: best.from, until, isGap: false });
    until = best.from;
  }
  return segments;
}

/** As segmentsForward; where no copy is whole, a gap is told by the copy that saw most of it. At least one version. */
export function segmentsWithGaps(given: Coverable): Segment[] {
  const { first, end } = bounds(given);
  const segments: Segment[] = [];
  for (let from = first; from < end; ) {
    const next = longestWhole(given, from, end) ?? gapAt(given, from, end);
    segments.push(next);
    from = next.until;
  }
  return segments;
}

function longestWhole(given: Coverable, from: number, end: number): Segment | null {
  const reaches = given.versions.map((version) => ({ version, until: wholeUntil(given, version, from, end) }));
  const best = reaches.reduce<(typeof reaches)[number] | undefined>(
    (one, other) => (one === undefined || other.until > one.until ? other : one),
    undefined,
  );
  return best === undefined || best.until <= from ? null : { ...best, from, isGap: false };
}

function gapAt(given: Coverable, from: number, end: number): Segment {
  const until = Math.min(end, ...given.versions.map((version) => doubtedUntil(given, version, from)));
  const told = given.versions.map((version): { readonly gap: Segment; readonly seen: number } => {
    const gap = { version, from, until, isGap: true };
    return { gap, seen: takenWithin({ ...gap, isGap: false }, "G_AGENT_STATE_HISTORY").length };
  });
  return told.reduce((one, other) => (other.seen > one.seen ? other : one)).gap;
}

function bounds({ life, windowSeconds }: Coverable): { readonly first: number; readonly end: number } {
  return {
    first: Math.floor(life.from / windowSeconds) * windowSeconds,
    end: (Math.floor(life.until / windowSeconds) + 1) * windowSeconds,
  };
}

function doubtsOf({ doubted }: Coverable, version: SubjectVersion): readonly Doubted[] {
  return doubted.get(version) ?? [];
}

function wholeUntil(given: Coverable, version: SubjectVersion, from: number, end: number): number {
  const ahead = doubtsOf(given, version).filter(({ until }) => until > from);
  return Math.min(end, ...ahead.map((doubt) => Math.max(doubt.from, from)));
}

function wholeSince(given: Coverable, version: SubjectVersion, until: number, first: number): number {
  const behind = doubtsOf(given, version).filter(({ from }) => from < until);
  return Math.max(first, ...behind.map((doubt) => Math.min(doubt.until, until)));
}

/** Doubts stand in order; one may follow on another. */
function doubtedUntil(given: Coverable, version: SubjectVersion, from: number): number {
  let reached = from;
  for (const doubt of doubtsOf(given, version)) {
    if (doubt.from <= reached && doubt.until > reached) reached = doubt.until;
  }
  return reached;
}
