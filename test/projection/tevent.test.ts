import { expect, test } from "bun:test";
import { at, Story, startMs } from "../harness/story.ts";

const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const other = { ThisDN: "5002", ThisDNRole: 2, PartyUUID: "A2", ConnID: "02", CallUUID: "C2" };

test("a duplicate is dropped and counted, whatever it says", () => {
  const story = new Story().events([0, "EventRinging", agent], [2, "EventEstablished", agent]);
  story.line({
    id: "EventReleased",
    EventSequenceNumber: 2,
    time: startMs / 1000 + 3,
    ConnID: "01",
    CallUUID: "C1",
    ...agent,
  });
  story.expectParties("5001: alerting 0, connected 2 | …");
  expect(story.rows("ICON_COUNTER", "NAME")).toEqual([{ SOURCE: "north", NAME: "duplicate event", VALUE: 1 }]);
});

test("a jump in the sequence is a hole with its range in the ledger, and nothing waits for it", () => {
  const story = new Story().events([0, "EventRinging", agent]).skip(3).events([70, "EventEstablished", agent]);
  story.expectParties("5001: alerting 0, connected 70 | …");
  const windows = story.rows("ICON_WINDOW", "WINDOW_TS");
  expect(windows.map(({ EVENTS, FIRST_SEQ, LAST_SEQ, HOLES }) => [EVENTS, FIRST_SEQ, LAST_SEQ, HOLES])).toEqual([
    [1, 1, 1, "[[2,4]]"],
    [1, 5, 5, "[[2,4]]"],
  ]);
});

const windowsOf = (story: Story) =>
  story.rows("ICON_WINDOW", "WINDOW_TS").map(({ WINDOW_TS, EVENTS, HOLES, FAULTS }) => {
    const minute = (WINDOW_TS - startMs / 1000) / 60;
    return [minute, EVENTS, HOLES, ...(JSON.parse(FAULTS ?? "[]") as string[])];
  });

test("a hole is in every window that its events may belong to: from the last one before it to the next one", () => {
  const story = new Story().events([10, "EventRinging", agent]).skip(2).events([250, "EventEstablished", agent]);
  expect(windowsOf(story)).toEqual([
    [0, 1, "[[2,3]]"],
    [1, 0, "[[2,3]]"],
    [2, 0, "[[2,3]]"],
    [3, 0, "[[2,3]]"],
    [4, 1, "[[2,3]]"],
  ]);
});

test("a heartbeat that names the last event taken in shows that nothing was missing until then, another does not", () => {
  const named = new Story().events([10, "EventRinging", agent]).heartbeat(130).skip(1);
  named.events([190, "EventEstablished", agent]);
  expect(windowsOf(named)).toEqual([
    [0, 1, "[]"],
    [2, 0, "[[2,2]]"],
    [3, 1, "[[2,2]]"],
  ]);
  const beyond = new Story().events([10, "EventRinging", agent]).skip(1).heartbeat(130);
  beyond.events([190, "EventEstablished", agent]);
  expect(windowsOf(beyond)).toEqual([
    [0, 1, "[[2,2]]"],
    [1, 0, "[[2,2]]"],
    [2, 0, "[[2,2]]"],
    [3, 1, "[[2,2]]"],
  ]);
});

test("a hole before an event that cannot be decoded reaches to where that one is thought to be", () => {
  const story = new Story().events([10, "EventRinging", agent]).wait(130);
  story.line({ id: "EventEstablished", EventSequenceNumber: 3, time: "nonsense" });
  const counted = story.rows("ICON_COUNTER", "NAME").map(({ NAME }) => NAME);
  expect(counted).toContain("hole in the sequence");
  const windows = windowsOf(story);
  expect(windows.map(([, , holes]) => holes)).toEqual(windows.map(() => "[[2,2]]"));
  expect(windows.map(([minute]) => minute)).toEqual(windows.map((_, at) => at));
  expect(windows.at(-1)).toContain("undecodable frame");
});

test("what a snapshot takes the place of is missing in every window since the last word before it", () => {
  const story = new Story().events([10, "EventRinging", agent]).close("connection lost").wait(200).open();
  story.line({ gap: { from: 2, to: 4 } }).snapshot(4, [190, "EventRinging", agent]);
  const windows = windowsOf(story);
  expect(windows.length).toBeGreaterThan(2);
  expect(windows.map(([minute, , holes]) => [minute, holes])).toEqual(windows.map((_, at) => [at, "[[2,4]]"]));
  for (const each of [windows[0], windows.at(-1)]) expect(each).toContain("reconciled by snapshot");
});

test("of a hole that is longer than 1000 windows the first and the last are marked, and a mark names those between", () => {
  const minutes = 10_080;
  const story = new Story().events([10, "EventRinging", agent]).skip(1);
  story.events([minutes * 60, "EventEstablished", agent]);
  const windows = windowsOf(story);
  expect(windows).toEqual([
    [0, 1, "[[2,2]]", "later windows not marked"],
    ...Array.from({ length: 999 }, (_, each) => [minutes - 999 + each, 0, "[[2,2]]"]),
    [minutes, 1, "[[2,2]]"],
  ]);
  const marks = story.rows("ICON_MARK", "ID").filter(({ KIND }) => KIND === "windows not marked");
  expect(marks.map(({ DETAIL }) => DETAIL)).toEqual([
    `${at(60)} to ${at((minutes - 999) * 60)}: events 2 to 2 missing`,
  ]);
});

test("numbers of a new server run begin again and are no duplicates", () => {
  const story = new Story().events([0, "EventRinging", agent]).close("connection lost").open({ run: "run-2" });
  story.snapshot(0).events([9, "EventRinging", other]);
  expect(story.rows("G_CALL", "CALLID").map(({ CALLID }) => CALLID)).toEqual(["C1", "C2"]);
  const counted = story.rows("ICON_COUNTER", "NAME").map(({ NAME, VALUE }) => `${NAME}: ${VALUE}`);
  // The call of the run before is gone with it, and that is counted.
  expect(counted.toSorted()).toEqual(["call ended unseen: 1", "party ended unseen: 1"]);
});

test("calls that were there before are found with what the snapshot knows of their beginning, and marked", () => {
  const story = new Story().snapshot(41, [
    12,
    "EventHeld",
    { ...agent, snapshot: true, origin: { run: "run-1", seq: 7, time: startMs / 1000 + 5 } },
  ]);
  story.expectParties("5001: hold 12 | …");
  expect(story.rows("G_PARTY", "ID")[0]).toMatchObject({ CREATED: at(5), PARTYGUID: "A1" });
  expect(story.rows("G_CALL", "ID")[0]).toMatchObject({ CREATED: at(5) });
  expect(story.doubts()).toEqual([
    "G_CALL: beginning not seen, found in snapshot, 5–5",
    "G_PARTY: beginning not seen, found in snapshot, 5–5",
  ]);
});

test("what a snapshot does not name has ended unseen, within bounds, for the reason the link was away", () => {
  const story = new Story()
    .events([0, "EventRinging", agent], [3, "EventRinging", other])
    .heartbeat(10)
    .close("connection lost")
    .wait(60)
    .open();
  story.line({ gap: { from: 3, to: 9 } });
  story.snapshot(9, [20, "EventHeld", other]);
  story.expectParties("5001: alerting 0 | 10", "5002: alerting 3, hold 20 | …");
  expect(story.rows("G_CALL", "ID").map(({ CALLID, TERMINATED }) => [CALLID, TERMINATED])).toEqual([
    ["C1", at(10)],
    ["C2", null],
  ]);
  expect(story.doubts()).toEqual([
    "G_PARTY: change not seen, found in snapshot, 3–20",
    "G_PARTY: end not seen, gap, 10–70",
    "G_CALL: end not seen, gap, 10–70",
  ]);
  expect(story.rows("ICON_MARK", "ID").map(({ KIND }) => KIND)).toContain("gap reported");
});

test("a snapshot cut short is discarded: nothing of it is taken in and nothing is ended", () => {
  const story = new Story().events([0, "EventRinging", agent]).close("connection lost").open();
  story.line({ snapshot: "begin" });
  story.line({ id: "EventRinging", snapshot: true, time: startMs / 1000 + 5, ...other });
  story.close("connection lost").open();
  story.line({ resumed: 1 }).events([6, "EventEstablished", agent]);
  story.expectParties("5001: alerting 0, connected 6 | …");
  expect(story.world.all("snapshot item")).toEqual([]);
  expect(story.doubts()).toEqual([]);
});

test("without identifiers, a stay of another origin on the same DN is another stay", () => {
  const { PartyUUID: _, ...dn } = agent;
  const origin = (seq: number, seconds: number) => ({ origin: { run: "run-1", seq, time: startMs / 1000 + seconds } });
  const again = new Story().events([0, "EventRinging", dn]).close("connection lost").open();
  again.snapshot(9, [30, "EventRinging", { ...dn, ...origin(8, 30) }]);
  again.expectParties("5001: alerting 0 | 0", "5001: alerting 30 | …");
  const same = new Story().events([0, "EventRinging", dn]).close("connection lost").open();
  same.snapshot(9, [0, "EventRinging", { ...dn, ...origin(1, 0) }]);
  same.expectParties("5001: alerting 0 | …");
});

test("a stay found without its origin gets a key of its own and says so", () => {
  const { PartyUUID: _, ...dn } = agent;
  const story = new Story().snapshot(9, [30, "EventRinging", dn]);
  expect(story.doubts()).toContain("G_PARTY: key is local, null, ?–?");
});

test("a frame that cannot be decoded is kept with its reason, counted, and its window says so", () => {
  const story = new Story().heartbeat(0);
  story.line('{"id":"EventRinging","EventSequenceNumber":1,"time":"yesterday"}').line("not json at all");
  const kept = story.rows("ICON_UNDECODED", "ID");
  expect(kept.map(({ REASON, SOURCE, GSYS_DOMAIN }) => [REASON, SOURCE, GSYS_DOMAIN])).toEqual([
    ["time is not seconds since 1970 as number, decimal string or {sec, usec}", "north", story.session],
    ["line is not JSON", "north", story.session],
  ]);
  expect(story.rows("ICON_WINDOW", "WINDOW_TS")[0]?.FAULTS).toBe('["undecodable frame"]');
  story.events([1, "EventRinging", agent]);
  expect(story.rows("ICON_COUNTER", "NAME").map(({ NAME, VALUE }) => [NAME, VALUE])).toEqual([
    ["undecodable frame", 2],
    ["duplicate event", 1],
  ]);
});

test("a session is one row: its type says first, reconnect, restart or switchover; its end and events by both clocks", () => {
  const story = new Story().events([0, "EventRinging", agent], [5, "EventEstablished", agent]).wait(10);
  story.close("connection lost").wait(5).open().close("connection lost").open({ run: "run-2" });
  story.close("source role").open({ run: "run-3", dbid: 102 });
  const rows = story.rows("G_DSS_GCC_PROVIDER", "DSS_ID");
  expect(rows.map(({ DSCONN_TYPE, DS_DBID, DS_DBID_PRIM }) => [DSCONN_TYPE, DS_DBID, DS_DBID_PRIM])).toEqual([
    [1, 101, 101],
    [2, 101, 101],
    [3, 101, 101],
    [5, 102, 101],
  ]);
  expect(rows[0]).toMatchObject({
    ICON_DBID: 9001,
    DS2_DBID: 1,
    DS_TYPE: 1,
    DSCONN_STIME: at(0),
    DSCONN_ETIME: at(10),
    ICON_ETIME: null,
    FEVENT_DSTIME: at(0),
    FEVENT_DSSEQ: "1",
    LEVENT_DSTIME: at(5),
    LEVENT_DSSEQ: "2",
  });
});

test("a CTI link that is lost ends what the row vouches for, whatever ends the session later", () => {
  const lost = { mark: "switch disconnected", source: "north" } as const;
  const story = new Story().wait(10).mark(lost).wait(5).events([15, "EventRinging", agent]);
  const row = () => [
    story.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]?.DSCONN_ETIME,
    story.rows("ICON_DSS", "DSS_ID")[0]?.END_CAUSE,
    story.rows("ICON_DSS", "DSS_ID")[0]?.END_DETAIL,
  ];
  expect(row()).toEqual([at(10), null, null]);
  story.wait(20).start();
  expect(row()).toEqual([at(10), "CTI link down", "then our crash"]);
});

test("a source that names no server run is another server of the pair when another address answers", () => {
  const story = new Story().close("connection lost").open({ run: null, address: "10.0.0.1:5038" });
  for (const address of ["10.0.0.1:5038", "10.0.0.2:5038", "10.0.0.1:5038"]) {
    story.close("connection lost").open({ run: null, address });
  }
  const types = story.rows("G_DSS_GCC_PROVIDER", "DSS_ID").map(({ DSCONN_TYPE }) => DSCONN_TYPE);
  expect(types.slice(2)).toEqual([2, 5, 5]);
});

test("a session that goes on after the CTI link came back is of type 4, and its events are no duplicates", () => {
  const story = new Story()
    .events([0, "EventRinging", agent])
    .close("CTI link down")
    .open({ isSwitchReconnection: true });
  story.events([9, "EventEstablished", agent]).expectParties("5001: alerting 0, connected 9 | …");
  expect(story.rows("G_DSS_GCC_PROVIDER", "DSS_ID").map(({ DSCONN_TYPE }) => DSCONN_TYPE)).toEqual([1, 4]);
  expect(story.rows("ICON_COUNTER", "NAME")).toEqual([]);
});

test("after a crash the next start closes the session at the last arrival, after a stop at the stop", () => {
  const crashed = new Story().wait(7).events([5, "EventRinging", agent]).wait(100);
  crashed.start();
  expect(crashed.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]).toMatchObject({ DSCONN_ETIME: at(7), ICON_ETIME: null });
  const stopped = new Story().wait(9).close("our stop");
  expect(stopped.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]).toMatchObject({ DSCONN_ETIME: at(9), ICON_ETIME: at(9) });
});

test("a party that moved to another call while nobody listened is not taken for still being on the old one", () => {
  const story = new Story().events([0, "EventRinging", agent]).heartbeat(5).close("connection lost").open();
  story.snapshot(9, [7, "EventEstablished", { ...agent, ConnID: "02", CallUUID: "C2" }]);
  expect(story.rows("G_CALL", "ID").map(({ CALLID, TERMINATED }) => [CALLID, TERMINATED])).toEqual([
    ["C1", at(5)],
    ["C2", null],
  ]);
});

test("a snapshot with a line that cannot be taken in adds what it names and ends nothing", () => {
  const story = new Story().events([0, "EventRinging", agent]).close("connection lost").open();
  story.line({ snapshot: "begin" });
  story.line({
    id: "EventRinging",
    snapshot: true,
    time: startMs / 1000,
    ...agent,
    ConnID: "01",
    CallUUID: "C1",
    ThisDN: 5001,
  });
  story.line({ id: "EventRinging", snapshot: true, time: startMs / 1000 + 5, ...other });
  story.line({ snapshot: "end", lastSeq: 9 });
  story.expectParties("5001: alerting 0 | …", "5002: alerting 5 | …");
  expect(story.rows("ICON_WINDOW", "WINDOW_TS").at(-1)?.FAULTS).toContain("snapshot damaged");
});

test("a snapshot of more parties than are kept is taken in as far as that, counted beyond, and ends nothing", () => {
  const story = new Story().events([0, "EventRinging", agent]).close("connection lost").open();
  story.line({ snapshot: "begin" });
  const present = { id: "EventRinging", snapshot: true, time: startMs / 1000 + 5, ThisDN: "7001" };
  for (let call = 0; call < 100_003; call += 1) story.line({ ...present, CallUUID: `S${call}` });
  expect(story.world.all("snapshot item").length).toBe(100_000);
  story.line({ snapshot: "end", lastSeq: 9 });
  expect(story.world.all("snapshot item").length).toBe(0);
  expect(story.world.get("call", "C1")?.endedAt).toBeNull();
  expect(story.world.all("call").length).toBe(100_001);
  expect(story.rows("ICON_COUNTER", "NAME")).toContainEqual({
    SOURCE: "north",
    NAME: "snapshot line beyond the bound",
    VALUE: 3,
  });
  expect(story.rows("ICON_WINDOW", "WINDOW_TS").at(-1)?.FAULTS).toContain("snapshot damaged");
}, 300_000);

test("without CallUUID, a call that lives on over a restart of the server stays the same call", () => {
  const { CallUUID: _call, PartyUUID: _party, ...plain } = { ...other };
  const bare = { ...plain, CallUUID: undefined, ConnID: "0a" };
  const story = new Story().events([0, "EventRinging", bare]).close("connection lost").open({ run: "run-2" });
  story.snapshot(0, [0, "EventRinging", { ...bare, origin: { run: "run-1", seq: 1, time: startMs / 1000 } }]);
  story.events([4, "EventEstablished", bare], [9, "EventReleased", bare]).heartbeat(60);
  story.expectParties("5002: alerting 0, connected 4 | 9");
  expect(story.rows("G_CALL", "ID").map(({ CREATED, TERMINATED }) => [CREATED, TERMINATED])).toEqual([[at(0), at(9)]]);
  expect(story.world.all("call alias")).toEqual([]);
});

test("what answers without having been seen to ring was missed: a local key where there is no other, and a mark", () => {
  const { PartyUUID: _, ...dn } = agent;
  const story = new Story().events([0, "EventEstablished", dn]);
  expect(story.doubts().toSorted()).toEqual([
    "G_CALL: beginning not seen, link down, ?–0",
    "G_PARTY: beginning not seen, link down, ?–0",
    "G_PARTY: key is local, null, ?–?",
  ]);
});

test("a late event goes into the oldest window still kept, and no row that was left behind is touched", () => {
  const story = new Story().events([0, "EventRinging", agent], [600, "EventEstablished", agent]);
  story.events([1, "EventDNDOn", agent]);
  expect(
    story
      .rows("ICON_WINDOW", "WINDOW_TS")
      .map(({ WINDOW_TS, EVENTS, FAULTS }) => [WINDOW_TS - startMs / 1000, EVENTS, FAULTS]),
  ).toEqual([
    [0, 1, "[]"],
    [600, 1, "[]"],
    [420, 1, '["late event"]'],
  ]);
});

test("an ending that waits is written later when call-deletion-timeout is raised meanwhile, and not forgotten", () => {
  const story = new Story({ callDeletionTimeoutSeconds: 5 });
  story
    .events([0, "EventRinging", agent], [1, "EventReleased", agent])
    .start({ callDeletionTimeoutSeconds: 60 })
    .open();
  story.heartbeat(30);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBeNull();
  story.heartbeat(61);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBe(at(1));
});

test("every step of time that a row refers to has its row in G_TIMECODE", () => {
  const story = new Story({ callDeletionTimeoutSeconds: 0 });
  story.events([0, "EventRinging", agent]).heartbeat(900).events([901, "EventReleased", agent]);
  const codes = new Set(story.rows("G_TIMECODE", "ID").map(({ ID }) => ID));
  const referred = [
    ...story.rows("G_CALL", "ID").flatMap((row) => [row.CREATED_TCODE, row.TERMINATED_TCODE]),
    ...story.rows("G_PARTY_HISTORY", "PHID").map((row) => row.ADDED_TCODE),
  ];
  expect(referred.filter((code) => code == null || !codes.has(code))).toEqual([]);
});

test("undecodable frames of a queue that took another's place do not replace those of the one before", () => {
  const first = new Story().line("garbage one");
  const position = first.rows("ICON_UNDECODED", "ID")[0]?.POSITION;
  const again = new Story().line("garbage two");
  expect(again.rows("ICON_UNDECODED", "ID")[0]?.POSITION).toBe(position ?? -1);
  expect(first.line("garbage three").rows("ICON_UNDECODED", "ID").length).toBe(2);
});

test("of two stays of one DN the earlier one was there until we last heard of the source, and then ended unseen", () => {
  const queue = { ThisDN: "8001", ThisDNRole: 2, CallUUID: "C1" };
  const story = new Story().events([0, "EventQueued", queue]).heartbeat(50).close("connection lost").wait(60).open();
  story.line({ gap: { from: 2, to: 4 } });
  const origin = { run: "run-1", seq: 4, time: startMs / 1000 + 55 };
  story.snapshot(4, [55, "EventQueued", { ...queue, origin }]);
  story.expectParties("8001: queued 0 | 50", "8001: queued 55 | …");
  expect(story.doubts()).toContain("G_PARTY: end not seen, found in snapshot, 50–55");
});

test("a party is released whatever the name of the cause, and a name that is not known is counted", () => {
  const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const story = new Story().events(
    [0, "EventRinging", agent],
    [5, "EventReleased", { ...agent, CallState: "CallStateAnswerDetected" }],
  );
  story.expectParties("5001: alerting 0 | 5");
  expect(story.rows("G_PARTY", "ID")).toMatchObject([{ CCEVENTCAUSE: null }]);
  expect(story.rows("ICON_COUNTER", "NAME")).toMatchObject([{ NAME: "enumeration with an unknown name", VALUE: 1 }]);
});

test("an event without the CallUUID that its call has is the call's whose party stands at the DN", () => {
  const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
  const story = new Story().events(
    [0, "EventRinging", agent],
    [3, "EventEstablished", { ...agent, CallUUID: undefined }],
    [9, "EventReleased", { ...agent, CallUUID: undefined }],
    // The ConnID alone names no call that has ended, nor one of others.
    [10, "EventRinging", { ...agent, ThisDN: "5002", PartyUUID: "B1", CallUUID: undefined }],
  );
  story.expectParties("5001: alerting 0, connected 3 | 9", "5002: alerting 10 | …");
  expect(story.rows("G_CALL", "ID").map(({ CALLID }) => CALLID === "C1")).toEqual([true, false]);
});
