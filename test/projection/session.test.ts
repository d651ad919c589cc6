// What is said of a data source session beside its row in G_DSS_GCC_PROVIDER: the last event stored of its cluster
// (G_SYNC_CONTROL), and until when anything arrived (ICON_DSS).

import { expect, test } from "bun:test";
import { providerTags } from "../../schema/dictionary.ts";
import { type Envelope, encodeEnvelope, type Mark, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { noContexts } from "../harness/ami-fold.ts";
import { MemoryWorld } from "../harness/memory-world.ts";
import { at, Story, startMs } from "../harness/story.ts";

const ringing = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const event = (seconds: number) => [seconds, "EventRinging", ringing] as const;

const lastOfCluster = (story: Story) => story.rows("G_SYNC_CONTROL", "CLUSTERID");

/** The row of the story's one cluster. */
function syncRow(of: { server: number; run: string; seconds: number; number: number; session: number }) {
  return {
    ...{ DOMAINID: 0, PRIMARYID: 9001, PROVIDERTAG: providerTags.gcc, CLUSTERID: 101 },
    PROVIDERID: of.server,
    EVENTTIMESEC: startMs / 1000 + Math.floor(of.seconds),
    EVENTTIMEUSEC: Math.round((of.seconds % 1) * 1000),
    SESSIONID: `${of.server}@${of.run}`,
    EVENTID: String(of.number),
    GSYS_DOMAIN: of.session,
  };
}

test("the last event stored of a cluster has one row, which goes on with the next session", () => {
  const story = new Story().snapshot(7);
  expect(lastOfCluster(story)).toEqual([]);
  story.events(event(5.25));
  const first = { server: 101, run: "run-1", session: story.session };
  expect(lastOfCluster(story)).toEqual([syncRow({ ...first, seconds: 5.25, number: 8 })]);
  story.events(event(6), event(7.5)).close("connection lost").open().events(event(30));
  expect(story.session).not.toBe(first.session);
  expect(lastOfCluster(story)).toEqual([syncRow({ ...first, seconds: 30, number: 11, session: story.session })]);
});

test("a session without a stored event leaves that row as it was: a heartbeat, a snapshot and what is sent twice are none", () => {
  const story = new Story().events(event(5), event(6));
  const before = [syncRow({ server: 101, run: "run-1", seconds: 6, number: 2, session: story.session })];
  story.close("connection lost").wait(60).open();
  expect(lastOfCluster(story)).toEqual(before);
  story.line({ id: "EventRinging", EventSequenceNumber: 2, time: startMs / 1000 + 6, ConnID: "01", ...ringing });
  story.heartbeat(70).snapshot(2).close("silence").wait(60).start().open();
  expect(lastOfCluster(story)).toEqual(before);
});

test("after a switchover the row names the other server of the pair, its run and its numbers, under the same cluster", () => {
  const story = new Story().events(event(5), event(6)).close("source shutdown");
  const { session } = story;
  story.open({ dbid: 102, run: "run-9", address: "127.0.0.1:7002" });
  expect(lastOfCluster(story)).toEqual([syncRow({ server: 101, run: "run-1", seconds: 6, number: 2, session })]);
  story.events(event(20));
  expect(lastOfCluster(story)).toEqual([
    syncRow({ server: 102, run: "run-9", seconds: 20, number: 1, session: story.session }),
  ]);
});

test("each provider class that is recorded has a row, and no other", () => {
  for (const role of [["gls"], ["gcc", "gls", "gud"]] as const) {
    const story = new Story({ role }).events([1, "EventRinging", { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" }]);
    const written = story.world.written.flatMap(({ table, row }) =>
      table === "G_SYNC_CONTROL" ? [row["PROVIDERTAG"] as number] : [],
    );
    expect([...new Set(written)]).toEqual(role.map((each) => providerTags[each]));
  }
});

test("of a source without numbers the row has the event's time, and neither a number nor a run", () => {
  const world = new MemoryWorld();
  const session = 1001 as SessionId;
  const identity = { name: "pbx", kind: "ami", dbid: 201, primaryDbid: 201, switchDbid: 2, dsType: 101 } as const;
  let position = 0n;
  const step = (part: { readonly mark: Mark } | { readonly text: string }): void => {
    const arrival = { session, arrivedAt: arrivalInstant(startMs + 9_000) };
    const frame = (text: string) => ({ isCut: false, frame: new TextEncoder().encode(text) });
    const envelope: Envelope =
      "mark" in part
        ? { kind: "mark", ...arrival, mark: part.mark }
        : { kind: "frame", ...arrival, arrivalNumber: Number(position), ...frame(part.text) };
    position += 1n;
    stepRecord(world, { windowSeconds: 60 }, position, encodeEnvelope(envelope));
  };
  const said = (name: string, ...lines: readonly string[]) =>
    step({ text: [`Event: ${name}`, ...lines, "Queue: sales", "Interface: SIP/5001"].join("\r\n") });
  step({
    mark: {
      ...{ mark: "instance started", programVersion: "0.1.0", instance: { name: "icon-a", dbid: 9001 } },
      ...{ queueId: "q", queueState: "new", role: ["gcc"], configurationHash: "0".repeat(64) },
      sources: [{ ...identity, options: noContexts }],
    },
  });
  const { name: source, dbid, primaryDbid, switchDbid, dsType } = identity;
  const server = { address: "127.0.0.1:5038", serverName: null, dbid, primaryDbid, switchDbid, dsType };
  step({ mark: { mark: "session opened", source, ...server, run: null, resumeAfter: null } });
  const time = (seconds: number) => `Timestamp: ${(startMs / 1000 + seconds).toFixed(6)}`;
  said("QueueMemberPause", time(5.125));
  said("QueueMember", "ActionID: 1", time(8)); // of a list that was asked for
  expect(world.written.filter(({ table }) => table === "G_SYNC_CONTROL").map(({ row }) => row)).toEqual([
    {
      ...{ DOMAINID: 0, PRIMARYID: 9001, PROVIDERTAG: providerTags.gcc, CLUSTERID: 201, PROVIDERID: 201 },
      ...{ EVENTTIMESEC: startMs / 1000 + 5, EVENTTIMEUSEC: 125, SESSIONID: null, EVENTID: null, GSYS_DOMAIN: session },
    },
  ]);
});

/** By our clock: the session's last event, and its last arrival of any kind. */
function heard(story: Story) {
  const { LEVENT_ITIME, LEVENT_DSSEQ, DSCONN_ETIME } = story.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0] ?? {};
  const { HEARD_UNTIL, IS_END_SEEN } = story.rows("ICON_DSS", "DSS_ID")[0] ?? {};
  return { HEARD_UNTIL, LEVENT_ITIME, LEVENT_DSSEQ, DSCONN_ETIME, IS_END_SEEN };
}

test("silence is no outage: heartbeats move HEARD_UNTIL, and the last event stays where it is", () => {
  const story = new Story();
  const open = { LEVENT_ITIME: null, LEVENT_DSSEQ: null, DSCONN_ETIME: null, IS_END_SEEN: null };
  expect(heard(story)).toEqual({ ...open, HEARD_UNTIL: at(0) });
  story.wait(5).events(event(4));
  const last = { ...open, LEVENT_ITIME: at(5), LEVENT_DSSEQ: "1" };
  expect(heard(story)).toEqual({ ...last, HEARD_UNTIL: at(5) });
  story.wait(10).heartbeat(14);
  expect(heard(story)).toEqual({ ...last, HEARD_UNTIL: at(15) });
  story.wait(10).heartbeat(24);
  expect(heard(story)).toEqual({ ...last, HEARD_UNTIL: at(25) });
  story.wait(30).close("silence");
  expect(heard(story)).toEqual({ ...last, HEARD_UNTIL: at(25), DSCONN_ETIME: at(55), IS_END_SEEN: 1 });
});

test("after a crash HEARD_UNTIL stays at the last arrival, and the session ends there without its end having been seen", () => {
  const story = new Story().wait(5).events(event(4)).wait(10).heartbeat(14).wait(100);
  const last = { LEVENT_ITIME: at(5), LEVENT_DSSEQ: "1", HEARD_UNTIL: at(15) };
  expect(heard(story)).toEqual({ ...last, DSCONN_ETIME: null, IS_END_SEEN: null });
  const ended = { ...last, DSCONN_ETIME: at(15), IS_END_SEEN: 0 };
  expect(heard(story.start())).toEqual(ended);
  expect(heard(story.open().wait(5).heartbeat(120).events(event(121)))).toEqual(ended);
});
