// Interaction records: the whole that one or several calls belong to.

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/**
 * One row is the latest state of one interaction record. Written with its first call, changed when it ends or is merged
 * into another, and when a link between sites tells which call it came from: then PARENTIRID is that one's, and so on up to
 * the call with which the whole began. This may be told after both have ended. ID grows with time and is local to this IDB; IRID is a hash of the first call's CALLID, the same in both
 * IDBs of a pair unless that key is local.
 */
export const G_IR = sqliteTable(
  "G_IR",
  {
    ID: integer().primaryKey(),
    IRID: text().notNull(),
    STATE: integer().notNull(),
    PARENTIRID: text(),
    /** Always 0, none: also of a record that has a parent. */
    PARENTLINKTYPE: integer(),
    ROOTCALLID: text().notNull(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  // Where G_CALL.IRID leads to.
  (table) => [index("IDX_G_IR_IRID").on(table.IRID)],
);

/**
 * One row is one change of an interaction record: created, terminated, merged. Written once, never changed.
 * XSEQ and REFID are reserved in the original; here they number the change and name the record that a merge went to.
 * IRHID grows with time. No index: an interaction record's changes are few and told by G_IR as well; who reads this
 * table reads stretches of it.
 */
export const G_IR_HISTORY = sqliteTable("G_IR_HISTORY", {
  IRHID: integer().primaryKey(),
  IRID: text().notNull(),
  XSEQ: integer(),
  CHANGETYPE: integer(),
  REFID: text(),
  ADDED: text().notNull(),
  ADDED_TS: integer(),
  ADDED_TCODE: integer(),
  ...systemColumns(),
});

/**
 * One row is one interaction record that is active. Written with the G_IR row, deleted when the record terminates.
 */
export const G_IR_ACTIVE = sqliteTable("G_IR_ACTIVE", {
  ID: integer().primaryKey(),
  IRID: text().notNull(),
  STATE: integer(),
  PARENTIRID: text(),
  PARENTLINKTYPE: integer(),
  ROOTCALLID: text(),
  ...createdColumns(),
  ...systemColumns(),
});
