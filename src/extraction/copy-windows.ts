// One copy's verdicts about the windows of one source, asked for in rising order.

import { sealDelayMs } from "../event/ledger-word.ts";
import type { CopyOfSource, Coverage, MissingRange } from "./coverage.ts";
import { isBlindServer } from "./coverage-break.ts";
import type { RunEvidence, WindowRow } from "./evidence.ts";
import { type NumbersHere, numbersHere, numbersPlaced } from "./numbers-here.ts";
import type { CauseWord, CopyVerdict } from "./verdict.ts";
import { isCondemning, readFaults, readHoles } from "./window-row.ts";

/** Places of windows: their start divided by their length. `end` is not in it. */
interface PlaceRange {
  readonly first: number;
  readonly end: number;
}

interface Placed extends PlaceRange {
  readonly word: CauseWord;
  readonly missing: MissingRange | null;
}

/** What is missing here and belongs to one window. */
interface Missed {
  readonly ranges: readonly MissingRange[];
  /** Another copy has some of it. */
  readonly isThere: boolean;
}

/** Rows of one copy's windows by their place. */
export type PlacedRows = ReadonlyMap<number, readonly WindowRow[]>;

export function placedRows(
  windows: readonly WindowRow[],
  windowSeconds: number,
  { first, end }: PlaceRange,
): PlacedRows {
  const rows = new Map<number, WindowRow[]>();
  for (const row of windows) {
    const place = Math.floor(row.WINDOW_TS / windowSeconds);
    if (place < first || place >= end) continue;
    const known = rows.get(place);
    if (known === undefined) rows.set(place, [row]);
    else known.push(row);
  }
  return rows;
}

interface Setting {
  readonly copy: CopyOfSource;
  readonly rows: PlacedRows;
  readonly othersRows: readonly PlacedRows[];
  readonly evidence: ReadonlyMap<string, RunEvidence>;
  readonly coverage: Coverage;
  readonly windowSeconds: number;
  readonly range: PlaceRange;
}

export class CopyWindows {
  readonly #rows: PlacedRows;
  readonly #othersRows: readonly PlacedRows[];
  /** What a server said of its own links holds for every copy that listened to it. */
  readonly #blind = new Map<number, Set<string>>();
  readonly #doubts: readonly Placed[];
  /** First place that cannot be judged yet. */
  readonly #unknownFrom: number;
  readonly #isProven: boolean;
  readonly #hasListened: boolean;
  readonly #numbers: ReadonlyMap<string, NumbersHere>;
  /** Missing numbers of which a doubt tells where they belong, by run. */
  readonly #placed: ReadonlyMap<string, NumbersHere>;
  readonly #silent: CopyVerdict;
  #next = 0;
  #active: Placed[] = [];
  #uniform: { readonly key: string; readonly verdict: CopyVerdict } | null = null;

  constructor({ copy, rows, othersRows, evidence, coverage, windowSeconds, range }: Setting) {
    this.#rows = rows;
    this.#othersRows = othersRows;
    const runs = new Set(copy.spans.map(({ row }) => row.RUN));
    for (const { RUN } of copy.windows) runs.add(RUN);
    for (const each of [rows, ...othersRows]) {
      for (const [place, rowsThere] of each) {
        for (const row of rowsThere) {
          if (isPlain(row) || !runs.has(row.RUN)) continue;
          for (const fault of readFaults(row).filter(isBlindServer)) {
            this.#blind.set(place, (this.#blind.get(place) ?? new Set()).add(fault));
          }
        }
      }
    }
    const windowMs = windowSeconds * 1000;
    this.#doubts = coverage.doubts
      .map(({ fromMs, untilMs, word, missing }) => ({
        first: Math.max(range.first, Math.floor(fromMs / windowMs)),
        end: Math.min(range.end, Math.floor(untilMs / windowMs) + 1),
        word,
        missing,
      }))
      .filter(({ first, end }) => first < end)
      .toSorted((one, other) => one.first - other.first);
    this.#hasListened = copy.spans.length + copy.sessions.length + copy.windows.length > 0;
    const judgedUntilMs = coverage.heardUntilMs - Math.max(sealDelayMs, coverage.latenessMs);
    this.#unknownFrom = this.#hasListened ? Math.max(range.first, Math.floor(judgedUntilMs / windowMs)) : range.end;
    this.#isProven = coverage.isProven;
    this.#silent = {
      state: "silent",
      causes: nothing,
      missing: nothing,
      faults: nothing,
      events: 0,
      digest: null,
      isProven: coverage.isProven,
    };
    this.#numbers = numbersHere(copy, evidence);
    this.#placed = numbersPlaced(coverage.doubts);
  }

  /** Places where the verdict may be another one than before, but for those that the others' own rows make. */
  *changes(): Iterable<number> {
    for (const place of this.#rows.keys()) {
      yield place;
      yield place + 1;
    }
    for (const { first, end } of this.#doubts) {
      yield first;
      yield end;
    }
    yield this.#unknownFrom;
  }

  /** Of the window at this place, and of all up to the next change. Places must not fall from call to call. */
  at(place: number): CopyVerdict {
    this.#moveTo(place);
    const rows = this.#rows.get(place);
    const more = this.#missedAt(place);
    const isDoubtful = this.#active.length > 0 || more !== null || this.#blind.has(place) || !this.#hasListened;
    if (!isDoubtful && place < this.#unknownFrom && rows?.every(isPlain) !== false) return this.#plain(rows);
    return this.#shared(this.#judged(place, rows, more));
  }

  /** A window of which nothing is wrong, as nearly all are. */
  #plain(rows: readonly WindowRow[] | undefined): CopyVerdict {
    if (rows === undefined) return this.#silent;
    const events = rows.reduce((sum, { EVENTS }) => sum + EVENTS, 0);
    if (events === 0) return this.#silent;
    return { ...this.#silent, state: "complete", events, digest: digestOf(rows) };
  }

  #judged(place: number, rows: readonly WindowRow[] | undefined, more: Missed | null): CopyVerdict {
    const faults = new Set(rows?.flatMap(readFaults));
    const events = rows?.reduce((sum, { EVENTS }) => sum + EVENTS, 0) ?? 0;
    const digest = events === 0 ? null : digestOf(rows ?? []);
    const said = { faults: [...faults], events, digest, isProven: this.#isProven };
    if (place >= this.#unknownFrom) return { ...said, state: "unknown", causes: ["not heard yet"], missing: [] };
    const causes = new Set<CauseWord>([...faults].filter(isCondemning));
    for (const fault of this.#blind.get(place) ?? []) causes.add(fault);
    for (const { word } of this.#active) causes.add(word);
    if (more?.isThere === true) causes.add("another copy has more");
    if (!this.#hasListened) causes.add("never listened");
    // The others' numbers tell where they belong, and that nobody of them has them either.
    if (causes.size === 0 && more !== null) causes.add("hole");
    if (causes.size === 0) return { ...said, state: events > 0 ? "complete" : "silent", causes: [], missing: [] };
    const missing = [
      ...(more?.ranges ?? nothing),
      ...this.#active.map((doubt) => doubt.missing).filter((range) => range !== null),
    ];
    for (const { RUN: run, ...row } of rows ?? []) {
      // A row names what may be missing as its copy alone could tell; where a doubt tells of it, that is narrower.
      for (const [from, to] of readHoles(row))
        missing.push(...(this.#placed.get(run)?.lacking({ run, from, to }) ?? [{ run, from, to }]));
    }
    return { ...said, state: "incomplete", causes: [...causes], missing: simplified(missing) };
  }

  #moveTo(place: number): void {
    for (; (this.#doubts[this.#next]?.first ?? Number.POSITIVE_INFINITY) <= place; this.#next++) {
      this.#active.push(this.#doubts[this.#next] as Placed);
    }
    if (this.#active.some(({ end }) => end <= place)) this.#active = this.#active.filter(({ end }) => end > place);
  }

  /** Numbers that belong to this window, as another copy's row tells, and are here neither in a span nor in the own row. */
  #missedAt(place: number): Missed | null {
    let ranges: readonly MissingRange[] = nothing;
    let isThere = false;
    for (const others of this.#othersRows) {
      for (const row of others.get(place) ?? nothing) {
        const { RUN: run, FIRST_SEQ: from, LAST_SEQ: to } = row;
        if (from === null || to === null) continue;
        const here = this.#numbers.get(run);
        if (here === undefined || here.holds(from, to)) continue;
        // What a blind server told is in no span of anybody, and here all the same.
        if (this.#rows.get(place)?.some((own) => own.RUN === run && hasAll(own, from, to))) continue;
        const lacking = here.lacking({ run, from, to });
        ranges = [...ranges, ...lacking];
        isThere ||= lacking.some((range) => !isInHole(row, range));
      }
    }
    return ranges.length === 0 ? null : { ranges, isThere };
  }

  /** Millions of windows may be silent: the same verdict is the same value. */
  #shared(verdict: CopyVerdict): CopyVerdict {
    if (verdict.events > 0) return verdict;
    const key = JSON.stringify(verdict);
    if (this.#uniform?.key !== key) this.#uniform = { key, verdict };
    return this.#uniform.verdict;
  }
}

const nothing: readonly never[] = [];

/** No word stands in the row. */
function isPlain({ FAULTS }: WindowRow): boolean {
  return FAULTS === null || FAULTS === "[]";
}

/** Every number from the first to the last is counted in this row. */
function hasAll({ FIRST_SEQ, LAST_SEQ, EVENTS }: WindowRow, first: number, last: number): boolean {
  if (FIRST_SEQ === null || LAST_SEQ === null || EVENTS !== LAST_SEQ - FIRST_SEQ + 1) return false;
  return FIRST_SEQ <= first && LAST_SEQ >= last;
}

/** The row's own copy has none of these numbers. */
function isInHole(row: WindowRow, { from, to }: MissingRange): boolean {
  return to !== null && readHoles(row).some(([first, last]) => first <= from && last >= to);
}

/** Each number once. */
function simplified(ranges: readonly MissingRange[]): readonly MissingRange[] {
  const sorted = ranges.toSorted((one, other) => compareText(one.run, other.run) || one.from - other.from);
  const result: MissingRange[] = [];
  for (const range of sorted) {
    const last = result.at(-1);
    if (last?.run !== range.run || (last.to !== null && last.to < range.from - 1)) result.push(range);
    else if (last.to !== null && (range.to === null || range.to > last.to)) {
      result[result.length - 1] = { ...last, to: range.to };
    }
  }
  return result;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

const digestLimit = 1n << 128n;

/** Of all runs in the window; null: a row of an earlier version has none. */
function digestOf(rows: readonly WindowRow[]): string | null {
  if (rows.length === 1) return rows[0]?.DIGEST ?? null;
  let sum = 0n;
  for (const { EVENTS, DIGEST } of rows) {
    if (EVENTS === 0) continue;
    if (DIGEST === null) return null;
    sum = (sum + BigInt(`0x${DIGEST}`)) % digestLimit;
  }
  return sum.toString(16).padStart(32, "0");
}
