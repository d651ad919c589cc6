// What a purge should leave, found in another way than the program's: one statement a table on a copy of an IDB that nobody
// uses, without turns, ids or marks. And whether the rows of large files are the same, asked of SQLite, for two of them do
// not fit into memory as text.

import { Database } from "bun:sqlite";
import { families, type LifeTableName, lives, type TableLife } from "../../schema/life.ts";
import { documentedTables, ofTheFile } from "./dump.ts";

const tableNames = Object.keys(lives) as readonly LifeTableName[];

/** Deletes calls and login sessions of which every row ended before this time, with all that is theirs. */
export function purgeByHand(path: string, beforeSeconds: number): void {
  using idb = new Database(path);
  idb.exec("PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; BEGIN");
  for (const { root, key } of Object.values(families)) {
    idb.exec(
      `CREATE TEMP TABLE "going ${root}" AS SELECT "${key}" FROM "${root}" GROUP BY "${key}"
       HAVING max(coalesce(TERMINATED_TS, ${beforeSeconds})) < ${beforeSeconds};
       CREATE TEMP TABLE "gone ${root}" AS SELECT * FROM "${root}" WHERE "${key}" IN (SELECT "${key}" FROM "going ${root}");
       DELETE FROM "${root}" WHERE "${key}" IN (SELECT "${key}" FROM "going ${root}")`,
    );
  }
  for (const table of tableNames) {
    const { parent }: TableLife = lives[table];
    if (parent === null) continue;
    const goes = `"${parent.column}" IN (SELECT "${parent.parentColumn}" FROM "gone ${parent.table}")`;
    idb.exec(
      `CREATE TEMP TABLE "gone ${table}" AS SELECT * FROM "${table}" WHERE ${goes}; DELETE FROM "${table}" WHERE ${goes}`,
    );
  }
  idb.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

export interface ThreeIdbs {
  /** That was purged by the program. */
  readonly purged: string;
  /** That has all of it. */
  readonly kept: string;
  /** A copy of the latter that was purged by hand. */
  readonly expected: string;
}

/** By table, rows that should stand in the purged IDB and do not, and rows that should be gone and stand there. None: empty. */
export function purgedOtherwise({ purged, kept, expected }: ThreeIdbs): string[] {
  using idbs = attached({ purged, kept, expected });
  const rows = <T>(sql: string) => idbs.query(sql.replaceAll("sqlite_schema", "kept.sqlite_schema")).all() as T[];
  return documentedTables(rows).flatMap(({ table, columns }) => {
    const of = (idb: keyof ThreeIdbs) =>
      `SELECT ${columns.map((column) => `"${column}"`).join(", ")} FROM ${idb}."${table}"`;
    const missing = count(idbs, `${of("expected")} EXCEPT ${of("purged")}`);
    const left = count(idbs, `SELECT * FROM (${of("kept")} EXCEPT ${of("expected")}) INTERSECT ${of("purged")}`);
    return [
      ...(missing === 0 ? [] : [`${table}: ${missing} rows that should stand are missing`]),
      ...(left === 0 ? [] : [`${table}: ${left} rows that should be gone are there`]),
    ];
  });
}

/** As differencesBetween of readWhole, in one line a table. */
export function wholeDifferences(one: string, other: string): string[] {
  using idbs = attached({ one, other });
  const tables = idbs.query("SELECT name FROM one.sqlite_schema WHERE type = 'table'").all() as { name: string }[];
  return tables
    .map(({ name }) => name)
    .filter((name) => !ofTheFile.has(name) && !name.startsWith("sqlite_"))
    .flatMap((table) => {
      const of = (idb: string) => `SELECT * FROM ${idb}."${table}"`;
      const [first, second] = [count(idbs, of("one")), count(idbs, of("other"))];
      const alone = count(idbs, `${of("one")} EXCEPT ${of("other")}`);
      return first === second && alone === 0
        ? []
        : [`${table}: ${first} and ${second} rows, ${alone} in the first alone`];
    });
}

function attached(paths: Readonly<Record<string, string>>): Database {
  const database = new Database(":memory:");
  database.exec("PRAGMA temp_store = FILE");
  for (const [name, path] of Object.entries(paths)) database.query(`ATTACH ? AS ${name}`).run(path);
  return database;
}

function count(database: Database, question: string): number {
  return database.query<{ count: number }, []>(`SELECT count(*) AS count FROM (${question})`).get()?.count ?? 0;
}
