// Calls that go on at another site: the links between two switches' calls (ISCC).

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { systemColumns } from "./system-columns.ts";

/**
 * One row is one call's end of one link. Two rows with one LINKID tie the two calls of an interaction together. Written when
 * its T-Server first tells of the link (INITIATED, by that server's clock), changed when the call into which its call is
 * merged takes it over (CALLID), when it or its call ends (TERMINATED) and when all that it ties together is complete
 * (MERGESTATE). LASTCHANGE is the time of its last row in G_IS_LINK_HISTORY. GSYS_EXT_VCH1 is the number of the event that
 * told its last change, as far as an event did; numbers begin anew with each run of the server.
 *
 * STATE is 3 where no other end is expected, else 1, also once it has ended: so the reference has it. Which call came from
 * which: ISLINKTYPE 2 is the call where the caller was before, 3 the one where he went on; where a server tells of neither,
 * the one that was told of first. The interaction record of the latter has that of the former as its parent (G_IR.PARENTIRID).
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

/**
 * One row is one change of one call's end of a link: added, moved from PREVCALLID to CALLID with a merge, deleted; the last
 * also with its call's ending. Written once, never changed. (LINKID, CALLID, SEQ) names it; SEQ counts the changes of this
 * end, over the calls that had it.
 */
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
 * One row is one remote switch whose calls are in no IDB of this site: no link to it is waited for. It is what
 * [callconcentrator] remote-locations lists, in its order, and changes with it; nobody else writes it.
 */
export const GSYS_DNPREMOTELOCATION = sqliteTable("GSYS_DNPREMOTELOCATION", {
  ID: integer().primaryKey(),
  REMOTELOCATION: text(),
});
