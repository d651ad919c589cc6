// The time of one kind of doing in the centre: a stream of chance of its own, and what it plans on the schedule.

import type { Random } from "./random.ts";
import type { Schedule } from "./schedule.ts";

export class Pace {
  readonly random: Random;
  readonly #schedule: Schedule;
  readonly #board: { readonly nowUs: number };
  readonly #talkSeconds: number;

  constructor(setting: {
    readonly random: Random;
    readonly schedule: Schedule;
    readonly board: { readonly nowUs: number };
    /** Mean of a talk; other stretches are set in relation to it. */
    readonly talkSeconds: number;
  }) {
    this.random = setting.random;
    this.#schedule = setting.schedule;
    this.#board = setting.board;
    this.#talkSeconds = setting.talkSeconds;
  }

  /** Not before the next microsecond, so that two steps of one script are two moments. */
  after(seconds: number, act: () => void): void {
    this.#schedule.plan(this.#board.nowUs + Math.max(1, Math.round(seconds * 1_000_000)), act);
  }

  /** A stretch between these shares of the mean talk, in seconds. */
  talk(min: number, max: number): number {
    return this.random.between(min, max) * this.#talkSeconds;
  }

  /** Many short and few long ones, in mean talks; none longer than four times the mean. */
  about(mean: number): number {
    return Math.min(this.random.exponential(mean), 4 * mean) * this.#talkSeconds;
  }
}
