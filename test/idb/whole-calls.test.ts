// What ICON_V_CALL and its like say of single calls: outcomes of calls that go out, predictive calls, after-call work.

import { afterAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { defaultAgentOptions } from "../../src/event/envelope.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { Story } from "../harness/story.ts";
import { query, TemporaryDirectory } from "./temporary.ts";

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());

let places = 0;

/** The IDB of a story, whose source is heard a minute before its first call. */
async function stored(story: Story): Promise<string> {
  const place = `${directory.path}/${++places}`;
  mkdirSync(place);
  return storeCopy({ directory: place, payloads: story.payloads });
}

const story = (role: readonly string[] = ["gcc"]) =>
  new Story({
    ...{ role, callDeletionTimeoutSeconds: 1, agents: defaultAgentOptions },
    options: { delivered: "dialing", storesReleasingParty: true },
  }).events([1, "EventOnHook", { ThisDN: "5009", ConnID: undefined, CallUUID: undefined }]);

const out = (number: number) => {
  const dialed = `41555501${10 + number}`;
  return { ConnID: `0${number}`, CallUUID: `C${number}`, CallType: 3, ANI: "5001", DNIS: dialed, OtherDN: dialed };
};
const dialing = (number: number) => ({ ...out(number), ThisDN: "5001", ThisDNRole: 1, PartyUUID: `A${number}` });
const point = (number: number) => ({ ...out(number), ThisDN: "8001", ThisDNRole: 1, PartyUUID: `Q${number}` });
const rung = (number: number) => ({ ...dialing(number), ThisQueue: "8001" });

test.each([
  ["busy", 6],
  ["no answer", 7],
  ["answering machine", 9],
  ["fax", 17],
  ["not reached", 12],
  ["not answered", 0],
])("a call that goes out and comes to nothing says why: %s", async (outcome, CallState) => {
  const told = story().events(
    [60, "EventDialing", dialing(1)],
    [70, "EventReleased", { ...dialing(1), CallState }],
    [100, "EventDialing", point(2)],
    [109, "EventReleased", { ...point(2), CallState }],
  );
  const idb = await stored(told.heartbeat(300));
  const sql =
    "SELECT OUTCOME, QUEUES, FIRST_DN, ANSWERED, TALK_SECONDS, SECONDS, IS_COMPLETE FROM ICON_V_CALL ORDER BY CREATED";
  expect(query(idb, sql)).toEqual([
    [outcome, null, null, null, 0, 10, 1],
    [outcome, null, null, null, 0, 9, 1],
  ]);
  expect(query(idb, "SELECT * FROM ICON_V_QUEUE_STAY")).toEqual([]);
});

/** Dialed at 60 s, answered out there at 65, an agent is rung at 72 and talks from 75 to 105. */
const predictive = (of: Story) =>
  of.events(
    [60, "EventDialing", point(1)],
    [65, "EventQueued", point(1)],
    [72, "EventDiverted", point(1)],
    [72, "EventRinging", rung(1)],
    [75, "EventEstablished", rung(1)],
    [105, "EventReleased", rung(1)],
    [200, "EventDialing", point(2)],
    [206, "EventQueued", point(2)],
    [218, "EventAbandoned", { ...point(2), CallState: 21 }],
  );

test("a predictive call waits in its queue from its answer on, and whoever it reaches has been rung", async () => {
  const idb = await stored(predictive(story()).heartbeat(400));
  const stays = query(
    idb,
    "SELECT OUTCOME, ENTERED, QUEUE_SECONDS, ANSWER_SECONDS, ANSWERED_BY, HANDLE_SECONDS FROM ICON_V_QUEUE_STAY ORDER BY ENTERED",
  );
  expect(stays).toEqual([
    ["answered", "2026-11-23T08:01:05.000Z", 7, 10, "5001", 30],
    ["abandoned", "2026-11-23T08:03:26.000Z", 12, null, null, null],
  ]);
  const calls = query(
    idb,
    "SELECT OUTCOME, CALLTYPE, QUEUES, FIRST_DN, QUEUE_SECONDS, RING_SECONDS, TALK_SECONDS, AFTER_CALL_SECONDS FROM ICON_V_CALL ORDER BY CREATED",
  );
  expect(calls).toEqual([
    ["answered", "outbound", "8001", "5001", 7, 3, 30, null],
    ["abandoned", "outbound", "8001", null, 12, 0, 0, null],
  ]);
  // The queue is none of the DNs that take part in calls.
  const [dn] = query(idb, "SELECT count(*), count(DISTINCT DN), min(DN) FROM ICON_V_DN_15");
  expect(dn).toEqual([1, 1, "5001"]);
});

const desk = { ThisDN: "5001", AgentID: "A1", ConnID: undefined, CallUUID: undefined };
const work = (queue: string) => ({ ...desk, ThisQueue: queue, AgentWorkMode: "AgentAfterCallWork" });

test("after-call work is the call's that it follows, once for all queues; while it goes on it is not known", async () => {
  const told = predictive(
    story(["gcc", "gls"]).events(
      [50, "EventAgentLogin", { ...desk, ThisQueue: "8001" }],
      [50, "EventAgentLogin", { ...desk, ThisQueue: "8002" }],
      [51, "EventAgentReady", desk],
    ),
  ).events([300, "EventRinging", rung(3)], [302, "EventEstablished", rung(3)], [310, "EventReleased", rung(3)]);
  // Told of both queues, as a server does.
  const open = await stored(
    told.events([310, "EventAgentNotReady", work("8001")], [310, "EventAgentNotReady", work("8002")]).heartbeat(320),
  );
  const sql =
    "SELECT CALLID, AFTER_CALL_SECONDS, HANDLE_SECONDS FROM ICON_V_CALL WHERE CALLID IN ('C1', 'C3') ORDER BY CALLID";
  expect(query(open, sql)).toEqual([
    ["C1", 0, 30],
    ["C3", null, null],
  ]);
  told.events(
    [325.5, "EventAgentReady", { ...desk, ThisQueue: "8001" }],
    [326, "EventAgentReady", { ...desk, ThisQueue: "8002" }],
  );
  const over = await stored(told.heartbeat(500));
  expect(query(over, sql)).toEqual([
    ["C1", 0, 30],
    ["C3", 16, 24],
  ]);
  expect(query(over, "SELECT TT_ACW FROM G_PARTY_STAT").flat()).toEqual([null, null, null, null]);
});

test("what released a call is said, also of somebody outside; of a call that goes on nothing is counted", async () => {
  const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
  const agent = { ...caller, ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const told = story().events(
    [60, "EventRinging", agent],
    [63, "EventEstablished", agent],
    [90, "EventReleased", agent],
    [90, "EventCallDeleted", { ...caller, CtrlParty: "4155550100" }],
    [100, "EventRinging", { ...agent, ConnID: "09", CallUUID: "C9", PartyUUID: "A9" }],
    [104, "EventEstablished", { ...agent, ConnID: "09", CallUUID: "C9", PartyUUID: "A9" }],
  );
  const idb = await stored(told.heartbeat(300));
  const sql =
    "SELECT OUTCOME, RELEASED_BY, TALK_SECONDS, INCOMPLETE_BECAUSE, FIRST_DN FROM ICON_V_CALL ORDER BY CREATED";
  expect(query(idb, sql)).toEqual([
    ["answered", "4155550100", 27, null, "5001"],
    ["goes on", null, null, "goes on", "5001"],
  ]);
  expect(query(idb, "SELECT TALKING, RINGING_AT FROM ICON_V_OPEN_CALL")).toEqual([["5001", null]]);
});
