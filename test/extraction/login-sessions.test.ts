// Login sessions from two instances' IDBs: the one record of both held against that of an instance that heard everything.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { agentTableNames } from "../../schema/life.ts";
import { compareCopies } from "../../src/extraction/compare.ts";
import { comparisonText } from "../../src/extraction/comparison-text.ts";
import type { Subject, SubjectsQuestion } from "../../src/extraction/copy.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { judgeByLedger } from "../../src/extraction/standing.ts";
import { ServedIdb } from "../handing-out/served-idb.ts";
import { differencesBetween, readDump, readWhole } from "../harness/dump.ts";
import { query, tamper } from "../idb/temporary.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { following, GrowingCopy } from "./followed-copies.ts";
import { rowsOf, sessionAccounts } from "./heard-sessions.ts";
import { ScriptedAgents } from "./scripted-agents.ts";
import { secondOf } from "./scripted-server.ts";

const script = { seed: 5, agents: 8, steps: 25, pauseSeconds: 3, hasOrigins: true };
const named = new ExtractionSetting(new ScriptedAgents(script));
const nameless = new ExtractionSetting(new ScriptedAgents({ ...script, hasOrigins: false }));
const end = named.server.endSeconds;
afterAll(() => {
  for (const each of [named, nameless]) each[Symbol.dispose]();
});

// Every moment is heard by one of the two.
beforeAll(async () => {
  for (const setting of [named, nameless]) {
    await setting.truth();
    await setting.copy("a", [0, 30.5], [50.2, end]);
    await setting.copy("b", [0, 18.3], [28.3, 52.7], [62.1, end]);
  }
});

const count = (path: string, sql: string) => Number(query(path, sql)[0]?.[0]);
const keysOf = (path: string) =>
  query(path, "SELECT LOGINSESSIONID FROM G_LOGIN_SESSION ORDER BY CREATED, LOGINSESSIONID").flat().map(String);

test("sessions are taken whole or joined, and the record is the truth in every table", async () => {
  const report = await named.extract(["a", "b"], "one.db");
  expect(report).toMatchObject({ verdict: "complete", loginSessions: { incomplete: 0, notYetKnown: 0, open: 0 } });
  const { complete, joined } = report.loginSessions;
  expect(complete + joined).toBe(keysOf(named.idb("truth")).length);
  expect(joined).toBeGreaterThan(5);
  console.log(`login sessions: ${complete} whole, ${joined} joined`);
  const [record, truth] = [named.at("one.db"), named.idb("truth")];
  expect(differencesBetween(readDump(record), readDump(truth))).toEqual([]);
  for (const table of agentTableNames.filter((each) => each !== "G_AGENT_STATE_RC_A")) {
    expect([table, count(record, `SELECT count(*) > 5 FROM ${table}`)]).toEqual([table, 1]);
  }
});

test("every row of a session says which IDB it is from, and what is said of the session", async () => {
  await named.extract(["a", "b"], "origin.db");
  const out = named.at("origin.db");
  const origins = query(
    out,
    `SELECT o.IDB_ID, o.ORIGINAL_ROW_ID, h.ADDED, h.ENDPOINTDN, h.STATE FROM G_AGENT_STATE_HISTORY h
     JOIN ICON_ROW_ORIGIN o ON o.TABLE_NAME = 'G_AGENT_STATE_HISTORY' AND o.ROW_ID = h.ID AND o.LOGINSESSIONID = h.LOGINSESSIONID`,
  );
  expect(origins.length).toBe(count(out, "SELECT count(*) FROM G_AGENT_STATE_HISTORY"));
  for (const name of ["a", "b"]) {
    const [idbId] = query(named.idb(name), "SELECT IDB_ID FROM ICON_APPLIED")[0] ?? [];
    const there = new Map(
      query(named.idb(name), "SELECT ID, ADDED, ENDPOINTDN, STATE FROM G_AGENT_STATE_HISTORY").map(([id, ...row]) => [
        id,
        row,
      ]),
    );
    const own = origins.filter(([from]) => from === idbId);
    expect(own.length).toBeGreaterThan(10);
    for (const [, rowId, ...row] of own) expect(row).toEqual(there.get(rowId) ?? []);
  }
  expect(
    query(out, "SELECT DISTINCT VERDICT FROM ICON_ROW_ORIGIN WHERE LOGINSESSIONID IS NOT NULL ORDER BY 1"),
  ).toEqual([["complete"], ["joined"]]);
});

test("where nobody heard, the missing stretch is named, and a later extraction repairs the sessions in it and no others", async () => {
  await named.copy("c", [0, 20.4], [40.7, end]);
  await named.copy("d", [0, 33.3], [45.1, end]);
  const first = await named.extract(["c", "d"], "gap.db");
  const out = named.at("gap.db");
  expect(first.verdict).toBe("incomplete");
  expect(first.loginSessions.incomplete).toBeGreaterThan(3);
  for (const { reasons } of first.loginSessionsInDoubt) {
    const missing = reasons.filter(({ why }) => why === "missing");
    expect(missing.length).toBeGreaterThan(0);
    for (const { from, until } of missing) {
      expect([Number(from) >= secondOf(33), Number(until) <= secondOf(46)]).toEqual([true, true]);
    }
  }
  // What both heard of them together is more than either has by itself.
  const isDoubtful = new Set(first.loginSessionsInDoubt.map(({ loginSessionId }) => loginSessionId));
  const fromBoth = query(
    out,
    "SELECT LOGINSESSIONID, count(DISTINCT IDB_ID) FROM ICON_ROW_ORIGIN WHERE LOGINSESSIONID IS NOT NULL GROUP BY 1",
  ).filter(([key, copies]) => isDoubtful.has(String(key)) && copies === 2);
  expect(fromBoth.length).toBeGreaterThan(2);

  const second = await named.extract(["c", "d", "truth"], "gap.db");
  expect(second).toMatchObject({ loginSessions: { incomplete: 0 }, run: { withdrawn: 0 } });
  expect(differencesBetween(readDump(out), readDump(named.idb("truth")))).toEqual([]);
  const revised = query(out, "SELECT LOGINSESSIONID FROM ICON_EXTRACT_LOGIN_SESSION WHERE REVISION > 1").flat();
  for (const key of isDoubtful) expect(revised).toContain(key);
});

test("extracted twice nothing is written, and a session that is purged is withdrawn", async () => {
  mkdirSync(named.at("kept"));
  cpSync(named.idb("truth"), named.idb("kept"));
  await named.extract(["kept"], "twice.db");
  const out = named.at("twice.db");
  const before = readWhole(out);
  const again = await named.extract(["kept"], "twice.db");
  expect(again.run).toMatchObject({ written: 0, withdrawn: 0 });
  expect(differencesBetween(readWhole(out), before)).toEqual([]);
  const [key = ""] = keysOf(named.idb("kept"));
  tamper(named.idb("kept"), `DELETE FROM G_LOGIN_SESSION WHERE LOGINSESSIONID = '${key}'`);
  expect((await named.extract(["kept"], "twice.db")).run).toMatchObject({ written: 0, withdrawn: 1 });
  const said = `SELECT REVISION, WITHDRAWN FROM ICON_EXTRACT_LOGIN_SESSION WHERE LOGINSESSIONID = '${key}'`;
  expect(query(out, said)).toEqual([[2, "no copy has it any more"]]);
  for (const table of ["G_AGENT_STATE_HISTORY", "GX_SESSION_ENDPOINT"] as const) {
    expect(count(out, `SELECT count(*) FROM ${table} WHERE LOGINSESSIONID = '${key}'`)).toBe(0);
  }
});

test("sessions that go on are listed, and handed out with the reasons in force only when asked for", async () => {
  await named.copy("now", [0, 40.5]);
  const stretch = { from: secondOf(5), until: secondOf(35) };
  const without = await named.extract(["now"], "closed.db", { stretch });
  expect(without.openLoginSessions.length).toBe(without.loginSessions.open);
  expect(without.loginSessions.open).toBeGreaterThan(3);
  expect(count(named.at("closed.db"), "SELECT count(*) FROM G_LOGIN_SESSION WHERE TERMINATED IS NULL")).toBe(0);
  const withOpen = await named.extract(["now"], "open.db", { stretch, withOpen: true });
  const open = query(named.at("open.db"), "SELECT LOGINSESSIONID FROM G_LOGIN_SESSION WHERE TERMINATED IS NULL").flat();
  expect(open.toSorted()).toEqual([...withOpen.openLoginSessions].toSorted());
  const active = rowsOf(named.at("open.db"), "G_AGENT_STATE_RC_A");
  expect(active.length).toBeGreaterThan(0);
  expect(active).toEqual(
    rowsOf(named.idb("now"), "G_AGENT_STATE_RC_A").filter((row) => open.includes(row["SESSIONID"] ?? "")),
  );
});

test("a session of which a copy could only make up a key comes once, and is never joined with another's rows", async () => {
  await nameless.copy("late", [25.4, end]);
  const local = count(nameless.idb("late"), "SELECT count(*) FROM ICON_ROW_QUALITY WHERE REASON = 'key is local'");
  expect(local).toBeGreaterThan(3);
  const report = await nameless.extract(["late", "truth"], "nameless.db");
  expect(report.loginSessions.incomplete).toBe(0);
  expect(sessionAccounts(nameless.at("nameless.db"))).toEqual(sessionAccounts(nameless.idb("truth")));
});

test("NDJSON has a line a session, CSV a file a table with the session's key", async () => {
  await named.extract(["a", "b"], "out.ndjson");
  const lines = readFileSync(named.at("out.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ loginSession }) => loginSession !== undefined);
  expect(lines.map(({ loginSession }) => loginSession).toSorted()).toEqual(keysOf(named.idb("truth")).toSorted());
  const rows = lines.flatMap((line) => (line["rows"] as Record<string, unknown[]>)["G_AGENT_STATE_HISTORY"] ?? []);
  expect(rows.length).toBe(count(named.idb("truth"), "SELECT count(*) FROM G_AGENT_STATE_HISTORY"));

  await named.extract(["a", "b"], "out.csv");
  const table = (name: string) =>
    readFileSync(named.at(`out.csv/${name}.csv`), "utf8")
      .trimEnd()
      .split("\r\n");
  const [header = "", ...history] = table("G_AGENT_STATE_HISTORY");
  expect(header.split(",").slice(-5)).toEqual([
    ...["ORIGIN_LOGINSESSIONID", "ORIGIN_REVISION", "ORIGIN_VERDICT", "ORIGIN_IDB_ID", "ORIGIN_ROW_ID"],
  ]);
  expect(history.length).toBe(rows.length);
  const [bookHeader = "", ...book] = table("ICON_EXTRACT_LOGIN_SESSION");
  expect(bookHeader).toStartWith("LOGINSESSIONID,REVISION,VERDICT,");
  expect(book.length).toBe(lines.length);
});

test("an output of an earlier version is refused with what to do", async () => {
  await named.extract(["a"], "earlier.db");
  tamper(named.at("earlier.db"), "UPDATE ICON_EXTRACT SET FORMAT = 1");
  await expect(named.extract(["a"], "earlier.db")).rejects.toThrow(
    "an earlier version of the program made it (format 1, this one writes 2); expected another name, or --force",
  );
  await named.extract(["a"], "earlier.db", { isForced: true });
});

test("an instance hands out over HTTP what its file says, whatever is asked", async () => {
  await using served = await ServedIdb.start({ idbPath: named.idb("a") });
  await using overHttp = served.copy();
  await using file = new IdbCopy(named.at("a"));
  const stretch = { from: secondOf(12), until: secondOf(40) };
  const keys = keysOf(named.idb("a")).slice(0, 3);
  const questions: SubjectsQuestion[] = [
    ...(["created", "ended", "alive"] as const).map((kind) => ({ kind, stretch })),
    { kind: "named", keys: [...keys, "nobody"] },
  ];
  for (const question of questions) {
    const told = await Array.fromAsync(overHttp.subjects("login session", question));
    expect(told).toEqual(await Array.fromAsync(file.subjects("login session", question)));
    expect(told.map(({ key }) => key)).toEqual(scanned(question));
    expect(told.length).toBeGreaterThan(1);
  }
  const [first] = await Array.fromAsync(overHttp.subjects("login session", { kind: "named", keys }));
  expect(Object.keys((first as Subject).rows)).toEqual([...agentTableNames]);
});

/** Keys of those that a look at every session of a finds. */
function scanned(question: SubjectsQuestion): string[] {
  const inIt = {
    created: (from: number, until: number) => `CREATED_TS >= ${from} AND CREATED_TS < ${until}`,
    ended: (from: number, until: number) => `TERMINATED_TS >= ${from} AND TERMINATED_TS < ${until}`,
    alive: (from: number, until: number) => `CREATED_TS < ${until} AND coalesce(TERMINATED_TS, 9e9) >= ${from}`,
  };
  const where =
    question.kind === "named"
      ? `LOGINSESSIONID IN (SELECT value FROM json_each('${JSON.stringify(question.keys)}'))`
      : inIt[question.kind](question.stretch.from, question.stretch.until);
  const sql = `SELECT LOGINSESSIONID FROM G_LOGIN_SESSION WHERE ${where} ORDER BY CREATED, LOGINSESSIONID`;
  return query(named.idb("a"), sql).flat().map(String);
}

const everything = { stretch: { from: secondOf(5), until: secondOf(end - 8) }, listedMax: 20 };

test("a changed state row is found with the session, its key and the column, and nothing of what stands in it", async () => {
  mkdirSync(named.at("changed"));
  cpSync(named.idb("truth"), named.idb("changed"));
  const [key, seq] = query(
    named.idb("truth"),
    "SELECT LOGINSESSIONID, SEQ FROM G_AGENT_STATE_HISTORY WHERE WORKMODE = 4 ORDER BY ID LIMIT 1",
  )[0] as [string, number];
  tamper(
    named.idb("changed"),
    `UPDATE G_AGENT_STATE_HISTORY SET WORKMODE = 6 WHERE LOGINSESSIONID = '${key}' AND SEQ = ${seq};
     UPDATE ICON_APPLIED SET IDB_ID = 'changed'`,
  );
  await using one = new IdbCopy(named.at("truth"));
  await using other = new IdbCopy(named.at("changed"));
  const quick = await compareCopies([one, other], judgeByLedger, { ...everything, allRows: false });
  expect(quick).toMatchObject({ result: "equal", read: { loginSessions: 0, loginSessionRows: 0 } });
  const thorough = await compareCopies([one, other], judgeByLedger, { ...everything, allRows: true });
  expect(thorough).toMatchObject({ result: "different", calls: { different: 0 }, loginSessions: { different: 1 } });
  expect(thorough.loginSessions.listed.map(({ loginSessionId, rows }) => [loginSessionId, rows])).toEqual([
    [key, [{ kind: "columns", table: "G_AGENT_STATE_HISTORY", key: `${key} ${seq}`, columns: ["WORKMODE"] }]],
  ]);
  expect(comparisonText(thorough)).toContain(
    `  login session ${key}, a and b: G_AGENT_STATE_HISTORY ${key} ${seq} in WORKMODE`,
  );
  expect(thorough.loginSessions.compared).toBe(keysOf(named.idb("truth")).length);
});

test("what two IDBs missed of a session is no difference between them", async () => {
  await using one = new IdbCopy(named.at("a"));
  await using other = new IdbCopy(named.at("b"));
  const { result, loginSessions } = await compareCopies([one, other], judgeByLedger, { ...everything, allRows: true });
  expect(result).toBe("equal");
  expect(loginSessions.different).toBe(0);
  expect(loginSessions.notCompared["fewer than two copies have all of its life"]).toBeGreaterThan(3);
});

test("two IDBs that grow, each with faults, are followed to the truth: each session comes once, when it is over", async () => {
  const heard = {
    one: named.server.heard([
      [0, 30.5],
      [41.2, 60.3],
      [64.1, end],
    ]),
    other: named.server.heard(
      [
        [0, 18.3],
        [22.4, 52.7],
        [56.2, end],
      ],
      { name: "b", dbid: 9002 },
    ),
  };
  const one = new GrowingCopy(named.at("one"), heard.one);
  const other = new GrowingCopy(named.at("other"), heard.other);
  const counts: number[] = [];
  for (const [first, second] of [
    [0.1, 0.1],
    [0.3, 0.2],
    [0.6, 0.4],
    [0.7, 0.9],
    [1, 0.95],
    [1, 1],
  ] as const) {
    await one.grow(first);
    await other.grow(second);
    for (const out of ["followed.ndjson", "followed.db"]) {
      // Each time by another process, so to speak.
      using follow = following([one.directory, other.directory], named.at(out), named.stretch);
      await follow.catchUp();
    }
    counts.push(count(named.at("followed.db"), "SELECT count(*) FROM G_LOGIN_SESSION"));
  }
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(new Set(counts).size).toBeGreaterThan(3);
  using follow = following([one.directory, other.directory], named.at("followed.db"), named.stretch);
  await follow.catchUp();
  expect(follow.report()).toMatchObject({ verdict: "complete", loginSessions: { incomplete: 0, open: 0 } });
  expect(differencesBetween(readDump(named.at("followed.db")), readDump(named.idb("truth")))).toEqual([]);
  const revisions = readFileSync(named.at("followed.ndjson"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly loginSession?: string; readonly revision: number })
    .flatMap(({ loginSession, revision }) => (loginSession === undefined ? [] : [`${loginSession} ${revision}`]));
  expect(revisions.toSorted()).toEqual(
    keysOf(named.idb("truth"))
      .map((key) => `${key} 1`)
      .toSorted(),
  );
}, 60_000);

test("a follow up to a time lists the sessions that go on then, and hands them out when it is run again after their end", async () => {
  const copy = new GrowingCopy(named.at("growing"), named.server.heard([[0, end]]));
  const stretch = { from: named.stretch.from, until: secondOf(35) };
  await copy.grow(0.7);
  const step = async () => {
    using follow = following([copy.directory], named.at("upto.db"), stretch);
    await follow.catchUp();
    return follow.report();
  };
  const early = await step();
  expect(early.openLoginSessions.length).toBeGreaterThan(3);
  await copy.grow(1);
  const late = await step();
  expect(late.openLoginSessions).toEqual([]);
  const told = query(named.at("upto.db"), "SELECT LOGINSESSIONID FROM G_LOGIN_SESSION ORDER BY CREATED, 1").flat();
  const sql = `SELECT LOGINSESSIONID FROM G_LOGIN_SESSION WHERE CREATED_TS < ${stretch.until} ORDER BY CREATED, 1`;
  expect(told).toEqual(query(named.idb("truth"), sql).flat());
});
