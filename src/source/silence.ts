// Tells a server that has fallen silent from one that has nothing to say: signs of life (heartbeats, answers to our own
// pings) are due, and nothing at all came for longer than that.

import type { Clock } from "../clock.ts";

export interface SilenceWatch {
  readonly clock: Clock;
  /** How long nothing may come. */
  readonly silenceMs: number;
  readonly lookEveryMs: number;
  /** By the monotonic clock, in ms: when something last came. */
  readonly heardAt: () => number;
  /** False: nothing is taken from the connection at present, so nothing can be heard. */
  readonly isReading: () => boolean;
  /** A look that found no silence: the time to ask for a sign of life. */
  readonly looked: () => void;
  /** Ends the watch. */
  readonly silent: (seconds: number) => void;
}

/** Returns how to end it. */
export function watchSilence(watch: SilenceWatch): () => void {
  const { clock, silenceMs, lookEveryMs, heardAt, isReading, looked, silent } = watch;
  let cancel = () => {};
  let isOver = false;
  const look = () => {
    const dueAt = clock.monotonic() + lookEveryMs;
    cancel = clock.after(lookEveryMs, () => {
      const now = clock.monotonic();
      const silentMs = now - heardAt();
      // Looks that come late: it was us who stood still, and what came meanwhile still waits in the socket. A server
      // that cannot send again would have said it for nothing.
      const isLate = now - dueAt > lookEveryMs;
      if (silentMs > silenceMs && isReading() && !isLate) return silent(Math.round(silentMs / 1000));
      looked();
      if (!isOver) look();
    });
  };
  look();
  return () => {
    isOver = true;
    cancel();
  };
}
