import { expect, test } from "bun:test";
import type { Selected } from "../../schema/tables.ts";
import {
  compareWindows,
  type Standing,
  type StandingStretch,
  type WindowComparison,
} from "../../src/extraction/window-comparison.ts";

const source = { cluster: 101, switchDbid: 1 };
const start = 1_795_423_740;

type Window = Selected<"ICON_WINDOW">;

/** A window `minute` minutes after the start, in which the digest is one letter 32 times over. */
function window(minute: number, events: number, letter: string | null, faults: readonly string[] = []): Window {
  return {
    SOURCE_CLUSTER: 101,
    SWITCH_DBID: 1,
    RUN: "run-1",
    WINDOW_TS: start + minute * 60,
    EVENTS: events,
    FIRST_SEQ: null,
    LAST_SEQ: null,
    HOLES: "[]",
    FAULTS: JSON.stringify(faults),
    VERSION: 1,
    DIGEST: letter?.repeat(32) ?? null,
    IS_SEALED: 1,
  };
}

/** `standings`: of each copy, a word a minute. */
function compare(windows: readonly Window[][], standings: readonly Standing[][]): WindowComparison {
  return compareWindows({ windowSeconds: 60, sources: [{ source, stretches: stretchesOf(standings) }], windows });
}

/** A minute each. */
function stretchesOf(standings: readonly Standing[][]): StandingStretch[] {
  return (standings[0] ?? []).map((_, minute) => ({
    from: start + minute * 60,
    until: start + (minute + 1) * 60,
    standings: standings.map((each) => each[minute] ?? "absent"),
  }));
}

const whole: Standing[] = ["whole", "whole", "whole"];

test("windows with the same counts and digests are equal, and so is silence", () => {
  const rows = () => [window(0, 5, "a"), window(2, 7, "b")];
  expect(compare([rows(), rows()], [whole, whole])).toEqual({
    compared: 3,
    different: [],
    notCompared: [],
    doubtful: [],
  });
});

test("another digest, another count, and silence against events are differences", () => {
  const one = [window(0, 5, "a"), window(1, 5, "a"), window(2, 1, "c")];
  const other = [window(0, 5, "b"), window(1, 4, "a")];
  const { compared, different } = compare([one, other], [whole, whole]);
  expect(compared).toBe(3);
  const a = (events: number, letter: string) => ({ copy: 0, run: "run-1", events, digest: letter.repeat(32) });
  const b = (events: number, letter: string) => ({ copy: 1, run: "run-1", events, digest: letter.repeat(32) });
  expect(different).toEqual([
    { ...source, windowTs: start, said: [a(5, "a"), b(5, "b")] },
    { ...source, windowTs: start + 60, said: [a(5, "a"), b(4, "a")] },
    { ...source, windowTs: start + 120, said: [a(1, "c"), { copy: 1, run: null, events: 0, digest: null }] },
  ]);
});

test("what only one copy vouches for is no difference, and is told as one stretch with the reason", () => {
  const one = [window(0, 5, "a"), window(1, 6, "b"), window(2, 7, "c")];
  const other = [window(0, 4, "d")];
  const comparison = compare([one, other], [whole, ["incomplete", "incomplete", "unknown"]]);
  expect(comparison.compared).toBe(0);
  expect(comparison.different).toEqual([]);
  expect(comparison.notCompared).toEqual([
    { ...source, from: start, until: start + 120, windows: 2, because: [{ copy: 1, reason: "incomplete" }] },
    { ...source, from: start + 120, until: start + 180, windows: 1, because: [{ copy: 1, reason: "unknown" }] },
  ]);
});

test("a copy that may lack events and has the very same ones is equal", () => {
  const comparison = compare([[window(0, 5, "a")], [window(0, 5, "a")]], [["whole"], ["incomplete"]]);
  expect(comparison).toEqual({ compared: 1, different: [], notCompared: [], doubtful: [] });
});

test("two copies that may both lack events are not held against one another, nor is their silence", () => {
  const none: Standing[] = ["incomplete", "incomplete"];
  const comparison = compare([[window(0, 5, "a")], [window(0, 6, "b")]], [none, none]);
  expect(comparison.compared).toBe(0);
  expect(comparison.notCompared).toEqual([
    {
      ...source,
      from: start,
      until: start + 120,
      windows: 2,
      because: [
        { copy: 0, reason: "incomplete" },
        { copy: 1, reason: "incomplete" },
      ],
    },
  ]);
});

test("a window that an earlier version wrote has no digest, and that is said", () => {
  const comparison = compare([[window(0, 5, "a")], [window(0, 5, null)]], [["whole"], ["whole"]]);
  expect(comparison.compared).toBe(0);
  expect(comparison.notCompared).toEqual([
    { ...source, from: start, until: start + 60, windows: 1, because: [{ copy: 1, reason: "no digest" }] },
  ]);
});

test("events that lie where a host's own clock put them are not held against another host's", () => {
  const here = (letter: string) => window(0, 5, letter, ["source clock unknown"]);
  const comparison = compare([[here("a")], [here("b")]], [["whole"], ["whole"]]);
  expect(comparison).toMatchObject({ compared: 0, different: [] });
  expect(comparison.notCompared.map(({ because }) => because)).toEqual([
    [
      { copy: 0, reason: "own clock" },
      { copy: 1, reason: "own clock" },
    ],
  ]);
});

test("of three copies the two that vouch are compared, and the third is told", () => {
  const rows = [[window(0, 5, "a")], [window(0, 2, "b")], [window(0, 5, "c")]];
  const { compared, different, notCompared } = compare(rows, [["whole"], ["incomplete"], ["whole"]]);
  expect(compared).toBe(1);
  expect(different.map(({ said }) => said.map(({ copy }) => copy))).toEqual([[0, 2]]);
  expect(notCompared.map(({ because }) => because)).toEqual([[{ copy: 1, reason: "incomplete" }]]);
});

test("equal windows in which a copy's rows are in doubt are to be looked into", () => {
  const doubtful = window(0, 5, "a", ["reconciled by snapshot"]);
  const harmless = window(1, 5, "a", ["host clock stepped"]);
  const comparison = compare(
    [
      [doubtful, harmless],
      [window(0, 5, "a"), window(1, 5, "a")],
    ],
    [whole, whole],
  );
  expect(comparison.different).toEqual([]);
  expect(comparison.doubtful).toEqual([{ ...source, from: start, until: start + 60 }]);
});

test("a silence of many windows is counted at once, and a doubt within it is found", () => {
  const doubtful = { ...window(2, 0, null, ["reconciled by snapshot"]), DIGEST: null };
  const day = { from: start, until: start + 86_400, standings: ["whole", "whole"] as const };
  const comparison = compareWindows({
    windowSeconds: 60,
    sources: [{ source, stretches: [day] }],
    windows: [[doubtful], []],
  });
  expect(comparison).toEqual({
    compared: 1440,
    different: [],
    notCompared: [],
    doubtful: [{ ...source, from: start + 120, until: start + 180 }],
  });
});

test("the same events under two server runs are no difference in whatever order the rows come", () => {
  const later = { ...window(0, 3, "b"), RUN: "run-2" };
  expect(
    compare(
      [
        [window(0, 5, "a"), later],
        [later, window(0, 5, "a")],
      ],
      [["whole"], ["whole"]],
    ).different,
  ).toEqual([]);
});

test("what could not be compared in windows with and without events is one stretch, and all of its windows are counted", () => {
  const standings = ["whole", "incomplete"] as const;
  const stretches = [
    { from: start, until: start + 60, standings },
    { from: start + 60, until: start + 3600, standings },
    { from: start + 3600, until: start + 3660, standings },
  ];
  const windows = [[window(0, 5, "a"), window(60, 6, "b")], []];
  const { notCompared } = compareWindows({ windowSeconds: 60, sources: [{ source, stretches }], windows });
  expect(notCompared).toEqual([
    { ...source, from: start, until: start + 3660, windows: 61, because: [{ copy: 1, reason: "incomplete" }] },
  ]);
});
