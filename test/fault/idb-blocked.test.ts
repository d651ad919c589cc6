// R9, beside idb-locked.test.ts: a reader whose transaction does not end keeps the WAL from being moved into the IDB, or
// its disk is slow. Events are acknowledged as ever; the WAL is bounded, the reader is named, and afterwards it catches up.
// ICON_LOCK_SECONDS says for how long.

import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { drain, drainRatioMin, drainText, isDrainMeasured } from "../harness/drain.ts";
import { figure } from "../harness/figure.ts";
import { HeldUpThread } from "../harness/held-up-thread.ts";
import { IdbReader } from "../harness/idb-reader.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  promptly,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const heldSeconds = fromEnvironment("ICON_LOCK_SECONDS", 3);
const livePerSecond = 600;
const mib = 1024 ** 2;
const walLimit = 32 * mib;
// At the limit one more batch may have been under way.
const batchWalBytesMax = 16 * mib;
const walKeptMax = 2 * mib;

/** While `seconds` pass, what has come to be a moment ago is acknowledged now; the longest that it took, ms. */
async function acknowledges(load: Load, seconds: number): Promise<number> {
  let longestMs = 0;
  for (let second = 0; second < seconds; second++) {
    await Bun.sleep(1_000);
    const newest = load.producedSeq;
    const askedAt = performance.now();
    await promptly("the newest event is acknowledged", 2_000, () => load.ackedSeq >= newest);
    longestMs = Math.max(longestMs, performance.now() - askedAt);
  }
  return longestMs;
}

async function begin(instance: Instance, load: Load): Promise<void> {
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  const applied = async () => Number((await instance.status()).idb.appliedPosition);
  await until("rows are written", 10_000, async () => (await applied()) > 100);
}

test(
  `a reader that blocks the WAL for ${heldSeconds} s after its limit is named, the WAL stays bounded, nothing is lost and it catches up`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("blocked WAL");
    using directory = new TemporaryDirectory("blocked");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: livePerSecond });
    const sources = [{ name: "north", address: load.address, dbid: 101 }];
    const setting: InstanceSetting = { directory: directory.path, walLimit: `${walLimit / mib}MiB`, sources };
    await using instance = await Instance.start(setting);
    await begin(instance, load);
    const beforeReader = Date.now();
    await using reader = await IdbReader.open(idbPathOf(setting));

    await until("the reader is noticed", 30_000, async () => (await instance.status()).idb.walBlock !== null);
    const noticed = (await instance.status()).idb;
    expect(noticed.state).toBe("open");
    expect(noticed.walBlock?.readers.map(({ pid }) => pid)).toEqual([reader.pid]);
    expect(noticed.walBlock?.since).toBeGreaterThanOrEqual(beforeReader);
    expect(noticed.walBlock?.since).toBeLessThanOrEqual(Date.now());
    const page = await instance.ready();
    const ready = await fetch(new URL("/readyz", page));
    expect(ready.status).toBe(200);
    const said = `Process ${reader.pid} `;
    expect(((await ready.json()) as { warnings: { sentence: string }[] }).warnings[0]?.sentence).toStartWith(said);
    expect(await (await fetch(page)).text()).toContain(said);
    const metrics = await (await fetch(new URL("/metrics", page))).text();
    expect(metrics).toMatch(/^icon_idb_wal_blocked_since_timestamp_seconds \d+/m);
    expect(Number(/^icon_idb_wal_bytes (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(walLimit / 8);

    await until("the WAL is at its limit", 60_000, async () => (await instance.status()).idb.state === "locked");
    const longestMs = await acknowledges(load, heldSeconds);
    const walPath = `${idbPathOf(setting)}-wal`;
    const walBytes = statSync(walPath).size;
    expect(walBytes).toBeGreaterThanOrEqual(walLimit);
    expect(walBytes).toBeLessThanOrEqual(walLimit + batchWalBytesMax);

    await reader.end();
    const drained = await drain(instance, 30_000);
    await until("the alarm has ended", 10_000, async () => (await instance.status()).idb.walBlock === null);
    expect((await instance.status()).idb.state).toBe("open");
    load.complete();
    const late = await settle(instance, [load]);
    await until("the WAL has shrunk", 10_000, () => statSync(walPath).size <= walKeptMax);
    const log = instance.log();
    const told = log.filter(({ event }) => event === "a reader of the IDB keeps its WAL from being moved into it");
    expect(told.map(({ readers }) => String(readers).split(" (")[0])).toEqual([`process ${reader.pid}`]);
    expect(log.filter(({ event }) => event === "the WAL of the IDB is moved into it again")).toHaveLength(1);
    expect(log.filter(({ event }) => event === "IDB cannot be written now")).toHaveLength(1);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("R9 blocked", verdict);
    expect(verdict).toEqual(kept);
    if (isDrainMeasured) expect(drained.perSecond / livePerSecond).toBeGreaterThanOrEqual(drainRatioMin);
    figure(
      "R9",
      `reader that blocks the WAL: 0 of ${load.producedSeq} lost, WAL at most ${(walBytes / mib).toFixed(0)} MiB ` +
        `(limit ${walLimit / mib}), reader named; ${drainText(drained, livePerSecond)}; ` +
        `an acknowledgement took at most ${Math.round(longestMs)} ms`,
    );
  },
  heldSeconds * 2_000 + 180_000,
);

const whyNot = HeldUpThread.whyNot;
test.if(whyNot === null)(
  `an IDB whose disk takes 50 ms for each write for ${heldSeconds} s holds nobody up, and catches up afterwards${whyNot === null ? "" : ` (skipped: ${whyNot})`}`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("slow IDB");
    using directory = new TemporaryDirectory("slow");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: livePerSecond });
    const sources = [{ name: "north", address: load.address, dbid: 101 }];
    await using instance = await Instance.start({ directory: directory.path, sources });
    await begin(instance, load);
    let longestMs = 0;
    {
      await using _slow = await HeldUpThread.hold(instance.pid, "idb.db-wal", 50);
      longestMs = await acknowledges(load, Math.max(heldSeconds, 5));
      expect((await instance.status()).queue.recordsNotApplied).toBeGreaterThan(livePerSecond);
    }
    const drained = await drain(instance, 30_000);
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("R9 slow", verdict);
    expect(verdict).toEqual(kept);
    if (isDrainMeasured) expect(drained.perSecond / livePerSecond).toBeGreaterThanOrEqual(drainRatioMin);
    figure(
      "R9",
      `IDB on a disk with 50 ms a write: 0 of ${load.producedSeq} lost; ${drainText(drained, livePerSecond)}; ` +
        `an acknowledgement took at most ${Math.round(longestMs)} ms`,
    );
  },
  heldSeconds * 2_000 + 120_000,
);
