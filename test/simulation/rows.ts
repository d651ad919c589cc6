// Every row of an IDB, and those that the same records make when nothing disturbs their way.

import Database from "libsql";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { openQueue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { queueDirectory, windowSeconds } from "./instance.ts";

/** By table, each row as JSON, sorted. */
export type Rows = ReadonlyMap<string, readonly string[]>;

// What tells one IDB, or one queue, from another that holds the same.
const ownColumns = new Set(["IDB_ID", "QUEUE_ID", "SEGMENT_SALT", "COMMITS"]);

export function readRows(idbPath: string): Rows {
  const database = new Database(idbPath, { readonly: true });
  try {
    const tables = database
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'ICON_SCHEMA%' AND name <> 'ICON_MIGRATION'",
      )
      .all() as { name: string }[];
    return new Map(
      tables.map(({ name }) => {
        const rows = database.prepare(`SELECT * FROM ${name}`).all() as Record<string, unknown>[];
        const texts = rows.map((row) => JSON.stringify(Object.entries(row).filter(([key]) => !ownColumns.has(key))));
        return [name, texts.sort()];
      }),
    );
  } finally {
    database.close();
  }
}

/** Projects these records in one go, from a queue of their own on a disk that never fails. */
export async function foldUndisturbed(payloads: readonly Uint8Array[], idbPath: string): Promise<Rows> {
  const disk = new FakeDisk(1);
  const queue = await openQueue({
    directory: queueDirectory,
    segmentBytes: 2 * 1024 * 1024,
    reserveBytes: 0,
    pendingBytesMax: 1024 * 1024,
    disk,
    clock: new FakeClock(),
    log: silentLog,
    head: () => new Uint8Array(0),
  });
  for (const payload of payloads) queue.append(payload);
  const end = BigInt(payloads.length);
  await queue.durable(end);
  const idb = openIdb({ path: idbPath, log: silentLog, windowSeconds });
  const reader = new QueueReader({ disk, directory: queueDirectory });
  const projector = new Projector({ reader, idb, log: silentLog });
  while (projector.advance(end));
  idb.close();
  return readRows(idbPath);
}

/** The first differences, in words; empty when both hold the same. */
export function differences(found: Rows, expected: Rows): string[] {
  const said: string[] = [];
  for (const table of new Set([...found.keys(), ...expected.keys()])) {
    const [has, should] = [found.get(table) ?? [], expected.get(table) ?? []];
    const extra = has.filter((row) => !should.includes(row));
    const missing = should.filter((row) => !has.includes(row));
    if (extra.length + missing.length === 0 && has.length === should.length) continue;
    said.push(`${table}: ${has.length} rows, should be ${should.length}; ${extra.length} are wrong`);
    for (const row of extra.slice(0, 2)) said.push(`  has ${inShort(row, missing)}`);
    if (extra.length === 0) for (const row of missing.slice(0, 2)) said.push(`  lacks ${row}`);
  }
  return said;
}

/** The row's first columns, and those in which it differs from the one that should stand there. */
function inShort(row: string, missing: readonly string[]): string {
  const columns = JSON.parse(row) as [string, unknown][];
  const beside = missing
    .map((each) => JSON.parse(each) as [string, unknown][])
    .find((each) => each[1]?.[1] === columns[1]?.[1] || each[0]?.[1] === columns[0]?.[1]);
  const shown = columns.filter(([, value], at) => at < 2 || (beside !== undefined && beside[at]?.[1] !== value));
  return shown
    .map(([name, value]) => {
      const should = beside?.find(([each]) => each === name)?.[1];
      return `${name} ${JSON.stringify(value)}${beside === undefined || should === value ? "" : ` (should be ${JSON.stringify(should)})`}`;
    })
    .join(", ");
}

/** By DBID of the source's cluster: how many events the ledger's windows count. */
export function eventsInWindows(idbPath: string): Map<number, number> {
  const database = new Database(idbPath, { readonly: true });
  try {
    const rows = database.prepare("SELECT SOURCE_CLUSTER AS c, SUM(EVENTS) AS n FROM ICON_WINDOW GROUP BY 1").all();
    return new Map((rows as { c: number; n: number }[]).map(({ c, n }) => [c, n]));
  } finally {
    database.close();
  }
}
