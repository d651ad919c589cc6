// Role gcc is switched off and on while calls go on: which rows they have, and that a purge in between makes no difference.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { store } from "../harness/stored-story.ts";
import { at, Story } from "../harness/story.ts";
import { led, purge, purgeAll, query, rebuildInto } from "../idb/purged.ts";

const attachedData: AttachedDataMapping = {
  public: [["k", "userdata", "all"]],
  secure: [],
  columns: [["k", "userdata", "last", "G_CALL_USERDATA", "ACCOUNT_ID"]],
  otherKeys: "none",
  valueLengthMax: 255,
};
const on = (call: number, more: object = {}) => ({
  ...{ ConnID: `0${call}`, CallUUID: `C${call}`, ThisDN: `500${call}`, ThisDNRole: 2, PartyUUID: `P${call}` },
  ...more,
});
const story = (role: readonly string[]) => new Story({ role, attachedData, callDeletionTimeoutSeconds: 5 });

/** "CALLID from–to", in seconds; … where it goes on. */
function calls(of: Story): string[] {
  return of.rows("G_CALL", "ID").map(({ CALLID, CREATED, TERMINATED }) => {
    const [from, to] = [CREATED, TERMINATED].map((time) =>
      time == null ? "…" : String((Date.parse(time) - Date.parse(at(0))) / 1000),
    );
    return `${CALLID} ${from}–${to}`;
  });
}
const active = (of: Story) =>
  of
    .rows("G_CALL_ACTIVE", "ID")
    .filter(({ ID }) => !of.world.erased.some(({ table, id }) => table === "G_CALL_ACTIVE" && id === ID))
    .map(({ CALLID }) => CALLID);

for (const rest of [["gud"], ["gls"], ["cfg"]]) {
  test(`what goes on when gcc is switched off ends there, with all of its rows, and ${rest} goes on`, () => {
    const s = story(["gcc", ...rest]).events(
      [0, "EventRinging", on(1)],
      [5, "EventEstablished", on(1)],
      [8, "EventQueued", on(2, { ThisDN: "8000", ThisQueue: "8000" })],
      // Its ending waits for what comes late.
      [10, "EventRinging", on(3)],
      [19, "EventReleased", on(3)],
    );
    s.heartbeat(20).reload({ role: rest, attachedData });
    s.events([30, "EventReleased", on(1)], [31, "EventRinging", on(4)]).heartbeat(100);
    expect(calls(s)).toEqual(["C1 0–20", "C2 8–20", "C3 10–19"]);
    expect(active(s)).toEqual([]);
    s.expectParties("5001: alerting 0, connected 5 | 20", "8000: queued 8 | 20", "5003: alerting 10 | 19");
    expect(
      s
        .rows("G_PARTY_STAT", "ID")
        .map(({ TT_ALERTING, TT_CONNECTED, TT_QUEUED }) => [TT_ALERTING, TT_CONNECTED, TT_QUEUED]),
    ).toEqual([
      [9, 0, 0],
      [5, 15, 0],
      [0, 0, 12],
    ]);
    expect(s.rows("G_CALL_STAT", "ID").length).toBe(3);
    expect(s.doubts().filter((each) => each.includes("not recorded"))).toEqual([
      "G_CALL: end not seen, not recorded, 20–?",
      "G_CALL: end not seen, not recorded, 20–?",
    ]);
    if (rest[0] === "cfg") expect(s.world.count("call")).toBe(0);
  });
}

test("switched on again, a call that was followed meanwhile has a second record from where the first ended, and what began meanwhile one of its own", () => {
  const s = story(["gcc", "gud"]).events(
    [0, "EventRinging", on(1, { UserData: { k: "a" } })],
    [5, "EventEstablished", on(1)],
  );
  s.heartbeat(20).reload({ role: ["gud"], attachedData });
  s.events([25, "EventHeld", on(1)], [28, "EventRinging", on(2, { UserData: { k: "b" } })]);
  s.heartbeat(30).reload({ role: ["gcc", "gud"], attachedData });
  s.events([40, "EventRetrieved", on(1)], [50, "EventReleased", on(1)], [51, "EventReleased", on(2)]).heartbeat(100);
  expect(calls(s)).toEqual(["C1 0–20", "C1 20–50", "C2 28–51"]);
  expect(s.doubts()).toEqual([
    "G_CALL: end not seen, not recorded, 20–?",
    "G_CALL: earlier rows not kept, not recorded, 20–30",
    "G_CALL: earlier rows not kept, not recorded, 28–30",
  ]);
  // Nothing is counted twice, and nothing that was followed is lost.
  const stat = s.rows("G_PARTY_STAT", "ID").map((row) => [row.TT_ALERTING, row.TT_CONNECTED, row.TT_HOLD]);
  expect(stat).toEqual([
    [5, 15, 0],
    [0, 15, 15],
    [23, 0, 0],
  ]);
  const changes = s.rows("G_PARTY_HISTORY", "PHID").map(({ PARTYID, PSEQ }) => `${PARTYID}/${PSEQ}`);
  expect(new Set(changes).size).toBe(changes.length);
  // Attached data is a row a call at each time.
  expect(active(s)).toEqual([]);
});

test("without any role that follows calls, what is heard of after gcc is switched on began before, and is said to", () => {
  const s = story(["gcc"]).events([0, "EventRinging", on(1)]);
  s.heartbeat(20).reload({ role: ["cfg"], attachedData });
  s.events([25, "EventEstablished", on(1)]).reload({ role: ["gcc"], attachedData });
  s.events([40, "EventHeld", on(1)], [50, "EventReleased", on(1)]).heartbeat(100);
  expect(calls(s)).toEqual(["C1 0–20", "C1 40–50"]);
  expect(s.doubts()).toEqual([
    "G_CALL: end not seen, not recorded, 20–?",
    "G_PARTY: beginning not seen, not recorded, ?–40",
    "G_CALL: beginning not seen, not recorded, ?–40",
  ]);
});

test("a purge that is asked for in between leaves the same rows, whenever it is done", async () => {
  using directory = new TemporaryDirectory("role-change");
  const queue = directory.at("queue");
  const s = story(["gcc", "gls", "gud"]).events(
    [0, "EventRinging", on(1, { UserData: { k: "a" } })],
    [1, "EventQueued", on(1, { ThisDN: "VQ", ThisQueue: "VQ", PartyUUID: null, Extensions: { VQID: "V1" } })],
    [5, "EventEstablished", on(1)],
  );
  s.heartbeat(20)
    .wait(20)
    .reload({ role: ["gls", "gud"], attachedData });
  s.events(
    [25, "EventHeld", on(1, { UserData: { k: "b" } })],
    [28, "EventRinging", on(2, { UserData: { k: "c" } })],
    [29, "EventQueued", on(2, { ThisDN: "VQ", ThisQueue: "VQ", PartyUUID: null, Extensions: { VQID: "V2" } })],
  );
  s.heartbeat(90_000).wait(90_000).mark({ mark: "idb back" });
  purge(s, 80_000);
  const mark = BigInt(s.payloads.length);
  s.heartbeat(90_030).reload({ role: ["gcc", "gls", "gud"], attachedData });
  const back = BigInt(s.payloads.length);
  s.events(
    [90_040, "EventAttachedDataChanged", on(1, { UserData: { k: "d" } })],
    [90_050, "EventReleased", on(1)],
    [90_051, "EventReleased", on(2)],
  );
  s.heartbeat(90_100);
  await store(queue, s.payloads);
  const done = (name: string, purgedAt: bigint) => {
    const idb = directory.at(`${name}.db`);
    led({ queue, idb }, (opened, upTo, end) => {
      upTo(purgedAt);
      purgeAll(opened);
      upTo(end);
      purgeAll(opened);
    });
    return idb;
  };
  const early = done("early", mark);
  const dumps = [early, done("between", back), done("late", BigInt(s.payloads.length))].map(readWhole);
  const [first] = dumps;
  for (const each of dumps) if (first !== undefined) expect(differencesBetween(first, each)).toEqual([]);
  const again = directory.at("again.db");
  await rebuildInto({ queue, idb: again }, s);
  if (first !== undefined) expect(differencesBetween(first, readWhole(again))).toEqual([]);
  const rows = query<{ CALLID: string; ACCOUNT_ID: string }>(
    early,
    "SELECT CALLID, ACCOUNT_ID FROM G_CALL JOIN G_CALL_USERDATA USING (ID, CALLID) ORDER BY ID",
  );
  expect(rows).toEqual([
    { CALLID: "C1", ACCOUNT_ID: "d" },
    { CALLID: "C2", ACCOUNT_ID: "c" },
  ]);
  expect(query<{ n: number }>(early, "SELECT count(*) AS n FROM G_CALL_USERDATA")).toEqual([{ n: 2 }]);
});

test("attached data that changes after such a purge, with gcc still off, stays, whenever that is done", async () => {
  using directory = new TemporaryDirectory("role-change");
  const queue = directory.at("queue");
  const s = story(["gcc", "gud"]).events([0, "EventRinging", on(1, { UserData: { k: "a" } })]);
  s.heartbeat(5).reload({ role: ["gud"], attachedData });
  purge(s, 10);
  const mark = BigInt(s.payloads.length);
  await store(queue, s.events([20, "EventEstablished", on(1, { UserData: { k: "b" } })]).payloads);
  const rows = [mark, BigInt(s.payloads.length)].map((purgedAt, index) => {
    const idb = directory.at(`${index}.db`);
    led({ queue, idb }, (opened, upTo, end) => {
      upTo(purgedAt);
      purgeAll(opened);
      upTo(end);
      purgeAll(opened);
    });
    return query<{ ACCOUNT_ID: string }>(idb, "SELECT ACCOUNT_ID FROM G_CALL_USERDATA");
  });
  expect(rows).toEqual([[{ ACCOUNT_ID: "b" }], [{ ACCOUNT_ID: "b" }]]);
});

test("a call that is followed without rows is forgotten when no role follows calls any more", () => {
  const s = story(["gcc", "gud"]).events([0, "EventRinging", on(1, { UserData: { k: "a" } })]);
  s.heartbeat(5).reload({ role: ["gud"], attachedData });
  expect(s.world.count("call")).toBe(1);
  s.heartbeat(10).reload({ role: ["cfg"], attachedData });
  expect([s.world.count("call"), s.world.count("call data")]).toEqual([0, 0]);
  s.heartbeat(15).reload({ role: ["gcc", "gud"], attachedData });
  s.events([20, "EventEstablished", on(1)], [30, "EventReleased", on(1)]).heartbeat(60);
  // Its rows have ids of its own, behind a purge that was asked for in between.
  expect(calls(s)).toEqual(["C1 0–5", "C1 20–30"]);
});

const roleSets = [["gcc", "gls", "gud"], ["gls", "gud"], ["gcc"], ["cfg"], ["gud"], ["gcc", "gud"], ["gls"]] as const;
const happening = fc.record({
  id: fc.constantFrom(
    ...["EventRinging", "EventEstablished", "EventHeld", "EventReleased", "EventQueued", "EventDiverted"],
    ...[
      "EventAttachedDataChanged",
      "EventAgentLogin",
      "EventAgentReady",
      "EventAgentLogout",
      "roles",
      "roles",
      "purge",
    ],
  ),
  call: fc.integer({ min: 1, max: 3 }),
  roles: fc.nat(roleSets.length - 1),
  after: fc.nat(60),
});

test("whatever goes on while roles change, it makes no difference when purges are done", async () => {
  let purges = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 10, maxLength: 40 }),
      fc.integer({ min: 4, max: 12 }),
      async (happenings, step) => {
        using directory = new TemporaryDirectory("role-change");
        const queue = directory.at("queue");
        const s = story(roleSets[0]);
        const marks: bigint[] = [];
        let now = 0;
        for (const { id, call, roles, after } of happenings) {
          now += after;
          const agent = { ConnID: null, CallUUID: null, PartyUUID: null, AgentID: `A${call}`, ThisQueue: "8001" };
          const more = /Agent/.test(id) ? agent : {};
          if (id === "roles") s.reload({ role: roleSets[roles] ?? [], attachedData, callDeletionTimeoutSeconds: 5 });
          else if (id === "purge") {
            purge(s.heartbeat(now), Math.max(1, now - 10));
            marks.push(BigInt(s.payloads.length));
          } else s.events([now, id, on(call, { UserData: { k: String(now) }, ...more })]);
        }
        await store(queue, s.heartbeat(now + 10).payloads);
        const done = (name: string, places: readonly bigint[]) => {
          const idb = directory.at(`${name}.db`);
          led({ queue, idb }, (opened, upTo, end) => {
            for (const place of [...places, end]) {
              upTo(place);
              purgeAll(opened);
            }
          });
          return readWhole(idb);
        };
        const late = done("late", []);
        expect(differencesBetween(late, done("early", marks))).toEqual([]);
        const some = marks.map((mark) => mark + BigInt(step)).filter((place) => place < s.payloads.length);
        expect(differencesBetween(late, done("between", some))).toEqual([]);
        purges += marks.length;
      },
    ),
    { numRuns: 10 },
  );
  expect(purges).toBeGreaterThan(5);
}, 120_000);
