// Queue members of an Asterisk, told message by message: what the recordings do not show.

import { expect, test } from "bun:test";
import {
  defaultAgentOptions,
  encodeEnvelope,
  type Mark,
  type ProjectionOptions,
  type SessionId,
} from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { reasons, sessions, stretches } from "../harness/agent-story.ts";
import { noContexts } from "../harness/ami-fold.ts";
import { Story, startMs } from "../harness/story.ts";

type Fields = Readonly<Record<string, string | number>>;

/** A story whose source is an Asterisk. */
class MemberStory extends Story {
  #records = 1_000_000n;
  #session = 0;

  constructor(options: Partial<ProjectionOptions> = {}) {
    super({ role: ["gcc", "gls"] });
    const { world } = this;
    for (const [key] of world.all("source")) world.remove("source", key);
    const source = { name: "north", kind: "ami", dbid: 201, primaryDbid: 201, switchDbid: 2, dsType: 101 } as const;
    this.tell(0, {
      ...{ mark: "configuration in force", programVersion: "0.1.0", instance: { name: "icon-a", dbid: 9001 } },
      ...{ startedAt: startMs, role: ["gcc", "gls"], sources: [{ ...source, options: { ...noContexts, ...options } }] },
      configurationHash: "1".repeat(64),
    });
    this.connect(0);
  }

  connect(second: number): this {
    this.#session += 1;
    return this.tell(second, {
      ...{ mark: "session opened", source: "north", address: "127.0.0.1:5038", serverName: null, dbid: 201 },
      ...{ primaryDbid: 201, switchDbid: 2, dsType: 101, run: null, resumeAfter: null },
    });
  }

  cut(second: number): this {
    return this.tell(second, { mark: "session closed", source: "north", cause: "connection lost", detail: null });
  }

  /** Asterisk's answer to QueueStatus; it is asked for at `second`, and complete then unless `between` says something. */
  list(second: number, lines: readonly Fields[], between: () => void = () => undefined, items = lines.length): this {
    const actionId = `list-${second}`;
    this.tell(second, { mark: "list requested", source: "north", action: "QueueStatus", actionId });
    for (const line of lines) this.message(null, { Event: "QueueMember", ...line, ActionID: actionId }, second);
    between();
    return this.message(null, { Event: "QueueStatusComplete", ListItems: items, ActionID: actionId }, second);
  }

  event(second: number, name: string, fields: Fields): this {
    return this.message(second, { Event: name, ...fields }, second);
  }

  message(second: number | null, fields: Fields, arrivedSecond: number): this {
    const time = second === null ? {} : { Timestamp: (startMs / 1000 + second).toFixed(6) };
    const lines = Object.entries({ ...fields, ...time }).map(([key, value]) => `${key}: ${value}\r\n`);
    const frame = new TextEncoder().encode(`${lines.join("")}\r\n`);
    const arrivedAt = arrivalInstant(startMs + arrivedSecond * 1000);
    const session = (5000 + this.#session) as SessionId;
    const payload = encodeEnvelope({ kind: "frame", session, arrivedAt, arrivalNumber: 1, isCut: false, frame });
    return this.#take(payload);
  }

  tell(second: number, mark: Mark): this {
    const session = (mark.mark === "configuration in force" ? 0 : 5000 + this.#session) as SessionId;
    return this.#take(
      encodeEnvelope({ kind: "mark", session, arrivedAt: arrivalInstant(startMs + second * 1000), mark }),
    );
  }

  #take(payload: Uint8Array): this {
    this.#records += 1n;
    stepRecord(this.world, { windowSeconds: 60 }, this.#records, payload);
    return this;
  }
}

const loginTime = (second: number) => startMs / 1000 + second;
const member = { Queue: "support", MemberName: "Ann", Interface: "PJSIP/4001", Paused: 0, PausedReason: "" };
const added = { ...member, LoginTime: loginTime(0) };
const line = {
  Queue: "support",
  Name: "Ann",
  Location: "PJSIP/4001",
  Paused: 0,
  LastPause: 0,
  LoginTime: loginTime(0),
};
const bob = { Queue: "sales", Name: "Bob", Location: "PJSIP/4002", Paused: 0, LastPause: 0, LoginTime: loginTime(0) };
const doubts = (story: Story) => story.doubts().filter((doubt) => doubt.startsWith("G_LOGIN_SESSION"));

test("after a call a member works after it for its queue's Wrapuptime, and that ends at its own time", () => {
  const story = new MemberStory()
    .event(0, "QueueMemberAdded", { ...added, Wrapuptime: 10 })
    .event(20, "AgentComplete", { ...member, TalkTime: 5 })
    .event(90, "QueueMemberStatus", { ...member, Wrapuptime: 10 });
  expect(stretches(story)).toEqual(["4001/support: ready 0, afterCallWork 20, ready 30"]);
});

test("a pause ends after-call work, and after-call work of a paused member ends in the pause", () => {
  const wrapUp = { ...member, Wrapuptime: 10 };
  const paused = { ...wrapUp, Paused: 1, PausedReason: "Lunch" };
  const story = new MemberStory()
    .event(0, "QueueMemberAdded", { ...wrapUp, LoginTime: loginTime(0) })
    .event(20, "AgentComplete", member)
    .event(25, "QueueMemberPause", paused)
    .event(50, "AgentComplete", member)
    .event(70, "QueueMemberPause", wrapUp)
    .event(80, "QueueMemberRemoved", wrapUp);
  expect(stretches(story)).toEqual([
    "4001/support: ready 0, afterCallWork 20, notReady 25, afterCallWork 50, notReady 60, ready 70, null 80",
  ]);
  expect(reasons(story)).toEqual(["PausedReason=Lunch in notReady, 25–50", "PausedReason=Lunch in notReady, 60–70"]);
});

test("members that a list names are found with their times, and the key is that of the copy which saw the login", () => {
  const seen = new MemberStory().event(0, "QueueMemberAdded", added);
  const found = new MemberStory().list(60, [
    line,
    { ...bob, Paused: 1, PausedReason: "Break", LastPause: loginTime(40) },
  ]);
  expect(sessions(found).toSorted()).toEqual(["Ann 0–…: 4001/support 0–…", "Bob 0–…: 4002/sales 0–…"]);
  expect(stretches(found).toSorted()).toEqual(["4001/support: ready 0", "4002/sales: notReady 40"]);
  const keys = (story: Story) => story.rows("G_LOGIN_SESSION", "ID").map(({ LOGINSESSIONID }) => LOGINSESSIONID);
  expect(keys(found)).toContain(keys(seen)[0] ?? "");
});

test("what a list no longer names left while nobody listened, and what it tells otherwise changed meanwhile", () => {
  const story = new MemberStory()
    .event(0, "QueueMemberAdded", added)
    .event(1, "QueueMemberAdded", { ...member, MemberName: "Bob", Interface: "PJSIP/4002", LoginTime: loginTime(1) })
    .event(30, "QueueMemberPause", { ...member, Paused: 1, PausedReason: "Lunch" })
    .cut(50)
    .connect(90)
    .event(95, "QueueMemberStatus", { ...member, Queue: "other" })
    .list(100, [line]);
  expect(sessions(story)).toEqual(["Ann 0–…: 4001/support 0–…", "Bob 1–30: 4002/support 1–30"]);
  expect(stretches(story)[0]).toBe("4001/support: ready 0, notReady 30, ready 30");
  expect(doubts(story)).toEqual([
    "G_LOGIN_SESSION: end not seen, link down, 30–100",
    "G_LOGIN_SESSION: change not seen, link down, 30–100",
  ]);
});

test("a line is older than what an event has told since it was asked for, and a list cut short changes nothing", () => {
  const story = new MemberStory().event(0, "QueueMemberAdded", added);
  story.list(60, [line], () => {
    story.event(60, "QueueMemberPause", { ...member, Paused: 1, PausedReason: "Lunch" });
    story.event(61, "QueueMemberAdded", { ...member, MemberName: "Bob", Interface: "PJSIP/4002" });
  });
  expect(stretches(story)).toEqual(["4001/support: ready 0, notReady 60", "4002/support: ready 61"]);
  story.list(70, [line, { ...bob, Queue: "support" }], () => story.event(70, "QueueMemberRemoved", member));
  story.list(80, [], () => undefined, 5);
  expect(sessions(story)).toEqual(["Ann 0–70: 4001/support 0–70", "Bob 61–…: 4002/support 61–…"]);
});

test("a member of two queues is one endpoint where gls-queue leaves queues out, and logged in until he leaves the second", () => {
  const sales = { ...member, Queue: "sales" };
  const story = new MemberStory({ leavesOut: ["gls-queue"] })
    .event(0, "QueueMemberAdded", added)
    .event(5, "QueueMemberAdded", { ...sales, LoginTime: loginTime(5) })
    .event(10, "QueueMemberPause", { ...sales, Paused: 1, PausedReason: "Lunch" })
    .event(20, "QueueMemberPause", sales)
    .event(30, "QueueMemberRemoved", member);
  expect(sessions(story)).toEqual(["Ann 0–…: 4001 0–…"]);
  story
    .cut(31)
    .connect(40)
    .list(41, [{ ...line, Queue: "sales", LoginTime: loginTime(5) }]);
  story.event(50, "QueueMemberRemoved", sales);
  expect(stretches(story)).toEqual(["4001: ready 0, notReady 10, ready 20, null 50"]);
  expect(sessions(story)).toEqual(["Ann 0–50: 4001 0–50"]);
});

test("a member of whom nothing is heard for so long as gls-max-inactivity says is gone, and a list that says nothing new brings nobody back", () => {
  const story = new MemberStory({ agents: { ...defaultAgentOptions, idleSecondsMax: 600 } })
    .event(0, "QueueMemberAdded", added)
    .event(100, "QueueMemberPause", { ...member, Paused: 1, PausedReason: "Lunch" })
    .event(1000, "QueueMemberAdded", {
      ...bob,
      MemberName: "Bob",
      Interface: "PJSIP/4002",
      LoginTime: loginTime(1000),
    });
  const paused = { ...line, Paused: 1, PausedReason: "Lunch", LastPause: loginTime(100) };
  const here = { ...bob, LoginTime: loginTime(1000) };
  story.cut(1001).connect(1010).list(1011, [paused, here]);
  expect(sessions(story)).toEqual(["Ann 0–700: 4001/support 0–700", "Bob 1000–…: 4002/sales 1000–…"]);
  story.event(1020, "QueueMemberPause", member);
  expect(sessions(story)[2]).toBe("Ann 1020–…: 4001/support 1020–…");
  expect(doubts(story)).toEqual([
    "G_LOGIN_SESSION: end not seen, gls-max-inactivity, 100–700",
    "G_LOGIN_SESSION: key is local, null, ?–?",
    "G_LOGIN_SESSION: beginning not seen, gls-max-inactivity, 700–1020",
  ]);
});
