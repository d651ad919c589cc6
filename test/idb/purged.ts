// A story's queue led into an IDB, purged on the way or at the end, and made anew from the queue: real files.

import { systemClock } from "../../src/clock.ts";
import type { Idb } from "../../src/idb/idb.ts";
import { openIdb } from "../../src/idb/open.ts";
import { openReading } from "../../src/idb/reading.ts";
import { silentLog } from "../../src/log.ts";
import { rebuild } from "../../src/maintenance/rebuild.ts";
import { Projector } from "../../src/projector.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { type Story, startMs } from "../harness/story.ts";

export const purge = (story: Story, seconds: number): Story =>
  story.mark({ mark: "purge", before: startMs + seconds * 1000, by: "command", isUnconfirmed: false });

export interface Setting {
  readonly queue: string;
  readonly idb: string;
}

/** Leads an IDB on as `act` says: it is given what projects up to a position, and the IDB. */
export function led(
  { queue, idb: path }: Setting,
  act: (idb: Idb, upTo: (position: bigint) => void, end: bigint) => void,
) {
  const idb = openIdb({ path, log: silentLog, windowSeconds: 60 });
  using reader = new QueueReader({ disk: systemDisk, directory: queue });
  const end = reader.lastWholePosition();
  const projector = new Projector({ reader, idb, log: silentLog });
  const upTo = (position: bigint) => {
    while (projector.advance(position)) {} // batch after batch
  };
  try {
    act(idb, upTo, end);
  } finally {
    idb.close();
  }
}

export function purgeAll(idb: Idb, callsMax = 100): void {
  while (!idb.purge(callsMax).isDone) {} // a transaction each
}

export function query<Row>(path: string, sql: string): Row[] {
  const reading = openReading(path);
  try {
    return reading.database.prepare(sql).all() as Row[];
  } finally {
    reading.close();
  }
}

export async function rebuildInto({ queue, idb }: Setting, { payloads }: Pick<Story, "payloads">): Promise<void> {
  await rebuild({
    queueDirectory: queue,
    path: idb,
    upTo: BigInt(payloads.length),
    beginAt: null,
    windowSeconds: 60,
    configuration: null,
    isQueueOurs: true,
    disk: systemDisk,
    clock: systemClock,
    log: silentLog,
    stop: new AbortController().signal,
    onProgress: () => {},
  });
}
