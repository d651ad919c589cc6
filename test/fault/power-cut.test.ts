// R3: what was acknowledged survives a power cut, and the IDB never knows more than the queue. The IDB lies beside the
// queue on the disk that is cut, or on another that lives on; every second time the disk hangs for a moment before the
// power goes, as failing disks do. ICON_POWER_CUTS says how many cuts on each file system and site.

import { expect, test } from "bun:test";
import { appliedPositionOf, differencesBetween, foldQueue } from "../harness/dump.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { acknowledgedBy, auditQueue } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { CuttableDisk, type FileSystem, freeze, whyNoPowerCut } from "../harness/power-cut.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  isWithin,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { IdbLock } from "../harness/processes-idb-lock.ts";

const cuts = fromEnvironment("ICON_POWER_CUTS", 2);

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

const sites = { beside: "beside the queue", apart: "on another disk" } as const;
type Site = keyof typeof sites;

for (const fileSystem of ["ext4", "xfs"] as const) {
  const why = whyNoPowerCut(fileSystem);
  for (const site of ["beside", "apart"] as const) {
    const name = `after ${cuts} power cuts on ${fileSystem}, the IDB ${sites[site]}, every acknowledged event is there once and the IDB is not ahead of the queue`;
    if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
    else test(name, () => cutAndJudge(fileSystem, site), cuts * 30_000 + 180_000);
  }
}

async function cutAndJudge(fileSystem: FileSystem, site: Site): Promise<void> {
  await iconBinary();
  const { seed, next } = seededRandom(`power cut on ${fileSystem}`);
  using directory = new TemporaryDirectory("power-cut");
  // ext4's journal would write what waits every 5 s; here nothing but a sync does. And a time stamp need not wait for a
  // journal that hangs, so that writes find room in memory on both file systems.
  const mountOptions = fileSystem === "ext4" ? "commit=60,lazytime" : undefined;
  using disk = CuttableDisk.make(directory.path, { fileSystem, ...(mountOptions && { mountOptions }) });
  await using north = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1500, paddingMax: 4000 });
  await using south = await Load.start({ name: "south", dbid: 102, seed, eventsPerSecond: 500 });
  const loads = [north, south];
  const setting: InstanceSetting = {
    directory: directory.path,
    dataDirectory: `${disk.path}/data`,
    ...(site === "apart" && { idbPath: directory.at("idb", "idb.db"), segmentBytes: "16MiB" }),
    sources: loads.map(({ address, options }) => ({ name: options.name, address, dbid: options.dbid })),
  };
  const found: CutFindings = {
    lostAcknowledged: 0,
    twice: 0,
    foreign: 0,
    disordered: 0,
    idbAhead: 0,
    rowsNotInQueue: 0,
  };
  for (let cut = 1; cut <= cuts; cut++) {
    await using instance = await Instance.start(setting);
    await until("both sources serve the instance", 10_000, () => loads.every((load) => load.isServed));
    for (const load of loads) load.flow();
    await Bun.sleep(300 + next() * 1_200);
    const acked = cut % 2 === 0 ? await hangAndCut(disk, instance, loads, site) : await justCut(disk, instance, loads);
    look(setting, loads, acked, found);
  }
  await using instance = await Instance.start(setting);
  for (const load of loads) load.complete();
  const late = await settle(instance, loads);
  expect(await instance.stop()).toBe(0);
  const verdict = { ...judge(instance, loads, late), ...found };
  announce(`R3 ${fileSystem}, IDB ${sites[site]}`, verdict);
  expect(verdict).toEqual({ ...kept, ...none });
  const events = loads.reduce((sum, load) => sum + load.ackedSeq, 0);
  figure("R3", `${fileSystem}, IDB ${sites[site]}: ${cuts} cuts, ${events} events acknowledged, 0 lost, 0 twice`);
}

async function justCut(disk: CuttableDisk, instance: Instance, loads: readonly Load[]): Promise<Map<string, number>> {
  await freeze(instance.pid);
  disk.cut();
  const acked = await acknowledgedByNow(loads);
  await instance.kill();
  disk.unmount();
  disk.mount();
  return acked;
}

// Long enough for some records to be written and not synced.
const hangMs = 150;
// Long enough for a projector to take in, batch after batch, what it should not have been told of.
const projectMs = 300;

/** Cuts while the disk hangs, so that records are in the queue's file that no sync has covered. */
async function hangAndCut(
  disk: CuttableDisk,
  instance: Instance,
  loads: readonly Load[],
  site: Site,
): Promise<Map<string, number>> {
  if (site === "apart") await projectWhileHanging(disk, instance, loads);
  else {
    disk.hang();
    await Bun.sleep(hangMs + projectMs);
  }
  await freeze(instance.pid);
  const acked = await acknowledgedByNow(loads);
  await disk.cutWhileHanging(() => instance.kill());
  return acked;
}

const attemptsMax = 10;

/**
 * An IDB on another disk goes on while the queue's hangs. When this returns the projector has made a commit since records
 * were written that nothing has synced: it had something to do, for the IDB had been locked by somebody until then.
 * Nothing here looks at the disk that hangs, where whoever reads may have to wait as well.
 */
async function projectWhileHanging(disk: CuttableDisk, instance: Instance, loads: readonly Load[]): Promise<void> {
  const positions = async () => {
    const { queue, idb } = await instance.status();
    return { durable: BigInt(queue.durablePosition), applied: BigInt(idb.appliedPosition ?? 0) };
  };
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    for (const load of loads) load.pause();
    await until("all that was sent is in the IDB", 60_000, async () => {
      const { durable, applied } = await positions();
      return applied === durable && loads.every((load) => load.ackedSeq === load.producedSeq);
    });
    const lock = await IdbLock.take(idbPathOf(instance.setting));
    for (const load of loads) load.flow();
    await until("there is something to record", 10_000, async () => {
      const { durable, applied } = await positions();
      return durable > applied;
    });
    disk.hang();
    // Syncs that were under way have ended by then, and the next one has something to sync.
    await Bun.sleep(hangMs);
    const { durable } = await positions();
    const sent = sentBy(loads);
    await until("more is sent", 10_000, () => sentBy(loads) > sent);
    await Bun.sleep(hangMs);
    const isHanging = (await positions()).durable === durable;
    lock.release();
    // Between two segments the recorder itself waits for this disk.
    const isRecorded = isHanging && (await isWithin(3_000, async () => (await positions()).applied >= durable));
    if (isRecorded) return Bun.sleep(projectMs);
    disk.answerAgain();
  }
  throw new Error(
    `Tried ${attemptsMax} times in vain to have records recorded while others are written and not synced`,
  );
}

function sentBy(loads: readonly Load[]): number {
  return loads.reduce((sum, load) => sum + load.sentSeq, 0);
}

/** Acknowledgements that were under way when the instance stopped are older than the cut, and count. */
async function acknowledgedByNow(loads: readonly Load[]): Promise<Map<string, number>> {
  for (const load of loads) load.pause();
  await Bun.sleep(50);
  return acknowledgedBy(loads);
}

const none: CutFindings = { lostAcknowledged: 0, twice: 0, foreign: 0, disordered: 0, idbAhead: 0, rowsNotInQueue: 0 };

/** What the cut has left, before anybody repairs it. */
function look(
  setting: InstanceSetting,
  loads: readonly Load[],
  acked: ReadonlyMap<string, number>,
  found: CutFindings,
) {
  const queueDirectory = queueDirectoryOf(setting);
  const audit = auditQueue(queueDirectory, loads, acked);
  found.lostAcknowledged += audit.lost;
  found.twice += audit.twice;
  found.foreign += audit.foreign;
  found.disordered += audit.disordered;
  const applied = appliedPositionOf(idbPathOf(setting)) ?? 0n;
  if (applied > audit.lastPosition) found.idbAhead += 1;
  const led = foldQueue(queueDirectory, { from: idbPathOf(setting) });
  found.rowsNotInQueue += differencesBetween(led, foldQueue(queueDirectory)).length;
}
