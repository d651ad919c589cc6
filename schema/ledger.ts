// What this IDB knows, and does not know, about its own completeness. All ours.

import { sql } from "drizzle-orm";
import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * One row is one window: a fixed stretch of a source's own time, with what arrived in it and what is missing. Written
 * when the window's first event or fault comes, changed until it is sealed, and by what comes late. Its key is what the
 * source says of itself (cluster, run, switch) and the window's start, the same in both IDBs of a pair. A stretch without
 * events or faults has no row: ICON_COVERAGE tells whether it was silent.
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
    /** JSON list of words: what was wrong. Which of them condemn the window: docs/availability.md. */
    FAULTS: text(),
    /** Queue position of the last change: of this row, or, after the end of a call that ended here, of the call's rows. */
    VERSION: integer().notNull(),
    /**
     * Sum modulo 2^128 of a hash of each event that counts, 32 hexadecimal digits: the same in two copies that have the
     * same events, whatever their order. Null: an earlier version of the program wrote the row.
     */
    DIGEST: text(),
    /**
     * 1: the source is 5 s past the window's end, by an event or a heartbeat that leaves no number open: what is missing
     * up to there is known, and stands in HOLES.
     */
    IS_SEALED: integer(),
  },
  (table) => [
    primaryKey({ columns: [table.SOURCE_CLUSTER, table.RUN, table.SWITCH_DBID, table.WINDOW_TS] }),
    // Readers take stretches of time of whatever source; grows with time, so it costs next to nothing.
    index("IDX_ICON_WINDOW_WINDOW_TS").on(table.WINDOW_TS),
    // Whoever follows asks what has changed since.
    index("IDX_ICON_WINDOW_VERSION").on(table.VERSION),
    // Reports ask which windows have a word in them: few, while sources behave.
    index("IDX_ICON_WINDOW_FAULTS").on(table.WINDOW_TS).where(sql`"FAULTS" <> '[]'`),
  ],
);

/**
 * One row is one span of a source's own time in which this IDB has every event of one server run: from after FROM_TIME
 * until before UNTIL_TIME, for an event of exactly these instants may have been missed. Written when the span begins,
 * moved on with each word of the source (event or heartbeat) that leaves no gap in the numbers, closed when one is left.
 * A session that ends does not close it: numbers that go on prove that nothing was missed meanwhile. Without numbers
 * (Asterisk) a span is one session's, and says no more than that we listened.
 * ID grows with time and is local to this IDB.
 */
export const ICON_COVERAGE = sqliteTable(
  "ICON_COVERAGE",
  {
    ID: integer().primaryKey(),
    /** The data source's name in the configuration. */
    SOURCE: text().notNull(),
    SOURCE_CLUSTER: integer().notNull(),
    SWITCH_DBID: integer().notNull(),
    RUN: text().notNull(),
    /** By the source's clock, like UNTIL_TIME. Null: no word has come yet that tells a time. */
    FROM_TIME: text(),
    /** All events after this number are here; null: the source has no numbers. */
    FROM_SEQ: integer(),
    /** The last word so far. */
    UNTIL_TIME: text(),
    /** All events up to this number are here, and by UNTIL_TIME there was none after it. */
    UNTIL_SEQ: integer(),
    /** By how much an event of this span was older than a word before it, at most, ms: what is near an end is doubtful by so much. */
    LATENESS_MS: integer().notNull(),
    /** Why nothing is vouched for before it. */
    BEGAN_BECAUSE: text().notNull(),
    /** Why nothing is vouched for after it; null: it is the newest of its source, and may go on. */
    ENDED_BECAUSE: text(),
    /** DSS_ID of the session that it began in. */
    GSYS_DOMAIN: integer(),
    /** Queue position of the last change. */
    VERSION: integer().notNull(),
  },
  // Spans that end within or after a stretch of time. Grows with time.
  (table) => [index("IDX_ICON_COVERAGE_UNTIL_TIME").on(table.UNTIL_TIME)],
);

/**
 * One row is one doubt about one row of a documented table: what of it nobody saw, and the bounds; EARLIEST or LATEST is
 * null where nothing tells it. CAUSE "not recorded": the role was switched off. Written with that row, never changed. ID grows with time; TABLE_NAME and ROW_KEY name the row in
 * doubt: CALLID, PARTYID, IRID, VQUEUEID or LOGINSESSIONID; of G_CUSTOM_STATES ENDPOINTDN/STATE/CREATED.
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
 * closed, queue lost, history trimmed early, restored from backup, purged. Written when it is passed, never changed. ID grows
 * with time. It stands for what the original writes into G_LOG_MESSAGES and G_LOG_ATTRS, which an IDB does not have: its
 * procedures log their runs there (merge, purge, time codes). Here a merge is part of the call's own transaction, a purge is
 * a mark, and time codes are written as they are needed.
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
  /** start, reload, or "attached data renewed": by icon rebuild --tables, of calls since a time that was given. */
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
