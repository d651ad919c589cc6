// So many a second in the long run, and a number of them at once.

import type { Clock } from "../clock.ts";

export interface PaceBounds {
  readonly perSecond: number;
  readonly atOnceMax: number;
}

export class Pace {
  readonly #clock: Clock;
  readonly #bounds: PaceBounds;
  #left: number;
  #atMs: number;

  constructor(clock: Clock, bounds: PaceBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#left = bounds.atOnceMax;
    this.#atMs = clock.monotonic();
  }

  /** Takes one; false: there is none left for now. */
  take(): boolean {
    this.#gain();
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Nothing was taken for so long that it is as new. */
  get isFull(): boolean {
    this.#gain();
    return this.#left >= this.#bounds.atOnceMax;
  }

  #gain(): void {
    const now = this.#clock.monotonic();
    const { perSecond, atOnceMax } = this.#bounds;
    this.#left = Math.min(atOnceMax, this.#left + ((now - this.#atMs) / 1000) * perSecond);
    this.#atMs = now;
  }
}
