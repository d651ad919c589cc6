// P1: durably acknowledged events/s ÷ bare write and fdatasync of the same bytes in the same commit sizes. "written" means
// that the instance also writes its IDB on the same disk meanwhile, "paused" that somebody holds the IDB's lock.

import { join } from "node:path";
import { readCommits } from "./commit-sizes.ts";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, child, emptyPlace, perSecond, type Setting, shown } from "./setting.ts";

export async function measureIntake(
  setting: Setting,
  windowBytes: number,
  idb: "written" | "paused",
): Promise<Measurement> {
  const { icon, load, pairs, seconds, say } = setting;
  const runs = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const place = emptyPlace(setting);
    await calm(setting);
    const instance = await MeasuredInstance.start({ icon, directory: place, loadPath: load.path });
    const lock = idb === "paused" ? instance.lockIdb() : null;
    const sent = await instance.send({ events: load.events, windowBytes, secondsMax: seconds });
    await instance.end("SIGKILL");
    lock?.[Symbol.dispose]();
    const sizes = readCommits(instance.queueDirectory).flatMap((segment) => segment.sizes);
    await calm(setting);
    const bareMs = Number(await child("bare-disk.ts", [instance.queueDirectory, join(setting.directory, "target")]));
    const eventsPerSecond = perSecond(sent.events, sent.lastAckAt - sent.firstSentAt);
    const bareEventsPerSecond = perSecond(sent.events, bareMs);
    const ratio = eventsPerSecond / bareEventsPerSecond;
    const commitBytes = spread(sizes).median;
    runs.push({ eventsPerSecond, bareEventsPerSecond, ratio, events: sent.events, commits: sizes.length, commitBytes });
    say(`P1 ${windowBytes} ${idb} ${pair}/${pairs}: ${shown(eventsPerSecond)} ÷ ${shown(bareEventsPerSecond)}`);
  }
  emptyPlace(setting);
  const own = spread(runs.map((each) => each.eventsPerSecond)).median;
  const bare = spread(runs.map((each) => each.bareEventsPerSecond)).median;
  return {
    promise: "P1",
    what: `intake ÷ bare disk, window ${windowBytes / 1024} KiB, IDB ${idb}`,
    unit: "",
    goal: { atLeast: 0.8 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note: `${shown(own)} ÷ ${shown(bare)} events/s`,
    runs,
  };
}
