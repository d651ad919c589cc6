// A directory that removes itself, and an IDB in it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import type { TableName } from "../../schema/tables.ts";
import type { CommitBatch, Idb } from "../../src/idb/idb.ts";
import type { LiveChange } from "../../src/idb/live-writer.ts";
import { openIdb } from "../../src/idb/open.ts";
import { openReading } from "../../src/idb/reading.ts";
import type { RowKey, RowValues } from "../../src/idb/row-writer.ts";
import { silentLog } from "../../src/log.ts";

export class TemporaryDirectory {
  readonly path = mkdtempSync(join(tmpdir(), "icon-idb-"));

  /** Path of the IDB in it; nothing is there yet. */
  get idb(): string {
    return join(this.path, "idb.db");
  }

  open(): Idb {
    return openIdb({ path: this.idb, log: silentLog, windowSeconds: 60 });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export type Rows = Partial<Record<TableName, readonly (readonly [RowKey, RowValues | null])[]>>;

export function batch(position: bigint, rows: Rows = {}, live: readonly LiveChange[] = []): CommitBatch {
  const byTable = Object.entries(rows).map(([table, each]) => [table as TableName, new Map(each)] as const);
  return {
    rows: new Map(byTable),
    live,
    applied: { queueId: "q1", segmentSalt: 7, position, rowSeq: Number(position) },
  };
}

export const call = (id: number, more: RowValues = {}): readonly [number, RowValues] => [
  id,
  { ID: id, CALLID: `call-${id}`, IRID: `ir-${id}`, CREATED_TS: 1_795_423_790 + id, ...more },
];

export const partyHistory = (id: number, more: RowValues = {}): readonly [number, RowValues] => [
  id,
  { PHID: id, PARTYID: `party-${id}`, PSEQ: 1, CSEQ: 1, STATE: 2, PREVSTATE: 1, ADDED_TS: 1_795_423_790, ...more },
];

/** Asks the file through a connection of its own that cannot write. */
export function query(path: string, sql: string): unknown[][] {
  const reading = openReading(path);
  try {
    return reading.database.prepare(sql).raw().all() as unknown[][];
  } finally {
    reading.close();
  }
}

/** What somebody else would do to the file. */
export function tamper(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}
