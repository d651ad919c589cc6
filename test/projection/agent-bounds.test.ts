// gls-max-duration and gls-max-inactivity: when a login session that is left open ends, what is said of it, and who comes back.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { type AgentOptions, defaultAgentOptions } from "../../src/event/envelope.ts";
import { at5001, party5001, sessions, stretches } from "../harness/agent-story.ts";
import { type Dump, differencesBetween, readWhole } from "../harness/dump.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { fold, store } from "../harness/stored-story.ts";
import { at, Story } from "../harness/story.ts";

const role = ["gcc", "gls"];
const story = (bounds: Partial<AgentOptions>, more: object = {}) =>
  new Story({ role, agents: { ...defaultAgentOptions, ...bounds }, callDeletionTimeoutSeconds: 5, ...more });
const login = { ...at5001, ThisQueue: "8001" };
const of = (s: Story) => s.doubts().filter((each) => each.startsWith("G_LOGIN_SESSION"));

test("a session in which nothing changes ends at its bound, and the agent may have been gone since the last change", () => {
  const s = story({ idleSecondsMax: 3600 }).events(
    [0, "EventAgentLogin", login],
    [10, "EventAgentReady", at5001],
    [100, "EventAgentNotReady", at5001],
  );
  s.heartbeat(3699);
  expect(sessions(s)).toEqual(["A7 0–…: 5001/8001 0–…"]);
  s.heartbeat(9000);
  expect(sessions(s)).toEqual(["A7 0–3700: 5001/8001 0–3700"]);
  expect(stretches(s)).toEqual(["5001/8001: login 0, ready 10, notReady 100, null 3700"]);
  expect(of(s)).toEqual(["G_LOGIN_SESSION: end not seen, gls-max-inactivity, 100–3700"]);
  expect(s.rows("GS_AGENT_STAT", "ID").map(({ AGENTSTATE, TT }) => [AGENTSTATE, TT])).toEqual([
    [1, 10],
    [3, 90],
    [2, 3600],
  ]);
});

test("a change puts the end off, and a call keeps a session from being idle for as long as it lasts", () => {
  const s = story({ idleSecondsMax: 3600 }).events(
    [0, "EventAgentLogin", login],
    [3000, "EventAgentReady", at5001],
    [5000, "EventEstablished", party5001],
  );
  s.heartbeat(6000).heartbeat(20_000).heartbeat(29_000);
  expect(sessions(s)).toEqual(["A7 0–…: 5001/8001 0–…"]);
  s.events([30_000, "EventReleased", party5001]).heartbeat(33_599);
  expect(sessions(s)).toEqual(["A7 0–…: 5001/8001 0–…"]);
  s.heartbeat(33_600);
  expect(sessions(s)).toEqual(["A7 0–33600: 5001/8001 0–33600"]);
  expect(of(s)).toEqual(["G_LOGIN_SESSION: end not seen, gls-max-inactivity, 30000–33600"]);
});

test("a session is no longer than gls-max-duration, with its last change for the earliest end; a call shows that the agent was there", () => {
  const s = story({ sessionSecondsMax: 1000 }).events([0, "EventAgentLogin", login], [700, "EventAgentReady", at5001]);
  s.heartbeat(1000);
  expect(sessions(s)).toEqual(["A7 0–1000: 5001/8001 0–1000"]);
  expect(of(s)).toEqual(["G_LOGIN_SESSION: end not seen, gls-max-duration, 700–1000"]);
  const talking = story({ sessionSecondsMax: 1000 }).events(
    [0, "EventAgentLogin", login],
    [700, "EventEstablished", party5001],
    [1500, "EventReleased", party5001],
  );
  expect(stretches(talking)).toEqual(["5001/8001: login 0, busy (C1) 700, null 1000"]);
  expect(of(talking)).toEqual(["G_LOGIN_SESSION: end not seen, gls-max-duration, 1000–1000"]);
});

test("whichever bound comes first holds, for all DNs and queues of the session, and an event at the bound comes after it", () => {
  const s = story({ sessionSecondsMax: 5000, idleSecondsMax: 1000 }).events(
    [0, "EventAgentLogin", login],
    [5, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
    [10, "EventAgentLogin", { AgentID: "A7", ThisDN: "7001" }],
    [1010, "EventAgentReady", { AgentID: "A7", ThisDN: "7001" }],
  );
  expect(sessions(s)).toEqual([
    "A7 0–1010: 5001/8001 0–1010, 5001/8002 5–1010, 7001 10–1010",
    "A7 1010–…: 7001 1010–…",
  ]);
  expect(of(s)).toEqual([
    "G_LOGIN_SESSION: end not seen, gls-max-inactivity, 10–1010",
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, gls-max-inactivity, 1010–1010",
  ]);
});

test("whose DN gets a call after all is there, in the state that he was left in, and the call is his", () => {
  const s = story({ idleSecondsMax: 1000 }).events(
    [0, "EventAgentLogin", login],
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
    [10, "EventAgentReady", at5001],
    [2000, "EventRinging", party5001],
    [2005, "EventEstablished", party5001],
    [2100, "EventReleased", party5001],
    [2200, "EventAgentLogout", at5001],
  );
  expect(stretches(s)).toEqual([
    "5001/8001: login 0, ready 10, null 1010, ready 2005, busy→ready (C1) 2005, ready (C1) 2100, null 2200",
    "5001/8002: login 0, ready 10, null 1010, ready 2005, busy→ready (C1) 2005, ready (C1) 2100, null 2200",
  ]);
  expect(of(s)).toEqual([
    "G_LOGIN_SESSION: end not seen, gls-max-inactivity, 10–1010",
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, gls-max-inactivity, 1010–2005",
  ]);
  expect(s.world.count("closed agent")).toBe(0);
});

test("who logs out late, or logs in anew, was gone: later calls are nobody's, and a login has its own key", () => {
  const s = story({ idleSecondsMax: 1000 }).events(
    [0, "EventAgentLogin", login],
    [2000, "EventAgentLogout", at5001],
    [2005, "EventEstablished", party5001],
    [2100, "EventReleased", party5001],
    [3000, "EventAgentLogin", login],
  );
  expect(sessions(s)).toEqual(["A7 0–1000: 5001/8001 0–1000", "A7 3000–…: 5001/8001 3000–…"]);
  expect(of(s)).toEqual(["G_LOGIN_SESSION: end not seen, gls-max-inactivity, 0–1000"]);
  expect(s.rows("ICON_COUNTER", "NAME").map(({ NAME }) => NAME)).toEqual(["login session ended unseen"]);
});

const origin = { origin: { run: "run-1", seq: 1, time: Date.parse(at(0)) / 1000 } };

test("a snapshot's word on a login that has had its session is old news, unless something has been told since", () => {
  const s = story({ idleSecondsMax: 1000 }).events([0, "EventAgentLogin", login], [10, "EventAgentReady", login]);
  s.heartbeat(2000).close("connection lost").open();
  s.snapshot(2, [0, "EventAgentLogin", { ...login, ...origin }], [10, "EventAgentReady", { ...login, ...origin }]);
  expect(sessions(s)).toEqual(["A7 0–1010: 5001/8001 0–1010"]);
  s.heartbeat(2500).close("connection lost").open();
  s.snapshot(9, [0, "EventAgentLogin", { ...login, ...origin }], [2600, "EventAgentNotReady", { ...login, ...origin }]);
  expect(sessions(s)).toEqual(["A7 0–1010: 5001/8001 0–1010", "A7 2600–…: 5001/8001 2600–…"]);
  expect(new Set(s.rows("G_LOGIN_SESSION", "ID").map((row) => row.LOGINSESSIONID)).size).toBe(2);
});

test("a snapshot that does not name the DN says that the agent has left", () => {
  const s = story({ idleSecondsMax: 1000 }).events([0, "EventAgentLogin", login]);
  s.heartbeat(2000).close("connection lost").open().snapshot(1);
  expect(s.world.count("closed agent")).toBe(0);
  s.events([2005, "EventEstablished", party5001]);
  expect(sessions(s)).toEqual(["A7 0–1000: 5001/8001 0–1000"]);
});

test("without a bound a session is as long as the source says; one that is set holds for what is open", () => {
  const s = story({}).events([0, "EventAgentLogin", login]);
  s.heartbeat(500_000);
  expect(sessions(s)).toEqual(["A7 0–…: 5001/8001 0–…"]);
  s.reload({ options: { agents: { ...defaultAgentOptions, idleSecondsMax: 600_000 } } }).heartbeat(599_999);
  expect(sessions(s)).toEqual(["A7 0–…: 5001/8001 0–…"]);
  s.heartbeat(600_001);
  expect(sessions(s)).toEqual(["A7 0–600000: 5001/8001 0–600000"]);
});

test("states of the site's own end with the session", () => {
  const userEvents = {
    ...{ store: "none", eventKeys: [], globalKeys: [], fields: [], callsMax: 16 },
    states: [[200, "Research"]],
  } as const;
  const s = story({ idleSecondsMax: 1000 }, { role: ["gcc", "gls", "gud"], userEvents }).events(
    [0, "EventAgentLogin", login],
    [50, "EventUserEvent", { ConnID: undefined, CallUUID: undefined, ThisDN: "5001", UserData: { Research: "+" } }],
  );
  s.heartbeat(1500);
  expect(s.rows("G_CUSTOM_STATES", "ID").map(({ CREATED, TERMINATED }) => [CREATED, TERMINATED])).toEqual([
    [at(50), at(1000)],
  ]);
});

const happening = fc.record({
  id: fc.constantFrom(
    ...["EventAgentLogin", "EventAgentReady", "EventAgentNotReady", "EventQueueLogout", "EventAgentLogout"],
    ...["EventEstablished", "EventReleased", "heartbeat", "heartbeat"],
  ),
  dn: fc.constantFrom("5001", "5002", "5003"),
  queue: fc.constantFrom("8001", "8002", undefined),
  after: fc.nat(900),
});

test("with restarts after every few records sessions end at the same bounds, row for row", async () => {
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      fc.boolean(),
      async (happenings, chunk, hidesQueues) => {
        const agents = { ...defaultAgentOptions, sessionSecondsMax: 4000, idleSecondsMax: 700 };
        const options = hidesQueues ? { leavesOut: ["gls-queue"] as const } : {};
        const s = new Story({ role, agents, options });
        let now = 0;
        for (const { id, dn, queue, after } of happenings) {
          now += after;
          const call = { ConnID: `0${dn}`, CallUUID: `C${dn}`, ThisDN: dn, ThisDNRole: 2, PartyUUID: `P${dn}` };
          const agent = { ConnID: null, CallUUID: null, ThisDN: dn, AgentID: `A${dn}`, ThisQueue: queue };
          if (id === "heartbeat") s.heartbeat(now);
          else s.events([now, id, /Agent|Queue/.test(id) ? agent : call]);
        }
        const { payloads } = s.heartbeat(now + 10_000);
        const [whole, inPieces] = [await folded(payloads, payloads.length), await folded(payloads, chunk)];
        expect(differencesBetween(whole, inPieces)).toEqual([]);
        ended += of(s).filter((each) => each.includes("gls-max-")).length;
        const keys = s.rows("G_LOGIN_SESSION", "ID").map((row) => row.LOGINSESSIONID);
        expect(new Set(keys).size).toBe(keys.length);
        expect(s.world.count("login session")).toBe(0);
      },
    ),
    { numRuns: 12 },
  );
  expect(ended).toBeGreaterThan(10);
}, 120_000);

async function folded(payloads: readonly Uint8Array[], chunk: number): Promise<Dump> {
  using directory = new TemporaryDirectory("agent-bounds");
  for (let from = 0; from < payloads.length; from += chunk) {
    await store(`${directory.path}/queue`, payloads.slice(from, from + chunk));
    await fold(`${directory.path}/queue`, `${directory.path}/idb.db`);
  }
  return readWhole(`${directory.path}/idb.db`);
}
