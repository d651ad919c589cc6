// P9: the resident set of the instance's one process: idle with a connected source, at its peak in a flood and while the
// backlog of that is recorded, and with 10 GB of backlog while the IDB is locked, over the same
// queue with nothing waiting: both know the same open calls.

import { Database } from "bun:sqlite";
import { copyFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { spread } from "./figures.ts";
import { type LargeData, largeData } from "./large-data.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { emptyPlace, perSecond, type Setting, shown } from "./setting.ts";

interface Run {
  readonly idleMiB: number;
  readonly floodMiB: number;
  readonly floodEventsPerSecond: number;
  /** All of the queue is recorded. */
  readonly recordedMiB: number;
  readonly backlogMiB: number;
  readonly drainMiB: number;
  readonly ratio: number;
}

// What a start needs is given back by then.
const settleMs = 8_000;
const drainMs = 8_000;
// Each takes half a minute.
const runsMax = 3;

export async function measureMemory(setting: Setting): Promise<Measurement[]> {
  const { load, pairs, say } = setting;
  const large = await largeData(setting);
  const count = Math.min(runsMax, pairs);
  const runs: Run[] = [];
  for (let run = 1; run <= count; run += 1) {
    const { idleMiB, floodMiB, floodEventsPerSecond } = await idleAndFlood(setting);
    const recordedMiB = await recorded(setting, large);
    const { backlogMiB, drainMiB } = await backlog(setting, large);
    const ratio = backlogMiB / recordedMiB;
    runs.push({ idleMiB, floodMiB, floodEventsPerSecond, recordedMiB, backlogMiB, drainMiB, ratio });
    say(
      `P9 ${run}/${count}: ${[idleMiB, floodMiB, recordedMiB, backlogMiB, drainMiB].map((each) => each.toFixed(1)).join(", ")} MiB`,
    );
  }
  const median = (pick: (run: Run) => number) => spread(runs.map(pick)).median;
  const backlogSize = `${(large.queueBytes / 1e9).toFixed(1)} GB`;
  return [
    {
      promise: "P9",
      what: "resident set, idle",
      unit: "MiB",
      goal: { atMost: 80 },
      figure: spread(runs.map(({ idleMiB }) => idleMiB)),
      note: "one source connected",
      runs,
    },
    {
      promise: "P9",
      what: "resident set, peak of a flood",
      unit: "MiB",
      goal: { atMost: 160 },
      figure: spread(runs.map(({ floodMiB }) => floodMiB)),
      note: `${shown(load.events)} events at ${shown(median((run) => run.floodEventsPerSecond))} a second, and ${drainMs / 1000} s after`,
      runs,
    },
    {
      promise: "P9",
      what: `resident set, ${backlogSize} of backlog ÷ none`,
      unit: "",
      goal: { atMost: 1.2 },
      figure: spread(runs.map(({ ratio }) => ratio)),
      note: `${median((run) => run.backlogMiB).toFixed(0)} ÷ ${median((run) => run.recordedMiB).toFixed(0)} MiB; peak of ${drainMs / 1000} s of draining it ${median((run) => run.drainMiB).toFixed(0)} MiB`,
      runs,
    },
  ];
}

async function idleAndFlood(setting: Setting) {
  const { icon, load } = setting;
  await using instance = await MeasuredInstance.start({ icon, directory: emptyPlace(setting), loadPath: load.path });
  await Bun.sleep(settleMs);
  const idleMiB = memory(instance, "VmRSS");
  const sent = await instance.send({ events: load.events, windowBytes: Math.max(...setting.windows) });
  await Bun.sleep(drainMs);
  const floodEventsPerSecond = perSecond(sent.events, sent.lastAckAt - sent.firstSentAt);
  return { idleMiB, floodMiB: memory(instance, "VmHWM"), floodEventsPerSecond };
}

async function recorded({ icon }: Setting, { directory, idbPath, queueLines }: LargeData): Promise<number> {
  const place = { icon, directory, loadPath: null, idb: idbPath, queue: queueLines };
  await using instance = await MeasuredInstance.start(place);
  await Bun.sleep(settleMs);
  return memory(instance, "VmRSS");
}

async function backlog({ icon }: Setting, large: LargeData) {
  const { directory, smallIdbPath, queueLines } = large;
  const idb = join(directory, "backlog.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${idb}${suffix}`, { force: true });
  copyFileSync(smallIdbPath, idb);
  const lock = new Database(idb);
  lock.exec("BEGIN IMMEDIATE");
  await using instance = await MeasuredInstance.start({ icon, directory, loadPath: null, idb, queue: queueLines });
  await Bun.sleep(settleMs);
  const backlogMiB = memory(instance, "VmRSS");
  lock.close();
  await Bun.sleep(drainMs);
  return { backlogMiB, drainMiB: memory(instance, "VmHWM") };
}

function memory({ process }: MeasuredInstance, name: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${process.pid}/status`, "latin1");
  const kibibytes = Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
  if (!(kibibytes > 0)) throw new Error(`Cannot measure P9: no ${name} in /proc/${process.pid}/status`);
  return kibibytes / 1024;
}
