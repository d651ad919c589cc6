// Whether the other server of a pair says that it is the primary as well. A server says its role only in its hello and
// when it is changed, so the other one has to be asked: once soon after a session began, seldom while all is well, more
// often while both are primary. Each time is one short connection; nothing is taken from it.

import { type Clock, sleep } from "../clock.ts";
import type { Hello } from "../protocol/tevent/line.ts";
import type { Address } from "./network.ts";

export interface PairWatchOptions {
  readonly clock: Clock;
  /** Null: it did not say. Never rejects. */
  readonly ask: (address: Address, stop: AbortSignal) => Promise<Hello["role"] | null>;
  /** `other`: a second primary, where it answers; null: there is one no longer. Told when it changes. */
  readonly changed: (other: Address | null) => void;
  readonly times: PairWatchTimes;
}

export interface PairWatchTimes {
  /** After a session began, ms: both servers have settled their roles by then. */
  readonly firstMs: number;
  readonly everyMs: number;
  readonly whileBothMs: number;
}

export const pairWatchTimes: PairWatchTimes = { firstMs: 2_000, everyMs: 300_000, whileBothMs: 30_000 };

export class PairWatch {
  readonly #options: PairWatchOptions;
  #watching: AbortController | null = null;
  #second: Address | null = null;

  constructor(options: PairWatchOptions) {
    this.#options = options;
  }

  /** A session has begun elsewhere; `others` are the servers that should not be primary now. */
  begin(others: readonly Address[]): void {
    this.end();
    if (others.length === 0) return;
    this.#watching = new AbortController();
    void this.#watch(others, this.#watching.signal);
  }

  /** The session is over. */
  end(): void {
    this.#watching?.abort();
    this.#watching = null;
    this.#second = null;
  }

  async #watch(others: readonly Address[], stop: AbortSignal): Promise<void> {
    const { clock, times, changed } = this.#options;
    await sleep(clock, times.firstMs, stop);
    while (!stop.aborted) {
      const second = await this.#secondAmong(others, stop);
      if (stop.aborted) return;
      if (this.#second !== second) {
        this.#second = second;
        changed(second);
      }
      await sleep(clock, second === null ? times.everyMs : times.whileBothMs, stop);
    }
  }

  async #secondAmong(others: readonly Address[], stop: AbortSignal): Promise<Address | null> {
    let second: Address | null = null;
    for (const other of others) {
      const role = await this.#options.ask(other, stop);
      if (stop.aborted) return null;
      // A second primary that does not answer any more may well still be one.
      const isStillSecond = role === null && this.#second === other;
      if (role === "primary" || isStillSecond) second = other;
    }
    return second;
  }
}
