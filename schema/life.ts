// What a reader of two copies has to know of a table: which columns name a row in both, when the row lived, to which call
// or login session it belongs, and how it is found and joined. Comparison, reading, extraction and purge go by this alone:
// a later table needs an entry here, behind its parent's. What nobody asks for: an `_ACTIVE` table beside it is written by
// name (src/extraction/handed-subject.ts).
//
// What is read, judged and handed out as one, whole, is a subject: a call, or a login session. The tables that tell of one
// kind of subject are a family.
//
// Columns that are local to one IDB (row ids, GSYS_*) or come from another source (`joined` in origin.ts) are no part of
// what two copies can agree on.

import { getTableColumns } from "drizzle-orm";
import { schemaOrigins } from "./origin.ts";
import { type TableName, tables } from "./tables.ts";
import { callUserDataTables, userDataHistories } from "./user-data.ts";

export interface TableLife {
  /** Columns that name the row, the same in every copy unless the subject's keys are flagged local. */
  readonly key: readonly string[];
  /** The row's own id, local to its IDB, which grows with time. Null: the table has none. */
  readonly rowId: string | null;
  /** From when until when the row tells something: two TIMESTAMP columns, or one instant. `until` null in a row: it goes on. */
  readonly from: string | null;
  readonly until: string | null;
  /** How a row leads to its subject; `column` is this table's, `parentColumn` the parent's. Null: it is the subject itself. */
  readonly parent: { readonly table: TableName; readonly column: string; readonly parentColumn: string } | null;
  /** Rises within the parent by one per row: written anew where rows of several copies are joined. */
  readonly sequence: string | null;
  /**
   * How rows are found. "index": by an index on the parent's column, or by all rows of a table that is small at all times.
   * "parent's row": its row id is its parent's. Else without an index: they are written right behind those of that table,
   * with ids at most so many values of the sequence greater.
   */
  readonly foundBy: "index" | "parent's row" | { readonly behind: TableName; readonly reach: number };
  /**
   * How one subject's rows come of several copies, each of which saw a part of it (src/extraction/join-call.ts,
   * join-session.ts). "history": each from the copy that saw its time. "stay": begun as the copy says that saw the
   * beginning, ended as the one that saw the end. "latest": as the last copy says, and what it does not know as an earlier
   * one does. "counted": anew, from the rows of the parties and of other tables, or of the agent's states. "own": by rules
   * of the table's own.
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
    // It counts the changes of the link's end, of which a call may have had some and another call the rest.
    sequence: null,
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

const ofSession = { table: "G_LOGIN_SESSION", column: "LOGINSESSIONID", parentColumn: "LOGINSESSIONID" } as const;
const ofSessionsReasons = { ...ofSession, column: "SESSIONID" } as const;
const agentRow = { rowId: "ID", sequence: null, foundBy: "index" } as const;
const reason = ["SESSIONID", "ENDPOINTDN", "QUEUEDN", "HWFLAG", "KEYNAME"] as const;
const agentTotal = { ...agentRow, ...timeless, parent: ofSession, joins: "counted" } as const;

/** The tables that tell of login sessions, a parent before its children. */
export const agentTables = {
  G_LOGIN_SESSION: { key: ["LOGINSESSIONID"], ...agentRow, ...created, parent: null, joins: "own" },
  GX_SESSION_ENDPOINT: {
    key: ["LOGINSESSIONID", "ENDPOINTDN", "QUEUEDN", "CREATED"],
    ...agentRow,
    ...created,
    parent: ofSession,
    joins: "own",
  },
  G_AGENT_STATE_HISTORY: {
    key: ["LOGINSESSIONID", "SEQ"],
    ...agentRow,
    ...added,
    parent: ofSession,
    sequence: "SEQ",
    joins: "own",
  },
  G_AGENT_STATE_RC: {
    key: [...reason, "CREATED"],
    ...agentRow,
    ...created,
    parent: ofSessionsReasons,
    joins: "own",
  },
  // Of a session that goes on; small at all times.
  G_AGENT_STATE_RC_A: {
    key: [...reason, "CREATED"],
    ...agentRow,
    from: "CREATED",
    until: null,
    parent: ofSessionsReasons,
    joins: "own",
  },
  G_DND_HISTORY: {
    key: ["LOGINSESSIONID", "SEQ"],
    ...agentRow,
    ...added,
    parent: ofSession,
    sequence: "SEQ",
    joins: "history",
  },
  GS_AGENT_STAT: { ...agentTotal, key: ["LOGINSESSIONID", "ENDPOINTDN", "QUEUEDN", "AGENTSTATE"] },
  GS_AGENT_STAT_WM: { ...agentTotal, key: ["LOGINSESSIONID", "ENDPOINTDN", "QUEUEDN", "AGENTSTATE", "WORKMODE"] },
} as const satisfies Partial<Record<TableName, TableLife>>;

export type CallTableName = keyof typeof callTables;
export type AgentTableName = keyof typeof agentTables;
export type LifeTableName = CallTableName | AgentTableName;

export const callTableNames = Object.keys(callTables) as readonly CallTableName[];
export const agentTableNames = Object.keys(agentTables) as readonly AgentTableName[];

/** Of every table of every family. */
export const lives: Readonly<Record<LifeTableName, TableLife>> = { ...callTables, ...agentTables };

/** Each kind of subject: its own table, the column that names it there, and all of its tables, the own one first. */
export const families = {
  call: { root: "G_CALL", key: "CALLID", tables: callTableNames },
  "login session": { root: "G_LOGIN_SESSION", key: "LOGINSESSIONID", tables: agentTableNames },
} as const satisfies Readonly<Record<string, Family>>;

export interface Family {
  readonly root: LifeTableName;
  readonly key: string;
  readonly tables: readonly LifeTableName[];
}

export type FamilyName = keyof typeof families;
export type FamilyTable<F extends FamilyName> = (typeof families)[F]["tables"][number];

export const familyNames = Object.keys(families) as readonly FamilyName[];

/**
 * Tables that also have rows of calls which the IDB does not have: of no call, of another switch's, or, with role gud
 * alone, of any. A purge deletes those by their own age (src/idb/purge-strays.ts). None of them has tables below.
 */
export const strayTables = [
  "G_VIRTUAL_QUEUE",
  "G_IS_LINK",
  "G_IS_LINK_HISTORY",
  ...userDataHistories,
  ...callUserDataTables,
  "G_CUSTOM_DATA_P",
  "G_CUSTOM_DATA_S",
  "G_CUSTOM_STATES",
] as const satisfies readonly LifeTableName[];

/** Columns whose values, with "/" between them, are ICON_ROW_QUALITY.ROW_KEY of a row; none: such a row is never named there. */
export function doubtColumns(table: LifeTableName): readonly string[] {
  // A state may be of no call, and a call may have several.
  if (table === "G_CUSTOM_STATES") return ["ENDPOINTDN", "STATE", "CREATED"];
  const { key } = lives[table];
  return key.length === 1 ? key : [];
}

/** As doubtColumns, of a row `r`, in SQL. */
export function doubtKey(table: LifeTableName): string {
  const columns = doubtColumns(table).map((column) => `r.${column}`);
  return columns.length === 0 ? "NULL" : columns.join(" || '/' || ");
}

const joinedColumns: ReadonlySet<string> = new Set(
  schemaOrigins.filter(({ isJoined }) => isJoined).map(({ name }) => name),
);

/** The columns that two copies can agree on. */
export function comparedColumns(table: LifeTableName): readonly string[] {
  const { rowId } = lives[table];
  return Object.keys(getTableColumns(tables[table])).filter(
    (column) => column !== rowId && !column.startsWith("GSYS_") && !joinedColumns.has(`${table}.${column}`),
  );
}
