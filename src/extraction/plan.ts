// From which copy a call is taken, or from which together: pure, from the copies' accounts of it and what is known of
// their windows.
//
// 1. Whole from one copy, when that copy is whole in every window of the call's life and has no doubt about any of its
//    rows. Of several such copies the one that tells more; they should be equal, and availability says where they are not.
// 2. Else joined (join.ts), when every window of its life is whole in some copy that knows the call by its own keys.
// 3. Else whole from the better copy, with the reasons why something is, or may be, missing.
//
// The life of a call is what the copies together say: a copy that missed its beginning knows a shorter one, and would
// vouch for that. A copy that still believes it to go on is wrong when another saw it end.

import type { SourceKey } from "./availability.ts";
import { type CallVersion, callVersion } from "./call-version.ts";
import type { WholeCall } from "./copy.ts";
import { joinRows, takeWhole } from "./join.ts";
import type { Doubted, SourceCoverage } from "./source-coverage.ts";
import type { Segment, TakenRows } from "./taken-row.ts";

/**
 * complete: whole from one copy. joined: whole, from several. incomplete: something is, or may be, missing in every copy.
 * not yet known: a copy may still tell.
 */
export type CallVerdict = "complete" | "joined" | "incomplete" | "not yet known";

/** Why a call is not whole, or what else is wrong with it. */
export interface Reason {
  readonly why: ReasonWord;
  /** UTC seconds, where it is a stretch of its life. */
  readonly from: number | null;
  readonly until: number | null;
  /** Words of availability, or of ICON_ROW_QUALITY. */
  readonly causes: readonly string[];
}

export type ReasonWord =
  /** In this stretch no copy that knows the call is whole. */
  | "missing"
  /** In this stretch a copy may still turn out to be whole. */
  | "not yet known"
  /** Copies are whole in turn, but a copy that would be needed has it under keys of its own. */
  | "key is local"
  /** Copies are whole in turn, but their rows do not follow on one another. */
  | "rows do not fit"
  /** The copy is whole, and yet concluded what a row says. */
  | "in doubt"
  /** Nobody knows which source it is of. */
  | "source not known"
  /** A copy that is whole in all of its life does not have it. */
  | "contradicted"
  /** Two copies that are whole contradict each other about a window of its life. */
  | "divergent";

export interface CallPlan {
  readonly callId: string;
  /** Null: no copy knows it. */
  readonly source: SourceKey | null;
  readonly createdMs: number;
  /** Null: it goes on, as far as anybody knows. */
  readonly endedMs: number | null;
  readonly verdict: CallVerdict;
  /** False: its source has no numbers, so that complete means no more than that the copy listened all the time. */
  readonly isProven: boolean;
  readonly reasons: readonly Reason[];
  /** Places of the copies that rows are taken from. */
  readonly copies: readonly number[];
  readonly isKeyLocal: boolean;
  readonly rows: TakenRows;
  readonly quality: readonly { readonly doubt: WholeCall["quality"][number]; readonly copy: number }[];
}

export interface PlanQuestion {
  /** By copy; undefined: that one does not have it. At least one has. */
  readonly found: readonly (WholeCall | undefined)[];
  readonly coverage: SourceCoverage;
  /** UTC seconds: up to when a call that goes on is judged. */
  readonly knownUntil: number;
}

export function planCall({ found, coverage, knownUntil }: PlanQuestion): CallPlan {
  const versions = found.flatMap((call, copy) => (call === undefined ? [] : [callVersion(copy, call)]));
  const life = lifeOf(versions, knownUntil);
  const source = sourceOf(versions);
  const lacking = [...found.keys()].filter((copy) => found[copy] === undefined);
  const judged = source === null ? null : judge({ versions, lacking, life, source, coverage });
  if (source === null || judged === null) {
    const best = better(versions, life, () => []);
    return taken(best, life, null, "incomplete", false, [reason("source not known")]);
  }
  const isProven = coverage.isProven(source, life.from, life.until);
  const also = [
    ...judged.contradicting.map(() => reason("contradicted")),
    ...(coverage.isDivergent(source, life.from, life.until) ? [reason("divergent")] : []),
  ];
  const whole = judged.whole.toSorted((one, other) => other.historyRows - one.historyRows)[0];
  if (whole !== undefined) return taken(whole, life, source, "complete", isProven, also);

  const joined = join(judged, life, coverage.windowSeconds);
  if (joined.rows !== null) {
    return { ...header(versions, life, source), verdict: "joined", isProven, reasons: also, ...joined.rows };
  }
  const best = better(versions, life, (version) => judged.doubted.get(version) ?? []);
  const reasons = [...reasonsOf(judged, best), ...(joined.reason === null ? [] : [joined.reason])];
  const isPending = reasons.some(({ why }) => why === "not yet known");
  return taken(best, life, source, isPending ? "not yet known" : "incomplete", isProven, [...reasons, ...also]);
}

/** UTC seconds, both ends included, and in milliseconds what a row would say. */
interface Life {
  readonly from: number;
  readonly until: number;
  readonly createdMs: number;
  readonly endedMs: number | null;
}

function lifeOf(versions: readonly CallVersion[], knownUntil: number): Life {
  const seen = versions.filter(({ isBeginningSeen }) => isBeginningSeen);
  const createdMs = Math.min(...(seen.length > 0 ? seen : versions).map((version) => version.createdMs));
  const ends = versions.filter(({ isEndSeen }) => isEndSeen);
  const concluded = versions.filter(({ endedMs }) => endedMs !== null);
  const endedMs =
    ends.length > 0
      ? Math.max(...ends.map((version) => version.endedMs ?? 0))
      : concluded.length > 0
        ? Math.max(...concluded.map((version) => version.endedByMs ?? 0))
        : null;
  const from = Math.floor(createdMs / 1000);
  return {
    from,
    until: Math.max(from, endedMs === null ? knownUntil - 1 : Math.floor(endedMs / 1000)),
    createdMs,
    endedMs,
  };
}

function sourceOf(versions: readonly CallVersion[]): SourceKey | null {
  for (const { call } of versions) {
    const { sourceCluster: cluster, switchDbid } = call;
    if (cluster !== null && switchDbid !== null) return { cluster, switchDbid };
  }
  return null;
}

interface Judged {
  /** Stretches of its life in which the version's copy is not whole. */
  readonly doubted: ReadonlyMap<CallVersion, readonly Doubted[]>;
  /** The same of copies that do not have the call. */
  readonly doubtedWithout: readonly (readonly Doubted[])[];
  readonly whole: readonly CallVersion[];
  /** Copies that are whole in all of its life and do not have it. */
  readonly contradicting: readonly number[];
}

function judge(given: {
  readonly versions: readonly CallVersion[];
  readonly lacking: readonly number[];
  readonly life: Life;
  readonly source: SourceKey;
  readonly coverage: SourceCoverage;
}): Judged {
  const { versions, lacking, life, source, coverage } = given;
  const doubtsOf = (copy: number) => coverage.doubted(copy, source, life.from, life.until);
  const doubted = new Map(versions.map((version) => [version, doubtsOf(version.copy)]));
  const without = lacking.map((copy) => ({ copy, doubts: doubtsOf(copy) }));
  const isWhole = (version: CallVersion) =>
    doubted.get(version)?.length === 0 &&
    version.doubts.length === 0 &&
    (life.endedMs === null) === (version.endedMs === null);
  return {
    doubted,
    doubtedWithout: without.map(({ doubts }) => doubts),
    whole: versions.filter(isWhole),
    contradicting: without.filter(({ doubts }) => doubts.length === 0).map(({ copy }) => copy),
  };
}

interface Joining {
  readonly rows: Pick<CallPlan, "rows" | "copies" | "quality"> | null;
  /** Why copies that are whole in turn could not be joined; null: they are not whole in turn. */
  readonly reason: Reason | null;
}

function join(judged: Judged, life: Life, windowSeconds: number): Joining {
  const all = [...judged.doubted.keys()];
  if (all.length < 2 || segmentsForward(judged, all, life, windowSeconds) === null) return { rows: null, reason: null };
  const able = all.filter((version) => !version.hasLocalKey && !version.isTwofold && !version.isCutOff);
  const attempts = [segmentsForward, segmentsBackward].map((cover) => cover(judged, able, life, windowSeconds));
  if (attempts[0] === null) return { rows: null, reason: reason("key is local") };
  for (const segments of attempts) {
    const rows = segments && joinRows(segments, life.endedMs !== null);
    if (rows == null || segments === null) continue;
    return {
      rows: { rows, copies: [...new Set(segments.map(({ version }) => version.copy))], quality: [] },
      reason: null,
    };
  }
  return { rows: null, reason: reason("rows do not fit") };
}

/** Covers the life with as few changes of copy as possible, each as late as possible. Null: it cannot be covered. */
function segmentsForward(
  judged: Judged,
  versions: readonly CallVersion[],
  life: Life,
  windowSeconds: number,
): Segment[] | null {
  const { first, end } = bounds(life, windowSeconds);
  const segments: Segment[] = [];
  for (let from = first; from < end; ) {
    const reaches = versions.map((version) => ({ version, until: wholeUntil(doubtsOf(judged, version), from, end) }));
    const best = reaches.reduce<(typeof reaches)[number] | undefined>(
      (one, other) => (one === undefined || other.until > one.until ? other : one),
      undefined,
    );
    if (best === undefined || best.until <= from) return null;
    segments.push({ version: best.version, from, until: best.until });
    from = best.until;
  }
  return segments;
}

/** The same with each change as early as possible. */
function segmentsBackward(
  judged: Judged,
  versions: readonly CallVersion[],
  life: Life,
  windowSeconds: number,
): Segment[] | null {
  const { first, end } = bounds(life, windowSeconds);
  const segments: Segment[] = [];
  for (let until = end; until > first; ) {
    const reaches = versions.map((version) => ({ version, from: wholeSince(doubtsOf(judged, version), until, first) }));
    const best = reaches.reduce<(typeof reaches)[number] | undefined>(
      (one, other) => (one === undefined || other.from < one.from ? other : one),
      undefined,
    );
    if (best === undefined || best.from >= until) return null;
    segments.unshift({ version: best.version, from: best.from, until });
    until = best.from;
  }
  return segments;
}

function bounds({ from, until }: Life, windowSeconds: number): { readonly first: number; readonly end: number } {
  return {
    first: Math.floor(from / windowSeconds) * windowSeconds,
    end: (Math.floor(until / windowSeconds) + 1) * windowSeconds,
  };
}

function doubtsOf(judged: Judged, version: CallVersion): readonly Doubted[] {
  return judged.doubted.get(version) ?? [];
}

function wholeUntil(doubts: readonly Doubted[], from: number, end: number): number {
  return Math.min(end, ...doubts.filter(({ until }) => until > from).map((doubt) => Math.max(doubt.from, from)));
}

function wholeSince(doubts: readonly Doubted[], until: number, first: number): number {
  return Math.max(first, ...doubts.filter(({ from }) => from < until).map((doubt) => Math.min(doubt.until, until)));
}

/** Where nobody who knows the call is whole, and why; or, of a copy that is whole, what it only concluded. */
function reasonsOf(judged: Judged, best: CallVersion): Reason[] {
  const ofVersions = [...judged.doubted.values()];
  const missing = ofVersions.reduce(overlaps);
  const reasons: Reason[] = [];
  for (const { from, until, isKnown, causes } of missing) {
    // A copy that has not the call yet may still get it.
    const mayCome =
      !isKnown ||
      judged.doubtedWithout.some((doubts) =>
        overlaps(doubts, [{ from, until, isKnown, causes }]).some((each) => !each.isKnown),
      );
    reasons.push({ why: mayCome ? "not yet known" : "missing", from, until, causes });
  }
  const words = best.doubts.filter((word) => word !== "key is local");
  if (words.length > 0) reasons.push({ ...reason("in doubt"), causes: words });
  return reasons;
}

/** Stretches that are in both, in order; known only if they are in both. */
function overlaps(some: readonly Doubted[], others: readonly Doubted[]): Doubted[] {
  const both: Doubted[] = [];
  for (const one of some) {
    for (const other of others) {
      const [from, until] = [Math.max(one.from, other.from), Math.min(one.until, other.until)];
      if (from >= until) continue;
      const causes = [...new Set([...one.causes, ...other.causes])];
      both.push({ from, until, isKnown: one.isKnown && other.isKnown, causes });
    }
  }
  return both.sort((one, other) => one.from - other.from);
}

/** Under its own key before under a local one, ended before going on for ever, then who was whole for longer. */
function better(
  versions: readonly CallVersion[],
  life: Life,
  doubted: (version: CallVersion) => readonly Doubted[],
): CallVersion {
  const score = (version: CallVersion): readonly number[] => [
    version.call.isKeyLocal ? 0 : 1,
    life.endedMs !== null && version.endedMs === null ? 0 : 1,
    -doubted(version).reduce((sum, { from, until }) => sum + overlapSeconds(life, from, until), 0),
    -version.doubts.length,
    version.historyRows,
  ];
  const compare = (one: CallVersion, other: CallVersion): number => {
    const [left, right] = [score(one), score(other)];
    const place = left.findIndex((value, index) => value !== right[index]);
    return place < 0 ? one.copy - other.copy : (right[place] ?? 0) - (left[place] ?? 0);
  };
  return versions.toSorted(compare)[0] as CallVersion;
}

function overlapSeconds(life: Life, from: number, until: number): number {
  return Math.max(0, Math.min(life.until + 1, until) - Math.max(life.from, from));
}

function taken(
  version: CallVersion,
  life: Life,
  source: SourceKey | null,
  verdict: CallVerdict,
  isProven: boolean,
  reasons: readonly Reason[],
): CallPlan {
  return {
    ...header([version], life, source),
    verdict,
    isProven,
    reasons,
    copies: [version.copy],
    rows: takeWhole(version),
    quality: version.call.quality.map((doubt) => ({ doubt, copy: version.copy })),
  };
}

function header(versions: readonly CallVersion[], { createdMs, endedMs }: Life, source: SourceKey | null) {
  const { call } = (versions.find((each) => !each.call.isKeyLocal) ?? versions[0]) as CallVersion;
  return { callId: call.callId, source, createdMs, endedMs, isKeyLocal: call.isKeyLocal };
}

function reason(why: ReasonWord): Reason {
  return { why, from: null, until: null, causes: [] };
}
