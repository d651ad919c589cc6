// The start of a persistent queue on a disk that is full. After a crash the segment that was open is copied (recovery.ts),
// and the copy needs its room: until there is some, nothing can be taken in, and nothing is lost.

import { type Clock, sleep } from "../clock.ts";
import type { Log } from "../log.ts";
import { isDiskFull } from "./disk-full.ts";

export interface RoomWait {
  readonly clock: Clock;
  readonly log: Log;
  /** Gives the waiting up: what the last try threw is thrown. */
  readonly stop: AbortSignal;
  /** Told at each try that failed, with the reason. */
  readonly waiting: (reason: string) => void;
}

const againMs = 1_000;

/** Tries until there is room. Any other error, and the last one at `stop`, goes on to the caller. */
export async function openWithRoom<T>(open: () => Promise<T>, { clock, log, stop, waiting }: RoomWait): Promise<T> {
  let isSaid = false;
  while (true) {
    try {
      return await open();
    } catch (error) {
      if (!isDiskFull(error) || stop.aborted) throw error;
      if (!isSaid) log.error("the disk is full: the start waits for room", { reason: error.message });
      isSaid = true;
      waiting(error.message);
    }
    await sleep(clock, againMs, stop);
  }
}
