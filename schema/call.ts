// Calls: what each is now, what befell it, and which are going on.

import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/**
 * One row is the latest state of one call. Written when the call's creation is known, changed when a fact about it
 * becomes known (type, numbers, links) and when it ends. ID grows with time and is local to this IDB; CALLID is the
 * source's identifier, or else a hash of (server run, sequence of the creating event), the same in both IDBs of a pair.
 *
 * CALLID is not declared unique: the machines write one row a call, but a source that gives an identifier out a second
 * time must not stop the stream.
 */
export const G_CALL = sqliteTable(
  "G_CALL",
  {
    ID: integer().primaryKey(),
    CALLID: text().notNull(),
    PARENTCALLID: text(),
    MERGECALLID: text(),
    MERGETYPE: integer(),
    CONNID: text(),
    /** Decimal digits: 64 bits without a sign fit neither SQLite's INTEGER nor a JavaScript number. */
    CONNIDNUM: text(),
    SWITCHCALLID: integer(),
    IRID: text().notNull(),
    ROOTIRID: text(),
    MEDIATYPE: integer(),
    CALLTYPE: integer(),
    CALLANI: text(),
    CALLDNIS: text(),
    TENANTID: integer(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [
    // Every question about one call starts here, and every other table of the call points here.
    index("IDX_G_CALL_CALLID").on(table.CALLID),
    // Readers take calls by stretch of time; grows with time, so it costs next to nothing.
    index("IDX_G_CALL_CREATED_TS").on(table.CREATED_TS),
    // What was going on at an instant: without it every call before would have to be looked at. Grows with time, and a
    // call enters it once, when it ends.
    index("IDX_G_CALL_TERMINATED_TS").on(table.TERMINATED_TS, table.CREATED_TS).where(sql`"TERMINATED_TS" IS NOT NULL`),
  ],
);

/**
 * One row is one change in the life of a call: created, terminated, merged, failed. Written once, never changed. The
 * termination of a call that was merged names the call that went on (REFID); the merge itself is in MERGECALLID of G_CALL.
 * CHID grows with time; (CALLID, CSEQ) names the change within the call, the same in both IDBs of a pair.
 */
export const G_CALL_HISTORY = sqliteTable(
  "G_CALL_HISTORY",
  {
    CHID: integer().primaryKey(),
    CALLID: text().notNull(),
    CSEQ: integer().notNull(),
    CHANGETYPE: integer(),
    REFID: text(),
    ADDED: text().notNull(),
    ADDED_TS: integer(),
    ADDED_TCODE: integer(),
    ...systemColumns(),
  },
  // The history of one call is read by its key; nothing else narrows it down.
  (table) => [index("IDX_G_CALL_HISTORY_CALLID").on(table.CALLID)],
);

/**
 * One row is one call that goes on. Written with the G_CALL row, changed when a fact about the call becomes known,
 * deleted when the call ends. Small at all times, so it carries no index beside its key.
 */
export const G_CALL_ACTIVE = sqliteTable("G_CALL_ACTIVE", {
  ID: integer().primaryKey(),
  CALLID: text().notNull(),
  PARENTCALLID: text(),
  MERGECALLID: text(),
  MERGETYPE: integer(),
  CONNID: text(),
  CONNIDNUM: text(),
  SWITCHCALLID: integer(),
  IRID: text().notNull(),
  ROOTIRID: text(),
  MEDIATYPE: integer(),
  CALLTYPE: integer(),
  CALLANI: text(),
  CALLDNIS: text(),
  TENANTID: integer(),
  ...createdColumns(),
  ...systemColumns(),
});
