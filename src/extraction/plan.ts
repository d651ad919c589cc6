// From which copy a call or a login session is taken, or from which together: pure, from the copies' accounts of it and what
// is known of their windows.
//
// 1. Whole from one copy, when that copy is whole in every window of the subject's life and has no doubt about any of its
//    rows. Of several such copies the one that tells more; they should be equal, and availability says where they are not.
// 2. Else joined (join-call.ts, join-session.ts), when every window of its life is whole in some copy that knows it by the
//    source's own keys.
// 3. Else whole from the better copy, with the reasons why something is, or may be, missing; a login session joined around
//    what is missing.
//
// A subject's life is what the copies together say: a copy that missed its beginning knows a shorter one, and would
// vouch for that. A copy that still believes it to go on is wrong when another saw it end.

import { type FamilyName, families } from "../../schema/life.ts";
import type { SourceKey } from "./availability.ts";
import type { Subject } from "./copy.ts";
import { joinCall } from "./join-call.ts";
import { joinSession } from "./join-session.ts";
import { withOtherSites } from "./other-site.ts";
import { type Life, segmentsBackward, segmentsForward, segmentsWithGaps } from "./segments.ts";
import type { Doubted, SourceCoverage } from "./source-coverage.ts";
import { msOf, type SubjectVersion, subjectVersion } from "./subject-version.ts";
import { type Segment, type TakenRows, takeWhole } from "./taken-row.ts";

/**
 * complete: whole from one copy. joined: whole, from several. incomplete: something is, or may be, missing in every copy.
 * not yet known: a copy may still tell.
 */
export type SubjectVerdict = "complete" | "joined" | "incomplete" | "not yet known";

/** Why a subject is not whole, or what else is wrong with it. */
export interface Reason {
  readonly why: ReasonWord;
  /** UTC seconds, where it is a stretch of its life. */
  readonly from: number | null;
  readonly until: number | null;
  /** Words of availability, or of ICON_ROW_QUALITY. */
  readonly causes: readonly string[];
}

export type ReasonWord =
  /** In this stretch no copy that knows it is whole. */
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

export interface SubjectPlan {
  readonly family: FamilyName;
  readonly key: string;
  /** Null: no copy knows it. */
  readonly source: SourceKey | null;
  readonly createdMs: number;
  /** Null: it goes on, as far as anybody knows. */
  readonly endedMs: number | null;
  readonly verdict: SubjectVerdict;
  /** False: its source has no numbers, so that complete means no more than that the copy listened all the time. */
  readonly isProven: boolean;
  readonly reasons: readonly Reason[];
  /** Places of the copies that rows are taken from. */
  readonly copies: readonly number[];
  readonly isKeyLocal: boolean;
  readonly rows: TakenRows;
  readonly quality: readonly { readonly doubt: Subject["quality"][number]; readonly copy: number }[];
}

export interface PlanQuestion {
  /** By copy; undefined: that one does not have it. At least one has. */
  readonly found: readonly (Subject | undefined)[];
  readonly coverage: SourceCoverage;
  /** UTC seconds: up to when a subject that goes on is judged. */
  readonly knownUntil: number;
}

export function planSubject(question: PlanQuestion): SubjectPlan {
  const plan = planOf(question);
  return plan.family === "call" ? { ...plan, rows: withOtherSites(plan.rows, question.found) } : plan;
}

function planOf({ found, coverage, knownUntil }: PlanQuestion): SubjectPlan {
  const versions = found.flatMap((each, copy) => (each === undefined ? [] : [subjectVersion(copy, each)]));
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
    const doubts = joined.doubts.length === 0 ? [] : [{ ...reason("in doubt"), causes: joined.doubts }];
    const verdict = doubts.length === 0 ? "joined" : "incomplete";
    return { ...header(versions, life, source), verdict, isProven, reasons: [...doubts, ...also], ...joined.rows };
  }
  const best = better(versions, life, (version) => judged.doubted.get(version) ?? []);
  const around = joinAroundGaps(judged, life, coverage.windowSeconds);
  const doubts = around === null ? best.doubts : around.doubts;
  const reasons = [...reasonsOf(judged, doubts), ...(joined.reason === null ? [] : [joined.reason])];
  const isPending = reasons.some(({ why }) => why === "not yet known");
  const plan = taken(best, life, source, isPending ? "not yet known" : "incomplete", isProven, [...reasons, ...also]);
  return around === null ? plan : { ...plan, ...around.rows };
}

function lifeOf(versions: readonly SubjectVersion[], knownUntil: number): Life {
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

function sourceOf(versions: readonly SubjectVersion[]): SourceKey | null {
  for (const { subject } of versions) {
    const { sourceCluster: cluster, switchDbid } = subject;
    if (cluster !== null && switchDbid !== null) return { cluster, switchDbid };
  }
  return null;
}

interface Judged {
  /** Stretches of its life in which the version's copy is not whole. */
  readonly doubted: ReadonlyMap<SubjectVersion, readonly Doubted[]>;
  /** The same of copies that do not have it. */
  readonly doubtedWithout: readonly (readonly Doubted[])[];
  readonly whole: readonly SubjectVersion[];
  /** Copies that are whole in all of its life and do not have it. */
  readonly contradicting: readonly number[];
}

function judge(given: {
  readonly versions: readonly SubjectVersion[];
  readonly lacking: readonly number[];
  readonly life: Life;
  readonly source: SourceKey;
  readonly coverage: SourceCoverage;
}): Judged {
  const { versions, lacking, life, source, coverage } = given;
  const doubtsOf = (copy: number) => coverage.doubted(copy, source, life.from, life.until);
  const doubted = new Map(versions.map((version) => [version, doubtsOf(version.copy)]));
  const without = lacking.map((copy) => ({ copy, doubts: doubtsOf(copy) }));
  const isWhole = (version: SubjectVersion) =>
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

interface Joined {
  readonly rows: Pick<SubjectPlan, "rows" | "copies" | "quality">;
  /** Words of ICON_ROW_QUALITY, or `guessed`: what is not sure of it all the same. */
  readonly doubts: readonly string[];
}

interface Joining {
  readonly rows: Joined["rows"] | null;
  readonly doubts: Joined["doubts"];
  /** Why copies that are whole in turn could not be joined; null: they are not whole in turn. */
  readonly reason: Reason | null;
}

function join(judged: Judged, life: Life, windowSeconds: number): Joining {
  const { doubted } = judged;
  const versions = [...doubted.keys()];
  const all = { doubted, versions, life, windowSeconds };
  if (versions.length < 2 || segmentsForward(all) === null) return { rows: null, doubts: [], reason: null };
  const able = { ...all, versions: versions.filter(isAble) };
  const attempts = [segmentsForward, segmentsBackward].map((cover) => cover(able));
  if (attempts[0] === null) return { rows: null, doubts: [], reason: reason("key is local") };
  for (const segments of attempts) {
    const joined = segments && joinRows(segments, life.endedMs !== null);
    if (joined == null || segments === null) continue;
    return { ...joined, reason: null };
  }
  return { rows: null, doubts: [], reason: reason("rows do not fit") };
}

/** Its keys are the source's, and its rows go back to its beginning. */
function isAble(version: SubjectVersion): boolean {
  return !version.hasLocalKey && !version.isTwofold && !version.isCutOff;
}

function joinRows(segments: readonly Segment[], isOver: boolean): Joined | null {
  const copies = copiesOf(segments);
  if (segments[0]?.version.subject.family === "call") {
    const rows = joinCall(segments, isOver);
    return rows && { rows: { rows, copies, quality: [] }, doubts: [] };
  }
  const joined = joinSession(segments, isOver);
  if (joined === null) return null;
  const quality = doubtsWithin(segments);
  const doubts = unique([...quality.map(({ doubt }) => doubt.REASON), ...(joined.isGuessed ? [guessed] : [])]);
  return { rows: { rows: joined.rows, copies, quality }, doubts };
}

/** What is said in the place of a word of ICON_ROW_QUALITY: see session-reasons.ts. */
const guessed = "reason not seen";

/** Of a login session: what a copy doubts although it is whole there, and what the one that tells of a gap doubts in it. */
function doubtsWithin(segments: readonly Segment[]): SubjectPlan["quality"] {
  const found = new Map<Subject["quality"][number], number>();
  for (const { version, isGap, from, until } of segments) {
    for (const doubt of version.subject.quality) {
      const latest = msOf(doubt.LATEST) ?? Number.POSITIVE_INFINITY;
      const earliest = msOf(doubt.EARLIEST) ?? latest;
      const isWithin = earliest >= from * 1000 && latest < until * 1000;
      const isTouching = latest >= from * 1000 && earliest < until * 1000;
      if (isGap ? isTouching : isWithin) found.set(doubt, version.copy);
    }
  }
  return [...found].map(([doubt, copy]) => ({ doubt, copy }));
}

/**
 * A login session lives for hours, and what nobody heard is a small part of it: what was heard is taken from whoever heard
 * it, and the gaps from the copy that tells most of them. Null: it is a call, or but one copy could tell.
 */
function joinAroundGaps({ doubted }: Judged, life: Life, windowSeconds: number): Joined | null {
  const versions = [...doubted.keys()].filter(isAble);
  if (versions.length < 2 || versions[0]?.subject.family !== "login session") return null;
  const segments = segmentsWithGaps({ doubted, versions, life, windowSeconds });
  return joinRows(segments, life.endedMs !== null);
}

function copiesOf(segments: readonly Segment[]): readonly number[] {
  return [...new Set(segments.map(({ version }) => version.copy))];
}

/** Where nobody who knows it is whole, and why; or, of a copy that is whole, what it only concluded. */
function reasonsOf(judged: Judged, doubts: readonly string[]): Reason[] {
  const ofVersions = [...judged.doubted.values()];
  const missing = ofVersions.reduce(overlaps);
  const reasons: Reason[] = [];
  for (const { from, until, isKnown, causes } of missing) {
    // A copy that does not have it yet may still get it.
    const mayCome =
      !isKnown ||
      judged.doubtedWithout.some((doubts) =>
        overlaps(doubts, [{ from, until, isKnown, causes }]).some((each) => !each.isKnown),
      );
    reasons.push({ why: mayCome ? "not yet known" : "missing", from, until, causes });
  }
  const words = doubts.filter((word) => word !== "key is local");
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
  versions: readonly SubjectVersion[],
  life: Life,
  doubted: (version: SubjectVersion) => readonly Doubted[],
): SubjectVersion {
  const score = (version: SubjectVersion): readonly number[] => [
    version.subject.isKeyLocal ? 0 : 1,
    life.endedMs !== null && version.endedMs === null ? 0 : 1,
    -doubted(version).reduce((sum, { from, until }) => sum + overlapSeconds(life, from, until), 0),
    -version.doubts.length,
    version.historyRows,
  ];
  const compare = (one: SubjectVersion, other: SubjectVersion): number => {
    const [left, right] = [score(one), score(other)];
    const place = left.findIndex((value, index) => value !== right[index]);
    return place < 0 ? one.copy - other.copy : (right[place] ?? 0) - (left[place] ?? 0);
  };
  return versions.toSorted(compare)[0] as SubjectVersion;
}

function overlapSeconds(life: Life, from: number, until: number): number {
  return Math.max(0, Math.min(life.until + 1, until) - Math.max(life.from, from));
}

function taken(
  version: SubjectVersion,
  life: Life,
  source: SourceKey | null,
  verdict: SubjectVerdict,
  isProven: boolean,
  reasons: readonly Reason[],
): SubjectPlan {
  return {
    ...header([version], life, source),
    verdict,
    isProven,
    reasons,
    copies: [version.copy],
    rows: takeWhole(version, families[version.subject.family].tables),
    quality: version.subject.quality.map((doubt) => ({ doubt, copy: version.copy })),
  };
}

function header(versions: readonly SubjectVersion[], { createdMs, endedMs }: Life, source: SourceKey | null) {
  const { subject } = (versions.find((each) => !each.subject.isKeyLocal) ?? versions[0]) as SubjectVersion;
  const { family, key, isKeyLocal } = subject;
  return { family, key, source, createdMs, endedMs, isKeyLocal };
}

function reason(why: ReasonWord): Reason {
  return { why, from: null, until: null, causes: [] };
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
