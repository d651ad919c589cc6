// P4's share that the window ledger's digest takes (at most 3 %): CPU time of `icon rebuild` from one persistent queue ÷
// that of a build without the digest. Of all that P4 does a rebuild leaves the intake out, so the share is no smaller than
// there; CPU time, for the disk's moods are larger than what is measured.

import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, emptyPlace, type Setting, shown } from "./setting.ts";

interface Run {
  readonly withMs: number;
  readonly withoutMs: number;
  readonly ratio: number;
}

const root = resolve(import.meta.dir, "../..");
// Long enough for what is compiled once not to be most of it.
const eventsMax = 300_000;

export async function measureDigest(setting: Setting): Promise<Measurement> {
  const { icon, load, pairs, say } = setting;
  const events = Math.min(load.events, eventsMax);
  const without = join(setting.directory, "icon-without-digest");
  const words = ["build.ts", "--plant", "no-digest", "--outfile", without];
  const built = Bun.spawnSync([process.execPath, ...words], { cwd: root });
  if (!built.success) throw new Error(`Cannot build the binary without the digest:\n${built.stderr.toString()}`);
  const directory = emptyPlace(setting);
  const live = await MeasuredInstance.start({ icon, directory, loadPath: load.path });
  await live.send({ events, windowBytes: Math.max(...setting.windows) });
  await live.readable();
  await live.end("SIGTERM");
  const rebuildMs = async (binary: string) => {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${live.idbPath}${suffix}`, { force: true });
    await calm(setting);
    const child = Bun.spawn([binary, "rebuild", join(directory, "data"), "--json"], {
      stdout: "ignore",
      stderr: Bun.file(join(directory, "rebuild")),
    });
    if ((await child.exited) !== 0) throw new Error("Cannot measure P4's digest: icon rebuild failed");
    return Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1000;
  };
  const runs: Run[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const withMs = await rebuildMs(icon);
    const withoutMs = await rebuildMs(without);
    runs.push({ withMs, withoutMs, ratio: withMs / withoutMs });
    say(`P4 digest ${pair}/${pairs}: ${shown(withMs)} ÷ ${shown(withoutMs)} ms of CPU`);
  }
  emptyPlace(setting);
  const microseconds = (pick: (run: Run) => number) => ((spread(runs.map(pick)).median / events) * 1000).toFixed(1);
  return {
    promise: "P4",
    what: "CPU of a rebuild ÷ without the ledger's digest",
    unit: "",
    goal: { atMost: 1.03 },
    figure: spread(runs.map(({ ratio }) => ratio)),
    note: `${microseconds(({ withMs }) => withMs)} ÷ ${microseconds(({ withoutMs }) => withoutMs)} µs of CPU an event`,
    runs,
  };
}
