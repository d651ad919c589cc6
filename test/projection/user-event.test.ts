// User events of agents' desktops: with which call they are stored, which of their keys, and the states they make.

import { expect, test } from "bun:test";
import type { UserEventMapping } from "../../src/event/user-events.ts";
import { at, Story } from "../harness/story.ts";

const none: UserEventMapping = {
  store: "none",
  eventKeys: [],
  globalKeys: [],
  states: [],
  fields: [],
  callsMax: 16,
};
const on = (call: string, dn = "5001") => ({
  ConnID: `0${call}`,
  CallUUID: `C${call}`,
  ThisDN: dn,
  ThisDNRole: 2,
  PartyUUID: `P${call}${dn}`,
});
/** Of the desktop at a DN, without a call. */
const desk = (data: unknown, dn = "5001") => ({ ConnID: undefined, CallUUID: undefined, ThisDN: dn, UserData: data });
const user = "EventUserEvent";

function story(mapping: Partial<UserEventMapping>, role: readonly string[] = ["gcc", "gud"]): Story {
  return new Story({ role, userEvents: { ...none, ...mapping }, callDeletionTimeoutSeconds: 5 });
}

function data(of: Story, table: "G_CUSTOM_DATA_S" | "G_CUSTOM_DATA_P" = "G_CUSTOM_DATA_S"): string[] {
  return of
    .rows(table, "ID")
    .map((row) => `${row.KEYNAME}=${row.VALUE} ${row.CALLID} ${row.PARTYID} ${row.PSEQ} at ${row.ENDPOINTDN}`);
}

test("data of a user event stands with the call on its DN, else with the last that was there, else with none", () => {
  const s = story({ store: "all" }).events(
    [0, user, desk({ k: "before" })],
    [1, "EventRinging", on("1")],
    [2, "EventRinging", on("2", "5002")],
    [3, user, desk({ k: "ringing" })],
    [4, "EventEstablished", on("1")],
    [5, user, desk({ k: "talking" })],
    [6, "EventReleased", on("1")],
    [20, user, desk({ k: "after" })],
    [21, user, desk({ k: "elsewhere" }, "5003")],
  );
  expect(data(s)).toEqual([
    "k=before null null 0 at 5001",
    "k=ringing C1 P15001 2 at 5001",
    "k=talking C1 P15001 3 at 5001",
    "k=after C1 P15001 0 at 5001",
    "k=elsewhere null null 0 at 5003",
  ]);
  expect(s.rows("G_CUSTOM_DATA_S", "ID")[1]?.ADDED).toBe(at(3));
  expect(s.rows("G_USERDATA_HISTORY", "ID")).toEqual([]);
});

test("of several calls on a DN the latest is meant, unless the event names one; one that has ended comes after those that go on", () => {
  const s = story({ store: "all" }).events(
    [1, "EventRinging", on("1")],
    [2, "EventDialing", on("2")],
    [3, user, desk({ k: "a" })],
    [4, user, { ...on("1"), UserData: { k: "b" } }],
    [5, "EventReleased", on("2")],
    [6, user, desk({ k: "c" })],
  );
  expect(data(s).map((each) => each.slice(0, 6))).toEqual(["k=a C2", "k=b C1", "k=c C1"]);
});

test("no more calls of a DN are remembered than max-party-info says", () => {
  const s = story({ store: "all", callsMax: 4 });
  for (let call = 1; call <= 9; call++) s.events([call, "EventRinging", on(String(call))]);
  const [, device] = s.world.all("device calls")[0] ?? [];
  expect(device?.calls.map(({ callId }) => callId)).toEqual(["C6", "C7", "C8", "C9"].map((each) => each as never));
});

test("a snapshot tells which call a DN is on", () => {
  const s = story({ store: "all" });
  s.snapshot(5, [1, "EventEstablished", on("1")]).events([6, user, desk({ k: "x" })]);
  expect(data(s)).toEqual(["k=x C1 P15001 2 at 5001"]);
});

test("which keys are stored: none, all, or those that are named; global ones in a table of their own; lists are left out", () => {
  const told = { a: "1", b: 2, g: "all", list: { x: "1" } };
  const keys = (mapping: Partial<UserEventMapping>) => {
    const s = story(mapping).events([0, user, desk(told)]);
    return [data(s), data(s, "G_CUSTOM_DATA_P")].map((rows) => rows.map((row) => row.split(" ")[0]));
  };
  expect(keys({ globalKeys: ["g"] })).toEqual([[], ["g=all"]]);
  expect(keys({ store: "all" })).toEqual([["a=1", "b=2", "g=all"], []]);
  expect(keys({ store: "all", globalKeys: ["g"] })).toEqual([["a=1", "b=2"], ["g=all"]]);
  expect(keys({ store: "conf", eventKeys: ["b", "list", "no"], globalKeys: ["g"] })).toEqual([["b=2"], ["g=all"]]);
});

test("extensions are stored beside user data: none, all, or those that are named; they are no global data and make no state", () => {
  const told = {
    ...desk({ k: "data", g: "site" }),
    Extensions: { k: "extension", g: "x", Research: "+", list: { y: 1 } },
  };
  const keys = (mapping: Partial<UserEventMapping>) => {
    const s = story({ globalKeys: ["g"], states: [[200, "Research"]], ...mapping }).events([0, user, told]);
    expect(s.rows("G_CUSTOM_STATES", "ID")).toEqual([]);
    return [data(s), data(s, "G_CUSTOM_DATA_P")].map((rows) => rows.map((row) => row.split(" ")[0]));
  };
  expect(keys({ store: "all" })).toEqual([["k=data"], ["g=site"]]);
  expect(keys({ storeExtensions: "all" })).toEqual([["k=extension", "g=x", "Research=+"], ["g=site"]]);
  expect(keys({ storeExtensions: "conf", extensionKeys: ["k", "list", "no"] })).toEqual([["k=extension"], ["g=site"]]);
  expect(keys({ storeExtensions: "conf" })).toEqual([[], ["g=site"]]);
  expect(keys({ store: "all", storeExtensions: "all" })[0]).toEqual(["k=data", "k=extension", "g=x", "Research=+"]);
});

test("a user event without user data has its extensions stored with the call on its DN", () => {
  const s = story({ storeExtensions: "all" }).events(
    [1, "EventRinging", on("1")],
    [3, user, { ...desk(undefined), Extensions: { MonitorMode: "whisper" } }],
  );
  expect(data(s)).toEqual(["MonitorMode=whisper C1 P15001 2 at 5001"]);
});

test("a state of the site's own is a row from its plus to its minus, with what came meanwhile", () => {
  const s = story({
    states: [
      [200, "Research"],
      [201, "Typing"],
    ],
    fields: [["TOPIC", "ResearchTopic"]],
  }).events(
    [1, "EventRinging", on("1")],
    [2, user, desk({ Research: "+", ResearchTopic: "tariff" })],
    [3, user, desk({ Typing: "+" })],
    [4, user, desk({ ResearchTopic: "invoice" })],
    [5, user, desk({ Research: "+" })],
    [6, user, desk({ Research: "-", Typing: "?" })],
    [7, user, desk({ Research: "-" })],
    [9, "EventAgentLogout", desk({})],
    [10, user, desk({ Typing: "-" })],
  );
  const [party] = s.rows("G_PARTY", "ID");
  expect(party).toMatchObject({ CALLID: "C1", PARTYGUID: "P15001" });
  const partyId = party?.PARTYID ?? null;
  expect(partyId).not.toBe("P15001");
  const rows = s.rows("G_CUSTOM_STATES", "ID").map(({ STATE, CALLID, PARTYID, FIELDS, CREATED, TERMINATED }) => {
    return [STATE, CALLID, PARTYID, FIELDS, CREATED, TERMINATED];
  });
  expect(rows).toEqual([
    [200, "C1", partyId, '{"TOPIC":"invoice"}', at(2), at(6)],
    [201, "C1", partyId, '{"TOPIC":"invoice"}', at(3), at(9)],
  ]);
  expect(s.rows("ICON_COUNTER", "NAME")).toMatchObject([{ NAME: "custom state that does not follow", VALUE: 3 }]);
  expect(s.world.count("custom states")).toBe(0);
});

test("a state that goes on has no end yet, and states of another DN are others", () => {
  const s = story({ states: [[200, "Research"]] }).events(
    [1, user, desk({ Research: "+" })],
    [2, user, desk({ Research: "+" }, "5002")],
    [3, user, desk({ Research: "-" }, "5002")],
  );
  const rows = s
    .rows("G_CUSTOM_STATES", "ID")
    .map(({ ENDPOINTDN, TERMINATED, FIELDS }) => [ENDPOINTDN, TERMINATED, FIELDS]);
  expect(rows).toEqual([
    ["5001", null, null],
    ["5002", at(3), null],
  ]);
});

const login = (dn: string, more = {}) => ({ ...desk(undefined, dn), AgentID: `A${dn}`, ...more });
const research = { states: [[200, "Research"]] } as const;

/** "DN created – terminated" in seconds, and the login session if it has one. */
function stretches(of: Story): string[] {
  const seconds = (text: string | null | undefined) =>
    text == null ? "…" : String((Date.parse(text) - Date.parse(at(0))) / 1000);
  const sessions = new Map(of.rows("G_LOGIN_SESSION", "ID").map((row) => [row.LOGINSESSIONID, row.AGENTLOGIN]));
  return of.rows("G_CUSTOM_STATES", "ID").map((row) => {
    const session = row.LOGINSESSIONID == null ? "" : ` of ${sessions.get(row.LOGINSESSIONID)}`;
    return `${row.ENDPOINTDN} ${seconds(row.CREATED)} – ${seconds(row.TERMINATED)}${session}`;
  });
}

for (const role of [["gud"], ["gcc", "gud"], ["gcc", "gls", "gud"]]) {
  test(`states of an agent whom a complete snapshot does not name have ended unseen, with role ${role.join(", ")}`, () => {
    const s = story(research, role).events(
      [0, "EventAgentLogin", login("5001")],
      [1, "EventAgentLogin", login("5002")],
      [2, "EventAgentLogin", login("5003")],
      [10, user, desk({ Research: "+" }, "5001")],
      [11, user, desk({ Research: "+" }, "5002")],
      [12, user, desk({ Research: "+" }, "5003")],
    );
    s.heartbeat(20).close("connection lost").wait(60).open();
    const origin = (seconds: number, seq: number) => ({
      origin: { run: "run-1", seq, time: Date.parse(at(seconds)) / 1000 },
    });
    s.snapshot(
      20,
      [1, "EventAgentLogin", login("5002", origin(1, 2))],
      // Logged out and in again, while nobody listened.
      [50, "EventAgentLogin", login("5003", origin(50, 15))],
    );
    const of = (agent: string) => (role.includes("gls") ? ` of ${agent}` : "");
    expect(stretches(s)).toEqual([
      `5001 10 – 20${of("A5001")}`,
      `5002 11 – …${of("A5002")}`,
      `5003 12 – 20${of("A5003")}`,
    ]);
    expect(s.doubts().filter((each) => each.startsWith("G_CUSTOM_STATES"))).toEqual([
      "G_CUSTOM_STATES: end not seen, link down, 20–80",
      "G_CUSTOM_STATES: end not seen, link down, 20–80",
    ]);
    const keys = s.rows("ICON_ROW_QUALITY", "ID").filter((row) => row.TABLE_NAME === "G_CUSTOM_STATES");
    expect(keys.map((row) => row.ROW_KEY).toSorted()).toEqual([`5001/200/${at(10)}`, `5003/200/${at(12)}`]);
    expect(s.world.count("custom states")).toBe(1);
    s.events([70, user, desk({ Research: "-" }, "5002")]);
    expect(stretches(s)[1]).toBe(`5002 11 – 70${of("A5002")}`);
  });
}

test("a new run of the server is no logout; its snapshot says who is there still", () => {
  const s = story(research).events(
    [0, "EventAgentLogin", login("5001")],
    [10, user, desk({ Research: "+" }, "5001")],
    [11, user, desk({ Research: "+" }, "5002")],
  );
  s.heartbeat(20).close("connection lost").wait(60).open({ run: "run-2" });
  s.snapshot(0, [0, "EventAgentReady", login("5001")]);
  expect(stretches(s)).toEqual(["5001 10 – …", "5002 11 – 20"]);
});

test("where the clock steps back, a state ends no earlier than it began", () => {
  const s = story(research, ["gls", "gud"]).events(
    [0, "EventAgentLogin", login("5001")],
    [10, user, desk({ Research: "+" })],
    [5, user, desk({ Research: "-" })],
    [6, user, desk({ Research: "+" })],
    [3, "EventAgentLogout", login("5001")],
  );
  expect(stretches(s)).toEqual(["5001 10 – 10 of A5001", "5001 6 – 6 of A5001"]);
});

test("a snapshot of which a line is missing ends no state", () => {
  const s = story(research).events([10, user, desk({ Research: "+" }, "5001")]);
  s.heartbeat(20).close("connection lost").wait(60).open();
  s.line({ snapshot: "begin" }).line("{").line({ snapshot: "end", lastSeq: 1 });
  expect(stretches(s)).toEqual(["5001 10 – …"]);
});

test("with role gls a state ends when the agent has left the DN, whichever word told it", () => {
  const s = story(research, ["gls", "gud"]).events(
    [0, "EventAgentLogin", login("5001", { ThisQueue: "8001" })],
    [1, user, desk({ Research: "+" }, "5001")],
    [9, "EventQueueLogout", login("5001", { ThisQueue: "8001" })],
    [20, "EventAgentLogin", login("5002")],
    [21, user, desk({ Research: "+" }, "5002")],
    // Another agent is there: the logout was not seen.
    [30, "EventAgentLogin", login("5002", { AgentID: "B" })],
  );
  expect(stretches(s)).toEqual(["5001 1 – 9 of A5001", "5002 21 – 21 of A5002"]);
  expect(s.doubts().filter((each) => each.startsWith("G_CUSTOM_STATES"))).toEqual([
    "G_CUSTOM_STATES: end not seen, link down, 21–30",
  ]);
});

test("without role gud, and without a word in the configuration, nothing of user events is stored or remembered", () => {
  for (const s of [story({ store: "all" }, ["gcc"]), new Story({ role: ["gcc", "gud"] })]) {
    s.events([1, "EventRinging", on("1")], [2, user, desk({ k: "x" })]);
    expect(data(s)).toEqual([]);
    expect(s.world.count("device calls")).toBe(0);
  }
});
