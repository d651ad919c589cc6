// Calls with all that belongs to them, a page at a time. A page is one read transaction, so a call's rows are of one
// moment; between pages nothing is held, however slow the reader is.
//
// 1. Rows are found by the indexes on the keys of calls and parties. G_IR_HISTORY has none: its rows are written with
//    those of G_CALL_HISTORY, in one step and from one rising sequence, so they are looked for right behind them.
// 2. A source may give an identifier out twice: then two rows of G_CALL have one CALLID, and are one call here, which
//    comes once, where its earliest row stands that the question asks for.

import type Database from "libsql";
import { type CallTableName, callTableNames, callTables } from "../../schema/life.ts";
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

const inKeys = "IN (SELECT value FROM json_each(?1))";

type Rows = readonly Record<string, unknown>[];

class CallReader {
  readonly #sources: SessionSources;
  readonly #readers: ReadonlyMap<CallTableName, RowReader<CallTableName>>;
  readonly #quality: RowReader<"ICON_ROW_QUALITY">;

  constructor(database: Database.Database) {
    this.#sources = new SessionSources(database);
    this.#readers = new Map(callTableNames.map((table) => [table, new RowReader(database, table, tailOf(table))]));
    this.#quality = new RowReader(database, "ICON_ROW_QUALITY", `WHERE r.ROW_KEY ${inKeys} ORDER BY r.ID`);
  }

  /** One call a place, in the same order. */
  read(places: readonly CallPlace[]): PlacedCall[] {
    if (places.length === 0) return [];
    const all = new Map<CallTableName, Rows>();
    for (const table of callTableNames) all.set(table, this.#rowsOf(table, places, all));
    const rowKeys = keyedByOne.flatMap((table) => (all.get(table) ?? []).map((row) => row[callTables[table].key[0]]));
    const quality = this.#quality.all(JSON.stringify(unique(rowKeys)));
    const doubts = Map.groupBy(quality, ({ ROW_KEY }) => ROW_KEY);
    const byParent = new Map<CallTableName, Map<unknown, Record<string, unknown>[]>>();
    for (const [table, rows] of all)
      byParent.set(
        table,
        Map.groupBy(rows, (row) => row[parentOf(table).column]),
      );
    return places.map((place) => ({ place, call: this.#assemble(place.callId, byParent, doubts) }));
  }

  #rowsOf(table: CallTableName, places: readonly CallPlace[], known: ReadonlyMap<CallTableName, Rows>): Rows {
    const { parent, foundBy } = callTables[table];
    const reader = this.#readers.get(table) as RowReader<CallTableName>;
    const parents =
      parent === null ? places.map(({ callId }) => ({ CALLID: callId })) : (known.get(parent.table) ?? []);
    if (parents.length === 0) return [];
    const keys = JSON.stringify(unique((parents as Rows).map((row) => row[parentOf(table).parentColumn])));
    if (foundBy === "index") return reader.all(keys);
    if (foundBy === "parent's row") return reader.all(JSON.stringify((parents as Rows).map((row) => row["ID"])));
    const { behind } = foundBy;
    return reader.all(JSON.stringify((known.get(behind) ?? []).map((row) => row[callTables[behind].rowId])), keys);
  }

  #assemble(
    callId: string,
    byParent: ReadonlyMap<CallTableName, ReadonlyMap<unknown, Rows>>,
    doubts: ReadonlyMap<string, readonly Selected<"ICON_ROW_QUALITY">[]>,
  ): IdbCall {
    const rows = {} as Record<CallTableName, Rows>;
    for (const table of callTableNames) {
      const { parent } = callTables[table];
      const parents = parent === null ? [callId] : unique(rows[parent.table].map((row) => row[parent.parentColumn]));
      rows[table] = parents.flatMap((key) => byParent.get(table)?.get(key) ?? []);
    }
    const rowKeys = keyedByOne.flatMap((table) => rows[table].map((row) => String(row[callTables[table].key[0]])));
    const quality = unique([callId, ...rowKeys]).flatMap((key) => doubts.get(key) ?? []);
    const own = rows.G_CALL as readonly Selected<"G_CALL">[];
    const source = this.#sources.of(own.at(-1)?.GSYS_DOMAIN ?? null);
    return {
      callId,
      isKeyLocal: quality.some(({ TABLE_NAME, REASON }) => TABLE_NAME === "G_CALL" && REASON === "key is local"),
      sourceCluster: source?.sourceCluster ?? null,
      switchDbid: source?.switchDbid ?? null,
      rows,
      quality: quality.toSorted((one, other) => one.ID - other.ID),
    };
  }
}

/** Tables whose rows ICON_ROW_QUALITY can name: one column is their key. */
const keyedByOne = callTableNames.filter((table) => callTables[table].key.length === 1);

/** The call itself is asked for as if it had a parent. */
function parentOf(table: CallTableName): { readonly column: string; readonly parentColumn: string } {
  return callTables[table].parent ?? { column: "CALLID", parentColumn: "CALLID" };
}

function tailOf(table: CallTableName): string {
  const { foundBy, rowId, key } = callTables[table];
  const order = rowId === null ? key.map((column) => `r.${column}`).join(", ") : `r.${rowId}`;
  const { column } = parentOf(table);
  if (foundBy === "index") return `WHERE r.${column} ${inKeys} ORDER BY ${order}`;
  if (foundBy === "parent's row") return `WHERE r.${rowId} ${inKeys} ORDER BY ${order}`;
  return `WHERE r.${rowId} IN (
         SELECT h.${rowId} FROM json_each(?1) AS b CROSS JOIN ${table} AS h
         WHERE h.${rowId} > b.value AND h.${rowId} <= b.value + ${foundBy.reach})
       AND r.${column} IN (SELECT value FROM json_each(?2)) ORDER BY ${order}`;
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
