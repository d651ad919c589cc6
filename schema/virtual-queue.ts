// Virtual queues and routing: where a call waited for a target, and to which one a strategy sent it.

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/**
 * One row is one stay of one call in one virtual queue. Written when the call enters, changed when it leaves. It is no
 * party: the call stands elsewhere meanwhile, often on another switch, so G_CALL of this IDB may not have it:
 * extraction, which goes by calls, then does not find the row, and a purge deletes it by its own age. Where nobody
 * saw it begin or end, ICON_ROW_QUALITY says so under G_VIRTUAL_QUEUE and VQUEUEID. Role gcc.
 */
export const G_VIRTUAL_QUEUE = sqliteTable(
  "G_VIRTUAL_QUEUE",
  {
    ID: integer().primaryKey(),
    /** Names the stay: a hash of the call, the queue and VQID, or else the event that began it; the same in both IDBs unless local. */
    VQUEUEID: text().notNull(),
    /** The routing server's own name of the stay: VQID in Extensions. */
    VQID: text(),
    CALLID: text().notNull(),
    ENDPOINTID: integer(),
    ENDPOINTDN: text().notNull(),
    /** Class 1012. */
    STATUS: integer().notNull(),
    /** Class 1013; null while the call waits. */
    CAUSE: integer(),
    /** The call that was sent to a target out of this queue; null: it only left, or waits. */
    DISTCALLID: text(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [
    index("IDX_G_VIRTUAL_QUEUE_CALLID").on(table.CALLID),
    // Reports ask queue by queue for a stretch of time.
    index("IDX_G_VIRTUAL_QUEUE_ENDPOINTDN").on(table.ENDPOINTDN, table.CREATED_TS),
  ],
);

/**
 * One row is the result of routing a call once from one routing point: what the strategy attached to the call between
 * EventRouteRequest and the call's leaving. Written once, when the call leaves the routing point, never changed; of
 * routings that did not send the call on unless extended-route-result is 0. Role gcc.
 */
export const G_ROUTE_RESULT = sqliteTable(
  "G_ROUTE_RESULT",
  {
    ID: integer().primaryKey(),
    CALLID: text().notNull(),
    CONNID: text().notNull(),
    PARTYID: text().notNull(),
    IRID: text(),
    ENDPOINTID: integer(),
    RTARGETRULESELECTED: text(),
    RTARGETOBJECTSELECTED: text(),
    RTARGETTYPESELECTED: integer(),
    RTARGETAGENTSELECTED: text(),
    RTARGETPLACESELECTED: text(),
    RSTRATEGYNAME: text(),
    ENDPOINTDN: text().notNull(),
    /** Class 1014. */
    RESULT: integer().notNull(),
    ...createdColumns(),
    ...systemColumns(),
  },
  (table) => [index("IDX_G_ROUTE_RESULT_CALLID").on(table.CALLID)],
);

/**
 * One row is one virtual queue in which a call waited while it was routed, with the times of that wait. Written once the
 * routing and the wait are both over, never changed. Role gcc.
 */
export const G_ROUTE_RES_VQ_HIST = sqliteTable(
  "G_ROUTE_RES_VQ_HIST",
  {
    ID: integer().primaryKey(),
    CALLID: text().notNull(),
    /** Of the routing: that of G_ROUTE_RESULT. */
    PARTYID: text().notNull(),
    VQUEUEID: text().notNull(),
    VQID: text(),
    ENDPOINTDN: text().notNull(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [index("IDX_G_ROUTE_RES_VQ_HIST_CALLID").on(table.CALLID)],
);
