// Purge: an IDB that holds days of calls and login sessions deletes the first of them while its instance is flooded and
// killed. Nothing that was acknowledged is lost; what goes is that day, and all of it, and nothing else; its peer goes on
// holding it, and who reads the two is told so. It takes too long for the check: ICON_PURGE_DAYS says how many days, ICON_PURGE_DAY_SECONDS how long each is.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hashToken, makeToken, type TokenRole } from "../../src/access/token.ts";
import { addToken } from "../../src/access/token-file.ts";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { copyIdb } from "../harness/dump.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { auditQueue, flawless } from "../harness/load-audit.ts";
import { announce, seededRandom, settle } from "../harness/load-verdict.ts";
import { compare, readIdbCalls } from "../harness/oracle.ts";
import {
  dataDirectoryOf,
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
import { purgeByHand, purgedOtherwise, wholeDifferences } from "../harness/purged-by-hand.ts";
import { mustRun, runCommand } from "../harness/run-command.ts";
import { query } from "../idb/temporary.ts";

const days = fromEnvironment("ICON_PURGE_DAYS", 0);
const daySeconds = fromEnvironment("ICON_PURGE_DAY_SECONDS", 86_400);
const kills = fromEnvironment("ICON_PURGE_KILLS", 2);
const floodEvents = fromEnvironment("ICON_PURGE_EVENTS", 24_000);
// Events a second: some hundred calls and login sessions in the shortest day too.
const rate = Math.max(0.3, 2880 / daySeconds);
// Longer ago than a day, so that rows without a call, which go by when they were written, are none of this test's.
const startsAt = (Math.floor(Date.now() / 86_400_000) - Math.ceil((days * daySeconds) / 86_400) - 2) * 86_400;
const before = startsAt + daySeconds;
const patienceMs = 60_000 + days * daySeconds;

const text = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
const roots = ["G_CALL", "G_LOGIN_SESSION"] as const;
const ended = (path: string) =>
  roots.reduce((sum, table) => {
    return sum + Number(query(path, `SELECT count(*) FROM ${table} WHERE TERMINATED_TS < ${before}`)[0]?.[0]);
  }, 0);

test.skipIf(days === 0)(
  `a day of ${days} purged beside a flood and ${kills} kills: that day alone is gone, nothing acknowledged is lost, readers are told`,
  async () => {
    await iconBinary();
    const { seed, next } = seededRandom("purge");
    using directory = new TemporaryDirectory("purge-load");
    await using simulator = await Simulator.start("tserver", [
      ...["--voice-in-full", "--plain", "--as-fast-as-possible", "--clients-min", "2", "--linger", "60"],
      ...["--seed", `${seed}`, "--rate", `${rate}`, "--start-time", `${text(startsAt)}`, "--heartbeat-ms", "10000"],
      ...["--seconds", `${days * daySeconds}`],
    ]);
    await using load = await Load.start({ name: "flood", dbid: 102, seed, eventsPerSecond: 0, paddingMax: 300 });
    const north = { name: "north", address: simulator.address, dbid: 101, switchDbid: 1 };
    const common = { windowSeconds: 60, checkEvery: "10h" };
    const kept = { ...common, directory: directory.at("b"), name: "icon-b", dbid: 9002, sources: [north] };
    const other = await Instance.start(kept);
    await using _other = other;
    const peer = new URL(await other.ready()).origin;
    const { lines, token, tokenFile } = tokensIn(directory);
    const purged: InstanceSetting = {
      ...{ ...common, directory: directory.at("a"), name: "icon-a", dbid: 9001 },
      http: { lines: ['listen = "127.0.0.1:0"', ...lines, `peer = ${JSON.stringify(peer)}`], token },
      sources: [north, { name: "flood", address: load.address, dbid: 102 }],
    };
    const [idb, keptIdb] = [idbPathOf(purged), idbPathOf(kept)];
    let instance = await Instance.start(purged);
    try {
      const { callsOpen } = await simulator.finished();
      for (const each of [instance, other]) {
        await until("all days are recorded", patienceMs, async () => {
          return (await each.status()).queue.recordsNotApplied === 0;
        });
      }
      const endedBefore = ended(idb);
      expect(endedBefore).toBeGreaterThan(200);
      expect(ended(keptIdb)).toBe(endedBefore);

      // The purge is asked for in the midst of the flood, and has more of it behind it.
      const part = Math.ceil(floodEvents / (kills + 2));
      load.flood(part);
      const origin = new URL(await instance.ready()).origin;
      const asked = ["purge", "--before", text(before), "--instance", origin, "--token-file", tokenFile, "--json"];
      expect(JSON.parse(await mustRun(asked))).toMatchObject({ result: "asked for" });
      const leftAtKills: number[] = [];
      for (let kill = 1; kill <= kills; kill++) {
        load.flood(part);
        const left = ended(idb);
        await until("the purge goes on", patienceMs, () => ended(idb) < left || left === 0);
        await Bun.sleep(next() * 100);
        await instance.kill();
        leftAtKills.push(ended(idb));
        instance = await Instance.start(purged);
        await instance.ready();
      }
      load.flood(part);
      await until("the purge is over", patienceMs, () => ended(idb) === 0);
      await until("the backlog is recorded", patienceMs, async () => {
        return isAcknowledged(load) && (await instance.status()).queue.recordsNotApplied === 0;
      });
      // What the simulated centre was in the midst of when its time was over goes on for ever.
      const isOpen = (what: string) => what === "every call has got its ending" && callsOpen > 0;
      const late = (await settle(instance, [load])).filter((what) => !isOpen(what));
      expect(await Promise.all([instance.stop(), other.stop()])).toEqual([0, 0]);

      // What was acknowledged is there, once; its calls are as they were; and all rows are what the queue says.
      const { records: _, lastPosition: __, ...queue } = auditQueue(queueDirectoryOf(purged), [load]);
      const truth = load.truth(load.producedSeq);
      const ofLoad = new Set(truth.map(({ connId }) => connId));
      const flooded = readIdbCalls(idb).filter(({ connId }) => connId !== null && ofLoad.has(connId));
      const again = directory.at("again.db");
      await mustRun(["rebuild", dataDirectoryOf(purged), "--out", again]);
      const expected = directory.at("expected.db");
      copyIdb(keptIdb, expected);
      purgeByHand(expected, before);
      const verdict = {
        ...queue,
        "not in time": late,
        "acknowledged events asked for again": load.lostAcknowledged,
        violations: load.violations,
        "differences from the truth": compare(flooded, truth).differences.slice(0, 5),
        "rows that a rebuild has otherwise": wholeDifferences(idb, again),
        "rows that a purge by hand has otherwise": purgedOtherwise({ purged: idb, kept: keptIdb, expected }),
      };
      announce("Purge", verdict);
      // What finds nothing must find something where nothing was purged.
      expect(purgedOtherwise({ purged: keptIdb, kept: keptIdb, expected })).toContainEqual(
        expect.stringMatching(/^G_LOGIN_SESSION: \d+ rows that should be gone are there$/),
      );
      expect(verdict).toEqual({
        ...flawless,
        "not in time": [],
        "acknowledged events asked for again": 0,
        violations: [],
        "differences from the truth": [],
        "rows that a rebuild has otherwise": [],
        "rows that a purge by hand has otherwise": [],
      });
      expect(leftAtKills.some((left) => left > 0 && left < endedBefore)).toBe(true);

      await toldOfBoth(directory, { idb, keptIdb });
      figure(
        "Purge",
        `the first of ${days} days of ${daySeconds} s, ${endedBefore} calls and login sessions, beside ${load.producedSeq} events, ` +
          `killed with ${leftAtKills.join(", ")} of them left: 0 lost, 0 twice; rows as a rebuild and a purge by hand have them; the peer holds the day`,
      );
    } finally {
      await instance.kill();
    }
  },
  1_200_000 + days * 40_000,
);

/** Whoever reads the purged IDB beside the one that has everything. */
async function toldOfBoth(
  directory: TemporaryDirectory,
  { idb, keptIdb }: { readonly idb: string; readonly keptIdb: string },
): Promise<void> {
  const both = ["--idb", idb, "--idb", keptIdb];
  const compared = JSON.parse(await mustRun(["compare", ...both, "--rows", "--json"])) as Comparison;
  expect(compared).toMatchObject({
    result: "equal",
    windows: { different: 0 },
    calls: { different: 0 },
    loginSessions: { different: 0 },
  });
  // The ledger still says what there was on the day, so those windows are equal; its calls are held by one IDB alone.
  expect(compared.windows.compared).toBeGreaterThan(((days * daySeconds) / 60) * 0.9);
  expect(compared.calls.compared).toBeGreaterThan(0);
  expect(compared.loginSessions.compared).toBeGreaterThan(0);

  const explained = async (moment: number) => await mustRunFor([0, 3], ["explain", text(moment), ...both]);
  const onTheDay = await explained(before - daySeconds / 2);
  expect(onTheDay).toMatch(/complete: \d+ events; take b\.\n {2}a: incomplete, \d+ events\n/);
  expect(onTheDay).toContain("because its calls were purged from this copy");
  expect(onTheDay).toMatch(/\n {2}b: complete, \d+ events\n/);
  const onTheNext = await explained(before + daySeconds / 2);
  expect(onTheNext).toMatch(/complete: \d+ events; take a; the copies that have it whole are equal\.\n {2}a: complete/);
  expect(onTheNext).not.toContain("purged");

  const out = directory.at("day.db");
  // The source of the flood had not been listened to on that day.
  await mustRunFor([0, 3], ["extract", ...both, "--from", text(startsAt), "--to", text(before), "--out", out]);
  for (const [table, key] of [
    ["G_CALL", "CALLID"],
    ["G_LOGIN_SESSION", "LOGINSESSIONID"],
  ]) {
    const of = (path: string) => query(path, `SELECT ${key} FROM ${table} WHERE TERMINATED_TS < ${before} ORDER BY 1`);
    expect(of(out)).toEqual(of(keptIdb));
  }
}

function isAcknowledged(load: Load): boolean {
  return load.ackedSeq === load.producedSeq;
}

function tokensIn(directory: TemporaryDirectory) {
  const tokens = directory.at("icon.tokens");
  const add = (role: TokenRole) => {
    const token = makeToken();
    addToken(tokens, { name: role, role, hash: hashToken(token) }, null);
    return token;
  };
  const tokenFile = directory.at("act.token");
  writeFileSync(tokenFile, `${add("act")}\n`, { mode: 0o600 });
  return { lines: [`tokens = ${JSON.stringify(tokens)}`], token: add("read"), tokenFile };
}

/** Returns its standard output. Throws when it ends with another exit code. */
async function mustRunFor(exitCodes: readonly number[], words: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(words);
  if (!exitCodes.includes(exitCode)) throw new Error(`icon ${words.join(" ")} ended with ${exitCode}: ${stderr}`);
  return stdout;
}
