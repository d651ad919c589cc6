// Looks through the IDB once in a while, for damage that nobody meets: SQLite's pages have no checksums, and the instance
// only ever reads the few pages that it writes. A page of last month is read by whoever asks for last month, and then it
// is too late for the persistent queue to help. What is found twice is told to the recorder, which puts the IDB aside and
// rebuilds it.

import { statSync } from "node:fs";
import { type Clock, sleep } from "./clock.ts";
import { inspectInChild } from "./idb/inspect-in-child.ts";
import type { Log } from "./log.ts";

export interface IdbCheckOptions {
  readonly path: string;
  /** From the end of one look to the next; null: never. */
  readonly everyMs: number | null;
  /** What the WAL may grow to while somebody reads. */
  readonly walLimitBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Told what is wrong with the file of this inode. */
  readonly onDamage: (damage: IdbDamage) => void;
}

export interface IdbDamage {
  readonly inode: number;
  readonly reason: string;
}

// A start has more urgent things to do.
const firstMsMax = 60_000;
// As long as a table is read the WAL is not moved into the IDB. Rows matter more than a look that can be had later.
const walShareMax = 1 / 2;
const walLookMs = 1_000;
const againMsMax = 3_600_000;
// Ten million rows take minutes at the priority of what nobody waits for.
const timeoutMs = 6 * 3_600_000;

/** Until `stop`; never rejects. */
export async function checkIdb(options: IdbCheckOptions, stop: AbortSignal): Promise<void> {
  const { everyMs, clock, onDamage } = options;
  if (everyMs === null) return;
  await sleep(clock, Math.min(everyMs, firstMsMax), stop);
  while (!stop.aborted) {
    // Twice, for a disk may misread once; and of the same file, for another may have been put there meanwhile.
    const first = await look(options, stop);
    const second = isDamage(first) ? await look(options, stop) : first;
    if (isDamage(first) && isDamage(second) && first.inode === second.inode) onDamage(second);
    await sleep(clock, second === "put off" ? Math.min(everyMs, againMsMax) : everyMs, stop);
  }
}

/** Nothing: it is sound, or could not be looked at. */
type Look = IdbDamage | "nothing" | "put off";

function isDamage(look: Look): look is IdbDamage {
  return typeof look === "object";
}

async function look(options: IdbCheckOptions, stop: AbortSignal): Promise<Look> {
  const { path, log, walLimitBytes } = options;
  const inode = inodeOf(path);
  if (inode === undefined || stop.aborted) return "nothing"; // the recorder notices at its next commit
  const grown = new AbortController();
  const watch = () => {
    if (walBytes(path) > walLimitBytes * walShareMax) grown.abort();
  };
  watch();
  const watching = setInterval(watch, walLookMs);
  const outcome = await inspectInChild({
    ...{ path, timeoutMs, isGentle: true },
    stop: AbortSignal.any([stop, grown.signal]),
  });
  clearInterval(watching);
  if (stop.aborted) return "nothing";
  if (grown.signal.aborted && outcome.kind === "unavailable") {
    log.warn("look through the IDB put off, for its WAL has grown", { path, walBytes: walBytes(path), walLimitBytes });
    return "put off";
  }
  switch (outcome.kind) {
    case "refused":
      return { inode, reason: outcome.message };
    case "unavailable":
      log.warn("IDB could not be looked through", { reason: outcome.message });
      return "nothing";
    case "inspected": {
      const [first] = outcome.inspection.complaints;
      if (first === undefined) return "nothing";
      return { inode, reason: `IDB "${path}" is damaged, as a look through all of it has found: ${first}` };
    }
  }
}

/** Undefined: not there, or not to be reached now. */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/** 0: there is none, or it cannot be reached now. */
function walBytes(path: string): number {
  try {
    return statSync(`${path}-wal`).size;
  } catch {
    return 0;
  }
}
