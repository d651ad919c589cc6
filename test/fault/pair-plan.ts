// What befalls the two instances of a pair and when, from a seed alone: on either of them, and now and then on both at
// the same moment. On one side one fault is over before the next begins.

import { Random } from "../../src/simulator/tserver/random.ts";
import type { Pair, Side, SideName } from "../harness/pair.ts";
import { sideNames } from "../harness/pair.ts";

/** What happens to one side. Each begins, lasts for a while where it can, and is mended. */
export const faults = {
  /** Nothing gets through, and neither end is told. */
  "cable pulled": { weight: 10, lasts: { min: 0.05, max: 5 } },
  "connection reset": { weight: 4, lasts: { min: 0, max: 0 } },
  /** Killed, and started again. */
  killed: { weight: 6, lasts: { min: 0, max: 3 } },
  /** Its host stands still. */
  frozen: { weight: 6, lasts: { min: 0.05, max: 5 } },
  "IDB deleted while it runs": { weight: 2, lasts: { min: 0, max: 0 } },
  "IDB deleted while it is down": { weight: 2, lasts: { min: 0, max: 2 } },
  // Seldom, for with the IDB lost after it all is gone that was before.
  "queue deleted while it is down": { weight: 1, lasts: { min: 0, max: 2 } },
} as const;
export type FaultKind = keyof typeof faults;

export interface Episode {
  readonly side: SideName;
  readonly fault: FaultKind;
  /** Milliseconds from the beginning. */
  readonly atMs: number;
  readonly forMs: number;
}

export interface PlanSetting {
  readonly seed: number;
  /** Nothing begins or goes on after it. */
  readonly seconds: number;
  /** Mean of the quiet between two faults of one side, and between two that befall both, seconds. */
  readonly quietSeconds: { readonly one: number; readonly both: number };
}

// What comes sooner after a fault than the recovery from it would only prolong it.
const quietSecondsMin = 0.3;

/** In the order in which they begin. */
export function planFaults({ seed, seconds, quietSeconds }: PlanSetting): Episode[] {
  const planned: Episode[] = [];
  const draw = (purpose: string, meanSeconds: number, sides: readonly SideName[]) => {
    const random = new Random(seed, purpose);
    for (let at = 0; ; ) {
      at += quietSecondsMin + random.exponential(meanSeconds);
      const fault = pickFault(random);
      const { min, max } = faults[fault].lasts;
      // Short ones are as frequent as long ones.
      const lasts = min === 0 ? max * random.fraction() : min * (max / min) ** random.fraction();
      if (at + lasts > seconds) return;
      const episodes = sides.map((side) => ({ side, fault, atMs: at * 1000, forMs: lasts * 1000 }));
      if (!episodes.some((each) => planned.some((other) => isClose(each, other)))) planned.push(...episodes);
      at += lasts;
    }
  };
  draw("both", quietSeconds.both, sideNames);
  for (const side of sideNames) draw(side, quietSeconds.one, [side]);
  return planned.toSorted((one, other) => one.atMs - other.atMs);
}

function pickFault(random: Random): FaultKind {
  const kinds = Object.keys(faults) as FaultKind[];
  let drawn = random.below(kinds.reduce((sum, kind) => sum + faults[kind].weight, 0));
  for (const kind of kinds) {
    drawn -= faults[kind].weight;
    if (drawn < 0) return kind;
  }
  throw new Error("the weights sum up to what was drawn from");
}

function isClose(one: Episode, other: Episode): boolean {
  const quietMs = quietSecondsMin * 1000;
  const isApart = one.atMs > other.atMs + other.forMs + quietMs || other.atMs > one.atMs + one.forMs + quietMs;
  return one.side === other.side && !isApart;
}

/** Lets it all happen; resolves when everything is mended. An episode waits for the one before it on its side. */
export async function befall(pair: Pair, episodes: readonly Episode[]): Promise<void> {
  const startedAt = performance.now();
  await Promise.all(
    pair.both.map(async (side) => {
      for (const episode of episodes.filter((each) => each.side === side.name)) {
        await Bun.sleep(Math.max(0, startedAt + episode.atMs - performance.now()));
        await befallOne(side, episode);
      }
    }),
  );
}

async function befallOne(side: Side, { fault, forMs }: Episode): Promise<void> {
  switch (fault) {
    case "cable pulled":
      side.cable.pull();
      await Bun.sleep(forMs);
      side.cable.plug();
      return;
    case "connection reset":
      side.reset();
      return;
    case "frozen":
      side.freeze();
      await Bun.sleep(forMs);
      side.thaw();
      return;
    case "IDB deleted while it runs":
      side.deleteIdb();
      return;
    case "killed":
    case "IDB deleted while it is down":
    case "queue deleted while it is down":
      await side.kill();
      if (fault === "IDB deleted while it is down") side.deleteIdb();
      if (fault === "queue deleted while it is down") side.deleteQueue();
      await Bun.sleep(forMs);
      await side.start();
  }
}
