// The floor of P4: the final rows of the documented tables, each inserted once by a prepared statement of bun:sqlite into
// a new file with the same tables and indexes, the same pragmas, in as many transactions as the instance made. A process
// of its own: `bun bare-rows.ts IDB TARGET TRANSACTIONS`. Prints the rows and the milliseconds.

import { Database, type SQLQueryBindings } from "bun:sqlite";
import { rmSync } from "node:fs";

export interface BareRows {
  readonly rows: number;
  readonly ms: number;
}

interface Table {
  readonly insert: string;
  readonly rows: readonly SQLQueryBindings[][];
}

if (import.meta.main) {
  const [idbPath = "", target = "", transactions = "1"] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(measure(idbPath, target, Number(transactions)))}\n`);
}

function measure(idbPath: string, target: string, transactions: number): BareRows {
  using idb = new Database(idbPath, { readonly: true });
  const made = idb
    .query<{ name: string; tbl_name: string; type: string; sql: string }, []>(
      // What is documented begins with G, as GX_SESSION_ENDPOINT and GS_AGENT_STAT do; the dictionary is filled when an IDB
      // is made, not by events.
      "SELECT name, tbl_name, type, sql FROM sqlite_schema WHERE tbl_name GLOB 'G*' AND tbl_name NOT IN ('G_DICTIONARY', 'G_DICT_TYPE') AND sql NOT NULL",
    )
    .all();
  const tables: Table[] = made
    .filter(({ type }) => type === "table")
    .map(({ name }) => {
      const rows = idb.query(`SELECT * FROM "${name}" ORDER BY rowid`).values() as SQLQueryBindings[][];
      const places = (rows[0] ?? []).map(() => "?").join(", ");
      return { insert: `INSERT INTO "${name}" VALUES (${places})`, rows };
    })
    .filter(({ rows }) => rows.length > 0);

  rmSync(target, { force: true });
  using floor = new Database(target, { create: true });
  // As src/idb/open.ts has them.
  floor.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16384",
  );
  for (const { type, sql } of made) if (type === "table") floor.exec(sql);
  for (const { type, sql } of made) if (type === "index") floor.exec(sql);
  const prepared = tables.map(({ insert, rows }) => ({ statement: floor.prepare(insert), rows }));
  const begin = floor.prepare("BEGIN IMMEDIATE");
  const commit = floor.prepare("COMMIT");

  const startedAt = performance.now();
  for (let done = 0; done < transactions; done += 1) {
    begin.run();
    for (const { statement, rows } of prepared) {
      // Each table's rows are spread evenly, as they were when the calls went on.
      const until = Math.floor((rows.length * (done + 1)) / transactions);
      for (let row = Math.floor((rows.length * done) / transactions); row < until; row += 1) {
        statement.run(...(rows[row] ?? []));
      }
    }
    commit.run();
  }
  const ms = performance.now() - startedAt;
  return { rows: tables.reduce((sum, { rows }) => sum + rows.length, 0), ms };
}
