// Whether several copies say the same. By digest first: of each window, count and digest are held against the other
// copies', and calls are read only where these differ or where a copy's own rows are in doubt. So equal copies are compared
// without reading their rows. What that cannot show (equal events that became different rows, by another version or
// configuration of the program) is found by reading them all, when it is asked for.
//
// 1. Nothing is changed anywhere. Memory holds a day of windows and a batch of calls, however large the copies are.
// 2. What was not compared is part of the answer, with the reason: equal means as far as it was looked at.
// 3. A call or login session is looked at once, although it lives through several windows that differ.

import { type FamilyName, familyNames } from "../../schema/life.ts";
import { type Comparison, ComparisonTally } from "./comparison.ts";
import { type Copy, CopyError, type CopyIdentity, type Stretch, type Subject, type SubjectsQuestion } from "./copy.ts";
import { extentOf } from "./extent.ts";
import { findSameCall } from "./local-call.ts";
import { type Judge, judgeStretch, ledgerRows, type ReadStandings, worstOver } from "./standing.ts";
import { compareSubject, endingSecondsMax, lifeOf } from "./subject-comparison.ts";
import { factDifferences, rowCount } from "./subject-difference.ts";
import { mergeSubjects, type SubjectSet } from "./subject-merge.ts";
import { compareWindows, type WindowComparison } from "./window-comparison.ts";

export interface CompareQuestion {
  /** Null: all time that any of the copies knows of. */
  readonly stretch: Stretch | null;
  /** Where no stretch is given, nothing that is later, UTC seconds; default: whatever there is. */
  readonly untilMax?: number;
  /** Read the rows of all calls and login sessions, also where digests are equal. */
  readonly allRows: boolean;
  /** How many windows, stretches and calls are listed at most; all are counted. */
  readonly listedMax: number;
  /** Called now and then; `doneUntil`: up to where windows and calls have been compared, UTC seconds. */
  readonly onProgress?: (stretch: Stretch, doneUntil: number) => void;
}

// Windows are looked at a day at a time.
const chunkSeconds = 86_400;
// Calls mostly begin and end in the same hour.
const lifeMarginSeconds = 3600;
// Each takes a question of its own to each copy.
const localCallsMax = 1000;

/** Throws CopyError when a copy cannot be read, or when they cannot be compared: windows of different lengths. */
export async function compareCopies(
  copies: readonly Copy[],
  judge: Judge,
  question: CompareQuestion,
): Promise<Comparison> {
  const identities = await Promise.all(copies.map((copy) => copy.identity()));
  const windowSeconds = commonWindowSeconds(copies, identities);
  const tally = new ComparisonTally(question.listedMax);
  const asked =
    question.stretch ??
    (await extentOf(copies, { windowSeconds, untilMax: question.untilMax ?? Number.POSITIVE_INFINITY }));
  const stretch = asked === null ? null : wholeWindows(asked, windowSeconds);
  const comparing: Comparing = { copies, judge, windowSeconds, tally, local: [] };
  let before: Stretch | null = null;
  for (let from = stretch?.from ?? 0; stretch !== null && from < stretch.until; from += chunkSeconds) {
    const chunk = { from, until: Math.min(from + chunkSeconds, stretch.until) };
    const judged = await judgeStretch(copies, judge, chunk);
    addLedgerRead(tally, judged);
    const windows = compareWindows({ ...judged.judgement, windows: judged.ledgers.map((ledger) => ledger.windows) });
    tally.addWindows(windows);
    const questions: readonly SubjectsQuestion[] = question.allRows
      ? [{ kind: "created", stretch: chunk }]
      : suspects(windows, windowSeconds).map((each) => ({ kind: "alive", stretch: each }));
    for (const each of questions) {
      for (const family of familyNames) await compareSubjects(comparing, judged, { family, question: each, before });
      if (each.kind === "alive") before = each.stretch;
    }
    question.onProgress?.(stretch, chunk.until);
  }
  await pairLocalCalls(comparing);
  return tally.comparison({
    copies: identities.map((identity, index) => ({ name: copies[index]?.name ?? "", ...identity })),
    stretch,
    subjectsRead: question.allRows ? "all" : "where windows differ or rows are in doubt",
  });
}

interface Comparing {
  readonly copies: readonly Copy[];
  readonly judge: Judge;
  readonly windowSeconds: number;
  readonly tally: ComparisonTally;
  /** Calls under a made-up key, to be paired at the end. */
  readonly local: { readonly copy: number; readonly call: Subject }[];
}

interface ComparedQuestion {
  readonly family: FamilyName;
  readonly question: SubjectsQuestion;
  /** What lives in it has been looked at already. */
  readonly before: Stretch | null;
}

async function compareSubjects(
  comparing: Comparing,
  judged: ReadStandings,
  { family, question, before }: ComparedQuestion,
): Promise<void> {
  const { copies, judge, windowSeconds, tally, local } = comparing;
  let beyond: ReadStandings = judged;
  for await (const set of mergeSubjects(copies, family, question)) {
    const present = set.found.filter((each) => each !== undefined);
    const life = lifeOf(present);
    if (question.kind === "alive" && before !== null && life.from < before.until) continue;
    countRead(set, tally);
    for (const [copy, call] of set.found.entries()) {
      if (family === "call" && call?.isKeyLocal && local.length < localCallsMax) local.push({ copy, call });
    }
    const looksBeyond = life.isEndingDisputed ? endingSecondsMax + 1 : 0;
    const lived = { from: life.from, until: (life.until ?? life.from + 1) + looksBeyond };
    const judgedHere = isWithin(lived, judged.stretch) ? judged : isWithin(lived, beyond.stretch) ? beyond : null;
    if (judgedHere === null) {
      beyond = await judgeStretch(copies, judge, wholeWindows(widened(lived), windowSeconds));
      addLedgerRead(tally, beyond);
    }
    const { judgement } = judgedHere ?? beyond;
    tally.addVerdict(
      family,
      compareSubject(set, (copy, source, stretch) => worstOver(judgement, copy, source, stretch)),
    );
  }
}

async function pairLocalCalls({ copies, local, tally }: Comparing): Promise<void> {
  for (const { copy, call } of local) {
    for (const [other, each] of copies.entries()) {
      if (other === copy) continue;
      const same = await findSameCall(call, each);
      if (same === null) continue;
      const columns = factDifferences(call, same);
      tally.addPair({ copy, callId: call.key, other, otherCallId: same.key, columns });
    }
  }
}

function countRead({ found }: SubjectSet, tally: ComparisonTally): void {
  for (const subject of found) if (subject !== undefined) tally.addRead(subject.family, rowCount(subject));
}

function addLedgerRead(tally: ComparisonTally, { ledgers }: ReadStandings): void {
  tally.addLedgerRead(ledgers.reduce((sum, ledger) => sum + ledgerRows(ledger), 0));
}

/** Stretches in which rows must be read, none touching the next. */
function suspects({ different, doubtful }: WindowComparison, windowSeconds: number): Stretch[] {
  const windows = [
    ...different.map(({ windowTs }) => ({ from: windowTs, until: windowTs + windowSeconds })),
    ...doubtful.map(({ from, until }) => ({ from, until })),
  ].sort((one, other) => one.from - other.from);
  const stretches: Stretch[] = [];
  for (const window of windows) {
    const last = stretches.at(-1);
    if (last === undefined || last.until < window.from) stretches.push(window);
    else stretches[stretches.length - 1] = { from: last.from, until: Math.max(last.until, window.until) };
  }
  return stretches;
}

function commonWindowSeconds(copies: readonly Copy[], identities: readonly CopyIdentity[]): number {
  const [first, ...others] = identities;
  if (first === undefined || others.length === 0) {
    throw new CopyError("lasting", "Cannot compare: expected two IDBs or more");
  }
  for (const [index, { windowSeconds }] of identities.entries()) {
    if (windowSeconds === first.windowSeconds) continue;
    throw new CopyError(
      "lasting",
      `Cannot compare "${copies[index]?.name}" with "${copies[0]?.name}": its windows are ${windowSeconds} s long and the ` +
        `other's ${first.windowSeconds} s; expected the same. icon rebuild makes an IDB anew with other windows`,
    );
  }
  return first.windowSeconds;
}

function wholeWindows({ from, until }: Stretch, windowSeconds: number): Stretch {
  return {
    from: Math.floor(from / windowSeconds) * windowSeconds,
    until: Math.ceil(until / windowSeconds) * windowSeconds,
  };
}

function isWithin({ from, until }: Stretch, outer: Stretch): boolean {
  return from >= outer.from && until <= outer.until;
}

function widened({ from, until }: Stretch): Stretch {
  return { from: from - lifeMarginSeconds, until: until + lifeMarginSeconds };
}
