// What was last read of the pair, for whoever looks. The page shows what is known and never waits for a ledger: a peer
// that is slow, or a busy IDB, makes the time line older and nothing else.

import type { Clock } from "../clock.ts";
import type { PairReport, ReadPair } from "./pair-report.ts";
import type { PairSpan } from "./pair-span.ts";

export interface PairKnowledge {
  /** Null: nothing was read yet. */
  readonly report: PairReport | null;
  /** Why it could not be read anew; null: it could, or is being read. */
  readonly failure: string | null;
}

const nothing: PairKnowledge = { report: null, failure: null };

export class PairReading {
  readonly #clock: Clock;
  readonly #read: ReadPair;
  readonly #known = new Map<string, PairKnowledge>();
  readonly #askedAtMs = new Map<string, number>();
  #isReading = false;

  constructor(clock: Clock, read: ReadPair) {
    this.#clock = clock;
    this.#read = read;
  }

  /** What is known now; the same value until something else is. Begins to read when that has become old. */
  look(span: PairSpan): PairKnowledge {
    const askedAtMs = this.#askedAtMs.get(span.key) ?? Number.NEGATIVE_INFINITY;
    if (!this.#isReading && this.#clock.monotonic() - askedAtMs >= span.readEveryMs) void this.#readAnew(span);
    return this.#known.get(span.key) ?? nothing;
  }

  async #readAnew(span: PairSpan): Promise<void> {
    this.#isReading = true;
    this.#askedAtMs.set(span.key, this.#clock.monotonic());
    try {
      this.#known.set(span.key, { report: await this.#read(span.ms), failure: null });
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      this.#known.set(span.key, { report: this.#known.get(span.key)?.report ?? null, failure });
    } finally {
      this.#isReading = false;
      // What took long is not asked for again at once.
      this.#askedAtMs.set(span.key, this.#clock.monotonic());
    }
  }
}
