// Calls between the simulated centres of two sites, held against what the centres know of them.

import { expect, test } from "bun:test";
import { linkMergeStates } from "../../schema/dictionary.ts";
import { batchedRows } from "../harness/batched-rows.ts";
import { sitesRecorded } from "../harness/inter-site-oracle.ts";
import { type Interleaving, playSites } from "../harness/played-sites.ts";

const { notExpected, timedOut } = linkMergeStates;
const expecting = { without: (location: string) => (location === "West" ? notExpected : timedOut) };
const given = { remoteLocations: ["West"], linkTimeoutSeconds: 60 };

for (const interleaving of ["by time", "north first", "south first"] as const satisfies readonly Interleaving[]) {
  test(`links and hierarchy are what really was, ${interleaving}`, () => {
    for (const seed of [1, 2]) {
      const { story, truth } = playSites(seed, 20, interleaving, expecting, given);
      const recorded = sitesRecorded(
        story.rows("G_IS_LINK", "ID"),
        story.rows("G_IR", "ID"),
        story.rows("G_CALL", "ID"),
      );
      expect(recorded.ends).toEqual(truth.ends);
      const merged = new Set(Object.keys(recorded.ways));
      const ways = Object.entries(truth.ways).filter(([callId]) => merged.has(callId));
      expect(recorded.ways).toEqual(Object.fromEntries(ways));
      expect(Object.values(recorded.ways).filter(([from]) => from !== null).length).toBeGreaterThan(20);
      expect(new Set(Object.values(truth.ends).map((end) => end.split(", ")[1]))).toEqual(new Set(["1", "2", "3"]));
      expect([story.world.count("inter-site link"), story.world.count("linked call")]).toEqual([0, 0]);
      expect(story.counters()).toEqual({});
    }
  }, 60_000);
}

test("the rows are the same after restarts", () => {
  const { story } = playSites(4, 10, "by time", expecting, given);
  expect(batchedRows(story.payloads, 50)).toEqual(batchedRows(story.payloads, 100_000));
}, 60_000);
