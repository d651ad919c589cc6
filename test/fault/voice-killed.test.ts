// Everything that is stored of voice, of an instance that is killed again and again: calls, parties, attached data, stays in
// virtual queues, routings, statistics, agents' sessions and states are what the simulated contact centre says that there
// was, each once; and an IDB made anew has the same rows.
// ICON_VOICE_KILLS says how often; the check is short, `bun run fault` long.

import { expect, test } from "bun:test";
import { compareAgents } from "../harness/agent-oracle.ts";
import { readIdbRows } from "../harness/agent-rows.ts";
import { compareAttachedData } from "../harness/attached-data-oracle.ts";
import { compareCustomStates, customStatesConfig } from "../harness/custom-states-oracle.ts";
import { differencesBetween, foldQueue, readDump } from "../harness/dump.ts";
import { figure } from "../harness/figure.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { compare, readDoubtfulKeys, readIdbCalls, readOracle } from "../harness/oracle.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { virtualStayDifferences } from "../harness/virtual-stays.ts";
import { compareVoiceStatistics, readTold } from "../harness/voice-statistics.ts";
import { readCallDetails } from "../harness/voice-truth.ts";

const kills = fromEnvironment("ICON_VOICE_KILLS", 4);
// From the start of a life to its kill.
const lifeMs = { min: 300, max: 1_300 };
const secondsPerKill = 1.2;

test(
  `killed ${kills} times while a contact centre does all that it can, everything that was told is stored once`,
  async () => {
    await iconBinary();
    const { seed, next } = seededRandom("voice, killed");
    using directory = new TemporaryDirectory("voice-killed");
    const truthPath = directory.at("truth.ndjson");
    await using simulator = await Simulator.start("tserver", [
      ...["--seed", `${seed}`, "--rate", "500", "--seconds", `${Math.ceil(kills * secondsPerKill) + 2}`],
      ...["--voice-in-full", "--talk-seconds", "1", "--transfer-percent", "20", "--clients-min", "1"],
      // Nothing is forgotten before it is acknowledged.
      ...[
        "--resend-buffer",
        "1000000",
        "--heartbeat-ms",
        "1000",
        "--linger",
        `${6 + kills / 10}`,
        "--truth",
        truthPath,
      ],
    ]);
    const setting: InstanceSetting = {
      directory: directory.path,
      callDeletionTimeoutSeconds: 1,
      callconcentrator: ['role = "gcc,gls,gud"', 'adata-userdata-history = "all"', ...customStatesConfig],
      sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
    };
    for (let kill = 1; kill <= kills; kill++) {
      await using instance = await Instance.start(setting);
      await Bun.sleep(lifeMs.min + next() * (lifeMs.max - lifeMs.min));
      expect(instance.isOver).toBe(false);
      await instance.kill();
    }
    await using instance = await Instance.start(setting);
    await simulator.finished();
    await until("everything is applied", 60_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
    expect(await instance.stop()).toBe(0);

    const idbPath = idbPathOf(setting);
    const calls = compare(readIdbCalls(idbPath), readOracle(truthPath));
    const stays = virtualStayDifferences(idbPath, readCallDetails(truthPath));
    const data = compareAttachedData(idbPath, truthPath);
    const agents = compareAgents(idbPath, truthPath);
    const came = readIdbRows(idbPath, (rows) => compareVoiceStatistics(rows, readTold(truthPath)));
    const custom = compareCustomStates(idbPath, truthPath);
    expect(calls.differences.slice(0, 10)).toEqual([]);
    expect(stays.differences.slice(0, 10)).toEqual([]);
    expect([data.differences.slice(0, 3), data.invented]).toEqual([[], []]);
    expect(agents.differences.slice(0, 10)).toEqual([]);
    expect(came.differences.slice(0, 10)).toEqual([]);
    expect(custom.differences.slice(0, 10)).toEqual([]);
    expect([...readDoubtfulKeys(idbPath)]).toEqual([]);
    expect(differencesBetween(readDump(idbPath), foldQueue(queueDirectoryOf(setting))).slice(0, 10)).toEqual([]);
    const counts = [calls.calls, stays.stays, data.changes, agents.sessions, came.parties, came.routes, came.waits];
    for (const count of counts) expect(count).toBeGreaterThan(10);
    expect(custom.states).toBeGreaterThan(0);
    figure(
      "R8",
      `${kills} kills: ${calls.calls} calls, ${calls.parties} parties, ${data.changes} changes of attached data, ` +
        `${stays.stays} stays in virtual queues, ${agents.sessions} login sessions, ${came.routes} routings and all statistics, as they were, each once, and equal to a rebuild's`,
    );
  },
  kills * 4_000 + 180_000,
);
