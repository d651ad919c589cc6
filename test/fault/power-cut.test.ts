// R3: what was acknowledged survives a power cut, and the IDB never knows more than the queue. Cuts alternate between
// three sites: queue and IDB on the disk that is cut; the queue alone on it, the IDB on a disk that lives on; and the
// queue alone on a disk that hangs for a moment before the power goes, as failing disks do.
// ICON_POWER_CUTS says how many cuts on each file system.

import { expect, test } from "bun:test";
import { appliedPositionOf, differencesBetween, foldQueue } from "../harness/dump.ts";
import { Load } from "../harness/load.ts";
import { acknowledgedBy, auditQueue } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { CuttableDisk, type FileSystem, freeze, whyNoPowerCut } from "../harness/power-cut.ts";
import {
  fromEnvironment,
  Instance,
  iconBinary,
  type InstanceSetting,
  idbPathOf,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const cuts = fromEnvironment("ICON_POWER_CUTS", 3);

/** What one cut may not do, beside what `judge` finds in the end. */
interface CutFindings {
  lostAcknowledged: number;
  twice: number;
  foreign: number;
  disordered: number;
  /** Cuts after which the IDB had rows of records that the queue lacks. */
  idbAhead: number;
  /** Rows in the IDB that the queue does not give, over all cuts. */
  rowsNotInQueue: number;
}

for (const fileSystem of ["ext4", "xfs"] as const) {
  const why = whyNoPowerCut(fileSystem);
  const name = `after ${cuts} power cuts on ${fileSystem} every acknowledged event is there once, and the IDB is not ahead of the queue`;
  if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
  else test(name, () => cutAndJudge(fileSystem), cuts * 20_000 + 120_000);
}

async function cutAndJudge(fileSystem: FileSystem): Promise<void> {
  await iconBinary();
  const { seed, next } = seededRandom(`power cut on ${fileSystem}`);
  using directory = new TemporaryDirectory("power-cut");
  // ext4's journal would write what waits every 5 s; here nothing but a sync does.
  const mountOptions = fileSystem === "ext4" ? "commit=60" : undefined;
  using disk = CuttableDisk.make(directory.path, { fileSystem, ...(mountOptions && { mountOptions }) });
  await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1500, paddingMax: 4000 });
  await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 500 });
  const loads = [north, south];
  const setting: InstanceSetting = {
    directory: directory.path,
    dataDirectory: `${disk.path}/data`,
    idbPath: directory.at("idb", "idb.db"),
    sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
  };
  const found: CutFindings = { lostAcknowledged: 0, twice: 0, foreign: 0, disordered: 0, idbAhead: 0, rowsNotInQueue: 0 };
  for (let cut = 1; cut <= cuts; cut++) {
    await using instance = await Instance.start(setting);
    await until("both sources serve the instance", 10_000, () => loads.every((load) => load.isServed));
    for (const load of loads) load.flow();
    await Bun.sleep(300 + next() * 1_200);
    await freeze(instance.pid);
    disk.cut();
    for (const load of loads) load.pause();
    // Acknowledgements that were under way when the instance stopped are older than the cut, and count.
    await Bun.sleep(50);
    const acked = acknowledgedBy(loads);
    await instance.kill();
    disk.unmount();
    disk.mount();
    look(setting, loads, acked, found);
  }
  await using instance = await Instance.start(setting);
  for (const load of loads) load.complete();
  await settle(instance, loads);
  expect(await instance.stop()).toBe(0);
  const verdict = { ...judge(instance, loads), ...found };
  announce(`R3 ${fileSystem}`, verdict);
  expect(verdict).toEqual({ ...kept, ...none });
}

const none: CutFindings = { lostAcknowledged: 0, twice: 0, foreign: 0, disordered: 0, idbAhead: 0, rowsNotInQueue: 0 };

/** What the cut has left, before anybody repairs it. */
function look(setting: InstanceSetting, loads: readonly Load[], acked: ReadonlyMap<string, number>, found: CutFindings) {
  const queueDirectory = queueDirectoryOf(setting);
  const audit = auditQueue(queueDirectory, loads, acked);
  found.lostAcknowledged += audit.lost;
  found.twice += audit.twice;
  found.foreign += audit.foreign;
  found.disordered += audit.disordered;
  const applied = appliedPositionOf(idbPathOf(setting)) ?? 0n;
  console.log("cut", audit, applied, [...acked]);
  if (applied > audit.lastPosition) found.idbAhead += 1;
  const led = foldQueue(queueDirectory, { from: idbPathOf(setting) });
  found.rowsNotInQueue += differencesBetween(led, foldQueue(queueDirectory)).length;
}
