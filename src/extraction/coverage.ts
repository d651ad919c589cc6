// What one copy may lack of one source: stretches of the source's time in which it does not have, or cannot be sure to
// have, every event. Outside of them it has all.
//
// 1. Numbers that are missing between two spans of a run happened after the last word below them and before the first one
//    above them, of any copy (evidence.ts). Nothing is missing, nothing in doubt: spans join however long the silence was.
// 2. Where one run follows on another, the end of the first is in doubt until the second is first heard of; not when its
//    last word was that it ends. What the second had numbered before we heard it is missing too.
// 3. While a server was blind (no CTI link), everybody who listened to it was.
// 4. Where something without a number was lost (a damaged record, a frame that could not be decoded), all from the last
//    word to the next is in doubt.
// 5. What was purged is gone, calls and not events: so no doubt of it names numbers.
// 6. Without numbers nobody can tell what happened between two sessions; all of it is in doubt.

import type { Selected } from "../../schema/tables.ts";
import { blindnesses, seeingAgainMs } from "./blindness.ts";
import type { SessionRow } from "./copy.ts";
import { type BreakWord, isBlindServer, isNumberBreak } from "./coverage-break.ts";
import { firstAbove, type RunEvidence, type SpokenSpan, type WindowRow } from "./evidence.ts";
import { purgedUntilMs } from "./purge.ts";

/** Numbers of one run, both ends included; `to` null: all after `from` that were given out until another run began. */
export interface MissingRange {
  readonly run: string;
  readonly from: number;
  readonly to: number | null;
}

/** Why something may be missing: a word of the ledger, or one of these. */
export type DoubtWord =
  | BreakWord
  | "not listened yet" // before the first word that the copy ever heard of the source
  | "role given up" // the server had ended in order, and nobody knows who spoke until it came back
  | "purged" // the copy heard it, and its calls were deleted
  | "run not heard"; // another copy heard a server run that this one did not

export interface Doubt {
  /** Both ends included, milliseconds by the source's clock; infinite where nothing bounds it. */
  readonly fromMs: number;
  readonly untilMs: number;
  readonly word: DoubtWord;
  readonly missing: MissingRange | null;
}

export interface Coverage {
  readonly doubts: readonly Doubt[];
  /** Up to here the copy can be judged at all: the latest time of which it is known to have everything. */
  readonly heardUntilMs: number;
  readonly latenessMs: number;
  /** The source numbers its events, so what is said is proven. */
  readonly isProven: boolean;
}

export interface CopyOfSource {
  /** In the order in which they were written. */
  readonly spans: readonly SpokenSpan[];
  readonly windows: readonly WindowRow[];
  /** Of windows before it nothing was read. */
  readonly windowsFromMs: number;
  readonly sessions: readonly SessionRow[];
  /** Of whatever source. */
  readonly marks: readonly Selected<"ICON_MARK">[];
}

/** `all` are the copies, this one among them, as far as they tell of the source. */
export function coverageOf(
  copy: CopyOfSource,
  all: readonly CopyOfSource[],
  evidence: ReadonlyMap<string, RunEvidence>,
  windowSeconds: number,
): Coverage {
  const doubts: Doubt[] = [];
  const lastOfRun = new Map<string, SpokenSpan>();
  let heardUntilMs = Number.NEGATIVE_INFINITY;
  let latenessMs = 0;
  for (const [index, span] of copy.spans.entries()) {
    const { RUN } = span.row;
    const runEvidence = evidence.get(RUN);
    if (runEvidence === undefined) continue;
    const place: Place = {
      span,
      before: copy.spans[index - 1],
      beforeInRun: lastOfRun.get(RUN),
      evidence,
      sessions: index === 0 ? all.flatMap((each) => each.sessions) : [],
    };
    doubts.push(...doubtsBefore(place, runEvidence));
    lastOfRun.set(RUN, span);
    const isNewest = index === copy.spans.length - 1;
    // What others have heard of an earlier run does not say that this copy has gone on since its newest.
    heardUntilMs = Math.max(heardUntilMs, isNewest ? wholeUntil(span, runEvidence) : span.untilMs);
    latenessMs = Math.max(latenessMs, runEvidence.latenessMs);
  }
  for (const blindness of blindnesses(all, windowSeconds)) {
    if (!lastOfRun.has(blindness.run)) continue;
    const seenMs = Number.isFinite(blindness.untilMs)
      ? blindness.untilMs
      : seeingAgainMs(copy, blindness, windowSeconds);
    // Whoever heard another run since then heard one that was not blind.
    const other = copy.spans.find(({ row, fromMs }) => row.RUN !== blindness.run && fromMs > blindness.lostByMs);
    const untilMs = Math.min(seenMs, other?.fromMs ?? Infinity);
    doubts.push({ fromMs: blindness.fromMs, untilMs, word: blindness.word, missing: null });
  }
  doubts.push(...rolesGivenUp(copy, evidence, lastOfRun), ...runsNotHeard(copy, all), ...purged(copy));
  const isProven = copy.spans.every(({ row }) => row.FROM_SEQ !== null);
  return { doubts: doubts.filter(({ fromMs, untilMs }) => fromMs <= untilMs), heardUntilMs, latenessMs, isProven };
}

/** What the copy heard and has no calls of any more. Before its first word it has nothing to purge. */
function purged({ spans, marks }: CopyOfSource): readonly Doubt[] {
  const untilMs = purgedUntilMs(marks);
  const [first] = spans;
  if (untilMs === null || first === undefined) return [];
  return [{ fromMs: first.fromMs, untilMs: untilMs - 1, word: "purged", missing: null }];
}

interface Place {
  readonly span: SpokenSpan;
  /** The copy's span before it, of whatever run. */
  readonly before: SpokenSpan | undefined;
  readonly beforeInRun: SpokenSpan | undefined;
  readonly evidence: ReadonlyMap<string, RunEvidence>;
  /** Of all copies; looked at for the first span only. */
  readonly sessions: readonly SessionRow[];
}

/** What may be missing between a span and what the copy has before it. */
function doubtsBefore(place: Place, run: RunEvidence): readonly Doubt[] {
  const { span, before, beforeInRun, evidence } = place;
  const { RUN, FROM_SEQ, BEGAN_BECAUSE } = span.row;
  const missing = missingBelow(span, beforeInRun);
  const beginsMs = wholeFrom(span, run);
  if (before === undefined) {
    const word = BEGAN_BECAUSE === "history not kept" ? BEGAN_BECAUSE : "not listened yet";
    const untilMs = Math.max(beginsMs, turnBeginsMs(place, run) + run.latenessMs);
    return [{ fromMs: Number.NEGATIVE_INFINITY, untilMs, word, missing }];
  }
  const word = before.row.ENDED_BECAUSE ?? BEGAN_BECAUSE;
  // What a blind server numbered is here, as far as anybody knows; the ledger's holes tell what is not.
  const missingToo = isBlindServer(word) ? null : missing;
  const raw: Doubt = {
    fromMs: before.untilMs - run.latenessMs,
    untilMs: span.fromMs + run.latenessMs,
    word,
    missing: missingToo,
  };
  const isTold = FROM_SEQ !== null && before.row.UNTIL_SEQ !== null && run.isOrdered;
  if (before.row.RUN === RUN) {
    const words = [before.row.ENDED_BECAUSE, BEGAN_BECAUSE];
    // Where the server was blind in between, that is a doubt of its own.
    if (isTold && missing === null && words.every((each) => isNumberBreak(each) || isBlindServer(each))) return [];
    if (!isTold || !words.every(isNumberBreak)) return [raw];
    if (missing === null) return [];
    return missingDoubts(run, { fromMs: wholeUntil(before, run), untilMs: beginsMs, word, missing });
  }
  const earlier = evidence.get(before.row.RUN);
  if (!isTold || earlier === undefined || !earlier.isOrdered || !isNumberBreak(BEGAN_BECAUSE)) return [raw];
  const doubts = [...tailDoubts(before, earlier, nextRunMs(span, before, run))];
  if (missing !== null) {
    doubts.push(
      ...missingDoubts(run, { fromMs: missingFromMs(place, run), untilMs: beginsMs, word: BEGAN_BECAUSE, missing }),
    );
  }
  return doubts;
}

/**
 * Of the first span that a copy has: when its run was first heard of, by any copy, after any other run. That nothing of an
 * earlier turn of the run is missing says nothing of who spoke in between.
 */
function turnBeginsMs({ span, evidence, sessions }: Place, run: RunEvidence): number {
  let otherMs = Number.NEGATIVE_INFINITY;
  for (const [name, other] of evidence) {
    if (name !== span.row.RUN) otherMs = Math.max(otherMs, other.lastWordBefore(span.fromMs));
  }
  for (const { RUN, DSCONN_SDSTS } of sessions) {
    const openedMs = (DSCONN_SDSTS ?? Infinity) * 1000;
    if (RUN != null && RUN !== span.row.RUN && openedMs < span.fromMs) otherMs = Math.max(otherMs, openedMs);
  }
  return Number.isFinite(otherMs) ? Math.min(run.nextWordAfter(otherMs), span.fromMs) : Number.NEGATIVE_INFINITY;
}

/** One doubt for each part of the missing numbers of which some copy knows when it happened. */
function missingDoubts(run: RunEvidence, doubt: Doubt & { readonly missing: MissingRange }): readonly Doubt[] {
  const { missing } = doubt;
  if (missing.to === null || !run.isOrdered) return [doubt];
  const ends = [...run.numbersTold(missing.from, missing.to), missing.to];
  return ends.map((to, index) => {
    const below = index === 0 ? missing.from - 1 : (ends[index - 1] ?? 0);
    const fromMs = index === 0 ? doubt.fromMs : Math.max(doubt.fromMs, run.notBefore(below) - run.latenessMs);
    const untilMs = to === missing.to ? doubt.untilMs : Math.min(doubt.untilMs, run.notAfter(to) + run.latenessMs);
    // Copies that contradict each other leave it open where it belongs: between what they say.
    const [earliest, latest] = [Math.min(fromMs, untilMs), Math.max(fromMs, untilMs)];
    return { fromMs: earliest, untilMs: latest, word: doubt.word, missing: { ...missing, from: below + 1, to } };
  });
}

/** When a run that follows on another is first heard of, by any copy. */
function nextRunMs(span: SpokenSpan, before: SpokenSpan, run: RunEvidence): number {
  const nextMs = run.nextWordAfter(before.untilMs);
  return Number.isFinite(nextMs) ? nextMs : Math.max(span.fromMs, before.untilMs);
}

/** The earliest that the events below a span can have happened, when the span before it is another run's. */
function missingFromMs({ before, beforeInRun }: Place, run: RunEvidence): number {
  const toldMs = run.notBefore(beforeInRun?.row.UNTIL_SEQ ?? 0) - run.latenessMs;
  // One server of a pair speaks at a time; but where a copy heard this one while the other still spoke, their clocks differ.
  const isToldHere = before === undefined || toldMs > before.fromMs;
  return isToldHere ? toldMs : before.untilMs;
}

/** What the end of a run may have held that the copy has not heard; the next run is first heard of at `nextMs`. */
function tailDoubts(span: SpokenSpan, run: RunEvidence, nextMs: number): readonly Doubt[] {
  const { RUN, ENDED_BECAUSE } = span.row;
  const last = span.row.UNTIL_SEQ ?? 0;
  const wholeMs = wholeUntil(span, run);
  const word = ENDED_BECAUSE ?? "new run";
  const isBack = run.hasSpanBegunAfter(nextMs);
  const end = run.orderlyEnds.find(({ atMs, sequence }) => atMs >= span.untilMs && sequence >= last);
  if (end !== undefined && (end.atMs <= nextMs || !isBack)) {
    const doubts: Doubt[] = [];
    if (end.sequence > last) {
      const missing = { run: RUN, from: last + 1, to: end.sequence };
      const untilMs = run.notAfter(end.sequence) + run.latenessMs;
      doubts.push(...missingDoubts(run, { fromMs: wholeMs, untilMs, word: "new run", missing }));
    }
    if (run.nextWordAfter(end.atMs) < nextMs) {
      doubts.push({ fromMs: end.atMs, untilMs: nextMs, word: "role given up", missing: null });
    }
    return doubts;
  }
  const missing = { run: RUN, from: last + 1, to: null };
  if (wholeMs <= nextMs) return [{ fromMs: wholeMs, untilMs: nextMs + run.latenessMs, word, missing }];
  // The run came back later without a new number: nothing of it was missed. Else its clock is ahead of the next one's.
  return isBack ? [] : [{ fromMs: nextMs, untilMs: wholeMs + run.latenessMs, word, missing }];
}

/** Up to when the copy that has this span has everything of its run. */
function wholeUntil({ row, untilMs }: SpokenSpan, run: RunEvidence): number {
  if (row.UNTIL_SEQ === null || !run.isOrdered || !isNumberBreak(row.ENDED_BECAUSE)) return untilMs - run.latenessMs;
  const last = row.UNTIL_SEQ;
  const toldMs = Math.max(untilMs, run.notBefore(last));
  // After a server has ended in order, its own silence says nothing of who speaks instead.
  const end = run.orderlyEnds.find(({ atMs, sequence }) => atMs >= untilMs && sequence >= last);
  return Math.min(toldMs, end?.atMs ?? toldMs) - run.latenessMs;
}

/** From when on the copy that has this span has everything of its run. */
function wholeFrom({ row, fromMs }: SpokenSpan, run: RunEvidence): number {
  if (row.FROM_SEQ === null || !run.isOrdered || !isNumberBreak(row.BEGAN_BECAUSE)) return fromMs + run.latenessMs;
  return Math.min(fromMs, run.notAfter(row.FROM_SEQ)) + run.latenessMs;
}

function missingBelow({ row }: SpokenSpan, beforeInRun: SpokenSpan | undefined): MissingRange | null {
  if (row.FROM_SEQ === null) return null;
  const from = (beforeInRun?.row.UNTIL_SEQ ?? 0) + 1;
  return from <= row.FROM_SEQ ? { run: row.RUN, from, to: row.FROM_SEQ } : null;
}

/** A server that ended in order and came back as the same run, while this copy heard no other one in between. */
function rolesGivenUp(
  { spans }: CopyOfSource,
  evidence: ReadonlyMap<string, RunEvidence>,
  heard: ReadonlyMap<string, unknown>,
): readonly Doubt[] {
  const doubts: Doubt[] = [];
  for (const run of heard.keys()) {
    for (const { atMs } of evidence.get(run)?.orderlyEnds ?? []) {
      const backMs = evidence.get(run)?.nextWordAfter(atMs) ?? Number.POSITIVE_INFINITY;
      if (!Number.isFinite(backMs)) continue;
      const isOther = ({ row, fromMs, untilMs }: SpokenSpan) => row.RUN !== run && untilMs >= atMs && fromMs <= backMs;
      if (!spans.some(isOther)) doubts.push({ fromMs: atMs, untilMs: backMs, word: "role given up", missing: null });
    }
  }
  return doubts;
}

/**
 * Runs of which some copy knows, at a time when this one had heard, before and after, other runs only: numbers on both
 * sides may go on, and yet all of that run is missing.
 */
function runsNotHeard({ spans }: CopyOfSource, all: readonly CopyOfSource[]): readonly Doubt[] {
  const beginnings = spans.map(({ fromMs }) => fromMs);
  const doubts: Doubt[] = [];
  for (const other of all) {
    const stays = other.spans === spans ? [] : staysOf(other);
    for (const { run, fromMs, untilMs, earliestMs, latestMs } of [...stays, ...silentStaysOf(other)]) {
      const place = firstAbove(beginnings, fromMs);
      const [before, after] = [spans[place - 1], spans[place]];
      if (before === undefined || before.row.RUN === run) continue;
      // Heard right after what was heard before it: there, numbers and words tell what is missing.
      if (after?.row.RUN === run && before.untilMs < fromMs) continue;
      // One server speaks at a time: what this copy heard of another before, it heard.
      const heardMs = before.untilMs < fromMs ? before.untilMs : before.fromMs;
      doubts.push({
        fromMs: Math.max(earliestMs, heardMs),
        untilMs: after === undefined ? latestMs : Math.min(latestMs, Math.max(after.fromMs, untilMs)),
        word: "run not heard",
        missing: null,
      });
    }
  }
  return doubts;
}

/** A time at which a copy was with a run, and the bounds of when the run spoke, as that copy knows them. */
interface Stay {
  readonly run: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly earliestMs: number;
  readonly latestMs: number;
}

function staysOf({ spans }: CopyOfSource): readonly Stay[] {
  return spans.map(({ row, fromMs, untilMs }, index) => ({
    run: row.RUN,
    fromMs,
    untilMs,
    earliestMs: spans[index - 1]?.untilMs ?? Number.NEGATIVE_INFINITY,
    latestMs: spans[index + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
  }));
}

/** Sessions with a run of which not a word came. */
function silentStaysOf({ spans, sessions }: CopyOfSource): readonly Stay[] {
  const spoken = spans.filter(({ row }) => row.GSYS_DOMAIN !== null);
  const domains = spoken.map(({ row }) => row.GSYS_DOMAIN ?? 0);
  const stays: Stay[] = [];
  for (const { DSS_ID, RUN, DSCONN_SDSTS } of sessions) {
    if (RUN == null || DSCONN_SDSTS === null) continue;
    const place = firstAbove(domains, DSS_ID);
    const [before, after] = [spoken[place - 1], spoken[place]];
    if ([before, after].some((each) => each?.row.RUN === RUN)) continue;
    // Until the clocks were compared this is by ours, so no further than what stands by the source's.
    const openedMs = DSCONN_SDSTS * 1000;
    const earliestMs = before?.untilMs ?? Number.NEGATIVE_INFINITY;
    const latestMs = after?.fromMs ?? Number.POSITIVE_INFINITY;
    const fromMs = Math.min(Math.max(openedMs, earliestMs), latestMs);
    stays.push({ run: RUN, fromMs, untilMs: fromMs, earliestMs, latestMs });
  }
  return stays;
}
