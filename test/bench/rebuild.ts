// P6: events/s of a rebuild of the IDB from the persistent queue, by `icon rebuild` and by an instance that finds its IDB
// deleted, ÷ events/s of the recording while they arrived, each to the last row and from the start of the process (live:
// from the first byte sent); and MB/s of `icon verify` over that queue ÷ a bare scan of the same bytes with the same checksum.

import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { spread } from "./figures.ts";
import type { Measurement } from "./line.ts";
import { MeasuredInstance } from "./measured-instance.ts";
import { calm, child, emptyPlace, perSecond, type Setting, shown } from "./setting.ts";

interface Run {
  readonly liveEventsPerSecond: number;
  readonly commandEventsPerSecond: number;
  readonly instanceEventsPerSecond: number;
}

interface VerifyRun {
  readonly verifyBytesPerSecond: number;
  readonly bareBytesPerSecond: number;
  readonly ratio: number;
}

// Long enough for both sides to be the programs that they are after their first second.
const eventsMax = 120_000;

export async function measureRebuild(setting: Setting): Promise<Measurement[]> {
  const { icon, load, pairs, say } = setting;
  const windowBytes = Math.max(...setting.windows);
  const events = Math.min(load.events, eventsMax);
  const runs: Run[] = [];
  const verifyRuns: VerifyRun[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    const directory = emptyPlace(setting);
    await calm(setting);
    const live = await MeasuredInstance.start({ icon, directory, loadPath: load.path });
    const sent = await live.send({ events, windowBytes });
    const liveEventsPerSecond = perSecond(sent.events, (await live.readable()) - sent.firstSentAt);
    await live.end("SIGTERM");
    const run = {
      liveEventsPerSecond,
      commandEventsPerSecond: perSecond(sent.events, await byCommand(setting, directory, live.idbPath)),
      instanceEventsPerSecond: perSecond(sent.events, await byInstance(setting, directory, live.idbPath)),
    };
    runs.push(run);
    const { commandEventsPerSecond, instanceEventsPerSecond } = run;
    say(
      `P6 ${pair}/${pairs}: live ${shown(liveEventsPerSecond)}, icon rebuild ${shown(commandEventsPerSecond)}, instance ${shown(instanceEventsPerSecond)} events/s`,
    );
    verifyRuns.push(await verify(setting, directory, live));
  }
  emptyPlace(setting);
  const median = (pick: (run: Run) => number) => shown(spread(runs.map(pick)).median);
  const megabytes = (pick: (run: VerifyRun) => number) => shown(spread(verifyRuns.map(pick)).median / 1e6);
  return [
    {
      promise: "P6",
      what: "icon rebuild ÷ live recording",
      unit: "",
      goal: { atLeast: 1.2 },
      figure: spread(runs.map((run) => run.commandEventsPerSecond / run.liveEventsPerSecond)),
      note: `${median((run) => run.commandEventsPerSecond)} ÷ ${median((run) => run.liveEventsPerSecond)} events/s`,
      runs,
    },
    {
      promise: "P6",
      what: "an instance whose IDB was deleted ÷ live recording",
      unit: "",
      goal: { atLeast: 1.2 },
      figure: spread(runs.map((run) => run.instanceEventsPerSecond / run.liveEventsPerSecond)),
      note: `${median((run) => run.instanceEventsPerSecond)} ÷ ${median((run) => run.liveEventsPerSecond)} events/s`,
      runs,
    },
    {
      promise: "P6",
      what: "icon verify ÷ bare crc32 scan",
      unit: "",
      goal: { atLeast: 0.5 },
      figure: spread(verifyRuns.map(({ ratio }) => ratio)),
      note: `${megabytes((run) => run.verifyBytesPerSecond)} ÷ ${megabytes((run) => run.bareBytesPerSecond)} MB/s`,
      runs: verifyRuns,
    },
  ];
}

async function byCommand(setting: Setting, directory: string, idbPath: string): Promise<number> {
  remove(idbPath);
  await calm(setting);
  const beganAt = performance.now();
  const words = ["rebuild", join(directory, "data"), "--json"];
  const child = Bun.spawn([setting.icon, ...words], { stdout: "ignore", stderr: Bun.file(join(directory, "rebuild")) });
  if ((await child.exited) !== 0) throw new Error(`Cannot measure P6: icon ${words.join(" ")} failed`);
  return performance.now() - beganAt;
}

async function byInstance(setting: Setting, directory: string, idbPath: string): Promise<number> {
  remove(idbPath);
  await calm(setting);
  const beganAt = performance.timeOrigin + performance.now();
  await using instance = await MeasuredInstance.start({ icon: setting.icon, directory, loadPath: null });
  await instance.until(async () => (await instance.report()).idb.commits > 0);
  return (await instance.readable()) - beganAt;
}

function remove(idbPath: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${idbPath}${suffix}`, { force: true });
}

/** Both sides with the files in the page cache, each a process of its own from its start to its end. */
async function verify({ icon, say }: Setting, directory: string, live: MeasuredInstance): Promise<VerifyRun> {
  remove(live.idbPath);
  const { queueDirectory } = live;
  const bytes = readdirSync(queueDirectory)
    .filter((file) => file.endsWith(".segment"))
    .reduce((sum, file) => sum + statSync(join(queueDirectory, file)).size, 0);
  const time = async (run: () => Promise<unknown>) => {
    const beganAt = performance.now();
    await run();
    return performance.now() - beganAt;
  };
  await child("bare-scan.ts", [queueDirectory]);
  const verifyMs = await time(async () => {
    const verifying = Bun.spawn([icon, "verify", join(directory, "data")], { stdout: "ignore", stderr: "inherit" });
    if ((await verifying.exited) !== 0) throw new Error("Cannot measure P6: icon verify finds the queue damaged");
  });
  const bareMs = await time(() => child("bare-scan.ts", [queueDirectory]));
  say(`P6 verify: ${verifyMs.toFixed(0)} ms, bare ${bareMs.toFixed(0)} ms for ${(bytes / 1e6).toFixed(0)} MB`);
  return {
    verifyBytesPerSecond: perSecond(bytes, verifyMs),
    bareBytesPerSecond: perSecond(bytes, bareMs),
    ratio: bareMs / verifyMs,
  };
}
