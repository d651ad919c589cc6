// R2: killed (SIGKILL) on entering any one of its persistent system calls, an instance loses and repeats nothing.
//
//   data directory as an instance left it that was killed under load  ──▶  start ─ roll ─ trim ─ WAL checkpoint ─ stop
//
// A persistent call is one that changes or syncs a file or name below the data directory, whichever thread makes it.
// system-call-tracer.ts counts them in the order in which the kernel is asked, and the process is killed at number k.
// Threads take turns as they like, so number k is not the same call in every run; but each run is killed at a call of its
// own, and k goes up by one until runs come to their end before it: no place in the order is left out. After each kill
// an undisturbed start must make everything good, with nothing lost, twice, late or different from a rebuild.
//
// ICON_SYSTEM_CALLS says how many places, spread over the kinds of calls; "all": every one.

import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { segmentsAmong } from "../../src/queue/segment.ts";
import { figure } from "../harness/figure.ts";
import { Load, type LoadOptions } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  isWithin,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { TracedInstance, whyNoTracing } from "../harness/traced-instance.ts";

const places = process.env["ICON_SYSTEM_CALLS"] ?? "8";
// Beyond so many runs in a row that ended before their call there is none.
const endedBeforeMax = 3;
// So many are more than the smallest segment holds: few and large, since each event's rows are many calls, all alike.
const segmentEvents = 130;
// Two at a time: most of a cycle is waiting.
const lanes = 2;

const name = `killed at ${places === "all" ? "every" : `each of ${places}`} persistent system call${places === "all" ? "" : "s"} of start, roll, trim, WAL checkpoint and stop, an instance loses and repeats nothing`;
const why = await whyNoTracing();
if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
else test(name, killAtEach, 1_800_000);

/** What every cycle begins with: the data directory of an instance that was killed, and what its server knows. */
interface Beginning {
  readonly directory: string;
  readonly load: LoadOptions;
  readonly run: string;
  readonly producedSeq: number;
  readonly ackedSeq: number;
}

async function killAtEach(): Promise<void> {
  await iconBinary();
  using directory = new TemporaryDirectory("system-calls");
  const beginning = await begin(directory.at("beginning"));
  const undisturbed = await cycle(beginning, directory.at("undisturbed"), 0);
  expect(undisturbed.verdict).toEqual(kept);
  // The scenario is what its name says.
  const first = segmentsAmong(readdirSync(join(beginning.directory, "data/queue")))[0]?.file;
  for (const call of [`unlink /queue/${first}`, "pwrite64 /idb.db-wal", "pwrite64 /idb.db", "fdatasync", "ftruncate"]) {
    expect(undisturbed.calls.filter((each) => each.startsWith(call))).not.toBeEmpty();
  }

  const count = undisturbed.calls.length;
  const chosen = placesAmong(undisturbed.calls);
  const killed: string[] = [];
  let endedBefore = 0;
  const lane = async () => {
    for (;;) {
      const killAt = chosen.next();
      if (killAt.done || endedBefore >= endedBeforeMax) return;
      const { calls, verdict, isKilled } = await cycle(beginning, directory.at(`cycle-${killAt.value}`), killAt.value);
      if (isKilled) killed.push(calls.at(-1) ?? "");
      endedBefore = isKilled ? 0 : endedBefore + 1;
      const where = `R2 at call ${killAt.value} of about ${count}, ${calls.at(-1)}`;
      if (!Bun.deepEquals(verdict, kept)) announce(where, verdict);
      expect({ where, ...verdict }).toEqual({ where, ...kept });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  announce("R2", kept);
  const kinds = new Set(killed.map(kindOf));
  figure(
    "R2",
    `killed at ${killed.length} of ${places === "all" ? killed.length : count} calls (${kinds.size} kinds), 0 lost, 0 twice, every dump equal`,
  );
  expect(killed.length).toBeGreaterThan(places === "all" ? count * 0.9 : Number(places) / 2);
}

function* placesAmong(calls: readonly string[]): Generator<number, void> {
  if (places === "all") for (let at = 1; ; at++) yield at;
  const byKind = [...Map.groupBy(calls.keys(), (at) => kindOf(calls[at] ?? "")).values()];
  const number = Number(places);
  for (let at = 0; at < number; at++) {
    const ofKind = byKind[Math.floor(((at + 0.5) / number) * byKind.length)] ?? [];
    yield (ofKind[Math.floor(ofKind.length / 2)] ?? 0) + 1;
  }
}

const kindOf = (call: string) => call.replace(/\d{20}/, "…");

/** Two segments, rows of most of what is in them, calls that are open; then killed. */
async function begin(directory: string): Promise<Beginning> {
  const { seed } = seededRandom("system calls");
  const options = { name: "north", dbid: 101, seed, eventsPerSecond: 2_000, paddingMax: 50_000 };
  await using load = await Load.start(options);
  await using instance = await Instance.start(settingOf(directory, load));
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.burst(2 * segmentEvents);
  await until("rows are there", 10_000, async () => {
    const { queue } = await instance.status();
    return load.ackedSeq === load.producedSeq && queue.recordsNotApplied === 0;
  });
  const before = load.ackedSeq;
  load.burst(40);
  await until("some more is acknowledged", 10_000, () => load.ackedSeq > before);
  await instance.kill();
  return { directory, load: options, run: load.run, producedSeq: load.producedSeq, ackedSeq: load.ackedSeq };
}

async function cycle(beginning: Beginning, directory: string, killAt: number) {
  mkdirSync(directory);
  cpSync(join(beginning.directory, "data"), join(directory, "data"), { recursive: true, preserveTimestamps: true });
  using _directory = { [Symbol.dispose]: () => Bun.spawnSync(["rm", "-rf", directory]) };
  await using load = await Load.start(beginning.load, beginning);
  const setting = settingOf(directory, load);
  const traced = await TracedInstance.start({ ...setting, retentionBytes: "6MiB" }, killAt);
  await using _traced = traced.instance;
  await play(traced.instance, load);
  const calls = await traced.calls;

  // Undisturbed, and with all of its history kept.
  await using instance = await Instance.start(setting);
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  bringBack(join(beginning.directory, "data/queue"), queueDirectoryOf(setting));
  return { calls, verdict: judge(instance, [load], late), isKilled: killAt !== 0 && calls.length === killAt };
}

/** Until it is over, killed or not. */
async function play(instance: Instance, load: Load): Promise<void> {
  const first = segmentsAmong(readdirSync(queueDirectoryOf(instance.setting)))[0]?.file ?? "";
  const within = async (condition: () => boolean) => {
    if (!(await isWithin(20_000, () => instance.isOver || condition()))) throw new Error("The scenario does not go on");
  };
  await within(() => load.isServed);
  if (!instance.isOver) load.burst(segmentEvents);
  await within(
    () => load.ackedSeq === load.producedSeq && !existsSync(join(queueDirectoryOf(instance.setting), first)),
  );
  if (!instance.isOver) instance.signal("SIGTERM");
  await instance.exited;
}

/** What was trimmed is put back, so that the whole history can be looked through and folded. */
function bringBack(from: string, queueDirectory: string): void {
  const oldest = segmentsAmong(readdirSync(queueDirectory))[0]?.firstPosition ?? 1n;
  for (const { file, firstPosition } of segmentsAmong(readdirSync(from))) {
    if (firstPosition < oldest) cpSync(join(from, file), join(queueDirectory, file));
  }
}

function settingOf(directory: string, load: Load): InstanceSetting {
  return { directory, sources: [{ name: "north", address: load.address, dbid: 101 }] };
}
