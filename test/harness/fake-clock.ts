// A clock that stands still until it is told to go on. Timers fire in the order of their time, each at its own time.

import type { Clock } from "../../src/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly act: () => void;
}

export class FakeClock implements Clock {
  #elapsedMs = 0;
  #wallOffsetMs: number;
  #timers: Timer[] = [];
  #order = 0;

  /** Begins at `startMs` since 1970. */
  constructor(startMs = Date.parse("2026-11-23T08:00:00.000Z")) {
    this.#wallOffsetMs = startMs;
  }

  now(): number {
    return this.#wallOffsetMs + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, act: () => void): () => void {
    const timer = { at: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** The wall clock steps; the monotonic one does not. */
  step(ms: number): void {
    this.#wallOffsetMs += ms;
  }

  /** `ms` pass in which nothing runs, as while the host stands still: what fell due comes late, at the next advance. */
  standStill(ms: number): void {
    this.#elapsedMs += ms;
  }

  /** Lets `ms` pass, timer by timer; what a timer set off gets its turn before the next one. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#earliest(until); next !== undefined; next = this.#earliest(until)) {
      this.#timers = this.#timers.filter((each) => each !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.act();
      await settle();
    }
    this.#elapsedMs = until;
  }

  #earliest(until: number): Timer | undefined {
    return this.#timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Lets everything that is ready run: promises, and what they lead to. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
