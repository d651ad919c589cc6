// What becomes of agents' rows when somebody left unseen, or the source's clock stepped back: none ends before it began,
// and a session's history never goes back.

import { expect, test } from "bun:test";
import { agentStory, at5001, reasons, secondsOf, sessions, stretches } from "../harness/agent-story.ts";
import type { Story } from "../harness/story.ts";

const at5002 = { ...at5001, ThisDN: "5002" };
const onQueue = { ...at5001, ThisQueue: "8001" };

test("a reason that was set after the last change of state ends no earlier when another agent takes the DN", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [10, "EventAgentNotReady", at5001],
    [20, "EventAgentIdleReasonSet", { ...at5001, Reasons: { Break: "coffee" } }],
    [30, "EventAgentLogin", { ThisDN: "5001", AgentID: "A8" }],
  );
  expect(reasons(story)).toEqual(["Break=coffee in notReady, 20–20"]);
  expect(sessions(story)).toEqual(["A7 0–20: 5001 0–20", "A8 30–…: 5001 30–…"]);
  expect(story.doubts()).toEqual(["G_LOGIN_SESSION: end not seen, link down, 20–30"]);
});

test("a session lasts for as long as the agent was seen at any DN, also at one that was left before", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentLogin", at5002],
    [10, "EventAgentLogout", at5002],
    [20, "EventAgentLogin", { ThisDN: "5001", AgentID: "A8" }],
  );
  expect(sessions(story)).toEqual(["A7 0–10: 5001 0–10, 5002 1–10", "A8 20–…: 5001 20–…"]);
  expect(story.doubts()).toEqual(["G_LOGIN_SESSION: end not seen, link down, 10–20"]);
});

test("an agent who leaves another DN unseen was there when he was last seen at any", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [1, "EventAgentLogin", at5002],
    [10, "EventAgentReady", at5002],
    [20, "EventAgentLogin", { ThisDN: "5001", AgentID: "A8" }],
    [30, "EventAgentLogout", at5002],
  );
  expect(sessions(story)).toEqual(["A7 0–30: 5001 0–10, 5002 1–30", "A8 20–…: 5001 20–…"]);
  expect(story.doubts()).toEqual(["G_LOGIN_SESSION: change not seen, link down, 10–20"]);
});

test("where the clock steps back, a session ends no earlier than it began", () => {
  const story = agentStory().events(
    [100, "EventAgentLogin", at5001],
    [95, "EventAgentLogin", at5002],
    [96, "EventAgentLogout", at5001],
    [97, "EventAgentLogout", at5002],
  );
  expect(sessions(story)).toEqual(["A7 100–100: 5001 100–100, 5002 100–100"]);
});

test("where the clock steps back, a queue is served again no earlier than it was left", () => {
  const story = agentStory().events(
    [110, "EventAgentLogin", onQueue],
    [110, "EventAgentLogin", { ...at5001, ThisQueue: "8002" }],
    [120, "EventAgentReady", onQueue],
    [120, "EventAgentLogout", onQueue],
    [116, "EventAgentLogin", onQueue],
    [118, "EventAgentLogout", onQueue],
    [130, "EventAgentLogout", at5001],
  );
  expect(sessions(story)).toEqual(["A7 110–130: 5001/8001 110–120, 5001/8002 110–130, 5001/8001 120–120"]);
  expect(stretches(story)).toEqual([
    "5001/8001: login 110, ready 120, null 120, login 120, null 120",
    "5001/8002: login 110, null 130",
  ]);
  expectForward(story);
});

test("where the clock steps back, Do Not Disturb goes on in the order in which it was told", () => {
  const story = agentStory().events(
    [0, "EventAgentLogin", at5001],
    [10, "EventDNDOn", at5001],
    [6, "EventDNDOff", at5001],
    [7, "EventAgentReady", at5001],
    [20, "EventDNDOn", at5001],
  );
  const dnd = story.rows("G_DND_HISTORY", "ID");
  expect(dnd.map(({ SEQ, STATE, ADDED }) => `${SEQ}: ${STATE} ${secondsOf(ADDED)}`)).toEqual([
    "1: 1 10",
    "2: 0 10",
    "3: 1 20",
  ]);
  expect(stretches(story)).toEqual(["5001: login 0, ready 10"]);
});

/** The rows of each session in the order of SEQ. */
function expectForward(story: Story): void {
  const last = new Map<unknown, string>();
  for (const { LOGINSESSIONID, SEQ, ADDED } of story.rows("G_AGENT_STATE_HISTORY", "ID")) {
    const now = `${ADDED} ${String(SEQ).padStart(9, "0")}`;
    expect(now > (last.get(LOGINSESSIONID) ?? "")).toBe(true);
    last.set(LOGINSESSIONID, now);
  }
}
