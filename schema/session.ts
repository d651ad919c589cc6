// Data source sessions: when we listened to whom, and so which stretches of time an IDB can vouch for.

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

const providerColumns = () => ({
  DSS_ID: integer().notNull(),
  ICON_DBID: integer().notNull(),
  DS_DBID: integer(),
  DS_DBID_PRIM: integer(),
  DS2_DBID: integer(),
  DS_TYPE: integer(),
  ICON_STIME: text(),
  DSCONN_STIME: text(),
  DSCONN_SDSTIME: text(),
  DSCONN_SDSTS: integer(),
  DSCONN_TYPE: integer(),
  ICON_ETIME: text(),
  DSCONN_ETIME: text(),
  FEVENT_ITIME: text(),
  FEVENT_DSTIME: text(),
  FEVENT_DSSEQ: text(),
  FEVENT_DSTS: integer(),
  LEVENT_ITIME: text(),
  LEVENT_DSTIME: text(),
  LEVENT_DSSEQ: text(),
  LEVENT_DSTS: integer(),
});

/**
 * One row is one stay connected to one data source, for the provider of calls and parties: a row where the instance has
 * role gcc. Written when the connection opens, changed as events come and when it ends. Its key is DSS_ID, which rises
 * with each session of this instance, and the DBID of the instance. GSYS_DOMAIN of other rows refers to DSS_ID. Where
 * roles change while a session goes on, it has its row for all that it was ever recorded for. ICON_V_DATA_SOURCE_SESSION
 * has every session once, whatever the role.
 */
export const G_DSS_GCC_PROVIDER = sqliteTable("G_DSS_GCC_PROVIDER", providerColumns(), (table) => [
  primaryKey({ columns: [table.DSS_ID, table.ICON_DBID] }),
]);

/** The same for the provider of agent states and login sessions: a row where the instance has role gls. */
export const G_DSS_GLS_PROVIDER = sqliteTable("G_DSS_GLS_PROVIDER", providerColumns(), (table) => [
  primaryKey({ columns: [table.DSS_ID, table.ICON_DBID] }),
]);

/** The same for the provider of attached data: a row where the instance has role gud. */
export const G_DSS_GUD_PROVIDER = sqliteTable("G_DSS_GUD_PROVIDER", providerColumns(), (table) => [
  primaryKey({ columns: [table.DSS_ID, table.ICON_DBID] }),
]);

/** The table of each provider. In all that have a session its row is the same. */
export const providerTables = {
  gcc: "G_DSS_GCC_PROVIDER",
  gls: "G_DSS_GLS_PROVIDER",
  gud: "G_DSS_GUD_PROVIDER",
} as const;

/** What an instance may record, by role, as a session's rows name it. */
export type Provider = keyof typeof providerTables;

/** A session is read from the first of these that has it. */
export const providers = ["gcc", "gls", "gud"] as const satisfies readonly Provider[];

/**
 * One row is what we know of one data source session beyond the documented columns of G_DSS_GCC_PROVIDER and the tables
 * like it: who answered where, why the session ended, and how the two clocks stood. Written when the session opens,
 * whatever the role, changed with whatever arrives and when it ends. Its key is that of the other rows.
 */
export const ICON_DSS = sqliteTable(
  "ICON_DSS",
  {
    DSS_ID: integer().notNull(),
    ICON_DBID: integer().notNull(),
    /** The data source's name in the configuration. */
    SOURCE: text().notNull(),
    /** host:port that answered; null: an earlier version opened the session. */
    ADDRESS: text(),
    /** What the server calls itself. */
    SERVER: text(),
    /** Identity of the server run; null where the source has none. */
    RUN: text(),
    /** Null while the session is open. The words: SessionEndCause in src/event/envelope.ts. */
    END_CAUSE: text(),
    END_DETAIL: text(),
    /** 1: somebody saw the end. 0: it was found at a later start; DSCONN_ETIME is the last instant known to be good. */
    IS_END_SEEN: integer(),
    /** The source's clock minus ours as last measured, ms; null: not measured. The true value is within the uncertainty. */
    CLOCK_DIFFERENCE_MS: integer(),
    CLOCK_UNCERTAINTY_MS: integer(),
    /** When anything last arrived, by our clock: from the last event (LEVENT_ITIME) on, the source was there and silent. */
    HEARD_UNTIL: text(),
  },
  (table) => [primaryKey({ columns: [table.DSS_ID, table.ICON_DBID] })],
);
