// Puts one call together from several copies that are whole in turn, none of them for all of its life: by rules of its own
// the call, its interaction record and its parties, their statistics counted anew (join-counted.ts), as their tables
// declare (join-declared.ts) the rest.
//
//   copy A   ├──────────── whole ─────────┤ lost its link
//   copy B        not yet there   ├─────────────── whole ────────────┤
//   call          ├────── rows of A ──────┼────── rows of B ─────┤
//
// 1. Each history row is taken from the copy whose stretch its time lies in, and only if that copy saw what it says.
//    Sequence columns count anew.
// 2. A row that says the latest state has what was known at the beginning (CREATED, who it was) from the copy that saw
//    the beginning, and the rest from the copy that saw the last change.
// 3. A copy that missed something may have taken what came afterwards for something else: a party that it sees for the
//    first time ringing was queued before. It then says "created" where it should say "changed from queued"; this much is
//    put right. Where states do not follow one another otherwise, the rows do not fit, and there is no joined call.

import { callChangeTypes, partyChangeTypes } from "../../schema/dictionary.ts";
import { type CallTableName, callTableNames, callTables } from "../../schema/life.ts";
import { type Row, rowsOf } from "./copy.ts";
import { countAnew } from "./join-counted.ts";
import { joinDeclared } from "./join-declared.ts";
import { joinWaits } from "./join-waits.ts";
import { rowIdOf } from "./subject-version.ts";
import { renumbered, type Segment, type TakenRow, type TakenRows, takenInTurn } from "./taken-row.ts";

/** Null: the rows do not fit together. `isOver`: the call has ended. */
export function joinCall(segments: readonly Segment[], isOver: boolean): TakenRows | null {
  const taken = (table: CallTableName) => takenInTurn(segments, table);
  const callHistory = withoutSecondBeginnings(taken("G_CALL_HISTORY"));
  const partyHistory = chained(taken("G_PARTY_HISTORY"));
  if (partyHistory === null || !isWholeCallHistory(callHistory, isOver)) return null;
  const parties = joinParties(segments, partyHistory);
  if (parties === null || (isOver && parties.some(({ values }) => values["TERMINATED"] === null))) return null;
  const call = joinLatest(segments, "G_CALL", callHistory);
  const ir = joinLatest(segments, "G_IR", callHistory);
  if (call === null || ir === null) return null;
  const declared = joinDeclared(segments, callTableNames);
  return {
    G_CALL: [call],
    G_CALL_HISTORY: renumbered(callHistory, "CSEQ").map((row) => naming(row, call)),
    G_IR: [ir],
    G_IR_HISTORY: renumbered(withoutSecondBeginnings(taken("G_IR_HISTORY")), "XSEQ"),
    G_PARTY: parties,
    G_PARTY_HISTORY: partyHistory,
    ICON_PARTY_CHANNEL: joinChannels(segments, parties),
    ...countAnew(segments, parties, partyHistory, isOver),
    ...declared,
    G_ROUTE_RES_VQ_HIST: joinWaits(segments, declared.G_ROUTE_RESULT ?? [], declared.G_VIRTUAL_QUEUE ?? [], parties),
  };
}

/** A copy that missed the merge does not know with its termination into which call it was merged. */
function naming(row: TakenRow, { values }: TakenRow): TakenRow {
  if (row.values["CHANGETYPE"] !== callChangeTypes.terminated) return row;
  return { ...row, values: { ...row.values, REFID: values["MERGECALLID"] ?? null } };
}

/** A copy that missed the beginning wrote one of its own with the first thing that it saw. */
function withoutSecondBeginnings(rows: readonly TakenRow[]): TakenRow[] {
  return rows.filter(({ values }, index) => index === 0 || values["CHANGETYPE"] !== callChangeTypes.created);
}

function isWholeCallHistory(rows: readonly TakenRow[], isOver: boolean): boolean {
  const types = rows.map(({ values }) => values["CHANGETYPE"]);
  const ends = types.filter((type) => type === callChangeTypes.terminated).length;
  if (types[0] !== callChangeTypes.created) return false;
  return isOver ? ends === 1 && types.at(-1) === callChangeTypes.terminated : ends === 0;
}

/** Each party's states follow on one another; numbered anew within the party and within the call. Null: they do not. */
function chained(rows: readonly TakenRow[]): TakenRow[] | null {
  const last = new Map<unknown, { readonly state: unknown; readonly count: number; readonly isOver: boolean }>();
  const chain: TakenRow[] = [];
  for (const row of rows) {
    const party = row.values["PARTYID"];
    const before = last.get(party);
    const linked = before === undefined ? firstOfParty(row) : nextOfParty(row, before);
    if (linked === null) return null;
    const count = (before?.count ?? 0) + 1;
    const values = { ...linked, PSEQ: count, CSEQ: chain.length + 1 };
    chain.push({ ...row, values });
    last.set(party, {
      state: values["STATE" as keyof typeof values],
      count,
      isOver: linked["CHANGETYPE"] === partyChangeTypes.terminated,
    });
  }
  return chain;
}

function firstOfParty({ values }: TakenRow): Row | null {
  return values["CHANGETYPE"] === partyChangeTypes.created ? values : null;
}

function nextOfParty({ values }: TakenRow, before: { readonly state: unknown; readonly isOver: boolean }): Row | null {
  if (before.isOver) return null;
  if (values["CHANGETYPE"] === partyChangeTypes.created) {
    // In the same state it is the same beginning, seen by a copy that had missed it.
    if (values["STATE"] === before.state) return null;
    return { ...values, CHANGETYPE: partyChangeTypes.changed, PREVSTATE: before.state };
  }
  return values["PREVSTATE"] === before.state ? values : null;
}

/** What is fixed when a party begins; the rest is as its last change left it. */
const partyBeginnings = [
  ...["PARTYGUID", "TYPE", "PROLE", "ENDPOINTDN", "AGENTID"],
  ...["CREATED", "CREATED_TS", "CREATED_TCODE"],
];

function joinParties(segments: readonly Segment[], history: readonly TakenRow[]): TakenRow[] | null {
  const parties: TakenRow[] = [];
  for (const [partyId, rows] of Map.groupBy(history, ({ values }) => values["PARTYID"])) {
    const [first, last] = [rows[0] as TakenRow, rows.at(-1) as TakenRow];
    const beginning = partyRow(segments, first.copy, partyId);
    const ending = partyRow(segments, last.copy, partyId);
    if (beginning === undefined || ending === undefined) return null;
    const { STATE, PREVSTATE, CCEVENT, CCEVENTCAUSE, CHANGETYPE } = last.values;
    const isOver = CHANGETYPE === partyChangeTypes.terminated;
    parties.push({
      copy: last.copy,
      rowId: rowIdOf("G_PARTY", ending),
      values: {
        ...ending,
        ...columnsOf(beginning, partyBeginnings),
        ...claimedDescent(segments, partyId),
        ...{ STATE, PREVSTATE, CCEVENT, CCEVENTCAUSE },
        TERMINATED: isOver ? last.values["ADDED"] : null,
        TERMINATED_TS: isOver ? last.values["ADDED_TS"] : null,
        TERMINATED_TCODE: isOver ? last.values["ADDED_TCODE"] : null,
      },
    });
  }
  return parties.map((party, index) => ({
    ...party,
    values: { ...party.values, ...descent(segments, parties.slice(0, index), party.values["PARENTPARTYID"]) },
  }));
}

/**
 * Whom a party descends from on its own call is the last of that DN before it. A copy that missed that one took an earlier
 * stay for it: now all are known. `earlier`: those that began before, in the order of their beginnings.
 */
function descent(segments: readonly Segment[], earlier: readonly TakenRow[], claimed: unknown): Row {
  const rows = segments.map(({ version }) => partyRow(segments, version.copy, claimed));
  const dn = rows.find((row) => row !== undefined)?.["ENDPOINTDN"];
  const parent = earlier.findLast(({ values }) => values["ENDPOINTDN"] === dn);
  // Of another call: a party that came here from there.
  return dn === undefined || parent === undefined ? {} : { PARENTPARTYID: parent.values["PARTYID"] };
}

/** A copy that saw the party begin may have missed the one that it descends from: whichever knows any. */
function claimedDescent(segments: readonly Segment[], partyId: unknown): Row {
  for (const { version } of segments) {
    const row = partyRow(segments, version.copy, partyId);
    if (row?.["PARENTPARTYID"] != null) return columnsOf(row, ["PARENTPARTYID", "PARENTLINKTYPE"]);
  }
  return {};
}

function partyRow(segments: readonly Segment[], copy: number, partyId: unknown): Row | undefined {
  return rowsOfCopy(segments, "G_PARTY", copy).find((row) => row["PARTYID"] === partyId);
}

/** Of what several events may tell, the first one that does is kept: it is the beginning's, if it is there. */
const firstKnown = ["CALLTYPE", "CALLANI", "CALLDNIS"];
const created = ["CREATED", "CREATED_TS", "CREATED_TCODE"];
const unknownCallType = 0;

function joinLatest(
  segments: readonly Segment[],
  table: "G_CALL" | "G_IR",
  callHistory: readonly TakenRow[],
): TakenRow | null {
  const beginning = latestRow(segments, table, callHistory[0]?.copy);
  const lastCopy =
    callHistory.at(-1)?.values["CHANGETYPE"] === callChangeTypes.terminated
      ? callHistory.at(-1)?.copy
      : segments.at(-1)?.version.copy;
  const ending = latestRow(segments, table, lastCopy);
  if (beginning === undefined || ending === undefined || lastCopy === undefined) return null;
  const known = firstKnown.filter(
    (column) => beginning[column] != null && !(column === "CALLTYPE" && beginning[column] === unknownCallType),
  );
  // What the ending's copy never learned, for it was told before that copy listened.
  const learned = Object.keys(ending).filter((column) => ending[column] === null && !column.startsWith("TERMINATED"));
  return {
    copy: lastCopy,
    rowId: rowIdOf(table, ending),
    values: { ...ending, ...columnsOf(beginning, [...learned, ...known, ...created]) },
  };
}

function latestRow(segments: readonly Segment[], table: "G_CALL" | "G_IR", copy: number | undefined): Row | undefined {
  return rowsOfCopy(segments, table, copy)[0];
}

function rowsOfCopy(segments: readonly Segment[], table: CallTableName, copy: number | undefined): readonly Row[] {
  const version = segments.find((segment) => segment.version.copy === copy)?.version;
  return version === undefined ? [] : rowsOf(version.subject, table);
}

/** Of the parties that were taken, each channel that any of the copies saw. */
function joinChannels(segments: readonly Segment[], parties: readonly TakenRow[]): TakenRow[] {
  const taken = new Set(parties.map(({ values }) => values["PARTYID"]));
  const channels = new Map<string, TakenRow>();
  for (const { version } of segments) {
    for (const values of rowsOf(version.subject, "ICON_PARTY_CHANNEL")) {
      const key = callTables.ICON_PARTY_CHANNEL.key.map((column) => values[column]).join("/");
      if (taken.has(values["PARTYID"]) && !channels.has(key)) {
        channels.set(key, { values, copy: version.copy, rowId: null });
      }
    }
  }
  return [...channels.values()];
}

function columnsOf(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.filter((column) => column in row).map((column) => [column, row[column]]));
}
