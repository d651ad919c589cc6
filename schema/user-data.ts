// Attached data: what travelled with a call, as the site's specification file maps it, and data of user events.

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { addedColumns, createdColumns, systemColumns, terminatedColumns } from "./system-columns.ts";

/** Tables with a row for each change of a key. */
export const userDataHistories = ["G_USERDATA_HISTORY", "G_SECURE_USERDATA_HISTORY"] as const;

/** Tables with a column for each key; the specification knows them by its sections (src/event/attached-data.ts). */
export const callUserDataTables = [
  "G_CALL_USERDATA",
  "G_CALL_USERDATA_CUST",
  "G_CALL_USERDATA_CUST1",
  "G_CALL_USERDATA_CUST2",
] as const;

const historyColumns = () => ({
  ID: integer().primaryKey(),
  CALLID: text().notNull(),
  PARTYID: text(),
  CSEQ: integer(),
  KEYNAME: text(),
  VALUE: text(),
  ...addedColumns(),
  /** Counts the call's rows in this table, from 1. */
  SEQ: integer().notNull(),
  /** Added, changed or deleted: class 1010. */
  CHANGETYPE: integer().notNull(),
  /** Where the key stood in the event: class 1011. */
  KEYTYPE: integer().notNull(),
  ENDPOINTID: integer(),
  /** Of the party that changed it. */
  ENDPOINTDN: text(),
});

/**
 * One row is one change of one key of a call's attached data. Written once, never changed; VALUE is null where the key was
 * deleted. With history "last" it is written when the call's ending is, with the time of the change that brought the
 * value. CSEQ is that of the next row of G_PARTY_HISTORY; (CALLID, SEQ) names the change. Of a key found otherwise in a
 * snapshot nobody knows who changed it. VALUE is text, cut to max-userdata-length; a list within the list is a JSON object,
 * of a key that comes twice the first value counts (all three ours). PARTYID falls back to ThisDN's party: of the two rules
 * that the reference gives for it, the fuller one.
 */
export const G_USERDATA_HISTORY = sqliteTable(
  "G_USERDATA_HISTORY",
  { ...historyColumns(), ...systemColumns() },
  (table) => [index("IDX_G_USERDATA_HISTORY_CALLID").on(table.CALLID)],
);

/** As G_USERDATA_HISTORY, of the keys that the specification calls secure: a table of its own, to be read by few. */
export const G_SECURE_USERDATA_HISTORY = sqliteTable(
  "G_SECURE_USERDATA_HISTORY",
  { ...historyColumns(), ...systemColumns() },
  (table) => [index("IDX_G_SECURE_USERDATA_HISTORY_CALLID").on(table.CALLID)],
);

/**
 * One row is what the predefined keys were for one call, one column a key. Written with the first that is known, changed
 * until the call ends. Its ID is that of the call's row in G_CALL.
 */
export const G_CALL_USERDATA = sqliteTable("G_CALL_USERDATA", {
  ID: integer().primaryKey(),
  CALLID: text().notNull(),
  G_CUSTOMER_SEGMENT: text(),
  G_SERVICE_TYPE: text(),
  G_SERVICE_SUBTYPE: text(),
  G_BUSINESS_RESULT: text(),
  CUSTOMER_ID: text(),
  TRANSACTION_ID: text(),
  CAUSE_ID: text(),
  ACCOUNT_ID: text(),
  DESTINATION_ID: text(),
  TARGET_ID: text(),
  ...systemColumns(),
});

const customColumns = () => ({
  ID: integer().primaryKey(),
  CALLID: text().notNull(),
  CUST_DATA_1: text(),
  CUST_DATA_2: text(),
  CUST_DATA_3: text(),
  CUST_DATA_4: text(),
  CUST_DATA_5: text(),
  CUST_DATA_6: text(),
  CUST_DATA_7: text(),
  CUST_DATA_8: text(),
  CUST_DATA_9: text(),
  CUST_DATA_10: text(),
  CUST_DATA_11: text(),
  CUST_DATA_12: text(),
  CUST_DATA_13: text(),
  CUST_DATA_14: text(),
  CUST_DATA_15: text(),
  CUST_DATA_16: text(),
  ...systemColumns(),
});

/** As G_CALL_USERDATA, of the keys that the site chose: section call_cust of the specification. */
export const G_CALL_USERDATA_CUST = sqliteTable("G_CALL_USERDATA_CUST", customColumns());

/** As G_CALL_USERDATA_CUST: section call_cust1. */
export const G_CALL_USERDATA_CUST1 = sqliteTable("G_CALL_USERDATA_CUST1", customColumns());

/** As G_CALL_USERDATA_CUST: section call_cust2. */
export const G_CALL_USERDATA_CUST2 = sqliteTable("G_CALL_USERDATA_CUST2", customColumns());

const eventDataColumns = () => ({
  ID: integer().primaryKey(),
  CALLID: text(),
  PARTYID: text(),
  PSEQ: integer().notNull(),
  ENDPOINTID: integer(),
  ENDPOINTDN: text(),
  AGENTID: integer(),
  KEYNAME: text().notNull(),
  VALUE: text(),
  ...addedColumns(),
});

/**
 * One row is one pair of a user event whose key the option GlobalData names. Written once, never changed. CALLID and
 * PARTYID (a PARTYGUID) are those of the call on the DN, or of the last one that ended there; null where there was none.
 * PSEQ is that of the party's next change, 0 where there is none.
 */
export const G_CUSTOM_DATA_P = sqliteTable(
  "G_CUSTOM_DATA_P",
  { ...eventDataColumns(), ...systemColumns() },
  (table) => [index("IDX_G_CUSTOM_DATA_P_CALLID").on(table.CALLID)],
);

/**
 * As G_CUSTOM_DATA_P, of the keys in UserData that store-event-data takes, and of those in Extensions that
 * store-event-extensions takes: all, or those that EventData or EventExtensions names.
 */
export const G_CUSTOM_DATA_S = sqliteTable(
  "G_CUSTOM_DATA_S",
  { ...eventDataColumns(), ...systemColumns() },
  (table) => [index("IDX_G_CUSTOM_DATA_S_CALLID").on(table.CALLID)],
);

/**
 * One row is one stretch of a state that the site defined (AgentRecordUserTypes), begun and ended by user events of an
 * agent's desktop, with the data that came with them (AgentUserFields). Written when it begins, changed when it ends.
 * PARTYID is that of G_PARTY, unlike in G_CUSTOM_DATA_S and _P. LOGINSESSIONID is that of the agent who was logged in at the DN when it began, with role gls; null where nobody was
 * known to be. Where nobody saw the agent leave, ICON_ROW_QUALITY says so under ENDPOINTDN/STATE/CREATED.
 */
export const G_CUSTOM_STATES = sqliteTable(
  "G_CUSTOM_STATES",
  {
    ID: integer().primaryKey(),
    CALLID: text(),
    PARTYID: text(),
    PSEQ: integer().notNull(),
    ENDPOINTID: integer(),
    ENDPOINTDN: text(),
    LOGINSESSIONID: text(),
    STATE: integer().notNull(),
    /** The fields that came with it, a JSON object: field name to text. */
    FIELDS: text(),
    ...createdColumns(),
    ...terminatedColumns(),
    ...systemColumns(),
  },
  (table) => [index("IDX_G_CUSTOM_STATES_CALLID").on(table.CALLID)],
);
