// How long to wait before the next attempt: doubling, with jitter, so that a pair of instances and many sources do not
// all come back at the same moment.

export interface BackoffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

export class Backoff {
  #attempts = 0;
  readonly #limits: BackoffLimits;
  readonly #random: () => number;

  /** `random` gives numbers from 0 up to 1. */
  constructor(limits: BackoffLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
  }

  /** The wait before the next attempt, ms: between half of the doubled bound and all of it. */
  nextMs(): number {
    const bound = Math.min(this.#limits.maxMs, this.#limits.minMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return bound / 2 + (this.#random() * bound) / 2;
  }

  /** The longest wait: after a refusal that will not go away by itself, hammering helps nobody. */
  longestMs(): number {
    return this.#limits.maxMs;
  }

  /** An attempt succeeded and lasted. */
  reset(): void {
    this.#attempts = 0;
  }
}
