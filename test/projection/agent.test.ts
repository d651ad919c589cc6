import { expect, test } from "bun:test";
import type { TableName } from "../../schema/tables.ts";
import type { AttachedDataMapping } from "../../src/event/attached-data.ts";
import { LiveState } from "../../src/projection/live-state.ts";
import { stepBegunFromState, stepRecord } from "../../src/projection/projection.ts";
import {
  acw,
  agentStory,
  at5001,
  other5001,
  party5001,
  reasons,
  secondsOf,
  sessions,
  stateNames,
  stretches,
} from "../harness/agent-story.ts";
import { at, Story } from "../harness/story.ts";

test("a session is what the agent was from login to logout, with the calls in between", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001" }],
    [2, "EventAgentReady", { ...at5001, AgentWorkMode: "AgentManualIn" }],
    [10, "EventRinging", party5001],
    [15, "EventEstablished", party5001],
    [40, "EventHeld", party5001],
    [45, "EventRetrieved", party5001],
    [60, "EventReleased", party5001],
    [60, "EventAgentNotReady", acw],
    [75, "EventAgentReady", { ...at5001, AgentWorkMode: 1 }],
    [100, "EventAgentLogout", at5001],
  );
  expect(stretches(story)).toEqual([
    "5001/8001: login 0, ready 2, busy→ready (C1) 15, ready (C1) 60, afterCallWork (C1) 60, ready 75, null 100",
  ]);
  expect(sessions(story)).toEqual(["A7 0–100: 5001/8001 0–100"]);
  expect(story.doubts()).toEqual([]);
  const history = story.rows("G_AGENT_STATE_HISTORY", "ID");
  expect(history.map(({ SEQ, PREVSTATE, STATE }) => [SEQ, PREVSTATE, STATE])).toEqual([
    [1, 0, 1],
    [2, 1, 3],
    [3, 3, 5],
    [4, 5, 3],
    [5, 3, 4],
    [6, 4, 3],
    [7, 3, 0],
  ]);
  const [party] = story.rows("G_PARTY", "ID");
  expect(history[4]).toEqual({
    ...{ ID: expect.any(Number), TYPE: 5, STATE: 4, PENDINGSTATE: null, SEQ: 5, PREVSTATE: 3 },
    ...{ WORKMODE: 3, PREVWORKMODE: 1, LOGINID: null, ENDPOINTID: null, ENDPOINTDN: "5001", QUEUEID: null },
    ...{ QUEUEDN: "8001", MEDIATYPE: 0, CALLID: "C1", PARTYID: party?.PARTYID ?? "", ADDED: at(60) },
    ...{ LOGINSESSIONID: expect.any(String), GSYS_DOMAIN: story.session },
    ...{ ADDED_TS: expect.any(Number), ADDED_TCODE: expect.any(Number) },
    ...{ GSYS_SEQ: expect.any(Number), GSYS_USEQ: expect.any(Number) },
  });
});

const totals = (story: Story) =>
  story
    .rows("GS_AGENT_STAT", "ID")
    .map(({ QUEUEDN, AGENTSTATE, TT, CNT }) => `${QUEUEDN} ${stateNames.get(AGENTSTATE)} ${TT}/${CNT}`);

const modes = (story: Story) =>
  story
    .rows("GS_AGENT_STAT_WM", "ID")
    .map(({ AGENTSTATE, WORKMODE, TT, CNT }) => `${stateNames.get(AGENTSTATE)} ${WORKMODE} ${TT}/${CNT}`);

test("when the session ends, its totals say how long and how often each state was, in seconds that add up", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001" }],
    [0.4, "EventAgentNotReady", { ...at5001, AgentWorkMode: 4 }],
    [10.8, "EventAgentNotReady", { ...at5001, AgentWorkMode: 6 }],
    [20.5, "EventAgentReady", at5001],
    [21, "EventEstablished", party5001],
    [30.6, "EventReleased", party5001],
    [30.6, "EventAgentNotReady", acw],
    [39.9, "EventAgentReady", at5001],
  );
  expect(totals(story)).toEqual([]);
  story.events([60.2, "EventAgentLogout", at5001]);
  // 0.4 + 20.1 + 20.8 + 9.6 + 9.3 = 60.2: of what was rounded down, one second more goes to 0.8 and one to 0.6.
  expect(totals(story)).toEqual([
    "8001 login 0/1",
    "8001 notReady 20/1",
    "8001 ready 21/2",
    "8001 busy 10/1",
    "8001 afterCallWork 9/1",
  ]);
  expect(modes(story)).toEqual([
    "login 0 0/1",
    "notReady 4 10/1",
    "notReady 6 10/1",
    "ready 0 21/2",
    "busy 0 10/1",
    "afterCallWork 3 9/1",
  ]);
});

test("further queues and DNs are endpoints of the one session, and it ends with the last of them", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001" }],
    [1, "EventAgentReady", at5001],
    [2, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
    [3, "EventAgentLogin", { AgentID: "A7", ThisDN: "7001" }],
    [4, "EventAgentNotReady", at5001],
    [5, "EventAgentReady", { ...at5001, ThisQueue: "8002" }],
    [6, "EventQueueLogout", { ...at5001, ThisQueue: "8001" }],
    [7, "EventAgentLogout", { AgentID: "A7", ThisDN: "7001" }],
    [9, "EventAgentLogout", at5001],
  );
  expect(stretches(story)).toEqual([
    "5001/8001: login 0, ready 1, notReady 4, null 6",
    "5001/8002: ready 2, notReady 4, ready 5, null 9",
    "7001: login 3, null 7",
  ]);
  expect(sessions(story)).toEqual(["A7 0–9: 5001/8001 0–6, 5001/8002 2–9, 7001 3–7"]);
  expect(totals(story)).toEqual([
    "8001 login 1/1",
    "8001 ready 3/1",
    "8001 notReady 2/1",
    "8002 ready 6/2",
    "8002 notReady 1/1",
    "null login 4/1",
  ]);
  expect(story.world.all("login session")).toEqual([]);
  expect(story.world.all("agent dn")).toEqual([]);
});

test("a login or a state that is told again changes nothing, and logout without a queue is of all queues", () => {
  const login = { ...at5001, ThisQueue: "8001" };
  const story = agentStory().events(
    [0, "EventAgentLogin", login],
    [1, "EventAgentLogin", login],
    [2, "EventAgentReady", at5001],
    [3, "EventAgentReady", at5001],
    [4, "EventAgentLogin", login],
    [5, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
    [9, "EventAgentLogout", at5001],
    [10, "EventAgentLogout", at5001],
  );
  expect(stretches(story)).toEqual(["5001/8001: login 0, ready 2, null 9", "5001/8002: ready 5, null 9"]);
  expect(story.rows("ICON_COUNTER", "NAME").map(({ NAME, VALUE }) => [NAME, VALUE])).toEqual([
    ["logout of an unknown agent", 1],
  ]);
});

test("not ready, told while busy, is pending, and takes effect when the last call ends", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentReady", at5001],
    [5, "EventEstablished", party5001],
    [8, "EventAgentNotReady", { ...at5001, AgentWorkMode: 4, Reasons: { Break: "coffee" } }],
    [9, "EventHeld", party5001],
    [10, "EventDialing", other5001],
    [12, "EventReleased", other5001],
    [20, "EventReleased", party5001],
    [30, "EventAgentReady", at5001],
  );
  expect(stretches(story)).toEqual([
    "5001: login 0, ready 1, busy→ready (C1) 5, pending busy→notReady 8, joined in busy→notReady (C2) 10, " +
      "left in busy→notReady (C2) 12, notReady (C1) 20, ready 30",
  ]);
  expect(reasons(story)).toEqual(["Break=coffee in busy, 8–20", "Break=coffee in notReady, 20–30"]);
  expect(story.rows("G_AGENT_STATE_HISTORY", "ID").map(({ WORKMODE }) => WORKMODE)).toEqual([0, 0, 0, 0, 0, 0, 4, 0]);
});

test("a value is the same text as a reason and as attached data", () => {
  let deep: unknown = "x\ud800";
  for (let depth = 0; depth < 30; depth += 1) deep = { z: deep, a: 1 };
  const list = [["b", { y: 2, x: "\ud800" }], 1.5, null];
  const values = { number: 3, broken: "\ud800", list, deep };
  const attachedData: AttachedDataMapping = {
    public: Object.keys(values).map((key) => [key, "userdata", "all"] as const),
    ...{ secure: [], columns: [], otherKeys: "none" as const, valueLengthMax: 4000 },
  };
  const story = new Story({ role: ["gcc", "gls", "gud"], attachedData }).events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentNotReady", { ...at5001, AgentWorkMode: 4, Reasons: values }],
    [2, "EventRinging", { ...party5001, UserData: values }],
    [3, "EventAgentReady", at5001],
  );
  const stored = new Map(story.rows("G_USERDATA_HISTORY", "ID").map((row) => [row.KEYNAME, row.VALUE]));
  const reason = new Map(story.rows("G_AGENT_STATE_RC", "ID").map((row) => [row.KEYNAME, row.VALUE]));
  for (const key of ["number", "broken", "list"]) {
    expect([key, reason.get(key)]).toEqual([key, stored.get(key) ?? "nothing was stored"]);
  }
  expect(stored.get("list")).toBe('[["b",{"x":"\ufffd","y":2}],1.5,null]');
  // Of lists in lists a reason has the path in its key; what is deeper than that is text, as far as text goes.
  expect(reason.get("deep/z/z/z/z/z/z/z")).toStartWith('{"a":1,"z":{"a":1,"z":');
});

test("reasons end with their state, or when others take their place, and have a row of their own for a call in between", () => {
  const lunch = { ...at5001, Reasons: [{ key: "Pause", type: "list", value: [{ key: "Kind", value: "lunch" }] }] };
  const story = agentStory().events(
    [0, "EventAgentLogin", { ...at5001, Reasons: { Shift: "early" } }],
    [1, "EventAgentNotReady", { ...at5001, Reasons: { Aux: "training", Room: 4 }, Extensions: { ReasonCode: "07" } }],
    [5, "EventAgentNotReady", { ...at5001, Reasons: { Aux: "training", Room: 5 }, Extensions: { ReasonCode: "07" } }],
    [10, "EventAgentNotReady", lunch],
    [12, "EventDialing", other5001],
    [14, "EventReleased", other5001],
    [20, "EventAgentLogout", { ...at5001, Reasons: { LogoutReason: "end of shift" } }],
  );
  expect(new Set(story.rows("G_AGENT_STATE_RC", "ID").map(({ QUEUEID }) => QUEUEID))).toEqual(new Set([0]));
  expect(reasons(story)).toEqual([
    "Shift=early in login, 0–1",
    "Room=4 in notReady, 1–5",
    "*ReasonCode=07 in notReady, 1–10",
    "Aux=training in notReady, 1–10",
    "Room=5 in notReady, 5–10",
    "Pause/Kind=lunch in notReady, 10–12",
    "Pause/Kind=lunch in busy, 12–14",
    "Pause/Kind=lunch in notReady, 14–20",
    "LogoutReason=end of shift in null, 20–20",
  ]);
  const history = story.rows("G_AGENT_STATE_HISTORY", "ID");
  const bySeq = new Map(history.map((row) => [row.SEQ, row.STATE]));
  for (const row of story.rows("G_AGENT_STATE_RC", "ID")) expect(bySeq.get(row.LSEQ)).toBe(row.AGENTSTATE);
});

test("a reason at a queue does not say that there is none: the queue's DBID is not known", () => {
  const at8001 = { ...at5001, ThisQueue: "8001" };
  const story = agentStory({ options: { writesActiveReasons: true } }).events(
    [0, "EventAgentLogin", at8001],
    [1, "EventAgentNotReady", { ...at8001, Reasons: { Break: "coffee" } }],
    [5, "EventAgentReady", at8001],
  );
  for (const table of ["G_AGENT_STATE_RC", "G_AGENT_STATE_RC_A"] as const) {
    expect(story.rows(table, "ID").map(({ QUEUEID, QUEUEDN }) => [QUEUEID, QUEUEDN])).toEqual([[null, "8001"]]);
  }
});

test("reasons that hold now are in G_AGENT_STATE_RC_A, where gls-active-reason-codes is on", () => {
  const events = [
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentNotReady", { ...at5001, Reasons: { Break: "coffee" }, Extensions: { ReasonCode: 2 } }],
    [5, "EventAgentNotReady", { ...at5001, Reasons: { Break: "coffee" } }],
  ] as const;
  const story = agentStory({ options: { writesActiveReasons: true } }).events(...events);
  const held = () => {
    const erased = story.world.erased.filter(({ table }) => table === "G_AGENT_STATE_RC_A").map(({ id }) => id);
    return story.rows("G_AGENT_STATE_RC_A", "ID").filter(({ ID }) => !erased.includes(ID));
  };
  expect(held().map(({ HWFLAG, KEYNAME, VALUE, LSEQ }) => [HWFLAG, KEYNAME, VALUE, LSEQ])).toEqual([
    [0, "Break", "coffee", 2],
  ]);
  story.events([9, "EventAgentReady", at5001]);
  expect(held()).toEqual([]);
  expect(
    agentStory()
      .events(...events)
      .rows("G_AGENT_STATE_RC_A", "ID"),
  ).toEqual([]);
});

test("do not disturb has a history of its own, with the state at the time", () => {
  const story = agentStory().events(
    [0, "EventDNDOn", { ThisDN: "5001" }],
    [1, "EventAgentLogin", at5001],
    [2, "EventAgentNotReady", at5001],
    [3, "EventDNDOn", at5001],
    [4, "EventDNDOn", at5001],
    [9, "EventDNDOff", { ThisDN: "5001" }],
  );
  const rows = story.rows("G_DND_HISTORY", "ID");
  expect(rows.map((row) => [row.STATE, stateNames.get(row.AGENTSTATE ?? 0), row.SEQ, secondsOf(row.ADDED)])).toEqual([
    [1, "notReady", 1, "3"],
    [0, "notReady", 2, "9"],
  ]);
  // Before the login it is nobody's.
  expect(story.rows("ICON_COUNTER", "NAME").map(({ NAME, VALUE }) => [NAME, VALUE])).toEqual([
    ["do not disturb of an unknown agent", 1],
  ]);
});

test("a work mode that changes within a state is a change of its own", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentReady", { ...at5001, AgentWorkMode: "ManualIn" }],
    [5, "EventAgentReady", { ...at5001, AgentWorkMode: 2 }],
  );
  expect(stretches(story)).toEqual(["5001: login 0, ready 1, mode 2 in ready 5"]);
});

test("a call that was transferred to the agent keeps the agent busy without a break", () => {
  const consult = { ...other5001, CallType: "Consult" };
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentReady", at5001],
    [5, "EventEstablished", consult],
    [9, "EventPartyChanged", { ...other5001, ConnID: "01", CallUUID: "C1", PreviousConnID: "02", CallState: 1 }],
    [20, "EventReleased", { ...party5001, PartyUUID: "P2" }],
  );
  expect(stretches(story)).toEqual([
    "5001: login 0, ready 1, busy→ready (C2) 5, joined in busy→ready (C1) 9, left in busy→ready (C2) 9, ready (C1) 20",
  ]);
});

test("who logs in while on a call is busy, and ringing or waiting in a queue makes nobody busy", () => {
  const story = agentStory().events(
    [0, "EventDialing", other5001],
    [3, "EventAgentLogin", at5001],
    [4, "EventAgentReady", at5001],
    [9, "EventReleased", other5001],
    [20, "EventRinging", party5001],
    [25, "EventReleased", { ...party5001, CallState: 7 }],
  );
  expect(stretches(story)).toEqual(["5001: login 3, busy (C2) 3, pending busy→ready 4, ready (C2) 9"]);
});

test("calls make agents busy also where role gcc is off, and no call has a row", () => {
  const events = [
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentReady", at5001],
    [5, "EventEstablished", party5001],
    [9, "EventReleased", party5001],
    [50, "EventAgentLogout", at5001],
  ] as const;
  const alone = agentStory({ role: ["gls"] }).events(...events);
  expect(stretches(alone)).toEqual(stretches(agentStory().events(...events)));
  expect(stretches(alone)).toEqual(["5001: login 0, ready 1, busy→ready (C1) 5, ready (C1) 9, null 50"]);
  expect(alone.rows("G_CALL", "ID")).toEqual([]);
  expect(alone.rows("G_PARTY_HISTORY", "PHID")).toEqual([]);
  expect(alone.doubts()).toEqual([]);
  expect(alone.world.all("call")).toEqual([]);
});

test("without role gls nothing of an agent is stored", () => {
  const story = agentStory({ role: ["gcc"] }).events(
    [0, "EventAgentLogin", at5001],
    [5, "EventEstablished", party5001],
  );
  expect(stretches(story)).toEqual([]);
  expect(story.world.all("login session")).toEqual([]);
});

test("what a router tells of a virtual queue is none of an agent's", () => {
  const story = agentStory().events([0, "EventAgentLogin", { ...at5001, Extensions: { VQID: "V1" } }]);
  expect(sessions(story)).toEqual([]);
});

test("another agent at a DN shows that the one before has gone, and nobody saw when", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [4, "EventAgentReady", at5001],
    [60, "EventAgentLogin", { AgentID: "A8", ThisDN: "5001" }],
  );
  expect(sessions(story)).toEqual(["A7 0–4: 5001 0–4", "A8 60–…: 5001 60–…"]);
  expect(story.doubts()).toEqual(["G_LOGIN_SESSION: end not seen, link down, 4–60"]);
});

test("an agent of whose login nothing is known has a session from then on, with a local key", () => {
  const story = agentStory().events([30, "EventAgentReady", at5001], [40, "EventAgentNotReady", at5001]);
  expect(stretches(story)).toEqual(["5001: ready 30, notReady 40"]);
  expect(story.doubts()).toEqual([
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, link down, ?–30",
  ]);
});

test("both instances of a pair give a session the same key", () => {
  const login = [0, "EventAgentLogin", at5001] as const;
  const one = agentStory().events(login);
  const other = new Story({ role: ["gls"], instance: { name: "icon-b", dbid: 9002 } }).events(login);
  const key = (story: Story) => story.rows("G_LOGIN_SESSION", "ID").map(({ LOGINSESSIONID }) => LOGINSESSIONID);
  expect(key(one)).toEqual(key(other));
});

test("times that step back within a run leave no gap and no overlap", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [10, "EventAgentReady", at5001],
    [9, "EventAgentNotReady", at5001],
    [20, "EventAgentLogout", at5001],
  );
  expect(stretches(story)).toEqual(["5001: login 0, ready 10, notReady 10, null 20"]);
  expect(totals(story)).toEqual(["null login 10/1", "null notReady 10/1"]);
});

test("an IDB that begins with what was open has the sessions that were, says so, and goes on with them", () => {
  const before = agentStory({ options: { writesActiveReasons: true } }).events(
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001" }],
    [5, "EventAgentNotReady", { ...at5001, Reasons: { Break: "coffee" } }],
  );
  const live = new LiveState();
  for (const [index, payload] of before.payloads.entries()) {
    live.step((world) => stepRecord(world, { windowSeconds: 60 }, BigInt(index + 1), payload));
  }
  const { live: kept, rowSequence } = live.takeBatch("all");
  const anew = new LiveState();
  anew.restore(
    kept.map((each) => ({ ...each, data: each.data ?? "" })),
    rowSequence,
  );
  anew.step((world) => stepBegunFromState(world, { windowSeconds: 60 }, 4n));
  const { rows } = anew.takeBatch();
  const of = (table: TableName) => [...(rows.get(table)?.values() ?? [])];
  expect(of("G_LOGIN_SESSION")).toMatchObject([{ AGENTLOGIN: "A7", CREATED: at(0), TERMINATED: null, STATE: 1 }]);
  expect(of("GX_SESSION_ENDPOINT")).toMatchObject([{ ENDPOINTDN: "5001", QUEUEDN: "8001", CREATED: at(0) }]);
  expect(of("G_AGENT_STATE_RC_A")).toMatchObject([{ KEYNAME: "Break", VALUE: "coffee", CREATED: at(5) }]);
  expect(of("ICON_ROW_QUALITY")).toMatchObject([
    { TABLE_NAME: "G_LOGIN_SESSION", REASON: "earlier rows not kept", CAUSE: "history not kept", EARLIEST: at(0) },
  ]);
  const more = agentStory().events([9, "EventAgentLogout", at5001]).payloads.at(-1) ?? new Uint8Array();
  const numbered = new TextDecoder("latin1").decode(more).replace('"EventSequenceNumber":1', '"EventSequenceNumber":3');
  const last = Uint8Array.from(numbered, (letter) => letter.charCodeAt(0));
  anew.step((world) => stepRecord(world, { windowSeconds: 60 }, 5n, last));
  const after = anew.takeBatch().rows;
  expect([...(after.get("GS_AGENT_STAT")?.values() ?? [])]).toMatchObject([
    { AGENTSTATE: 1, TT: 5 },
    { AGENTSTATE: 2, TT: 4 },
  ]);
  expect([...(after.get("G_AGENT_STATE_RC_A")?.values() ?? [])]).toEqual([null]);
});

test("a session whose login names nobody is the agent's as soon as he is named", () => {
  const nobody = { ThisDN: "5001" };
  const story = agentStory().events(
    [0, "EventAgentLogin", nobody],
    [5, "EventAgentReady", at5001],
    [7, "EventAgentLogin", { ...at5001, ThisDN: "5002" }],
    [9, "EventAgentNotReady", nobody],
  );
  expect(sessions(story)).toEqual(["A7 0–…: 5001 0–…, 5002 7–…"]);
  story.events([20, "EventAgentLogout", nobody], [30, "EventAgentLogout", { ThisDN: "5002" }]);
  expect(sessions(story)).toEqual(["A7 0–30: 5001 0–20, 5002 7–30"]);
  expect(story.doubts()).toEqual([]);
});
