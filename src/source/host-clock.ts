// This host's clock, by which arrivals are stamped, held against the clock that never steps.
//
// 1. A step is noticed before the first instant of the new time is given out, so that a mark can stand before the first
//    record that bears it.
// 2. What the time service does slowly (it slews by at most 0.5 ms in a second) is no step. A host that slept is one:
//    its monotonic clock stood still meanwhile.
// 3. Between two runs of the instance there is nothing to hold the clock against.

import type { Clock } from "../clock.ts";

// Above what a time service slews away between two looks, below what would put an event into another second.
const stepMsMin = 500;
// Longer between two readings, and this thread was stopped between them: they do not belong together.
const readingMsMax = 50;

export class HostClock {
  readonly #clock: Clock;
  /** Wall clock minus monotonic clock, ms, as of the last step. */
  #offsetMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.now() - clock.monotonic();
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.now();
  }

  /** Milliseconds by which the clock has stepped since the last look, forward or (negative) back; null: it has not. */
  takeStep(): number | null {
    if (Math.abs(this.#clock.now() - this.#clock.monotonic() - this.#offsetMs) < stepMsMin) return null;
    const before = this.#clock.monotonic();
    const wall = this.#clock.now();
    const after = this.#clock.monotonic();
    if (after - before > readingMsMax) return null;
    const stepMs = wall - after - this.#offsetMs;
    if (Math.abs(stepMs) < stepMsMin) return null;
    this.#offsetMs = wall - after;
    return Math.round(stepMs);
  }
}
