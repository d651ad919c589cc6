// A purge as an operator asks for it: two whole instances under load, one of them is killed in the middle of it.

import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hashToken, makeToken, type TokenRole } from "../../src/access/token.ts";
import { addToken } from "../../src/access/token-file.ts";
import { runIcon } from "../commands/run-icon.ts";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { query } from "../idb/temporary.ts";

setDefaultTimeout(180_000);

const secondText = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
const ended = (path: string, before: number) =>
  Number(query(path, `SELECT count(*) FROM G_CALL WHERE TERMINATED_TS < ${before}`)[0]?.[0]);

test("a purge beside full load survives kill -9, and a rebuild ends with the same rows", async () => {
  await iconBinary();
  using directory = new TemporaryDirectory("purge");
  await using simulator = await Simulator.start("tserver", [
    ...["--seed", "7", "--rate", "1000", "--seconds", "36", "--talk-seconds", "1", "--clients-min", "1"],
    ...["--heartbeat-ms", "500", "--linger", "4"],
  ]);
  const settingOf = (name: string, dbid: number, lines: readonly string[], token = ""): InstanceSetting => ({
    directory: directory.at(name),
    name,
    dbid,
    callDeletionTimeoutSeconds: 1,
    http: { lines: ['listen = "127.0.0.1:0"', ...lines], token },
    sources: [{ name: "north", address: simulator.address, dbid: 101, switchDbid: 1 }],
  });
  const tokenFiles = {} as Record<TokenRole, string>;
  let reader = "";
  const tokens = directory.at("icon.tokens");
  for (const role of ["read", "act"] as const) {
    const text = makeToken();
    if (role === "read") reader = text;
    addToken(tokens, { name: role, role, hash: hashToken(text) }, null);
    tokenFiles[role] = directory.at(`${role}.token`);
    writeFileSync(tokenFiles[role], `${text}\n`, { mode: 0o600 });
  }
  const kept = settingOf("icon-b", 9002, []);
  const lines = [`tokens = ${JSON.stringify(tokens)}`];
  const alone = settingOf("icon-a", 9001, lines, reader);
  const idb = idbPathOf(alone);
  let instance = await Instance.start(alone);
  const origin = new URL(await instance.ready()).origin;
  const purge = (before: number, words: readonly string[] = [], role: TokenRole = "act", at = origin) =>
    runIcon(
      [
        ...["purge", "--before", secondText(before), "--instance", at, "--token-file", tokenFiles[role], "--json"],
        ...words,
      ],
      directory.path,
    );
  const refused = (reason: string) => ({ exitCode: 1, stdout: "", stderr: expect.stringContaining(reason) });
  const asked = (before: number) => ({
    ...{ exitCode: 0, stderr: "" },
    stdout: `${JSON.stringify({ before: new Date(before * 1000).toISOString(), result: "asked for" })}\n`,
  });

  await until("there are rows", 60_000, async () => Number((await instance.status()).idb.appliedPosition ?? 0) > 1);
  const now = () => Math.floor(Date.now() / 1000);
  await until("there are calls to purge", 60_000, async () => ended(idb, now() - 1) > 100);
  expect(await purge(now() - 1, [], "read")).toEqual(refused("may act"));
  expect(await purge(now() - 1)).toEqual(refused("No peer is configured"));

  // From here on the other instance listens too; what was before it has this one alone.
  await using other = await Instance.start(kept);
  const peer = new URL(await other.ready()).origin;
  await until("both record", 60_000, async () => Number((await other.status()).idb.appliedPosition ?? 0) > 1000);
  const border = now();
  const purgedSetting = settingOf("icon-a", 9001, [...lines, `peer = ${JSON.stringify(peer)}`], reader);
  instance.reload(purgedSetting);
  await until("it knows its peer", 60_000, () =>
    Promise.resolve(instance.log().some(({ event }) => event === "configuration in force")),
  );
  // That one has no token file, so nobody may have it purge.
  expect(await purge(border, [], "act", peer)).toEqual(refused("no token file"));
  expect(await purge(border)).toEqual(refused("No other copy is known to hold north from"));
  expect(ended(idb, border)).toBeGreaterThan(100);
  // What ended just before is written when call-deletion-timeout has passed, and would stay if the purge came before that.
  await Bun.sleep(3_000);
  expect(await purge(border, ["--even-if-only-copy"])).toEqual(asked(border));
  await until("the first purge is over", 60_000, () => Promise.resolve(ended(idb, border) === 0));

  // Some seconds of them when both listened.
  await until(
    "there are calls to purge again",
    60_000,
    async () => now() - 8 > border + 5 && ended(idb, now() - 8) > 100,
  );
  const before = now() - 8;
  const keptCalls = ended(idb, before);
  expect(await purge(before)).toEqual(asked(before));
  await until("the purge has begun", 60_000, () => Promise.resolve(ended(idb, before) < keptCalls));
  await instance.kill();
  const left = ended(idb, before);

  instance = await Instance.start(purgedSetting);
  await using _ = instance;
  await until("the purge is over", 60_000, () => Promise.resolve(ended(idb, before) === 0));
  console.log(`purge: of ${keptCalls} calls ${left} were left at the kill`);
  await simulator.finished();
  for (const each of [instance, other]) {
    await until("everything is applied", 60_000, async () => (await each.status()).queue.recordsNotApplied === 0);
  }
  expect(await Promise.all([instance.stop(), other.stop()])).toEqual([0, 0]);
  expect(query(idb, "SELECT KIND, DETAIL FROM ICON_MARK WHERE KIND = 'purge'")).toEqual([
    ["purge", `before ${new Date(border * 1000).toISOString()}, by command, whatever other copies have`],
    ["purge", `before ${new Date(before * 1000).toISOString()}, by command`],
  ]);

  const again = directory.at("again.db");
  const rebuilt = await runIcon(["rebuild", dataDirectoryOf(purgedSetting), "--out", again], directory.path);
  expect(rebuilt).toMatchObject({ exitCode: 0 });
  expect(differencesBetween(readWhole(idb), readWhole(again)).slice(0, 5)).toEqual([]);

  // Readers of both still have everything, and are told so.
  const both = ["--idb", idb, "--idb", idbPathOf(kept)];
  expect(await runIcon(["compare", ...both, "--rows"], directory.path)).toMatchObject({ exitCode: 0 });
  const out = directory.at("one.db");
  const stretch = ["--from", secondText(border - 60), "--to", secondText(now())];
  expect((await runIcon(["extract", ...both, ...stretch, "--out", out], directory.path)).stderr).toBe("");
  const callsOf = (path: string) =>
    query(path, `SELECT CALLID FROM G_CALL WHERE TERMINATED_TS < ${before} ORDER BY CALLID`);
  expect(callsOf(idbPathOf(kept)).length).toBeGreaterThan(100);
  expect(callsOf(out)).toEqual(callsOf(idbPathOf(kept)));
  const purgedMoment = await runIcon(["explain", secondText(before - 3), ...both], directory.path);
  expect(purgedMoment).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("purged from this copy") });

  const gone = await purge(before);
  expect(gone).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("start it, and ask again") });
});
