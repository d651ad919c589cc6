import { expect, test } from "bun:test";
import { mergeTypes, parentLinkTypes } from "../../schema/dictionary.ts";
import { at, Story } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
const queue = { ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" };
const anna = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1", ThisQueue: "8001" };
const consultation = { ConnID: "02", CallUUID: "C2", CallType: 4, PreviousConnID: "01" };
const asking = { ...consultation, ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A2" };
const asked = { ...consultation, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" };
const byAnna = { ThirdPartyDN: "5001", ThirdPartyDNRole: 7 };

/** The caller is with Anna and waits on hold while she talks to the second agent. */
function consulted(): Story {
  return new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [4, "EventDiverted", queue],
    [4, "EventRinging", anna],
    [7, "EventEstablished", anna],
    [20, "EventHeld", anna],
    [20, "EventDialing", asking],
    [20, "EventRinging", asked],
    [25, "EventEstablished", asking],
    [25, "EventEstablished", asked],
  );
}

const moved = { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", PreviousConnID: "02" };

function transferred(): Story {
  return consulted().events(
    [40, "EventReleased", { ...asking, CallState: 1 }],
    [40, "EventReleased", { ...anna, CallState: 1 }],
    [40, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 1 }],
  );
}

const callsOf = (story: Story) => new Map(story.rows("G_CALL", "ID").map((row) => [row.CALLID, row]));
const partiesOf = (story: Story) => story.rows("G_PARTY", "ID");

/** Each party as "DN on CALLID", with whom it descends from. */
function parents(story: Story): string[] {
  const parties = new Map(partiesOf(story).map((row) => [row.PARTYID, `${row.ENDPOINTDN} on ${row.CALLID}`]));
  return partiesOf(story).map(({ PARTYID, PARENTPARTYID, PARENTLINKTYPE }) => {
    const parent = PARENTPARTYID == null ? "none" : parties.get(PARENTPARTYID);
    return `${parties.get(PARTYID)} < ${parent}, ${PARENTLINKTYPE}`;
  });
}

test("a consultation names the call that it came from", () => {
  expect(callsOf(consulted()).get("C2")).toMatchObject({ PARENTCALLID: "C1", CALLTYPE: 4, MERGECALLID: null });
  expect(callsOf(consulted()).get("C1")).toMatchObject({ PARENTCALLID: null });
});

test("a two-step transfer moves the second agent into the caller's call, as what he was and under the same guid", () => {
  const story = transferred();
  story.expectParties(
    "8001: queued 0 | 4",
    "5001: alerting 4, connected 7, hold 20 | 40",
    "5001: dialing 20, connected 25 | 40",
    "5002: alerting 20, connected 25 | 40",
    "5002: connected 40 | …",
  );
  const [before, after] = partiesOf(story).filter(({ PARTYGUID }) => PARTYGUID === "B1");
  expect(before).toMatchObject({ CALLID: "C2", CCEVENT: 68, CCEVENTCAUSE: 1, TERMINATED: at(40) });
  expect(after).toMatchObject({
    CALLID: "C1",
    CCEVENT: 68,
    CREATED: at(40),
    PARENTLINKTYPE: parentLinkTypes.transferred,
  });
  expect(after?.PARENTPARTYID).toBe(before?.PARTYID ?? "");
  expect(after?.PARTYID).not.toBe(before?.PARTYID ?? "");
  expect(story.doubts()).toEqual([]);
});

test("the consultation is merged into the caller's call, and so is its interaction record", () => {
  const story = transferred().events([40, "EventCallDeleted", consultation], [90, "EventReleased", { ...moved }]);
  story.heartbeat(200);
  const calls = callsOf(story);
  const [caller_, consult] = [calls.get("C1"), calls.get("C2")];
  expect(consult).toMatchObject({ MERGECALLID: "C1", MERGETYPE: mergeTypes.transferred, TERMINATED: at(40) });
  expect(consult?.ROOTIRID).toBe(caller_?.IRID ?? "");
  expect(caller_).toMatchObject({ MERGECALLID: null, MERGETYPE: null, TERMINATED: at(90) });
  const history = (callId: string) =>
    story
      .rows("G_CALL_HISTORY", "CHID")
      .filter(({ CALLID }) => CALLID === callId)
      .map(({ CSEQ, CHANGETYPE, REFID, ADDED }) => [CSEQ, CHANGETYPE, REFID, ADDED]);
  expect(history("C2")).toEqual([
    [1, 1, null, at(20)],
    [2, 3, null, at(40)],
    [3, 2, "C1", at(40)],
  ]);
  expect(history("C1")).toEqual([
    [1, 1, null, at(0)],
    [2, 2, null, at(90)],
  ]);
  const ir = story.rows("G_IR", "ID").find(({ IRID }) => IRID === consult?.IRID);
  expect(ir).toMatchObject({ PARENTIRID: caller_?.IRID, STATE: 2, ROOTCALLID: "C2" });
  const irHistory = story.rows("G_IR_HISTORY", "IRHID").filter(({ IRID }) => IRID === consult?.IRID);
  expect(irHistory.map(({ CHANGETYPE, REFID }) => [CHANGETYPE, REFID])).toEqual([
    [1, null],
    [3, caller_?.IRID ?? ""],
  ]);
});

test("the interaction record of a call that was merged is no longer active, whatever is learnt of the call afterwards", () => {
  const story = transferred().events([
    41,
    "EventRinging",
    { ...consultation, ThisDN: "5003", PartyUUID: "X", ANI: "77" },
  ]);
  const irId = callsOf(story).get("C2")?.IRID;
  const active = story.world.written.filter((each) => each.table === "G_IR_ACTIVE" && each.row.IRID === irId);
  expect(active).toHaveLength(1);
  expect(story.world.erased).toContainEqual({
    table: "G_IR_ACTIVE",
    id: active[0]?.table === "G_IR_ACTIVE" ? active[0].row.ID : 0,
  });
});

test("a transfer while the second telephone still rings moves a party that rings on", () => {
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...anna }],
    [3, "EventEstablished", anna],
    [10, "EventHeld", anna],
    [10, "EventDialing", asking],
    [10, "EventRinging", asked],
    [14, "EventReleased", { ...asking, CallState: 1 }],
    [14, "EventReleased", { ...anna, CallState: 1 }],
    [14, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 1 }],
    [17, "EventEstablished", { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" }],
  );
  expect(story.parties().at(-1)).toBe("5002: alerting 14, connected 17 | …");
  expect(story.doubts()).toEqual([]);
});

test("a conference is told from a transfer, and the agent who brought the second one in goes on in the call", () => {
  const story = consulted().events(
    [40, "EventReleased", { ...asking, CallState: 2 }],
    [40, "EventPartyChanged", { ...caller, ...moved, ThirdPartyDN: "5001", ThirdPartyDNRole: 9, CallState: 2 }],
    [40, "EventRetrieved", anna],
    [40, "EventPartyAdded", { ...anna, OtherDN: "5002" }],
  );
  expect(callsOf(story).get("C2")).toMatchObject({ MERGECALLID: "C1", MERGETYPE: mergeTypes.conferenced });
  expect(story.parties().slice(-2)).toEqual(["5002: alerting 20, connected 25 | 40", "5002: connected 40 | …"]);
  expect(story.parties()[1]).toBe("5001: alerting 4, connected 7, hold 20, connected 40 | …");
  expect(partiesOf(story).at(-1)).toMatchObject({ PARENTLINKTYPE: parentLinkTypes.conferenced });
});

test("an agent descends from the queue that the call was routed from, whichever of the two is told first", () => {
  expect(parents(consulted())[1]).toBe("5001 on C1 < 8001 on C1, 4");
  const ringFirst = new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [4, "EventRinging", anna],
    [4, "EventDiverted", queue],
  );
  expect(parents(ringFirst)).toEqual(["8001 on C1 < none, null", "5001 on C1 < 8001 on C1, 4"]);
});

test("of several stays in one queue the last one is meant, and an unwatched queue is nobody's parent", () => {
  const again = { ...queue, PartyUUID: "Q2" };
  const story = new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [4, "EventDiverted", queue],
    [4, "EventQueued", again],
    [9, "EventDiverted", again],
    [9, "EventRinging", anna],
    [9, "EventRinging", { ...anna, ThisDN: "5009", PartyUUID: "Z", ThisQueue: "8999" }],
  );
  const parties = partiesOf(story);
  expect(parties[2]?.PARENTPARTYID).toBe(parties.find(({ PARTYGUID }) => PARTYGUID === "Q2")?.PARTYID ?? "");
  expect(parties[3]).toMatchObject({ PARENTPARTYID: null, PARENTLINKTYPE: null });
});

test("a transfer in one step: the new party descends from whoever transferred the call", () => {
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...anna }],
    [3, "EventEstablished", anna],
    [30, "EventReleased", { ...anna, CallState: 1 }],
    [30, "EventRinging", { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", ...byAnna }],
  );
  expect(parents(story).at(-1)).toBe("5002 on C1 < 5001 on C1, 1");
  expect(callsOf(story).get("C1")).toMatchObject({ MERGECALLID: null });
});

test("without PartyUUID the moved party is found by its DN, and descends from what it was", () => {
  const bare = ({ PartyUUID: _, ...rest }: Readonly<Record<string, unknown>>) => rest;
  const story = new Story().events(
    [0, "EventRinging", bare({ ...caller, ...anna })],
    [3, "EventEstablished", bare(anna)],
    [10, "EventDialing", bare(asking)],
    [10, "EventRinging", bare(asked)],
    [12, "EventEstablished", bare(asked)],
    [14, "EventPartyChanged", bare({ ...caller, ...moved, ...byAnna, CallState: 1 })],
    [20, "EventHeld", bare({ ThisDN: "5002", ThisDNRole: 2 })],
  );
  expect(story.parties().slice(-2)).toEqual([
    "5002: alerting 10, connected 12 | 14",
    "5002: connected 14, hold 20 | …",
  ]);
  expect(parents(story).at(-1)).toBe("5002 on C1 < 5002 on C2, 1");
});

test("without PartyUUID the moved party keeps its guid, however often it moves, and a snapshot finds it again", () => {
  const bare = ({ PartyUUID: _, ...rest }: Readonly<Record<string, unknown>>) => rest;
  const third = { ...moved, ConnID: "03", CallUUID: "C3", PreviousConnID: "01" };
  const story = new Story().events(
    [0, "EventRinging", bare({ ...caller, ...anna })],
    [10, "EventRinging", bare(asked)],
    [12, "EventEstablished", bare(asked)],
    [14, "EventPartyChanged", bare({ ...caller, ...moved, ...byAnna, CallState: 1 })],
    [20, "EventPartyChanged", bare({ ...third, ...byAnna, CallState: 1 })],
  );
  const stays = () => partiesOf(story).filter(({ ENDPOINTDN }) => ENDPOINTDN === "5002");
  expect(stays().map(({ CALLID }) => CALLID)).toEqual(["C2", "C1", "C3"]);
  expect(new Set(stays().map(({ PARTYGUID }) => PARTYGUID)).size).toBe(1);
  expect(new Set(stays().map(({ PARTYID }) => PARTYID)).size).toBe(3);
  expect(story.doubts()).toEqual([]);
  const origin = { run: "run-1", seq: 5, time: Date.parse(at(20)) / 1000 };
  story.heartbeat(30).close("connection lost").wait(5).open();
  story.snapshot(40, [20, "EventEstablished", bare({ ...third, origin })]);
  expect(stays().map(({ TERMINATED }) => TERMINATED)).toEqual([at(14), at(20), null]);
});

test("without PartyUUID a guid that was made up here stays one, and each row of the party says so", () => {
  const bare = ({ PartyUUID: _, ...rest }: Readonly<Record<string, unknown>>) => rest;
  const third = { ...moved, ConnID: "03", CallUUID: "C3", PreviousConnID: "01" };
  const story = new Story().events(
    // Its ringing was missed.
    [12, "EventEstablished", bare(asked)],
    [14, "EventPartyChanged", bare({ ...caller, ...moved, ...byAnna, CallState: 1 })],
    [20, "EventPartyChanged", bare({ ...third, ...byAnna, CallState: 1 })],
  );
  const local = story.rows("ICON_ROW_QUALITY", "ID").filter(({ REASON }) => REASON === "key is local");
  expect(local.map(({ ROW_KEY }) => ROW_KEY)).toEqual(partiesOf(story).map(({ PARTYID }) => PARTYID));
});

test("a party that moves from a call that nobody here knows begins in the other one, and is marked so", () => {
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...anna }],
    [40, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 1 }],
  );
  story.expectParties("5001: alerting 0 | …", "5002: connected 40 | …");
  expect(partiesOf(story).at(-1)).toMatchObject({ PARENTPARTYID: null });
  expect(story.doubts()).toEqual(["G_PARTY: beginning not seen, link down, ?–40"]);
});

test("the end of the consultation may be told before its party goes on in the caller's call", () => {
  const story = consulted().events(
    [40, "EventCallDeleted", consultation],
    [40, "EventReleased", { ...anna, CallState: 1 }],
    [40, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 1 }],
  );
  expect(parents(story).at(-1)).toBe("5002 on C1 < 5002 on C2, 1");
  expect(story.doubts()).toEqual([]);
  story.heartbeat(200);
  expect(callsOf(story).get("C2")).toMatchObject({ MERGECALLID: "C1", TERMINATED: at(40) });
});

test("a party that goes back and forth merges one call into the other, and not round in a circle", () => {
  const back = { ...asked, PreviousConnID: "01", CallState: 1 };
  const story = transferred().events(
    [50, "EventPartyChanged", back],
    [60, "EventPartyChanged", { ...moved, CallState: 1 }],
  );
  const calls = callsOf(story);
  expect([calls.get("C2")?.MERGECALLID, calls.get("C1")?.MERGECALLID]).toEqual(["C1", null]);
  expect(story.parties().at(-1)).toBe("5002: connected 60 | …");
});

test("a call that gets another ConnID is neither merged into itself nor its own consultation", () => {
  const renamed = { ConnID: "09", PreviousConnID: "01", CallUUID: "C1" };
  const story = new Story().events(
    [0, "EventRinging", { ...caller, ...anna }],
    [3, "EventPartyChanged", { ...anna, ...renamed, CallState: 1 }],
    [4, "EventEstablished", { ...anna, ...renamed, PreviousConnID: "09", CallType: 4 }],
  );
  story.expectParties("5001: alerting 0, connected 4 | …");
  expect(callsOf(story).get("C1")).toMatchObject({ MERGECALLID: null, PARENTCALLID: null, CONNID: "09" });
});

test("what is written oddly about how a party came to be costs no event", () => {
  const odd = { ...anna, ThisQueue: 8001, ThirdPartyDN: {}, ThirdPartyDNRole: "RoleOfTheDice" };
  new Story().events([0, "EventRinging", { ...caller, ...odd }]).expectParties("5001: alerting 0 | …");
});

test("a consultation that a snapshot names before its call, both not known so far, names it all the same", () => {
  const story = new Story().snapshot(41, [25, "EventEstablished", asked], [20, "EventHeld", { ...caller, ...anna }]);
  expect(callsOf(story).get("C2")).toMatchObject({ PARENTCALLID: "C1", CALLTYPE: 4 });
  expect(callsOf(story).get("C1")).toMatchObject({ PARENTCALLID: null });
});
