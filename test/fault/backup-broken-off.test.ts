// A backup or restore that does not come to its end: killed, stopped, without room. Nothing half is taken for whole, and
// the instance that it was made of goes on as if nothing had been.

import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { walReaders } from "../../src/idb/wal-readers.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { mustRun, runCommand, startCommand } from "../harness/run-command.ts";
import { SmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";

const kills = fromEnvironment("ICON_BACKUP_KILLS", 3);

/** An instance under load, with some seconds of records and rows behind it. */
async function underLoad(directory: TemporaryDirectory, seed: number) {
  await iconBinary();
  const load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 2_500, paddingMax: 800 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  const instance = await Instance.start(setting);
  load.flow();
  await until("events are acknowledged", 20_000, () => load.ackedSeq > 3_000);
  return {
    load,
    setting,
    instance,
    async [Symbol.asyncDispose]() {
      await instance[Symbol.asyncDispose]();
      await load[Symbol.asyncDispose]();
    },
  };
}

/** Others than the instance that hold the IDB as it is. */
function holders({ instance, setting }: { readonly instance: Instance; readonly setting: InstanceSetting }): number[] {
  return walReaders(idbPathOf(setting))
    .map(({ pid }) => pid)
    .filter((pid) => pid !== instance.pid);
}

test(
  `${kills} backups killed at any moment are never taken for one, hold nothing afterwards, and the next one is whole`,
  async () => {
    const { seed, next } = seededRandom("killed backup");
    using directory = new TemporaryDirectory("killed-backup");
    await using running = await underLoad(directory, seed);
    const words = ["--config", directory.at("icon-a.toml")];
    let killedCount = 0;
    for (let round = 1; round <= kills; round += 1) {
      const target = directory.at(`backup-${round}`);
      const command = await startCommand(["backup", target, ...words]);
      // The first as soon as it has begun, the others sooner or later.
      if (round === 1) await until("it is under way", 10_000, () => existsSync(`${target}.partial`));
      else await Bun.sleep(50 + next() * 800);
      command.kill("SIGKILL");
      const { exitCode } = await command.ended;
      if (exitCode === 0) continue; // it was faster
      killedCount += 1;
      for (const each of [target, `${target}.partial`]) {
        const { exitCode: refused } = await runCommand(["restore", each, "--data-dir", directory.at("new")]);
        // Killed behind the last step, it is whole.
        if (!existsSync(target)) expect({ each, refused }).toEqual({ each, refused: 66 });
      }
      await until("nobody holds the IDB any more", 10_000, () => holders(running).length === 0);
    }
    expect(killedCount).toBeGreaterThan(0);
    // By a signal that it can hear it ends with nothing left.
    const stopped = await startCommand(["backup", directory.at("stopped"), ...words]);
    await until("it is under way", 10_000, () => existsSync(directory.at("stopped.partial")));
    stopped.kill("SIGTERM");
    const ending = await stopped.ended;
    expect([ending.exitCode, ending.stderr]).toEqual([1, "Stopped by a signal; nothing is left of the backup\n"]);
    expect(readdirSync(directory.path).filter((name) => name.startsWith("stopped"))).toEqual([]);

    await mustRun(["backup", directory.at("whole"), ...words]);
    await mustRun(["verify", directory.at("whole")]);
    const { instance, load } = running;
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("Backup, killed", verdict);
    expect(verdict).toEqual(kept);
    figure("Backup", `${killedCount} killed while they were made: none taken for a backup`);
  },
  kills * 15_000 + 60_000,
);

test("a backup that stands still lets the IDB go at its bound, and says so when it goes on", async () => {
  const { seed } = seededRandom("bound");
  using directory = new TemporaryDirectory("bound");
  await using running = await underLoad(directory, seed);
  for (let attempt = 1; ; attempt += 1) {
    const target = directory.at(`backup-${attempt}`);
    const command = await startCommand(["backup", target, "--config", directory.at("icon-a.toml"), "--hold-max", "1"]);
    await until("the IDB is held, or was", 10_000, () => holders(running).length > 0 || existsSync(target));
    command.kill("SIGSTOP");
    // It may have let go just before it was stopped.
    await Bun.sleep(200);
    const isHeld = holders(running).length > 0 && !existsSync(`${target}.partial/idb.db-wal`);
    await until("it is let go", 10_000, () => holders(running).length === 0);
    command.kill("SIGCONT");
    const { exitCode, stderr } = await command.ended;
    if (!isHeld && attempt < 20) continue;
    expect([exitCode, stderr]).toEqual([75, expect.stringContaining("took longer than 1 s")]);
    expect([target, `${target}.partial`].filter((each) => existsSync(each))).toEqual([]);
    return;
  }
}, 120_000);

test("a restore that is killed leaves what no instance starts on, and is done again once that is deleted", async () => {
  const { seed, next } = seededRandom("killed restore");
  using directory = new TemporaryDirectory("killed-restore");
  await using running = await underLoad(directory, seed);
  await mustRun(["backup", directory.at("backup"), "--config", directory.at("icon-a.toml")]);
  for (let attempt = 1; ; attempt += 1) {
    const target = directory.at(`new-${attempt}`);
    const words = ["restore", directory.at("backup"), "--data-dir", target];
    const command = await startCommand(words);
    await until("it is under way", 10_000, () => existsSync(`${target}/restoring`) || existsSync(`${target}/queue`));
    await Bun.sleep(next() * 100);
    command.kill("SIGKILL");
    await command.ended;
    if (!existsSync(`${target}/restoring`) && attempt < 20) continue; // it was faster
    const instance = await Instance.start({ ...running.setting, name: "half", dataDirectory: target });
    expect(await instance.exited).toBe(78);
    expect((await runCommand(words)).exitCode).toBe(73);
    rmSync(target, { recursive: true });
    await mustRun(words);
    await mustRun(["verify", target]);
    return;
  }
}, 120_000);

/** A neighbour takes all that is left but for some pages, or what it can get of it. */
function leaveNoRoom(disk: SmallDisk): void {
  try {
    const bytes = Math.max(0, disk.freeBytes() - 64 * 1024);
    writeFileSync(`${disk.path}/neighbour-${performance.now()}`, new Uint8Array(bytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

/** Whether a file is there, or something in the folder that ends in "/". */
function isReached(path: string): boolean {
  return existsSync(path) && (!path.endsWith("/") || readdirSync(path).length > 0);
}

const fullDisk =
  "without room on its disk a backup is refused, or ends in the middle, with nothing left and the instance untouched";
const why = whyNoSmallDisk();
if (why !== null) test.skip(`skipped: ${why}: ${fullDisk}`, () => {});
else
  test(fullDisk, async () => {
    const mib = 1024 * 1024;
    const { seed } = seededRandom("full target");
    using directory = new TemporaryDirectory("full-target");
    await using running = await underLoad(directory, seed);
    const words = ["--config", directory.at("icon-a.toml")];
    {
      using disk = new SmallDisk(directory.at("small"), 16 * mib);
      const { exitCode, stderr } = await runCommand(["backup", `${disk.path}/backup`, ...words]);
      expect([exitCode, stderr]).toEqual([74, expect.stringContaining("expected a disk with more room")]);
      expect(readdirSync(disk.path)).toEqual([]);
    }
    using disk = new SmallDisk(directory.at("disk"), 256 * mib);
    // While the IDB is copied, its WAL, the persistent queue, and while the copy is made one file.
    let brokenOffCount = 0;
    for (const step of ["", "/idb.db-wal", "/queue/", "/idb.db-shm"]) {
      for (const name of readdirSync(disk.path)) rmSync(`${disk.path}/${name}`, { recursive: true });
      const command = await startCommand(["backup", `${disk.path}/backup`, ...words]);
      const isThere = () => isReached(`${disk.path}/backup.partial${step}`) || existsSync(`${disk.path}/backup`);
      await until("the step is reached, or it was faster", 10_000, isThere);
      leaveNoRoom(disk);
      const { exitCode, stderr } = await command.ended;
      if (exitCode === 0) continue;
      brokenOffCount += 1;
      // What SQLite cannot write it calls an I/O error; everything else has the system's own word.
      const said = /^Cannot write backup ".*(ENOSPC|disk I\/O error|disk is full).*nothing is left of it/;
      expect({ step, exitCode, stderr }).toEqual({ step, exitCode: 74, stderr: expect.stringMatching(said) });
      expect(readdirSync(disk.path)).toEqual([expect.stringMatching(/^neighbour/)]);
    }
    expect(brokenOffCount).toBeGreaterThan(0);

    // A restore without room leaves nothing either.
    await mustRun(["backup", directory.at("whole"), ...words]);
    rmSync(`${disk.path}/backup`, { recursive: true, force: true });
    leaveNoRoom(disk);
    const target = `${disk.path}/new`;
    const restored = await runCommand(["restore", directory.at("whole"), "--data-dir", target]);
    expect([restored.exitCode, restored.stderr]).toEqual([74, expect.stringContaining("ENOSPC")]);
    expect(readdirSync(target)).toEqual([]);

    await until("nobody holds the IDB any more", 10_000, () => holders(running).length === 0);
    const { instance, load } = running;
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("Backup, full target", verdict);
    expect(verdict).toEqual(kept);
  }, 120_000);
