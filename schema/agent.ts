// Agents: who was logged in where, and what state they were in. A login session is one agent's stay at one place of work.
//
// Until configuration data is recorded no DBID is known: AGENTID, ENDPOINTID and QUEUEID are null, or 0 where the
// documents require a number, and the columns beside them (AGENTLOGIN, ENDPOINTDN, QUEUEDN) tell who and where.

import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { addedColumns, createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/**
 * One row is one login session. Written when the agent logs in, or is first found logged in; changed when the session
 * ends. LOGINSESSIONID is a hash of the source and of the event that began the session, the same in both IDBs of a pair
 * unless local. A session that was left open ends at its bound, where one is set (gls-max-duration, gls-max-inactivity;
 * their meaning is ours), and ICON_ROW_QUALITY says so.
 */
export const G_LOGIN_SESSION = sqliteTable(
  "G_LOGIN_SESSION",
  {
    ID: integer().primaryKey(),
    LOGINSESSIONID: text().notNull(),
    AGENTID: integer(),
    LOGINID: integer(),
    PLACEID: integer(),
    STATE: integer().notNull(),
    PRIMARYDEVICEID: integer(),
    AGENTLOGIN: text(),
    PRIMARYDN: text(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [
    // Every other table of the session points here.
    index("IDX_G_LOGIN_SESSION_LOGINSESSIONID").on(table.LOGINSESSIONID),
    // Readers take sessions by stretch of time; both grow with time.
    index("IDX_G_LOGIN_SESSION_CREATED_TS").on(table.CREATED_TS),
    index("IDX_G_LOGIN_SESSION_TERMINATED_TS").on(table.TERMINATED_TS, table.CREATED_TS),
  ],
);

/**
 * One row is one DN, against one queue or none, that takes part in a login session. Written when the agent logs in there,
 * changed when that ends. With gls-queue 1 a DN has one row here, whichever queues it serves, and QUEUEDN is null in all
 * tables of agents.
 */
export const GX_SESSION_ENDPOINT = sqliteTable(
  "GX_SESSION_ENDPOINT",
  {
    ID: integer().primaryKey(),
    AGENTID: integer().notNull(),
    ENDPOINTID: integer().notNull(),
    ENDPOINTTYPE: integer(),
    QUEUEID: integer(),
    QUEUETYPE: integer(),
    PLACEID: integer(),
    LOGINSESSIONID: text().notNull(),
    STATE: integer().notNull(),
    ENDPOINTDN: text().notNull(),
    QUEUEDN: text(),
    MEDIATYPE: integer(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [index("IDX_GX_SESSION_ENDPOINT_LOGINSESSIONID").on(table.LOGINSESSIONID)],
);

/**
 * One row is one change of an agent's state, pending state or work mode on one DN against one queue or none, or the
 * agent's connection to a call or its end. Written once, never changed. (LOGINSESSIONID, SEQ) names the change.
 */
export const G_AGENT_STATE_HISTORY = sqliteTable(
  "G_AGENT_STATE_HISTORY",
  {
    ID: integer().primaryKey(),
    TYPE: integer().notNull(),
    STATE: integer().notNull(),
    PENDINGSTATE: integer(),
    SEQ: integer().notNull(),
    LOGINSESSIONID: text(),
    LOGINID: integer(),
    PREVSTATE: integer(),
    WORKMODE: integer(),
    PREVWORKMODE: integer(),
    ENDPOINTID: integer(),
    ENDPOINTDN: text().notNull(),
    QUEUEID: integer(),
    QUEUEDN: text(),
    MEDIATYPE: integer(),
    /**
     * The call behind a change to or from busy, and the agent's party on it. Of after-call work the call that it belongs
     * to, from this row to the next of TYPE 5. PARTYID is of G_PARTY, where role gcc is on.
     */
    CALLID: text(),
    PARTYID: text(),
    ...addedColumns(),
    ...systemColumns(),
  },
  // A state goes on until the next: readers go from one to the other.
  (table) => [
    index("IDX_G_AGENT_STATE_HISTORY_LOGINSESSIONID").on(table.LOGINSESSIONID, table.SEQ),
    // From a call to the after-call work that belongs to it.
    index("IDX_G_AGENT_STATE_HISTORY_AFTER_CALL").on(table.CALLID).where(sql`"STATE" = 4`),
  ],
);

const reasonColumns = () => ({
  ID: integer().primaryKey(),
  SESSIONID: text().notNull(),
  ENDPOINTID: integer().notNull(),
  QUEUEID: integer(),
  AGENTSTATE: integer().notNull(),
  WORKMODE: integer().notNull(),
  HWFLAG: integer().notNull(),
  KEYNAME: text().notNull(),
  VALUE: text(),
  /** SEQ of the state's row in G_AGENT_STATE_HISTORY. */
  LSEQ: integer().notNull(),
  ENDPOINTDN: text().notNull(),
  QUEUEDN: text(),
  ...createdColumns(),
});

/**
 * One row is one reason, hardware or software, that an agent's state carried and that has ended. Written when it ends,
 * never changed. A reason has a row for each stretch of its state, and for each call in
 * between (AGENTSTATE busy), after which that state goes on. KEYNAME of a software reason is
 * its path, with "/" between keys; why somebody logged out is a reason of state 0 that ends where it begins.
 */
export const G_AGENT_STATE_RC = sqliteTable(
  "G_AGENT_STATE_RC",
  { ...reasonColumns(), ...terminatedColumns(), ...systemColumns() },
  (table) => [index("IDX_G_AGENT_STATE_RC_SESSIONID").on(table.SESSIONID)],
);

/**
 * One row is one reason that an agent's state carries now. Written when it begins, deleted when it ends; small at all
 * times. Only where gls-active-reason-codes is on. The rows stay over a restart, as the reasons do: the original empties the
 * table then.
 */
export const G_AGENT_STATE_RC_A = sqliteTable("G_AGENT_STATE_RC_A", { ...reasonColumns(), ...systemColumns() });

/** One row says that do-not-disturb was switched on or off during a login session. Written once, never changed. */
export const G_DND_HISTORY = sqliteTable(
  "G_DND_HISTORY",
  {
    ID: integer().primaryKey(),
    LOGINSESSIONID: text().notNull(),
    AGENTSTATE: integer(),
    ENDPOINTID: integer().notNull(),
    ENDPOINTDN: text().notNull(),
    /** 1: on, 0: off. */
    STATE: integer().notNull(),
    SEQ: integer().notNull(),
    ...addedColumns(),
    ...systemColumns(),
  },
  (table) => [index("IDX_G_DND_HISTORY_LOGINSESSIONID").on(table.LOGINSESSIONID)],
);

const totalColumns = () => ({
  ID: integer().primaryKey(),
  LOGINSESSIONID: text().notNull(),
  ENDPOINTID: integer(),
  ENDPOINTDN: text().notNull(),
  QUEUEID: integer(),
  QUEUEDN: text(),
  AGENTSTATE: integer().notNull(),
  /** Whole seconds in it, of stretches that are over. */
  TT: integer().notNull(),
  /** How often it began; what lasted no time is not counted. */
  CNT: integer().notNull(),
});

/**
 * One row is the total of one agent state on one DN, against one queue or none, in one login session. Written when the
 * session ends, never changed, and not refreshed before, as the original does with gls-stats-update: until then
 * ICON_V_AGENT_15 counts the states. Each is right to a second, and those of an endpoint add up to its length in whole seconds.
 */
export const GS_AGENT_STAT = sqliteTable("GS_AGENT_STAT", { ...totalColumns(), ...systemColumns() }, (table) => [
  index("IDX_GS_AGENT_STAT_LOGINSESSIONID").on(table.LOGINSESSIONID),
]);

/** As GS_AGENT_STAT, by work mode within the state. */
export const GS_AGENT_STAT_WM = sqliteTable(
  "GS_AGENT_STAT_WM",
  { ...totalColumns(), WORKMODE: integer().notNull(), ...systemColumns() },
  (table) => [index("IDX_GS_AGENT_STAT_WM_LOGINSESSIONID").on(table.LOGINSESSIONID)],
);
