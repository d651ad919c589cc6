// R7 with a disk that really fails: a thin one whose store is full, so that what is written back or synced gets the
// kernel's own error, and what was in those pages counts as clean from then on without ever having reached the disk.
// There is room again, the instance is started on the same mount, and after that the power is cut. An instance that
// believed what it reads back, and synced it where it lies, would lose what it acknowledged.
//
// ICON_DISK_FAILURES says how many failures, one after another on one disk.

import { expect, test } from "bun:test";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { acknowledgedBy, auditQueue, flawless } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { CuttableDisk, freeze, whyNoPowerCut } from "../harness/power-cut.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const failures = fromEnvironment("ICON_DISK_FAILURES", 1);
// mkfs.xfs writes 64 MiB of log; the rest is for some minutes of load.
const thinBytes = 320 * 1024 * 1024;
const exitFailed = 74;

const name = `after ${failures} failures of the disk itself, each with a start and then a power cut, every acknowledged event is there once`;
// XFS goes on when data cannot be written back, which is the hard case; ext4 would refuse everything from then on.
const why = whyNoPowerCut("xfs");
if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
else test(name, failAndCut, 120_000 + failures * 40_000);

async function failAndCut(): Promise<void> {
  await iconBinary();
  const { seed, next } = seededRandom("failed disk");
  using directory = new TemporaryDirectory("failed-disk");
  using disk = CuttableDisk.make(directory.path, { fileSystem: "xfs", thinBytes });
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1_000, paddingMax: 1_000 });
  const setting: InstanceSetting = {
    directory: directory.path,
    dataDirectory: `${disk.path}/data`,
    reserve: "16MiB",
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  for (let failure = 1; failure <= failures; failure++) {
    await using failing = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await Bun.sleep(200 + next() * 800);
    disk.fill();
    await until("the disk has failed and the instance is over", 30_000, () => failing.isOver);
    expect(await failing.exited).toBe(exitFailed);
    disk.makeRoom();

    await using afterwards = await Instance.start(setting);
    const before = load.ackedSeq;
    await until("the instance acknowledges again", 20_000, () => load.ackedSeq > before);
    await freeze(afterwards.pid);
    disk.cut();
    load.pause();
    await Bun.sleep(50); // acknowledgements that are under way
    const acked = acknowledgedBy([load]);
    await afterwards.kill();
    disk.unmount();
    disk.mount();
    const { records: _, lastPosition: __, ...audit } = auditQueue(queueDirectoryOf(setting), [load], acked);
    if (!Bun.deepEquals(audit, flawless)) announce(`R7 after failure ${failure} of the disk`, audit);
    expect(audit).toEqual(flawless);
  }
  await using instance = await Instance.start(setting);
  // It may have to make the IDB anew, when that was damaged with the rest.
  await until("the IDB has what is in the queue", 60_000, async () => {
    const { queue, idb } = await instance.status();
    return BigInt(idb.appliedPosition ?? 0) === BigInt(queue.durablePosition);
  });
  load.complete();
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [load], late);
  announce("R7 with a failing disk", verdict);
  expect(verdict).toEqual(kept);
  figure("R7", `${failures} failures of a full thin disk, each followed by a start and a power cut: exit 74, 0 lost`);
}
