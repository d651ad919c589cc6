// `icon rebuild --tables userdata`: a changed specification applied to the past, as an operator runs it.

import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Database from "libsql";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { runIcon } from "../commands/run-icon.ts";
import { type Dump, differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { fold, store } from "../harness/stored-story.ts";
import { at, Story } from "../harness/story.ts";

const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

const before: AttachedDataMapping = {
  public: [["a", "userdata", "all"]],
  secure: [],
  columns: [["a", "userdata", "first", "G_CALL_USERDATA", "ACCOUNT_ID"]],
  otherKeys: "none",
  valueLengthMax: 255,
};
const specification = `
[[public]]
name = "b"
history = "all"
[[secure]]
name = "a"
history = "last"
[[call]]
name = "b"
field = "account-id"
history = "last"
[[call_cust2]]
name = "b"
field = "cust-data-3"
history = "first"
`;
const role = ["gcc", "gud"];

const on = (call: string) => ({
  ConnID: `0${call}`,
  CallUUID: `C${call}`,
  ThisDN: `500${call}`,
  ThisDNRole: 2,
  PartyUUID: `P${call}`,
});
const changed = "EventAttachedDataChanged";

/** Three calls: one before the time, two after it, of which the last goes on. */
function calls(roles: readonly string[] = role): Story {
  const data = (value: string) => ({ UserData: { a: `a${value}`, b: `b${value}` } });
  return new Story({ role: roles, attachedData: before, callDeletionTimeoutSeconds: 1 }).events(
    [0, "EventRinging", { ...on("1"), ...data("1") }],
    [100, "EventRinging", { ...on("2"), ...data("1") }],
    [101, changed, { ...on("1"), ...data("2") }],
    [102, changed, { ...on("2"), ...data("2") }],
    [103, "EventReleased", on("1")],
    [104, "EventReleased", on("2")],
    [200, "EventRinging", { ...on("3"), ...data("1") }],
  );
}

function configuration(data: string, spec = specification, roles = "gcc,gud"): string {
  writeFileSync(`${data}/spec.toml`, spec);
  const file = `${data}/icon.toml`;
  writeFileSync(
    file,
    `[instance]\nname = "icon-a"\ndbid = 9001\ndata_dir = "${data}"\n[callconcentrator]\nrole = "${roles}"\nadata-spec-name = "spec.toml"\n` +
      '[http]\nlisten = "off"\n[[source]]\nname = "north"\nkind = "tevent"\naddresses = ["127.0.0.1:7001"]\ndbid = 101\nswitch_dbid = 1\n' +
      "[source.gts]\ncall-deletion-timeout = 1\n",
  );
  return file;
}

function ask(path: string, sql: string): unknown[] {
  const database = new Database(path);
  try {
    return database.prepare(sql).raw().all() as unknown[];
  } finally {
    database.close();
  }
}

const history = (table: string) =>
  `SELECT CALLID, SEQ, KEYNAME, VALUE, CHANGETYPE, CSEQ, ENDPOINTDN, PARTYID, ADDED FROM ${table} ORDER BY CALLID, SEQ`;
const columns = (table: string, column: string) =>
  `SELECT CALLID, ${column}, ID = (SELECT ID FROM G_CALL WHERE CALLID = ${table}.CALLID) FROM ${table} ORDER BY CALLID`;

test("calls since a time have their attached data as the present specification maps it; earlier calls keep theirs", async () => {
  using directory = new TemporaryDirectory("rebuild-userdata");
  const data = directory.path;
  const story = calls();
  await store(`${data}/queue`, story.payloads);
  await fold(`${data}/queue`, `${data}/idb.db`);
  const idb = `${data}/idb.db`;
  const untouched = readWhole(idb);
  expect(ask(idb, history("G_USERDATA_HISTORY")).length).toBe(5);

  const { exitCode, stdout, stderr } = await runIcon(
    ["rebuild", data, "--config", configuration(data), "--tables", "userdata", "--from", at(50), "--json"],
    data,
  );
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toEqual({ records: story.payloads.length, calls: 2, rowsBefore: 5, rowsNow: 8 });
  expect(existsSync(`${idb}.rebuilding-userdata`)).toBe(false);

  const told = (table: string) => ask(idb, history(table)).map((row) => (row as unknown[]).slice(0, 5).join(" "));
  expect(told("G_USERDATA_HISTORY")).toEqual([
    "C1 1 a a1 1",
    "C1 2 a a2 3",
    "C2 1 b b1 1",
    "C2 2 b b2 3",
    "C3 1 b b1 1",
  ]);
  expect(told("G_SECURE_USERDATA_HISTORY")).toEqual(["C2 1 a a2 3"]);
  expect(ask(idb, columns("G_CALL_USERDATA", "ACCOUNT_ID"))).toEqual([
    ["C1", "a1", 1],
    ["C2", "b2", 1],
    ["C3", "b1", 1],
  ]);
  expect(ask(idb, columns("G_CALL_USERDATA_CUST2", "CUST_DATA_3"))).toEqual([
    ["C2", "b1", 1],
    ["C3", "b1", 1],
  ]);
  // Whoever has followed the IDB so far reads the windows from then on once more.
  const next = "(SELECT POSITION + 1 FROM ICON_APPLIED)";
  const since = `WINDOW_TS > ${Date.parse(at(50)) / 1000} - (SELECT WINDOW_SECONDS FROM ICON_APPLIED)`;
  expect(ask(idb, `SELECT DISTINCT VERSION = ${next} FROM ICON_WINDOW WHERE ${since}`)).toEqual([[1]]);
  expect(
    ask(idb, `SELECT DISTINCT json_extract(DATA, '$.version') = ${next} FROM ICON_LIVE WHERE KIND = 'window'`),
  ).toEqual([[1]]);
  // All else is as it was.
  const others = (table: string) => !/USERDATA|ICON_(LIVE|APPLIED|CONFIGURATION|WINDOW)/.test(table);
  expect(differencesBetween(untouched, readWhole(idb)).filter(others)).toEqual([]);
  expect(ask(idb, "SELECT CAUSE, IS_OVERRIDDEN FROM ICON_CONFIGURATION ORDER BY ID")).toEqual([
    ["start", 0],
    ["attached data renewed", 1],
  ]);

  // What goes on goes on: the open call's next rows follow those that it has now.
  const known = story.payloads.length;
  story.events(
    [201, changed, { ...on("3"), UserData: { a: "a2", b: "b2" } }],
    [202, "EventReleased", on("3")],
    [300, "EventRinging", on("4")],
  );
  await store(`${data}/queue`, story.payloads.slice(known));
  await fold(`${data}/queue`, idb);
  expect(told("G_USERDATA_HISTORY").slice(4)).toEqual(["C3 1 b b1 1", "C3 2 b b2 3"]);
  expect(told("G_SECURE_USERDATA_HISTORY")).toEqual(["C2 1 a a2 3", "C3 1 a a2 3"]);
  const ids = ask(
    idb,
    "SELECT ID FROM G_USERDATA_HISTORY UNION ALL SELECT ID FROM G_SECURE_USERDATA_HISTORY UNION ALL SELECT PHID FROM G_PARTY_HISTORY",
  );
  expect(new Set(ids.flat()).size).toBe(ids.length);
}, 60_000);

test("it is done where no calls are stored, too, as a site asks for that has role gud alone", async () => {
  using directory = new TemporaryDirectory("rebuild-userdata");
  const data = directory.path;
  await store(`${data}/queue`, calls(["gud"]).payloads);
  await fold(`${data}/queue`, `${data}/idb.db`);
  const words = ["rebuild", data, "--config", configuration(data, specification, "gud"), "--tables", "userdata"];
  const { stdout, stderr } = await runIcon([...words, "--from", at(50)], data);
  expect(stderr).toBe("");
  expect(stdout).toContain("2, rows 8 (before: 5)");
  expect(ask(`${data}/idb.db`, "SELECT CALLID, ACCOUNT_ID FROM G_CALL_USERDATA ORDER BY CALLID")).toEqual([
    ["C1", "a1"],
    ["C2", "b2"],
    ["C3", "b1"],
  ]);
  expect(ask(`${data}/idb.db`, "SELECT count(*) FROM G_CALL")).toEqual([[0]]);
}, 60_000);

test("doing it twice is doing it once", async () => {
  using directory = new TemporaryDirectory("rebuild-userdata");
  const data = directory.path;
  await store(`${data}/queue`, calls().payloads);
  await fold(`${data}/queue`, `${data}/idb.db`);
  const words = ["rebuild", data, "--config", configuration(data), "--tables", "userdata", "--from", at(0)];
  const read = () =>
    ["G_USERDATA_HISTORY", "G_SECURE_USERDATA_HISTORY"].map((table) => ask(`${data}/idb.db`, history(table)));
  const { stdout, stderr } = await runIcon(words, data);
  expect(stderr).toBe("");
  expect(stdout).toContain("calls since 2026-11-23T08:00:00.000Z 3, rows 13 (before: 8)");
  const first = read();
  expect((await runIcon(words, data)).exitCode).toBe(0);
  expect(read()).toEqual(first);
}, 60_000);

test("what cannot be done is said, and the IDB is as it was", async () => {
  using directory = new TemporaryDirectory("rebuild-userdata");
  const data = directory.path;
  await store(`${data}/queue`, calls().payloads);
  await fold(`${data}/queue`, `${data}/idb.db`);
  const untouched = readWhole(`${data}/idb.db`);
  const file = configuration(data);
  const say = async (...words: string[]) => (await runIcon(["rebuild", data, ...words], data)).stderr;
  expect(await say("--tables", "userdata", "--config", file)).toContain("expected --from TIME with it");
  expect(await say("--from", at(0))).toContain("expected --tables userdata with it");
  expect(await say("--tables", "userdata", "--from", at(0))).toContain("expected --config FILE that has the role gud");
  const without = configuration(data, specification, "gcc");
  expect(await say("--tables", "userdata", "--from", at(0), "--config", without)).toContain("the role gud");
  const wrong = configuration(data, '[[public]]\nname = "b"\nhistory = "al"\n');
  expect(await say("--tables", "userdata", "--from", at(0), "--config", wrong)).toContain(
    'spec.toml:1:1: history is "al"',
  );
  expect(differencesBetween(untouched, readWhole(`${data}/idb.db`))).toEqual([]);
}, 60_000);

test("killed at any moment it leaves the IDB as it was or as it shall be, and doing it again completes it", async () => {
  using directory = new TemporaryDirectory("rebuild-userdata");
  const original = directory.at("original");
  mkdirSync(original, { recursive: true });
  await store(`${original}/queue`, calls().payloads);
  await fold(`${original}/queue`, `${original}/idb.db`);
  const begun = (data: string) =>
    Bun.spawn(
      [
        process.execPath,
        entry,
        ...["rebuild", data, "--config", configuration(data)],
        "--tables",
        "userdata",
        "--from",
        at(0),
      ],
      { stdout: "ignore", stderr: "ignore" },
    );
  const copy = (name: string) => {
    const data = directory.at(name);
    cpSync(original, data, { recursive: true });
    return data;
  };
  // When it was done stands in ICON_CONFIGURATION, how often the IDB was committed to in ICON_APPLIED.
  const differences = (one: Dump, other: Dump) =>
    differencesBetween(one, other).filter((each) => !/ICON_(CONFIGURATION|APPLIED)/.test(each));
  const before = readWhole(`${original}/idb.db`);
  const done = copy("done");
  const startedAt = performance.now();
  expect(await begun(done).exited).toBe(0);
  const wholeMs = performance.now() - startedAt;
  const after = readWhole(`${done}/idb.db`);
  expect(differences(before, after)).not.toEqual([]);

  const outcomes = new Set<string>();
  for (let part = 4; part <= 11; part++) {
    const data = copy(`killed-${part}`);
    const child = begun(data);
    await Bun.sleep((wholeMs * part) / 11);
    child.kill("SIGKILL");
    await child.exited;
    const left = readWhole(`${data}/idb.db`);
    const isBefore = differences(before, left).length === 0;
    outcomes.add(isBefore ? "before" : "after");
    if (!isBefore) expect(differences(after, left)).toEqual([]);
    expect(await begun(data).exited).toBe(0);
    const again = ask(`${data}/idb.db`, history("G_USERDATA_HISTORY"));
    expect(again).toEqual(ask(`${done}/idb.db`, history("G_USERDATA_HISTORY")));
    expect(readdirSync(data).filter((file) => file.includes("rebuilding"))).toEqual([]);
  }
  expect(outcomes.has("before")).toBe(true);
}, 120_000);
