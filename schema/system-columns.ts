// The block of columns that ends almost every documented table. Origins: origin.ts.

import { integer, text } from "drizzle-orm/sqlite-core";

/** A fresh copy for each table: drizzle ties a column to the table it is given to. */
export const systemColumns = () => ({
  /** DSS_ID of the data source session in which the row's data was processed. */
  GSYS_DOMAIN: integer(),
  /** Null: libSQL has no partitions. A purge goes by when calls and login sessions ended, readers by the times of the rows. */
  GSYS_PARTITION: integer(),
  GSYS_SYS_ID: integer(),
  /** Sequence given when the row was inserted. */
  GSYS_SEQ: integer(),
  /** Sequence given when the row was last updated. */
  GSYS_USEQ: integer(),
  GSYS_TS: text(),
  GSYS_TC: integer(),
  GSYS_EXT_VCH1: text(),
  GSYS_EXT_VCH2: text(),
  GSYS_EXT_INT1: integer(),
  GSYS_EXT_INT2: integer(),
});

/** When something was created: TIMESTAMP text, UTC seconds, five-minute step. */
export const createdColumns = () => ({
  CREATED: text(),
  CREATED_TS: integer(),
  CREATED_TCODE: integer(),
});

/** When something ended; null while it goes on. */
export const terminatedColumns = () => ({
  TERMINATED: text(),
  TERMINATED_TS: integer(),
  TERMINATED_TCODE: integer(),
});

/** When one change happened. */
export const addedColumns = () => ({
  ADDED: text(),
  ADDED_TS: integer(),
  ADDED_TCODE: integer(),
});
