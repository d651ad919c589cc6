// Who lets the intake go first while the processor cores are all taken.
//
// 1. The recorder, a thread of the same process: while sources send far more than can be recorded, each batch of rows is
//    made at the cost of events that their sources still hold. What is durable can wait; it waits on disk. The kernel's own
//    means, a lower priority for the one thread, is not open to a boxed service: the unit's filter of system calls refuses
//    it, and is worth more.
// 2. An extraction, a process of its own with the lowest priority (niceness.ts). That alone does not do: it still runs in
//    every moment in which a thread of the instance waits for the disk, in the same caches and the other half of its core.

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

// Of four parts of the time the instance has everything in three and more.
const pausePerPiece = 4;
const pieceWaitedShareMin = 0.25;
const piecePauseMsMax = 5_000;

/** Work in pieces that nobody waits for. Where cores are free it never pauses. */
export class PatientWork {
  readonly #monotonic: () => number;
  readonly #waitedMs: () => number | undefined;
  #endedAt: number;
  #waitedUntil: number | undefined;

  /** Milliseconds that never step; and those that this thread has waited for a core, undefined where nobody tells. */
  constructor(monotonic: () => number, waitedMs: () => number | undefined = waitedForCoreMs) {
    this.#monotonic = monotonic;
    this.#waitedMs = waitedMs;
    this.#endedAt = monotonic();
    this.#waitedUntil = waitedMs();
  }

  /** After a piece: how long to leave the cores to others, ms. The next piece begins when the pause is over. */
  pauseMs(): number {
    const now = this.#monotonic();
    const waited = this.#waitedMs();
    const tookMs = now - this.#endedAt;
    const waitedMs = (waited ?? 0) - (this.#waitedUntil ?? 0);
    const pause = waitedMs > tookMs * pieceWaitedShareMin ? Math.min(piecePauseMsMax, tookMs * pausePerPiece) : 0;
    this.#endedAt = now + pause;
    this.#waitedUntil = waited;
    return pause;
  }
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
