// The two servers of a pair take over from each other while a contact centre does all that it can: what is stored of calls,
// attached data, virtual queues and agents is what could be known, and says what could not.

import { expect, test } from "bun:test";
import { hashedKey } from "../../src/projection/key.ts";
import { observablePath } from "../../src/simulator/tserver/link-server.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { compareAgents } from "../harness/agent-oracle.ts";
import { compareObservedData } from "../harness/attached-data-oracle.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { compare, readIdbCalls, readOracle } from "../harness/oracle.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { auditStoredSessions } from "../harness/stored-sessions.ts";
import { unexplained, unheardStretches } from "../harness/unexplained.ts";
import { virtualStayDifferences } from "../harness/virtual-stays.ts";
import { readObservedDetails, readObservedSessions, readSessionStories } from "../harness/voice-truth.ts";

const seconds = 4;

test("the servers of a pair take over from each other twice, and all of voice is what could be known", async () => {
  await iconBinary();
  const { seed } = seededRandom("voice over switchovers");
  using directory = new TemporaryDirectory("switchover");
  const truthPath = directory.at("truth.ndjson");
  const server = await startSimulatedTserver({
    ...{ seed, rate: 800, seconds, talkSeconds: 1, transferPercent: 20, voiceInFull: true, clientsMin: 1 },
    ...{ heartbeatMs: 500, lingerSeconds: 2.5, cutSettleMs: 2_000, truth: truthPath },
    ...{ observable: directory.at("observable.ndjson"), dbid: 101, primaryDbid: 101 },
    standby: { listen: "127.0.0.1:0", dbid: 102 },
  });
  const observed = observablePath(directory.at("observable.ndjson"), "icon-a");
  const { address, standbyAddress } = server;
  if (standbyAddress === null) throw new Error("There is no standby");
  const setting: InstanceSetting = {
    directory: directory.path,
    callDeletionTimeoutSeconds: 1,
    callconcentrator: ['role = "gcc,gls,gud"', 'adata-userdata-history = "all"'],
    sources: [{ name: "north", address, standbyAddress, dbid: 101, switchDbid: 1 }],
  };
  await using instance = await Instance.start(setting);
  const eventsOf = () => server.progress().events;
  await until("calls are under way", 20_000, async () => eventsOf() > 1_000);
  server.control.switchOver("role");
  await until("more has happened", 20_000, async () => eventsOf() > 2_300);
  server.control.switchOver("lost");
  const summary = await server.finished;
  await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
  expect(await instance.stop()).toBe(0);
  expect(summary.runs).toHaveLength(3);
  expect(summary.clients["icon-a"]).toMatchObject({ snapshots: 3, gaps: 0 });

  const idbPath = idbPathOf(setting);
  const calls = readIdbCalls(idbPath);
  const known = compare(calls, readOracle(observed));
  expect(known.differences.slice(0, 10)).toEqual([]);
  const truth = compare(calls, readOracle(truthPath));
  expect(unexplained({ idbPath, truthPath }, calls, truth).slice(0, 10)).toEqual([]);
  const stays = virtualStayDifferences(idbPath, readObservedDetails(observed));
  expect(stays.differences.slice(0, 10)).toEqual([]);
  const data = compareObservedData(idbPath, observed);
  expect([data.differences.slice(0, 3), data.invented]).toEqual([[], []]);

  const keyOf = ({ run, seq }: { readonly run: string; readonly seq: number }) => hashedKey("login", 101, run, seq);
  const sessions = auditStoredSessions(idbPath, readSessionStories(truthPath), readObservedSessions(observed), keyOf);
  expect(sessions.differences.slice(0, 10)).toEqual([]);
  const unheard = unheardStretches(idbPath);
  const agents = compareAgents(idbPath, truthPath, {
    isJudged: ({ loggedInAt, loggedOutAt }) =>
      !unheard.some(({ from, to }) => loggedInAt <= to && (loggedOutAt === null || from <= loggedOutAt)),
  });
  expect(agents.differences.slice(0, 10)).toEqual([]);
  const counts = {
    calls: known.calls,
    stays: stays.stays,
    changes: data.changes,
    ...sessions,
    agents: agents.sessions,
  };
  console.log(`over switchovers: ${JSON.stringify({ ...counts, differences: truth.differences.length })}`);
  for (const count of [known.calls, stays.stays, data.changes, sessions.sessions]) expect(count).toBeGreaterThan(20);
  expect(sessions.over).toBeGreaterThan(0);
}, 120_000);
