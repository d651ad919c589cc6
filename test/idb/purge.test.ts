// Which rows a purge deletes, and that it makes no difference when it does: real files, a real persistent queue.

import { expect, test } from "bun:test";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import { type LifeTableName, lives, type TableLife } from "../../schema/life.ts";
import { tables } from "../../schema/tables.ts";
import { type Dump, differencesBetween, readWhole, rowCount } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { store } from "../harness/stored-story.ts";
import { Story, startMs } from "../harness/story.ts";
import { led, purge, purgeAll, query, rebuildInto, type Setting } from "./purged.ts";

type Line = Readonly<Record<string, unknown>>;

const on = (call: number, more: Line = {}): Line => ({
  ConnID: call.toString(16).padStart(16, "0"),
  ThisDN: `5${call}`,
  ThisDNRole: 2,
  PartyUUID: `P${call}`,
  CallUUID: `C${call}`,
  ...more,
});

/** A call of ten seconds from this second on. */
function call(story: Story, number: number, from: number, more: Line = {}): Story {
  return story.events(
    [from, "EventRinging", on(number, more)],
    [from + 4, "EventEstablished", on(number, more)],
    [from + 10, "EventReleased", on(number, more)],
  );
}

/** Before a first purge up to second 100, and a second one up to second 178, with what is hard about them. */
function eventfulStory(): { readonly story: Story; readonly marks: readonly bigint[] } {
  const story = new Story({ callDeletionTimeoutSeconds: 1 });
  for (let number = 1; number <= 8; number += 1) call(story, number, number * 10);
  // It ends after the first purge's day, having begun before.
  call(story, 20, 95);
  // Open at the first purge, and then found not to be there any more: it ended before the day.
  story.events([96, "EventRinging", on(21)]);
  // An identifier given out twice: the first has ended, the second is open when the purge comes.
  call(story, 22, 60, { PartyUUID: "P22-1" });
  story.events([97, "EventRinging", on(22, { PartyUUID: "P22-2" })]);
  story.heartbeat(120);
  purge(story, 100);
  const first = BigInt(story.payloads.length);
  story.events([130, "EventReleased", on(22, { PartyUUID: "P22-2" })]);
  // No party of call 21 is there: it ended at some time since it rang.
  story.snapshot(60);
  for (let number = 30; number <= 36; number += 1) call(story, number, 135 + number);
  // Given out again, after the purge.
  call(story, 3, 185, { PartyUUID: "P3-2" });
  story.heartbeat(400);
  purge(story, 178);
  const second = BigInt(story.payloads.length);
  call(story, 40, 410);
  story.heartbeat(500);
  return { story, marks: [first, second] };
}

const callIds = (path: string) =>
  query<{ CALLID: string }>(path, "SELECT CALLID FROM G_CALL ORDER BY ID").map(({ CALLID }) => CALLID);

async function withStory(act: (setting: (name: string) => Setting, marks: readonly bigint[]) => void): Promise<void> {
  using directory = new TemporaryDirectory("purge");
  const queue = directory.at("queue");
  const { story, marks } = eventfulStory();
  await store(queue, story.payloads);
  act((name) => ({ queue, idb: directory.at(`${name}.db`) }), marks);
}

test("whole calls that had ended before the day go, with all of their rows; whatever was open stays whole", () =>
  withStory((setting, [mark = 0n]) => {
    const { queue, idb: path } = setting("first");
    let before: Dump = new Map();
    led({ queue, idb: path }, (idb, upTo) => {
      upTo(mark);
      before = readWhole(path);
      const step = idb.purge(100);
      expect(step.roots).toBe(8);
      // What is left is to look for login sessions.
      expect(idb.purge(100)).toEqual({ rows: 0, roots: 0, calls: 0, isDone: true });
      expect(idb.isPurged).toBe(true);
    });
    expect(callIds(path)).toEqual(["C20", "C21", "C22", "C22"]);
    const after = readWhole(path);
    // One row a call, three or so of a party: nothing of a call that went is left, and of the others nothing is missing.
    const gone = differencesBetween(before, after).map((line) => line.slice(0, line.indexOf(":")));
    const by = Object.fromEntries(
      [...Map.groupBy(gone, (table) => table)].map(([table, rows]) => [table, rows.length]),
    );
    expect(by).toEqual({
      G_CALL: 8,
      G_CALL_HISTORY: 16,
      G_CALL_STAT: 8,
      G_IR: 8,
      G_IR_HISTORY: 16,
      G_PARTY: 8,
      G_PARTY_HISTORY: 24,
      G_PARTY_STAT: 8,
    });
    for (const table of ["ICON_WINDOW", "ICON_COVERAGE", "ICON_MARK", "ICON_DSS"]) {
      expect([table, rowCount(after, table)]).toEqual([table, rowCount(before, table)]);
    }
    const [row] = query<{ DETAIL: string }>(path, "SELECT DETAIL FROM ICON_MARK WHERE KIND = 'purge'");
    expect(row?.DETAIL).toBe("before 2026-11-23T08:01:40.000Z, by command");
  }));

test("an IDB that is rebuilt ends with the rows that were left", async () => {
  using directory = new TemporaryDirectory("purge");
  const queue = directory.at("queue");
  const { story } = eventfulStory();
  await store(queue, story.payloads);
  const idb = directory.at("idb.db");
  led({ queue, idb }, (opened, upTo, end) => {
    upTo(end);
    purgeAll(opened);
  });
  const path = directory.at("again.db");
  await rebuildInto({ queue, idb: path }, story);
  expect(callIds(path)).toEqual(["C33", "C34", "C35", "C36", "C3", "C40"]);
  expect(differencesBetween(readWhole(idb), readWhole(path))).toEqual([]);
});

test("the rows in the end are the same, whenever and in whatever parts they are deleted", () =>
  withStory((setting, marks) => {
    const late = setting("late");
    led(late, (idb, upTo, end) => {
      upTo(end);
      purgeAll(idb);
    });
    const expected = readWhole(late.idb);
    expect(callIds(late.idb)).toEqual(["C33", "C34", "C35", "C36", "C3", "C40"]);

    const atOnce = setting("at once");
    led(atOnce, (idb, upTo, end) => {
      for (const position of [...marks, end]) {
        upTo(position);
        purgeAll(idb, 3);
      }
    });
    expect(differencesBetween(expected, readWhole(atOnce.idb))).toEqual([]);

    const beside = setting("beside");
    led(beside, (idb, upTo, end) => {
      for (let position = 1n; position <= end; position += 1n) {
        upTo(position);
        idb.purge(1);
      }
      purgeAll(idb, 1);
    });
    expect(differencesBetween(expected, readWhole(beside.idb))).toEqual([]);

    const reopened = setting("reopened");
    for (let isDone = false; !isDone; ) {
      led(reopened, (idb, upTo, end) => {
        upTo(marks[0] ?? 0n);
        idb.purge(2);
        upTo(end);
        isDone = idb.purge(2).isDone;
      });
    }
    expect(differencesBetween(expected, readWhole(reopened.idb))).toEqual([]);
  }));

test("each table is found by an index from its parent, or by where it stands", () => {
  // Reasons that hold now are few at all times, and a session that has ended has none.
  const looked = (Object.keys(lives) as LifeTableName[]).filter((name) => name !== "G_AGENT_STATE_RC_A");
  const slow = looked.filter((name) => {
    const { parent, foundBy, key }: TableLife = lives[name];
    const link = parent?.column ?? key[0];
    const { indexes, primaryKeys } = getTableConfig(tables[name]);
    const first = [
      ...indexes.map(({ config }) => (config.columns[0] as { name?: string }).name),
      ...primaryKeys.map(({ columns }) => columns[0]?.name),
    ];
    return foundBy === "index" && !first.includes(link);
  });
  // A purge reads the whole of such a table for each of its transactions: give it an index, or another `foundBy`.
  expect(slow).toEqual([]);
});

test("login sessions that had ended go with all of theirs, those that go on stay whole, and a rebuilt IDB ends with the same rows", async () => {
  using directory = new TemporaryDirectory("purge");
  const queue = directory.at("queue");
  const story = new Story({ role: ["gls"] });
  const at = (ThisDN: string, AgentID: string, more: Line = {}) => ({
    ThisDN,
    AgentID,
    ConnID: null,
    CallUUID: null,
    ...more,
  });
  const lunch = { AgentWorkMode: 4, Reasons: { break: "lunch" } };
  story.events(
    [0, "EventAgentLogin", at("5001", "1001", { ThisQueue: "8001" })],
    [1, "EventAgentLogin", at("5002", "1002")],
    [5, "EventAgentNotReady", at("5001", "1001", lunch)],
    [6, "EventAgentNotReady", at("5002", "1002", lunch)],
    [8, "EventDNDOn", at("5001", "1001")],
    [20, "EventAgentReady", at("5001", "1001")],
    [21, "EventAgentReady", at("5002", "1002")],
    [30, "EventAgentLogout", at("5001", "1001")],
  );
  purge(story.heartbeat(100), 60);
  const mark = BigInt(story.payloads.length);
  story.events([150, "EventAgentLogout", at("5002", "1002")]).heartbeat(200);
  await store(queue, story.payloads);
  const idb = directory.at("idb.db");
  const told = [
    "G_LOGIN_SESSION",
    "GX_SESSION_ENDPOINT",
    "G_AGENT_STATE_HISTORY",
    "G_AGENT_STATE_RC",
    "G_DND_HISTORY",
  ] as const;
  led({ queue, idb }, (opened, upTo, end) => {
    upTo(mark);
    const before = readWhole(idb);
    for (const table of told) expect(rowCount(before, table)).toBeGreaterThan(0);
    purgeAll(opened);
    upTo(end);
    purgeAll(opened);
  });
  const after = readWhole(idb);
  const left = query<{ AGENTLOGIN: string; STATE: number }>(idb, "SELECT AGENTLOGIN, STATE FROM G_LOGIN_SESSION");
  expect(left).toEqual([{ AGENTLOGIN: "1002", STATE: 0 }]);
  for (const table of told.slice(1)) {
    const others = `SELECT count(*) AS n FROM ${table} WHERE ${table === "G_AGENT_STATE_RC" ? "SESSIONID" : "LOGINSESSIONID"}
      NOT IN (SELECT LOGINSESSIONID FROM G_LOGIN_SESSION)`;
    expect([table, query<{ n: number }>(idb, others)[0]?.n]).toEqual([table, 0]);
  }
  expect(rowCount(after, "G_DND_HISTORY")).toBe(0);
  expect(rowCount(after, "GS_AGENT_STAT")).toBeGreaterThan(0);
  const path = directory.at("again.db");
  await rebuildInto({ queue, idb: path }, story);
  expect(differencesBetween(after, readWhole(path))).toEqual([]);
});

test("views for reports say of the time before a purge that it is not known, never that there was nothing", async () => {
  using directory = new TemporaryDirectory("purge");
  const queue = directory.at("queue");
  const story = new Story({ callDeletionTimeoutSeconds: 1 });
  for (let quarter = 0; quarter < 5; quarter += 1) call(story, quarter + 1, quarter * 900 + 60);
  story.heartbeat(5_000);
  purge(story, 2_000);
  story.heartbeat(5_100);
  await store(queue, story.payloads);
  const idb = directory.at("idb.db");
  const intervals = () =>
    query<{ TS: number; IS_COMPLETE: number; WHY: string | null }>(
      idb,
      `SELECT INTERVAL_TS - ${startMs / 1000} AS TS, IS_COMPLETE, INCOMPLETE_BECAUSE AS WHY FROM ICON_V_INTERVAL_15
       WHERE TS >= 0 AND TS <= 3600 ORDER BY INTERVAL_TS`,
    ).map(({ TS, WHY }) => [TS, WHY]);
  led({ queue, idb }, (opened, upTo, end) => {
    upTo(end - 2n);
    expect(intervals().map(([, why]) => why)).toEqual(["not listened yet", null, null, null, null]);
    upTo(end);
    purgeAll(opened);
  });
  expect(intervals()).toEqual([
    [0, "not listened yet"],
    [900, "purged"],
    [1800, "purged"],
    [2700, null],
    [3600, null],
  ]);
  expect(query<{ n: number }>(idb, "SELECT count(*) AS n FROM G_CALL")).toEqual([{ n: 2 }]);
});
