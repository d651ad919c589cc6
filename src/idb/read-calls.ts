// Calls with all that belongs to them, a page at a time. A page is one read transaction, so a call's rows are of one
// moment; between pages nothing is held, however slow the reader is.
//
// 1. Rows are found by the indexes on the keys of calls and parties. G_IR_HISTORY has none: its rows are written with
//    those of G_CALL_HISTORY, in one step and from one rising sequence, so they are looked for right behind them.
// 2. A source may give an identifier out twice: then two rows of G_CALL have one CALLID, and are one call here, which
//    comes once, where its earliest row stands that the question asks for.

import type Database from "libsql";
import type { CallTableName } from "../../schema/life.ts";
import type { Selected } from "../../schema/tables.ts";
import { type CallPlace, findCreated, findGoingOn, findNamed, isBehind } from "./find-calls.ts";
import { inReadTransaction, RowReader } from "./row-reader.ts";
import { SessionSources } from "./session-sources.ts";

/** Which calls: those created in a stretch, those alive at some time of it, or those named. UTC seconds. */
export type CallsQuestion =
  | { readonly kind: "created" | "alive"; readonly stretch: { readonly from: number; readonly until: number } }
  | { readonly kind: "named"; readonly callIds: readonly string[] };

export interface IdbCall {
  readonly callId: string;
  readonly isKeyLocal: boolean;
  readonly sourceCluster: number | null;
  readonly switchDbid: number | null;
  readonly rows: Readonly<Record<CallTableName, readonly Record<string, unknown>[]>>;
  readonly quality: readonly Selected<"ICON_ROW_QUALITY">[];
}

// About 4,000 rows: some milliseconds of a read transaction.
const callsPerPage = 200;

/** A call and the row of G_CALL by which it stands where it stands in the answer. */
export interface PlacedCall {
  readonly place: CallPlace;
  readonly call: IdbCall;
}

/**
 * Pages of whole calls, in the order of CREATED, then CALLID, those behind `after` only when it is given. Ask for the next
 * one when the last was dealt with. Throws IdbDamagedError, IdbUnavailableError.
 */
export function* readCalls(
  database: Database.Database,
  path: string,
  question: CallsQuestion,
  after: CallPlace | null = null,
): Generator<PlacedCall[]> {
  const ask = <Answer>(act: () => Answer) => inReadTransaction(database, `Cannot read calls of IDB "${path}"`, act);
  const reader = ask(() => new CallReader(database));
  const behind = (places: readonly CallPlace[]) => places.filter((place) => after === null || isBehind(place, after));
  if (question.kind === "named") {
    const named = ask(() => findNamed(database, question.callIds));
    yield* pagesOf(behind(firstOfEach(named)), (places) => ask(() => reader.read(places)));
    return;
  }
  const stretch = { from: Math.floor(question.stretch.from), until: Math.ceil(question.stretch.until) };
  const goingOn = question.kind === "alive" ? ask(() => firstOfEach(findGoingOn(database, stretch.from))) : [];
  yield* pagesOf(behind(goingOn), (places) => ask(() => reader.read(places)));

  const told = new Set(goingOn.map(({ callId }) => callId));
  const earliest = question.kind === "alive" ? stretch.from : Number.NEGATIVE_INFINITY;
  for (let last = after; ; ) {
    const { places, calls } = ask(() => {
      const found = findCreated(database, stretch, last, callsPerPage);
      const read = reader.read(firstOfEach(found.filter(({ callId }) => !told.has(callId))));
      return { places: found, calls: read.filter(({ place, call }) => firstRowId(call, earliest) === place.id) };
    });
    if (calls.length > 0) yield calls;
    last = places.at(-1) ?? null;
    if (places.length < callsPerPage) return;
  }
}

function* pagesOf(
  places: readonly CallPlace[],
  read: (page: readonly CallPlace[]) => PlacedCall[],
): Generator<PlacedCall[]> {
  for (let at = 0; at < places.length; at += callsPerPage) yield read(places.slice(at, at + callsPerPage));
}

function firstOfEach(places: readonly CallPlace[]): CallPlace[] {
  const seen = new Set<string>();
  return places.filter(({ callId }) => !seen.has(callId) && seen.add(callId));
}

/** ID of the call's first row in G_CALL that was created at `earliest` or later, by CREATED and then ID; 0: none. */
function firstRowId({ rows }: IdbCall, earliest: number): number {
  let first: Selected<"G_CALL"> | undefined;
  for (const row of rows.G_CALL as readonly Selected<"G_CALL">[]) {
    if ((row.CREATED_TS ?? 0) < earliest) continue;
    // Rows come by ID.
    if (first === undefined || (row.CREATED ?? "") < (first.CREATED ?? "")) first = row;
  }
  return first?.ID ?? 0;
}

// A row of G_CALL_HISTORY and its row of G_IR_HISTORY are two values of the sequence apart; see call-rows.ts.
const sequenceReach = 16;

const inKeys = "IN (SELECT value FROM json_each(?1))";

class CallReader {
  readonly #sources: SessionSources;
  readonly #calls: RowReader<"G_CALL">;
  readonly #callHistory: RowReader<"G_CALL_HISTORY">;
  readonly #irs: RowReader<"G_IR">;
  readonly #irHistory: RowReader<"G_IR_HISTORY">;
  readonly #parties: RowReader<"G_PARTY">;
  readonly #partyHistory: RowReader<"G_PARTY_HISTORY">;
  readonly #channels: RowReader<"ICON_PARTY_CHANNEL">;
  readonly #quality: RowReader<"ICON_ROW_QUALITY">;

  constructor(database: Database.Database) {
    this.#sources = new SessionSources(database);
    this.#calls = new RowReader(database, "G_CALL", `WHERE r.CALLID ${inKeys} ORDER BY r.ID`);
    this.#callHistory = new RowReader(database, "G_CALL_HISTORY", `WHERE r.CALLID ${inKeys} ORDER BY r.CHID`);
    this.#irs = new RowReader(database, "G_IR", `WHERE r.IRID ${inKeys} ORDER BY r.ID`);
    this.#irHistory = new RowReader(
      database,
      "G_IR_HISTORY",
      `WHERE r.IRHID IN (
         SELECT h.IRHID FROM json_each(?1) AS b CROSS JOIN G_IR_HISTORY AS h
         WHERE h.IRHID > b.value AND h.IRHID <= b.value + ${sequenceReach})
       AND r.IRID IN (SELECT value FROM json_each(?2)) ORDER BY r.IRHID`,
    );
    this.#parties = new RowReader(database, "G_PARTY", `WHERE r.CALLID ${inKeys} ORDER BY r.ID`);
    this.#partyHistory = new RowReader(database, "G_PARTY_HISTORY", `WHERE r.PARTYID ${inKeys} ORDER BY r.PHID`);
    this.#channels = new RowReader(
      database,
      "ICON_PARTY_CHANNEL",
      `WHERE r.PARTYID ${inKeys} ORDER BY r.PARTYID, r.UNIQUEID`,
    );
    this.#quality = new RowReader(database, "ICON_ROW_QUALITY", `WHERE r.ROW_KEY ${inKeys} ORDER BY r.ID`);
  }

  /** One call a place, in the same order. */
  read(places: readonly CallPlace[]): PlacedCall[] {
    if (places.length === 0) return [];
    const callIds = JSON.stringify(places.map(({ callId }) => callId));
    const calls = this.#calls.all(callIds);
    const callHistory = this.#callHistory.all(callIds);
    const irIds = JSON.stringify(unique(calls.map(({ IRID }) => IRID)));
    const irs = this.#irs.all(irIds);
    const irHistory = this.#irHistory.all(JSON.stringify(callHistory.map(({ CHID }) => CHID)), irIds);
    const parties = this.#parties.all(callIds);
    const partyIds = JSON.stringify(unique(parties.map(({ PARTYID }) => PARTYID)));
    const partyHistory = this.#partyHistory.all(partyIds);
    const channels = this.#channels.all(partyIds);
    const keys = [...calls.flatMap(({ CALLID, IRID }) => [CALLID, IRID]), ...parties.map(({ PARTYID }) => PARTYID)];
    const quality = this.#quality.all(JSON.stringify(unique(keys)));

    const by = {
      G_CALL: Map.groupBy(calls, ({ CALLID }) => CALLID),
      G_CALL_HISTORY: Map.groupBy(callHistory, ({ CALLID }) => CALLID),
      G_IR: Map.groupBy(irs, ({ IRID }) => IRID),
      G_IR_HISTORY: Map.groupBy(irHistory, ({ IRID }) => IRID),
      G_PARTY: Map.groupBy(parties, ({ CALLID }) => CALLID),
      G_PARTY_HISTORY: Map.groupBy(partyHistory, ({ PARTYID }) => PARTYID),
      ICON_PARTY_CHANNEL: Map.groupBy(channels, ({ PARTYID }) => PARTYID),
      quality: Map.groupBy(quality, ({ ROW_KEY }) => ROW_KEY),
    };
    return places.map((place) => {
      const { callId } = place;
      const own = by.G_CALL.get(callId) ?? [];
      const ownIrs = unique(own.map(({ IRID }) => IRID));
      const ownParties = by.G_PARTY.get(callId) ?? [];
      const ownPartyIds = unique(ownParties.map(({ PARTYID }) => PARTYID));
      const doubts = unique([callId, ...ownIrs, ...ownPartyIds]).flatMap((key) => by.quality.get(key) ?? []);
      const source = this.#sources.of(own.at(-1)?.GSYS_DOMAIN ?? null);
      const call: IdbCall = {
        callId,
        isKeyLocal: doubts.some(({ TABLE_NAME, REASON }) => TABLE_NAME === "G_CALL" && REASON === "key is local"),
        sourceCluster: source?.sourceCluster ?? null,
        switchDbid: source?.switchDbid ?? null,
        rows: {
          G_CALL: own,
          G_CALL_HISTORY: by.G_CALL_HISTORY.get(callId) ?? [],
          G_IR: ownIrs.flatMap((key) => by.G_IR.get(key) ?? []),
          G_IR_HISTORY: ownIrs.flatMap((key) => by.G_IR_HISTORY.get(key) ?? []),
          G_PARTY: ownParties,
          G_PARTY_HISTORY: ownPartyIds.flatMap((key) => by.G_PARTY_HISTORY.get(key) ?? []),
          ICON_PARTY_CHANNEL: ownPartyIds.flatMap((key) => by.ICON_PARTY_CHANNEL.get(key) ?? []),
        },
        quality: doubts.sort((one, other) => one.ID - other.ID),
      };
      return { place, call };
    });
  }
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
