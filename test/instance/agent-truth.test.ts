// The whole way of the data for agents, against a simulated contact centre: who was logged in where, in which state, why,
// and how long, to the millisecond, is what really was.

import { expect, test } from "bun:test";
import Database from "libsql";
import { hashedKey } from "../../src/projection/key.ts";
import { compareAgents } from "../harness/agent-oracle.ts";
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
import { readSessionStories } from "../harness/voice-truth.ts";

const seconds = 8;

async function play(directory: TemporaryDirectory, seed: number, more: readonly string[]) {
  await iconBinary();
  const truthPath = directory.at("truth.ndjson");
  await using simulator = await Simulator.start("tserver", [
    ...["--seed", `${seed}`, "--rate", "800", "--seconds", `${seconds}`, "--voice-in-full"],
    ...["--talk-seconds", "0.5", "--transfer-percent", "20", "--clients-min", "1", "--heartbeat-ms", "1000"],
    ...["--linger", "5", "--truth", truthPath, ...more],
  ]);
  const setting: InstanceSetting = {
    directory: directory.path,
    callDeletionTimeoutSeconds: 1,
    callconcentrator: ["gls-active-reason-codes = 1"],
    sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
  };
  await using instance = await Instance.start(setting);
  const summary = await simulator.finished();
  await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
  expect(await instance.stop()).toBe(0);
  return { truthPath, idbPath: idbPathOf(setting), client: summary.clients["icon-a"] };
}

/** The same in every IDB: made of the event that began the session. */
function keyOf({ run, seq }: { readonly run: string; readonly seq: number }): string {
  return hashedKey("login", 101, run, seq);
}

interface Recorded {
  readonly key: string;
  readonly from: number;
  readonly to: number | null;
  /** Doubts about it, with their bounds in milliseconds. */
  readonly doubts: readonly { readonly reason: string; readonly from: number; readonly to: number }[];
}

function readSessions(idbPath: string): Recorded[] {
  const database = new Database(idbPath, { readonly: true });
  try {
    const all = <T>(sql: string) => database.prepare(sql).all() as T[];
    const doubts = all<{ ROW_KEY: string; REASON: string; EARLIEST: string; LATEST: string }>(
      "SELECT ROW_KEY, REASON, EARLIEST, LATEST FROM ICON_ROW_QUALITY WHERE TABLE_NAME = 'G_LOGIN_SESSION'",
    );
    const sessions = all<{ LOGINSESSIONID: string; CREATED: string; TERMINATED: string | null }>(
      "SELECT LOGINSESSIONID, CREATED, TERMINATED FROM G_LOGIN_SESSION",
    );
    return sessions.map(({ LOGINSESSIONID: key, CREATED, TERMINATED }) => ({
      ...{ key, from: Date.parse(CREATED), to: TERMINATED === null ? null : Date.parse(TERMINATED) },
      doubts: doubts
        .filter(({ ROW_KEY }) => ROW_KEY === key)
        .map((each) => ({ reason: each.REASON, from: Date.parse(each.EARLIEST), to: Date.parse(each.LATEST) })),
    }));
  } finally {
    database.close();
  }
}

// At the same time: they wait more than they work.
test.concurrent("with cuts shorter than the resend buffer, agents' sessions, states, calls, reasons and totals are as they were", async () => {
  const { seed } = seededRandom("agents with cuts");
  using directory = new TemporaryDirectory("agents");
  const { truthPath, idbPath, client } = await play(directory, seed, ["--cut-every", "1-3", "--cut-for", "0.1-0.5"]);
  const { differences, ...counted } = compareAgents(idbPath, truthPath, { hasActiveReasons: true });
  console.log(`agents with cuts: ${JSON.stringify(counted)}, ${client?.connections} connections`);
  expect(differences.slice(0, 10)).toEqual([]);
  expect(counted.sessions).toBeGreaterThan(20);
  expect(counted.busySeconds).toBeGreaterThan(20);
  expect(counted.reasons).toBeGreaterThan(20);
  expect(client?.connections).toBeGreaterThan(1);
  expect(readSessions(idbPath).flatMap(({ doubts }) => doubts)).toEqual([]);
}, 180_000);

test.concurrent.each([
  ["gaps", ["--gap-at", "3,6"]],
  ["restarts", ["--restart-at", "3,6"]],
] as const)(
  "with %s, sessions that lie outside of what was missed are as they were, and every session is the truth's, with its end or the bounds of that",
  async (what, how) => {
    const { seed } = seededRandom(`agents with ${what}`);
    using directory = new TemporaryDirectory("agents");
    const more = [...how, "--cut-for", "0.3-0.8"];
    const { truthPath, idbPath } = await play(directory, seed, more);
    const sessions = readSessions(idbPath);
    const doubts = sessions.flatMap((session) => session.doubts);
    const missed = doubts.filter(({ reason, from, to }) => reason === "end not seen" && to > from);
    expect(missed.length).toBeGreaterThan(0);
    const wasMissed = (from: number, to: number | null) =>
      missed.some((each) => from <= each.to && (to === null || each.from <= to));
    const { differences, ...counted } = compareAgents(idbPath, truthPath, {
      hasActiveReasons: true,
      isJudged: ({ loggedInAt, loggedOutAt }) => !wasMissed(loggedInAt, loggedOutAt),
    });
    console.log(`agents with ${what}: ${JSON.stringify(counted)}, ${doubts.length} doubts`);
    expect(differences.slice(0, 10)).toEqual([]);
    expect(counted.sessions).toBeGreaterThan(10);
    const truth = new Map(readSessionStories(truthPath).map((story) => [keyOf(story), story]));
    for (const { key, from, to, doubts: own } of sessions) {
      const story = truth.get(key);
      expect(Math.floor(story?.loggedInAt ?? 0)).toBe(from);
      const endedAt = story?.loggedOutAt == null ? null : Math.floor(story.loggedOutAt);
      const unseen = own.find(({ reason }) => reason === "end not seen");
      if (unseen === undefined) expect(to).toBe(endedAt);
      else expect([unseen.from <= (endedAt ?? 0), (endedAt ?? 0) <= unseen.to]).toEqual([true, true]);
    }
  },
  180_000,
);
