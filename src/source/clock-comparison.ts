// How far a source's clock is from ours, from its answers to our pings: it read its clock somewhere between our sending
// and our receiving, so the middle is the best guess, and half of the round trip is what the guess may be off by.
//
//   ours     sent ─────────── middle ─────────── received
//   source          ↑ somewhere in between it read `sourceAt`
//
// 1. A pong that waited behind events tells little; the tightest of the last few answers stands for all of them.
// 2. Steps of the source's clock are told against our monotonic clock, so that a step of ours is none of the source's.

import type { Clock } from "../clock.ts";
import type { SourceInstant } from "../event/instant.ts";

export interface ClockDifference {
  /** The source's clock minus ours, ms; positive: the source is ahead. */
  readonly differenceMs: number;
  /** The true difference is within so much of it, ms. */
  readonly uncertaintyMs: number;
}

export interface Comparison extends ClockDifference {
  /** The source's clock has stepped since the last answer, ms; null: it has not. */
  readonly stepMs: number | null;
  /** It is not what was last told: somebody should be told. */
  readonly isNews: boolean;
}

interface Answer {
  /** The source's clock minus our monotonic one, ms. */
  readonly steadyMs: number;
  readonly uncertaintyMs: number;
}

// As of NTP's clock filter; at a heartbeat of 10 s clocks drift by a few ms meanwhile.
const answersKept = 8;
const pingsKept = 8;
// Both clocks are read in whole milliseconds.
const resolutionMs = 1;
// As for our own clock: below that, a time service may be slewing.
const stepMsMin = 500;
// What the two clocks drift apart by in an hour or two is no news each time.
const changeMsMin = 20;
// An estimate that has become so much better is news although it agrees.
const sharpening = 4;
const vagueMsMin = 50;

export class ClockComparison {
  readonly #clock: Clock;
  readonly #sent = new Map<string, number>();
  #answers: readonly Answer[] = [];
  #told: ClockDifference | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A ping goes out now. */
  sent(ping: string): void {
    this.#sent.set(ping, this.#clock.monotonic());
    const [oldest] = this.#sent.keys();
    if (this.#sent.size > pingsKept && oldest !== undefined) this.#sent.delete(oldest);
  }

  /** When a ping went out, by the monotonic clock; undefined: it was not ours, or it is answered or forgotten. */
  sentAt(ping: string): number | undefined {
    return this.#sent.get(ping);
  }

  /** The answer to a ping came now, with the source's time. Null: it answers nothing that we asked. */
  answered(ping: string, sourceAt: SourceInstant): Comparison | null {
    const sentAt = this.#sent.get(ping);
    if (sentAt === undefined) return null;
    this.#sent.delete(ping);
    const receivedAt = this.#clock.monotonic();
    const answer = {
      steadyMs: sourceAt - (sentAt + receivedAt) / 2,
      uncertaintyMs: (receivedAt - sentAt) / 2 + resolutionMs,
    };
    const stepMs = this.#stepOf(answer);
    this.#answers = [...(stepMs === null ? this.#answers : []), answer].slice(-answersKept);
    const best = tightest(this.#answers) ?? answer;
    const difference = {
      differenceMs: Math.round(best.steadyMs + receivedAt - this.#clock.now()),
      uncertaintyMs: Math.ceil(best.uncertaintyMs),
    };
    const isNews = stepMs !== null || this.#isNews(difference);
    if (isNews) this.#told = difference;
    return { ...difference, stepMs, isNews };
  }

  #stepOf(answer: Answer): number | null {
    const before = tightest(this.#answers);
    if (before === undefined) return null;
    const movedMs = answer.steadyMs - before.steadyMs;
    const certainMs = Math.abs(movedMs) - answer.uncertaintyMs - before.uncertaintyMs;
    return certainMs >= stepMsMin ? Math.round(movedMs) : null;
  }

  #isNews({ differenceMs, uncertaintyMs }: ClockDifference): boolean {
    const told = this.#told;
    if (told === null) return true;
    const isElsewhere = Math.abs(differenceMs - told.differenceMs) > uncertaintyMs + told.uncertaintyMs + changeMsMin;
    const isSharper = told.uncertaintyMs >= vagueMsMin && uncertaintyMs * sharpening <= told.uncertaintyMs;
    return isElsewhere || isSharper;
  }
}

function tightest(answers: readonly Answer[]): Answer | undefined {
  return answers.toSorted((one, other) => one.uncertaintyMs - other.uncertaintyMs)[0];
}
