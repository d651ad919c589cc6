import { expect, test } from "bun:test";
import { routeResults } from "../../schema/dictionary.ts";
import { at, Story } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
const point = { ThisDN: "9001", ThisDNRole: 2, PartyUUID: "R1", ThisQueue: "9001" };
const anna = { ThisDN: "6001", ThisDNRole: 2, PartyUUID: "A1", ThisQueue: "9001" };
const sales = { ThisDN: "VQ_Sales", ThisQueue: "VQ_Sales", Extensions: { VQID: "N6NKOJ01" } };
const gold = { ThisDN: "VQ_Gold", ThisQueue: "VQ_Gold", Extensions: { VQID: "N6NKOJ02" } };
// As a recorded log of a T-Lib client has it.
const decision = {
  RVQID: "N6NKOJ01",
  RTargetTypeSelected: "2",
  RTargetRuleSelected: "",
  RTargetObjectSelected: "?:Skill1 > 1",
  RTargetAgentSelected: "agent01",
  RTargetPlaceSelected: "Place_6001",
  RStrategyName: "VQDemo",
};

const asked = (options = {}) =>
  new Story({ options }).events(
    [0, "EventQueued", { ...caller, ...point }],
    [0, "EventRouteRequest", point],
    [1, "EventQueued", sales],
    [2, "EventQueued", gold],
  );
const attached = (seconds: number, UserData: unknown) =>
  [seconds, "EventAttachedDataChanged", { ...point, ThirdPartyDN: "9001", UserData }] as const;

const resultsOf = (story: Story) => story.rows("G_ROUTE_RESULT", "ID");
/** Each wait as "DN: from – to". */
const waitsOf = (story: Story) =>
  story.rows("G_ROUTE_RES_VQ_HIST", "ID").map((row) => `${row.ENDPOINTDN}: ${row.CREATED} – ${row.TERMINATED}`);

test("a call that is sent on has the decision, and the virtual queues in which it had waited", () => {
  const story = asked().events(
    attached(6, { CustomerSegment: "gold", ...decision }),
    [6, "EventRouteUsed", { ...point, ThirdPartyDN: "6001" }],
    [6, "EventDiverted", gold],
  );
  expect(resultsOf(story)).toEqual([]);
  story.events([6, "EventDiverted", point], [6, "EventRinging", anna], [7, "EventDiverted", sales]);
  const [routed] = story.rows("G_PARTY", "ID");
  expect(resultsOf(story)).toMatchObject([
    {
      CALLID: "C1",
      CONNID: "01",
      PARTYID: routed?.PARTYID as string,
      IRID: story.rows("G_CALL", "ID")[0]?.IRID as string,
      ENDPOINTDN: "9001",
      RTARGETRULESELECTED: "",
      RTARGETOBJECTSELECTED: "?:Skill1 > 1",
      RTARGETTYPESELECTED: 2,
      RTARGETAGENTSELECTED: "agent01",
      RTARGETPLACESELECTED: "Place_6001",
      RSTRATEGYNAME: "VQDemo",
      RESULT: routeResults.routed,
      CREATED: at(6),
    },
  ]);
  expect(waitsOf(story)).toEqual([`VQ_Gold: ${at(2)} – ${at(6)}`, `VQ_Sales: ${at(1)} – ${at(7)}`]);
  for (const row of story.rows("G_ROUTE_RES_VQ_HIST", "ID")) expect(row.PARTYID).toBe(routed?.PARTYID ?? "");
});

test("the decision is read from a list of pairs too, and from the events by which the call leaves", () => {
  const list = Object.entries(decision).map(([key, value]) => ({ key, type: "str", value }));
  for (const id of ["EventRouteUsed", "EventDiverted"]) {
    const story = asked().events([6, id, { ...point, UserData: list }], [6, "EventDiverted", point]);
    expect(resultsOf(story)).toMatchObject([{ RTARGETAGENTSELECTED: "agent01", RTARGETTYPESELECTED: 2 }]);
  }
});

test("what an earlier routing has attached is not taken for the decision of the next", () => {
  const again = { ...point, PartyUUID: "R2", ThisDN: "9002" };
  const first = () => asked().events(attached(6, decision), [6, "EventRouteUsed", point], [6, "EventDiverted", point]);
  const asking = [9, "EventRouteRequest", { ...again, UserData: decision }] as const;
  const leaving = [
    [12, "EventRouteUsed", again],
    [12, "EventDiverted", { ...again, UserData: decision }],
  ] as const;
  const byDefault = first().events([8, "EventQueued", again], asking, ...leaving);
  expect(resultsOf(byDefault)[1]).toMatchObject({ RTARGETAGENTSELECTED: null, RESULT: routeResults.routed });
  const decidedAlike = [11, "EventAttachedDataChanged", { ...again, UserData: decision }] as const;
  const toTheSame = first().events([8, "EventQueued", again], asking, decidedAlike, ...leaving);
  expect(resultsOf(toTheSame)[1]).toMatchObject({ RTARGETAGENTSELECTED: "agent01" });
});

test("a routing that does not send the call on has a result where that is asked for", () => {
  const abandoned = (options: object) =>
    asked(options).events([5, "EventAbandoned", gold], [5, "EventAbandoned", point]);
  expect(resultsOf(abandoned({}))).toEqual([]);
  expect(waitsOf(abandoned({}))).toEqual([]);
  const extended = abandoned({ extendsRouteResults: true });
  expect(resultsOf(extended)).toMatchObject([{ RESULT: routeResults.abandoned, RTARGETAGENTSELECTED: null }]);
  expect(waitsOf(extended.heartbeat(60))).toEqual([`VQ_Gold: ${at(2)} – ${at(5)}`, `VQ_Sales: ${at(1)} – ${at(5)}`]);
  const released = asked({ extendsRouteResults: true }).events([5, "EventReleased", point]);
  expect(resultsOf(released)).toMatchObject([{ RESULT: routeResults.other }]);
});

test("a routing point that asks without EventQueued has a party as well, and the call begins with it", () => {
  const story = new Story().events(
    [0, "EventRouteRequest", { ...caller, ...point }],
    [0, "EventQueued", point],
    [3, "EventRouteUsed", point],
    [3, "EventDiverted", point],
  );
  story.expectParties("9001: queued 0 | 3");
  expect(story.rows("G_PARTY_HISTORY", "PHID").map(({ CCEVENT }) => CCEVENT)).toEqual([71, 58]);
  expect(resultsOf(story)).toHaveLength(1);
});

test("a party in an ACD queue has no route result, whatever is attached", () => {
  const story = new Story().events(
    [0, "EventQueued", { ...caller, ...point, UserData: decision }],
    [3, "EventDiverted", { ...point, UserData: decision }],
  );
  expect(resultsOf(story)).toEqual([]);
});

test("a consultation that is being routed when it becomes the caller's call is one routing, of that call", () => {
  const consultation = { ConnID: "02", CallUUID: "C2", CallType: 4, PreviousConnID: "01" };
  const talking = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const there = { ...point, ...consultation };
  const story = new Story({ options: { extendsRouteResults: true } }).events(
    [0, "EventEstablished", { ...caller, ...talking }],
    [5, "EventQueued", there],
    [5, "EventRouteRequest", there],
    [8, "EventReleased", { ...talking, CallState: 1 }],
    [8, "EventPartyChanged", { ...there, ConnID: "01", CallUUID: "C1", PreviousConnID: "02", CallState: 1 }],
    attached(9, decision),
    [9, "EventRouteUsed", point],
    [9, "EventDiverted", point],
  );
  expect(resultsOf(story)).toMatchObject([
    { CALLID: "C1", RESULT: routeResults.routed, RTARGETAGENTSELECTED: "agent01" },
  ]);
});
