// What a running instance keeps of its persistent queue: by age, by bytes, and as a reload has it from that moment on.

import { expect, test } from "bun:test";
import { Load } from "../harness/load.ts";
import { auditIdb, flawlessIdb } from "../harness/load-audit.ts";
import { seededRandom, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

test("applied segments go when they are too old or too many, from a reload on, and no row goes with them", async () => {
  await iconBinary();
  const { seed } = seededRandom("retention");
  using directory = new TemporaryDirectory("retention");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 2_000, paddingMax: 3_000 });
  const setting: InstanceSetting = {
    directory: directory.path,
    segmentBytes: "2MiB",
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  await using instance = await Instance.start(setting);
  const queue = async () => (await instance.status()).queue;
  const first = async () => Number((await queue()).firstPosition);
  const changed = () =>
    instance
      .log()
      .filter(({ event }) => event === "configuration in force")
      .map((line) => line["changed"]);
  await until("the source serves the instance", 10_000, () => load.isServed);
  load.flow();
  await until("there is more than will be kept", 30_000, async () => (await queue()).segments > 4);
  expect(await first()).toBe(1);

  instance.reload({ ...setting, retentionAge: "1s" });
  await until("what is too old is gone", 10_000, async () => (await first()) > 1);

  instance.reload({ ...setting, retentionBytes: "4MiB" });
  await until("the age counts no more", 10_000, () => changed().length === 2);
  const { firstPosition, durablePosition } = await queue();
  await until("what is too much is gone", 30_000, async () => (await first()) > Number(durablePosition));
  expect(Number(firstPosition)).toBeLessThan(Number(durablePosition));

  load.complete();
  expect(await settle(instance, [load])).toEqual([]);
  // Two segments of 2 MiB with their headers are more than 4 MiB: one stays, and the next may have been begun.
  expect((await queue()).segments).toBeLessThanOrEqual(2);
  expect(changed()).toEqual(["queue.retention_age", "queue.retention_age, queue.retention_bytes"]);
  expect(await instance.stop()).toBe(0);
  const { calls: _, ...rows } = auditIdb(idbPathOf(setting), [load]);
  expect(rows).toEqual(flawlessIdb([load]));
}, 90_000);
