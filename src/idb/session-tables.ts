// Which tables data source sessions are read from. A session stands in the table of each role that it was recorded for, in
// all of them with the same row, so a reader takes it from the first that has it: gcc's before gls's before gud's.
//
// Mostly one table has every session, and is read as it is. ICON_V_DATA_SOURCE_SESSION says the same to whoever asks in
// SQL; it is not used here, for an IDB that an earlier version left has no such view, and before schema 7 no other table
// than gcc's.

import type Database from "libsql";
import { type Provider, providers, providerTables } from "../../schema/session.ts";

/** Whose tables are there; gcc's is in every IDB. Throws what libSQL throws. */
export function providersIn(database: Database.Database): readonly Provider[] {
  const isThere = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").raw();
  return providers.filter((each) => each === "gcc" || isThere.get([providerTables[each]]) !== undefined);
}

/** What stands behind FROM to read every session once, with the columns of G_DSS_GCC_PROVIDER. Throws what libSQL throws. */
export function everySession(database: Database.Database): string {
  const tables = providersIn(database).map((provider) => providerTables[provider]);
  const needed: string[] = [];
  for (const table of tables) if (hasOthersThan(database, table, needed)) needed.push(table);
  const [first = providerTables.gcc, ...more] = needed;
  if (more.length === 0) return first;
  const selects = needed.map((table, index) => {
    const before = needed.slice(0, index).map((each) => {
      return `NOT EXISTS (SELECT 1 FROM ${each} b WHERE b.DSS_ID = t.DSS_ID AND b.ICON_DBID = t.ICON_DBID)`;
    });
    return `SELECT * FROM ${table} t${before.length === 0 ? "" : ` WHERE ${before.join(" AND ")}`}`;
  });
  return `(${selects.join(" UNION ALL ")})`;
}

/** Through the primary keys' indexes alone, in their order: some 30 ms for 300,000 sessions. */
function hasOthersThan(database: Database.Database, table: string, tables: readonly string[]): boolean {
  const keys = [table, ...tables].map((each) => `SELECT DSS_ID, ICON_DBID FROM ${each}`);
  const first = database.prepare(`${keys.join(" EXCEPT ")} ORDER BY 1, 2 LIMIT 1`).raw();
  return first.get() !== undefined;
}
