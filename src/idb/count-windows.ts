// How many windows a question about the ledger is about, counted up to a bound before they are read.

import type Database from "libsql";
import type { LedgerQuestion } from "./read-ledger.ts";
import { inReadTransaction } from "./row-reader.ts";

/** `atMost` + 1: more than `atMost`. Throws IdbDamagedError, IdbUnavailableError. */
export function countWindows(
  database: Database.Database,
  path: string,
  { stretch, changedAfter }: LedgerQuestion,
  atMost: number,
): number {
  const isChanged = changedAfter === null ? "" : "AND VERSION > ?4";
  return inReadTransaction(database, `Cannot read the ledger of IDB "${path}"`, () => {
    const counted = database
      .prepare(
        `SELECT count(*) FROM (
           SELECT 1 FROM ICON_WINDOW WHERE WINDOW_TS >= ?1 AND WINDOW_TS < ?2 ${isChanged} LIMIT ?3)`,
      )
      .raw()
      .get([stretch.from, stretch.until, atMost + 1, ...(changedAfter === null ? [] : [changedAfter])]) as [number];
    return counted[0];
  });
}
