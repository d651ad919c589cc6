// What a call and a party came to, counted once when they are over (src/event/statistics.ts). They count what the histories
// say: where nobody saw a beginning, a change or an end, ICON_ROW_QUALITY says so of the call or party, and its statistics
// are as good as those rows.

import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { systemColumns } from "./system-columns.ts";

/**
 * One row is the statistics of one call that is over. Written with the call's ending, never changed. Its ID is that of
 * the call's row in G_CALL, so it is found without an index of its own. GSYS_EXT_VCH1 and GSYS_EXT_VCH2 tell who released
 * the call, unless store-releasing-party is 0: the DN as the source says it, empty where it names none, and the
 * PARTYID that it is. Not written with [filter-data] call-metrics.
 */
export const G_CALL_STAT = sqliteTable("G_CALL_STAT", {
  ID: integer().primaryKey(),
  CALLID: text().notNull(),
  F_CONN: integer(),
  F_CONN_EXTN: integer(),
  F_TE_ABND: integer(),
  CNT_HOLD: integer(),
  CNT_DIVERT: integer(),
  CNT_TRANSFER: integer(),
  CNT_CONFERENCE: integer(),
  ...systemColumns(),
});

/**
 * One row is the statistics of one internal party that is over: in each state the differences of whole UTC seconds, which
 * add up to what lies between its first history row and its last. Written with the party's ending, never changed. Its ID is that of the party's row in G_PARTY. Not written of parties that [filter-data] leaves
 * out, nor of stays in queues with acd-party-metrics or acd-party-history.
 */
export const G_PARTY_STAT = sqliteTable("G_PARTY_STAT", {
  ID: integer().primaryKey(),
  PARTYID: text().notNull(),
  TT_ALERTING: integer(),
  TT_CONNECTED: integer(),
  TT_HOLD: integer(),
  TT_QUEUED: integer(),
  /**
   * Always null. After-call work begins when the party's row here is written, and ends at any time later: counted here, the
   * row would change after its call was extracted, compared or purged, and two copies of one call would differ by when they
   * were read. It is counted where it lies, in G_AGENT_STATE_HISTORY; ICON_V_CALL and ICON_V_QUEUE_STAY add it.
   */
  TT_ACW: integer(),
  TT_DIALING: integer(),
  /** Who released, as seen from the party's DN: class 1006. Null: the source does not say, or it is not asked for. */
  RELEASINGPARTY: integer(),
  ...systemColumns(),
});
