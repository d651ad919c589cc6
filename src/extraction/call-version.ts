// One copy's account of a call: when it lived, and what of it that copy only concluded, because nobody told it.
//
// Rows are concluded when a snapshot names what was not known, or does not name what was: ICON_ROW_QUALITY says of which
// row, and history rows of that moment are no testimony. Where another copy listened, its rows stand instead.

import { partyChangeTypes } from "../../schema/dictionary.ts";
import { type CallTableName, callTables } from "../../schema/life.ts";
import type { Selected } from "../../schema/tables.ts";
import type { WholeCall } from "./copy.ts";

export type Row = Readonly<Record<string, unknown>>;

export interface CallVersion {
  /** Place of the copy in the list of copies. */
  readonly copy: number;
  readonly call: WholeCall;
  readonly createdMs: number;
  /** Null: the call goes on, as far as this copy knows. */
  readonly endedMs: number | null;
  /** By then it had ended, if its end was concluded; else `endedMs`. */
  readonly endedByMs: number | null;
  readonly isBeginningSeen: boolean;
  readonly isEndSeen: boolean;
  /** Words of ICON_ROW_QUALITY about any of its rows. */
  readonly doubts: readonly string[];
  /** Some of its rows have keys that no other copy can know: they cannot be put together with another copy's. */
  readonly hasLocalKey: boolean;
  /** The source gave the identifier out twice: two calls' rows under one key. */
  readonly isTwofold: boolean;
  /** The IDB begins in the middle of its life, and its earlier history is not there. */
  readonly isCutOff: boolean;
  readonly historyRows: number;
}

// A call is looked at from several sides, and reading its times is dear.
const versionsKnown = new WeakMap<WholeCall, CallVersion>();

export function callVersion(copy: number, call: WholeCall): CallVersion {
  let version = versionsKnown.get(call);
  if (version?.copy !== copy) {
    version = readVersion(copy, call);
    versionsKnown.set(call, version);
  }
  return version;
}

function readVersion(copy: number, call: WholeCall): CallVersion {
  const calls = call.rows.G_CALL as readonly Selected<"G_CALL">[];
  const has = (table: string, reason: string) =>
    call.quality.some((doubt) => doubt.TABLE_NAME === table && doubt.REASON === reason);
  const created = calls.map(({ CREATED }) => msOf(CREATED)).filter((ms) => ms !== null);
  const ended = calls.map(({ TERMINATED }) => msOf(TERMINATED));
  const isOpen = ended.includes(null);
  // What a party did last may be later than the call's own end.
  const changes = [...call.rows.G_PARTY_HISTORY, ...call.rows.G_CALL_HISTORY].map(({ ADDED }) => msOf(ADDED) ?? 0);
  const endedMs = isOpen ? null : latest([...ended.map((ms) => ms ?? 0), ...changes]);
  const isEndSeen = !isOpen && !has("G_CALL", "end not seen");
  const concluded = call.quality
    .filter(({ TABLE_NAME, REASON }) => TABLE_NAME === "G_CALL" && REASON === "end not seen")
    .map(({ LATEST }) => msOf(LATEST) ?? 0);
  return {
    copy,
    call,
    createdMs: created.length === 0 ? 0 : created.reduce((one, other) => Math.min(one, other)),
    endedMs,
    endedByMs: endedMs === null || isEndSeen ? endedMs : latest([endedMs, ...concluded]),
    isBeginningSeen: !has("G_CALL", "beginning not seen") && !has("G_CALL", "earlier rows not kept"),
    isEndSeen,
    doubts: [...new Set(call.quality.map(({ REASON }) => REASON))],
    hasLocalKey: call.isKeyLocal || has("G_PARTY", "key is local") || has("G_VIRTUAL_QUEUE", "key is local"),
    isTwofold: calls.length !== 1,
    isCutOff: has("G_CALL", "earlier rows not kept"),
    historyRows: call.rows.G_PARTY_HISTORY.length + call.rows.G_CALL_HISTORY.length,
  };
}

/** Rows of the histories that were concluded and not seen. */
export function concludedRows({ quality, rows }: WholeCall): ReadonlySet<Row> {
  const concluded = new Set<Row>();
  for (const doubt of quality) {
    const isCall = doubt.TABLE_NAME === "G_CALL";
    const histories = isCall ? [...rows.G_CALL_HISTORY, ...rows.G_IR_HISTORY] : rows.G_PARTY_HISTORY;
    const own = isCall ? histories : histories.filter((row) => row["PARTYID"] === doubt.ROW_KEY);
    for (const row of concludedBy(doubt, own)) concluded.add(row);
  }
  return concluded;
}

// The classes of CHANGETYPE agree in these two values, as the dictionary says; a changed party is the third of its class.
const { created, terminated, changed } = partyChangeTypes;

/** `rows` are those of the row in doubt, in the order in which they were written. */
function concludedBy({ REASON, EARLIEST, LATEST }: WholeCall["quality"][number], rows: readonly Row[]): readonly Row[] {
  const ofType = (type: number) => rows.filter((row) => row["CHANGETYPE"] === type);
  switch (REASON) {
    case "beginning not seen":
      return ofType(created);
    case "end not seen":
      return ofType(terminated);
    case "change not seen": {
      // The state before may have been reached at the earliest instant itself, by a row that was seen.
      const within = ofType(changed).filter(
        (row) => String(row["ADDED"]) >= (EARLIEST ?? "") && String(row["ADDED"]) <= (LATEST ?? "9"),
      );
      return within.slice(-1);
    }
    default:
      return [];
  }
}

/** The row's own id in its IDB; null where the table has none. */
export function rowIdOf(table: CallTableName, row: Row): number | null {
  const { rowId } = callTables[table];
  const id = rowId === null ? null : row[rowId];
  return typeof id === "number" ? id : null;
}

/** A TIMESTAMP column in milliseconds since 1970; null where there is none. */
export function msOf(timestamp: unknown): number | null {
  if (typeof timestamp !== "string") return null;
  const ms = Date.parse(timestamp);
  return Number.isNaN(ms) ? null : ms;
}

function latest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other), 0);
}
