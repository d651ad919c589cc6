// How far work that can wait gives way to the instance beside it, where all processors are taken.

import { readdirSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

export const niceness = {
  /** A tenth of what a thread of the instance gets: for what has to come to its end soon. */
  little: 10,
  /** A thirtieth: answers still come while their readers wait. At `little`, intake feels it. */
  far: 15,
  /** A seventieth: nobody waits for it. */
  furthest: 19,
} as const;

/**
 * Puts a process that far down, this one when none is named; lower still if it was, for raising it is not open to
 * everybody. Threads are scheduled one by one: those that the runtime has begun already are put down too, and what they
 * begin later inherits it. Where it is not allowed, or the process is gone, nothing happens.
 */
export function giveWay(to: number, pid = process.pid): void {
  for (const thread of threadsOf(pid)) {
    try {
      if (getPriority(thread) < to) setPriority(thread, to);
    } catch {
      // It has ended, or belongs to somebody else: then it runs as it is.
    }
  }
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [pid];
  }
}
