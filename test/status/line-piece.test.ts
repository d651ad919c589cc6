import { expect, test } from "bun:test";
import { joined, piecesOf } from "../../src/status/line-piece.ts";
import type { PairStretch } from "../../src/status/pair-report.ts";

const line = { from: 10_000, until: 110_000 };

function stretch(from: number, until: number, state: PairStretch["state"], ...causes: string[]): PairStretch {
  return { from, until, state, causes };
}

test("a stretch is drawn where it lies, cut off at the line's ends, and what lies outside is not drawn", () => {
  const before = stretch(0, 10_000, "complete");
  const over = stretch(5_000, 35_000, "complete");
  const gap = stretch(35_000, 36_000, "incomplete", "connection lost");
  const last = stretch(36_000, 120_000, "silent");
  expect(piecesOf([before, over, gap, last], line)).toEqual([
    { x: 0, width: 25, state: "complete", from: 10_000, until: 35_000, causes: [], stretches: [over] },
    {
      ...{ x: 25, width: 1, state: "incomplete", from: 35_000, until: 36_000 },
      ...{ causes: ["connection lost"], stretches: [gap] },
    },
    { x: 26, width: 74, state: "silent", from: 36_000, until: 110_000, causes: [], stretches: [last] },
  ]);
});

test("a gap of one second stays seen among a thousand stretches, with its cause, and no more is drawn than can be told apart", () => {
  const stretches = Array.from({ length: 1000 }, (_, index) => {
    const from = line.from + index * 100;
    if (index === 501) return stretch(from, from + 100, "incomplete", "connection lost");
    return stretch(from, from + 100, index % 2 === 0 ? "complete" : "silent");
  });
  const pieces = piecesOf(stretches, line);
  expect(pieces.length).toBeLessThanOrEqual(360);
  const gaps = pieces.filter(({ state }) => state === "incomplete");
  expect(gaps).toMatchObject([{ causes: ["connection lost"] }]);
  const [gap] = gaps;
  if (gap === undefined) throw new Error("the gap is not drawn");
  expect(gap.from).toBeLessThanOrEqual(60_100);
  expect(gap.until).toBeGreaterThanOrEqual(60_200);
  expect(gap.stretches).toContain(stretches[501] as PairStretch);
  // Whole, and each where the one before it ends.
  for (const [index, piece] of pieces.entries()) expect(piece.from).toBeCloseTo(pieces[index - 1]?.until ?? 10_000, 6);
  expect(pieces.at(-1)?.until).toBeCloseTo(110_000, 6);
  expect(pieces.some(({ state }) => state === "silent")).toBe(false);
});

test("where two copies differ it is seen before what is incomplete, and that before what is not yet known", () => {
  const states = ["complete", "unknown", "incomplete", "divergent"] as const;
  const seen = states.map((_, worst) => {
    const many = Array.from({ length: 720 }, (_, index) => {
      return stretch(index * 500, (index + 1) * 500, states[Math.min(worst, index % 4)] ?? "complete");
    });
    return [...new Set(piecesOf(many, { from: 0, until: 360_000 }).map(({ state }) => state))];
  });
  // Two stretches to a piece: numbers 0 and 1, or 2 and 3.
  expect(seen).toEqual([["complete"], ["unknown"], ["unknown", "incomplete"], ["unknown", "divergent"]]);
});

test("stretches that follow on one another and are alike become one", () => {
  const stretches = [stretch(0, 1, "complete"), stretch(1, 3, "complete"), stretch(4, 5, "complete")];
  expect(joined(stretches)).toEqual([stretch(0, 3, "complete"), stretch(4, 5, "complete")]);
});
