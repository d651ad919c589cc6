// Keeps the views of an IDB those of this program. They hold nothing: one that is not as it should be is made anew.

import type Database from "libsql";
import { type View, viewPrefix } from "../../schema/views.ts";
import { inTransaction } from "./migrate.ts";
import { readJson } from "./row-reader.ts";

/**
 * Of an IDB with the present schema. Changes nothing when the views are there already. Throws IdbDamagedError where a
 * statement is no UTF-8 any more: libSQL ends the process over such a text, so what is read is bytes.
 */
export function refreshViews(database: Database.Database, views: readonly View[]): void {
  const rows = database
    .prepare(
      "SELECT CAST(json_array(name, sql) AS BLOB) FROM sqlite_schema WHERE type = 'view' AND substr(name, 1, ?) = ?",
    )
    .raw()
    .all([viewPrefix.length, viewPrefix]) as [Uint8Array][];
  const there = rows.map(([bytes]) => readJson(bytes, "the IDB's views") as [name: string, sql: string]);
  const isThere = new Set(there.map(([name, sql]) => `${name}\n${sql}`));
  if (there.length === views.length && views.every(({ name, sql }) => isThere.has(`${name}\n${sql}`))) return;
  inTransaction(database, () => {
    for (const [name] of there) database.exec(`DROP VIEW "${name}"`);
    for (const { sql } of views) database.exec(sql);
  });
}
