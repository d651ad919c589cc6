// What the program needs to go on from this IDB, and what the IDB says about its own making. All ours.

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * The one row (ID 1) says how far this IDB follows which persistent queue. Written when the IDB is made, changed in
 * every transaction that changes rows, together with them.
 */
export const ICON_APPLIED = sqliteTable("ICON_APPLIED", {
  ID: integer().primaryKey(),
  /** Random, given when the IDB is made: tells this IDB from any other. */
  IDB_ID: text().notNull(),
  /** Id of the persistent queue that POSITION counts in; null before the first commit. */
  QUEUE_ID: text(),
  /** Salt of the segment that holds POSITION: a queue that was put back from a copy has another. */
  SEGMENT_SALT: integer(),
  /** Position of the last record whose rows are here; 0 when none are. */
  POSITION: integer().notNull(),
  /** Last value given out of the sequence behind row ids, GSYS_SEQ and GSYS_USEQ. */
  ROW_SEQ: integer().notNull(),
  /** Transactions so far. */
  COMMITS: integer().notNull(),
  /** Length of a window in ICON_WINDOW, fixed when the IDB is made. */
  WINDOW_SECONDS: integer().notNull(),
});

/**
 * One row is one thing that is still open (a call, a session, a source's state) as the projector remembers it. Written
 * when the thing opens, changed when it changes, deleted when it closes. Its key is its kind and its key in that kind.
 * Not for readers: the JSON in DATA may change with every version of the program.
 *
 * With a row id, although the key is all that is asked for: a table without keeps little of a row in its own page, and
 * calls of 1,500 bytes were written at a third of the rate (53 k against 185 k a second).
 */
export const ICON_LIVE = sqliteTable(
  "ICON_LIVE",
  {
    KIND: text().notNull(),
    KEY: text().notNull(),
    /** Version of DATA's shape. */
    VERSION: integer().notNull(),
    DATA: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.KIND, table.KEY] })],
);

/**
 * One row says of one table, view, column or dictionary value where its name and meaning come from. Written when the
 * IDB is made or migrated. Its key is (KIND, NAME): G_CALL, G_CALL.CALLID, or 8/5 for value 5 of dictionary 8.
 */
export const ICON_SCHEMA_ORIGIN = sqliteTable(
  "ICON_SCHEMA_ORIGIN",
  {
    /** table, view, column or value. */
    KIND: text().notNull(),
    NAME: text().notNull(),
    /** seen (in the vendor's documents), inferred (from them, or from third parties' SQL) or ours. */
    ORIGIN: text().notNull(),
    /** 1: the column depends on another data source than the row's own; compare copies with care. */
    IS_JOINED: integer().notNull(),
    NOTE: text(),
  },
  (table) => [primaryKey({ columns: [table.KIND, table.NAME] })],
);

/** One row is one migration that was applied. Written with the migration, in its transaction. Its key is the version. */
export const ICON_MIGRATION = sqliteTable("ICON_MIGRATION", {
  VERSION: integer().primaryKey(),
  NAME: text().notNull(),
  APPLIED_AT: text().notNull(),
});
