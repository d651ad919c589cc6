// P5: rate of intake while the IDB is written ÷ while it is paused (somebody holds its lock), same window. Both begin after
// a warm-up that was recorded to its end.

import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, emptyPlace, perSecond, type Setting, shown, warmUpEvents } from "./setting.ts";

interface Run {
  readonly written: Intake;
  readonly paused: Intake;
  readonly ratio: number;
}

interface Intake {
  readonly eventsPerSecond: number;
  readonly recordedPerSecond: number;
}

export async function measureRecording(setting: Setting, windowBytes: number): Promise<Measurement> {
  const { pairs, say } = setting;
  const runs: Run[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    // Whoever is first may find another disk than who is second: in turn.
    const isPausedFirst = pair % 2 === 1;
    const first = await intake(setting, windowBytes, isPausedFirst ? "paused" : "written");
    const second = await intake(setting, windowBytes, isPausedFirst ? "written" : "paused");
    const [paused, written] = isPausedFirst ? ([first, second] as const) : ([second, first] as const);
    const ratio = written.eventsPerSecond / paused.eventsPerSecond;
    runs.push({ written, paused, ratio });
    say(
      `P5 ${windowBytes} ${pair}/${pairs}: ${shown(written.eventsPerSecond)} ÷ ${shown(paused.eventsPerSecond)} = ${ratio.toFixed(2)}`,
    );
  }
  emptyPlace(setting);
  const median = (pick: (run: Run) => number) => shown(spread(runs.map(pick)).median);
  return {
    promise: "P5",
    what: `intake, IDB written ÷ paused, window ${windowBytes / 1024} KiB`,
    unit: "",
    goal: { atLeast: 0.7 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note:
      `${median(({ written }) => written.eventsPerSecond)} ÷ ${median(({ paused }) => paused.eventsPerSecond)} events/s; ` +
      `recorded meanwhile: ${median(({ written }) => written.recordedPerSecond)} events/s`,
    runs,
  };
}

async function intake(setting: Setting, windowBytes: number, idb: "written" | "paused"): Promise<Intake> {
  const { icon, load, seconds } = setting;
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await instance.send({ events: warmUpEvents, windowBytes });
  await instance.readable();
  await calm(setting);
  using _lock = idb === "paused" ? instance.lockIdb() : null;
  const before = (await instance.report()).idb.appliedPosition;
  const sent = await instance.send({ events: load.events, windowBytes, secondsMax: seconds });
  const after = (await instance.report()).idb.appliedPosition;
  const ms = sent.lastAckAt - sent.firstSentAt;
  return {
    eventsPerSecond: perSecond(sent.events, ms),
    recordedPerSecond: perSecond(Number(after ?? 0) - Number(before ?? 0), ms),
  };
}
