// Following two instances' IDBs while they grow, and being killed at it. Two hours of it, with N seeds: ICON_FOLLOW_SEEDS=N.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import type { ExtractReport } from "../../src/extraction/report.ts";
import { differencesBetween, readDump } from "../harness/dump.ts";
import { query, TemporaryDirectory, tamper } from "../idb/temporary.ts";
import { Dice } from "../simulation/dice.ts";
import { ExtractionSetting } from "./extraction-setting.ts";
import { following, GrowingCopy } from "./followed-copies.ts";
import { accounts, isHeardThroughout, lifeOf } from "./heard-calls.ts";
import { ScriptedServer, type Spell, scriptDefault, secondOf } from "./scripted-server.ts";

const setting = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, calls: 50 }));
const many = new ExtractionSetting(new ScriptedServer({ ...scriptDefault, calls: 300, everySeconds: 0.3 }));
const end = setting.server.endSeconds;
afterAll(() => {
  for (const each of [setting, many]) each[Symbol.dispose]();
});
beforeAll(async () => {
  await setting.truth();
  await many.truth();
  await many.copy("a", [0, 40.5], [60.2, many.server.endSeconds]);
  await many.copy("b", [20.3, many.server.endSeconds]);
});

test("says after each step how far it has come", async () => {
  const { from, until } = setting.stretch;
  using follow = following([setting.at("truth")], setting.at("progress.ndjson"), setting.stretch);
  await follow.catchUp();
  expect(follow.progress.at(-1)).toEqual({ done: until - from, all: until - from });
});

const callsIn = (out: string): { call: string; revision: number; verdict?: string }[] =>
  readFileSync(out, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as { call: string; revision: number; verdict?: string });

test("calls are handed out once each as two IDBs grow, one behind the other, and in the end they are the truth", async () => {
  using directory = new TemporaryDirectory();
  const one = new GrowingCopy(
    `${directory.path}/one`,
    setting.server.heard([
      [0, 30.5],
      [41.2, end],
    ]),
  );
  const other = new GrowingCopy(
    `${directory.path}/other`,
    setting.server.heard([[20.3, end]], { name: "b", dbid: 9002 }),
  );
  const out = { lines: `${directory.path}/out.ndjson`, idb: `${directory.path}/out.db` };
  await one.grow(0.1);
  await other.grow(0.1);
  const counts: number[] = [];
  for (const [first, second] of [
    [0.3, 0.2],
    [0.6, 0.4],
    [0.7, 0.9],
    [1, 0.95],
    [1, 1],
  ] as const) {
    await one.grow(first);
    await other.grow(second);
    for (const path of Object.values(out)) {
      // Each time by another process, so to speak.
      using follow = following([one.directory, other.directory], path, setting.stretch);
      await follow.catchUp();
    }
    counts.push(callsIn(out.lines).length);
  }
  using follow = following([one.directory, other.directory], out.idb, setting.stretch);
  expect((await follow.catchUp()).isAtEnd).toBeTrue();
  expect(follow.report()).toMatchObject({ verdict: "complete", windows: { unknown: 0, incomplete: 0 } });
  // However many steps it took: windows in a row of which the same is said are one row.
  const neighbours = query(
    out.idb,
    `SELECT count(*) FROM ICON_EXTRACT_WINDOWS one JOIN ICON_EXTRACT_WINDOWS next
     ON (next.SOURCE_CLUSTER, next.SWITCH_DBID, next.FROM_TS) = (one.SOURCE_CLUSTER, one.SWITCH_DBID, one.UNTIL_TS)
     AND (next.STATE, next.AGREEMENT, next.IS_PROVEN, next.CAUSES) = (one.STATE, one.AGREEMENT, one.IS_PROVEN, one.CAUSES)`,
  );
  expect(neighbours).toEqual([[0]]);
  expect(counts.toSorted((a, b) => a - b)).toEqual(counts);
  expect(new Set(counts).size).toBeGreaterThan(3);
  const told = callsIn(out.lines);
  expect(told.length).toBe(50);
  expect(new Set(told.map(({ call }) => call)).size).toBe(50);
  expect(differencesBetween(readDump(out.idb), readDump(setting.idb("truth")))).toEqual([]);
});

test("a call whose end is written long after its time was settled is handed out then", async () => {
  using directory = new TemporaryDirectory();
  const copy = new GrowingCopy(`${directory.path}/copy`, setting.server.heard([[0, end]]));
  const out = `${directory.path}/out.ndjson`;
  for (let share = 0.1; share <= 1; share += 0.15) {
    await copy.grow(share);
    using follow = following([copy.directory], out, setting.stretch);
    await follow.catchUp();
  }
  await copy.grow(1);
  using follow = following([copy.directory], out, setting.stretch);
  await follow.catchUp();
  const told = callsIn(out);
  expect(told.map(({ revision }) => revision)).toEqual(told.map(() => 1));
  expect(new Set(told.map(({ call }) => call)).size).toBe(50);
  expect(told.length).toBe(50);
});

test("an IDB that comes later repairs what was handed out as incomplete", async () => {
  using directory = new TemporaryDirectory();
  const one = new GrowingCopy(
    `${directory.path}/one`,
    setting.server.heard([
      [0, 30.5],
      [41.2, end],
    ]),
  );
  const third = new GrowingCopy(`${directory.path}/third`, setting.server.heard([[0, end]], { name: "c", dbid: 9003 }));
  await one.grow(1);
  await third.grow(1);
  const out = `${directory.path}/out.db`;
  {
    using follow = following([one.directory], out, setting.stretch);
    await follow.catchUp();
    expect(follow.report().verdict).toBe("incomplete");
  }
  using follow = following([one.directory, third.directory], out, setting.stretch);
  await follow.catchUp();
  expect(follow.report()).toMatchObject({ verdict: "complete", calls: { incomplete: 0 } });
  expect(differencesBetween(readDump(out), readDump(setting.idb("truth")))).toEqual([]);
});

test("what changes in windows of long ago is extracted again, and nothing else", async () => {
  using directory = new TemporaryDirectory();
  mkdirSync(`${directory.path}/copy`);
  cpSync(setting.idb("truth"), `${directory.path}/copy/idb.db`);
  const idb = `${directory.path}/copy/idb.db`;
  const out = `${directory.path}/out.ndjson`;
  {
    using follow = following([`${directory.path}/copy`], out, setting.stretch);
    await follow.catchUp();
  }
  // A late event: the row, its window's version, and the position move on.
  const [created] = query(idb, "SELECT CREATED_TS FROM G_CALL WHERE CALLID = 'C5'")[0] ?? [];
  tamper(
    idb,
    `UPDATE G_CALL SET CALLDNIS = '0800999' WHERE CALLID = 'C5';
     UPDATE ICON_APPLIED SET POSITION = POSITION + 1;
     UPDATE ICON_WINDOW SET VERSION = (SELECT POSITION FROM ICON_APPLIED) WHERE WINDOW_TS = ${created};
     DELETE FROM G_CALL WHERE CALLID = 'C6'; DELETE FROM G_CALL_HISTORY WHERE CALLID = 'C6';
     UPDATE ICON_WINDOW SET VERSION = (SELECT POSITION FROM ICON_APPLIED) WHERE WINDOW_TS = ${Number(created) + 1}`,
  );
  using follow = following([`${directory.path}/copy`], out, setting.stretch);
  await follow.catchUp();
  expect(callsIn(out).slice(50)).toMatchObject([
    { call: "C5", revision: 2 },
    { call: "C6", revision: 2, withdrawn: "no copy has it any more" },
  ]);
});

test("a time that turns out to have been without the CTI link is not called complete any more", async () => {
  using directory = new TemporaryDirectory();
  mkdirSync(`${directory.path}/copy`);
  cpSync(setting.idb("truth"), `${directory.path}/copy/idb.db`);
  const idb = `${directory.path}/copy/idb.db`;
  const out = `${directory.path}/out.ndjson`;
  {
    using follow = following([`${directory.path}/copy`], out, setting.stretch);
    await follow.catchUp();
    expect(follow.report()).toMatchObject({ verdict: "complete", calls: { complete: 50 } });
  }
  // "The CTI link is back", from a server that never said that it was lost: no row of a window changes but the last one's.
  const [lost, back] = [secondOf(25), secondOf(45)];
  const text = (seconds: number) => new Date(seconds * 1000).toISOString();
  tamper(
    idb,
    `UPDATE ICON_APPLIED SET POSITION = POSITION + 1;
     CREATE TEMP TABLE NEXT AS SELECT * FROM ICON_COVERAGE;
     UPDATE NEXT SET ID = ID + 1000, FROM_TIME = '${text(back)}', BEGAN_BECAUSE = 'cti link down',
       FROM_SEQ = (SELECT max(LAST_SEQ) FROM ICON_WINDOW WHERE WINDOW_TS < ${back});
     UPDATE ICON_COVERAGE SET UNTIL_TIME = '${text(lost)}', ENDED_BECAUSE = 'cti link down',
       UNTIL_SEQ = (SELECT FROM_SEQ FROM NEXT), VERSION = (SELECT POSITION FROM ICON_APPLIED);
     INSERT INTO ICON_COVERAGE SELECT * FROM NEXT;
     UPDATE ICON_WINDOW SET FAULTS = '["cti link down"]', VERSION = (SELECT POSITION FROM ICON_APPLIED)
       WHERE WINDOW_TS = ${back}`,
  );
  using follow = following([`${directory.path}/copy`], out, setting.stretch);
  await follow.catchUp();
  const { verdict, windows, calls, sources } = follow.report();
  expect(verdict).toBe("incomplete");
  expect(windows.incomplete).toBe(back - lost + 1);
  expect(calls.incomplete).toBeGreaterThan(15);
  // And nothing else than whoever extracts now would say.
  mkdirSync(setting.at("blind"));
  cpSync(idb, setting.idb("blind"));
  expect(await setting.extract(["blind"], "blind.ndjson")).toMatchObject({ verdict, windows, calls, sources });
});

test.each(["idb.db", "calls.ndjson", "calls.csv"])(
  "killed at every kind of moment and started again, %s has each call once",
  async (name) => {
    using directory = new TemporaryDirectory();
    const { from, until } = many.stretch;
    const words = [String(from), String(until), many.idb("a"), many.idb("b")];
    const run = async (step: number, out: string) => {
      const command = [process.execPath, `${import.meta.dir}/extract-and-die.ts`, String(step), out, ...words];
      const child = Bun.spawn(command, { stdout: "inherit", stderr: "inherit" });
      await child.exited;
      return child.signalCode ?? child.exitCode;
    };
    const whole = `${directory.path}/whole-${name}`;
    expect(await run(0, whole)).toBe(0);
    const out = `${directory.path}/${name}`;
    let kills = 0;
    // Later and later, so that it comes to an end.
    for (let step = 1; ; step += kills + 1) {
      const ended = await run(step, out);
      if (ended === 0) break;
      expect(ended).toBe("SIGKILL");
      kills += 1;
    }
    expect(kills).toBeGreaterThan(3);
    for (const file of name === "calls.csv" ? ["G_CALL.csv", "G_PARTY_HISTORY.csv", "ICON_EXTRACT_CALL.csv"] : []) {
      expect(readFileSync(`${out}/${file}`, "utf8")).toBe(readFileSync(`${whole}/${file}`, "utf8"));
    }
    if (name === "calls.ndjson") expect(readFileSync(out, "utf8")).toBe(readFileSync(whole, "utf8"));
    if (name === "idb.db") {
      expect(differencesBetween(readDump(out), readDump(many.idb("truth")))).toEqual([]);
      expect(query(out, "SELECT DISTINCT REVISION FROM ICON_EXTRACT_CALL")).toEqual([[1]]);
      const [orphans] = query(
        out,
        "SELECT count(*) FROM ICON_EXTRACT_ROW WHERE TABLE_NAME = 'G_CALL' AND ROW_ID NOT IN (SELECT ID FROM G_CALL)",
      );
      expect(orphans).toEqual([0]);
    }
    rmSync(out, { recursive: true, force: true });
  },
  60_000,
);

const seedsAsked = Number(process.env["ICON_FOLLOW_SEEDS"] ?? 0);
const simulatedMinutes = seedsAsked > 0 ? 120 : 20;

test.each(Array.from({ length: Math.max(1, seedsAsked) }, (_, index) => index + 1))(
  `${simulatedMinutes} minutes in which links are lost and the follow is killed again and again: each row once, and the report is true (seed %p)`,
  async (seed) => {
    const dice = new Dice(seed);
    const lifeSeconds = 30 + dice.below(150);
    using hours = new ExtractionSetting(
      new ScriptedServer({ ...scriptDefault, calls: simulatedMinutes * 3 - 2, everySeconds: 20, lifeSeconds }),
    );
    const { server, stretch } = hours;
    expect(server.endSeconds).toBeGreaterThan(simulatedMinutes * 60);
    await hours.truth();
    const heard = ["a", "b"].map((name) => ({ name, spells: spellsOfHours(dice, server.endSeconds) }));
    const copies = heard.map(({ name, spells }, index) => {
      return new GrowingCopy(hours.at(name), server.heard(spells, { name: `icon-${name}`, dbid: 9001 + index }));
    });
    const directories = copies.map(({ directory }) => directory);
    const outs = { lines: hours.at("out.ndjson"), idb: hours.at("out.db") };
    const words = [stretch.from, stretch.until, ...directories].map(String);
    let kills = 0;
    const rounds = 6;
    for (let round = 1; round <= rounds; round += 1) {
      for (const copy of copies) await copy.grow(round === rounds ? 1 : (round - dice.next()) / rounds);
      for (const out of Object.values(outs)) {
        if (dice.chance(0.5)) {
          const step = 1 + dice.below(12);
          const command = [process.execPath, `${import.meta.dir}/extract-and-die.ts`, String(step), out, ...words];
          const child = Bun.spawn(command, { stdout: "inherit", stderr: "inherit" });
          await child.exited;
          if (child.signalCode === "SIGKILL") kills += 1;
          else expect(child.exitCode).toBe(0);
        }
        // What was broken off is gone on with at once, or when the IDBs have grown further.
        if (dice.chance(0.4) && round < rounds) continue;
        using follow = following(directories, out, stretch);
        const { isAtEnd } = await follow.catchUp();
        expect(isAtEnd).toBe(round === rounds);
      }
    }
    using follow = following(directories, outs.idb, stretch);
    expect((await follow.catchUp()).isAtEnd).toBeTrue();
    const report = follow.report();
    const { complete, joined, incomplete } = report.calls;
    const spent = `${kills} kills, ${heard.map(({ spells }) => spells.length).join(" and ")} sessions`;
    console.log(`seed ${seed}: ${spent}; ${complete} whole, ${joined} joined, ${incomplete} incomplete`);
    if (seed === 1) expect(kills).toBeGreaterThan(1);

    // Each once, as whoever extracts now would say.
    const once = await hours.extract(["a", "b"], "once.db");
    const { verdict, windows, calls } = once;
    expect(report).toMatchObject({ verdict, windows, calls });
    expect(statesBySecond(report)).toEqual(statesBySecond(once));
    expect(differencesBetween(readDump(outs.idb), readDump(hours.at("once.db")))).toEqual([]);
    const told = callsIn(outs.lines);
    expect(new Set(told.map(({ call, revision }) => `${call} ${revision}`)).size).toBe(told.length);
    const verdicts = query(outs.idb, "SELECT CALLID, VERDICT FROM ICON_EXTRACT_CALL ORDER BY CALLID") as string[][];
    expect([...new Map(told.map((line) => [line.call, String(line.verdict)]))].toSorted()).toEqual(
      verdicts.map(([callId, word]) => [String(callId), String(word)] as [string, string]).toSorted(),
    );

    // And no more and no less than was heard.
    expect(windowsWronglyJudged(report, server, heard)).toEqual([]);
    const [truth, said] = [accounts(hours.idb("truth")), accounts(outs.idb)];
    const judged = new Map(verdicts as [string, string][]);
    const wrong = [...truth].filter(([callId, account]) => {
      const isWhole = ["complete", "joined"].includes(judged.get(callId) ?? "");
      if (isWhole) return said.get(callId) !== account;
      return isHeardThroughout(heard, lifeOf(hours.idb("truth"), callId));
    });
    expect(wrong.map(([callId]) => [callId, judged.get(callId)])).toEqual([]);
  },
  300_000,
);

/** Cut off some ten times, mostly for seconds, sometimes for minutes. */
function spellsOfHours(dice: Dice, endSeconds: number): Spell[] {
  const spells: Spell[] = [];
  const cuts = Array.from({ length: 8 + dice.below(8) }, () => 5 + dice.next() * (endSeconds - 400));
  let from = 0;
  for (const cut of cuts.toSorted((one, other) => one - other)) {
    const until = Math.round(cut * 100) / 100 + 0.003;
    if (until <= from + 1) continue;
    spells.push([from, until]);
    from = until + Math.round((dice.chance(0.7) ? 0.5 + dice.next() * 10 : 60 + dice.next() * 300) * 100) / 100;
  }
  return [...spells, [from, endSeconds]];
}

/** Windows that are called whole though an event of theirs was heard by nobody, or not whole though somebody heard all of it. */
function windowsWronglyJudged(
  report: ExtractReport,
  { events }: ScriptedServer,
  heard: readonly { readonly spells: readonly Spell[] }[],
): string[] {
  const isHeard = (at: number) => heard.some(({ spells }) => spells.some(([from, until]) => from < at && at < until));
  const eventsBySecond = Map.groupBy(events, ({ at }) => Math.floor(at));
  return [...statesBySecond(report)].flatMap(([second, state]) => {
    const own = eventsBySecond.get(second) ?? [];
    const isWhole = state === (own.length > 0 ? "complete" : "silent");
    const isMissed = own.some(({ at }) => !isHeard(at));
    const isCertain = isHeardThroughout(heard, { from: second, until: second });
    return (isMissed ? state !== "incomplete" : isCertain && !isWhole) ? [`${second} s: ${state}`] : [];
  });
}

/**
 * By second of the script. The agreement is no part of it: a follow judges a silent window when the first IDB has it, and
 * no row of another one tells later that it was silent there too.
 */
function statesBySecond({ sources }: ExtractReport): Map<number, string> {
  const states = new Map<number, string>();
  for (const { from, until, state } of sources.flatMap(({ stretches }) => stretches)) {
    const end = Date.parse(until) / 1000 - secondOf(0);
    for (let second = Date.parse(from) / 1000 - secondOf(0); second < end; second += 1) states.set(second, state);
  }
  return states;
}
