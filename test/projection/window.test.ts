import { expect, test } from "bun:test";
import { stepDamage } from "../../src/projection/projection.ts";
import { Story, startMs } from "../harness/story.ts";

const settings = { windowSeconds: 60 };
const ringing = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };
const event = (seconds: number, members = ringing) => [seconds, "EventRinging", members] as const;
const nothing = "0".repeat(32);

/** [minute, events, sealed or open], a line a window. */
const windowsOf = (story: Story) =>
  story
    .rows("ICON_WINDOW", "WINDOW_TS")
    .map(({ WINDOW_TS, EVENTS, IS_SEALED }) => [
      (WINDOW_TS - startMs / 1000) / 60,
      EVENTS,
      IS_SEALED === 1 ? "sealed" : "open",
    ])
    .sort(([a], [b]) => Number(a) - Number(b));

const digestsOf = (story: Story) => story.rows("ICON_WINDOW", "WINDOW_TS").map(({ DIGEST }) => DIGEST);

test("a window is sealed by an event that comes 5 s after its end, by the source's clock", () => {
  const story = new Story().wait(500).events(event(10), event(64.9));
  expect(windowsOf(story)).toEqual([
    [0, 1, "open"],
    [1, 1, "open"],
  ]);
  story.events(event(65));
  expect(windowsOf(story)).toEqual([
    [0, 1, "sealed"],
    [1, 2, "open"],
  ]);
});

test("a heartbeat seals when it names the last number applied, and not while more is under way", () => {
  const story = new Story().events(event(10)).skip(1).heartbeat(70);
  expect(windowsOf(story)).toEqual([[0, 1, "open"]]);
  const whole = new Story().events(event(10)).heartbeat(70);
  expect(windowsOf(whole)).toEqual([[0, 1, "sealed"]]);
});

test("the row's version is the queue position of the seal, and of what comes late for it", () => {
  const story = new Story().events(event(10)).heartbeat(70);
  const version = () => story.rows("ICON_WINDOW", "WINDOW_TS")[0]?.VERSION;
  expect(version()).toBe(story.payloads.length);
  story.heartbeat(80);
  expect(version()).toBe(story.payloads.length - 1);
  story.events(event(59));
  expect(version()).toBe(story.payloads.length);
  expect(windowsOf(story)).toEqual([[0, 2, "open"]]);
  story.heartbeat(81);
  expect(version()).toBe(story.payloads.length);
  expect(windowsOf(story)).toEqual([[0, 2, "sealed"]]);
});

test("windows of a run that is over are sealed by the next run's words", () => {
  const story = new Story().events(event(10)).close("connection lost").open({ run: "run-2" }).events(event(100));
  expect(windowsOf(story)).toEqual([
    [0, 1, "sealed"],
    [1, 1, "open"],
  ]);
});

test("what is told of a later time pushes out no window for which events are still to come", () => {
  const story = new Story().events(event(10)).close("connection lost").wait(3600).open();
  // The server is an hour ahead of what it sends again, and so is what cannot be read.
  story
    .heartbeat(3600)
    .line("garbage")
    .line({ cti: "up", time: startMs / 1000 + 3600 });
  story.events(event(20), event(70), event(130));
  const events = windowsOf(story).filter(([, count]) => count !== 0);
  expect(events).toEqual([
    [0, 2, "sealed"],
    [1, 1, "sealed"],
    [2, 1, "open"],
  ]);
});

test("damage ends with the next word, and its windows are sealed like others", () => {
  const story = new Story().events(event(10));
  stepDamage(story.world, settings, 4n, 4n, "checksum");
  story.events(event(70), event(200));
  expect(windowsOf(story).map(([, , state]) => state)).toEqual(["sealed", "sealed", "open"]);
});

test("a source that tells of wild times does not fill the memory", () => {
  const story = new Story().events(event(10));
  for (let hour = 1; hour <= 6000; hour++) story.line({ cti: "down", time: startMs / 1000 + hour * 3600 });
  expect(story.world.count("window")).toBe(5000);
});

test("the digest of a window is that of its events, whatever was sent twice or named by a snapshot", () => {
  const plain = new Story().events(event(1), event(2), event(3));
  const again = new Story().events(event(1), event(2));
  again.line({ id: "EventRinging", EventSequenceNumber: 2, time: startMs / 1000 + 2, ConnID: "01", ...ringing });
  again.close("connection lost").open().snapshot(2, [1, "EventRinging", ringing]).events(event(3));
  expect(digestsOf(plain)).not.toEqual([nothing]);
  expect(digestsOf(again)).toEqual(digestsOf(plain));
});

test("the digest differs when an event is missing, differs, has another number or is of another run", () => {
  const digests = [
    new Story().events(event(1), event(2)),
    new Story().events(event(1)),
    new Story().events(event(1), event(2, { ...ringing, ThisDN: "5002" })),
    new Story().events(event(1)).skip(1).events(event(2)),
    new Story().open({ run: "run-2" }).events(event(1), event(2)),
    new Story().open({ dbid: 102 }).events(event(1), event(2)),
  ].map((story) => digestsOf(story)[0]);
  expect(new Set(digests).size).toBe(digests.length);
});

test("a window with a fault and without events has the digest of nothing", () => {
  const story = new Story().line("garbage");
  expect(story.rows("ICON_WINDOW", "WINDOW_TS")).toMatchObject([{ EVENTS: 0, DIGEST: nothing, IS_SEALED: 0 }]);
});
