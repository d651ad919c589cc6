// What a reader of two copies has to know of a table: which columns name a row in both, when the row lived, to which call it
// belongs, and how it is found and joined. Comparison, reading, extraction and purge go by this alone: a later table needs an
// entry here, behind its parent's. What nobody asks for: an `_ACTIVE` table beside it is written by name
// (src/extraction/handed-call.ts).
//
// Columns that are local to one IDB (row ids, GSYS_*) or come from another source (`joined` in origin.ts) are no part of
// what two copies can agree on.

import { getTableColumns } from "drizzle-orm";
import { schemaOrigins } from "./origin.ts";
import { type TableName, tables } from "./tables.ts";

export interface TableLife {
  /** Columns that name the row, the same in every copy unless the call's keys are flagged local. */
  readonly key: readonly string[];
  /** The row's own id, local to its IDB, which grows with time. Null: the table has none. */
  readonly rowId: string | null;
  /** From when until when the row tells something: two TIMESTAMP columns, or one instant. `until` null in a row: it goes on. */
  readonly from: string | null;
  readonly until: string | null;
  /** How a row leads to its call; `column` is this table's, `parentColumn` the parent's. Null: it is the call itself. */
  readonly parent: { readonly table: TableName; readonly column: string; readonly parentColumn: string } | null;
  /** Rises within the parent by one per row: written anew where rows of several copies are joined. */
  readonly sequence: string | null;
  /**
   * How rows are found. "index": by an index on the parent's column. "parent's row": its row id is its parent's. Else without
   * an index: they are written right behind those of that table, with ids at most so many values of the sequence greater.
   */
  readonly foundBy: "index" | "parent's row" | { readonly behind: TableName; readonly reach: number };
  /**
   * How one call's rows come of several copies, each of which saw a part of it (src/extraction/join.ts). "history": each from
   * the copy that saw its time. "stay": begun as the copy says that saw the beginning, ended as the one that saw the end.
   * "latest": as the last copy says, and what it does not know as an earlier one does. "counted": anew, from the rows of the
   * parties and of other tables. "own": by rules of the table's own.
   */
  readonly joins: "history" | "stay" | "latest" | "counted" | "own";
}

const created = { from: "CREATED", until: "TERMINATED" } as const;
const added = { from: "ADDED", until: "ADDED" } as const;
const timeless = { from: null, until: null } as const;
const ofCall = { table: "G_CALL", column: "CALLID", parentColumn: "CALLID" } as const;
const ofParty = { table: "G_PARTY", column: "PARTYID", parentColumn: "PARTYID" } as const;

const ofCallsRow = { key: ["CALLID"], rowId: "ID", ...timeless, parent: ofCall, sequence: null } as const;
const callUserData = { ...ofCallsRow, foundBy: "parent's row", joins: "latest" } as const;

const userDataHistory = {
  key: ["CALLID", "SEQ"],
  rowId: "ID",
  ...added,
  parent: ofCall,
  sequence: "SEQ",
  foundBy: "index",
  joins: "history",
} as const;

const eventData = {
  key: ["CALLID", "ENDPOINTDN", "ADDED", "KEYNAME"],
  rowId: "ID",
  ...added,
  parent: ofCall,
  sequence: null,
  foundBy: "index",
  joins: "history",
} as const;

/** The tables that tell of calls, a parent before its children. */
export const callTables = {
  G_CALL: { key: ["CALLID"], rowId: "ID", ...created, parent: null, sequence: null, foundBy: "index", joins: "own" },
  G_CALL_HISTORY: {
    key: ["CALLID", "CSEQ"],
    rowId: "CHID",
    ...added,
    parent: ofCall,
    sequence: "CSEQ",
    foundBy: "index",
    joins: "own",
  },
  G_IR: {
    key: ["IRID"],
    rowId: "ID",
    ...created,
    parent: { table: "G_CALL", column: "IRID", parentColumn: "IRID" },
    sequence: null,
    foundBy: "index",
    joins: "own",
  },
  G_IR_HISTORY: {
    key: ["IRID", "XSEQ"],
    rowId: "IRHID",
    ...added,
    parent: { table: "G_IR", column: "IRID", parentColumn: "IRID" },
    sequence: "XSEQ",
    // The two are two values apart; see src/projection/call-rows.ts.
    foundBy: { behind: "G_CALL_HISTORY", reach: 16 },
    joins: "own",
  },
  G_PARTY: {
    key: ["PARTYID"],
    rowId: "ID",
    ...created,
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "own",
  },
  G_PARTY_HISTORY: {
    key: ["PARTYID", "PSEQ"],
    rowId: "PHID",
    ...added,
    parent: ofParty,
    sequence: "PSEQ",
    foundBy: "index",
    joins: "own",
  },
  ICON_PARTY_CHANNEL: {
    key: ["PARTYID", "UNIQUEID"],
    rowId: null,
    ...timeless,
    parent: ofParty,
    sequence: null,
    foundBy: "index",
    joins: "own",
  },
  G_CALL_STAT: { ...ofCallsRow, foundBy: "parent's row", joins: "counted" },
  G_PARTY_STAT: {
    key: ["PARTYID"],
    rowId: "ID",
    ...timeless,
    parent: ofParty,
    sequence: null,
    foundBy: "parent's row",
    joins: "counted",
  },
  G_IS_LINK: {
    key: ["LINKID", "CALLID"],
    rowId: "ID",
    from: "INITIATED",
    until: "TERMINATED",
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "stay",
  },
  G_IS_LINK_HISTORY: {
    key: ["LINKID", "CALLID", "SEQ"],
    rowId: "ID",
    ...added,
    parent: ofCall,
    sequence: "SEQ",
    foundBy: "index",
    joins: "history",
  },
  G_VIRTUAL_QUEUE: {
    key: ["VQUEUEID"],
    rowId: "ID",
    ...created,
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "stay",
  },
  G_ROUTE_RESULT: {
    key: ["PARTYID"],
    rowId: "ID",
    from: "CREATED",
    until: "CREATED",
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "history",
  },
  G_ROUTE_RES_VQ_HIST: {
    key: ["PARTYID", "VQUEUEID"],
    rowId: "ID",
    ...created,
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "counted",
  },
  G_USERDATA_HISTORY: userDataHistory,
  G_SECURE_USERDATA_HISTORY: userDataHistory,
  G_CALL_USERDATA: callUserData,
  G_CALL_USERDATA_CUST: callUserData,
  G_CALL_USERDATA_CUST1: callUserData,
  G_CALL_USERDATA_CUST2: callUserData,
  G_CUSTOM_DATA_P: eventData,
  G_CUSTOM_DATA_S: eventData,
  G_CUSTOM_STATES: {
    key: ["CALLID", "ENDPOINTDN", "STATE", "CREATED"],
    rowId: "ID",
    ...created,
    parent: ofCall,
    sequence: null,
    foundBy: "index",
    joins: "stay",
  },
} as const satisfies Partial<Record<TableName, TableLife>>;

export type CallTableName = keyof typeof callTables;

export const callTableNames = Object.keys(callTables) as readonly CallTableName[];

const joinedColumns: ReadonlySet<string> = new Set(
  schemaOrigins.filter(({ isJoined }) => isJoined).map(({ name }) => name),
);

/** The columns that two copies can agree on. */
export function comparedColumns(table: CallTableName): readonly string[] {
  const { rowId } = callTables[table];
  return Object.keys(getTableColumns(tables[table])).filter(
    (column) => column !== rowId && !column.startsWith("GSYS_") && !joinedColumns.has(`${table}.${column}`),
  );
}
