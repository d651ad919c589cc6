import { expect, test } from "bun:test";
import { stepBegunFromState, stepDamage, stepHistoryTrimmed, stepQueueLost } from "../../src/projection/projection.ts";
import { Story, startMs } from "../harness/story.ts";

const settings = { windowSeconds: 60 };
const ringing = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const event = (seconds: number) => [seconds, "EventRinging", ringing] as const;

const secondsOf = (text: string | null | undefined) => (text == null ? null : (Date.parse(text) - startMs) / 1000);

/** "from(number)–until(number) because … until …", a line a span. */
function spansOf(story: Story): string[] {
  return story.rows("ICON_COVERAGE", "ID").map((row) => {
    const ends = `${secondsOf(row.FROM_TIME)}(${row.FROM_SEQ})–${secondsOf(row.UNTIL_TIME)}(${row.UNTIL_SEQ})`;
    return `${ends} ${row.BEGAN_BECAUSE} … ${row.ENDED_BECAUSE ?? "goes on"}`;
  });
}

const time = (seconds: number) => startMs / 1000 + seconds;

test("a span reaches from the first word after the snapshot to the last one", () => {
  const story = new Story().snapshot(7);
  expect(spansOf(story)).toEqual([]);
  story.heartbeat(3);
  expect(spansOf(story)).toEqual(["3(7)–3(7) first connection … goes on"]);
  story.events(event(5), event(6)).heartbeat(10);
  expect(spansOf(story)).toEqual(["3(7)–10(9) first connection … goes on"]);
});

test("a row says whose span it is, in which session it began, and when it was last moved", () => {
  const story = new Story().snapshot(7).heartbeat(3).events(event(5));
  expect(story.rows("ICON_COVERAGE", "ID")).toEqual([
    {
      ID: expect.any(Number) as number,
      SOURCE: "north",
      SOURCE_CLUSTER: 101,
      SWITCH_DBID: 1,
      RUN: "101@run-1",
      FROM_TIME: new Date(startMs + 3000).toISOString(),
      FROM_SEQ: 7,
      UNTIL_TIME: new Date(startMs + 5000).toISOString(),
      UNTIL_SEQ: 8,
      LATENESS_MS: 0,
      BEGAN_BECAUSE: "first connection",
      ENDED_BECAUSE: null,
      GSYS_DOMAIN: story.session,
      VERSION: story.payloads.length,
    },
  ]);
});

test("a beginning within a millisecond counts from the next one, an end up to the one before", () => {
  const story = new Story().events(event(1.0004), event(2.0006));
  expect(spansOf(story)).toEqual(["1.001(0)–2(2) first connection … goes on"]);
});

test("a heartbeat that is ahead of what was applied is no word, nor is one without a number", () => {
  const story = new Story()
    .events(event(1))
    .skip(1)
    .heartbeat(20)
    .line({ heartbeat: time(30) });
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … goes on"]);
});

test("a hole ends the span at the last word, and the next one begins at the event behind it", () => {
  const story = new Story().events(event(1)).heartbeat(5).skip(3).events(event(20), event(21));
  expect(spansOf(story)).toEqual(["1(0)–5(1) first connection … hole", "20(4)–21(6) hole … goes on"]);
});

test("a session that ends does not end the span, when the next one goes on with the next number", () => {
  const story = new Story().events(event(1)).close("connection lost").wait(60).open();
  story.line({ resumed: 1 }).events(event(30));
  expect(spansOf(story)).toEqual(["1(0)–30(2) first connection … goes on"]);
});

test("a snapshot as of the number applied leaves the span open, one that is further ends it", () => {
  const same = new Story().events(event(1)).close("connection lost").open().snapshot(1).heartbeat(40);
  expect(spansOf(same)).toEqual(["1(0)–40(1) first connection … goes on"]);
  const further = new Story().events(event(1)).close("connection lost").open().snapshot(5).heartbeat(40);
  expect(spansOf(further)).toEqual(["1(0)–1(1) first connection … hole", "40(5)–40(5) hole … goes on"]);
});

test("a snapshot that is cut short vouches for nothing", () => {
  const story = new Story().line({ snapshot: "begin" }).close("connection lost").open().heartbeat(9);
  expect(spansOf(story)).toEqual([]);
});

test("a gap that the server reports is the reason, and the snapshot behind it where it ends", () => {
  const story = new Story().events(event(1)).close("connection lost").open();
  story
    .line({ gap: { from: 2, to: 4 } })
    .snapshot(4)
    .events(event(50));
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … gap reported", "50(4)–50(5) gap reported … goes on"]);
});

test("a new run of the server is another span, though it begins with its first event", () => {
  const story = new Story().events(event(1)).close("connection lost").open({ run: "run-2" }).events(event(30));
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … new run", "30(0)–30(1) new run … goes on"]);
});

test("a server that says goodbye vouches up to then, and that nothing of its run comes after it", () => {
  const story = new Story()
    .line({ resumed: 0 })
    .events(event(1))
    .line({ bye: "shutdown", time: time(4) });
  story.close("source shutdown").open({ run: "run-2" }).events(event(30));
  expect(spansOf(story)).toEqual(["1(0)–4(1) first connection … orderly end", "30(0)–30(1) new run … goes on"]);
});

test("a server that counts anew under the same start time vouches for nothing of what it numbers a second time", () => {
  const numbered = (seconds: number, number: number) => ({
    ...{ id: "EventRinging", EventSequenceNumber: number, time: time(seconds) },
    ...{ ConnID: "01", CallUUID: "C1", ...ringing },
  });
  const expected = ["1(0)–3(3) first connection … numbers went back", "40(3)–50(4) numbers went back … goes on"];
  const told = new Story().events(event(1), event(2), event(3));
  told.line(numbered(2, 2)).line(numbered(3, 3));
  expect(spansOf(told)).toEqual(["1(0)–3(3) first connection … goes on"]);
  told.line(numbered(10, 1)).line(numbered(20, 2)).line(numbered(30, 3)).line(numbered(40, 4));
  told.line({ heartbeat: time(50), lastSeq: 4 });
  expect(spansOf(told)).toEqual(expected);
  const hello = { ...{ hello: "tevent/1", server: "TServer_North", type: "TServer", dbid: 101, switchDbid: 1 } };
  const greeted = new Story().events(event(1), event(2), event(3)).close("connection lost").open();
  greeted.line({ ...hello, startTime: "run-1", role: "primary", lastSeq: 0, oldestSeq: null, heartbeatMs: 10_000 });
  greeted
    .line({ resumed: 3 })
    .line(numbered(40, 4))
    .line({ heartbeat: time(50), lastSeq: 4 });
  expect(spansOf(greeted)).toEqual(expected);
});

test("a goodbye while events are still to come, or before the server has answered, is no word", () => {
  const behind = new Story().line({ resumed: 0 }).events(event(1)).skip(2).heartbeat(3);
  behind
    .line({ bye: "shutdown", time: time(4) })
    .close("source shutdown")
    .open({ run: "run-2" });
  expect(spansOf(behind)).toEqual(["1(0)–1(1) first connection … new run"]);
  const early = new Story().events(event(1)).close("connection lost").open();
  early
    .line({ bye: "shutdown", time: time(4) })
    .close("source shutdown")
    .open({ run: "run-2" });
  expect(spansOf(early)).toEqual(["1(0)–1(1) first connection … new run"]);
});

test("a run that goes on after its goodbye had no orderly end", () => {
  const story = new Story()
    .line({ resumed: 0 })
    .events(event(1))
    .line({ role: "backup", time: time(4) });
  story.close("switchover").open().close("connection lost").open({ run: "run-2" });
  expect(spansOf(story)).toEqual(["1(0)–4(1) first connection … new run"]);
});

test("while the server has no CTI link its words vouch for nothing", () => {
  const story = new Story()
    .events(event(1))
    .line({ cti: "down", time: time(3) })
    .heartbeat(10)
    .heartbeat(20);
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … cti link down"]);
  story.line({ cti: "up", time: time(25) }).heartbeat(30);
  expect(spansOf(story)[1]).toBe("30(1)–30(1) cti link down … goes on");
});

test("a CTI link that was lost in an earlier session is known to be back only by an event", () => {
  const story = new Story()
    .events(event(1))
    .line({ cti: "down", time: time(3) })
    .close("connection lost")
    .open();
  story.line({ resumed: 1 }).heartbeat(20);
  expect(spansOf(story)).toHaveLength(1);
  story.events(event(25));
  expect(spansOf(story)[1]).toBe("25(1)–25(2) cti link down … goes on");
});

test("a CTI link that comes back without having been missed takes back what was vouched for in its session", () => {
  const story = new Story().events(event(1)).close("connection lost").open().line({ resumed: 1 }).heartbeat(20);
  story.line({ cti: "up", time: time(25) }).heartbeat(30);
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … cti link down", "30(1)–30(1) cti link down … goes on"]);
  story.line({ cti: "up", time: time(35) }).heartbeat(40);
  expect(spansOf(story)[1]).toBe("30(1)–40(1) cti link down … goes on");
});

test("links to other servers are lost and had back one by one", () => {
  const lost = (dbid: number, link: string) => ({ link, to: { type: "TServer", dbid }, time: time(2) });
  const story = new Story().events(event(1)).line(lost(7, "down")).line(lost(8, "down")).line(lost(7, "up"));
  story.heartbeat(10);
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … link to another server down"]);
  story.line(lost(8, "up")).heartbeat(20);
  expect(spansOf(story)[1]).toBe("20(1)–20(1) link to another server down … goes on");
});

test("a line that cannot be decoded ends the span before it, and its number is not vouched for", () => {
  const story = new Story().events(event(1));
  story.line({ id: "EventRinging", EventSequenceNumber: 2, time: "nonsense" }).skip(1).events(event(9));
  expect(spansOf(story)).toEqual([
    "1(0)–1(1) first connection … undecodable frame",
    "9(2)–9(3) undecodable frame … goes on",
  ]);
});

test("damaged records end every span, of a source whose session is closed too", () => {
  const story = new Story().events(event(1)).close("connection lost");
  stepDamage(story.world, settings, 9n, 9n, "checksum");
  // The server's word that it lost a link may have been there: its next heartbeat vouches for nothing.
  story.open().line({ resumed: 1 }).heartbeat(8).events(event(9));
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … damaged record", "9(1)–9(2) damaged record … goes on"]);
});

test("a lost queue ends the span", () => {
  const story = new Story().events(event(1));
  stepQueueLost(story.world, settings, 9n, "lost");
  expect(spansOf(story)).toEqual(["1(0)–1(1) first connection … queue lost"]);
});

test("an IDB that is made anew from a segment's state vouches for what comes after the last word before it", () => {
  const story = new Story().events(event(1), event(2));
  const before = story.rows("ICON_COVERAGE", "ID").length;
  stepBegunFromState(story.world, settings, 9n);
  story.events(event(3));
  expect(spansOf(story).slice(before)).toEqual(["2(2)–3(3) history not kept … goes on"]);
});

test("an IDB that begins without a state says so", () => {
  const story = new Story();
  stepHistoryTrimmed(story.world, 9n);
  story.skip(4).events(event(3));
  expect(spansOf(story)).toEqual(["3(4)–3(5) history not kept … goes on"]);
});

test("an event that is a little older than one before it is noted as lateness", () => {
  const story = new Story().events(event(1), event(10), event(9.5), event(12));
  expect(story.rows("ICON_COVERAGE", "ID")).toMatchObject([{ LATENESS_MS: 500 }]);
  expect(spansOf(story)).toEqual(["1(0)–12(4) first connection … goes on"]);
});

test("a source's clock that is set back begins another span, and nothing is vouched for that it has not heard", () => {
  const story = new Story().events(event(100), event(200), event(150), event(160));
  expect(spansOf(story)).toEqual([
    "100(0)–150(2) first connection … source clock stepped",
    "150(2)–160(4) source clock stepped … goes on",
  ]);
  // Before 100 s nobody listened: that the clock passes there again does not change it.
  const further = new Story().events(event(100), event(200), event(20), event(90), event(120));
  expect(spansOf(further)).toEqual([
    "100(0)–100(2) first connection … source clock stepped",
    "100(2)–120(5) source clock stepped … goes on",
  ]);
});

test("after a hole nothing is vouched for that an earlier clock has told before it", () => {
  const story = new Story().events(event(100)).skip(1).events(event(50), event(90), event(110));
  expect(spansOf(story)).toEqual(["100(0)–100(1) first connection … hole", "100(2)–110(5) hole … goes on"]);
});

test("a comparison of the clocks that shows a step back ends the span where the source's clock is now", () => {
  const story = new Story().events(event(100), event(200)).wait(205);
  story.mark({ mark: "clock difference", source: "north", differenceMs: -60_000, uncertaintyMs: 500, stepMs: -60_000 });
  story.events(event(146));
  expect(spansOf(story)).toEqual([
    "100(0)–144(2) first connection … source clock stepped",
    "146(2)–146(3) source clock stepped … goes on",
  ]);
});

test("a number below what was applied, in the same run, ends the span", () => {
  const story = new Story().events(event(1), event(2), event(3)).snapshot(1).heartbeat(9);
  expect(spansOf(story)).toEqual([
    "1(0)–3(3) first connection … numbers went back",
    "9(1)–9(1) numbers went back … goes on",
  ]);
});
