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
    const second = first === null ? null : await look(options, stop);
    if (second !== null && second.inode === first?.inode) onDamage(second);
    await sleep(clock, everyMs, stop);
  }
}

/** What is damaged; null: nothing, or it could not be looked at. */
async function look({ path, log }: IdbCheckOptions, stop: AbortSignal): Promise<IdbDamage | null> {
  const inode = inodeOf(path);
  if (inode === undefined || stop.aborted) return null; // the recorder notices at its next commit
  const outcome = await inspectInChild({ path, timeoutMs, isGentle: true, stop });
  if (stop.aborted) return null;
  switch (outcome.kind) {
    case "refused":
      return { inode, reason: outcome.message };
    case "unavailable":
      log.warn("IDB could not be looked through", { reason: outcome.message });
      return null;
    case "inspected": {
      const [first] = outcome.inspection.complaints;
      if (first === undefined) return null;
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
