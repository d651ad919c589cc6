// Documented tables that serve the reading of the others: counters, time steps, the dictionary.

import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { systemColumns } from "./system-columns.ts";

/**
 * One row is the counter behind GSYS_SEQ and GSYS_USEQ of one provider class. Written at the first row of the class,
 * changed with the rows it counts and in their transaction, so it is never behind. Its key is (DOMAINID, PRIMARYID,
 * PROVIDERTAG).
 */
export const G_PROV_CONTROL = sqliteTable(
  "G_PROV_CONTROL",
  {
    DOMAINID: integer().notNull(),
    PRIMARYID: integer().notNull(),
    /** Always 2, gcc: an instance has one sequence, whatever its roles. */
    PROVIDERTAG: integer().notNull(),
    SEQCOUNTER: integer(),
    SEQCURRENT: integer(),
    ...systemColumns(),
  },
  (table) => [primaryKey({ columns: [table.DOMAINID, table.PRIMARYID, table.PROVIDERTAG] })],
);

/**
 * One row is the last event stored of one server cluster, per provider class: how far this IDB has come with it. Written
 * with the cluster's first event, changed with each. Its key is (DOMAINID, PRIMARYID, PROVIDERTAG, CLUSTERID); PRIMARYID
 * is the DBID of the instance that writes, for neither of a pair is the primary. The documented key has no switch: of two
 * sources of one cluster on two switches the row is of whichever was written last. ICON_COVERAGE and ICON_WINDOW tell them
 * apart.
 */
export const G_SYNC_CONTROL = sqliteTable(
  "G_SYNC_CONTROL",
  {
    DOMAINID: integer().notNull(),
    PRIMARYID: integer().notNull(),
    PROVIDERTAG: integer().notNull(),
    CLUSTERID: integer().notNull(),
    /** DBID of the server that sent the event. */
    PROVIDERID: integer().notNull(),
    /** By the source's clock: UTC seconds, and in spite of its name the milliseconds of that second. */
    EVENTTIMESEC: integer(),
    EVENTTIMEUSEC: integer(),
    /** Identity of the server run. */
    SESSIONID: text(),
    /** Sequence number of the event within the run; null where the source has none. */
    EVENTID: text(),
    ...systemColumns(),
  },
  (table) => [primaryKey({ columns: [table.DOMAINID, table.PRIMARYID, table.PROVIDERTAG, table.CLUSTERID] })],
);

/**
 * One row is one five-minute step of time that a `*_TCODE` column refers to. Written when the first row of that step is,
 * never changed. Its key is the UTC seconds at which the step begins.
 */
export const G_TIMECODE = sqliteTable("G_TIMECODE", {
  ID: integer().primaryKey(),
});

/** One row is one class of enumerated values. Written when the IDB is made or migrated; numbers never change. */
export const G_DICT_TYPE = sqliteTable("G_DICT_TYPE", {
  DICT_TYPE_ID: integer().primaryKey(),
  NAME: text().notNull(),
});

/**
 * One row is one value of an enumeration. Written when the IDB is made or migrated; numbers never change their meaning.
 * Its key is the class and the value.
 */
export const G_DICTIONARY = sqliteTable(
  "G_DICTIONARY",
  {
    DICT_TYPE_ID: integer().notNull(),
    DICT_VALUE_ID: integer().notNull(),
    NAME: text().notNull(),
    DESCRIPTION: text(),
  },
  (table) => [primaryKey({ columns: [table.DICT_TYPE_ID, table.DICT_VALUE_ID] })],
);
