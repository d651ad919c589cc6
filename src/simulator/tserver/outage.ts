// When connections are cut, when the server restarts, when it forgets what it could have sent again. Planned in source
// time before anything happens, so that a restart falls on the same event of every run with the same seed.

import { Random } from "./random.ts";

export interface Outage {
  /**
   * cut: connections are lost for a while. gap: the same, and what is in the resend buffer at its end is forgotten.
   * restart: a new server run begins, and connections are refused for a while.
   */
  readonly kind: "cut" | "gap" | "restart";
  readonly fromUs: number;
  readonly untilUs: number;
  /** How the connection is lost: an orderly bye, an end of stream, half a line and an end of stream, a reset. */
  readonly manner: "bye" | "end" | "half line" | "reset";
}

export interface SecondsRange {
  readonly min: number;
  readonly max: number;
}

export interface OutageSetting {
  readonly seed: number;
  /** Microseconds of source time. */
  readonly startUs: number;
  readonly endUs: number;
  /** Source microseconds in one second of the options. */
  readonly usPerSecond: number;
  readonly cutEvery: SecondsRange | null;
  readonly cutFor: SecondsRange;
  readonly restartAt: readonly number[];
  readonly gapAt: readonly number[];
}

/** In order and without overlap: what would begin during another outage begins at its end. */
export function planOutages(setting: OutageSetting): Outage[] {
  const random = new Random(setting.seed, "outages");
  const us = (seconds: number) => Math.round(seconds * setting.usPerSecond);
  const length = () => us(random.between(setting.cutFor.min, setting.cutFor.max));
  const wanted: Outage[] = [];
  const want = (kind: Outage["kind"], fromUs: number, manner: Outage["manner"]) =>
    wanted.push({ kind, fromUs, untilUs: fromUs + length(), manner });

  for (const seconds of setting.restartAt) {
    want("restart", setting.startUs + us(seconds), random.chance(0.5) ? "bye" : "reset");
  }
  for (const seconds of setting.gapAt) want("gap", setting.startUs + us(seconds), random.pick(["end", "reset"]));
  if (setting.cutEvery !== null) {
    const distance = setting.cutEvery;
    let atUs = setting.startUs;
    for (;;) {
      atUs += Math.max(1, us(random.between(distance.min, distance.max)));
      if (atUs >= setting.endUs) break;
      want("cut", atUs, random.pick(["end", "half line", "reset"]));
      atUs = wanted.at(-1)?.untilUs ?? atUs;
    }
  }

  wanted.sort((one, other) => one.fromUs - other.fromUs);
  let freeUs = setting.startUs;
  return wanted
    .map((outage) => {
      const fromUs = Math.max(outage.fromUs, freeUs);
      freeUs = fromUs + outage.untilUs - outage.fromUs + 1;
      return { ...outage, fromUs, untilUs: freeUs - 1 };
    })
    .filter((outage) => outage.fromUs < setting.endUs);
}
