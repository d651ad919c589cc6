// R9, where not the IDB but who writes it is gone: the recorder's thread dies in the running binary, of a throw on one
// record, of a throw that nobody catches, or in the middle of a transaction. It is started again, in the last case with its
// process, and replays; nothing is lost or twice. A disk that fails is no death, for no record is at fault.

import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { openReading } from "../../src/idb/reading.ts";
import { figure } from "../harness/figure.ts";
import { FailingReads, HeldUpThread } from "../harness/held-up-thread.ts";
import { digestOf, Load } from "../harness/load.ts";
import { auditQueue, flawless } from "../harness/load-audit.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  buildBinary,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  promptly,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

interface Death {
  readonly reason: string;
  readonly appliedPosition: string;
  readonly deaths: number;
}

const eventsPerSecond = 600;

function deathsOf(instance: Instance): Death[] {
  return instance
    .log()
    .filter(({ event }) => event === "recorder died and is started again")
    .map(({ reason, appliedPosition, deaths }) => ({
      reason: String(reason),
      appliedPosition: String(appliedPosition),
      deaths: Number(deaths),
    }));
}

test("a record on which the recorder dies three times is kept with its window marked, and everything else is recorded", async () => {
  const binary = await buildBinary("dies-on-record");
  const { seed } = seededRandom("recorder dies on a record");
  const poisonous = [1500, 3100];
  using directory = new TemporaryDirectory("dies");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: directory.path, binary, sources };
  await using instance = await Instance.start(setting);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  await until("the recorder has died", 20_000, () => deathsOf(instance).length > 0);
  // Whoever looks is told, and intake goes on meanwhile.
  const sentences = (await instance.status()).trouble.map(({ sentence }) => sentence);
  expect(sentences).toContain("recorder died and is started again");
  const newest = load.producedSeq;
  await promptly("the newest event is acknowledged", 2_000, () => load.ackedSeq >= newest);
  await until("both records have come", 30_000, () => load.ackedSeq > 3_200);
  await until("both have been passed over", 60_000, async () => (await instance.status()).undecodedTotal === 2);
  load.complete();
  const late = await settle(instance, [load]);
  expect(late).toEqual([]);
  const kinds = (await instance.status()).trouble.map(({ sentence }) => sentence);
  expect(kinds).toContain("projection of a record failed and it was passed over");
  expect(await instance.stop()).toBe(0);

  expect(auditQueue(queueDirectoryOf(setting), [load])).toMatchObject(flawless);
  const deaths = deathsOf(instance);
  expect(new Set(deaths.map(({ reason }) => reason))).toEqual(new Set(["Error: planted"]));
  // The last deaths of each were at the position just before it, three in a row.
  for (const position of new Set(deaths.filter((each) => each.deaths === 3).map((each) => each.appliedPosition))) {
    const there = deaths.filter((each) => each.appliedPosition === position).map((each) => each.deaths);
    expect(there).toEqual([1, 2, 3]);
  }
  const reading = openReading(idbPathOf(setting));
  const undecoded = reading.database
    .prepare("SELECT POSITION, REASON, FRAME FROM ICON_UNDECODED ORDER BY POSITION")
    .all() as { POSITION: number; REASON: string; FRAME: Uint8Array }[];
  const [{ faulty } = { faulty: 0 }] = reading.database
    .prepare("SELECT count(*) AS faulty FROM ICON_WINDOW WHERE FAULTS LIKE '%projection failed%'")
    .all() as { faulty: number }[];
  const [{ counted } = { counted: 0 }] = reading.database
    .prepare("SELECT SUM(EVENTS) AS counted FROM ICON_WINDOW")
    .all() as { counted: number }[];
  reading.close();
  expect(undecoded.map(({ REASON }) => REASON)).toEqual(poisonous.map(() => "Error: the recorder died on it"));
  expect(undecoded.map(({ FRAME }) => digestOf(FRAME))).toEqual(poisonous.map((seq) => digestOf(load.line(seq))));
  expect(deaths.filter((each) => each.deaths === 3).map((each) => Number(each.appliedPosition) + 1)).toEqual(
    undecoded.map(({ POSITION }) => POSITION),
  );
  expect(faulty).toBe(2);
  expect(counted).toBe(load.producedSeq - poisonous.length);
  figure(
    "R9",
    `a recorder that dies on 2 of ${load.producedSeq} records: ${deaths.length} deaths, both kept in ICON_UNDECODED with ` +
      `their windows marked, every other event in its window`,
  );
}, 120_000);

test("a recorder that dies of a throw that nobody catches is started again, and nothing is lost, repeated or passed over", async () => {
  const binary = await buildBinary("dies-uncaught");
  const { seed } = seededRandom("dies-uncaught");
  using directory = new TemporaryDirectory("dies");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  await using instance = await Instance.start({ directory: directory.path, binary, sources });
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  await until("it has died five times", 60_000, () => deathsOf(instance).length >= 5);
  load.complete();
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  const deaths = deathsOf(instance);
  const verdict = judge(instance, [load], late);
  announce("R9 dies-uncaught", verdict);
  expect(verdict).toEqual(kept);
  figure(
    "R9",
    `a recorder that dies of an uncaught throw: ${deaths.length} deaths, 0 of ${load.producedSeq} lost or twice`,
  );
}, 120_000);

test.if(HeldUpThread.whyNot === null)(
  `a persistent queue that cannot be read for a while costs no record, and nothing is passed over${HeldUpThread.whyNot === null ? "" : ` (skipped: ${HeldUpThread.whyNot})`}`,
  async () => {
    const { seed } = seededRandom("unreadable queue");
    using directory = new TemporaryDirectory("unreadable");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond });
    const sources = [{ name: "north", address: load.address, dbid: 101 }];
    const setting: InstanceSetting = { directory: directory.path, segmentBytes: "64MiB", sources };
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until("rows are written", 10_000, async () => (await instance.status()).idb.appliedPosition !== null);
    const [segment = ""] = readdirSync(queueDirectoryOf(setting)).filter((name) => name.endsWith(".open"));
    const isTold = () => instance.log().filter(({ event }) => event === "recorder cannot use its files now");
    {
      await using _failing = new FailingReads(instance.pid, join(queueDirectoryOf(setting), segment));
      await until("it says so", 10_000, () => isTold().length > 0);
      // Longer than it would take to take the record for what is wrong.
      await until("much waits", 20_000, async () => (await instance.status()).queue.recordsNotApplied > 3_000);
      expect((await instance.status()).idb.state).toBe("unavailable");
      const newest = load.producedSeq;
      await promptly("the newest event is acknowledged", 2_000, () => load.ackedSeq >= newest);
    }
    await until("it goes on", 10_000, async () => (await instance.status()).idb.state === "open");
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    expect(isTold()).toHaveLength(1);
    expect(deathsOf(instance)).toEqual([]);
    const verdict = judge(instance, [load], late);
    announce("R9 unreadable", verdict);
    expect(verdict).toEqual(kept);
    figure("R9", `a queue that cannot be read for some seconds: 0 of ${load.producedSeq} lost, none passed over`);
  },
  120_000,
);

test("a recorder that is gone in the middle of a transaction ends the process with 70, and the next start replays", async () => {
  const binary = await buildBinary("exits-in-transaction");
  const { seed } = seededRandom("exits-in-transaction");
  using directory = new TemporaryDirectory("gone");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: directory.path, binary, sources };
  const lives = 3;
  for (let life = 1; life <= lives; life++) {
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    expect(await instance.exited).toBe(70);
    const said = instance.log().filter(({ event }) => event.includes("gone in the middle of a transaction"));
    expect(said.length).toBe(life);
  }
  await using instance = await Instance.start({ ...setting, binary: await iconBinary() });
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.complete();
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  const verdict = judge(instance, [load], late);
  announce("R9 exits-in-transaction", verdict);
  expect(verdict).toEqual(kept);
  figure("R9", `a recorder gone in a transaction: exit 70 ${lives} times, 0 of ${load.producedSeq} lost or twice`);
}, 120_000);
