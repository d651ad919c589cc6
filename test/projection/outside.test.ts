import { expect, test } from "bun:test";
import { agentStates, mergeTypes } from "../../schema/dictionary.ts";
import type { ProjectionOptions } from "../../src/event/envelope.ts";
import { Story } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2, OtherDN: "4155550100" };
const queue = { ...caller, ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" };
const anna = { ...caller, ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1", ThisQueue: "8001" };
const number = "4155550111";
const out = { ANI: "5001", DNIS: number, CallType: 3, OtherDN: number };
const annaOut = { ...out, ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A1" };
const consult = { ConnID: "02", CallUUID: "C2", CallType: 4, PreviousConnID: "01", ANI: "5001" };
const asking = { ...consult, ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A2" };

const rebuilt: Partial<ProjectionOptions> = { delivered: "dialing" };
const story = (options: Partial<ProjectionOptions> = rebuilt) => new Story({ options });

/** "DN (type, role, CALLID)". */
const outside = (of: Story) =>
  of
    .rows("G_PARTY", "ID")
    .filter(({ TYPE }) => TYPE === 2)
    .map(({ ENDPOINTDN, PROLE, CALLID }) => `${ENDPOINTDN}, role ${PROLE}, ${CALLID}`);

const callerWaitsAndTalks = (of: Story) =>
  of.events(
    [0, "EventQueued", queue],
    [4, "EventDiverted", queue],
    [4, "EventRinging", anna],
    [7, "EventEstablished", anna],
    [20, "EventHeld", anna],
    [25, "EventRetrieved", anna],
    [60, "EventReleased", anna],
  );

test("whoever calls in is a party outside: he dials until somebody answers, and goes with the call", () => {
  const told = callerWaitsAndTalks(story()).heartbeat(100);
  expect(outside(told)).toEqual(["4155550100, role 1, C1"]);
  told.expectParties(
    "8001: queued 0 | 4",
    "4155550100: dialing 0, connected 7 | 60",
    "5001: alerting 4, connected 7, hold 20, connected 25 | 60",
  );
  expect(told.rows("G_PARTY", "ID")[1]).toMatchObject({ TYPE: 2, STATE: 1, PREVSTATE: 3, CCEVENT: 65 });
  // Every change has its number, and the last is the end of whoever is outside.
  const sequence = told.rows("G_PARTY_HISTORY", "PHID").map(({ CSEQ }) => CSEQ);
  expect(sequence).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(told.rows("G_PARTY_STAT", "ID")).toHaveLength(2);
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ F_CONN: 1, F_CONN_EXTN: 1, CNT_HOLD: 1, CNT_DIVERT: 1 }]);
});

test("his key comes from the call alone: whoever hears of the call later has the same", () => {
  const [all, late] = [callerWaitsAndTalks(story()), story().events([7, "EventEstablished", anna])];
  const keys = (of: Story) => of.rows("G_PARTY", "ID").filter(({ TYPE }) => TYPE === 2);
  expect(keys(late)[0]?.PARTYID).toBe(keys(all)[0]?.PARTYID ?? "");
  expect(keys(late)[0]?.PARTYGUID).toBe(keys(all)[0]?.PARTYGUID ?? "");
  const doubts = late.rows("ICON_ROW_QUALITY", "ID").filter(({ ROW_KEY }) => ROW_KEY === keys(late)[0]?.PARTYID);
  expect(doubts).toMatchObject([{ REASON: "beginning not seen" }]);
});

test("where nobody outside is asked for, and in marks of versions that did not know of them, there is none", () => {
  expect(outside(callerWaitsAndTalks(story({})))).toEqual([]);
  const filtered = callerWaitsAndTalks(story({ ...rebuilt, leavesOut: ["external-party"] })).heartbeat(100);
  expect(outside(filtered)).toEqual([]);
  expect(filtered.rows("G_PARTY_HISTORY", "PHID").map(({ CSEQ }) => CSEQ)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(filtered.rows("G_CALL", "ID")[0]?.TERMINATED).not.toBeNull();
});

test.each([
  ["dialing", `${number}: alerting 0, connected 9 | 30`],
  ["network reached", `${number}: alerting 3, connected 9 | 30`],
  ["established", `${number}: connected 9 | 30`],
] as const)("whom a call goes out to alerts from delivered-flag's event on: %s", (delivered, line) => {
  const told = story({ delivered }).events(
    [0, "EventDialing", annaOut],
    [3, "EventNetworkReached", annaOut],
    [9, "EventEstablished", annaOut],
    [30, "EventReleased", annaOut],
  );
  told.heartbeat(100);
  told.expectParties("5001: dialing 0, connected 9 | 30", line);
  expect(outside(told)).toEqual([`${number}, role 2, C1`]);
});

test("a call that is not answered leaves whoever was called alerting until its end", () => {
  const told = story().events([0, "EventDialing", annaOut], [8, "EventReleased", { ...annaOut, CallState: 7 }]);
  told.heartbeat(100).expectParties("5001: dialing 0 | 8", `${number}: alerting 0 | 8`);
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ F_CONN: 0 }]);
});

test("with call monitoring whoever is outside stays until the call is deleted", () => {
  const told = story().events(
    [0, "EventCallCreated", caller],
    [0, "EventRinging", anna],
    [2, "EventEstablished", anna],
    [9, "EventReleased", { ...anna, CallState: 1 }],
    [50, "EventCallDeleted", { ...caller, CtrlParty: "4155550100" }],
  );
  told.heartbeat(100).expectParties("5001: alerting 0, connected 2 | 9", "4155550100: dialing 0, connected 2 | 50");
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ CNT_TRANSFER: 1 }]);
});

test("who released the call may be outside", () => {
  const events = (of: Story) =>
    of
      .events([0, "EventRinging", anna], [2, "EventEstablished", anna], [9, "EventReleased", anna])
      .events([9, "EventCallDeleted", { ...caller, CtrlParty: "4155550100" }])
      .heartbeat(100);
  const told = events(story({ ...rebuilt, storesReleasingParty: true }));
  const [row] = told.rows("G_PARTY", "ID").filter(({ TYPE }) => TYPE === 2);
  expect(told.rows("G_CALL_STAT", "ID")[0]).toMatchObject({ GSYS_EXT_VCH1: "4155550100", GSYS_EXT_VCH2: row?.PARTYID });
  const filtered = events(story({ ...rebuilt, storesReleasingParty: true, leavesOut: ["external-party"] }));
  expect(filtered.rows("G_CALL_STAT", "ID")[0]).toMatchObject({ GSYS_EXT_VCH1: "4155550100", GSYS_EXT_VCH2: null });
});

// ---- consultations

const consulted = (of: Story) =>
  of.events(
    [0, "EventRinging", anna],
    [3, "EventEstablished", anna],
    [10, "EventHeld", anna],
    [10, "EventDialing", { ...asking, OtherDN: number }],
    [14, "EventEstablished", { ...asking, OtherDN: number }],
  );

test("who is consulted outside is there once he answers, and is transferred into the caller's call", () => {
  const told = consulted(story()).events(
    [30, "EventReleased", { ...asking, OtherDN: number, CallState: 1 }],
    [30, "EventReleased", { ...anna, CallState: 1 }],
  );
  told
    .heartbeat(100)
    .expectParties(
      "5001: alerting 0, connected 3, hold 10 | 30",
      "4155550100: dialing 0, connected 3 | 30",
      "5001: dialing 10, connected 14 | 30",
      `${number}: connected 14 | 30`,
      `${number}: connected 30 | 30`,
    );
  expect(outside(told)).toEqual(["4155550100, role 1, C1", `${number}, role 2, C2`, `${number}, role 2, C1`]);
  const [, there, here] = told.rows("G_PARTY", "ID").filter(({ TYPE }) => TYPE === 2);
  expect(here).toMatchObject({ PARTYGUID: there?.PARTYGUID, PARENTPARTYID: there?.PARTYID, PARENTLINKTYPE: 1 });
  const calls = new Map(told.rows("G_CALL", "ID").map((row) => [row.CALLID, row]));
  expect(calls.get("C2")).toMatchObject({ MERGECALLID: "C1", MERGETYPE: mergeTypes.transferred });
  const counts = new Map(told.rows("G_CALL_STAT", "ID").map((row) => [row.CALLID, row.CNT_TRANSFER]));
  expect([counts.get("C1"), counts.get("C2")]).toEqual([1, 0]);
});

test("a consultation inside makes nobody outside, whichever answer is told first", () => {
  const asked = { ...consult, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", OtherDN: "5001" };
  const told = story().events(
    [0, "EventRinging", anna],
    [3, "EventEstablished", anna],
    [10, "EventDialing", { ...asking, OtherDN: "5002" }],
    [10, "EventRinging", asked],
    [14, "EventEstablished", { ...asking, OtherDN: "5002" }],
    [14, "EventEstablished", asked],
  );
  expect(outside(told)).toEqual(["4155550100, role 1, C1"]);
});

test("what was dialed to consult somebody inside need not be his DN", () => {
  const dialed = { ...asking, OtherDN: "95002" };
  const asked = { ...consult, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", OtherDN: "5001" };
  const told = story().events(
    [10, "EventDialing", dialed],
    [10, "EventRinging", asked],
    [14, "EventEstablished", dialed],
    [14, "EventEstablished", asked],
    [20, "EventHeld", dialed],
  );
  expect(outside(told)).toEqual([]);
});

test("an internal call makes nobody outside", () => {
  const told = story().events(
    [0, "EventDialing", { ThisDN: "5001", ThisDNRole: 1, CallType: 1, OtherDN: "5002", DNIS: "5002" }],
    [2, "EventEstablished", { ThisDN: "5001", ThisDNRole: 1, CallType: 1, OtherDN: "5002" }],
  );
  expect(outside(told)).toEqual([]);
});

// ---- conferences

test("a member outside comes with the conference and leaves it when the others are told", () => {
  const told = consulted(story()).events(
    [30, "EventReleased", { ...asking, OtherDN: number, CallState: 2 }],
    [30, "EventRetrieved", anna],
    [30, "EventPartyAdded", { ...anna, OtherDN: number, ThirdPartyDN: "5001", ThirdPartyDNRole: 9, CallState: 2 }],
    [50, "EventPartyDeleted", { ...anna, OtherDN: number, CallState: 0 }],
    [60, "EventReleased", anna],
  );
  told
    .heartbeat(100)
    .expectParties(
      "5001: alerting 0, connected 3, hold 10, connected 30 | 60",
      "4155550100: dialing 0, connected 3 | 60",
      "5001: dialing 10, connected 14 | 30",
      `${number}: connected 14 | 30`,
      `${number}: connected 30 | 50`,
    );
  expect(told.rows("G_PARTY", "ID").at(-1)).toMatchObject({ PARENTLINKTYPE: 2, CCEVENT: 70, CALLID: "C1" });
  const counts = new Map(told.rows("G_CALL_STAT", "ID").map((row) => [row.CALLID, row.CNT_CONFERENCE]));
  expect([counts.get("C1"), counts.get("C2")]).toEqual([1, 0]);
});

test("a member outside who comes in one step is there when the others are told, each of them", () => {
  const added = { OtherDN: number, ThirdPartyDN: "5001", ThirdPartyDNRole: 5, CallState: 2 };
  const told = story().events(
    [0, "EventRinging", anna],
    [3, "EventEstablished", anna],
    [20, "EventRinging", { ...anna, ThisDN: "5002", PartyUUID: "B1", ThirdPartyDN: "5001", ThirdPartyDNRole: 5 }],
    [22, "EventEstablished", { ...anna, ThisDN: "5002", PartyUUID: "B1" }],
    [22, "EventPartyAdded", { ...anna, OtherDN: "5002", ThirdPartyDN: "5001", CallState: 2 }],
    [30, "EventPartyAdded", { ...anna, ...added }],
    [30, "EventPartyAdded", { ...anna, ThisDN: "5002", PartyUUID: "B1", ...added }],
  );
  told.expectParties(
    "5001: alerting 0, connected 3 | …",
    "4155550100: dialing 0, connected 3 | …",
    "5002: alerting 20, connected 22 | …",
    `${number}: connected 30 | …`,
  );
  const [, , second, third] = told.rows("G_PARTY", "ID");
  const [first] = told.rows("G_PARTY", "ID");
  expect(second).toMatchObject({ TYPE: 1, PARENTPARTYID: first?.PARTYID, PARENTLINKTYPE: 2 });
  expect(third).toMatchObject({ TYPE: 2, PARENTPARTYID: first?.PARTYID, PARENTLINKTYPE: 2, CCEVENT: 69 });
});

const oneStep = (of: Story) =>
  of
    .events(
      [0, "EventRinging", anna],
      [3, "EventEstablished", anna],
      [20, "EventRinging", { ...caller, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" }],
      [22, "EventEstablished", { ...caller, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" }],
      [22, "EventPartyAdded", { ...anna, OtherDN: "5002", ThirdPartyDN: "5001", CallState: 2 }],
      [40, "EventReleased", { ...anna, ThisDN: "5002", PartyUUID: "B1" }],
      [50, "EventReleased", anna],
    )
    .heartbeat(100);

test("ssc-processing: who came to a conference in one step descends from whoever brought him, also if only others tell", () => {
  const told = oneStep(story({ linksSingleStepConferences: true }));
  const [first, second] = told.rows("G_PARTY", "ID");
  expect(second).toMatchObject({ PARENTPARTYID: first?.PARTYID, PARENTLINKTYPE: 2 });
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ CNT_CONFERENCE: 1 }]);
  const without = oneStep(story({}));
  expect(without.rows("G_PARTY", "ID")[1]).toMatchObject({ PARENTPARTYID: null });
  expect(without.rows("G_CALL_STAT", "ID")).toMatchObject([{ CNT_CONFERENCE: 0 }]);
});

// ---- transfers in one step, redirects

test("who an internal call is transferred to outside is named at the one who stays", () => {
  const inside = { CallType: 1, ANI: "5002", DNIS: "5001" };
  const bert = { ...inside, ThisDN: "5002", ThisDNRole: 1, PartyUUID: "B1", OtherDN: "5001" };
  const called = { ...inside, ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1", OtherDN: "5002" };
  const told = story().events(
    [0, "EventDialing", bert],
    [0, "EventRinging", called],
    [3, "EventEstablished", called],
    [3, "EventEstablished", bert],
    [20, "EventReleased", { ...called, CallState: 1 }],
    [20, "EventPartyChanged", { ...bert, OtherDN: number, ThirdPartyDN: "5001", ThirdPartyDNRole: 7, CallState: 1 }],
    [50, "EventReleased", bert],
  );
  told
    .heartbeat(100)
    .expectParties(
      "5002: dialing 0, connected 3 | 50",
      "5001: alerting 0, connected 3 | 20",
      `${number}: connected 20 | 50`,
    );
  const [, anna, third] = told.rows("G_PARTY", "ID");
  expect(third).toMatchObject({ TYPE: 2, PARENTPARTYID: anna?.PARTYID, PARENTLINKTYPE: 1 });
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ CNT_TRANSFER: 1 }]);
});

test.each([
  ["redirected", 22],
  ["forwarded", 23],
])("who is rung instead because the call was %s descends from the same queue", (_, CallState) => {
  const { ThisQueue: _none, ...second } = { ...anna, ThisDN: "5002", PartyUUID: "B1" };
  const told = story({}).events(
    [0, "EventQueued", queue],
    [4, "EventDiverted", queue],
    [4, "EventRinging", anna],
    [12, "EventReleased", { ...anna, CallState }],
    [12, "EventRinging", second],
    [15, "EventEstablished", second],
  );
  const [queued, first, instead] = told.rows("G_PARTY", "ID");
  expect(first).toMatchObject({ PARENTPARTYID: queued?.PARTYID, PARENTLINKTYPE: 4 });
  expect(instead).toMatchObject({ ENDPOINTDN: "5002", PARENTPARTYID: queued?.PARTYID, PARENTLINKTYPE: 4 });
});

// ---- calls made for agents who are not there yet

const point = { ...out, ThisDN: "9001", ThisDNRole: 1, PartyUUID: "Q1", ThisQueue: "9001" };
const agent = { ...out, ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A1", ThisQueue: "9001" };

test("a predictive call is dialed from its queue, waits there once it is answered, and goes to an agent", () => {
  const told = story().events(
    [0, "EventDialing", point],
    [2, "EventNetworkReached", point],
    [9, "EventQueued", point],
    [12, "EventDiverted", point],
    [12, "EventRinging", agent],
    [14, "EventEstablished", agent],
    [40, "EventReleased", agent],
  );
  told
    .heartbeat(100)
    .expectParties(
      "9001: dialing 0, queued 9 | 12",
      `${number}: alerting 0, connected 9 | 40`,
      "5001: alerting 12, connected 14 | 40",
    );
  const [queued, , answered] = told.rows("G_PARTY", "ID");
  expect(answered).toMatchObject({ PARENTPARTYID: queued?.PARTYID, PARENTLINKTYPE: 4, PROLE: 1 });
  expect(told.rows("G_CALL", "ID")).toMatchObject([{ CALLTYPE: 3 }]);
  expect(told.rows("G_PARTY_STAT", "ID")[0]).toMatchObject({ TT_DIALING: 9, TT_QUEUED: 3 });
});

test.each([
  ["busy", 6],
  ["no answer", 7],
  ["answering machine", 9],
  ["fax", 17],
])("a predictive call that comes to nothing says why: %s", (_, CallState) => {
  const told = story().events([0, "EventDialing", point], [6, "EventReleased", { ...point, CallState }]);
  told.heartbeat(100).expectParties("9001: dialing 0 | 6", `${number}: alerting 0 | 6`);
  for (const row of told.rows("G_PARTY", "ID")) expect(row).toMatchObject({ CCEVENT: 65, CCEVENTCAUSE: CallState });
  expect(told.rows("G_CALL_STAT", "ID")).toMatchObject([{ F_CONN: 0, F_TE_ABND: 0 }]);
});

// ---- what is not seen

test("a snapshot names nobody outside: who is there stays, and who was not known is found with the others", () => {
  const told = story().events([0, "EventRinging", anna], [3, "EventEstablished", anna]);
  told.close("connection lost").open().snapshot(10, [3, "EventEstablished", anna]);
  told.expectParties("5001: alerting 0, connected 3 | …", "4155550100: dialing 0, connected 3 | …");
  const found = story().snapshot(10, [3, "EventEstablished", anna]);
  found.expectParties("5001: connected 3 | …", "4155550100: connected 3 | …");
  found.close("connection lost").open().snapshot(20);
  expect(found.rows("G_PARTY", "ID").every(({ TERMINATED }) => TERMINATED !== null)).toBe(true);
});

test("of a consultation in a snapshot all lines say together who is inside", () => {
  const asked = { ...consult, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", OtherDN: "5001" };
  const lines = [
    [14, "EventEstablished", { ...asking, OtherDN: "5002" }],
    [14, "EventEstablished", asked],
  ] as const;
  expect(outside(story().snapshot(10, ...lines))).toEqual([]);
  expect(outside(story().snapshot(10, lines[0]))).toEqual(["5002, role 2, C2"]);
});

test("a DN that was taken to be outside and has an event of its own is inside", () => {
  const asked = { ...consult, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", OtherDN: "5001" };
  const told = story().events(
    [10, "EventDialing", { ...asking, OtherDN: "5002" }],
    [14, "EventEstablished", { ...asking, OtherDN: "5002" }],
    [20, "EventHeld", asked],
  );
  told.expectParties("5001: dialing 10, connected 14 | …", "5002: connected 14 | 20", "5002: hold 20 | …");
  expect(told.rows("ICON_ROW_QUALITY", "ID").map(({ REASON }) => REASON)).toContain("change not seen");
});

test("a caller's number may be that of a DN, which stays one of its own", () => {
  const same = { ...anna, ANI: "5001", OtherDN: "5001" };
  const told = new Story({ role: ["gcc", "gls"], options: rebuilt }).events(
    [0, "EventAgentLogin", { ThisDN: "5001", AgentID: "A1", ConnID: undefined, CallUUID: undefined }],
    [5, "EventRinging", { ...same, ThisDN: "5002", PartyUUID: "B1" }],
    [7, "EventEstablished", { ...same, ThisDN: "5002", PartyUUID: "B1" }],
    [9, "EventRinging", same],
  );
  told.expectParties("5002: alerting 5, connected 7 | …", "5001: dialing 5, connected 7 | …", "5001: alerting 9 | …");
  // Nobody is busy at it by that.
  expect(told.rows("G_AGENT_STATE_HISTORY", "ID").filter(({ STATE }) => STATE === agentStates.busy)).toEqual([]);
});
