// Parties: each participant's stay on a call.

import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { addedColumns, createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/**
 * One row is the latest state of one party on one call. Written when the party appears, changed with each of its states
 * and when it ends. ID grows with time and is local to this IDB; PARTYID is a hash of PARTYGUID and CALLID
 * (and, of a party that comes back to a call, of the PARTYID that it had there), and PARTYGUID is the source's identifier
 * or a hash like CALLID's, so both are the same in both IDBs of a pair unless local.
 * A party that changes its call keeps its PARTYGUID; where the source does not name it, its PARTYID is made of what the new call
 * told of it, so that a copy that did not hear the call before has the same PARTYID, though another PARTYGUID.
 *
 * Whoever is outside of a T-Server's switch (TYPE 2) has no events of his own. His row is rebuilt from those of the parties
 * inside (delivered-flag; how is ours, the reference names the option and its values): the caller of a call that came in is
 * dialing from its first event on, whom a call goes out to alerting, and both are connected once somebody inside is. His
 * PARTYGUID is a hash of CALLID, for whom else a call has outside also of his number. What is outside is what a call of
 * that type comes from or goes to; in a consultation, conference or transfer a number that has no event of its own there.
 */
export const G_PARTY = sqliteTable(
  "G_PARTY",
  {
    ID: integer().primaryKey(),
    PARTYID: text().notNull(),
    PARTYGUID: text().notNull(),
    TYPE: integer().notNull(),
    PROLE: integer().notNull(),
    PARENTPARTYID: text(),
    PARENTLINKTYPE: integer(),
    CALLID: text().notNull(),
    STATE: integer().notNull(),
    PREVSTATE: integer(),
    ENDPOINTDN: text().notNull(),
    AGENTID: integer(),
    CCEVENT: integer(),
    CCEVENTCAUSE: integer(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  // From a call to its parties. There is none on PARTYID: readers come from the call, and each index on a random key
  // costs as much as several tables without one.
  (table) => [
    index("IDX_G_PARTY_CALLID").on(table.CALLID),
    // Reports count by the time at which a stay began. Grows with time, so it costs next to nothing.
    index("IDX_G_PARTY_CREATED_TS").on(table.CREATED_TS),
    // Which queues there are: a row enters it when it leaves the state queued, and names of queues are few.
    index("IDX_G_PARTY_QUEUE").on(table.ENDPOINTDN, table.GSYS_DOMAIN).where(sql`"PREVSTATE" = 5`),
  ],
);

/**
 * One row is one change of a party: it was created, changed its state, or ended. Written once, never changed. STATE is
 * the state after the change, PREVSTATE the one before. PHID grows with time; (PARTYID, PSEQ) names the change.
 * Where the source's clock is set back, by an hour at most, ADDED does not go back within a party: what is told as earlier
 * than the change before is of that same moment.
 */
export const G_PARTY_HISTORY = sqliteTable(
  "G_PARTY_HISTORY",
  {
    PHID: integer().primaryKey(),
    PARTYID: text().notNull(),
    PSEQ: integer().notNull(),
    CSEQ: integer().notNull(),
    CHANGETYPE: integer(),
    CCEVENT: integer(),
    CCEVENTCAUSE: integer(),
    STATE: integer(),
    PREVSTATE: integer(),
    ...addedColumns(),
    ...systemColumns(),
  },
  // From a party to its states: wait, ring, talk and hold times come of them.
  (table) => [index("IDX_G_PARTY_HISTORY_PARTYID").on(table.PARTYID)],
);

/**
 * One row is one Asterisk channel behind a party. Written when the channel is seen on the party, never changed.
 * Its key is the party and the channel's unique id.
 */
export const ICON_PARTY_CHANNEL = sqliteTable(
  "ICON_PARTY_CHANNEL",
  {
    PARTYID: text().notNull(),
    UNIQUEID: text().notNull(),
    CHANNEL: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.PARTYID, table.UNIQUEID] }),
    // Asterisk's own queue_log and call records know the unique id only. It begins with the time, so it grows.
    index("IDX_ICON_PARTY_CHANNEL_UNIQUEID").on(table.UNIQUEID),
  ],
);
