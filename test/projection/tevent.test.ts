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
    [1, 1, 1, "[]"],
    [1, 5, 5, "[[2,4]]"],
  ]);
});

test("numbers of a new server run begin again and are no duplicates", () => {
  const story = new Story().events([0, "EventRinging", agent]).close("connection lost").open({ run: "run-2" });
  story.snapshot(0).events([9, "EventRinging", other]);
  expect(story.rows("G_CALL", "CALLID").map(({ CALLID }) => CALLID)).toEqual(["C1", "C2"]);
  expect(story.rows("ICON_COUNTER", "NAME")).toEqual([]);
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
    .events([0, "EventRinging", agent], [3, "EventEstablished", other])
    .heartbeat(10)
    .close("connection lost")
    .wait(60)
    .open();
  story.line({ gap: { from: 3, to: 9 } });
  story.snapshot(9, [20, "EventHeld", other]);
  story.expectParties("5001: alerting 0 | 10", "5002: connected 3, hold 20 | …");
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
  const kept = story.rows("ICON_UNDECODED", "POSITION");
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

test("after a crash the next start closes the session at the last arrival, after a stop at the stop", () => {
  const started = (story: Story) =>
    story.mark({
      mark: "instance started",
      programVersion: "0.1.0",
      instance: { name: "icon-a", dbid: 9001 },
      queueId: "q",
      queueState: "recovered",
      role: ["gcc"],
      sources: [],
      configurationHash: "0".repeat(64),
    });
  const crashed = new Story().wait(7).events([5, "EventRinging", agent]).wait(100);
  started(crashed);
  expect(crashed.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]).toMatchObject({ DSCONN_ETIME: at(7), ICON_ETIME: null });
  const stopped = new Story().wait(9).close("our stop");
  expect(stopped.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]).toMatchObject({ DSCONN_ETIME: at(9), ICON_ETIME: at(9) });
});
