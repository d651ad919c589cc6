// A data directory as it is after a long time: 10 GB of persistent queue, written by instances while their IDB was locked,
// and an IDB of ten million rows, a real one whose rows of the documented tables were multiplied under new keys. Made once,
// step by step, and kept beside the bench's own folder for the next run; delete it when nobody wants it.

import { Database } from "bun:sqlite";
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import type { Setting } from "./setting.ts";

export interface LargeData {
  readonly directory: string;
  /** Of ten million rows, that has applied all of the queue. */
  readonly idbPath: string;
  /** Of some rows, that has applied next to nothing of the queue; only to be copied from. */
  readonly smallIdbPath: string;
  readonly queueLines: string;
  readonly queueBytes: number;
  readonly rows: number;
}

const queueBytesMin = 10e9;
const rowsMin = 10e6;
const firstEvents = 50_000;
const queueLines = 'retention_bytes = "64GB"';

export async function largeData(setting: Setting): Promise<LargeData> {
  const directory = join(setting.keptDirectory, "icon-bench-large");
  const [idbPath, smallIdbPath] = [join(directory, "large.db"), join(directory, "small.db")];
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await fillQueue(setting, directory, smallIdbPath);
  const rows = multiplyRows(setting, directory, smallIdbPath, idbPath);
  return { directory, idbPath, smallIdbPath, queueLines, queueBytes: bytesOf(directory), rows };
}

async function fillQueue(
  { icon, load, say, windows }: Setting,
  directory: string,
  smallIdbPath: string,
): Promise<void> {
  const windowBytes = Math.max(...windows);
  while (bytesOf(directory) < queueBytesMin) {
    say(`making a large queue: ${(bytesOf(directory) / 1e9).toFixed(1)} GB of ${queueBytesMin / 1e9}`);
    const isFirst = !existsSync(smallIdbPath);
    if (!isFirst) {
      using lock = new Database(smallIdbPath);
      lock.exec("BEGIN IMMEDIATE");
      const awaits = "source" as const;
      const place = { icon, directory, loadPath: load.path, idb: smallIdbPath, queue: queueLines, awaits };
      await using instance = await MeasuredInstance.start(place);
      await instance.send({ events: load.events, windowBytes });
      continue;
    }
    const idb = `${smallIdbPath}.new`;
    const instance = await MeasuredInstance.start({ icon, directory, loadPath: load.path, idb, queue: queueLines });
    await instance.send({ events: firstEvents, windowBytes });
    await instance.readable();
    await instance.end("SIGTERM");
    for (const suffix of ["-wal", "-shm"]) rmSync(`${idb}${suffix}`, { force: true });
    renameSync(idb, smallIdbPath);
  }
}

/** Returns how many rows the documented tables have. */
function multiplyRows({ say }: Setting, directory: string, from: string, to: string): number {
  const queueDirectory = join(directory, "data", "queue");
  if (!existsSync(to)) {
    const making = `${to}.new`;
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${making}${suffix}`, { force: true });
    copyFileSync(from, making);
    using idb = new Database(making);
    idb.exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144");
    const tables = documentedTables(idb);
    const before = countRows(idb);
    const copies = Math.ceil(rowsMin / before) - 1;
    say(`making a large IDB: ${before} rows, ${copies} times again`);
    idb.exec("BEGIN");
    for (let copy = 1; copy <= copies; copy += 1) {
      for (const { name, columns, selected, last } of tables) {
        idb
          .query(`INSERT INTO "${name}" (${columns}) SELECT ${selected} FROM "${name}" WHERE rowid <= ?2`)
          .run(copy, last);
      }
    }
    using reader = new QueueReader({ disk: systemDisk, directory: queueDirectory });
    const position = reader.lastWholePosition();
    const salt = reader.segmentAt(position)?.salt ?? 0;
    idb.query("UPDATE ICON_APPLIED SET POSITION = ?, SEGMENT_SALT = ?").run(position, salt);
    idb.exec("COMMIT; PRAGMA journal_mode = WAL");
    idb.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(`${making}${suffix}`, { force: true });
    renameSync(making, to);
  }
  using idb = new Database(to, { readonly: true });
  return countRows(idb);
}

interface Table {
  readonly name: string;
  readonly columns: string;
  /** What a copy's row is made of: its keys are new, the rest is the row's. */
  readonly selected: string;
  /** The last row of the first copy. */
  readonly last: number;
}

function documentedTables(idb: Database): Table[] {
  return documentedNames(idb).map((name) => {
    const keys = keyColumns(idb, name);
    const columns = idb.query<{ name: string; type: string }, []>(`PRAGMA table_info("${name}")`).all();
    const { last } = idb.query<{ last: number | null }, []>(`SELECT MAX(rowid) AS last FROM "${name}"`).get() ?? {};
    return {
      name,
      columns: columns.map((column) => `"${column.name}"`).join(", "),
      selected: columns
        .map(({ name: column, type }) => {
          if (!keys.has(column)) return `"${column}"`;
          return /INT/i.test(type) ? `"${column}" + ?1 * 100000000` : `"${column}" || '.' || ?1`;
        })
        .join(", "),
      last: last ?? 0,
    };
  });
}

/** Columns that some unique index or the primary key is made of. */
function keyColumns(idb: Database, table: string): Set<string> {
  const keys = new Set<string>();
  const columns = idb.query<{ name: string; pk: number }, []>(`PRAGMA table_info("${table}")`).all();
  for (const { name, pk } of columns) if (pk > 0) keys.add(name);
  const indexes = idb.query<{ name: string; unique: number }, []>(`PRAGMA index_list("${table}")`).all();
  for (const { name } of indexes.filter(({ unique }) => unique === 1)) {
    for (const column of idb.query<{ name: string }, []>(`PRAGMA index_info("${name}")`).all()) keys.add(column.name);
  }
  return keys;
}

function documentedNames(idb: Database): string[] {
  return idb
    .query<{ name: string }, []>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'G*' AND name NOT IN ('G_DICTIONARY', 'G_DICT_TYPE', 'G_TIMECODE')",
    )
    .all()
    .map(({ name }) => name);
}

function countRows(idb: Database): number {
  return documentedNames(idb).reduce(
    (sum, name) => sum + (idb.query<{ rows: number }, []>(`SELECT COUNT(*) AS rows FROM "${name}"`).get()?.rows ?? 0),
    0,
  );
}

function bytesOf(directory: string): number {
  const queue = join(directory, "data", "queue");
  if (!existsSync(queue)) return 0;
  return readdirSync(queue).reduce((sum, file) => sum + statSync(join(queue, file)).size, 0);
}
