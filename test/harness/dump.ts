// "Dumps are equal": the documented tables of two IDBs hold the same rows, whatever local numbers they carry. Left out
// are ID (and CHID, PHID, IRHID, its like in the histories), GSYS_*, G_PROV_CONTROL (the counter behind GSYS_SEQ),
// G_SYNC_CONTROL (whose key names the instance), tables of ours, and G_DSS_* (each instance has its own sessions). Columns that come from another source than the row's own
// ("joined" in the contract) are compared on request only.

import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openIdb } from "../../src/idb/open.ts";
import { openReading, sizeOf } from "../../src/idb/reading.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { TemporaryDirectory } from "./processes.ts";

/** By table: how often each row is there. */
export type Dump = ReadonlyMap<string, ReadonlyMap<string, number>>;

const localIds: ReadonlySet<string> = new Set(["ID", "CHID", "PHID", "IRHID"]);
// The step of time itself, and not a number that we gave out.
const meaningfulIds: ReadonlySet<string> = new Set(["G_TIMECODE"]);
const leftOut = (table: string) =>
  !/^G[SX]?_/.test(table) ||
  table.startsWith("G_DSS_") ||
  table === "G_PROV_CONTROL" ||
  table === "G_SYNC_CONTROL" ||
  table.includes("__");

/** The tables that a dump holds, each with the columns that it is made of. `rows` answers a question to the IDB. */
export function documentedTables(
  rows: <T>(sql: string) => T[],
  { withJoined = false } = {},
): { readonly table: string; readonly columns: readonly string[] }[] {
  const joined = new Set(
    rows<{ NAME: string }>("SELECT NAME FROM ICON_SCHEMA_ORIGIN WHERE KIND = 'column' AND IS_JOINED = 1").map(
      ({ NAME }) => NAME,
    ),
  );
  return rows<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .filter(({ name }) => !leftOut(name))
    .map(({ name: table }) => {
      const columns = rows<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)
        .map(({ name }) => name)
        .filter((name) => meaningfulIds.has(table) || !localIds.has(name))
        .filter((name) => !name.startsWith("GSYS_"))
        .filter((name) => withJoined || !joined.has(`${table}.${name}`));
      return { table, columns };
    });
}

/** Reads an IDB, also one that is being written. */
export function readDump(idbPath: string, { withJoined = false } = {}): Dump {
  const reading = openReading(idbPath);
  try {
    const { database } = reading;
    const rows = <T>(sql: string) => database.prepare(sql).all() as T[];
    const dump = new Map<string, Map<string, number>>();
    for (const { table, columns } of documentedTables(rows, { withJoined })) {
      const counted = new Map<string, number>();
      const fields = columns.map((column) => `'${column}', "${column}"`).join(", ");
      for (const { ROW } of rows<{ ROW: string }>(`SELECT json_object(${fields}) AS ROW FROM "${table}"`)) {
        counted.set(ROW, (counted.get(ROW) ?? 0) + 1);
      }
      dump.set(table, counted);
    }
    return dump;
  } finally {
    reading.close();
  }
}

/** What is not a function of the queue: which file it is, how often it was committed to, when it was made. */
export const ofTheFile: ReadonlySet<string> = new Set(["ICON_APPLIED", "ICON_MIGRATION"]);

/**
 * All rows of all tables, local ids and live state among them: equal for two IDBs that were made of the same records from
 * the first one on, whatever happened to the one meanwhile. Of an IDB that nobody writes.
 */
export function readWhole(idbPath: string): Dump {
  const reading = openReading(idbPath);
  try {
    const { database } = reading;
    const rows = <T>(sql: string) => database.prepare(sql).all() as T[];
    const dump = new Map<string, Map<string, number>>();
    for (const { name: table } of rows<{ name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")) {
      if (ofTheFile.has(table) || table.startsWith("sqlite_")) continue;
      const counted = new Map<string, number>();
      for (const row of rows<Record<string, unknown>>(`SELECT * FROM "${table}"`)) {
        const text = JSON.stringify(row);
        counted.set(text, (counted.get(text) ?? 0) + 1);
      }
      dump.set(table, counted);
    }
    return dump;
  } finally {
    reading.close();
  }
}

export function rowCount(dump: Dump, table: string): number {
  let count = 0;
  for (const times of dump.get(table)?.values() ?? []) count += times;
  return count;
}

/** One line a row that is in one and not as often in the other; empty: equal. */
export function differencesBetween(one: Dump, other: Dump): string[] {
  const lines: string[] = [];
  for (const table of new Set([...one.keys(), ...other.keys()])) {
    const left = one.get(table) ?? new Map<string, number>();
    const right = other.get(table) ?? new Map<string, number>();
    for (const row of new Set([...left.keys(), ...right.keys()])) {
      const [times, otherTimes] = [left.get(row) ?? 0, right.get(row) ?? 0];
      if (times !== otherTimes) lines.push(`${table}: ${times} against ${otherTimes} times ${row}`);
    }
  }
  return lines;
}

/**
 * Folds a copy of the queue of an instance that does not run into an IDB, without any disturbance. With `from`, a copy
 * of that IDB is led on to the queue's end instead of beginning anew.
 */
export function foldQueue(queueDirectory: string, { from }: { readonly from?: string } = {}): Dump {
  using directory = new TemporaryDirectory("fold");
  const queue = directory.at("queue");
  const path = directory.at("idb.db");
  cpSync(queueDirectory, queue, { recursive: true });
  if (from !== undefined) copyIdb(from, path);
  advance(queue, path);
  return readDump(path);
}

/** Copies an IDB that nobody writes, with what belongs to it. */
export function copyIdb(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  for (const suffix of ["", "-wal"]) {
    if (existsSync(`${from}${suffix}`)) cpSync(`${from}${suffix}`, `${to}${suffix}`);
  }
}

function advance(queueDirectory: string, idbPath: string): void {
  const idb = openIdb({ path: idbPath, log: silentLog, clock: systemClock, windowSeconds: 1 });
  using reader = new QueueReader({ directory: queueDirectory, disk: systemDisk });
  try {
    const end = reader.lastWholePosition();
    const projector = new Projector({ reader, idb, log: silentLog });
    while (projector.advance(end)) {} // batch after batch
  } finally {
    idb.close();
  }
}

/** The queue position up to which an IDB has rows; null before the first commit, or before it was made. Nobody may write it. */
export function appliedPositionOf(idbPath: string): bigint | null {
  using directory = new TemporaryDirectory("applied");
  const copy = directory.at("idb.db");
  copyIdb(idbPath, copy);
  if (sizeOf(copy) === 0) return null;
  const reading = openReading(copy);
  try {
    const isMade = reading.database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'ICON_APPLIED'").all().length > 0;
    if (!isMade) return null;
    const [row] = reading.database
      .prepare("SELECT CAST(POSITION AS TEXT) AS POSITION FROM ICON_APPLIED WHERE QUEUE_ID IS NOT NULL")
      .all() as { POSITION: string }[];
    return row === undefined ? null : BigInt(row.POSITION);
  } finally {
    reading.close();
  }
}
