// One copy's account of a call or a login session: when it lived, and what of it that copy only concluded, because nobody
// told it.
//
// Rows are concluded when a snapshot names what was not known, or does not name what was: ICON_ROW_QUALITY says of which
// row, and history rows of that moment are no testimony (concluded-rows.ts). Where another copy listened, its rows stand
// instead.

import { type FamilyName, families, type LifeTableName, lives } from "../../schema/life.ts";
import { ownRows, type Row, rowsOf, type Subject } from "./copy.ts";

export interface SubjectVersion {
  /** Place of the copy in the list of copies. */
  readonly copy: number;
  readonly subject: Subject;
  readonly createdMs: number;
  /** Null: it goes on, as far as this copy knows. */
  readonly endedMs: number | null;
  /** By then it had ended, if its end was concluded; else `endedMs`. */
  readonly endedByMs: number | null;
  readonly isBeginningSeen: boolean;
  readonly isEndSeen: boolean;
  /** Words of ICON_ROW_QUALITY about any of its rows. */
  readonly doubts: readonly string[];
  /** Some of its rows have keys that no other copy can know: they cannot be put together with another copy's. */
  readonly hasLocalKey: boolean;
  /** The source gave the identifier out twice: two subjects' rows under one key. */
  readonly isTwofold: boolean;
  /** The IDB begins in the middle of its life, and its earlier history is not there. */
  readonly isCutOff: boolean;
  readonly historyRows: number;
}

// A subject is looked at from several sides, and reading its times is dear.
const versionsKnown = new WeakMap<Subject, SubjectVersion>();

export function subjectVersion(copy: number, subject: Subject): SubjectVersion {
  let version = versionsKnown.get(subject);
  if (version?.copy !== copy) {
    version = readVersion(copy, subject);
    versionsKnown.set(subject, version);
  }
  return version;
}

/** What happened in it, a row each, or nearly. */
const histories: Readonly<Record<FamilyName, readonly LifeTableName[]>> = {
  call: ["G_PARTY_HISTORY", "G_CALL_HISTORY"],
  "login session": ["G_AGENT_STATE_HISTORY", "G_DND_HISTORY"],
};

function readVersion(copy: number, subject: Subject): SubjectVersion {
  const { root } = families[subject.family];
  const own = ownRows(subject);
  const doubtsOf = (reason: string) =>
    subject.quality.filter(({ TABLE_NAME, REASON }) => TABLE_NAME === root && REASON === reason);
  const has = (reason: string) => doubtsOf(reason).length > 0;
  const created = own.map((row) => msOf(row["CREATED"])).filter((ms) => ms !== null);
  const ended = own.map((row) => msOf(row["TERMINATED"]));
  const isOpen = ended.includes(null);
  // What a party did last may be later than the call's own end.
  const history = histories[subject.family].flatMap((table) => rowsOf(subject, table));
  const endedMs = isOpen ? null : latest([...ended, ...history.map((row) => msOf(row["ADDED"]))]);
  const isEndSeen = !isOpen && !has("end not seen");
  const concluded = doubtsOf("end not seen").map(({ LATEST }) => msOf(LATEST));
  return {
    copy,
    subject,
    createdMs: created.length === 0 ? 0 : created.reduce((one, other) => Math.min(one, other)),
    endedMs,
    endedByMs: endedMs === null || isEndSeen ? endedMs : latest([endedMs, ...concluded]),
    isBeginningSeen: !has("beginning not seen") && !has("earlier rows not kept"),
    isEndSeen,
    doubts: [...new Set(subject.quality.map(({ REASON }) => REASON))],
    hasLocalKey: subject.isKeyLocal || subject.quality.some(isLocalBelow),
    isTwofold: own.length !== 1,
    isCutOff: has("earlier rows not kept"),
    historyRows: history.length,
  };
}

/** The subject's own row is told of by `isKeyLocal`. */
function isLocalBelow({ TABLE_NAME, REASON }: Subject["quality"][number]): boolean {
  return REASON === "key is local" && (TABLE_NAME === "G_PARTY" || TABLE_NAME === "G_VIRTUAL_QUEUE");
}

/** The row's own id in its IDB; null where the table has none. */
export function rowIdOf(table: LifeTableName, row: Row): number | null {
  const { rowId } = lives[table];
  const id = rowId === null ? null : row[rowId];
  return typeof id === "number" ? id : null;
}

/** A TIMESTAMP column in milliseconds since 1970; null where there is none. */
export function msOf(timestamp: unknown): number | null {
  if (typeof timestamp !== "string") return null;
  const ms = Date.parse(timestamp);
  return Number.isNaN(ms) ? null : ms;
}

function latest(values: readonly (number | null)[]): number {
  return values.reduce<number>((one, other) => Math.max(one, other ?? 0), 0);
}
