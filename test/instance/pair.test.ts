// The HA pair: two instances on one source, each on its own, write the same rows under the same keys.

import { expect, test } from "bun:test";
import { differencesBetween, readDump, rowCount } from "../harness/dump.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

// At the same time: they wait more than they work.
for (const [what, words] of [
  ["undisturbed", []],
  ["cut at the same moments", ["--cut-every", "1-2", "--cut-for", "0.1-0.4"]],
  ["with a source that gives no identifiers", ["--no-call-uuid", "--no-party-uuid"]],
] as const) {
  test.concurrent(`two instances on one simulated T-Server, ${what}, have equal dumps`, async () => {
    await iconBinary();
    const { seed } = seededRandom(`pair ${what}`);
    using directory = new TemporaryDirectory("pair");
    await using simulator = await Simulator.start("tserver", [
      ...["--seed", `${seed}`, "--rate", "1000", "--seconds", "5", "--talk-seconds", "1", "--clients-min", "2"],
      ...["--heartbeat-ms", "1000", "--linger", "4"],
      ...words,
    ]);
    const settings = ["icon-a", "icon-b"].map(
      (name, index): InstanceSetting => ({
        directory: directory.at(name),
        name,
        dbid: 9001 + index,
        callDeletionTimeoutSeconds: 1,
        sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
      }),
    );
    const instances = await Promise.all(settings.map((setting) => Instance.start(setting)));
    await simulator.finished();
    for (const instance of instances) {
      await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
    }
    expect(await Promise.all(instances.map((instance) => instance.stop()))).toEqual([0, 0]);
    const [one, other] = settings.map((setting) => readDump(idbPathOf(setting)));
    if (one === undefined || other === undefined) throw new Error("there are two instances");
    console.log(`pair ${what}: ${rowCount(one, "G_CALL")} calls, ${rowCount(one, "G_PARTY_HISTORY")} party changes`);
    expect(differencesBetween(one, other).slice(0, 10)).toEqual([]);
    expect(rowCount(one, "G_CALL")).toBeGreaterThan(100);
  }, 60_000);
}
