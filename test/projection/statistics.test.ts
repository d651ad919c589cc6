import { expect, test } from "bun:test";
import { Story } from "../harness/story.ts";

const caller = { ANI: "4155550100", DNIS: "0800123456", CallType: 2 };
const queue = { ThisDN: "8001", ThisDNRole: 2, PartyUUID: "Q1" };
const anna = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1", ThisQueue: "8001" };
const consultation = { ConnID: "02", CallUUID: "C2", CallType: 4, PreviousConnID: "01" };
const asking = { ...consultation, ThisDN: "5001", ThisDNRole: 1, PartyUUID: "A2" };
const asked = { ...consultation, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" };
const byAnna = { ThirdPartyDN: "5001", ThirdPartyDNRole: 7 };

/** Each party's statistics as "DN: state seconds, … | who released", in the order of their ends. */
function partyStatistics(story: Story): string[] {
  const dns = new Map(story.rows("G_PARTY", "ID").map((row) => [row.PARTYID, row]));
  return story.rows("G_PARTY_STAT", "ID").map((row) => {
    const party = dns.get(row.PARTYID);
    expect(row.ID).toBe(party?.ID ?? 0);
    const times = Object.entries(row).filter(([column, value]) => column.startsWith("TT_") && value !== 0);
    const states = times.map(([column, value]) => `${column.slice(3).toLowerCase()} ${value}`);
    return `${party?.ENDPOINTDN}: ${states.join(", ")} | ${row.RELEASINGPARTY}`;
  });
}

function callStatistics(story: Story, callId = "C1"): Record<string, unknown> | undefined {
  const row = story.rows("G_CALL_STAT", "ID").find(({ CALLID }) => CALLID === callId);
  if (row === undefined) return undefined;
  expect(row.ID).toBe(story.rows("G_CALL", "ID").find(({ CALLID }) => CALLID === callId)?.ID ?? 0);
  return Object.fromEntries(Object.entries(row).filter(([column, value]) => /^(F|CNT)_/.test(column) && value !== 0));
}

const answered = (options = {}) =>
  new Story({ options }).events(
    [0, "EventQueued", { ...caller, ...queue }],
    [4.9, "EventDiverted", queue],
    [4.9, "EventRinging", anna],
    [7.1, "EventEstablished", anna],
    [20, "EventHeld", anna],
    [25, "EventRetrieved", anna],
    [60, "EventHeld", anna],
    [61, "EventRetrieved", anna],
  );

test("a party's statistics are whole seconds in each state, in all what lies between its beginning and its end", () => {
  const story = answered().events([90, "EventReleased", anna]);
  expect(partyStatistics(story)).toEqual(["8001: queued 4 | null", "5001: alerting 3, connected 77, hold 6 | null"]);
  const parties = new Map(story.rows("G_PARTY", "ID").map((row) => [row.PARTYID, row]));
  for (const row of story.rows("G_PARTY_STAT", "ID")) {
    const party = parties.get(row.PARTYID);
    const all = [row.TT_ALERTING, row.TT_CONNECTED, row.TT_HOLD, row.TT_QUEUED, row.TT_DIALING];
    expect(all.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBe(
      (party?.TERMINATED_TS ?? 0) - (party?.CREATED_TS ?? 0),
    );
  }
});

test("a call's statistics are written with its ending, and not before", () => {
  const story = answered().events([90, "EventReleased", anna]);
  expect(callStatistics(story)).toBeUndefined();
  story.heartbeat(121);
  expect(callStatistics(story)).toEqual({ F_CONN: 1, F_CONN_EXTN: 1, CNT_HOLD: 2, CNT_DIVERT: 1 });
});

test("a caller who hangs up in the queue was abandoned and never connected", () => {
  const story = new Story().events([0, "EventQueued", { ...caller, ...queue }], [9, "EventAbandoned", queue]);
  expect(callStatistics(story.heartbeat(60))).toEqual({ F_TE_ABND: 1 });
  expect(partyStatistics(story)).toEqual(["8001: queued 9 | null"]);
});

test("a call that is answered where calls are queued is connected, but at no extension", () => {
  const story = new Story().events(
    [0, "EventQueued", { ...caller, ...queue }],
    [3, "EventEstablished", queue],
    [9, "EventReleased", queue],
  );
  expect(callStatistics(story.heartbeat(60))).toEqual({ F_CONN: 1 });
});

const consulted = () =>
  answered().events(
    [70, "EventHeld", anna],
    [70, "EventDialing", asking],
    [70, "EventRinging", asked],
    [75, "EventEstablished", asking],
    [75, "EventEstablished", asked],
  );
const moved = { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1", PreviousConnID: "02" };

test("a transfer in two steps is one transfer, of the caller's call and not of the consultation", () => {
  for (const seconds of [0, 0.3]) {
    const story = consulted().events(
      [80, "EventReleased", { ...asking, CallState: 1 }],
      [80, "EventReleased", { ...anna, CallState: 1 }],
      [80 + seconds, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 1 }],
      [99, "EventReleased", moved],
    );
    story.heartbeat(200);
    expect(callStatistics(story)).toMatchObject({ CNT_TRANSFER: 1, CNT_HOLD: 3 });
    expect(callStatistics(story, "C2")).toEqual({ F_CONN: 1, F_CONN_EXTN: 1 });
  }
});

test("a transfer in one step is one, told by who came, by who went, or by both", () => {
  const went = [80, "EventReleased", { ...anna, CallState: 1 }] as const;
  const came = [80, "EventRinging", { ...byAnna, ThisDN: "5002", ThisDNRole: 2, PartyUUID: "B1" }] as const;
  for (const events of [[went], [came], [went, came], [came, went]]) {
    const story = answered().events(...events, [200, "EventCallDeleted", {}]);
    story.heartbeat(300);
    expect(callStatistics(story)?.["CNT_TRANSFER"]).toBe(1);
  }
});

test("a conference counts who came by it", () => {
  const story = consulted().events(
    [80, "EventReleased", { ...asking, CallState: 2 }],
    [80, "EventPartyChanged", { ...caller, ...moved, ...byAnna, CallState: 2 }],
    [90, "EventReleased", moved],
    [90, "EventReleased", anna],
  );
  story.heartbeat(200);
  expect(callStatistics(story)).toMatchObject({ CNT_CONFERENCE: 1, CNT_HOLD: 3 });
  expect(callStatistics(story)).not.toHaveProperty("CNT_TRANSFER");
});

test("who released is stored where it is asked for: of a party which side, of a call the device and the party", () => {
  const ending = (story: Story) =>
    story.events(
      [90, "EventReleased", { ...anna, Extensions: { ReleasingParty: "2 Remote" } }],
      [90, "EventCallDeleted", { CtrlParty: "5001" }],
    );
  const asked = ending(answered({ storesReleasingParty: true })).heartbeat(200);
  expect(partyStatistics(asked).at(-1)).toEndWith("| 2");
  const anna5001 = asked.rows("G_PARTY", "ID").find(({ ENDPOINTDN }) => ENDPOINTDN === "5001");
  expect(asked.rows("G_CALL_STAT", "ID")).toMatchObject([
    { GSYS_EXT_VCH1: "5001", GSYS_EXT_VCH2: anna5001?.PARTYID as string },
  ]);
  const unasked = ending(answered()).heartbeat(200);
  expect(partyStatistics(unasked).at(-1)).toEndWith("| null");
  expect(unasked.rows("G_CALL_STAT", "ID")[0]).not.toHaveProperty("GSYS_EXT_VCH1");
});

test("a device that is no party of the call is stored as the source writes it, and one that is not named as empty", () => {
  const released = (members: Record<string, unknown>) =>
    answered({ storesReleasingParty: true }).events([90, "EventCallDeleted", members]).heartbeat(200);
  for (const [members, dn] of [
    [{ CtrlParty: "T 0815" }, "T 0815"],
    [{}, ""],
  ] as const) {
    expect(released(members).rows("G_CALL_STAT", "ID")).toMatchObject([{ GSYS_EXT_VCH1: dn, GSYS_EXT_VCH2: null }]);
  }
});

test("[filter-data] leaves rows out and changes nothing of the others", () => {
  const observer = { ThisDN: "5009", ThisDNRole: 10, PartyUUID: "O1" };
  const story = (leavesOut: readonly string[]) =>
    answered({ leavesOut } as object)
      .events([70, "EventEstablished", observer], [80, "EventReleased", observer], [90, "EventReleased", anna])
      .heartbeat(200);
  const counts = (told: Story) => ({
    parties: told.rows("G_PARTY", "ID").map(({ ENDPOINTDN }) => ENDPOINTDN),
    history: told.rows("G_PARTY_HISTORY", "PHID").length,
    statistics: partyStatistics(told).length,
    calls: told.rows("G_CALL_STAT", "ID").length,
    doubts: told.doubts().length,
  });
  const all = { parties: ["8001", "5001", "5009"], history: 11, statistics: 3, calls: 1, doubts: 1 };
  expect(counts(story([]))).toEqual(all);
  expect(counts(story(["call-metrics"]))).toEqual({ ...all, calls: 0 });
  expect(counts(story(["acd-party-metrics"]))).toEqual({ ...all, statistics: 2 });
  expect(counts(story(["acd-party-history"]))).toEqual({ ...all, history: 9, statistics: 2 });
  expect(counts(story(["external-party"]))).toEqual(all);
  const withoutObserver = story(["observer-party"]);
  expect(counts(withoutObserver)).toEqual({
    ...all,
    parties: ["8001", "5001"],
    history: 9,
    statistics: 2,
    doubts: 0,
  });
  const cseq = withoutObserver.rows("G_PARTY_HISTORY", "PHID").map(({ CSEQ }) => CSEQ);
  expect(cseq).toEqual(cseq.map((_, index) => index + 1));
});

test("what a snapshot concludes counts as it is written, and the party says so", () => {
  const story = answered().snapshot(20, [120, "EventHeld", anna]);
  expect(partyStatistics(story)).toEqual(["8001: queued 4 | null"]);
  story.close("connection lost").open();
  story.snapshot(30);
  story.heartbeat(300);
  expect(partyStatistics(story).at(-1)).toBe("5001: alerting 3, connected 107, hold 6 | null");
  expect(callStatistics(story)).toMatchObject({ CNT_HOLD: 3 });
  expect(story.doubts()).toContainEqual(expect.stringContaining("G_PARTY: end not seen"));
});
