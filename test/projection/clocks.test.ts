import { expect, test } from "bun:test";
import { at, Story, startMs } from "../harness/story.ts";

const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };

test("a step of this host's clock stands in the marks with its size, and in the window that was open", () => {
  const story = new Story().events([0, "EventRinging", agent], [70, "EventEstablished", agent]).wait(70 - 3600);
  story.mark({ mark: "host clock stepped", stepMs: -3_600_000 });
  expect(story.rows("ICON_MARK", "ID").at(-1)).toMatchObject({
    KIND: "host clock stepped",
    DETAIL: `3600.000 s back; it was ${at(70)}`,
    ADDED: at(70 - 3600),
    SOURCE: null,
  });
  expect(story.rows("ICON_WINDOW", "WINDOW_TS").map(({ FAULTS }) => FAULTS)).toEqual(["[]", '["host clock stepped"]']);
});

test("no row's times move with this host's clock: a call is timed by the source's", () => {
  const story = new Story().events([0, "EventRinging", agent]).wait(3600 + 5);
  story.mark({ mark: "host clock stepped", stepMs: 3_600_000 });
  story.events([5, "EventEstablished", agent]).close("connection lost").open();
  story.snapshot(2);
  story.expectParties("5001: alerting 0, connected 5 | 5");
  // What ended unseen did so between the two sessions, by the source's clock as it goes with ours now.
  expect(story.doubts()[0]).toBe("G_PARTY: end not seen, link down, 5–5");
});

const clock = (differenceMs: number, uncertaintyMs: number, stepMs: number | null = null) =>
  ({ mark: "clock difference", source: "north", differenceMs, uncertaintyMs, stepMs }) as const;

test("the difference to the source's clock stands with the session, and gives its beginning by the source's clock", () => {
  const story = new Story().wait(3);
  const session = () => story.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0];
  expect(session()).toMatchObject({ DSCONN_STIME: at(0), DSCONN_SDSTIME: at(0) });
  story.mark(clock(-1500, 20));
  story.mark(clock(-1800, 4));
  expect(session()).toMatchObject({ DSCONN_STIME: at(0), DSCONN_SDSTIME: at(-1.5) });
  expect(story.rows("ICON_DSS", "DSS_ID")[0]).toMatchObject({ CLOCK_DIFFERENCE_MS: -1800, CLOCK_UNCERTAINTY_MS: 4 });
  expect(story.rows("ICON_MARK", "ID").slice(-2)).toMatchObject([
    { KIND: "clock difference", SOURCE: "north", DETAIL: expect.stringContaining("1.500 s behind ours") },
    { KIND: "clock difference", SOURCE: "north", DETAIL: expect.stringContaining("1.800 s behind ours") },
  ]);
});

test("clocks that differ by no more than can be told leave the session's beginning by ours", () => {
  const story = new Story();
  story.mark(clock(15, 20));
  expect(story.rows("G_DSS_GCC_PROVIDER", "DSS_ID")[0]).toMatchObject({ DSCONN_SDSTIME: at(0) });
});

test("a step of the source's clock is marked with its size, and flags the windows on both sides of it", () => {
  const story = new Story().events([0, "EventRinging", agent]).wait(5);
  story.mark(clock(7200_000, 5, 7200_000));
  expect(story.rows("ICON_MARK", "ID").at(-1)).toMatchObject({
    KIND: "source clock stepped",
    SOURCE: "north",
    DETAIL: expect.stringMatching(/^7200\.000 s forward; /),
  });
  const windows = story.rows("ICON_WINDOW", "WINDOW_TS");
  expect(windows.map(({ WINDOW_TS, FAULTS }) => [WINDOW_TS - startMs / 1000, FAULTS])).toEqual([
    [0, '["source clock stepped"]'],
    [7200, '["source clock stepped"]'],
  ]);
});

test("what our clock was set to while the instance was down is no step of the source's, and moves nothing of its rows", () => {
  const told = (stepSeconds: number) => {
    const story = new Story().snapshot(0).events([0, "EventRinging", agent], [2, "EventEstablished", agent]);
    story
      .heartbeat(3)
      .wait(10 + stepSeconds)
      .start()
      .open();
    story.mark(clock(-stepSeconds * 1000, 5));
    story.events([14, "EventReleased", agent]).heartbeat(20);
    expect(story.rows("ICON_MARK", "ID").map(({ KIND }) => KIND)).not.toContain("source clock stepped");
    return {
      parties: story.parties(),
      doubts: story.doubts(),
      windows: story.rows("ICON_WINDOW", "WINDOW_TS").map((row) => [row.WINDOW_TS, row.EVENTS, row.FAULTS, row.HOLES]),
      coverage: story.rows("ICON_COVERAGE", "ID").map((row) => [row.FROM_TIME, row.UNTIL_TIME, row.ENDED_BECAUSE]),
    };
  };
  const undisturbed = told(0);
  expect(undisturbed).toMatchObject({ windows: [[startMs / 1000, 3, "[]", "[]"]], coverage: [[at(0), at(20), null]] });
  expect(told(-86_400)).toEqual(undisturbed);
  expect(told(86_400)).toEqual(undisturbed);
});

test("after one event that was told of next year nothing is vouched for until that time, but a new run of the server is", () => {
  const year = 365 * 86_400;
  const story = new Story().events(
    [0, "EventRinging", agent],
    [5, "EventEstablished", agent],
    [year, "EventHeld", agent],
  );
  story.events([65, "EventRetrieved", agent], [70, "EventReleased", agent]).heartbeat(200);
  const covered = () =>
    story.rows("ICON_COVERAGE", "ID").map((row) => [row.FROM_TIME, row.UNTIL_TIME, row.ENDED_BECAUSE]);
  expect(covered()).toEqual([
    [at(0), at(65), "source clock stepped"],
    [at(year), at(year), null],
  ]);
  story.close("connection lost").open({ run: "run-2" });
  story.events([300, "EventRinging", { ...agent, ConnID: "02", CallUUID: "C2" }]).heartbeat(360);
  expect(covered().at(-1)).toEqual([at(300), at(360), null]);
  const [window] = story.rows("ICON_WINDOW", "WINDOW_TS").filter(({ RUN }) => RUN === "101@run-2");
  expect(window).toMatchObject({ WINDOW_TS: startMs / 1000 + 300, EVENTS: 1, FAULTS: "[]" });
});

test("where the source's clock steps back within a call, no stay ends before it began and its states add up to it", () => {
  const waiting = { ThisDN: "VQ_Sales", Extensions: { VQID: "V1" } };
  const story = new Story().events(
    [100, "EventRinging", agent],
    [101, "EventQueued", waiting],
    [90, "EventDiverted", waiting],
    [91, "EventEstablished", agent],
    [130, "EventHeld", agent],
    [70, "EventReleased", agent],
  );
  story.heartbeat(130);
  story.expectParties("5001: alerting 100, connected 100, hold 130 | 130");
  const stay = { CREATED: at(100), TERMINATED: at(130) };
  expect(story.rows("G_CALL", "ID")).toMatchObject([stay]);
  expect(story.rows("G_IR", "ID")).toMatchObject([stay]);
  expect(story.rows("G_PARTY_STAT", "ID")).toMatchObject([{ TT_ALERTING: 0, TT_CONNECTED: 30, TT_HOLD: 0 }]);
  expect(story.rows("G_VIRTUAL_QUEUE", "ID")).toMatchObject([{ CREATED: at(101), TERMINATED: at(101) }]);
});

test("a time that was absurd once holds neither the party nor its call there", () => {
  const story = new Story().events(
    [100, "EventRinging", agent],
    [365 * 86_400, "EventEstablished", agent],
    [130, "EventReleased", agent],
  );
  story.heartbeat(200);
  story.expectParties(`5001: alerting 100, connected ${365 * 86_400} | 130`);
  expect(story.rows("G_CALL", "ID")).toMatchObject([{ CREATED: at(100), TERMINATED: at(130) }]);
});

test("a call lasts until the last of its parties has gone, though a later one went by a clock that was set back", () => {
  const other = { ...agent, ThisDN: "5002", PartyUUID: "B1" };
  const story = new Story().events(
    [100, "EventEstablished", agent],
    [110, "EventReleased", agent],
    [40, "EventRinging", other],
    [50, "EventReleased", other],
  );
  story.heartbeat(130);
  story.expectParties("5001: connected 100 | 110", "5002: alerting 40 | 50");
  expect(story.rows("G_CALL", "ID")).toMatchObject([{ CREATED: at(100), TERMINATED: at(110) }]);
});
