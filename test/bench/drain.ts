// P7: how fast the backlog of an IDB outage is recorded while the load goes on, over that load: a tenth of the capacity.
// The outage is a lock that somebody else holds. Counted from its end, the recorder's wait until it tries again included,
// until all but a tenth of a second's events are recorded.

import { AppliedTrail } from "./applied-trail.ts";
import { capacity } from "./capacity.ts";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

interface Run {
  readonly outageMs: number;
  readonly drainMs: number;
  readonly recorded: number;
  readonly ratio: number;
}

const outageMs = 15_000;
const loadShare = 0.1;
const pollMs = 5;
// The outage is long: fewer runs than of the rest.
const runsMax = 3;

export async function measureDrain(setting: Setting): Promise<Measurement> {
  const { icon, load, say } = setting;
  const eventsPerSecond = Math.round((await capacity(setting)) * loadShare);
  const windowBytes = Math.max(...setting.windows);
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await instance.send({ events: warmUpEvents, windowBytes });
  await instance.readable();
  const runs: Run[] = [];
  const count = Math.min(runsMax, setting.pairs);
  for (let run = 1; run <= count; run += 1) {
    await calm(setting);
    const isCaughtUp = async () =>
      ((await instance.report()).queue.recordsNotApplied ?? Infinity) < eventsPerSecond / 10;
    await using trail = new AppliedTrail(instance.idbPath, pollMs);
    // Longer than the outage by more than what the goal leaves for draining it.
    const secondsMax = (outageMs / 1000) * 1.5;
    const events = Math.round(eventsPerSecond * secondsMax);
    const lock = instance.lockIdb();
    const sending = instance.send({ events, windowBytes, eventsPerSecond, secondsMax });
    await Bun.sleep(outageMs);
    const before = trail.seen.at(-1)?.position ?? 0;
    lock[Symbol.dispose]();
    const endedAt = performance.timeOrigin + performance.now();
    await instance.until(async () => (trail.seen.at(-1)?.position ?? 0) > before && (await isCaughtUp()));
    const last = trail.seen.at(-1);
    if (last === undefined) throw new Error("Cannot measure P7: nothing was recorded after the outage");
    await sending;
    const drainMs = last.at - endedAt;
    const recorded = last.position - before;
    const ratio = perSecond(recorded, drainMs) / eventsPerSecond;
    runs.push({ outageMs, drainMs, recorded, ratio });
    say(`P7 ${run}/${count}: ${shown(recorded)} events in ${shown(drainMs)} ms, ${ratio.toFixed(1)} times the load`);
  }
  const rate = spread(runs.map(({ recorded, drainMs }) => perSecond(recorded, drainMs))).median;
  return {
    promise: "P7",
    what: "drain after an IDB outage ÷ load that goes on",
    unit: "",
    goal: { atLeast: 5 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note: `${shown(rate)} ÷ ${shown(eventsPerSecond)} events/s, outage of ${outageMs / 1000} s`,
    runs,
  };
}
