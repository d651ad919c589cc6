// Chance from a seed: the same seed gives the same numbers on every machine, so a run that found something can be
// repeated. Every purpose gets a stream of its own, so that a draw added for one does not shift the others.

/** A seeded stream of numbers (sfc32). Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Streams of the same seed and another purpose are independent of each other. */
  constructor(seed: number, purpose: string) {
    const words = new Uint32Array(new Bun.CryptoHasher("sha256").update(`${seed}/${purpose}`).digest().buffer, 0, 3);
    this.#a = words[0] ?? 0;
    this.#b = words[1] ?? 0;
    this.#c = words[2] ?? 0;
  }

  /** From 0 up to, not including, 2^32. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** From 0 up to, not including, 1. */
  fraction(): number {
    return this.word() / 0x1_0000_0000;
  }

  /** A whole number from 0 up to, not including, `count`. */
  below(count: number): number {
    return Math.floor(this.fraction() * count);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** Exponentially distributed, so that arrivals at this mean distance look like those of independent callers. */
  exponential(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean;
  }

  /** `items` must not be empty. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }
}
