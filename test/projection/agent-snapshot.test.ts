// Agents against snapshots: who goes on, who has left while nobody listened, and what is said to be in doubt.

import { expect, test } from "bun:test";
import { agentStory, at5001, other5001, party5001, secondsOf, sessions, stretches } from "../harness/agent-story.ts";
import { type Story, startMs } from "../harness/story.ts";

const origin = (seq: number, seconds: number, run = "run-1") => ({
  origin: { run, seq, time: startMs / 1000 + seconds },
});
const doubts = (story: Story) => story.doubts().filter((doubt) => doubt.startsWith("G_LOGIN_SESSION"));
const keys = (story: Story) => story.rows("G_LOGIN_SESSION", "ID").map(({ LOGINSESSIONID }) => LOGINSESSIONID);

const begun = () =>
  agentStory()
    .events(
      [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001" }],
      [1, "EventAgentReady", at5001],
      [2, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
      [20, "EventAgentLogin", { AgentID: "A8", ThisDN: "5002" }],
    )
    .heartbeat(100);
const afterCut = (run?: string) =>
  begun()
    .close("connection lost")
    .wait(300)
    .open(run === undefined ? {} : { run });

test("found with its origin, a session has the key that the copy which saw it has; without, a local one", () => {
  const seen = agentStory().events([5, "EventAgentLogin", at5001], [9, "EventAgentNotReady", at5001]);
  const found = agentStory().snapshot(
    7,
    [5, "EventAgentLogin", { ...at5001, ...origin(1, 5) }],
    [9, "EventAgentNotReady", { ...at5001, ...origin(1, 5) }],
  );
  expect(keys(found)).toEqual(keys(seen));
  expect(stretches(found)).toEqual(stretches(seen));
  expect(stretches(found)).toEqual(["5001: login 5, notReady 9"]);
  expect(doubts(found)).toEqual([
    "G_LOGIN_SESSION: beginning not seen, found in snapshot, 5–5",
    "G_LOGIN_SESSION: change not seen, found in snapshot, 9–9",
  ]);
  const local = agentStory().snapshot(7, [9, "EventAgentNotReady", at5001]);
  expect(keys(local)).not.toEqual(keys(seen));
  expect(sessions(local)).toEqual(["A7 9–…: 5001 9–…"]);
  expect(doubts(local)).toEqual([
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, found in snapshot, 9–9",
  ]);
});

test("whom a snapshot names unchanged goes on, whoever it does not name has left while nobody listened", () => {
  const same = afterCut().snapshot(
    4,
    [0, "EventAgentLogin", { ...at5001, ThisQueue: "8001", ...origin(1, 0) }],
    [2, "EventAgentLogin", { ...at5001, ThisQueue: "8002", ...origin(1, 0) }],
    [1, "EventAgentReady", { ...at5001, ...origin(1, 0) }],
    [20, "EventAgentLogin", { AgentID: "A8", ThisDN: "5002", ...origin(4, 20) }],
  );
  expect(sessions(same)).toEqual(["A7 0–…: 5001/8001 0–…, 5001/8002 2–…", "A8 20–…: 5002 20–…"]);
  expect(doubts(same)).toEqual([]);

  const less = afterCut().snapshot(4, [1, "EventAgentReady", { ...at5001, ThisQueue: "8002" }]);
  expect(sessions(less)).toEqual(["A7 0–…: 5001/8001 0–100, 5001/8002 2–…", "A8 20–100: 5002 20–100"]);
  expect(doubts(less)).toEqual([
    "G_LOGIN_SESSION: change not seen, link down, 100–400",
    "G_LOGIN_SESSION: end not seen, link down, 100–400",
  ]);
});

test("what changed while nobody listened is as of when the source says, and marked", () => {
  const story = afterCut().snapshot(
    9,
    [250, "EventAgentNotReady", { ...at5001, AgentWorkMode: 4 }],
    [20, "EventAgentLogin", { AgentID: "A8", ThisDN: "5002" }],
    [260, "EventDNDOn", { AgentID: "A8", ThisDN: "5002" }],
  );
  expect(stretches(story)).toEqual([
    "5001/8001: login 0, ready 1, notReady 250",
    "5001/8002: ready 2, notReady 250",
    "5002: login 20",
  ]);
  expect(doubts(story)).toEqual([
    "G_LOGIN_SESSION: change not seen, found in snapshot, 100–250",
    "G_LOGIN_SESSION: change not seen, found in snapshot, 100–260",
  ]);
  expect(story.rows("G_DND_HISTORY", "ID").map(({ STATE }) => STATE)).toEqual([1]);
});

test("a state that is the same and began meanwhile was another in between: marked, and not written again", () => {
  const story = afterCut().snapshot(
    9,
    [200, "EventAgentReady", at5001],
    [20, "EventAgentLogin", { AgentID: "A8", ThisDN: "5002" }],
  );
  expect(stretches(story)[0]).toBe("5001/8001: login 0, ready 1");
  expect(doubts(story)).toEqual(["G_LOGIN_SESSION: change not seen, found in snapshot, 100–200"]);
});

test("an agent who logged out and in again, or sits elsewhere, has another session", () => {
  const again = afterCut().snapshot(9, [150, "EventAgentLogin", { ...at5001, ...origin(7, 150) }]);
  expect(sessions(again)).toEqual([
    "A7 0–100: 5001/8001 0–100, 5001/8002 2–100",
    "A8 20–100: 5002 20–100",
    "A7 150–…: 5001 150–…",
  ]);
  const swapped = afterCut().snapshot(9, [
    150,
    "EventAgentLogin",
    { AgentID: "A8", ThisDN: "5001", ...origin(7, 150) },
  ]);
  expect(sessions(swapped)).toEqual([
    "A7 0–100: 5001/8001 0–100, 5001/8002 2–100",
    "A8 20–100: 5002 20–100",
    "A8 150–…: 5001 150–…",
  ]);
});

test("who has changed queues meanwhile goes on in the same session, also when all of them are others", () => {
  const story = afterCut().snapshot(
    9,
    [200, "EventAgentLogin", { ...at5001, ThisQueue: "8001", ...origin(1, 0) }],
    [210, "EventAgentLogin", { ...at5001, ThisQueue: "8003", ...origin(1, 0) }],
    [1, "EventAgentReady", { ...at5001, ...origin(1, 0) }],
  );
  expect(sessions(story)).toEqual([
    "A7 0–…: 5001/8001 0–100, 5001/8002 2–100, 5001/8001 200–…, 5001/8003 210–…",
    "A8 20–100: 5002 20–100",
  ]);
  expect(stretches(story).filter((line) => line.startsWith("5001"))).toEqual([
    "5001/8001: login 0, ready 1, null 100, ready 200",
    "5001/8002: ready 2, null 100",
    "5001/8003: ready 210",
  ]);
  story.events([300, "EventAgentLogout", at5001]);
  expect(sessions(story)[0]).toStartWith("A7 0–300: ");
});

test("do not disturb that a snapshot does not name was switched off while nobody listened", () => {
  const story = begun().events([50, "EventDNDOn", at5001]).heartbeat(100).close("connection lost").wait(300).open();
  story.snapshot(5, [1, "EventAgentReady", at5001], [20, "EventAgentLogin", { AgentID: "A8", ThisDN: "5002" }]);
  expect(story.rows("G_DND_HISTORY", "ID").map(({ STATE, ADDED }) => [STATE, secondsOf(ADDED)])).toEqual([
    [1, "50"],
    [0, "100"],
  ]);
  expect(doubts(story)).toEqual(["G_LOGIN_SESSION: change not seen, link down, 100–400"]);
});

test("a new server run confirms whoever it names and ends the others", () => {
  const story = afterCut("run-2").snapshot(0, [1, "EventAgentReady", { ...at5001, ...origin(1, 0, "run-1") }]);
  expect(sessions(story)).toEqual(["A7 0–…: 5001/8001 0–…, 5001/8002 2–…", "A8 20–100: 5002 20–100"]);
  expect(doubts(story)).toEqual(["G_LOGIN_SESSION: end not seen, source restart, 100–400"]);
  story.events([500, "EventAgentLogout", at5001]);
  expect(stretches(story)[0]).toBe("5001/8001: login 0, ready 1, null 500");
});

test("calls that came or went while nobody listened are taken in in the order of their times", () => {
  const story = agentStory()
    .events([0, "EventAgentLogin", at5001], [1, "EventAgentReady", at5001], [10, "EventEstablished", party5001])
    .heartbeat(100)
    .close("connection lost")
    .wait(300)
    .open()
    .snapshot(9, [200, "EventAgentNotReady", at5001], [250, "EventEstablished", other5001]);
  expect(stretches(story)).toEqual([
    "5001: login 0, ready 1, busy→ready (C1) 10, ready (C1) 100, notReady 200, busy→notReady (C2) 250",
  ]);
  expect(doubts(story)).toEqual([
    "G_LOGIN_SESSION: change not seen, link down, 100–400",
    "G_LOGIN_SESSION: change not seen, found in snapshot, 100–200",
    "G_LOGIN_SESSION: change not seen, link down, 100–250",
  ]);
  const first = agentStory().snapshot(9, [200, "EventAgentNotReady", at5001], [250, "EventEstablished", other5001]);
  expect(stretches(first)).toEqual(["5001: notReady 200, busy→notReady (C2) 250"]);
});

test("a snapshot with a line that could not be taken in ends nobody, and one cut short changes nothing", () => {
  const damaged = afterCut();
  damaged.line({ snapshot: "begin" }).line("nonsense").line({ snapshot: "end", lastSeq: 4 });
  expect(sessions(damaged)).toEqual(["A7 0–…: 5001/8001 0–…, 5001/8002 2–…", "A8 20–…: 5002 20–…"]);
  const cut = afterCut().line({ snapshot: "begin" });
  cut.line({ id: "EventAgentReady", snapshot: true, time: startMs / 1000 + 90, AgentID: "A9", ThisDN: "5009" });
  cut.close("connection lost").open().line({ resumed: 4 });
  expect(sessions(cut)).toEqual(["A7 0–…: 5001/8001 0–…, 5001/8002 2–…", "A8 20–…: 5002 20–…"]);
  expect(cut.world.all("snapshot item")).toEqual([]);
});

test("role gls switched off ends what it knew there and then; switched on again, what it finds is marked", () => {
  const story = begun().reload({ role: ["gcc"] });
  story.events([200, "EventAgentNotReady", at5001]).reload({ role: ["gcc", "gls"] });
  story.events([300, "EventAgentReady", at5001]);
  expect(sessions(story)).toEqual([
    "A7 0–100: 5001/8001 0–100, 5001/8002 2–100",
    "A8 20–100: 5002 20–100",
    "A7 300–…: 5001 300–…",
  ]);
  expect(doubts(story)).toEqual([
    "G_LOGIN_SESSION: end not seen, not recorded, 100–?",
    "G_LOGIN_SESSION: end not seen, not recorded, 100–?",
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, link down, ?–300",
  ]);
});

test("role gcc switched on while a call goes on that was only followed: it has rows from then on", () => {
  const story = agentStory({ role: ["gls"] }).events(
    [0, "EventAgentLogin", at5001],
    [5, "EventEstablished", party5001],
  );
  story.reload({ role: ["gcc", "gls"] }).events([9, "EventHeld", party5001], [12, "EventReleased", party5001]);
  expect(stretches(story)).toEqual(["5001: login 0, busy (C1) 5, login (C1) 12"]);
  story.expectParties("5001: hold 9 | 12");
  expect(story.doubts()).toEqual(["G_CALL: earlier rows not kept, not recorded, 5–5"]);
});
