// The only place that asks for the time. Everything else is given a Clock, so that tests and the seeded
// simulation decide what time it is.

/** The instance's own time. Arrival instants come from `now`; durations from `monotonic`, which never steps. */
export interface Clock {
  /** Milliseconds since 1970 UTC by this host's clock; may step. */
  now(): number;
  /** Milliseconds since an arbitrary start; never steps back. */
  monotonic(): number;
  /** Calls `act` once after `delayMs`; returns what cancels it. */
  after(delayMs: number, act: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when `signal` is or becomes aborted. Never rejects. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** Lets whatever waits (messages, signals, sockets) have its turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
