// An IDB file folded from a story or from a recorded load, as an instance would have written it.

import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { store } from "../harness/stored-story.ts";

export interface StoredCopy {
  /** A directory that does not exist yet or is empty; the queue goes to its `queue`, the IDB to its `idb.db`. */
  readonly directory: string;
  readonly payloads: readonly Uint8Array[];
  readonly windowSeconds?: number;
}

/** Folds the payloads into an IDB and returns its path. */
export async function storeCopy({ directory, payloads, windowSeconds = 60 }: StoredCopy): Promise<string> {
  await store(`${directory}/queue`, payloads, 1024 * 1024);
  const path = `${directory}/idb.db`;
  foldOn(`${directory}/queue`, path, windowSeconds);
  return path;
}

/** Leads the IDB on to the end of the queue. */
export function foldOn(queue: string, path: string, windowSeconds: number): void {
  using idb = openIdb({ path, log: silentLog, windowSeconds });
  using reader = new QueueReader({ disk: systemDisk, directory: queue });
  const end = reader.lastWholePosition();
  const projector = new Projector({ reader, idb, log: silentLog });
  while (projector.advance(end));
}
