// Keeps the views of an IDB those of this program. They hold nothing: one that is not as it should be is made anew.

import type Database from "libsql";
import { type View, viewPrefix } from "../../schema/views.ts";
import { inTransaction } from "./migrate.ts";

/** Of an IDB with the present schema. Changes nothing when the views are there already. */
export function refreshViews(database: Database.Database, views: readonly View[]): void {
  const there = database
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND substr(name, 1, ?) = ?")
    .raw()
    .all([viewPrefix.length, viewPrefix]) as [name: string, sql: string][];
  const isThere = new Set(there.map(([name, sql]) => `${name}\n${sql}`));
  if (there.length === views.length && views.every(({ name, sql }) => isThere.has(`${name}\n${sql}`))) return;
  inTransaction(database, () => {
    for (const [name] of there) database.exec(`DROP VIEW "${name}"`);
    for (const { sql } of views) database.exec(sql);
  });
}
