// Several IDBs in one connection that can change none of them: each is attached under a letter, in the order given, and
// each of their tables and views is there once more as a temporary view of all their rows, with the letter in a first column IDB.
// Such a view costs nothing: SQLite takes it apart and asks each file through its own indexes (tried, joins too).
//
// 1. Each file is attached with the parameters that hold for one alone (reading.ts); the connection's own database lies
//    in memory and holds nothing but the views.
// 2. What each file answers is one committed state of it. The files' states are not of one moment: they are instances
//    that know nothing of each other.
// 3. Tables are laid side by side only when they have the same columns: a column that one IDB lacks would look empty.

import { realpathSync } from "node:fs";
import Database from "libsql";
import { IdbUnlikeError, idbError } from "./error.ts";
import { letterOf } from "./letter.ts";
import { type Reading, readingPlace } from "./reading.ts";

// SQLite attaches no more to one connection.
const idbsMax = 10;

type Tables = ReadonlyMap<string, readonly string[]>;

/** Throws IdbUnlikeError, and for each file what `openReading` throws. */
export function openSideBySide(paths: readonly string[]): Reading {
  if (paths.length > idbsMax) {
    throw new IdbUnlikeError(`Cannot ask ${paths.length} IDBs side by side: expected at most ${idbsMax}`);
  }
  const database = new Database(":memory:");
  try {
    database.exec("PRAGMA trusted_schema = OFF");
    const places = paths.map((path, index) => attach(database, path, letterOf(index)));
    requireDifferent(paths);
    const tables = paths.map((path, index) => readTables(database, path, letterOf(index)));
    requireAlike(paths, tables);
    for (const [table, columns] of tables[0] ?? []) layTogether(database, paths.length, table, columns);
    return {
      database,
      isStill: () => places.every((place) => place.isStill()),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function attach(database: Database.Database, path: string, letter: string): { isStill(): boolean } {
  const place = readingPlace(path);
  try {
    database.prepare(`ATTACH ? AS ${letter}`).run([place.url]);
    // Reading the schema is what finds a file that is no database behind its first bytes.
    database.exec(`SELECT count(*) FROM ${letter}.sqlite_schema`);
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  }
  return place;
}

function requireDifferent(paths: readonly string[]): void {
  const files = paths.map((path) => realpathSync(path));
  const repeated = files.findIndex((file, index) => files.indexOf(file) !== index);
  if (repeated === -1) return;
  const first = paths[files.indexOf(files[repeated] ?? "")];
  throw new IdbUnlikeError(
    `Cannot ask IDBs side by side: "${paths[repeated]}" is the same file as "${first}"; expected each once`,
  );
}

function readTables(database: Database.Database, path: string, letter: string): Tables {
  try {
    const rows = database
      .prepare(
        `SELECT t.name, c.name FROM ${letter}.sqlite_schema t, pragma_table_info(t.name, '${letter}') c
         WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.cid`,
      )
      .raw()
      .all() as [string, string][];
    return new Map(
      [...Map.groupBy(rows, ([table]) => table)].map(([table, each]) => [table, each.map(([, column]) => column)]),
    );
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  }
}

function requireAlike(paths: readonly string[], all: readonly Tables[]): void {
  const names = all.map(namesIn);
  for (const [index, has] of names.entries()) {
    for (const [other, lacks] of names.entries()) {
      const [missing] = has.difference(lacks);
      if (missing === undefined) continue;
      throw new IdbUnlikeError(
        `Cannot ask IDBs side by side: "${paths[other]}" has no ${missing}, which "${paths[index]}" has. They are of ` +
          "different versions: let the newer program open both, or ask each by itself",
      );
    }
  }
}

/** As sentences need them: "table T", "column T.C". */
function namesIn(tables: Tables): Set<string> {
  return new Set(
    [...tables].flatMap(([table, columns]) => [
      `table ${table}`,
      ...columns.map((column) => `column ${table}.${column}`),
    ]),
  );
}

function layTogether(database: Database.Database, count: number, table: string, columns: readonly string[]): void {
  const list = columns.map(quoted).join(", ");
  const parts = Array.from({ length: count }, (_, index) => letterOf(index)).map(
    (letter) => `SELECT '${letter}' AS IDB, ${list} FROM ${letter}.${quoted(table)}`,
  );
  database.exec(`CREATE TEMP VIEW ${quoted(table)} AS ${parts.join(" UNION ALL ")}`);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
