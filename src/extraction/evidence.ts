// When numbered events happened, as far as all copies together can tell.
//
// Within one server run times rise with numbers. So every word of every copy bounds the time of events that another copy
// lacks: what heard (t, n) says that events up to n happened by t, and those after n not before it. A window with the
// events F to L says that F did not happen before its start, and L did before its end.
//
// 1. All times are milliseconds by the source's clock. Times in the ledger are cut to a millisecond, down, but for a
//    span's beginning, which is up: there the event itself may be a millisecond older.
// 2. A source may tell events a little out of order: by how much at most, spans say (LATENESS_MS). Whoever uses a bound
//    widens it by that.
// 3. Where numbers were given out twice, or the clock was set back, numbers say nothing of times: such a run is not
//    ordered, and has no bounds.

import type { Selected } from "../../schema/tables.ts";
import type { SessionRow } from "./copy.ts";
import { isNumberBreak } from "./coverage-break.ts";
import { readFaults } from "./window-row.ts";

export type Span = Selected<"ICON_COVERAGE">;
export type WindowRow = Selected<"ICON_WINDOW">;

/** A span that a word has come for: its ends in milliseconds. */
export interface SpokenSpan {
  readonly row: Span;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Null: no word has come yet. */
export function spokenSpan(row: Span): SpokenSpan | null {
  if (row.FROM_TIME === null || row.UNTIL_TIME === null) return null;
  const fromMs = Date.parse(row.FROM_TIME);
  return { row, fromMs, untilMs: Math.max(Date.parse(row.UNTIL_TIME), fromMs) };
}

/** The server's last word, as one copy has heard it, was that it ends. */
export interface OrderlyEnd {
  readonly atMs: number;
  readonly sequence: number;
}

/** All copies' words about one server run. */
export class RunEvidence {
  readonly #afterNumbers: Float64Array;
  readonly #afterMs: Float64Array;
  readonly #beforeNumbers: Float64Array;
  readonly #beforeMs: Float64Array;
  /** When something was heard, or must have been said, in this run. */
  readonly #wordsMs: Float64Array;
  readonly #spanBeginningsMs: Float64Array;
  readonly latenessMs: number;
  /** Numbers and times rise together. */
  readonly isOrdered: boolean;
  /** By time. */
  readonly orderlyEnds: readonly OrderlyEnd[];

  constructor(claims: RunClaims) {
    const after = byNumber(claims.after);
    const before = byNumber(claims.before);
    this.#afterNumbers = after.numbers;
    this.#afterMs = runningMax(after.ms);
    this.#beforeNumbers = before.numbers;
    this.#beforeMs = runningMinFromEnd(before.ms);
    this.#wordsMs = Float64Array.from(claims.wordsMs).sort();
    this.#spanBeginningsMs = Float64Array.from(claims.spanBeginningsMs).sort();
    this.latenessMs = claims.latenessMs;
    this.isOrdered = claims.isOrdered;
    // One copy's last word was that the server ends; another one heard that too, and the server after it.
    this.orderlyEnds = claims.orderlyEnds
      .filter(({ atMs }) => !claims.otherEndsMs.has(atMs))
      .toSorted((one, other) => one.atMs - other.atMs);
  }

  /** Events after number `last` happened then or later, give or take the lateness; -Infinity: nobody can tell. */
  notBefore(last: number): number {
    const place = firstAbove(this.#afterNumbers, last) - 1;
    return place < 0 ? Number.NEGATIVE_INFINITY : (this.#afterMs[place] ?? Number.NEGATIVE_INFINITY);
  }

  /** Events up to number `last` happened then or before, give or take the lateness; Infinity: nobody can tell. */
  notAfter(last: number): number {
    const place = firstAbove(this.#beforeNumbers, last - 1);
    return this.#beforeMs[place] ?? Number.POSITIVE_INFINITY;
  }

  /** Numbers from `first` on and below `end` of which some copy knows when they, or the next, happened. Rising, each once. */
  numbersTold(first: number, end: number): readonly number[] {
    const told = new Set<number>();
    for (const numbers of [this.#afterNumbers, this.#beforeNumbers]) {
      for (let place = firstAbove(numbers, first - 1); (numbers[place] ?? Infinity) < end; place++) {
        told.add(numbers[place] ?? first);
      }
    }
    return [...told].sort((one, other) => one - other);
  }

  /** When the run was first heard of after this instant; Infinity: never. */
  nextWordAfter(ms: number): number {
    return this.#wordsMs[firstAbove(this.#wordsMs, ms)] ?? Number.POSITIVE_INFINITY;
  }

  /** When the run was last heard of before this instant; -Infinity: never. */
  lastWordBefore(ms: number): number {
    let [low, high] = [0, this.#wordsMs.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#wordsMs[middle] ?? 0) < ms) low = middle + 1;
      else high = middle;
    }
    return this.#wordsMs[low - 1] ?? Number.NEGATIVE_INFINITY;
  }

  /** Some copy began to hear the run anew after this instant. */
  hasSpanBegunAfter(ms: number): boolean {
    return firstAbove(this.#spanBeginningsMs, ms) < this.#spanBeginningsMs.length;
  }
}

interface Claims {
  readonly numbers: number[];
  readonly ms: number[];
}

interface RunClaims {
  /** Events after `numbers` did not happen before `ms`. */
  readonly after: Claims;
  /** Events up to `numbers` did not happen after `ms`. */
  readonly before: Claims;
  readonly wordsMs: number[];
  readonly spanBeginningsMs: number[];
  readonly orderlyEnds: OrderlyEnd[];
  /** Where a copy's span ended otherwise. */
  readonly otherEndsMs: Set<number>;
  latenessMs: number;
  isOrdered: boolean;
}

/** A ledger's rows of one source. */
export interface SourcePart {
  readonly spans: readonly Span[];
  readonly windows: readonly WindowRow[];
  readonly sessions: readonly SessionRow[];
}

/** What all copies together know of each run of one source; `parts` are the copies' rows of that source alone. */
export function gatherEvidence(parts: readonly SourcePart[], windowSeconds: number): ReadonlyMap<string, RunEvidence> {
  const claims = new Map<string, RunClaims>();
  const claimsOf = (run: string): RunClaims => {
    let known = claims.get(run);
    if (known === undefined) {
      known = {
        after: { numbers: [], ms: [] },
        before: { numbers: [], ms: [] },
        wordsMs: [],
        spanBeginningsMs: [],
        orderlyEnds: [],
        otherEndsMs: new Set(),
        latenessMs: 0,
        isOrdered: true,
      };
      claims.set(run, known);
    }
    return known;
  };
  for (const { spans, windows, sessions } of parts) {
    for (const span of spans) claimSpan(claimsOf(span.RUN), span);
    for (const window of windows) claimWindow(claimsOf(window.RUN), window, windowSeconds);
    for (const session of sessions) if (session.RUN != null) claimSession(claimsOf(session.RUN), session);
  }
  return new Map([...claims].map(([run, each]) => [run, new RunEvidence(each)]));
}

function claimSpan(claims: RunClaims, row: Span): void {
  if (
    [row.BEGAN_BECAUSE, row.ENDED_BECAUSE].some(
      (word) => word === "numbers went back" || word === "source clock stepped",
    )
  ) {
    claims.isOrdered = false;
  }
  claims.latenessMs = Math.max(claims.latenessMs, row.LATENESS_MS);
  const span = spokenSpan(row);
  if (span === null) return;
  const { fromMs, untilMs } = span;
  claims.wordsMs.push(fromMs, untilMs);
  claims.spanBeginningsMs.push(fromMs);
  if (row.FROM_SEQ !== null) {
    claim(claims.after, row.FROM_SEQ, fromMs - 1);
    claim(claims.before, row.FROM_SEQ, fromMs);
  }
  if (row.UNTIL_SEQ === null) return;
  claim(claims.after, row.UNTIL_SEQ, Date.parse(row.UNTIL_TIME ?? ""));
  // Where a link turned out to have been lost, the end is put back to a time before the last events.
  if (isNumberBreak(row.ENDED_BECAUSE)) claim(claims.before, row.UNTIL_SEQ, untilMs);
  if (row.ENDED_BECAUSE !== null && row.ENDED_BECAUSE !== "orderly end") claims.otherEndsMs.add(untilMs);
  if (row.ENDED_BECAUSE === "orderly end") claims.orderlyEnds.push({ atMs: untilMs, sequence: row.UNTIL_SEQ });
}

function claimWindow(claims: RunClaims, row: WindowRow, windowSeconds: number): void {
  const faults = readFaults(row);
  if (faults.includes("source clock stepped")) claims.isOrdered = false;
  const startMs = row.WINDOW_TS * 1000;
  if (row.EVENTS > 0) claims.wordsMs.push(startMs);
  // An event that came very late is entered into a later window than its own.
  if (row.FIRST_SEQ !== null && !faults.includes("late event")) claim(claims.after, row.FIRST_SEQ - 1, startMs);
  if (row.LAST_SEQ !== null) claim(claims.before, row.LAST_SEQ, startMs + windowSeconds * 1000 - 1);
}

/** The first and the last event of a session, whose times stand to the millisecond. */
function claimSession(claims: RunClaims, row: SessionRow): void {
  for (const [number, time] of [
    [row.FEVENT_DSSEQ, row.FEVENT_DSTIME],
    [row.LEVENT_DSSEQ, row.LEVENT_DSTIME],
  ]) {
    const sequence = Number(number ?? Number.NaN);
    const ms = Date.parse(time ?? "");
    if (!Number.isSafeInteger(sequence) || Number.isNaN(ms)) continue;
    claim(claims.after, sequence - 1, ms);
    claim(claims.before, sequence, ms);
    claims.wordsMs.push(ms);
  }
}

function claim({ numbers, ms }: Claims, number: number, at: number): void {
  numbers.push(number);
  ms.push(at);
}

function byNumber({ numbers, ms }: Claims): { readonly numbers: Float64Array; readonly ms: Float64Array } {
  const order = new Uint32Array(numbers.length).map((_, place) => place);
  order.sort((one, other) => (numbers[one] ?? 0) - (numbers[other] ?? 0));
  const sorted = { numbers: new Float64Array(order.length), ms: new Float64Array(order.length) };
  for (let place = 0; place < order.length; place++) {
    const from = order[place] ?? 0;
    sorted.numbers[place] = numbers[from] ?? 0;
    sorted.ms[place] = ms[from] ?? 0;
  }
  return sorted;
}

function runningMax(values: Float64Array): Float64Array {
  let max = Number.NEGATIVE_INFINITY;
  return values.map((value) => (max = Math.max(max, value)));
}

function runningMinFromEnd(values: Float64Array): Float64Array {
  let min = Number.POSITIVE_INFINITY;
  const result = new Float64Array(values.length);
  for (let place = values.length - 1; place >= 0; place--) {
    min = Math.min(min, values[place] ?? min);
    result[place] = min;
  }
  return result;
}

/** The place of the first value above `limit` in rising values; their length when there is none. */
export function firstAbove(values: ArrayLike<number>, limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
