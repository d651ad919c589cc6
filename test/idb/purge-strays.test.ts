// Rows that no stored call leads to are purged by their own age, and it makes no difference when.

import { expect, test } from "bun:test";
import { strayTables } from "../../schema/life.ts";
import type { TableName } from "../../schema/tables.ts";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { store } from "../harness/stored-story.ts";
import { at, Story } from "../harness/story.ts";
import { led, purge, purgeAll, query, rebuildInto, type Setting } from "./purged.ts";

type Line = Readonly<Record<string, unknown>>;

const user = "EventUserEvent";
const desk = (data: Line, dn: string): Line => ({ ConnID: undefined, CallUUID: undefined, ThisDN: dn, UserData: data });
const on = (call: number, more: Line = {}): Line => ({
  ConnID: call.toString(16).padStart(16, "0"),
  ThisDN: `5${call}`,
  ThisDNRole: 2,
  PartyUUID: `P${call}`,
  CallUUID: `C${call}`,
  ...more,
});
const waiting = (call: number): Line => ({
  ...on(call),
  ThisDN: "VQ_Sales",
  ThisQueue: "VQ_Sales",
  PartyUUID: undefined,
  Extensions: { VQID: `VQ${call}` },
});

const given = {
  attachedData: {
    public: [["Segment", "userdata", "all"]],
    secure: [["Pin", "userdata", "all"]],
    columns: [["Segment", "userdata", "last", "G_CALL_USERDATA", "G_CUSTOMER_SEGMENT"]],
    otherKeys: "none",
    valueLengthMax: 255,
  },
  userEvents: {
    store: "all",
    eventKeys: [],
    globalKeys: ["g"],
    states: [[200, "Research"]],
    fields: [],
    callsMax: 16,
  },
  callDeletionTimeoutSeconds: 1,
} as const;

/** What a purge up to second 100 finds, and another up to 10,000; a mark of our clock parts what is old from what is not. */
function storyOf(role: readonly string[]): { readonly story: Story; readonly marks: readonly bigint[] } {
  const story = new Story({ ...given, role });
  const segment = (name: string) => ({ UserData: { Segment: name, Pin: "1", k: name } });
  story.events(
    [1, user, desk({ k: "old", g: "old" }, "6001")],
    [2, user, desk({ Research: "+" }, "6001")],
    [3, user, desk({ Research: "-" }, "6001")],
    // It is open at the first mark, and ends before the day of the second.
    [4, user, desk({ Research: "+" }, "6002")],
    // Of calls that are on another switch.
    [5, "EventQueued", waiting(90)],
    [6, "EventDiverted", waiting(90)],
    [7, "EventQueued", waiting(91)],
    [10, "EventRinging", on(1, segment("a"))],
    [20, "EventReleased", on(1)],
    // A call that goes on beyond the mark: what is attached to it is as old, and stays with it.
    [30, "EventRinging", on(2, segment("b"))],
    [31, user, { ...on(2), UserData: { k: "with the call" } }],
    [32, "EventQueued", waiting(2)],
    [33, "EventDiverted", waiting(2)],
  );
  story.heartbeat(90).wait(95).mark({ mark: "idb back" }).wait(30);
  story.events([110, user, desk({ k: "young" }, "6001")], [111, "EventRinging", on(3, segment("c"))]);
  story.heartbeat(120);
  purge(story, 100);
  const first = BigInt(story.payloads.length);
  story.events(
    [130, user, desk({ Research: "-" }, "6002")],
    [131, "EventDiverted", waiting(91)],
    [132, "EventReleased", on(2)],
    [133, "EventReleased", on(3)],
    // The switch of a call whose stay has gone tells of it after all.
    [134, "EventRinging", on(90)],
  );
  story.heartbeat(9_000).wait(10_000).mark({ mark: "idb back" });
  story.events([10_010, user, desk({ k: "youngest" }, "6001")], [10_011, "EventRinging", on(4, segment("d"))]);
  story.heartbeat(10_020);
  purge(story, 10_000);
  const second = BigInt(story.payloads.length);
  story.events([10_030, "EventReleased", on(4)]).heartbeat(10_100);
  return { story, marks: [first, second] };
}

const counts = (path: string) =>
  Object.fromEntries(
    strayTables.flatMap((table) => {
      const [row] = query<{ n: number }>(path, `SELECT count(*) AS n FROM ${table}`);
      return row === undefined || row.n === 0 ? [] : [[table, row.n] as const];
    }),
  ) as Partial<Record<TableName, number>>;

const keys = (path: string) =>
  query<{ VALUE: string }>(path, "SELECT VALUE FROM G_CUSTOM_DATA_S WHERE KEYNAME = 'k' ORDER BY ID").map(
    ({ VALUE }) => VALUE,
  );

for (const [role, before, between, after] of [
  [
    ["gcc", "gud"],
    {
      ...{ G_VIRTUAL_QUEUE: 3, G_USERDATA_HISTORY: 3, G_SECURE_USERDATA_HISTORY: 3, G_CALL_USERDATA: 3 },
      ...{ G_CUSTOM_DATA_P: 1, G_CUSTOM_DATA_S: 6, G_CUSTOM_STATES: 2 },
    },
    {
      ...{ G_VIRTUAL_QUEUE: 2, G_USERDATA_HISTORY: 2, G_SECURE_USERDATA_HISTORY: 2, G_CALL_USERDATA: 2 },
      ...{ G_CUSTOM_DATA_S: 2, G_CUSTOM_STATES: 1 },
    },
    { G_USERDATA_HISTORY: 1, G_SECURE_USERDATA_HISTORY: 1, G_CALL_USERDATA: 1, G_CUSTOM_DATA_S: 1 },
  ],
  [
    ["gud"],
    {
      ...{ G_USERDATA_HISTORY: 3, G_SECURE_USERDATA_HISTORY: 3, G_CALL_USERDATA: 3 },
      ...{ G_CUSTOM_DATA_P: 1, G_CUSTOM_DATA_S: 6, G_CUSTOM_STATES: 2 },
    },
    // Nobody knows here that call 2 goes on: its rows go by their own age.
    {
      ...{ G_USERDATA_HISTORY: 1, G_SECURE_USERDATA_HISTORY: 1, G_CALL_USERDATA: 1 },
      ...{ G_CUSTOM_DATA_S: 1, G_CUSTOM_STATES: 1 },
    },
    { G_USERDATA_HISTORY: 1, G_SECURE_USERDATA_HISTORY: 1, G_CALL_USERDATA: 1, G_CUSTOM_DATA_S: 1 },
  ],
] as const) {
  test(`with role ${role.join(", ")}, what belongs to no stored call goes by its own age, and a rebuilt IDB ends with the same rows`, async () => {
    using directory = new TemporaryDirectory("purge");
    const queue = directory.at("queue");
    const { story, marks } = storyOf(role);
    const [mark = 0n] = marks;
    await store(queue, story.payloads);
    const setting = (name: string): Setting => ({ queue, idb: directory.at(`${name}.db`) });

    const atOnce = setting("at once");
    led(atOnce, (idb, upTo, end) => {
      upTo(mark);
      expect(counts(atOnce.idb)).toEqual(before);
      purgeAll(idb);
      expect(counts(atOnce.idb)).toEqual(between);
      expect(keys(atOnce.idb)).toEqual(role.length > 1 ? ["with the call", "young"] : ["young"]);
      upTo(end);
      purgeAll(idb);
    });
    expect(counts(atOnce.idb)).toEqual(after);
    const expected = readWhole(atOnce.idb);

    const beside = setting("beside");
    led(beside, (idb, upTo, end) => {
      for (let position = 1n; position <= end; position += 1n) {
        upTo(position);
        idb.purge(1);
      }
      purgeAll(idb, 1);
    });
    expect(differencesBetween(expected, readWhole(beside.idb))).toEqual([]);

    const again = setting("again");
    await rebuildInto(again, story);
    expect(differencesBetween(expected, readWhole(again.idb))).toEqual([]);
    // Once more from the first purge on, as after a restart.
    led(atOnce, (idb) => purgeAll(idb));
    expect(differencesBetween(expected, readWhole(atOnce.idb))).toEqual([]);
  });
}

test("a step looks at a bounded number of rows", async () => {
  using directory = new TemporaryDirectory("purge");
  const setting = { queue: directory.at("queue"), idb: directory.at("idb.db") };
  const story = new Story({ ...given, role: ["gud"] });
  for (let second = 0; second < 90; second += 1) story.events([second, user, desk({ k: "x" }, "6001")]);
  story.heartbeat(100).wait(200);
  purge(story, 100);
  await store(setting.queue, story.payloads);
  led(setting, (idb, upTo, end) => {
    upTo(end);
    const steps = [1, 2, 3, 4, 5].map(() => idb.purge(1));
    expect(steps.map(({ rows }) => rows)).toEqual([20, 20, 20, 20, 10]);
    expect(steps.map(({ roots }) => roots)).toEqual([0, 0, 0, 0, 0]);
    expect(steps.at(-1)?.isDone).toBe(true);
  });
});

test("the doubt about a state that was ended unseen goes with it, and one about a younger state stays", async () => {
  using directory = new TemporaryDirectory("purge");
  const setting = { queue: directory.at("queue"), idb: directory.at("idb.db") };
  const story = new Story({ ...given, role: ["gcc", "gud"] });
  story.events(
    [1, user, desk({ Research: "+" }, "6001")],
    [2, "EventRinging", on(1)],
    [3, user, { ...on(1), UserData: { Research: "+" } }],
    [5, "EventReleased", on(1)],
  );
  story.heartbeat(20).close("connection lost").wait(60).open().snapshot(4);
  story.events([200, user, desk({ Research: "+" }, "6003")]).heartbeat(210);
  story.close("connection lost").wait(300).open().snapshot(5).heartbeat(500);
  purge(story, 100);
  await store(setting.queue, story.payloads);
  const doubted = () =>
    query<{ ROW_KEY: string }>(
      setting.idb,
      "SELECT ROW_KEY FROM ICON_ROW_QUALITY WHERE TABLE_NAME = 'G_CUSTOM_STATES' ORDER BY ID",
    ).map(({ ROW_KEY }) => ROW_KEY);
  led(setting, (idb, upTo, end) => {
    upTo(end);
    expect(doubted().toSorted()).toEqual([`51/200/${at(3)}`, `6001/200/${at(1)}`, `6003/200/${at(200)}`]);
    purgeAll(idb);
  });
  expect(doubted()).toEqual([`6003/200/${at(200)}`]);
  expect(counts(setting.idb)).toEqual({ G_CUSTOM_DATA_S: 1, G_CUSTOM_STATES: 1 });
});
