import { expect, test } from "bun:test";
import { at, Story } from "../harness/story.ts";

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
