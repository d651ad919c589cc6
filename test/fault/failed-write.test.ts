// R7: after a failed write or fsync of the persistent queue nothing more is acknowledged, the instance ends with exit code
// 74, the next start makes everything good, and a power cut after that start loses nothing either.
//
// The calls of an eventful life (eventful-life.ts) fail one at a time: the k-th call on the queue's files and directories
// is not done, and the program is told EIO, or ENOSPC every second time. What failed once succeeds the next time, for that
// is the trap: whoever tries again believes that all is well. With a power cut, the instance is started after the failure,
// and the file system is shut down while it serves (power-cut.ts).
//
// ICON_FAILED_CALLS says how many calls, spread over their kinds, "all": every one; ICON_FAILED_CALLS_CUT with a power
// cut, on each file system.

import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import { RecordScanner } from "../../src/queue/scanner.ts";
import { readHeader, segmentsAmong } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import {
  type Beginning,
  begin,
  bringBack,
  copyBeginning,
  kindOf,
  play,
  shortRetention,
  spreadOverKinds,
} from "../harness/eventful-life.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { acknowledgedBy, auditQueue } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle, type Verdict } from "../harness/load-verdict.ts";
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
import { TracedInstance, whyNoTracing } from "../harness/traced-instance.ts";

const places = process.env["ICON_FAILED_CALLS"] ?? "3";
const cutPlaces = fromEnvironment("ICON_FAILED_CALLS_CUT", 1);
// What the recorder keeps beside segments it can do without.
const among = /^(?!open).* \/queue(?!.*\.state)/;
const exitFailed = 74;
// Beyond so many lives in a row that were over before their call there is none.
const overBeforeMax = 3;
// Two at a time: most of a life is waiting.
const lanes = 2;

const whyNotTraced = await whyNoTracing();
const everyName = `told of ${places === "all" ? "every" : places} failed write, fsync, rename or allocation of the queue, the instance ends with 74, acknowledges nothing of it, and the next start makes it good`;
if (whyNotTraced !== null) test.skip(`skipped: ${whyNotTraced}: ${everyName}`, () => {});
else test(everyName, failEach, 1_800_000);

for (const fileSystem of ["ext4", "xfs"] as const) {
  const why = whyNotTraced ?? whyNoPowerCut(fileSystem);
  const name = `after ${cutPlaces} failed calls on ${fileSystem}, each with a start and then a power cut, every acknowledged event is there once`;
  if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
  else test(name, () => failAndCut(fileSystem), 120_000 + cutPlaces * 30_000);
}

async function failEach(): Promise<void> {
  await iconBinary();
  using directory = new TemporaryDirectory("failed-write");
  const beginning = await begin(directory.at("beginning"), seededRandom("failed write").seed);
  const { calls } = await fail(beginning, directory.at("undisturbed"), { at: 0 });
  expect(calls).not.toBeEmpty();
  const failed: string[] = [];
  const chosen = places === "all" ? countUp() : spreadOverKinds(calls, Number(places)).values();
  let overBefore = 0;
  const lane = async () => {
    for (;;) {
      const { value: at, done } = chosen.next();
      if (done || overBefore >= overBeforeMax) return;
      const errno = at % 2 === 0 ? constants.errno.ENOSPC : constants.errno.EIO;
      const { calls, verdict, ...ended } = await fail(beginning, directory.at(`failure-${at}`), { at, errno });
      const call = calls[at - 1];
      overBefore = call === undefined ? overBefore + 1 : 0;
      if (call === undefined) continue; // threads took turns otherwise, and it was over before
      failed.push(call);
      if (!Bun.deepEquals(verdict, kept)) announce(`R7 at ${call}`, verdict);
      const isSpared = ended.isStateLost || isHarmless(call, errno);
      const expected = { exitCode: isSpared ? 0 : exitFailed, isStateLost: ended.isStateLost, acknowledgedTooMany: 0 };
      expect({ call, at, ...ended, ...verdict }).toEqual({ call, at, ...expected, ...kept });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  announce("R7", kept);
  const kinds = new Set(failed.map(kindOf));
  figure(
    "R7",
    `${places === "all" ? `each of ${failed.length}` : `${failed.length} of ${calls.length}`} calls failed (${kinds.size} kinds): exit 74, 0 acknowledged after it, 0 lost`,
  );
  expect(failed.length).toBeGreaterThan((places === "all" ? calls.length : Number(places)) / 2);
}

function* countUp(): Generator<number, void> {
  for (let at = 1; ; at += 1) yield at;
}

/** A segment that cannot be deleted is deleted later; a full disk is waited for before anything is written to a segment. */
function isHarmless(call: string, errno: number): boolean {
  if (call.startsWith("fallocate")) return errno === constants.errno.ENOSPC;
  return /^unlink .*\.segment$/.test(call);
}

interface Failure {
  readonly at: number;
  readonly errno?: number;
}

async function fail(beginning: Beginning, directory: string, failure: Failure) {
  using _directory = { [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
  await using load = await Load.start(beginning.load, beginning);
  const setting = settingOf(directory, join(directory, "data"), load);
  copyBeginning(beginning, join(directory, "data"));
  const ended = await failOnce(setting, load, failure);
  await using instance = await Instance.start(setting);
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  bringBack(beginning, queueDirectoryOf(setting));
  return { ...ended, verdict: judge(instance, [load], late) };
}

/** One life with a failure in it, from its beginning to its end. */
async function failOnce(setting: InstanceSetting, load: Load, failure: Failure) {
  const traced = await TracedInstance.start({ ...setting, retentionBytes: shortRetention }, { ...failure, among });
  await using instance = traced.instance;
  await play(instance, load);
  const calls = await traced.calls;
  await Bun.sleep(50); // acknowledgements that are under way
  const isSyncOfRecords = calls[failure.at - 1]?.startsWith("fdatasync") === true && (await instance.exited) !== 0;
  const acknowledgedTooMany = isSyncOfRecords
    ? Math.max(0, load.ackedSeq - lastSyncedSequence(queueDirectoryOf(setting)))
    : 0;
  // The directory is synced for what is beside a segment as well.
  const isStateLost = instance.log().some(({ event }) => event === "live state cannot be kept beside a segment");
  return { calls, exitCode: await instance.exited, isStateLost, acknowledgedTooMany };
}

const leadingSequence = /^\{"id":"[A-Za-z]+","EventSequenceNumber":(\d+),/;

/** The last event before the last write in the open segment, whose sync has failed. */
function lastSyncedSequence(queueDirectory: string): number {
  let [synced, last] = [0, 0];
  for (const { file: name } of segmentsAmong(readdirSync(queueDirectory))) {
    const file = systemDisk.open(join(queueDirectory, name));
    const header = readHeader(file, name);
    if (header === undefined) throw new Error(`Cannot read the header of "${name}"`);
    const scanner = new RecordScanner(file, header.salt);
    let record = scanner.recordAt(header.headerBytes);
    while (record !== undefined) {
      if (record.isWriteStart) synced = last;
      const envelope = decodeEnvelope(record.payload);
      const text = envelope.kind === "frame" ? Buffer.from(envelope.frame.subarray(0, 96)).toString("latin1") : "";
      const [, digits] = leadingSequence.exec(text) ?? [];
      if (digits !== undefined) last = Number(digits);
      record = scanner.recordAt(record.endOffset);
    }
    file.close();
  }
  return synced;
}

async function failAndCut(fileSystem: "ext4" | "xfs"): Promise<void> {
  await iconBinary();
  using directory = new TemporaryDirectory("failed-and-cut");
  const beginning = await begin(directory.at("beginning"), seededRandom(`failed write on ${fileSystem}`).seed);
  const { calls } = await fail(beginning, directory.at("undisturbed"), { at: 0 });
  using disk = CuttableDisk.make(directory.path, {
    fileSystem,
    ...(fileSystem === "ext4" && { mountOptions: "commit=60" }),
  });
  const intact: Verdict = { ...kept, "lost by the cut": 0 };
  for (const at of spreadOverKinds(calls, cutPlaces)) {
    const verdict = await failStartAndCut(beginning, disk, { directory: directory.at(`cut-${at}`), at });
    const where = `R7 with a power cut on ${fileSystem} after ${calls[at - 1]}`;
    if (!Bun.deepEquals(verdict, intact)) announce(where, verdict);
    expect<unknown>({ where, ...verdict }).toEqual({ where, ...intact });
  }
  figure("R7", `${cutPlaces} failures on ${fileSystem}, each followed by a start and a power cut: 0 lost`);
}

async function failStartAndCut(
  beginning: Beginning,
  disk: CuttableDisk,
  { directory, at }: { directory: string; at: number },
): Promise<Verdict> {
  mkdirSync(directory);
  const dataDirectory = join(disk.path, `data-${at}`);
  await using load = await Load.start(beginning.load, beginning);
  const setting = settingOf(directory, dataDirectory, load);
  copyBeginning(beginning, dataDirectory);
  expect(Bun.spawnSync(["sync", "-f", disk.path]).exitCode).toBe(0);
  await failOnce(setting, load, { at, errno: constants.errno.EIO });
  await using afterwards = await Instance.start(setting);
  await until("the source serves it again", 10_000, () => load.isServed && load.ackedSeq > 0);
  load.burst(20);
  await until("all is acknowledged", 10_000, () => load.ackedSeq === load.producedSeq);
  await freeze(afterwards.pid);
  disk.cut();
  const acked = acknowledgedBy([load]);
  await afterwards.kill();
  disk.unmount();
  disk.mount();
  bringBack(beginning, queueDirectoryOf(setting));
  const { lost } = auditQueue(queueDirectoryOf(setting), [load], acked);
  await using instance = await Instance.start(setting);
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  // Judged away from the disk, which must be free to be unmounted.
  const judged = settingOf(directory, join(directory, "data"), load);
  cpSync(dataDirectory, join(directory, "data"), { recursive: true });
  rmSync(dataDirectory, { recursive: true });
  return { ...judge({ setting: judged }, [load], late), "lost by the cut": lost };
}

function settingOf(directory: string, dataDirectory: string, load: Load): InstanceSetting {
  return { directory, dataDirectory, sources: [{ name: "north", address: load.address, dbid: 101 }] };
}
