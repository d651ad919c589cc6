// When the recorder lets the intake go first. Both are threads of one process: while sources send far more than can be
// recorded, and the processor cores are all taken, each batch of rows is made at the cost of events that their sources
// still hold. What is durable can wait; it waits on disk.
//
// The kernel's own means, a lower priority for the one thread, is not open to a boxed service: the unit's filter of system
// calls refuses it, and is worth more.

import { readFileSync } from "node:fs";

export interface BatchTimes {
  /** How long the batch took. */
  readonly tookMs: number;
  /** How long of it the recorder's thread could have run and got no core. */
  readonly waitedMs: number;
  readonly recordedCount: number;
  /** Records that became durable meanwhile. */
  readonly arrivedCount: number;
}

// A flood: the backlog grows as fast as it is recorded, or faster. Below that the recorder is what is waited for.
const arrivedPerRecorded = 2;
// Less is what any thread waits on an idle machine, for interrupts and the kernel's own work.
const waitedShareMin = 0.05;
// Two parts of pause to one of work: the intake has what the machine has for two thirds of the time, and the recorder still
// writes more than a large site sends at its peak.
const pausePerWork = 2;
// Somebody who looks at the rows sees them come, however slow the disk.
const pauseMsMax = 1_000;

/** How long to pause after this batch, ms; 0: not at all. */
export function pauseMs({ tookMs, waitedMs, recordedCount, arrivedCount }: BatchTimes): number {
  const isFlood = arrivedCount > recordedCount * arrivedPerRecorded;
  const isShort = waitedMs > tookMs * waitedShareMin;
  return isFlood && isShort ? Math.min(pauseMsMax, tookMs * pausePerWork) : 0;
}

/** How long this thread has waited for a core since it began, ms; undefined where the kernel does not tell. */
export function waitedForCoreMs(): number | undefined {
  try {
    // Nanoseconds run, nanoseconds waited to run, times run.
    const waited = Number(readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")[1]);
    return Number.isFinite(waited) ? waited / 1e6 : undefined;
  } catch {
    return undefined; // a kernel without it, or no /proc
  }
}
