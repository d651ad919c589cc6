// Two instances' IDBs of one server, and the one record of both held against that of an instance that heard everything.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { type Copy, CopyError } from "../../src/extraction/copy.ts";
import { differencesBetween, readDump, readWhole } from "../harness/dump.ts";
import { query, tamper } from "../idb/temporary.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { ScriptedServer, scriptDefault, secondOf } from "./scripted-server.ts";

const short = new ExtractionSetting(new ScriptedServer());
const long = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, calls: 30, lifeSeconds: 30 }));
const handedOn = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, lifeSeconds: 12, transfersEvery: 2 }));
const routed = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, lifeSeconds: 15, routedEvery: 2 }));
const nameless = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, hasIds: false }));
afterAll(() => {
  for (const each of [short, long, handedOn, routed, nameless]) each[Symbol.dispose]();
});

// Every moment is heard by one of the two.
beforeAll(async () => {
  for (const setting of [short, long, handedOn, routed, nameless]) {
    const end = setting.server.endSeconds;
    await setting.truth();
    await setting.copy("a", [0, 30.5], [50.2, end]);
    await setting.copy("b", [0, 18.3], [28.3, 52.7], [62.1, end]);
  }
}, 60_000);

const everything = { windows: { incomplete: 0, unknown: 0, divergent: 0 }, verdict: "complete" };

test.each([
  ["that live for seconds", short, 60],
  ["that live for half a minute", long, 30],
  ["that are transferred", handedOn, 90],
  ["that are routed", routed, 60],
] as const)("calls %s are taken whole or joined, and the record is the truth", async (what, setting, calls) => {
  const report = await setting.extract(["a", "b"], "one.db");
  expect(report).toMatchObject({ ...everything, calls: { incomplete: 0, notYetKnown: 0, divergent: 0, open: 0 } });
  expect(report.calls.complete + report.calls.joined).toBe(calls);
  expect(report.calls.joined).toBeGreaterThan(5);
  console.log(`calls ${what}: ${report.calls.complete} whole, ${report.calls.joined} joined`);
  expect(differencesBetween(readDump(setting.at("one.db")), readDump(setting.idb("truth")))).toEqual([]);
});

test("every row says which IDB it is from, and its row there", async () => {
  await short.extract(["a", "b"], "origin.db");
  const out = short.at("origin.db");
  const [rows] = query(out, "SELECT count(*) FROM G_PARTY_HISTORY")[0] ?? [];
  const origins = query(
    out,
    `SELECT o.IDB_ID, o.ORIGINAL_ROW_ID, h.PARTYID, h.ADDED, h.STATE FROM G_PARTY_HISTORY h
     JOIN ICON_ROW_ORIGIN o ON o.TABLE_NAME = 'G_PARTY_HISTORY' AND o.ROW_ID = h.PHID`,
  );
  expect(origins.length).toBe(Number(rows));
  for (const name of ["a", "b"]) {
    const [idbId] = query(short.idb(name), "SELECT IDB_ID FROM ICON_APPLIED")[0] ?? [];
    const there = new Map(
      query(short.idb(name), "SELECT PHID, PARTYID, ADDED, STATE FROM G_PARTY_HISTORY").map(([id, ...row]) => [
        id,
        row,
      ]),
    );
    const own = origins.filter(([from]) => from === idbId);
    expect(own.length).toBeGreaterThan(10);
    for (const [, rowId, ...row] of own) expect(row).toEqual(there.get(rowId) ?? []);
  }
  expect(query(out, "SELECT DISTINCT VERDICT FROM ICON_ROW_ORIGIN ORDER BY 1")).toEqual([["complete"], ["joined"]]);
});

test("a call of which three IDBs saw a part each is put together from all three, and no two would do", async () => {
  const end = long.server.endSeconds;
  await long.copy("first", [0, 30.3]);
  await long.copy("second", [24.1, 45.4]);
  await long.copy("third", [36.2, end]);
  const report = await long.extract(["third", "first", "second"], "three.db");
  expect(report).toMatchObject({ ...everything, calls: { incomplete: 0, notYetKnown: 0, divergent: 0, open: 0 } });
  const out = long.at("three.db");
  expect(differencesBetween(readDump(out), readDump(long.idb("truth")))).toEqual([]);
  // An IDB is judged up to 5 s before its last word. Created before the second listened, and ended after it had gone.
  const [lived] = query(
    long.idb("truth"),
    `SELECT json_group_array(CALLID ORDER BY CALLID) FROM G_CALL
     WHERE CREATED_TS < ${secondOf(24)} AND TERMINATED_TS > ${secondOf(46)}`,
  );
  const callIds = JSON.parse(String(lived?.[0])) as readonly string[];
  expect(callIds.length).toBeGreaterThan(2);
  const origins = query(
    out,
    `SELECT CALLID, VERDICT, count(DISTINCT IDB_ID) FROM ICON_ROW_ORIGIN
     WHERE TABLE_NAME = 'G_PARTY_HISTORY' AND CALLID IN (SELECT value FROM json_each('${JSON.stringify(callIds)}'))
     GROUP BY CALLID ORDER BY CALLID`,
  );
  expect(origins).toEqual(callIds.map((callId) => [callId, "joined", 3]));
  for (const pair of [
    ["first", "second"],
    ["first", "third"],
    ["second", "third"],
  ]) {
    const { calls } = await long.extract(pair, `${pair.join("-")}.db`);
    expect(calls.complete + calls.joined).toBeLessThan(30 - 2);
  }
});

test("where no copy heard, the missing stretch is named to the window, and the calls in it are marked", async () => {
  const end = short.server.endSeconds;
  await short.copy("c", [0, 20.4], [40.7, end]);
  await short.copy("d", [0, 33.3], [45.1, end]);
  const report = await short.extract(["c", "d"], "gap.db");
  expect(report.verdict).toBe("incomplete");
  const missing = report.sources.flatMap(({ stretches }) => stretches.filter(({ state }) => state === "incomplete"));
  expect([missing[0]?.from, missing.at(-1)?.until]).toEqual([at(33), at(41)]);
  for (const { causes } of missing) expect(causes).toContain("gap reported");
  const truth = query(short.idb("truth"), "SELECT CALLID, CREATED, TERMINATED FROM G_CALL") as string[][];
  const touched = truth
    .filter(([, from = "", until = ""]) => from < at(41) && until >= at(33))
    .map(([callId]) => callId);
  const marked = query(short.at("gap.db"), "SELECT CALLID FROM ICON_EXTRACT_CALL WHERE VERDICT = 'incomplete'").flat();
  // Calls that began and ended in the gap are in no copy, so nobody can mark them.
  const known = query(short.at("gap.db"), "SELECT CALLID FROM ICON_EXTRACT_CALL").flat();
  expect(marked.toSorted()).toEqual(touched.filter((callId) => known.includes(callId)).toSorted());
  const wrong = differencesBetween(readDump(short.at("gap.db")), readDump(short.idb("truth")));
  expect(wrong.length).toBeGreaterThan(0);
  const reasons = report.callsInDoubt.map(({ reasons: [first] }) => first?.why);
  expect(new Set(reasons)).toEqual(new Set(["missing"]));
});

test("extracted twice into the same IDB, nothing is written and nothing changes", async () => {
  await short.extract(["a", "b"], "twice.db");
  const before = readWhole(short.at("twice.db"));
  const again = await short.extract(["b", "a"], "twice.db");
  expect(again.run).toEqual({ written: 0, unchanged: 60, withdrawn: 0, knownUnderAnotherKey: 0 });
  expect(differencesBetween(readWhole(short.at("twice.db")), before)).toEqual([]);
});

test("what a later extraction knows better replaces what the first one wrote", async () => {
  const first = await short.extract(["a"], "repaired.db");
  expect(first.calls.incomplete).toBeGreaterThan(5);
  const second = await short.extract(["a", "b"], "repaired.db");
  expect(second).toMatchObject({ ...everything, calls: { incomplete: 0 } });
  expect(second.run.unchanged).toBe(first.calls.complete);
  expect(differencesBetween(readDump(short.at("repaired.db")), readDump(short.idb("truth")))).toEqual([]);
});

test("a call that a copy could only give a key of its own comes once, from the copy that knows its name", async () => {
  // The calls that go on when b comes back are named by b alone.
  const local = query(nameless.idb("b"), "SELECT count(*) FROM ICON_ROW_QUALITY WHERE REASON = 'key is local'").flat();
  expect(Number(local[0])).toBeGreaterThan(5);
  const report = await nameless.extract(["b", "a"], "nameless.db");
  expect(query(nameless.at("nameless.db"), "SELECT count(*), count(DISTINCT CONNID) FROM G_CALL")).toEqual([[60, 60]]);
  const whole = query(nameless.at("nameless.db"), "SELECT CALLID FROM ICON_EXTRACT_CALL WHERE VERDICT = 'complete'");
  const truth = new Set(query(nameless.idb("truth"), "SELECT CALLID FROM G_CALL").flat());
  for (const [callId] of whole) expect(truth.has(callId)).toBeTrue();
  // No call is put together from rows under keys that only one copy knows.
  const joined = query(
    nameless.at("nameless.db"),
    "SELECT count(*) FROM ICON_ROW_ORIGIN WHERE VERDICT = 'joined' AND CALLID IN (SELECT ROW_KEY FROM ICON_ROW_QUALITY)",
  );
  expect(joined).toEqual([[0]]);
  expect(report.calls.complete + report.calls.joined + report.calls.incomplete).toBe(60);
});

test("a copy that lacks a call in windows that it calls whole is a contradiction and no gap", async () => {
  mkdirSync(short.at("liar"));
  cpSync(short.idb("truth"), short.idb("liar"));
  tamper(short.idb("liar"), "DELETE FROM G_CALL WHERE CALLID = 'C7'; UPDATE ICON_APPLIED SET IDB_ID = 'liar'");
  const report = await short.extract(["truth", "liar"], "contradicted.db");
  expect(report.verdict).toBe("divergent");
  expect(report.callsInDoubt.map(({ callId, reasons }) => [callId, reasons.map(({ why }) => why)])).toEqual([
    ["C7", ["contradicted"]],
  ]);
  // It is not lost either.
  expect(query(short.at("contradicted.db"), "SELECT count(*) FROM G_CALL")).toEqual([[60]]);
});

test("a copy that believes a call to go on for ever does not keep the one that saw its end from being believed", async () => {
  await short.copy("stale", [0, 25.5]);
  const both = await short.extract(["stale", "truth"], "stale.db");
  expect(query(short.idb("stale"), "SELECT count(*) FROM G_CALL_ACTIVE")[0]?.[0]).toBeGreaterThan(3);
  expect(both).toMatchObject({ ...everything, calls: { complete: 60, open: 0 } });
  expect(differencesBetween(readDump(short.at("stale.db")), readDump(short.idb("truth")))).toEqual([]);
});

test("calls that go on are listed, and handed out only when asked for", async () => {
  await short.copy("now", [0, 40.5]);
  const stretch = { from: secondOf(5), until: secondOf(40) };
  const without = await short.extract(["now"], "closed.db", { stretch });
  expect(without.openCalls.length).toBe(without.calls.open);
  expect(without.calls.open).toBeGreaterThan(3);
  expect(query(short.at("closed.db"), "SELECT count(*) FROM G_CALL WHERE TERMINATED IS NULL")).toEqual([[0]]);
  const withOpen = await short.extract(["now"], "open.db", { stretch, withOpen: true });
  expect(query(short.at("open.db"), "SELECT count(*) FROM G_CALL WHERE TERMINATED IS NULL")).toEqual([
    [withOpen.calls.open],
  ]);
  expect(query(short.at("open.db"), "SELECT count(*) FROM G_CALL_ACTIVE")).toEqual([[withOpen.calls.open]]);
});

test("an IDB that cannot be read is done without, and what only it may know is not called missing", async () => {
  const away = (copy: Copy): Copy =>
    copy.name.endsWith("/b")
      ? Object.assign(Object.create(copy), {
          name: copy.name,
          identity: () => Promise.reject(new CopyError("passing", "the host is down")),
        })
      : copy;
  const report = await short.extract(["a", "b"], "away.db", { wrap: away });
  expect(report.verdict).toBe("not yet known");
  expect(report.idbs.map(({ problem }) => problem)).toEqual([null, "the host is down"]);
  expect(report.windows).toMatchObject({ incomplete: 0 });
  expect(report.windows.unknown).toBeGreaterThan(15);
  expect(report.calls.incomplete).toBe(0);
  expect(report.calls.notYetKnown).toBeGreaterThan(5);
  // When it is back, the same output becomes whole.
  expect(await short.extract(["a", "b"], "away.db")).toMatchObject(everything);
  expect(differencesBetween(readDump(short.at("away.db")), readDump(short.idb("truth")))).toEqual([]);
});

test("a call that was purged is withdrawn, on the word of a copy that is whole at that time", async () => {
  for (const name of ["kept", "purged"]) {
    mkdirSync(short.at(name));
    cpSync(short.idb("truth"), short.idb(name));
  }
  await short.extract(["kept"], "purged.db");
  tamper(
    short.idb("kept"),
    `DELETE FROM G_PARTY_HISTORY WHERE PARTYID IN (SELECT PARTYID FROM G_PARTY WHERE CALLID = 'C9');
     DELETE FROM G_PARTY WHERE CALLID = 'C9'; DELETE FROM G_CALL WHERE CALLID = 'C9'`,
  );
  const report = await short.extract(["kept"], "purged.db");
  expect(report.run).toMatchObject({ written: 0, withdrawn: 1 });
  const out = short.at("purged.db");
  expect(query(out, "SELECT REVISION, WITHDRAWN FROM ICON_EXTRACT_CALL WHERE CALLID = 'C9'")).toEqual([
    [2, "no copy has it any more"],
  ]);
  expect(query(out, "SELECT count(*) FROM G_PARTY WHERE CALLID = 'C9'")).toEqual([[0]]);
  expect(query(out, "SELECT count(*) FROM ICON_EXTRACT_ROW WHERE SUBJECT_KEY = 'C9'")).toEqual([[0]]);
  // It comes back: a third revision.
  await short.extract(["purged"], "purged.db");
  expect(query(out, "SELECT REVISION, WITHDRAWN FROM ICON_EXTRACT_CALL WHERE CALLID = 'C9'")).toEqual([[3, null]]);
});

test("a call that all copies have merely lost stays as it was handed out", async () => {
  await short.extract(["truth"], "lost.db");
  // Begins after the first calls, and knows nothing of the time before.
  await short.copy("late", [30.5, short.server.endSeconds]);
  const report = await short.extract(["late"], "lost.db");
  expect(report.run.withdrawn).toBe(0);
  expect(query(short.at("lost.db"), "SELECT count(*) FROM G_CALL")).toEqual([[60]]);
});

test("a stretch that begins long before anybody listened costs no more, and says so", async () => {
  const report = await short.extract(["truth"], "always.db", { stretch: { from: 0, until: short.stretch.until } });
  const [first] = report.sources[0]?.stretches ?? [];
  expect(first).toMatchObject({ from: "1970-01-01T00:00:00.000Z", state: "incomplete" });
  expect(report.calls.complete).toBe(60);
});

function at(seconds: number): string {
  return new Date(secondOf(seconds) * 1000).toISOString();
}
