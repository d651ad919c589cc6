// The rows that records make when they are taken in batch by batch, with or without a restart in between: what is live
// goes through its stored form then, as the IDB holds it.

import { LiveState } from "../../src/projection/live-state.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { rescheduleEndings } from "../../src/projection/put-in-force.ts";

type Stored = { kind: string; key: string; version: number; data: string };

/** Rows by table and key, in the order of table and key. A restart follows each batch. */
export function batchedRows(payloads: readonly Uint8Array[], batchRecords: number): Record<string, unknown> {
  let live = new LiveState();
  const rows = new Map<string, unknown>();
  const stored = new Map<string, Stored>();
  const commit = () => {
    const batch = live.takeBatch();
    for (const [table, ofTable] of batch.rows) {
      for (const [key, row] of ofTable) {
        if (row === null) rows.delete(`${table} ${key}`);
        else rows.set(`${table} ${key}`, row);
      }
    }
    for (const { kind, key, version, data } of batch.live) {
      if (data === null) stored.delete(`${kind} ${key}`);
      else stored.set(`${kind} ${key}`, { kind, key, version, data });
    }
    live = new LiveState();
    live.restore(stored.values(), batch.rowSequence);
    live.step((world) => rescheduleEndings(world));
  };
  for (const [index, payload] of payloads.entries()) {
    live.step((world) => stepRecord(world, { windowSeconds: 60 }, BigInt(index + 1), payload));
    if ((index + 1) % batchRecords === 0) commit();
  }
  commit();
  return Object.fromEntries([...rows].sort(([one], [other]) => (one < other ? -1 : 1)));
}
