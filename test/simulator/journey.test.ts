// The journeys between two sites are one plan, whichever site plays it.

import { expect, test } from "bun:test";
import { Journeys, journeyKinds } from "../../src/simulator/tserver/journey.ts";

const startUs = 1_795_420_800_000_000;
const planned = (here: string, other: string, seed = 3) => {
  const journeys = new Journeys({ seed, here, other, elsewhere: "West" }, startUs, 1_000_000);
  return Array.from({ length: 200 }, (_, index) => journeys.journey(index));
};

test("both sites plan the same, and another seed plans otherwise", () => {
  expect(planned("North", "South")).toEqual(planned("South", "North"));
  expect(planned("North", "South")).not.toEqual(planned("North", "South", 4));
});

test("each leg follows on the link of the one before, and every kind of journey comes", () => {
  const journeys = planned("North", "South");
  expect(new Set(journeys.map(({ kind }) => kind))).toEqual(new Set(journeyKinds));
  for (const { kind, legs, overUs } of journeys) {
    for (const [index, leg] of legs.entries()) {
      const before = legs[index - 1];
      expect(leg.fromUs).toBeLessThan(leg.untilUs);
      expect(leg.untilUs).toBeLessThanOrEqual(overUs);
      if (before === undefined) continue;
      const [source, target] = [before.links.find(({ type }) => type === "source"), leg.links[0]];
      expect(target).toMatchObject({ type: "target", linkId: source?.linkId, partner: before.callUuid });
      expect(source).toMatchObject({ partner: leg.callUuid, location: leg.site });
      expect(source?.atUs ?? 0).toBeLessThan(leg.fromUs);
      expect((source?.atUs ?? 0) > before.untilUs).toBe(kind === "told late");
      expect(leg.site).not.toBe(before.site);
    }
  }
  const uuids = journeys.flatMap(({ legs }) => legs.map(({ callUuid }) => callUuid));
  expect(new Set(uuids).size).toBe(uuids.length);
});
