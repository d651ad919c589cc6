import { expect, test } from "bun:test";
import { Story } from "../harness/story.ts";

const first = { ConnID: "01", CallUUID: "C1", ThisDN: "5001", PartyUUID: "P1" };
const again = { ...first, PartyUUID: "P3", ThisDN: "5003" };
const second = { ConnID: "02", CallUUID: "C2", ThisDN: "5002", PartyUUID: "P2" };

test("endings that are due at once are written in the order in which the calls ended, also for one that had ended before", () => {
  const story = new Story()
    .open()
    .events(
      [0, "EventRinging", first],
      [0, "EventRinging", second],
      [1, "EventReleased", first],
      [2, "EventReleased", second],
      // The first call goes on within call-deletion-timeout, and ends after the second.
      [3, "EventRinging", again],
      [4, "EventReleased", again],
    )
    .heartbeat(100);
  // A restart knows each call's last ending only; what was known before it must not make another order.
  const history = story.rows("G_CALL_HISTORY", "CHID");
  const lastOf = (callId: string) =>
    Math.max(...history.filter((row) => row.CALLID === callId).map(({ CHID }) => CHID));
  expect(lastOf("C2")).toBeLessThan(lastOf("C1"));
  expect(story.rows("G_CALL", "CALLID").every(({ TERMINATED }) => TERMINATED != null)).toBe(true);
});
