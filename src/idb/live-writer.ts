// Writes the live state's entities, many to a statement: half of an entity's cost is the way into the native library, and
// under load every call that changed in a batch is one.

import type Database from "libsql";

export interface LiveChange {
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  /** JSON; null: it is closed, and forgotten. */
  readonly data: string | null;
}

const perStatement = 16;

export class LiveWriter {
  readonly #writeOne: Database.Statement;
  readonly #writeMany: Database.Statement;
  readonly #removeOne: Database.Statement;
  readonly #removeMany: Database.Statement;

  constructor(database: Database.Database) {
    this.#writeOne = database.prepare(writeSql(1));
    this.#writeMany = database.prepare(writeSql(perStatement));
    this.#removeOne = database.prepare(removeSql(1));
    this.#removeMany = database.prepare(removeSql(perStatement));
  }

  /** Each entity at most once. Throws what libSQL throws. */
  write(changes: readonly LiveChange[]): void {
    const kept: LiveChange[] = [];
    const closed: LiveChange[] = [];
    for (const change of changes) (change.data === null ? closed : kept).push(change);
    inGroups(kept, this.#writeOne, this.#writeMany, ({ kind, key, version, data }) => [kind, key, version, data]);
    inGroups(closed, this.#removeOne, this.#removeMany, ({ kind, key }) => [kind, key]);
  }
}

function inGroups(
  changes: readonly LiveChange[],
  one: Database.Statement,
  many: Database.Statement,
  valuesOf: (change: LiveChange) => readonly unknown[],
): void {
  const whole = changes.length - (changes.length % perStatement);
  for (let at = 0; at < whole; at += perStatement) many.run(changes.slice(at, at + perStatement).flatMap(valuesOf));
  for (const change of changes.slice(whole)) one.run([...valuesOf(change)]);
}

function writeSql(count: number): string {
  const rows = new Array(count).fill("(?, ?, ?, ?)").join(", ");
  return (
    `INSERT INTO ICON_LIVE (KIND, KEY, VERSION, DATA) VALUES ${rows} ` +
    "ON CONFLICT (KIND, KEY) DO UPDATE SET VERSION = excluded.VERSION, DATA = excluded.DATA"
  );
}

// Each alternative is one search of the primary key; of a list of pairs SQLite makes a table first.
function removeSql(count: number): string {
  return `DELETE FROM ICON_LIVE WHERE ${new Array(count).fill("(KIND = ? AND KEY = ?)").join(" OR ")}`;
}
