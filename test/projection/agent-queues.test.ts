// gls-queue: what agents' rows look like without the queues, and that nothing but the queues is lost by it.

import { expect, test } from "bun:test";
import { tables } from "../../schema/tables.ts";
import { defaultAgentOptions, type ProjectionOptions } from "../../src/event/envelope.ts";
import { agentStory, at5001, party5001, reasons, sessions, stretches } from "../harness/agent-story.ts";
import { at, Story } from "../harness/story.ts";

const role = ["gcc", "gls"];
const agents = { ...defaultAgentOptions, writesActiveReasons: true };
const withoutQueues: { readonly options: Partial<ProjectionOptions> } = { options: { leavesOut: ["gls-queue"] } };
const story = () => new Story({ role, agents, ...withoutQueues });
const queue = (name: string) => ({ ...at5001, ThisQueue: name });

test("an agent of two queues has one row for each change, none names a queue, and the session ends with the last queue", () => {
  const s = story().events(
    [0, "EventAgentLogin", queue("8001")],
    [1, "EventAgentLogin", queue("8002")],
    [2, "EventAgentReady", at5001],
    [10, "EventEstablished", party5001],
    [20, "EventReleased", party5001],
    [25, "EventAgentNotReady", { ...at5001, Reasons: { break: "lunch" } }],
    [30, "EventAgentReady", at5001],
    [40, "EventQueueLogout", queue("8001")],
    [50, "EventQueueLogout", queue("8002")],
  );
  expect(stretches(s)).toEqual([
    "5001: login 0, ready 2, busy→ready (C1) 10, ready (C1) 20, notReady 25, ready 30, null 50",
  ]);
  expect(sessions(s)).toEqual(["A7 0–50: 5001 0–50"]);
  expect(reasons(s)).toEqual(["break=lunch in notReady, 25–30"]);
  for (const [name, table] of Object.entries(tables)) {
    if (!("QUEUEDN" in table) || !/^(G_AGENT|GS_AGENT|GX_)/.test(name)) continue;
    const rows = s.world.written.filter((each) => each.table === name).map(({ row }) => row as { QUEUEDN: unknown });
    expect([name, rows.length > 0]).toEqual([name, true]);
    expect(rows.every(({ QUEUEDN }) => QUEUEDN === null)).toBe(true);
  }
});

test("what is said of one of the queues is the state of the DN", () => {
  const s = story().events(
    [0, "EventAgentLogin", queue("8001")],
    [0, "EventAgentLogin", queue("8002")],
    [5, "EventAgentReady", queue("8001")],
    [9, "EventAgentNotReady", queue("8002")],
  );
  expect(stretches(s)).toEqual(["5001: login 0, ready 5, notReady 9"]);
});

test("a logout from a queue that the agent was not known to serve ends nothing, one from the DN everything", () => {
  const s = story().events(
    [0, "EventAgentLogin", queue("8001")],
    [5, "EventQueueLogout", queue("8009")],
    [9, "EventAgentLogout", at5001],
  );
  expect(sessions(s)).toEqual(["A7 0–9: 5001 0–9"]);
});

test("states last as long as with the queues", () => {
  const told = (of: Story) =>
    of.events(
      [0, "EventAgentLogin", queue("8001")],
      [3, "EventAgentReady", queue("8001")],
      [10, "EventEstablished", party5001],
      [20, "EventReleased", party5001],
      [30, "EventAgentLogout", queue("8001")],
    );
  const times = (of: Story) =>
    told(of)
      .rows("GS_AGENT_STAT", "ID")
      .map(({ AGENTSTATE, TT, CNT }) => [AGENTSTATE, TT, CNT]);
  expect(times(story())).toEqual(times(agentStory()));
});

test("a snapshot tells which queues there are now: those that were left unseen no longer keep the session", () => {
  const s = story().events(
    [0, "EventAgentLogin", queue("8001")],
    [1, "EventAgentLogin", queue("8002")],
    [2, "EventAgentReady", at5001],
  );
  s.heartbeat(20).close("connection lost").wait(60).open();
  const origin = { run: "run-1", seq: 2, time: Date.parse(at(1)) / 1000 };
  s.snapshot(
    20,
    [1, "EventAgentLogin", { ...queue("8002"), origin }],
    [2, "EventAgentReady", { ...queue("8002"), origin }],
  );
  expect(stretches(s)).toEqual(["5001: login 0, ready 2"]);
  expect(s.doubts()).toEqual([]);
  s.events([90, "EventQueueLogout", queue("8002")]);
  expect(sessions(s)).toEqual(["A7 0–90: 5001 0–90"]);
});

test("who is found in a snapshot with several queues has one endpoint", () => {
  const s = story();
  const origin = (seq: number) => ({ run: "run-1", seq, time: Date.parse(at(seq)) / 1000 });
  s.snapshot(
    20,
    [1, "EventAgentLogin", { ...queue("8001"), origin: origin(1) }],
    [2, "EventAgentLogin", { ...queue("8002"), origin: origin(2) }],
    [5, "EventAgentReady", { ...queue("8001"), origin: origin(1) }],
    [6, "EventAgentReady", { ...queue("8002"), origin: origin(2) }],
  );
  s.events([30, "EventQueueLogout", queue("8001")], [40, "EventQueueLogout", queue("8002")]);
  expect(sessions(s)).toEqual(["A7 1–40: 5001 1–40"]);
  expect(stretches(s)[0]).toMatch(/^5001: login 1, ready 5.*, null 40$/);
});

test("the option changes at a DN when somebody logs in there the next time", () => {
  const s = agentStory().events([0, "EventAgentLogin", queue("8001")], [1, "EventAgentReady", queue("8001")]);
  s.reload({ role, ...withoutQueues }).events(
    [5, "EventAgentNotReady", queue("8001")],
    [6, "EventAgentLogin", queue("8002")],
    [10, "EventAgentLogout", at5001],
    [20, "EventAgentLogin", queue("8001")],
  );
  s.reload({ role }).events([21, "EventAgentLogin", queue("8002")], [30, "EventAgentLogout", at5001]);
  expect(sessions(s)).toEqual(["A7 0–10: 5001/8001 0–10, 5001/8002 6–10", "A7 20–30: 5001 20–30"]);
});
