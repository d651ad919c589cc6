import { describe, expect, test } from "bun:test";
import type { Mark, ProjectionOptions, SessionEndCause, SessionId } from "../../src/event/envelope.ts";
import type { Happening } from "../../src/event/happening.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepAmi, stepAmiMark } from "../../src/projection/ami.ts";
import { decodeAmi } from "../../src/protocol/ami/message.ts";
import { foldRecording, noContexts } from "../harness/ami-fold.ts";
import { loadRecording } from "../harness/ami-recording.ts";
import { MemoryWorld } from "../harness/memory-world.ts";

const encoder = new TextEncoder();
const epoch = 1_700_000_000;

/** An Asterisk that says what the test lets it say; times are seconds after `epoch`. */
class Pbx {
  readonly world = new MemoryWorld();
  readonly told: Happening[] = [];
  readonly #options: ProjectionOptions;
  #session = 0;

  constructor(options: Partial<ProjectionOptions> = {}) {
    this.#options = { ...noContexts, ...options };
  }

  says(text: string): this {
    this.told.push(...stepAmi(this.world, this.#context(), decodeAmi(encoder.encode(text))));
    return this;
  }

  event(at: number, name: string, fields: Record<string, string | number>): this {
    const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}`);
    return this.says([`Event: ${name}`, `Timestamp: ${(epoch + at).toFixed(6)}`, ...lines].join("\r\n"));
  }

  line(actionId: string, name: string, fields: Record<string, string | number>): this {
    const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}`);
    return this.says([`Event: ${name}`, `ActionID: ${actionId}`, ...lines].join("\r\n"));
  }

  mark(mark: Mark): this {
    this.told.push(...stepAmiMark(this.world, this.#context(), mark));
    return this;
  }

  opens(at: number): this {
    this.#session += 1;
    const server = { address: "127.0.0.1:5038", serverName: null, dbid: 1, primaryDbid: 1, switchDbid: 1, dsType: 101 };
    this.mark({ mark: "session opened", source: "pbx", ...server, run: null, resumeAfter: null });
    return this.event(at, "SuccessfulAuth", {});
  }

  closes(cause: SessionEndCause = "connection lost"): this {
    return this.mark({ mark: "session closed", source: "pbx", cause, detail: null });
  }

  asks(action: "CoreShowChannels" | "QueueStatus", actionId: string): this {
    return this.mark({ mark: "list requested", source: "pbx", action, actionId });
  }

  /** A whole answer of channels: name, id, Linkedid, state, application. */
  channels(actionId: string, rows: readonly (readonly [string, string, string, string, string?, string?])[]): this {
    this.asks("CoreShowChannels", actionId);
    for (const [Channel, Uniqueid, Linkedid, ChannelStateDesc, Application = "", BridgeId = ""] of rows) {
      const number = {
        CallerIDNum: "0800",
        Context: "in",
        ApplicationData: Application === "Queue" ? "support,r" : "",
      };
      const row = {
        Channel,
        Uniqueid,
        Linkedid,
        ChannelStateDesc,
        Application,
        BridgeId,
        ...number,
        Duration: "00:00:09",
      };
      this.line(actionId, "CoreShowChannel", row);
    }
    return this.line(actionId, "CoreShowChannelsComplete", { ListItems: rows.length });
  }

  waiting(actionId: string, rows: readonly (readonly [id: string, queue: string, wait: number])[]): this {
    this.asks("QueueStatus", actionId);
    for (const [Uniqueid, Queue, Wait] of rows) this.line(actionId, "QueueEntry", { Uniqueid, Queue, Wait });
    return this.line(actionId, "QueueStatusComplete", { ListItems: rows.length });
  }

  #context() {
    return {
      source: "pbx",
      session: this.#session as SessionId,
      options: this.#options,
      arrivedAt: arrivalInstant(0),
    };
  }

  /** What was told, in short: time, what, of whom, cause. */
  get story(): string[] {
    return this.told.map((each) => {
      const at = Math.round(each.at - epoch * 1000) / 1000;
      const unseen = "unseen" in each && each.unseen !== null;
      const bounds = unseen ? ` within ${boundsOf(each)} ${each.unseen?.cause}` : "";
      if (each.kind !== "party" && each.kind !== "party present") return `${at} ${each.kind}${bounds}`;
      const cause = each.kind === "party" && each.ccCause !== null ? ` ${each.ccCause}` : "";
      const found = each.kind === "party present" ? "found " : "";
      return `${at} ${found}${each.step} ${each.party.dn}${cause}${bounds}`;
    });
  }
}

function boundsOf(each: Happening): string {
  if (!("unseen" in each) || each.unseen === null) return "";
  const { earliest, latest } = each.unseen;
  return `${(earliest - epoch * 1000) / 1000}..${(latest - epoch * 1000) / 1000}`;
}

const caller = {
  Channel: "PJSIP/trunk-00000001",
  Uniqueid: "1700000000.1",
  Linkedid: "1700000000.1",
  CallerIDNum: "0800",
  Context: "in",
  Exten: "1000",
};
const agent = { DestChannel: "PJSIP/4001-00000002", DestUniqueid: "1700000001.2", DestLinkedid: "1700000000.1" };
const agentChannel = { Channel: "PJSIP/4001-00000002", Uniqueid: "1700000001.2", Linkedid: "1700000000.1" };
const member = { Queue: "support", Interface: "PJSIP/4001", MemberName: "Ann" };

function withCaller(options: Partial<ProjectionOptions> = {}): Pbx {
  return new Pbx(options).opens(0).event(0, "Newchannel", { ...caller, ChannelStateDesc: "Up" });
}

function queued(appData = "support,r", at = 1): Pbx {
  return withCaller()
    .event(at - 0.1, "Newexten", { ...caller, Extension: "1000", Application: "Queue", AppData: appData })
    .event(at, "QueueCallerJoin", { ...caller, Queue: "support" });
}

function talking(): Pbx {
  return queued()
    .event(2, "Newchannel", { ...agentChannel, ChannelStateDesc: "Down", Context: "agents", Exten: "" })
    .event(2, "AgentCalled", { ...caller, ...agent, ...member })
    .event(2, "DialBegin", { ...caller, ...agent })
    .event(4, "DialEnd", { ...caller, ...agent, DialStatus: "ANSWER" })
    .event(4, "QueueCallerLeave", { ...caller, Queue: "support" })
    .event(4, "AgentConnect", { ...caller, ...agent, ...member, HoldTime: 3 });
}

const begun = ["0 call created", "0 dialing 0800", "0 established 0800", "1 queued support"];
const connected = [...begun, "2 ringing 4001", "4 diverted support 0", "4 established 4001 0"];

describe("a call on Asterisk", () => {
  test("goes through queue, ringing, talk and end", () => {
    const pbx = talking()
      .event(9, "AgentComplete", { ...caller, ...agent, ...member, TalkTime: 5, Reason: "agent" })
      .event(9, "Hangup", { ...agentChannel, Cause: 16 })
      .event(9.5, "Hangup", { ...caller, Cause: 16 });
    const ended = ["9 released 4001 0", "9.5 released 0800 0", "9.5 call deleted"];
    expect(pbx.story).toEqual([...connected, ...ended]);
    expect([...pbx.world.all("ami call")]).toEqual([]);
  });

  test("is inbound with its numbers once it enters a queue", () => {
    const facts = talking().told.at(-1)?.call;
    expect(facts).toMatchObject({ callId: "1700000000.1", isKeyLocal: false, callType: 2, ani: "0800", dnis: "1000" });
  });

  test.each([
    [{ inboundContexts: ["in"] }, 2, "0800", 2],
    [{ internalContexts: ["in"] }, 1, "trunk", 1],
    [{ outboundContexts: ["in"] }, 3, "trunk", 1],
  ] as const)("with %j has call type %p and its caller is %s", (options, callType, dn, type) => {
    const pbx = withCaller(options);
    const first = pbx.told.find((each) => each.kind === "party");
    expect(first?.kind === "party" && first.party).toMatchObject({ dn, type });
    expect(first?.call.callType).toBe(callType);
  });

  test("that rings a busy DN and one that does not answer tells each with its cause", () => {
    const second = { DestChannel: "PJSIP/4002-00000003", DestUniqueid: "1700000001.3", DestLinkedid: caller.Linkedid };
    const pbx = withCaller();
    for (const [at, dest, status] of [
      [1, agent, "BUSY"],
      [2, second, "NOANSWER"],
    ] as const) {
      const channel = { Channel: dest.DestChannel, Uniqueid: dest.DestUniqueid, Linkedid: dest.DestLinkedid };
      pbx
        .event(at, "Newchannel", channel)
        .event(at, "DialBegin", { ...caller, ...dest })
        .event(at + 0.5, "DialEnd", { ...caller, ...dest, DialStatus: status })
        .event(at + 0.5, "Hangup", { ...channel, Cause: 0 });
    }
    expect(pbx.story.slice(3)).toEqual([
      "1 ringing 4001",
      "1.5 released 4001 6",
      "2 ringing 4002",
      "2.5 released 4002 7",
    ]);
  });

  test.each(["constructor", "__proto__", "toString"])("whose server gives %s as a reason ends without one", (word) => {
    const rung = withCaller()
      .event(1, "Newchannel", agentChannel)
      .event(1, "DialBegin", { ...caller, ...agent })
      .event(3, "DialEnd", { ...caller, ...agent, DialStatus: word });
    expect(rung.story.slice(3)).toEqual(["1 ringing 4001", "3 released 4001 21"]);
    const talked = talking().event(9, "AgentComplete", { ...caller, ...agent, ...member, TalkTime: 5, Reason: word });
    expect(talked.story.at(-1)).toBe("9 released 4001 0");
  });

  test("that is dialed without a queue talks from the answer on", () => {
    const pbx = withCaller()
      .event(1, "Newchannel", agentChannel)
      .event(1, "DialBegin", { ...caller, ...agent })
      .event(3, "DialEnd", { ...caller, ...agent, DialStatus: "ANSWER" });
    expect(pbx.story.slice(3)).toEqual(["1 ringing 4001", "3 established 4001 0"]);
  });

  test("held and retrieved by the agent is held in between; an Unhold without a hold changes nothing", () => {
    const pbx = talking()
      .event(5, "Unhold", agentChannel)
      .event(6, "Hold", agentChannel)
      .event(6, "Hold", agentChannel)
      .event(8, "Unhold", agentChannel);
    expect(pbx.story).toEqual([...connected, "6 held 4001 0", "8 retrieved 4001 0"]);
  });

  test("transferred blindly ends the agent's talk there, and AgentComplete adds nothing", () => {
    const transferer = {
      TransfererUniqueid: agent.DestUniqueid,
      TransfererLinkedid: caller.Linkedid,
      Result: "Success",
    };
    const pbx = talking()
      .event(7, "BlindTransfer", { ...transferer, TransfereeUniqueid: caller.Uniqueid })
      .event(7.1, "AgentComplete", { ...caller, ...agent, ...member, TalkTime: 3, Reason: "transfer" })
      .event(7.2, "Hangup", { ...agentChannel, Cause: 16 });
    expect(pbx.story).toEqual([...connected, "7 released 4001 1"]);
  });

  test("whose AgentComplete names no channel is ended by it when member, queue, times and the caller's hangup fit", () => {
    const complete = { ...member, HoldTime: 3, TalkTime: 5, Reason: "caller" };
    const pbx = talking().event(8.9, "Hangup", { ...caller, Cause: 16 });
    const wrong = { ...complete, Queue: "sales" };
    pbx.event(9, "AgentComplete", wrong).event(9.1, "AgentComplete", complete).event(9.2, "Hangup", agentChannel);
    expect(pbx.story).toEqual([...connected, "8.9 released 0800 0", "9.1 released 4001 5", "9.2 call deleted"]);
  });

  test("with two halves of a Local pair and a device behind it has one party for all of them", () => {
    const half = (number: number) => ({
      Channel: `Local/4001@agents-00000002;${number}`,
      Uniqueid: `1700000001.${number + 1}`,
      Linkedid: caller.Linkedid,
    });
    const dest = { DestChannel: half(1).Channel, DestUniqueid: half(1).Uniqueid, DestLinkedid: caller.Linkedid };
    const device = { Channel: "PJSIP/4001-00000009", Uniqueid: "1700000001.4", Linkedid: caller.Linkedid };
    const inner = { DestChannel: device.Channel, DestUniqueid: device.Uniqueid, DestLinkedid: caller.Linkedid };
    const pbx = queued()
      .event(2, "Newchannel", half(1))
      .event(2, "Newchannel", half(2))
      .event(2, "AgentCalled", { ...caller, ...dest, ...member, Interface: "Local/4001@agents" })
      .event(2.1, "Newchannel", device)
      .event(2.1, "DialBegin", { ...half(2), ...inner })
      .event(3, "DialEnd", { ...half(2), ...inner, DialStatus: "ANSWER" })
      .event(3, "AgentConnect", { ...caller, ...dest, ...member })
      .event(9, "Hangup", device)
      .event(9, "Hangup", half(2))
      .event(9, "Hangup", half(1));
    const told = ["2 ringing 4001", "3 diverted support 0", "3 established 4001 0", "9 released 4001 0"];
    expect(pbx.story).toEqual([...begun, ...told]);
  });
});

describe("a stay in a queue", () => {
  const leaves = (pbx: Pbx, at: number) =>
    pbx
      .event(at, "QueueCallerAbandon", { ...caller, Queue: "support", HoldTime: 2 })
      .event(at, "QueueCallerLeave", { ...caller, Queue: "support" });
  const hangsUp = (pbx: Pbx, at: number) =>
    pbx.event(at, "SoftHangupRequest", caller).event(at, "Hangup", { ...caller, Cause: 16 });
  const gone = ["3.2 released 0800 0", "3.2 call deleted"];

  test("whose caller hangs up is abandoned", () => {
    expect(hangsUp(leaves(queued(), 3), 3.2).story).toEqual([...begun, "3 abandoned support 21", ...gone]);
  });

  test("whose caller goes on in the dialplan is no abandonment, though the manager says QueueCallerAbandon", () => {
    const pbx = leaves(queued(), 3).event(3.1, "Newexten", { ...caller, Extension: "1000", Application: "Playback" });
    expect(hangsUp(pbx, 3.2).story).toEqual([...begun, "3 diverted support 20", ...gone]);
  });

  test("of a caller who left with a key is no abandonment", () => {
    const pbx = queued()
      .event(3, "QueueCallerLeave", { ...caller, Queue: "support" })
      .event(3.1, "Newexten", { ...caller, Extension: "1", Application: "Voicemail" });
    expect(pbx.story).toEqual([...begun, "3 diverted support 20"]);
  });

  test("is abandoned also when the dialplan clears up in its h extension", () => {
    const pbx = leaves(queued(), 3)
      .event(3.1, "Newexten", { ...caller, Extension: "h", Application: "Macro" })
      .event(3.1, "Newexten", { ...caller, Extension: "s", Context: "macro-hangupcall", Application: "NoOp" });
    expect(hangsUp(pbx, 3.2).story).toEqual([...begun, "3 abandoned support 21", ...gone]);
  });

  test("as the last step of its dialplan has timed out when the timeout was reached", () => {
    expect(hangsUp(leaves(queued("support,r,,,2"), 3), 3.2).story).toContain("3 diverted support 20");
    expect(hangsUp(leaves(queued("support,r,,,3"), 3), 3.2).story).toContain("3 abandoned support 21");
  });

  test("is abandoned when the channel was asked to hang up while it waited, however long that was", () => {
    const pbx = leaves(queued("support,r,,,2").event(2.9, "HangupRequest", caller), 3);
    expect(hangsUp(pbx, 3.2).story).toContain("3 abandoned support 21");
  });

  test("is followed by one in another queue, and by one in the same queue again, each with a key of its own", () => {
    const pbx = queued();
    for (const [at, queue] of [
      [5, "sales"],
      [9, "support"],
    ] as const) {
      leaves(pbx, at - 1).event(at, "QueueCallerJoin", { ...caller, Queue: queue });
    }
    const told = ["4 diverted support 20", "5 queued sales", "8 diverted sales 20", "9 queued support"];
    expect(pbx.story).toEqual([...begun, ...told]);
    const queuedGuids = pbx.told.flatMap((each) =>
      each.kind === "party" && each.step === "queued" ? each.party.guid : [],
    );
    expect(new Set(queuedGuids).size).toBe(3);
  });
});

describe("a list", () => {
  const listed = [
    ["PJSIP/trunk-00000001", "1700000000.1", "1700000000.1", "Up", "Queue"],
    ["PJSIP/4001-00000002", "1700000001.2", "1700000000.1", "Ringing", "AppQueue"],
  ] as const;

  test("tells what was there before, with the seconds of its beginnings", () => {
    const pbx = new Pbx()
      .opens(10)
      .channels("c", listed)
      .waiting("q", [["1700000000.1", "support", 9]]);
    expect(pbx.story).toEqual(["0 found established 0800", "1 found ringing 4001", "1 found queued support"]);
  });

  test("gives what it tells the keys that an observer of the beginning gives", () => {
    const early = queued()
      .event(2, "Newchannel", agentChannel)
      .event(2, "AgentCalled", { ...caller, ...agent, ...member });
    const late = new Pbx()
      .opens(10)
      .channels("c", listed)
      .waiting("q", [["1700000000.1", "support", 9]]);
    const keys = (pbx: Pbx) =>
      new Set(pbx.told.flatMap((each) => ("party" in each ? [`${each.party.dn} ${each.party.guid}`] : [])));
    expect(keys(late)).toEqual(keys(early));
  });

  test("the order of its lines makes no difference", () => {
    const forth = new Pbx().opens(10).channels("c", listed);
    const back = new Pbx().opens(10).channels("c", [...listed].reverse());
    expect(back.told).toEqual(forth.told);
  });

  test("that lacks a call ends it, between the last word before the cut and now", () => {
    const pbx = queued().closes().opens(10).channels("c", []).waiting("q", []);
    expect(pbx.story.slice(begun.length)).toEqual(["1 call deleted within 1..10 link down"]);
    expect([...pbx.world.all("ami call")]).toEqual([]);
  });

  test.each([
    ["connection lost", "link down"],
    ["silence", "link down"],
    ["our stop", "instance down"],
    ["source shutdown", "source restart"],
  ] as const)("after a session that ended by %s names the cause %s", (cause, quality) => {
    const pbx = queued().closes(cause).opens(10).channels("c", []);
    expect(pbx.story.at(-1)).toEndWith(quality);
  });

  test("after a session without an end names our crash, and after a new run of Asterisk its restart", () => {
    expect(queued().opens(10).channels("c", []).story.at(-1)).toEndWith("instance down");
    const restarted = queued().closes().opens(10).says("Event: FullyBooted\r\nUptime: 3").channels("c", []);
    expect(restarted.story.at(-1)).toEndWith("source restart");
  });

  test("that lacks only the agent, or shows it talking, tells that within bounds", () => {
    const ringing = () =>
      queued()
        .event(2, "Newchannel", agentChannel)
        .event(2, "AgentCalled", { ...caller, ...agent, ...member });
    const without = ringing()
      .closes()
      .opens(10)
      .channels("c", [listed[0]])
      .waiting("q", [["1700000000.1", "support", 9]]);
    expect(without.story.slice(begun.length)).toEqual(["2 ringing 4001", "2 released 4001 28 within 2..10 link down"]);
    const talks = ringing()
      .closes()
      .opens(10)
      .channels("c", [
        [...listed[0], "b1"],
        ["PJSIP/4001-00000002", "1700000001.2", "1700000000.1", "Up", "AppQueue", "b1"],
      ])
      .waiting("q", []);
    expect(talks.story.slice(begun.length + 1)).toEqual([
      "2 established 4001 28 within 2..10 link down",
      "2 diverted support 0 within 2..10 link down",
    ]);
  });

  test("that shows an agent who has picked up but does not talk yet finds it ringing", () => {
    const up = ["PJSIP/4001-00000002", "1700000001.2", "1700000000.1", "Up", "AppQueue"] as const;
    const pbx = new Pbx().opens(10).channels("c", [listed[0], up]);
    pbx.event(11, "AgentConnect", { ...caller, ...agent, ...member, HoldTime: 3 });
    expect(pbx.story).toEqual([
      "0 found established 0800",
      "1 found ringing 4001",
      "8 found queued support",
      "11 diverted support 0",
      "11 established 4001 0",
    ]);
  });

  test("once worked in leaves nothing unknown: what names a call that is over changes nothing", () => {
    const join = { ...caller, Queue: "support" };
    const before = new Pbx().opens(10).event(10, "QueueCallerJoin", join);
    expect(before.story).toEqual(["10 dialing 0800", "10 queued support"]);
    const after = new Pbx().opens(10).channels("c", []).event(11, "QueueCallerJoin", join);
    after.event(11, "AgentConnect", { ...caller, ...agent, ...member });
    expect(after.story).toEqual([]);
    expect([...after.world.all("ami call")]).toEqual([]);
  });

  test("that shows the caller waiting anew ends the stay that we knew and finds another", () => {
    const pbx = queued()
      .closes()
      .opens(20)
      .channels("c", [listed[0]])
      .waiting("q", [["1700000000.1", "support", 4]]);
    expect(pbx.story.slice(begun.length)).toEqual([
      "1 released support 28 within 1..20 link down",
      "16 found queued support",
    ]);
  });

  test("does not end what had an event after it was asked for, nor bring back what has hung up since", () => {
    const lines = (pbx: Pbx) => {
      for (const [Channel, Uniqueid, Linkedid, ChannelStateDesc] of listed) {
        pbx.line("c", "CoreShowChannel", { Channel, Uniqueid, Linkedid, ChannelStateDesc });
      }
      return pbx.line("c", "CoreShowChannelsComplete", { ListItems: listed.length });
    };
    const begins = new Pbx().opens(0).asks("CoreShowChannels", "c");
    begins.event(0, "Newchannel", { ...caller, ChannelStateDesc: "Up" });
    begins.line("c", "CoreShowChannelsComplete", { ListItems: 0 });
    expect(begins.story).toEqual(["0 call created"]);
    const ends = new Pbx().opens(10).asks("CoreShowChannels", "c");
    ends.event(11, "Hangup", agentChannel).event(11, "Hangup", caller);
    expect(lines(ends).story).toEqual([]);
    expect([...ends.world.all("ami call")]).toEqual([]);
  });

  test("cut short, incomplete, refused or asked for by another is forgotten", () => {
    const empty = (actionId: string, items: number) => (pbx: Pbx) =>
      pbx.line(actionId, "CoreShowChannelsComplete", { ListItems: items });
    const again = () => queued().closes().opens(10).asks("CoreShowChannels", "c");
    expect(empty("foreign", 0)(again()).story).toEqual(begun);
    expect(empty("c", 1)(again()).story).toEqual(begun);
    expect(empty("c", 0)(again().says("Response: Error\r\nActionID: c")).story).toEqual(begun);
    const cut = again()
      .line("c", "CoreShowChannel", { Channel: "PJSIP/9-00000009", Uniqueid: "1700000003.9" })
      .closes();
    expect(empty("c", 0)(cut.opens(11)).story).toEqual(begun);
    expect([...cut.world.all("ami call")].map(([key]) => key)).toEqual(["1700000000.1"]);
  });

  test("of a later session still counts from before one that was cut before its own list", () => {
    const pbx = queued().closes().opens(10).closes().opens(20).channels("c", []);
    expect(pbx.story.at(-1)).toBe("1 call deleted within 1..20 link down");
  });
});

describe("the recordings", () => {
  test("whoever a queue rang descends from a stay in that queue, and nobody else from any", () => {
    const { happenings } = foldRecording(loadRecording("ami"));
    const queues = new Set<string>();
    let rung = 0;
    for (const each of happenings) {
      if (each.kind !== "party") continue;
      if (each.step === "queued") queues.add(`${each.call.callId}/${each.party.dn}`);
      const { parent } = each.party;
      if (parent === undefined) continue;
      rung += each.step === "ringing" ? 1 : 0;
      expect({ ...parent, isKnown: queues.has(`${each.call.callId}/${parent.dn}`) }).toEqual({
        dn: parent.dn,
        by: "queue",
        isKnown: true,
      });
    }
    expect(rung).toBeGreaterThan(5);
  });

  test("both observers tell the same of every call that both saw whole, key by key and time by time", () => {
    const [a, b] = (["a", "b"] as const).map((name) => byCall(foldRecording(loadRecording(name)).happenings));
    let both = 0;
    for (const [callId, told] of a ?? []) {
      const other = b?.get(callId);
      const isWhole = (each: readonly Happening[] | undefined) =>
        each?.[0]?.kind === "call created" && each.every((one) => !("unseen" in one) || one.unseen === null);
      if (other === undefined || !isWhole(told) || !isWhole(other)) continue;
      expect(other).toEqual(told);
      both += 1;
    }
    expect(both).toBeGreaterThan(10);
  });

  test.each(["ami", "a", "b"] as const)("recording %s with every event sent twice tells the same", (name) => {
    const recording = loadRecording(name);
    expect(foldRecording(recording, { times: 2 }).happenings).toEqual(foldRecording(recording).happenings);
  });

  test("the order between calls makes no difference", () => {
    const recording = loadRecording("ami");
    const [connection] = recording.connections;
    if (connection === undefined) throw new Error("no connection");
    const linkedId = (bytes: Uint8Array) =>
      /^(?:Dest|Transferer)?Linkedid: (.*?)\r?$/m.exec(new TextDecoder().decode(bytes))?.[1] ?? "";
    const messages = connection.messages.toSorted((one, other) =>
      linkedId(one.bytes) < linkedId(other.bytes) ? -1 : linkedId(one.bytes) > linkedId(other.bytes) ? 1 : 0,
    );
    const reordered = byCall(foldRecording({ ...recording, connections: [{ ...connection, messages }] }).happenings);
    expect(reordered).toEqual(byCall(foldRecording(recording).happenings));
  });

  test("with events left out at random nothing fails, and lists and hangups clear up what is left", () => {
    const seed = Date.now() >>> 0;
    console.log(`omission seed ${seed}`);
    let state = seed;
    const chance = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const { happenings } = foldRecording(loadRecording("b"), {
      omits: ({ answers }) => answers === null && chance() < 0.1,
    });
    for (const each of happenings) expect(Number.isFinite(each.at)).toBe(true);
    const last = new Map<string, string>();
    for (const each of happenings) if ("party" in each && "step" in each) last.set(String(each.party.guid), each.step);
    expect(last.size).toBeGreaterThan(50);
  });
});

function byCall(happenings: readonly Happening[]): Map<string, Happening[]> {
  const calls = new Map<string, Happening[]>();
  for (const each of happenings) calls.set(each.call.callId, [...(calls.get(each.call.callId) ?? []), each]);
  return calls;
}
