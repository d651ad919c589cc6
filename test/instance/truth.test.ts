// The whole way of the data against a simulated contact centre: with cuts shorter than the resend buffer the IDB equals
// what really was; with gaps and restarts it equals what could be known, and says which rows are in doubt.
// ICON_TRUTH_SECONDS and ICON_TRUTH_RATE say how long and how fast.

import { expect, test } from "bun:test";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import { readIdbRows } from "../harness/agent-rows.ts";
import { compareCustomStates, customStatesConfig } from "../harness/custom-states-oracle.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { type Comparison, compare, readDoubtfulKeys, readIdbCalls, readOracle } from "../harness/oracle.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  Simulator,
  type SimulatorSummary,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { unexplained } from "../harness/unexplained.ts";
import { virtualStayDifferences } from "../harness/virtual-stays.ts";
import { compareVoiceStatistics, readTold } from "../harness/voice-statistics.ts";
import { readCallDetails, readObservedDetails } from "../harness/voice-truth.ts";

const seconds = fromEnvironment("ICON_TRUTH_SECONDS", 5);
const rate = fromEnvironment("ICON_TRUTH_RATE", 2_000);
const timeoutMs = seconds * 3_000 + 180_000;

interface Played {
  readonly summary: SimulatorSummary;
  readonly truthPath: string;
  readonly observablePath: string;
  readonly idbPath: string;
}

async function play(directory: TemporaryDirectory, seed: number, outages: readonly string[]): Promise<Played> {
  await iconBinary();
  const truthPath = directory.at("truth.ndjson");
  const observable = directory.at("observable.ndjson");
  await using simulator = await Simulator.start("tserver", [
    ...["--seed", `${seed}`, "--rate", `${rate}`, "--seconds", `${seconds}`],
    ...["--talk-seconds", "1", "--transfer-percent", "20", "--clients-min", "1", "--heartbeat-ms", "1000"],
    // Longer than the configuration's call-deletion-timeout, so that every ending is written.
    ...["--linger", "5"],
    ...["--truth", truthPath, "--observable", observable],
    ...outages,
  ]);
  const setting: InstanceSetting = {
    directory: directory.path,
    callDeletionTimeoutSeconds: 1,
    callconcentrator: customStatesConfig,
    sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
  };
  await using instance = await Instance.start(setting);
  const summary = await simulator.finished();
  await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
  expect(await instance.stop()).toBe(0);
  return { summary, truthPath, observablePath: observablePath(observable, "icon-a"), idbPath: idbPathOf(setting) };
}

function say(label: string, { summary }: Played, comparison: Comparison): void {
  const client = summary.clients["icon-a"];
  console.log(
    `${label}: ${summary.events} events, ${comparison.calls} calls, ${comparison.parties} parties, ` +
      `${client?.connections} connections, ${client?.gaps} gaps, ${summary.runs.length} server runs, ` +
      `${comparison.differences.length} differences`,
  );
}

// At the same time: they wait more than they work.
test.concurrent(
  `with cuts shorter than the resend buffer, ${rate} events a second for ${seconds} s are in the IDB as they were`,
  async () => {
    const { seed } = seededRandom("truth with cuts");
    using directory = new TemporaryDirectory("truth");
    const played = await play(directory, seed, [...["--cut-every", "1-3", "--cut-for", "0.1-0.5"], "--voice-in-full"]);
    const comparison = compare(readIdbCalls(played.idbPath), readOracle(played.truthPath));
    say("truth with cuts", played, comparison);
    expect(comparison.differences.slice(0, 10)).toEqual([]);
    expect(comparison.calls).toBeGreaterThan((rate * seconds) / 50);
    expect(played.summary.clients["icon-a"]?.connections).toBeGreaterThan(1);
    expect([...readDoubtfulKeys(played.idbPath)]).toEqual([]);
    const { stays, differences } = virtualStayDifferences(played.idbPath, readCallDetails(played.truthPath));
    expect(differences.slice(0, 10)).toEqual([]);
    expect(stays).toBeGreaterThan(20);
    const came = readIdbRows(played.idbPath, (rows) => compareVoiceStatistics(rows, readTold(played.truthPath)));
    expect(came.differences.slice(0, 10)).toEqual([]);
    for (const count of [came.calls, came.parties, came.routes, came.waits]) expect(count).toBeGreaterThan(20);
    const custom = compareCustomStates(played.idbPath, played.truthPath);
    expect(custom.differences.slice(0, 10)).toEqual([]);
    expect(custom.states).toBeGreaterThan(5);
  },
  timeoutMs,
);

for (const [what, extra] of [
  ["calls that a restart ends", []],
  ["calls that live on over a restart", ["--restart-keeps-calls", "--voice-in-full"]],
] as const) {
  test.concurrent(
    `with gaps and source restarts, and ${what}, the IDB is what could be known, and every difference from the truth is marked`,
    async () => {
      const { seed } = seededRandom(`truth with gaps, ${what}`);
      using directory = new TemporaryDirectory("truth");
      const played = await play(directory, seed, [
        ...["--gap-at", `${seconds * 0.25},${seconds * 0.75}`, "--restart-at", `${seconds * 0.5}`],
        ...["--cut-for", "0.3-0.6", "--cut-settle-ms", "2000"],
        ...extra,
      ]);
      const calls = readIdbCalls(played.idbPath);
      const observed = compare(calls, readOracle(played.observablePath));
      say("observable", played, observed);
      expect(observed.differences.slice(0, 10)).toEqual([]);
      expect(played.summary.runs).toHaveLength(2);
      expect(played.summary.clients["icon-a"]?.gaps).toBe(2);
      if (extra.length > 0) {
        const stays = virtualStayDifferences(played.idbPath, readObservedDetails(played.observablePath));
        expect(stays.differences.slice(0, 10)).toEqual([]);
        expect(stays.stays).toBeGreaterThan(20);
      }

      const truth = compare(calls, readOracle(played.truthPath));
      say("truth", played, truth);
      expect(truth.differences.length).toBeGreaterThan(0);
      expect(unexplained(played, calls, truth).slice(0, 10)).toEqual([]);
    },
    timeoutMs,
  );
}
