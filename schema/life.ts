// What a reader of two copies has to know of a table: which columns name a row in both, when the row lived, and to which
// call it belongs. Comparison, the lines that copies are read by, and the ids and digest of what is handed out go by this
// alone. A later table needs an entry here, behind its parent's, and what only code can say, which the compiler asks for:
// how its rows are found (CallReader, src/idb/read-calls.ts), and how those of several copies become one call's (joinRows,
// src/extraction/join.ts). What nobody asks for: an `_ACTIVE` table beside it is written by name (src/extraction/handed-call.ts).
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
}

const created = { from: "CREATED", until: "TERMINATED" } as const;
const added = { from: "ADDED", until: "ADDED" } as const;

/** The tables that tell of calls, a parent before its children. */
export const callTables = {
  G_CALL: { key: ["CALLID"], rowId: "ID", ...created, parent: null, sequence: null },
  G_CALL_HISTORY: {
    key: ["CALLID", "CSEQ"],
    rowId: "CHID",
    ...added,
    parent: { table: "G_CALL", column: "CALLID", parentColumn: "CALLID" },
    sequence: "CSEQ",
  },
  G_IR: {
    key: ["IRID"],
    rowId: "ID",
    ...created,
    parent: { table: "G_CALL", column: "IRID", parentColumn: "IRID" },
    sequence: null,
  },
  G_IR_HISTORY: {
    key: ["IRID", "XSEQ"],
    rowId: "IRHID",
    ...added,
    parent: { table: "G_IR", column: "IRID", parentColumn: "IRID" },
    sequence: "XSEQ",
  },
  G_PARTY: {
    key: ["PARTYID"],
    rowId: "ID",
    ...created,
    parent: { table: "G_CALL", column: "CALLID", parentColumn: "CALLID" },
    sequence: null,
  },
  G_PARTY_HISTORY: {
    key: ["PARTYID", "PSEQ"],
    rowId: "PHID",
    ...added,
    parent: { table: "G_PARTY", column: "PARTYID", parentColumn: "PARTYID" },
    sequence: "PSEQ",
  },
  ICON_PARTY_CHANNEL: {
    key: ["PARTYID", "UNIQUEID"],
    rowId: null,
    from: null,
    until: null,
    parent: { table: "G_PARTY", column: "PARTYID", parentColumn: "PARTYID" },
    sequence: null,
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
