// Attached data on the whole way against a simulated contact centre: every change of every key that its switch made is a
// row, in order, with the time, the value and who changed it; and nothing else is. Cuts are shorter than the resend buffer.

import { expect, test } from "bun:test";
import Database from "libsql";
import type { SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import { compareAttachedData, compareObservedData, stored } from "../harness/attached-data-oracle.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { readSessionStories } from "../harness/voice-truth.ts";

const seconds = fromEnvironment("ICON_TRUTH_SECONDS", 5);
const rate = fromEnvironment("ICON_TRUTH_RATE", 1_000);

/** Every pair of every user event, in the table that it goes to. */
function expectedOfDesktops(sessions: readonly SessionStory[]): string[] {
  return sessions.flatMap(({ dn, userEvents }) =>
    userEvents.flatMap(({ at, userData }) =>
      Object.entries(userData).map(([key, value]) => {
        const table = key === "Step" ? "G_CUSTOM_DATA_P" : "G_CUSTOM_DATA_S";
        return `${table} ${dn} ${Math.floor(at)} ${key}=${stored(value)}`;
      }),
    ),
  );
}

// At the same time: they wait more than they work.
test.concurrent(
  `every change of attached data is a row, at ${rate} events a second for ${seconds} s with cuts`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("truth of attached data");
    using directory = new TemporaryDirectory("truth-data");
    const truthPath = directory.at("truth.ndjson");
    await using simulator = await Simulator.start("tserver", [
      ...["--seed", `${seed}`, "--rate", `${rate}`, "--seconds", `${seconds}`, "--voice-in-full"],
      ...["--talk-seconds", "1", "--transfer-percent", "20", "--clients-min", "1", "--heartbeat-ms", "1000"],
      ...["--linger", "5", "--truth", truthPath, "--cut-every", "1-3", "--cut-for", "0.1-0.5"],
    ]);
    const setting: InstanceSetting = {
      directory: directory.path,
      callDeletionTimeoutSeconds: 1,
      callconcentrator: [
        ...['role = "gud"', 'adata-userdata-history = "all"'],
        ...["[custom-states]", 'store-event-data = "all"', 'GlobalData = "char,Step"'],
      ],
      sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
    };
    await using instance = await Instance.start(setting);
    await simulator.finished();
    await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
    expect(await instance.stop()).toBe(0);

    const database = new Database(idbPathOf(setting));
    const [calls] = database.prepare("SELECT count(*) FROM G_CALL").raw().get() as unknown as [number];
    const [secure] = database.prepare("SELECT count(*) FROM G_SECURE_USERDATA_HISTORY").raw().get() as unknown as [
      number,
    ];
    const custom = ["G_CUSTOM_DATA_S", "G_CUSTOM_DATA_P"].flatMap((table) => {
      const sql = `SELECT ENDPOINTDN, ADDED, KEYNAME, VALUE FROM ${table}`;
      const found = database.prepare(sql).raw().all() as [string, string, string, string][];
      return found.map(([dn, added, key, value]) => `${table} ${dn} ${Date.parse(added)} ${key}=${value}`);
    });
    database.close();
    expect(custom.toSorted()).toEqual(expectedOfDesktops(readSessionStories(truthPath)).toSorted());
    expect(custom.length).toBeGreaterThan(10);
    // Role gcc is off: calls are followed, and none is stored.
    expect([calls, secure]).toEqual([0, 0]);
    const { changes, differences, invented } = compareAttachedData(idbPathOf(setting), truthPath);
    console.log(`attached data: ${changes} changes, ${differences.length} calls that differ`);
    expect(differences.slice(0, 3)).toEqual([]);
    expect(invented).toEqual([]);
    expect(changes).toBeGreaterThan((rate * seconds) / 50);
  },
  seconds * 3_000 + 180_000,
);

test.concurrent(
  `with gaps and a restart what is stored is what could be known, and what nobody saw changing has no author`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("attached data over gaps");
    using directory = new TemporaryDirectory("truth-data");
    const observable = directory.at("observable.ndjson");
    await using simulator = await Simulator.start("tserver", [
      ...["--seed", `${seed}`, "--rate", `${rate}`, "--seconds", `${seconds}`, "--voice-in-full"],
      ...["--talk-seconds", "1", "--transfer-percent", "20", "--clients-min", "1", "--heartbeat-ms", "1000"],
      ...["--linger", "5", "--truth", directory.at("truth.ndjson"), "--observable", observable],
      ...["--gap-at", `${seconds * 0.25},${seconds * 0.75}`, "--restart-at", `${seconds * 0.5}`],
      ...["--cut-for", "0.3-0.6", "--cut-settle-ms", "2000", "--restart-keeps-calls"],
    ]);
    const setting: InstanceSetting = {
      directory: directory.path,
      callDeletionTimeoutSeconds: 1,
      callconcentrator: ['role = "gcc,gud"', 'adata-userdata-history = "all"'],
      sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
    };
    await using instance = await Instance.start(setting);
    await simulator.finished();
    await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
    expect(await instance.stop()).toBe(0);

    const told = compareObservedData(idbPathOf(setting), observablePath(observable, "icon-a"));
    const { differences, invented, ...counted } = told;
    console.log(`attached data over gaps: ${JSON.stringify(counted)}, ${differences.length} calls that differ`);
    expect(differences.slice(0, 3)).toEqual([]);
    expect(invented).toEqual([]);
    expect(counted.unseen).toBeGreaterThan(0);
    expect(counted.emptied).toBeLessThan(counted.calls / 20);
  },
  seconds * 3_000 + 180_000,
);
