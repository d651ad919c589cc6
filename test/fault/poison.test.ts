// A fault of ours in the projection of one kind of event (planted: every EventHeld) costs those events: each is kept with
// the error, and everything else goes on.

import { expect, test } from "bun:test";
import { openReading } from "../../src/idb/reading.ts";
import type { ObservedCall } from "../../src/simulator/tserver/observable.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { digestOf, eventsPerCall, Load } from "../harness/load.ts";
import { auditIdb, auditQueue, flawless } from "../harness/load-audit.ts";
import { seededRandom, settle } from "../harness/load-verdict.ts";
import {
  buildBinary,
  Instance,
  type InstanceSetting,
  idbPathOf,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

/** The same calls as if nobody had ever been put on hold. */
function withoutHolds(calls: readonly ObservedCall[]): ObservedCall[] {
  return calls.map((call) => ({
    ...call,
    parties: call.parties.map((party) => ({
      ...party,
      states: party.states.filter(({ event }) => event !== "EventHeld" && event !== "EventRetrieved"),
    })),
  }));
}

test("when the projection fails on one kind of event, each is kept with the error and everything else is recorded", async () => {
  const binary = await buildBinary("held-fails");
  const { seed } = seededRandom("poison");
  using directory = new TemporaryDirectory("poison");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 600 });
  const setting: InstanceSetting = {
    directory: directory.path,
    binary,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  const instance = await Instance.start(setting);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  await Bun.sleep(2_000);
  load.complete();
  expect(await settle(instance, [load])).toEqual([]);
  const calls = load.producedSeq / eventsPerCall;
  expect((await instance.status()).undecodedTotal).toBe(calls);
  // A restart changes nothing about it.
  expect(await instance.stop()).toBe(0);
  const before = readDump(idbPathOf(setting));
  await using again = await Instance.start(setting);
  await again.ready();
  await until("the source serves the instance again", 10_000, () => load.isServed);
  expect(await again.stop()).toBe(0);
  expect(differencesBetween(before, readDump(idbPathOf(setting)))).toEqual([]);

  expect(auditQueue(queueDirectoryOf(setting), [load])).toMatchObject(flawless);
  const audit = auditIdb(idbPathOf(setting), [load], withoutHolds(load.truth(load.producedSeq)));
  expect(audit.differences).toEqual([]);
  expect(audit.windowEvents).toBe(load.producedSeq - calls);
  expect(audit.duplicatesDropped).toBe(0);

  const reading = openReading(idbPathOf(setting));
  const rows = reading.database.prepare("SELECT SOURCE, REASON, FRAME FROM ICON_UNDECODED ORDER BY POSITION").all() as {
    SOURCE: string;
    REASON: string;
    FRAME: Uint8Array;
  }[];
  const windows = reading.database.prepare("SELECT HOLES, FAULTS FROM ICON_WINDOW").all() as {
    HOLES: string;
    FAULTS: string;
  }[];
  reading.close();
  expect(rows).toHaveLength(calls);
  expect(new Set(rows.map(({ SOURCE, REASON }) => `${SOURCE}: ${REASON}`))).toEqual(new Set(["north: Error: planted"]));
  const held: bigint[] = [];
  for (let seq = 1; seq <= load.producedSeq; seq++) {
    const line = load.line(seq);
    if (line.startsWith('{"id":"EventHeld"')) held.push(digestOf(line));
  }
  expect(rows.map(({ FRAME }) => digestOf(FRAME))).toEqual(held);
  // They came: their windows cannot be vouched for, but have no hole.
  expect(windows.filter(({ FAULTS }) => FAULTS.includes("projection failed")).length).toBeGreaterThan(0);
  expect(windows.filter(({ HOLES }) => HOLES !== "[]")).toEqual([]);
}, 60_000);
