// Records that can no longer be read belong to some window between what was heard before and what is heard next.

import { expect, test } from "bun:test";
import { stepDamage } from "../../src/projection/projection.ts";
import { Story, startMs } from "../harness/story.ts";

const settings = { windowSeconds: 60 };

function markedMinutes(story: Story): number[] {
  const marked = new Map<number, boolean>();
  for (const { table, row } of story.world.written) {
    if (table !== "ICON_WINDOW") continue;
    marked.set(
      (row.WINDOW_TS - startMs / 1000) / 60,
      (JSON.parse(row.FAULTS ?? "[]") as string[]).includes("damaged record"),
    );
  }
  return [...marked].filter(([, isMarked]) => isMarked).map(([minute]) => minute);
}

test("every window from the last word of the source to its next one is marked", () => {
  const story = new Story();
  story.events([10, "EventCallCreated", {}]);
  stepDamage(story.world, settings, 4n, 5n, "checksum");
  expect(markedMinutes(story)).toEqual([0]);
  story.skip(2).events([440, "EventCallDeleted", {}]);
  expect(markedMinutes(story)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  story.events([500, "EventCallCreated", { ConnID: "02", CallUUID: "C2" }]);
  expect(markedMinutes(story)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("a heartbeat is a word of the source: windows after it are whole", () => {
  const story = new Story();
  story.events([10, "EventCallCreated", {}]);
  stepDamage(story.world, settings, 4n, 4n, "checksum");
  story.heartbeat(70).events([200, "EventCallDeleted", {}]);
  expect(markedMinutes(story)).toEqual([0, 1]);
});

test("what is lost before the first event of a source marks the window of that event", () => {
  const story = new Story();
  stepDamage(story.world, settings, 3n, 3n, "checksum");
  story.skip(1).events([70, "EventCallCreated", {}]);
  expect(markedMinutes(story)).toContain(1);
});
