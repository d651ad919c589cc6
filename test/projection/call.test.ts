import { expect, test } from "bun:test";
import { at, Story } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
const queue = { ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" };
const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };

test("a queued, answered, held and released call is one call, two parties and every state in order", () => {
  const story = new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [4, "EventDiverted", queue],
    [4, "EventRinging", agent],
    [7, "EventEstablished", agent],
    [20, "EventHeld", agent],
    [25, "EventRetrieved", agent],
    [60, "EventReleased", { ...agent, CallState: 0 }],
  );
  story.expectParties("8001: queued 0 | 4", "5001: alerting 4, connected 7, hold 20, connected 25 | 60");
  const [call] = story.rows("G_CALL", "ID");
  expect(call).toMatchObject({
    CALLID: "C1",
    CALLTYPE: 2,
    CALLANI: "4155550100",
    CALLDNIS: "0800123456",
    CREATED: at(0),
    TERMINATED: null,
  });
  expect(story.doubts()).toEqual([]);
});

test("the ending is written when call-deletion-timeout has passed in source time, with the last party's time", () => {
  const story = new Story({ callDeletionTimeoutSeconds: 30 }).events(
    [0, "EventRinging", { ...caller, ...agent }],
    [10, "EventReleased", agent],
  );
  story.heartbeat(39.9);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBeNull();
  expect(story.world.erased).toEqual([]);
  story.heartbeat(40);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBe(at(10));
  expect(story.rows("G_IR", "ID")[0]?.STATE).toBe(2);
  expect(story.world.erased.map(({ table }) => table)).toEqual(["G_CALL_ACTIVE", "G_IR_ACTIVE"]);
  expect(story.rows("G_CALL_HISTORY", "CHID").map(({ CSEQ, CHANGETYPE, ADDED }) => [CSEQ, CHANGETYPE, ADDED])).toEqual([
    [1, 1, at(0)],
    [2, 2, at(10)],
  ]);
});

test("a party that comes within call-deletion-timeout goes on with the same call", () => {
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...agent }],
    [10, "EventReleased", agent],
    [12, "EventQueued", { ...queue, PartyUUID: "Q2" }],
  );
  story.heartbeat(100);
  expect(story.rows("G_CALL", "ID").length).toBe(1);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBeNull();
});

test("with call monitoring the call begins and ends when the server says so, and parties left over end with it", () => {
  const story = new Story({ callDeletionTimeoutSeconds: 0 }).events(
    [0, "EventCallCreated", caller],
    [1, "EventRinging", agent],
    [5, "EventReleased", agent],
    [8, "EventDialing", { ...agent, PartyUUID: "A2" }],
    [9, "EventCallDeleted", {}],
  );
  story.expectParties("5001: alerting 1 | 5", "5001: dialing 8 | 9");
  expect(story.rows("G_CALL", "ID")[0]).toMatchObject({ CREATED: at(0), TERMINATED: at(9) });
});

test("several queues in a row, no answer and abandonment each end their own stay", () => {
  const story = new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [5, "EventDiverted", queue],
    [5, "EventQueued", { ThisDN: "8002", ThisDNRole: 2, PartyUUID: "Q2" }],
    [9, "EventDiverted", { ThisDN: "8002", PartyUUID: "Q2" }],
    [9, "EventRinging", agent],
    [21, "EventReleased", { ...agent, CallState: "NoAnswer" }],
    [21, "EventQueued", { ThisDN: "8002", ThisDNRole: 2, PartyUUID: "Q3" }],
    [30, "EventAbandoned", { ThisDN: "8002", PartyUUID: "Q3", CallState: 21 }],
  );
  story.expectParties("8001: queued 0 | 5", "8002: queued 5 | 9", "5001: alerting 9 | 21", "8002: queued 21 | 30");
  expect(story.rows("G_PARTY", "ID").map(({ CCEVENT, CCEVENTCAUSE }) => [CCEVENT, CCEVENTCAUSE])).toEqual([
    [58, null],
    [58, null],
    [65, 7],
    [59, 21],
  ]);
});

test("without party identifiers a stay is known by call and DN, and a second stay of the DN is another party", () => {
  const { PartyUUID: _, ...agentOnly } = agent;
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...agentOnly }],
    [3, "EventReleased", agentOnly],
    [4, "EventRinging", agentOnly],
    [6, "EventEstablished", agentOnly],
  );
  story.expectParties("5001: alerting 0 | 3", "5001: alerting 4, connected 6 | …");
  const [first, second] = story.rows("G_PARTY", "ID");
  expect(first?.PARTYGUID).not.toBe(second?.PARTYGUID ?? "");
  expect(first?.PARTYGUID).toMatch(/^[0-9a-f]{32}$/);
});

test("what is said twice changes nothing, and an ending of a party that is not there is counted and left out", () => {
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...agent }],
    [0, "EventRinging", agent],
    [2, "EventEstablished", agent],
    [2, "EventEstablished", agent],
    [3, "EventReleased", { ...agent, PartyUUID: "nobody" }],
  );
  story.expectParties("5001: alerting 0, connected 2 | …");
  expect(story.rows("ICON_COUNTER", "NAME")).toEqual([
    { SOURCE: "north", NAME: "ending of an unknown party", VALUE: 1 },
  ]);
});

test("party history counts the changes of the party and of the call", () => {
  const story = new Story().events(
    [0, "EventDialing", { ...caller, ThisDN: "5000", PartyUUID: "A0" }],
    [0, "EventRinging", agent],
    [2, "EventEstablished", agent],
    [2, "EventEstablished", { ThisDN: "5000", PartyUUID: "A0" }],
    [9, "EventReleased", agent],
  );
  expect(
    story.rows("G_PARTY_HISTORY", "PHID").map((row) => [row.PSEQ, row.CSEQ, row.CHANGETYPE, row.PREVSTATE, row.STATE]),
  ).toEqual([
    [1, 1, 1, null, 6],
    [1, 2, 1, null, 2],
    [2, 3, 3, 2, 3],
    [2, 4, 3, 6, 3],
    [3, 5, 2, 3, 1],
  ]);
});

test("a stay in a virtual queue is not a party", () => {
  const story = new Story().events([0, "EventQueued", { ...caller, ThisDN: "VQ_Gold", Extensions: { VQID: "1" } }]);
  story.expectParties();
});

test.each(["constructor", "__proto__", "toString"])(
  "a party that its source names %s is a party like any other",
  (name) => {
    const odd = { ...agent, PartyUUID: name };
    const story = new Story().events(
      [0, "EventQueued", { ...caller, ...queue }],
      [3, "EventReleased", { ...odd, ThisDN: "5009" }],
      [4, "EventRinging", odd],
      [7, "EventEstablished", odd],
      [9, "EventReleased", odd],
    );
    story.expectParties("8001: queued 0 | …", "5001: alerting 4, connected 7 | 9");
    expect(story.rows("ICON_COUNTER", "NAME")).toEqual([
      { SOURCE: "north", NAME: "ending of an unknown party", VALUE: 1 },
    ]);
  },
);

test("a party that begins after EventCallDeleted belongs to the call, which then ends with it", () => {
  const late = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const story = new Story().events(
    [0, "EventCallCreated", {}],
    [0, "EventQueued", { ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" }],
    [5, "EventCallDeleted", {}],
    [6, "EventRinging", late],
    [8, "EventReleased", late],
  );
  expect(story.heartbeat(37).rows("G_CALL", "ID")).toMatchObject([{ TERMINATED: null }]);
  expect(story.heartbeat(38).rows("G_CALL", "ID")).toMatchObject([{ TERMINATED: at(8) }]);
  story.expectParties("8001: queued 0 | 5", "5001: alerting 6 | 8");
});

test("a caller with the number of a DN is not taken for the party that stood there before", () => {
  const first = { ...agent, CallType: 2, ANI: "5001" };
  const story = new Story({ options: { delivered: "dialing" } }).events(
    [0, "EventQueued", first],
    [5, "EventCallDeleted", {}],
    [6, "EventQueued", first],
  );
  const ids = story.rows("G_PARTY", "ID").map(({ PARTYID }) => PARTYID);
  expect(new Set(ids).size).toBe(3);
});

test("whoever is held or retrieved has answered, also where that was missed, and the row says that nobody saw it", () => {
  const other = { ...agent, ThisDN: "5002", PartyUUID: "B1" };
  const story = new Story().events([0, "EventRinging", agent], [0, "EventRinging", other]).skip(2);
  story.events([20, "EventHeld", agent], [25, "EventRetrieved", other], [30, "EventRetrieved", agent]);
  story.events([60, "EventReleased", agent], [60, "EventReleased", other]);
  story.expectParties("5001: alerting 0, hold 20, connected 30 | 60", "5002: alerting 0, connected 25 | 60");
  expect(story.doubts()).toEqual([
    "G_PARTY: change not seen, link down, 0–20",
    "G_PARTY: change not seen, link down, 0–25",
  ]);
});

test("a party that the source names later than it began is the same stay, live and in a snapshot", () => {
  const { PartyUUID: _name, ...nobody } = agent;
  const story = new Story().events([0, "EventRinging", nobody], [4, "EventEstablished", agent]);
  story.close("connection lost").open().snapshot(2, [4, "EventEstablished", agent]);
  story.events([60, "EventReleased", agent]).heartbeat(120);
  story.expectParties("5001: alerting 0, connected 4 | 60");
  expect(story.rows("G_CALL", "ID")).toMatchObject([{ CREATED: at(0), TERMINATED: at(60) }]);
  expect(story.doubts()).toEqual([]);
});
