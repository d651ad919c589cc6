// Reasons of a joined login session: a row of G_AGENT_STATE_RC is written when a reason ends, with all of its life, and a copy
// that missed one of the ends has another time there, or no row.
//
// 1. No reason outlives the stretch of the state that it was given for. One that a copy saw begin and end within a stretch
//    is that copy's.
// 2. Else its beginning is of whoever saw that, and its end of whoever saw that: the same reason in the same stretch.
// 3. An end that no copy knows is put where the stretch ends, and a beginning where it begins: there it is as a rule, but a
//    reason may be given or taken back meanwhile. So it is said that this much is guessed.

import { agentChangeTypes } from "../../schema/dictionary.ts";
import { concludedRows, isConcludedAt } from "./concluded-rows.ts";
import { type Row, rowsOf } from "./copy.ts";
import { msOf } from "./subject-version.ts";
import { isWithin, type Segment, type TakenRow, takenRow } from "./taken-row.ts";

export interface StateHistory {
  /** Joined rows of G_AGENT_STATE_HISTORY, in order. */
  readonly rows: readonly TakenRow[];
  /** What SEQ the row has that is this one in a copy; null: it was not taken. */
  readonly numberOf: (copy: number, seq: unknown) => number | null;
}

export interface JoinedReasons {
  readonly rows: readonly TakenRow[];
  /** An end or a beginning stands there that no copy saw. */
  readonly isGuessed: boolean;
}

/** Names one DN, against one queue or none. */
export function placeOf(values: Row): string {
  return JSON.stringify([values["ENDPOINTDN"] ?? null, values["QUEUEDN"] ?? null]);
}

interface Reason {
  readonly row: TakenRow;
  readonly fromMs: number;
  /** Null: it is in force. */
  readonly untilMs: number | null;
  readonly isBeginningSeen: boolean;
  readonly isEndSeen: boolean;
}

/** `over`: the session's own row, if it has ended. */
export function joinReasons(segments: readonly Segment[], history: StateHistory, over: TakenRow | null): JoinedReasons {
  const stretches = new Stretches(history);
  const known = reasonsOf(segments);
  const isWhole = ({ row, fromMs, untilMs, isBeginningSeen, isEndSeen }: Reason) =>
    isBeginningSeen && isEndSeen && untilMs !== null && stretches.isOne(row.values, fromMs, untilMs);
  const joined = known.filter(isWhole).map(({ row }) => row);
  const ended = new Set(known.filter((each) => each.isEndSeen && !isWhole(each)));
  let isGuessed = false;
  for (const beginning of beginningsOf(known.filter((each) => each.isBeginningSeen && !isWhole(each)))) {
    const { row, fromMs } = beginning;
    const end = [...ended]
      .filter((each) => nameOf(each) === nameOf(beginning) && (each.untilMs ?? 0) >= fromMs)
      .find((each) => stretches.isOne(row.values, fromMs, each.untilMs ?? 0));
    const next = stretches.beginningAfter(row.values, fromMs);
    if (end !== undefined) {
      ended.delete(end);
      joined.push({ ...end.row, values: { ...end.row.values, ...timesOf(row.values, "CREATED", "CREATED") } });
    } else if (next !== undefined || over !== null) {
      const times =
        next === undefined
          ? timesOf(over?.values ?? {}, "TERMINATED", "TERMINATED")
          : timesOf(next.values, "ADDED", "TERMINATED");
      joined.push({ ...row, values: { ...row.values, ...times } });
      isGuessed = true;
    }
  }
  for (const { row, untilMs } of ended) {
    const state = stretches.beginningBefore(row.values, untilMs ?? 0);
    const times = state === undefined ? {} : timesOf(state.values, "ADDED", "CREATED");
    joined.push({ ...row, values: { ...row.values, ...times } });
    isGuessed = true;
  }
  const rows = joined.map((row) => ({ ...row, values: { ...row.values, LSEQ: stretches.numberOf(row) } }));
  const endOf = ({ values }: TakenRow) => msOf(values["TERMINATED"]) ?? 0;
  return { rows: rows.toSorted((one, other) => endOf(one) - endOf(other)), isGuessed };
}

/** Of a session that goes on: what the last copy knows to be in force. */
export function activeReasons(segments: readonly Segment[], history: StateHistory): TakenRow[] {
  const version = segments.at(-1)?.version;
  if (version === undefined) return [];
  const stretches = new Stretches(history);
  return rowsOf(version.subject, "G_AGENT_STATE_RC_A").map((values) => {
    const row = takenRow(version, "G_AGENT_STATE_RC_A", values);
    return { ...row, values: { ...values, LSEQ: stretches.numberOf(row) } };
  });
}

/** Stretches of states, by DN and queue: a change of state begins one, to the same state too. */
class Stretches {
  readonly #history: StateHistory;
  readonly #beginnings: ReadonlyMap<string, readonly TakenRow[]>;

  constructor(history: StateHistory) {
    this.#history = history;
    const beginnings = history.rows.filter(({ values }) => values["TYPE"] === agentChangeTypes.state);
    this.#beginnings = Map.groupBy(beginnings, ({ values }) => placeOf(values));
  }

  /** Whether nothing else began between the two instants. */
  isOne(values: Row, fromMs: number, untilMs: number): boolean {
    return this.#of(values).every((row) => timeOf(row) <= fromMs || timeOf(row) >= untilMs);
  }

  beginningAfter(values: Row, ms: number): TakenRow | undefined {
    return this.#of(values).find((row) => timeOf(row) > ms);
  }

  /** Of the stretch that was on before the instant, if it is of the reason's state. */
  beginningBefore(values: Row, ms: number): TakenRow | undefined {
    const last = this.#of(values).findLast((row) => timeOf(row) < ms);
    return last?.values["STATE"] === values["AGENTSTATE"] ? last : undefined;
  }

  /** LSEQ of a reason as the rows are numbered now. */
  numberOf({ values, copy }: TakenRow): unknown {
    const from = msOf(values["CREATED"]) ?? 0;
    const last = this.#of(values).findLast((row) => timeOf(row) <= from);
    const isOfSame = (row: TakenRow) => timeOf(row) <= from && row.values["STATE"] === values["AGENTSTATE"];
    const own = this.#history.numberOf(copy, values["LSEQ"]);
    const known = this.#of(values).find((row) => row.values["SEQ"] === own);
    if (known !== undefined && isOfSame(known) && timeOf(known) === timeOf(last ?? known)) return own;
    return (this.#of(values).findLast(isOfSame) ?? last)?.values["SEQ"] ?? values["LSEQ"];
  }

  #of(values: Row): readonly TakenRow[] {
    return this.#beginnings.get(placeOf(values)) ?? [];
  }
}

function reasonsOf(segments: readonly Segment[]): Reason[] {
  return [...new Set(segments.map(({ version }) => version))].flatMap((version) => {
    const own = segments.filter((segment) => segment.version === version);
    const { subject } = version;
    const concluded = concludedRows(subject);
    const begun = new Map(rowsOf(subject, "G_AGENT_STATE_HISTORY").map((row) => [row["SEQ"], row]));
    const isSeen = (ms: number | null, isConcluded: boolean) =>
      own.some((segment) => isWithin(segment, ms) && (segment.isGap || !isConcluded));
    return (["G_AGENT_STATE_RC", "G_AGENT_STATE_RC_A"] as const).flatMap((table) =>
      rowsOf(subject, table).map((values): Reason => {
        const [fromMs, untilMs] = [msOf(values["CREATED"]), msOf(values["TERMINATED"])];
        const state = begun.get(values["LSEQ"]);
        // With its state, which nobody saw.
        const isConcluded = state !== undefined && concluded.has(state) && state["ADDED"] === values["CREATED"];
        return {
          row: takenRow(version, table, values),
          fromMs: fromMs ?? 0,
          untilMs,
          isBeginningSeen: isSeen(fromMs, isConcluded),
          isEndSeen: isSeen(untilMs, isConcludedAt(subject, values, "TERMINATED")),
        };
      }),
    );
  });
}

/** Each once: a copy may have it among those that have ended and, if it lost the source, among those in force. */
function beginningsOf(reasons: readonly Reason[]): readonly Reason[] {
  const byName = Map.groupBy(reasons, (each) => `${nameOf(each)} ${each.fromMs}`);
  return [...byName.values()].map((same) => same.find(({ untilMs }) => untilMs !== null) ?? (same[0] as Reason));
}

function nameOf({ row: { values } }: Reason): string {
  const { AGENTSTATE, HWFLAG, KEYNAME, VALUE } = values;
  return JSON.stringify([placeOf(values), AGENTSTATE, HWFLAG, KEYNAME, VALUE ?? null]);
}

/** The three columns of a time, under other names. */
function timesOf(values: Row, from: string, to: string): Row {
  return Object.fromEntries(["", "_TS", "_TCODE"].map((part) => [`${to}${part}`, values[`${from}${part}`] ?? null]));
}

function timeOf({ values }: TakenRow): number {
  return msOf(values["ADDED"]) ?? 0;
}
