// Data source sessions: when we listened to whom, and so which stretches of time an IDB can vouch for.

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * One row is one stay connected to one data source, for the provider of calls and parties. Written when the connection
 * opens, changed as events come and when it ends. Its key is DSS_ID, which rises with each session of this instance,
 * and the DBID of the instance. GSYS_DOMAIN of other rows refers to DSS_ID.
 */
export const G_DSS_GCC_PROVIDER = sqliteTable(
  "G_DSS_GCC_PROVIDER",
  {
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
  },
  (table) => [primaryKey({ columns: [table.DSS_ID, table.ICON_DBID] })],
);
