// How an instance begins and ends: alone on its data directory, and in order.

import { expect, test } from "bun:test";
import { figure } from "../harness/figure.ts";
import { HeldUpThread } from "../harness/held-up-thread.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  readLog,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

test("a second instance on the same data directory refuses with exit code 69, and the first goes on", async () => {
  await iconBinary();
  const { seed } = seededRandom("second instance");
  using directory = new TemporaryDirectory("second");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 300 });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: directory.path, name: "icon-a", sources };
  await using first = await Instance.start(setting);
  await until("the source serves the first", 10_000, () => load.isServed);
  load.flow();
  // The same IDB as well, or one of its own: either lock is enough.
  for (const [name, idbPath, inTheWay] of [
    ["icon-b", undefined, directory.at("data", "idb.db")],
    ["icon-c", directory.at("other.db"), directory.at("data", "queue")],
  ] as const) {
    const other: InstanceSetting = { ...setting, name, ...(idbPath !== undefined && { idbPath }) };
    await using second = await Instance.start(other);
    expect(await second.exited).toBe(69);
    const text = readLog(other)
      .map(({ event }) => event)
      .join("\n");
    expect(text).toContain(inTheWay);
    expect(text).toContain(String(first.pid));
  }
  expect(load.connections).toBe(1);
  load.complete();
  const late = await settle(first, [load]);
  expect(await first.stop()).toBe(0);
  const verdict = judge(first, [load], late);
  announce("one instance a directory", verdict);
  expect(verdict).toEqual(kept);
  figure("R8", "2 second instances on one data directory or IDB: both refused with 69");
}, 60_000);

test("SIGTERM under load ends an instance within 5 s with exit code 0, and the next start resumes where it stopped", async () => {
  await iconBinary();
  const { seed } = seededRandom("stop");
  using directory = new TemporaryDirectory("stop");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1_000 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  load.flow();
  for (let stop = 1; stop <= 3; stop++) {
    await using instance = await Instance.start(setting);
    const before = load.ackedSeq;
    await until("events are acknowledged", 10_000, () => load.ackedSeq > before + 200);
    const askedAt = performance.now();
    expect(await instance.stop()).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(5_000);
  }
  await using instance = await Instance.start(setting);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.complete();
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  const states = instance.log().filter(({ event }) => event === "persistent queue opened");
  expect(states.map(({ state }) => state)).toEqual(["new", "clean", "clean", "clean"]);
  const verdict = judge(instance, [load], late);
  announce("orderly stop", verdict);
  expect(verdict).toEqual(kept);
}, 90_000);

// The whole bound takes its time, so it is waited for in the long run only.
const isLong = fromEnvironment("ICON_KILL_CYCLES", 10) > 100;
const endings = [
  { signals: 2, withinMs: 2_000, exitCode: 1, text: "a second SIGTERM ends at once" },
  { signals: 1, withinMs: 20_000, exitCode: 0, text: "one SIGTERM ends within 20 s" },
] as const;

for (const { signals, withinMs, exitCode, text } of endings) {
  const name = `${text} an instance whose IDB is on a very slow disk, and what was acknowledged is there after the next start`;
  const why = HeldUpThread.whyNot ?? (signals === 1 && !isLong ? "it takes 15 s; bun run fault does it" : null);
  if (why !== null) test.skip(`skipped: ${why}: ${name}`, () => {});
  else
    test(name, async () => {
      await iconBinary();
      const { seed } = seededRandom(text);
      using directory = new TemporaryDirectory("slow-stop");
      await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 500 });
      const sources = [{ name: "north", address: load.address, dbid: 101 }];
      const setting: InstanceSetting = { directory: directory.path, sources };
      load.flow();
      {
        await using instance = await Instance.start(setting);
        await until("rows are written", 10_000, async () => (await instance.status()).idb.appliedPosition !== null);
        await using _slow = await HeldUpThread.hold(instance.pid, "idb.db-wal", 50);
        const before = load.ackedSeq;
        await until("events are acknowledged", 10_000, () => load.ackedSeq > before + 500);
        const askedAt = performance.now();
        instance.signal("SIGTERM");
        const hasHeard = () => instance.log().some(({ event }) => event === "instance stops");
        await until("it has heard the first signal", 5_000, hasHeard);
        if (signals === 2) instance.signal("SIGTERM");
        expect(await instance.exited).toBe(exitCode);
        expect(performance.now() - askedAt).toBeLessThan(withinMs);
      }
      await using instance = await Instance.start(setting);
      await until("the source serves the instance", 10_000, () => load.isServed);
      load.complete();
      const late = await settle(instance, [load]);
      expect(await instance.stop()).toBe(0);
      const verdict = judge(instance, [load], late);
      announce(text, verdict);
      expect(verdict).toEqual(kept);
    }, 90_000);
}
