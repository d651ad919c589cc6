// A restored instance has been told less than the sources have been told it knows. What they no longer have is marked;
// what belongs to another copy is noticed; and everybody can see that it was restored.

import { expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { openReading } from "../../src/idb/reading.ts";
import type { BackupReport } from "../../src/maintenance/backup.ts";
import { differencesBetween, foldQueue, readDump } from "../harness/dump.ts";
import { Load } from "../harness/load.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  readLog,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { mustRun } from "../harness/run-command.ts";

function rowsOf<Row>(setting: InstanceSetting, sql: string): Row[] {
  const reading = openReading(idbPathOf(setting));
  try {
    return reading.database.prepare(sql).all() as Row[];
  } finally {
    reading.close();
  }
}

async function backUp(directory: TemporaryDirectory): Promise<BackupReport["manifest"]> {
  const words = ["backup", directory.at("backup"), "--config", directory.at("icon-a.toml"), "--json"];
  return (JSON.parse(await mustRun(words)) as BackupReport).manifest;
}

async function isCaughtUp(instance: Instance): Promise<boolean> {
  return (await instance.status()).queue.recordsNotApplied === 0;
}

test("what a source acknowledged after the backup and no longer has is a gap in the ledger, never a silence", async () => {
  await iconBinary();
  const { seed } = seededRandom("restored gap");
  using directory = new TemporaryDirectory("restored-gap");
  await using simulator = await Simulator.start("tserver", [
    ...["--seed", `${seed}`, "--rate", "500", "--seconds", "60", "--talk-seconds", "1", "--clients-min", "1"],
    ...["--heartbeat-ms", "1000", "--resend-buffer", "300"],
  ]);
  const setting: InstanceSetting = {
    directory: directory.path,
    callDeletionTimeoutSeconds: 1,
    sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
  };
  const instance = await Instance.start(setting);
  const lastSequence = async (of: Instance) => (await of.status()).sources[0]?.lastSequence ?? 0;
  await until("events are recorded", 20_000, async () => (await lastSequence(instance)) > 500);
  const { queue } = await backUp(directory);
  const backedUp = await lastSequence(instance);
  await until(
    "the source forgets what came since",
    20_000,
    async () => (await lastSequence(instance)) > backedUp + 700,
  );
  await instance.kill();

  const restored: InstanceSetting = { ...setting, name: "restored", dataDirectory: directory.at("restored") };
  const said = await mustRun(["restore", directory.at("backup"), "--data-dir", directory.at("restored"), "--json"]);
  const { sources } = JSON.parse(said) as { sources: { north: { contiguous: number } } };
  const { contiguous } = sources.north;
  expect(contiguous).toBeLessThanOrEqual(backedUp);
  await using again = await Instance.start(restored);
  await until("it records again", 20_000, async () => (await lastSequence(again)) > backedUp + 1_000);
  await until("it has caught up", 20_000, () => isCaughtUp(again));
  expect(await again.stop()).toBe(0);

  type Mark = { KIND: string; DETAIL: string };
  const marks = rowsOf<Mark>(
    restored,
    "SELECT KIND, DETAIL FROM ICON_MARK WHERE KIND IN ('gap reported', 'restored from backup')",
  );
  expect(marks.map(({ KIND }) => KIND)).toEqual(["restored from backup", "gap reported"]);
  expect(marks[0]?.DETAIL).toContain(queue.queueId);
  const holes = rowsOf<{ HOLES: string }>(restored, "SELECT HOLES FROM ICON_WINDOW WHERE HOLES <> '[]'").flatMap(
    ({ HOLES }) => JSON.parse(HOLES) as unknown[],
  );
  console.log(`restored gap: backup ends at ${contiguous}, holes ${JSON.stringify(holes)}`);
  expect(JSON.stringify(holes)).toContain(`${contiguous + 1}`);
  const faulty = rowsOf<{ FAULTS: string }>(restored, "SELECT FAULTS FROM ICON_WINDOW WHERE FAULTS LIKE '%gap%'");
  expect(faulty.length).toBeGreaterThan(0);
  expect(readLog(restored).map(({ event }) => event)).toContain("persistent queue was restored from a backup");
  // As ever, the IDB is a function of the queue.
  expect(differencesBetween(readDump(idbPathOf(restored)), foldQueue(queueDirectoryOf(restored))).slice(0, 3)).toEqual(
    [],
  );
}, 90_000);

test("the IDB of one restored instance beside the queue of another from the same backup is noticed, and nothing is taken for known", async () => {
  await iconBinary();
  const { seed } = seededRandom("mixed halves");
  using directory = new TemporaryDirectory("mixed");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 800 });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: directory.path, sources };
  const instance = await Instance.start(setting);
  load.flow();
  await until("events are acknowledged", 20_000, () => load.ackedSeq > 500);
  await backUp(directory);
  await instance.kill();
  // Each goes on for itself: at the same positions they hold different records.
  const at = (name: string) => ({ directory: directory.path, name, dataDirectory: directory.at(name), sources });
  const [one, other] = [at("one"), at("other")];
  for (const each of [one, other]) {
    await mustRun(["restore", directory.at("backup"), "--data-dir", each.dataDirectory]);
    await using running = await Instance.start(each);
    const before = load.ackedSeq;
    await until("events are acknowledged", 20_000, () => load.ackedSeq > before + 500);
    await until("it has caught up", 20_000, () => isCaughtUp(running));
    expect(await running.stop()).toBe(0);
  }
  for (const suffix of ["", "-wal", "-shm"]) {
    moveOver(`${idbPathOf(one)}${suffix}`, `${idbPathOf(other)}${suffix}`);
  }
  await using mixed = await Instance.start({ ...other, sources: [] });
  await until("it has caught up", 20_000, () => isCaughtUp(mixed));
  expect(await mixed.stop()).toBe(0);
  const lost = rowsOf<{ DETAIL: string }>(other, "SELECT DETAIL FROM ICON_MARK WHERE KIND = 'queue lost'");
  expect(lost).toEqual([
    { DETAIL: "the persistent queue was lost or replaced: it has another id than the IDB followed" },
  ]);
}, 90_000);

/** What stands beside an IDB may be there or not. */
function moveOver(from: string, to: string): void {
  rmSync(to, { force: true });
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}
