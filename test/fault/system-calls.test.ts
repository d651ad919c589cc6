// R2: killed (SIGKILL) on entering any one of its persistent system calls, an instance loses and repeats nothing.
// Its life (eventful-life.ts) has a start after a kill, a roll, a trim, a WAL checkpoint and a stop.
//
// A persistent call is one that changes or syncs a file or name below the data directory, whichever thread makes it.
// system-call-tracer.ts counts them in the order in which the kernel is asked, and the process is killed at number k.
// Threads take turns as they like, so number k is not the same call in every run; but each run is killed at a call of its
// own, and k goes up by one until runs come to their end before it: no place in the order is left out. After each kill
// an undisturbed start must make everything good, with nothing lost, twice, late or different from a rebuild.
//
// ICON_SYSTEM_CALLS says how many places, spread over the kinds of calls; "all": every one.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { segmentsAmong } from "../../src/queue/segment.ts";
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
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  queueDirectoryOf,
  TemporaryDirectory,
} from "../harness/processes.ts";
import { TracedInstance, whyNoTracing } from "../harness/traced-instance.ts";

const places = process.env["ICON_SYSTEM_CALLS"] ?? "6";
// Beyond so many runs in a row that ended before their call there is none.
const endedBeforeMax = 3;
// Two at a time: most of a cycle is waiting.
const lanes = 2;

const name = `killed at ${places === "all" ? "every" : `each of ${places}`} persistent system call${places === "all" ? "" : "s"} of start, roll, trim, WAL checkpoint and stop, an instance loses and repeats nothing`;
const why = await whyNoTracing();
if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
else test(name, killAtEach, 1_800_000);

async function killAtEach(): Promise<void> {
  await iconBinary();
  using directory = new TemporaryDirectory("system-calls");
  const beginning = await begin(directory.at("beginning"), seededRandom("system calls").seed);
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
    `killed at ${places === "all" ? `each of ${killed.length}` : `${killed.length} of ${count}`} calls (${kinds.size} kinds): 0 lost, 0 twice, every dump equal`,
  );
  expect(killed.length).toBeGreaterThan(places === "all" ? count * 0.9 : Number(places) / 2);
}

function* placesAmong(calls: readonly string[]): Generator<number, void> {
  if (places !== "all") yield* spreadOverKinds(calls, Number(places));
  else for (let at = 1; ; at++) yield at;
}

async function cycle(beginning: Beginning, directory: string, killAt: number) {
  copyBeginning(beginning, join(directory, "data"));
  using _directory = { [Symbol.dispose]: () => Bun.spawnSync(["rm", "-rf", directory]) };
  await using load = await Load.start(beginning.load, beginning);
  const setting: InstanceSetting = { directory, sources: [{ name: "north", address: load.address, dbid: 101 }] };
  const traced = await TracedInstance.start({ ...setting, retentionBytes: shortRetention }, { at: killAt });
  await using _traced = traced.instance;
  await play(traced.instance, load);
  const calls = await traced.calls;

  // Undisturbed, and with all of its history kept.
  await using instance = await Instance.start(setting);
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  bringBack(beginning, queueDirectoryOf(setting));
  return { calls, verdict: judge(instance, [load], late), isKilled: killAt !== 0 && calls.length === killAt };
}
