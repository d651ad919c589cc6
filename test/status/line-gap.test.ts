import { expect, test } from "bun:test";
import { gapOf, gapsOf, summaryOf, withWholeGaps } from "../../src/status/line-gap.ts";
import type { PairSource } from "../../src/status/pair-report.ts";
import { lonelyPair, samplePair, stretch } from "./sample-pair.ts";

function sourceOf(pair: typeof samplePair, name = "north"): PairSource {
  const source = pair.sources.find((each) => each.name === name);
  if (source === undefined) throw new Error(`the sample has no source ${name}`);
  return source;
}

const minuteMs = 60_000;

test("the newest gap comes first, each with what the pair has of it; what both lack is told once", () => {
  const told = gapsOf(sourceOf(samplePair)).map(({ owner, stretch: { causes, ...when }, inPair }) => {
    return { owner, when, inPair, causes: causes.length };
  });
  const when = (...[from, until, state]: Parameters<typeof stretch>) => {
    const { causes: _, ...rest } = stretch(from, until, state);
    return rest;
  };
  expect(told).toMatchObject([
    { owner: "pair", when: when(9, 8, "divergent"), inPair: "copies differ", causes: 1 },
    { owner: "pair", when: when(20, 18, "incomplete"), inPair: "missing", causes: 1 },
    { owner: "own", when: when(41, 38, "incomplete"), inPair: "whole", causes: 2 },
  ]);
});

test("with the peer gone the own gaps are the pair's", () => {
  expect(gapsOf(sourceOf(lonelyPair)).map(({ owner, inPair }) => [owner, inPair])).toEqual([
    ["own", "missing"],
    ["own", "missing"],
  ]);
});

test("a gap that the other copy has in part is partly missing, and one that nobody has judged is not yet known", () => {
  const gap = stretch(10, 6, "incomplete");
  const source = (verdict: PairSource["verdict"]): PairSource => ({
    ...{ name: "north", isProven: true, own: [gap], peer: [], verdict },
  });
  const rest = { chosen: null, isConfirmed: false } as const;
  const parts = [
    { ...stretch(10, 8, "complete"), ...rest },
    { ...stretch(8, 6, "incomplete"), ...rest },
  ];
  const ofOwn = (verdict: PairSource["verdict"]) =>
    gapsOf(source(verdict)).find(({ owner }) => owner === "own")?.inPair;
  expect(ofOwn(parts)).toBe("partly missing");
  expect(ofOwn([])).toBe("not yet known");
  expect(ofOwn([{ ...stretch(12, 4, "unknown"), ...rest }])).toBe("not yet known");
  expect(ofOwn([{ ...stretch(12, 4, "silent"), ...rest }])).toBe("whole");
});

test("what is drawn of a copy leads to the line of the list that tells it, the pair's where that says the same", () => {
  const north = sourceOf(samplePair);
  const gaps = gapsOf(north);
  const [, ownGap, , cti] = north.own;
  if (ownGap === undefined || cti === undefined) throw new Error("the sample has two gaps");
  expect(gapOf(gaps, "own", ownGap)?.owner).toBe("own");
  expect(gapOf(gaps, "own", cti)?.owner).toBe("pair");
  expect(gapOf(gaps, "own", stretch(1, 0, "incomplete"))).toBeNull();
});

test("the summary adds up what is missing, what differs and what nobody knows, and not what is too new to be known", () => {
  expect(summaryOf(sourceOf(samplePair), samplePair)).toEqual({
    ...{ tone: "bad", missingMs: 2 * minuteMs, differingMs: minuteMs, unknownMs: 0 },
  });
  expect(summaryOf(sourceOf(samplePair, "asterisk"), samplePair)).toEqual({
    ...{ tone: "look", missingMs: 0, differingMs: 0, unknownMs: 8 * minuteMs },
  });
  const nothing: PairSource = { name: "south", isProven: true, verdict: [], own: [], peer: null };
  expect(summaryOf(nothing, samplePair)).toEqual({ tone: "look", missingMs: 0, differingMs: 0, unknownMs: null });
});

test("a gap of several windows is one, with what each of them says of it, and no more causes than can be read", () => {
  const line = [
    stretch(9, 8, "complete"),
    stretch(8, 7, "incomplete", "connection lost", "event 1 is missing"),
    stretch(7, 6, "incomplete", "connection lost", "event 2 is missing"),
    stretch(5, 4, "incomplete", "the CTI link was down"),
    stretch(4, 3, "complete"),
    stretch(3, 2, "complete"),
  ];
  expect(withWholeGaps(line)).toEqual([
    stretch(9, 8, "complete"),
    stretch(8, 6, "incomplete", "connection lost", "event 1 is missing", "event 2 is missing"),
    ...line.slice(3),
  ]);
  const long = Array.from({ length: 9 }, (_, index) => stretch(9 - index, 8 - index, "incomplete", `cause ${index}`));
  expect(withWholeGaps(long)).toEqual([
    stretch(9, 0, "incomplete", "cause 0", "cause 1", "cause 2", "cause 3", "cause 4", "and 4 more"),
  ]);
});
