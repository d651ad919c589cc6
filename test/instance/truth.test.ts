// The whole way of the data against a simulated contact centre: with cuts shorter than the resend buffer the IDB equals
// what really was; with gaps and restarts it equals what could be known, and says which rows are in doubt.
// ICON_TRUTH_SECONDS and ICON_TRUTH_RATE say how long and how fast.

import { expect, test } from "bun:test";
import { openReading } from "../../src/idb/reading.ts";
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

type RealCall = ReturnType<typeof readOracle>[number];

/** Differences from the truth that neither a marked row nor a stretch between two sessions accounts for. */
function unexplained(
  { idbPath, truthPath }: Played,
  calls: ReturnType<typeof readIdbCalls>,
  truth: Comparison,
): readonly string[] {
  const doubtful = readDoubtfulKeys(idbPath);
  const unheard = unheardStretches(idbPath);
  const real = new Map(readOracle(truthPath).map((call) => [call.connId, call]));
  const recorded = new Map(calls.map((call) => [call.connId, call]));
  // The session rows have whole milliseconds, cut off.
  const isUnheard = (from: number, to: number | null) =>
    unheard.some((stretch) => stretch.from <= Math.floor(from) && to !== null && Math.floor(to) <= stretch.to);
  const isUnexplainedOutside = (number: string, call: (typeof calls)[number], realCall: RealCall) => {
    const party = call.outside.find(({ dn }) => dn === number);
    if (party !== undefined) return !doubtful.has(party.partyId) && !doubtful.has(call.callId);
    // Nobody told that he came, or went: he came, or whoever could have told, while nobody listened.
    const from = realCall.outside.find(({ dn }) => dn === number)?.states[0]?.from;
    return from === undefined || !isUnheard(from, from);
  };
  return truth.differences.filter((difference) => {
    const [, connId = "", guid] =
      /^call (\w+): (?:party (\S+?)(?::| is missing| was never there))?/.exec(difference) ?? [];
    const call = recorded.get(connId);
    const realCall = real.get(connId);
    if (realCall === undefined) return true;
    const [, number] = /^call \w+: outside (\S+?)(?::| is missing| was never there)/.exec(difference) ?? [];
    if (number !== undefined && call !== undefined) return isUnexplainedOutside(number, call, realCall);
    // It began and ended while nobody listened.
    if (call === undefined) return !isUnheard(realCall.createdAt, realCall.endedAt);
    const realParent = realCall.parties.find((each) => each.partyUuid === guid)?.parent;
    if (realParent != null && /PARENT(PARTYID|LINKTYPE)/.test(difference)) {
      // Whom it descends from was not seen, or not from its beginning.
      const parties = recorded.get(realParent.connId)?.parties ?? [];
      const parent = parties.find((each) => each.guid === realParent.partyUuid);
      if (parent === undefined || doubtful.has(parent.partyId)) return false;
    }
    const party = call.parties.find((each) => each.guid === guid);
    if (party !== undefined) return !doubtful.has(party.partyId) && !doubtful.has(call.callId);
    if (guid === undefined) return !doubtful.has(call.callId);
    const realParty = realCall.parties.find((each) => each.partyUuid === guid);
    return realParty === undefined || !isUnheard(realParty.states[0]?.from ?? 0, realParty.endedAt);
  });
}

/**
 * From what was last heard in one data source session to what was first heard in the next, or to its end where only its
 * snapshot told anything; milliseconds.
 */
function unheardStretches(idbPath: string): { readonly from: number; readonly to: number }[] {
  const reading = openReading(idbPath);
  const sessions = reading.database
    .prepare("SELECT FEVENT_DSTIME, LEVENT_DSTIME, DSCONN_ETIME FROM G_DSS_GCC_PROVIDER ORDER BY DSS_ID")
    .all() as { FEVENT_DSTIME: string | null; LEVENT_DSTIME: string | null; DSCONN_ETIME: string }[];
  reading.close();
  const stretches: { from: number; to: number }[] = [];
  let heardUntil: string | null = null;
  for (const { FEVENT_DSTIME, LEVENT_DSTIME, DSCONN_ETIME } of sessions) {
    if (heardUntil !== null)
      stretches.push({ from: Date.parse(heardUntil), to: Date.parse(FEVENT_DSTIME ?? DSCONN_ETIME) });
    heardUntil = LEVENT_DSTIME ?? heardUntil;
  }
  return stretches;
}
