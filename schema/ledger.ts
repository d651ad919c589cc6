// What this IDB knows, and does not know, about its own completeness. All ours.

import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * One row is one window: a fixed stretch of a source's own time, with what arrived in it and what is missing. Written
 * when the window's first event or fault comes, changed until it is left behind. Its key is what the source says of
 * itself (cluster, run, switch) and the window's start, the same in both IDBs of a pair.
 */
export const ICON_WINDOW = sqliteTable(
  "ICON_WINDOW",
  {
    SOURCE_CLUSTER: integer().notNull(),
    RUN: text().notNull(),
    SWITCH_DBID: integer().notNull(),
    /** UTC seconds of the window's start; its length is ICON_APPLIED.WINDOW_SECONDS. */
    WINDOW_TS: integer().notNull(),
    EVENTS: integer().notNull(),
    FIRST_SEQ: integer(),
    LAST_SEQ: integer(),
    /** JSON list of [from, to]: sequence numbers that never came, both ends included; in every window that they may belong to. */
    HOLES: text(),
    /** JSON list of words: why the window cannot be vouched for. */
    FAULTS: text(),
    /** Queue position of the last change. */
    VERSION: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.SOURCE_CLUSTER, table.RUN, table.SWITCH_DBID, table.WINDOW_TS] })],
);

/**
 * One row is one doubt about one row of a documented table: what of it nobody saw, and the bounds. Written with that
 * row, never changed. ID grows with time; TABLE_NAME and ROW_KEY (CALLID, PARTYID or IRID) name the row in doubt.
 */
export const ICON_ROW_QUALITY = sqliteTable(
  "ICON_ROW_QUALITY",
  {
    ID: integer().primaryKey(),
    TABLE_NAME: text().notNull(),
    ROW_KEY: text().notNull(),
    REASON: text().notNull(),
    EARLIEST: text(),
    LATEST: text(),
    CAUSE: text(),
    SOURCE: text(),
    GSYS_DOMAIN: integer(),
  },
  // From a row to its doubts. The table is small while sources behave, so the random key is affordable.
  (table) => [index("IDX_ICON_ROW_QUALITY_ROW_KEY").on(table.ROW_KEY)],
);

/**
 * One row is one frame that made no rows: undecodable, or its projection failed. Written when it is passed
 * over, never changed. ID grows with time.
 */
export const ICON_UNDECODED = sqliteTable("ICON_UNDECODED", {
  ID: integer().primaryKey(),
  /** Position in the persistent queue; a queue that took another's place counts from 1 again. */
  POSITION: integer().notNull(),
  /** DSS_ID of the data source session. */
  GSYS_DOMAIN: integer(),
  SOURCE: text(),
  ARRIVED: text().notNull(),
  REASON: text().notNull(),
  FRAME: blob({ mode: "buffer" }).$type<Uint8Array>(),
  /** 1: the frame was longer than its bound and only its beginning is kept. */
  IS_CUT: integer().notNull(),
});

/**
 * One row is one mark of the persistent queue that a reader of the IDB should know of: instance started, session
 * closed, queue lost, history trimmed early, restored from backup. Written when it is passed, never changed. ID grows with time.
 */
export const ICON_MARK = sqliteTable("ICON_MARK", {
  ID: integer().primaryKey(),
  POSITION: integer().notNull(),
  ADDED: text().notNull(),
  SOURCE: text(),
  KIND: text().notNull(),
  DETAIL: text(),
});

/**
 * One row is one configuration, as far as rows depend on it, that was in force from POSITION on. Written when the
 * instance started or read its configuration again, never changed. ID grows with time. Never holds a secret.
 */
export const ICON_CONFIGURATION = sqliteTable("ICON_CONFIGURATION", {
  ID: integer().primaryKey(),
  /** Position in the persistent queue; a queue that took another's place counts from 1 again. */
  POSITION: integer().notNull(),
  ADDED: text().notNull(),
  /** start or reload. */
  CAUSE: text().notNull(),
  PROGRAM_VERSION: text().notNull(),
  /** SHA-256 of CONFIGURATION, hexadecimal. */
  HASH: text().notNull(),
  /** JSON: role, and per source its name, kind, DBIDs and options. */
  CONFIGURATION: text().notNull(),
  /** 1: these rows were mapped anew with a later configuration, and this one only says what was in force at the time. */
  IS_OVERRIDDEN: integer().notNull(),
});

/**
 * One row is one count about one source since this IDB was made: duplicates dropped, frames undecoded. Written at the
 * first occurrence, changed with each. Its key is the source's name and the count's name.
 */
export const ICON_COUNTER = sqliteTable(
  "ICON_COUNTER",
  {
    SOURCE: text().notNull(),
    NAME: text().notNull(),
    VALUE: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.SOURCE, table.NAME] })],
);
