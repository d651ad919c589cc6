// Instances with the role gls alone: their data source sessions stand in G_DSS_GLS_PROVIDER and nowhere else, and whoever
// reads the ledger finds them there. Held against instances that heard the same and have role gcc too.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { providers, providerTables } from "../../schema/session.ts";
import { judge } from "../../src/extraction/availability.ts";
import { compareCopies } from "../../src/extraction/compare.ts";
import type { Ledger } from "../../src/extraction/copy.ts";
import { ledgerLines, parseCopyLine } from "../../src/extraction/copy-lines.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { judgeByLedger } from "../../src/extraction/standing.ts";
import { ServedIdb } from "../handing-out/served-idb.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { query, tamper } from "../idb/temporary.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { ScriptedAgents } from "./scripted-agents.ts";
import { secondOf } from "./scripted-server.ts";

const script = { seed: 11, agents: 6, steps: 20, pauseSeconds: 3, hasOrigins: true };
const alone = new ExtractionSetting(new ScriptedAgents({ ...script, role: ["gls"] }));
const both = new ExtractionSetting(new ScriptedAgents(script));
const end = alone.server.endSeconds;
const everything = { stretch: { from: secondOf(5), until: secondOf(end - 8) }, listedMax: 20 };
afterAll(() => {
  for (const each of [alone, both]) each[Symbol.dispose]();
});

// Every moment but those from 33 s to 35 s is heard by one of the two.
beforeAll(async () => {
  for (const setting of [alone, both]) {
    await setting.truth();
    await setting.copy("a", [0, 20.5], [35.2, end]);
    await setting.copy("b", [0, 12.3], [18.3, 33.1], [42.1, end]);
  }
});

async function ledgerOf(setting: typeof alone, name: string): Promise<Ledger> {
  await using copy = new IdbCopy(setting.at(name));
  return await copy.ledger({ stretch: everything.stretch, changedAfter: null });
}

const perTable = (path: string) =>
  providers.map((provider) =>
    Number(query(path, `SELECT count(DISTINCT DSS_ID || '/' || ICON_DBID) FROM ${providerTables[provider]}`)[0]?.[0]),
  );
const sessionSql = (table: string) =>
  `SELECT DSS_ID, ICON_DBID, DSCONN_STIME, DSCONN_ETIME, FEVENT_DSSEQ, LEVENT_DSSEQ FROM ${table} ORDER BY DSS_ID, ICON_DBID`;

test("the ledger says the same whichever table the sessions stand in", async () => {
  for (const name of ["a", "b"]) {
    expect([...perTable(alone.idb(name)), ...perTable(both.idb(name))]).toEqual(
      name === "a" ? [0, 2, 0, 2, 2, 0] : [0, 3, 0, 3, 3, 0],
    );
    const [inGls, inBoth] = [await ledgerOf(alone, name), await ledgerOf(both, name)];
    const plain = ({ sessions }: Ledger) => sessions.map((session) => ({ ...session, providers: [] }));
    expect(plain(inGls).length).toBe(name === "a" ? 2 : 3);
    expect(plain(inGls)).toEqual(plain(inBoth));
    for (const { providers: its } of inGls.sessions) expect(its).toEqual(["gls"]);
    for (const { providers: its } of inBoth.sessions) expect(its).toEqual(["gcc", "gls"]);
    expect(inGls.identity.iconDbids).toEqual(inBoth.identity.iconDbids);
    expect(inGls.identity.iconDbids.length).toBe(1);
  }
});

test("where roles were switched on and off between sessions, each is found once, whichever stretch is asked about", async () => {
  mkdirSync(both.at("switched"));
  cpSync(both.idb("b"), both.idb("switched"));
  const nth = (index: number) => `(SELECT DSS_ID FROM ICON_DSS ORDER BY DSS_ID LIMIT 1 OFFSET ${index})`;
  tamper(
    both.idb("switched"),
    `DELETE FROM G_DSS_GCC_PROVIDER WHERE DSS_ID IN (${nth(0)}, ${nth(2)});
     DELETE FROM G_DSS_GLS_PROVIDER WHERE DSS_ID = ${nth(1)}`,
  );
  expect(perTable(both.idb("switched"))).toEqual([1, 2, 0]);
  await using before = new IdbCopy(both.at("b"));
  await using after = new IdbCopy(both.at("switched"));
  const hour = 3600;
  for (const [from, until] of [
    [-9 * hour, 9 * hour],
    [5, 20],
    [-9 * hour, -8 * hour],
    [8 * hour, 9 * hour],
  ] as const) {
    const question = { stretch: { from: secondOf(from), until: secondOf(until) }, changedAfter: null };
    const { sessions, identity } = await after.ledger(question);
    const whole = await before.ledger(question);
    const perSession = new Map(whole.sessions.map((session) => [session.DSS_ID, session]));
    expect(sessions.length).toBe(whole.sessions.length);
    expect(sessions.length).toBeGreaterThan(0);
    for (const { providers: its, ...session } of sessions) {
      expect(its.length).toBe(1);
      expect({ ...session, providers: ["gcc", "gls"] }).toEqual(perSession.get(session.DSS_ID) as never);
    }
    expect(identity.iconDbids).toEqual(whole.identity.iconDbids);
  }
});

test("what is believed of each window is the same, and so is what the views of one IDB say", async () => {
  const judged = async (setting: typeof alone) => {
    const ledgers = [await ledgerOf(setting, "a"), await ledgerOf(setting, "b")];
    return judge(ledgers, everything.stretch).sources;
  };
  const [ofGls, ofBoth] = [await judged(alone), await judged(both)];
  expect(ofGls).toEqual(ofBoth);
  const verdicts = new Set(ofGls.flatMap(({ stretches }) => stretches.map(({ verdict }) => verdict.state)));
  expect([...verdicts].length).toBeGreaterThan(1);
  for (const sql of [
    "SELECT * FROM ICON_V_GAP ORDER BY FROM_TS, UNTIL_TS, WHY",
    "SELECT * FROM ICON_V_LOGIN_SESSION ORDER BY LOGINSESSIONID",
  ]) {
    const rows = query(alone.idb("b"), sql);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(query(both.idb("b"), sql));
  }
  expect(query(alone.idb("b"), "SELECT count(SOURCE_CLUSTER) = count(*) FROM ICON_V_LOGIN_SESSION")).toEqual([[1]]);
});

test("an extraction finds of which source login sessions are, and its IDB has sessions in the tables of their roles", async () => {
  const [ofGls, ofBoth] = [await alone.extract(["a", "b"], "out.db"), await both.extract(["a", "b"], "out.db")];
  expect(ofGls.loginSessions).toEqual(ofBoth.loginSessions);
  expect(ofGls.loginSessions.joined).toBeGreaterThan(3);
  expect(ofGls.loginSessions.incomplete).toBeGreaterThan(0);
  expect(perTable(alone.at("out.db"))).toEqual([0, 5, 0]);
  expect(perTable(both.at("out.db"))).toEqual([5, 5, 0]);
  expect(query(alone.at("out.db"), sessionSql("G_DSS_GLS_PROVIDER"))).toEqual(
    query(both.at("out.db"), sessionSql("G_DSS_GCC_PROVIDER")),
  );
  expect(query(alone.at("out.db"), "SELECT count(*) FROM ICON_DSS")).toEqual([[5]]);
  expect(query(alone.at("out.db"), "SELECT NAME, HEARD_UNTIL_TS FROM ICON_V_SOURCE")).toEqual([
    ["north", everything.stretch.until],
  ]);
  await alone.extract(["a", "b", "truth"], "whole.db");
  expect(differencesBetween(readDump(alone.at("whole.db")), readDump(alone.idb("truth")))).toEqual([]);
});

test("a CSV output has a file for each of the three tables, and sessions in those of their roles", async () => {
  for (const setting of [alone, both]) await setting.extract(["a", "b"], "out.csv");
  const lines = (setting: typeof alone) =>
    providers.map((provider) => {
      const text = readFileSync(setting.at(`out.csv/${providerTables[provider]}.csv`), "utf8");
      return text.trimEnd().split("\r\n");
    });
  const [ofGls, ofBoth] = [lines(alone), lines(both)];
  expect([...ofGls, ...ofBoth].map((each) => each.length - 1)).toEqual([0, 5, 0, 5, 5, 0]);
  expect(new Set([...ofGls, ...ofBoth].map(([header]) => header)).size).toBe(1);
  expect(ofGls[1]).toEqual(ofBoth[0] as never);
  expect(ofBoth[1]).toEqual(ofBoth[0] as never);
});

test("two instances with role gls alone are compared by their rows", async () => {
  mkdirSync(alone.at("changed"));
  cpSync(alone.idb("truth"), alone.idb("changed"));
  tamper(alone.idb("changed"), "UPDATE ICON_APPLIED SET IDB_ID = 'changed'");
  await using one = new IdbCopy(alone.at("truth"));
  await using other = new IdbCopy(alone.at("changed"));
  const equal = await compareCopies([one, other], judgeByLedger, { ...everything, allRows: true });
  expect(equal).toMatchObject({ result: "equal", loginSessions: { different: 0 } });
  expect(equal.loginSessions.compared).toBeGreaterThan(5);
  tamper(alone.idb("changed"), "UPDATE G_AGENT_STATE_HISTORY SET STATE = STATE + 1");
  const different = await compareCopies([one, other], judgeByLedger, { ...everything, allRows: true });
  expect(different).toMatchObject({ result: "different", loginSessions: { different: equal.loginSessions.compared } });
});

test("the read API tells whose tables have a session; a line that does not is of an earlier version, and of gcc", async () => {
  await using served = await ServedIdb.start({ idbPath: alone.idb("a") });
  await using overHttp = served.copy();
  await using file = new IdbCopy(alone.at("a"));
  const question = { stretch: everything.stretch, changedAfter: null };
  const ledger = await file.ledger(question);
  expect(await overHttp.ledger(question)).toEqual(ledger);
  const line = [...ledgerLines(ledger)].map((text) => JSON.parse(text)).find(({ session }) => session !== undefined);
  expect(line.session.providers).toEqual(["gls"]);
  const told = (providersTold: unknown) => {
    const session = { ...line.session, providers: providersTold };
    const parsed = parseCopyLine(JSON.stringify({ session }));
    return parsed.kind === "session" ? parsed.row.providers : null;
  };
  expect(told(undefined)).toEqual(["gcc"]);
  expect(told(["gud", "a later one", "gcc"])).toEqual(["gcc", "gud"]);
  expect(() => told("gcc")).toThrow("a session has no right providers");
});
