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

/**
 * In order and without overlap. Restarts come first, for they are part of the stream of events: nothing else moves them.
 * A restart or gap that would begin during another begins at its end; a cut that meets one of them is left out.
 */
export function planOutages(setting: OutageSetting): Outage[] {
  const planned: Outage[] = [];
  for (const outage of [...wantedRestarts(setting), ...wantedGaps(setting)]) {
    let { fromUs, untilUs } = outage;
    for (let other = overlapping(planned, fromUs, untilUs); other; other = overlapping(planned, fromUs, untilUs)) {
      [fromUs, untilUs] = [other.untilUs + 1, other.untilUs + 1 + untilUs - fromUs];
    }
    planned.push({ ...outage, fromUs, untilUs });
  }
  const cuts = wantedCuts(setting).filter(({ fromUs, untilUs }) => !overlapping(planned, fromUs, untilUs));
  return [...planned, ...cuts]
    .filter((outage) => outage.fromUs < setting.endUs)
    .toSorted((one, other) => one.fromUs - other.fromUs);
}

function overlapping(outages: readonly Outage[], fromUs: number, untilUs: number): Outage | undefined {
  return outages.find((outage) => outage.fromUs <= untilUs && fromUs <= outage.untilUs);
}

function wantedRestarts(setting: OutageSetting): Outage[] {
  const random = new Random(setting.seed, "restarts");
  return setting.restartAt
    .toSorted((one, other) => one - other)
    .map((seconds) => outageAt(setting, random, "restart", seconds, random.pick(["bye", "reset"])));
}

function wantedGaps(setting: OutageSetting): Outage[] {
  const random = new Random(setting.seed, "gaps");
  return setting.gapAt
    .toSorted((one, other) => one - other)
    .map((seconds) => outageAt(setting, random, "gap", seconds, random.pick(["end", "reset"])));
}

function wantedCuts(setting: OutageSetting): Outage[] {
  const { cutEvery, startUs, endUs, usPerSecond } = setting;
  if (cutEvery === null) return [];
  const random = new Random(setting.seed, "cuts");
  const cuts: Outage[] = [];
  for (let freeUs = startUs; freeUs < endUs; ) {
    const seconds = (freeUs - startUs) / usPerSecond + random.between(cutEvery.min, cutEvery.max);
    const cut = outageAt(setting, random, "cut", seconds, random.pick(["end", "half line", "reset"]));
    cuts.push(cut);
    freeUs = Math.max(freeUs, cut.untilUs) + 1;
  }
  return cuts;
}

function outageAt(
  setting: OutageSetting,
  random: Random,
  kind: Outage["kind"],
  seconds: number,
  manner: Outage["manner"],
): Outage {
  const fromUs = setting.startUs + Math.round(seconds * setting.usPerSecond);
  const lengthUs = Math.round(random.between(setting.cutFor.min, setting.cutFor.max) * setting.usPerSecond);
  return { kind, fromUs, untilUs: fromUs + lengthUs, manner };
}
