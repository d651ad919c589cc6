// Calls that go on at another site: the links between two switches' calls (ISCC).

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { systemColumns } from "./system-columns.ts";

/**
 * One row is one call's end of one link. Two rows with one LINKID join the two calls of an interaction. Written when the
 * link is begun, changed with each of its states and when its partner is found.
 */
export const G_IS_LINK = sqliteTable(
  "G_IS_LINK",
  {
    ID: integer().primaryKey(),
    LINKID: text().notNull(),
    CALLID: text().notNull(),
    ISLINKTYPE: integer().notNull(),
    REMOTELOCATION: text(),
    STATE: integer().notNull(),
    MERGESTATE: integer(),
    INITIATED: text().notNull(),
    INITIATED_TS: integer(),
    INITIATED_TCODE: integer(),
    TERMINATED: text(),
    TERMINATED_TS: integer(),
    TERMINATED_TCODE: integer(),
    LASTCHANGE: text().notNull(),
    LASTCHANGE_TS: integer(),
    LASTCHANGE_TCODE: integer(),
    ...systemColumns(),
  },
  (table) => [
    index("IDX_G_IS_LINK_CALLID").on(table.CALLID),
    // From one end of a link to the other.
    index("IDX_G_IS_LINK_LINKID").on(table.LINKID),
  ],
);

/** One row is one change of one call's end of a link. Written once, never changed. (LINKID, CALLID, SEQ) names it. */
export const G_IS_LINK_HISTORY = sqliteTable(
  "G_IS_LINK_HISTORY",
  {
    ID: integer().primaryKey(),
    LINKID: text().notNull(),
    SEQ: integer().notNull(),
    CHANGETYPE: integer().notNull(),
    STATE: integer(),
    CALLID: text(),
    PREVCALLID: text(),
    ADDED: text().notNull(),
    ADDED_TS: integer(),
    ADDED_TCODE: integer(),
    ...systemColumns(),
  },
  (table) => [index("IDX_G_IS_LINK_HISTORY_CALLID").on(table.CALLID)],
);

/**
 * One row is one remote switch whose calls are in no IDB of this site: no link to it is waited for. Written from the
 * option remote-locations, changed with it.
 */
export const GSYS_DNPREMOTELOCATION = sqliteTable("GSYS_DNPREMOTELOCATION", {
  ID: integer().primaryKey(),
  REMOTELOCATION: text(),
});
