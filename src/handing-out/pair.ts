// The pair's time line for the page (src/status/pair-report.ts): per configured source what the pair has together, the
// own IDB, and the peer's. Milliseconds since 1970 by the sources' clocks.

import type { JudgedStretch, SourceAvailability, SourceKey } from "../extraction/availability.ts";
import { causeClauses } from "../extraction/cause-words.ts";
import type { SessionRow, Stretch } from "../extraction/copy.ts";
import { type CopyVerdict, isBeforeItsTime, isWhole, type Verdict, type WindowState } from "../extraction/verdict.ts";
import type { Judged } from "./ledgers.ts";
import type { NamedSource } from "./question.ts";

export interface LinePart {
  readonly from: number;
  readonly until: number;
  readonly state: WindowState | "divergent";
  readonly causes: readonly string[];
}

export interface VerdictPart extends LinePart {
  readonly chosen: "own" | "peer" | null;
  readonly isConfirmed: boolean;
}

export interface SourceLines {
  readonly name: string;
  readonly isProven: boolean;
  readonly verdict: readonly VerdictPart[];
  readonly own: readonly LinePart[];
  /** Null: the peer was not heard, or does not have this source. */
  readonly peer: readonly LinePart[] | null;
}

/** What the child tells of the pair. */
export interface PairLines {
  readonly from: number;
  readonly until: number;
  /** Null: there is none, or it was not heard. */
  readonly peerName: string | null;
  readonly peerTrouble: Judged["peerTrouble"];
  readonly sources: readonly SourceLines[];
}

// A line is some hundred points wide: where whole windows with and without events alternate faster, nobody could see it.
const partsPerLine = 400;

/** In the order of the configuration. */
export function pairLines(judged: Judged, stretch: Stretch, named: readonly NamedSource[]): PairLines {
  const shortestMs = ((stretch.until - stretch.from) * 1000) / partsPerLine;
  return {
    from: stretch.from * 1000,
    until: stretch.until * 1000,
    peerName: judged.peerName,
    peerTrouble: judged.peerTrouble,
    sources: named.map(({ name, cluster, switchDbid }) => {
      const found = judged.availability.sources.find(
        ({ source }) => source.cluster === cluster && source.switchDbid === switchDbid,
      );
      if (found === undefined) return { name, isProven: true, verdict: [], own: [], peer: null };
      const sessions = judged.ledgers.map((ledger) => ledger.sessions.filter((each) => isOf(each, found.source)));
      return { name, ...linesOf(found, sessions, stretch, shortestMs) };
    }),
  };
}

function isOf({ DS_DBID_PRIM, DS_DBID, DS2_DBID }: SessionRow, { cluster, switchDbid }: SourceKey): boolean {
  return (DS_DBID_PRIM ?? DS_DBID) === cluster && DS2_DBID === switchDbid;
}

/** `sessions`: of the source, by copy. */
function linesOf(
  { stretches, coverages }: SourceAvailability,
  sessions: readonly (readonly SessionRow[])[],
  stretch: Stretch,
  shortestMs: number,
): Omit<SourceLines, "name"> {
  const line = <Part extends LinePart>(part: (verdict: Verdict, at: Stretch) => Omit<Part, "from" | "until">) =>
    lineOf<Part>(stretches, stretch, shortestMs, part);
  const ends = (place: number, at: Stretch) => endsWithin(sessions[place] ?? [], at);
  const ofCopy = (place: number) =>
    line<LinePart>(({ copies }, at) => copyPart(copies[place] as CopyVerdict, ends(place, at)));
  const hasPeer = stretches.some(({ verdict }) => {
    const peer = verdict.copies[1];
    return peer !== undefined && !peer.causes.includes("never listened");
  });
  return {
    isProven: coverages.every(({ isProven }) => isProven),
    verdict: line<VerdictPart>((verdict, at) =>
      verdictPart(
        verdict,
        verdict.copies.flatMap((_, place) => ends(place, at)),
      ),
    ),
    own: ofCopy(0),
    peer: hasPeer ? ofCopy(1) : null,
  };
}

/** `ends`: why sessions ended meanwhile, which is the plainest cause of all. */
function copyPart(copy: CopyVerdict, ends: readonly string[]): Omit<LinePart, "from" | "until"> {
  if (isWhole(copy)) return { state: copy.state, causes: [] };
  if (isBeforeItsTime(copy)) return { state: "unknown", causes: causeClauses({ ...copy, missing: [] }) };
  return { state: copy.state, causes: [...ends, ...causeClauses(copy)] };
}

/**
 * Why the source was not heard from one session's last event to the next one's first, where a stretch lies between them:
 * in the words of ICON_DSS, and by the source's own clock, for ours may be another.
 */
function endsWithin(sessions: readonly SessionRow[], { from, until }: Stretch): string[] {
  const inOrder = sessions.toSorted((one, other) => one.DSS_ID - other.DSS_ID);
  const causes = inOrder
    .filter(({ LEVENT_DSTIME }, index) => {
      const next = inOrder[index + 1];
      const isHeardBefore = next !== undefined && secondsOf(next.FEVENT_DSTIME) < from;
      return secondsOf(LEVENT_DSTIME) < until && !isHeardBefore;
    })
    .map(({ END_CAUSE }) => END_CAUSE);
  return [...new Set(causes.filter((cause) => cause != null))].map((cause) => `session ended: ${cause}`);
}

/** NaN where there is none. */
function secondsOf(timestamp: string | null): number {
  return timestamp === null ? Number.NaN : Date.parse(timestamp) / 1000;
}

/** `ends`: as of each copy. */
function verdictPart(
  { state, agreement, chosen, copies }: Verdict,
  ends: readonly string[],
): Omit<VerdictPart, "from" | "until"> {
  if (agreement === "divergent") {
    const counts = copies.map(({ events }, place) => `${events} events ${place === 0 ? "here" : "there"}`);
    const causes = [`both call it complete, with other events: ${counts.join(", ")}`];
    return { state: "divergent", causes, chosen: null, isConfirmed: false };
  }
  if (copies.every(isBeforeItsTime)) {
    return { state: "unknown", causes: ["nobody had listened to the source yet"], chosen: null, isConfirmed: false };
  }
  // What is not yet known hangs on those that may still tell.
  const why = copies.filter((each) => each.state === state);
  return {
    state,
    causes: chosen === null ? [...new Set([...ends, ...why.flatMap(causeClauses)])] : [],
    chosen: chosen === null ? null : chosen === 0 ? "own" : "peer",
    isConfirmed: agreement === "confirmed",
  };
}

/** Neighbours of which the same is to be said are one part. */
function lineOf<Part extends LinePart>(
  stretches: readonly JudgedStretch[],
  { from, until }: Stretch,
  shortestMs: number,
  part: (verdict: Verdict, at: Stretch) => Omit<Part, "from" | "until">,
): Part[] {
  const parts: Part[] = [];
  for (const each of stretches) {
    const [fromMs, untilMs] = [Math.max(each.from, from) * 1000, Math.min(each.until, until) * 1000];
    if (fromMs >= untilMs) continue;
    const next = { from: fromMs, until: untilMs, ...part(each.verdict, each) } as Part;
    const last = parts.at(-1);
    const joined = last === undefined ? null : joinedPart(last, next, shortestMs);
    if (joined === null) parts.push(next);
    else parts[parts.length - 1] = joined;
  }
  return parts;
}

/** Null: they are to be told apart. */
function joinedPart<Part extends LinePart>(one: Part, other: Part, shortestMs: number): Part | null {
  const saidOf = ({ from: _from, until: _until, ...said }: Part) => said;
  if (Bun.deepEquals(saidOf(one), saidOf(other))) return { ...one, until: other.until };
  const isShort = one.until - one.from < shortestMs || other.until - other.from < shortestMs;
  const both = { ...saidOf(one), state: "complete" };
  const areWhole = [one, other].every(({ state }) => state === "complete" || state === "silent");
  if (!isShort || !areWhole || !Bun.deepEquals(both, { ...saidOf(other), state: "complete" })) return null;
  return { ...one, state: "complete", until: other.until };
}
