// Queue and IDB know each other. A queue that is gone under a surviving IDB, or the other way round, is noticed; no event
// is skipped or doubled afterwards, and the IDB says what is not known.

import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { openReading, sizeOf } from "../../src/idb/reading.ts";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { compare, readIdbCalls, readOracle } from "../harness/oracle.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  promptly,
  queueDirectoryOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

// At the same time: they wait more than they work.
for (const ending of ["stopped in order", "killed"] as const) {
  test.concurrent(`the queue directory deleted while the instance is ${ending}: nothing is skipped or doubled, and the IDB says what is not known`, async () => {
    await iconBinary();
    const { seed } = seededRandom(`lost queue, ${ending}`);
    using directory = new TemporaryDirectory("lost-queue");
    const observable = directory.at("observable.ndjson");
    await using simulator = await Simulator.start("tserver", [
      ...["--seed", `${seed}`, "--rate", "600", "--seconds", "7", "--talk-seconds", "1", "--clients-min", "1"],
      ...["--heartbeat-ms", "1000", "--linger", "4", "--observable", observable],
    ]);
    const setting: InstanceSetting = {
      directory: directory.path,
      callDeletionTimeoutSeconds: 1,
      sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
    };
    const instance = await Instance.start(setting);
    await until(
      "calls are recorded",
      10_000,
      async () => Number((await instance.status()).idb.appliedPosition) > 1_000,
    );
    if (ending === "killed") {
      // What is on its way is taken in, acknowledged and applied first: what was delivered is then known exactly.
      simulator.pause();
      await Bun.sleep(300);
      await instance.kill();
      simulator.resume();
    } else {
      expect(await instance.stop()).toBe(0);
    }
    rmSync(queueDirectoryOf(setting), { recursive: true });
    await Bun.sleep(800); // calls end that nobody sees

    await using again = await Instance.start(setting);
    await simulator.finished();
    await until("everything is applied", 20_000, async () => (await again.status()).queue.recordsNotApplied === 0);
    expect(await again.stop()).toBe(0);

    const idbPath = idbPathOf(setting);
    const comparison = compare(readIdbCalls(idbPath), readOracle(observablePath(observable, "icon-a")));
    console.log(`lost queue, ${ending}: ${comparison.calls} calls, ${comparison.differences.length} differences`);
    expect(comparison.differences.slice(0, 10)).toEqual([]);

    const reading = openReading(idbPath);
    const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
    const marks = rows<{ KIND: string; DETAIL: string }>(
      "SELECT KIND, DETAIL FROM ICON_MARK WHERE KIND = 'queue lost'",
    );
    const windows = rows<{ FAULTS: string }>("SELECT FAULTS FROM ICON_WINDOW WHERE FAULTS LIKE '%queue lost%'");
    const doubts = rows<{ TABLE_NAME: string; CAUSE: string }>(
      "SELECT DISTINCT TABLE_NAME, CAUSE FROM ICON_ROW_QUALITY WHERE REASON = 'end not seen' ORDER BY TABLE_NAME",
    );
    const sessions = rows<{ DSCONN_ETIME: string | null }>("SELECT DSCONN_ETIME FROM G_DSS_GCC_PROVIDER");
    const duplicates = rows("SELECT VALUE FROM ICON_COUNTER WHERE NAME = 'duplicate event'");
    reading.close();
    expect(marks).toEqual([
      {
        KIND: "queue lost",
        DETAIL: "the persistent queue was lost or replaced: it has another id than the IDB followed",
      },
    ]);
    expect(windows).toHaveLength(1);
    expect(doubts).toEqual([
      { TABLE_NAME: "G_CALL", CAUSE: "queue lost" },
      { TABLE_NAME: "G_PARTY", CAUSE: "queue lost" },
    ]);
    expect(sessions).toHaveLength(2);
    expect(sessions.filter(({ DSCONN_ETIME }) => DSCONN_ETIME === null)).toEqual([]);
    expect(duplicates).toEqual([]);
  }, 60_000);
}

function deleteIdb(path: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(`${path}${suffix}`, { force: true });
}

test.concurrent("the IDB deleted while the instance is stopped: it is rebuilt from the queue and equals the one before", async () => {
  await iconBinary();
  const { seed } = seededRandom("deleted IDB, stopped");
  using directory = new TemporaryDirectory("lost-idb");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1_500, paddingMax: 300 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  const instance = await Instance.start(setting);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  await Bun.sleep(3_000);
  load.pause();
  await until("everything is acknowledged", 10_000, () => load.ackedSeq === load.producedSeq);
  expect(await instance.stop()).toBe(0);
  const before = readDump(idbPathOf(setting));
  deleteIdb(idbPathOf(setting));

  const rebuilder = await Instance.start({ ...setting, sources: [] });
  await until("the IDB is rebuilt", 20_000, async () => {
    const { queue, idb } = await rebuilder.status();
    return idb.appliedPosition !== null && queue.recordsNotApplied === 0 && existsSync(idbPathOf(setting));
  });
  expect(await rebuilder.stop()).toBe(0);
  expect(differencesBetween(before, readDump(idbPathOf(setting)))).toEqual([]);

  await using again = await Instance.start(setting);
  await until("the source serves the instance again", 10_000, () => load.isServed);
  const late = await settle(again, [load]);
  expect(await again.stop()).toBe(0);
  const verdict = judge(again, [load], late);
  announce("R10 stopped", verdict);
  expect(verdict).toEqual(kept);
}, 60_000);

test.concurrent("the IDB deleted under the running instance: it notices, says so, and rebuilds it while events go on", async () => {
  await iconBinary();
  const { seed } = seededRandom("deleted IDB, running");
  using directory = new TemporaryDirectory("lost-idb");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 800 });
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  await using instance = await Instance.start(setting);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  for (let deletion = 1; deletion <= 3; deletion++) {
    await Bun.sleep(800);
    deleteIdb(idbPathOf(setting));
    await until("a new IDB is there", 5_000, () => existsSync(idbPathOf(setting)));
    const newest = load.producedSeq;
    await promptly("events are acknowledged meanwhile", 2_000, () => load.ackedSeq >= newest);
  }
  load.complete();
  const late = await settle(instance, [load]);
  expect(await instance.stop()).toBe(0);
  // There was nothing to put aside, and the last one was checkpointed in order.
  expect(readdirSync(dirname(idbPathOf(setting))).filter((file) => file.includes("damaged"))).toEqual([]);
  expect(sizeOf(`${idbPathOf(setting)}-wal`)).toBe(0);
  const verdict = judge(instance, [load], late);
  announce("R10 running", verdict);
  expect(verdict).toEqual(kept);
  const said = instance.log().filter(({ event }) => event === "IDB is put aside and rebuilt from the persistent queue");
  expect(said.length).toBe(3);
}, 60_000);
