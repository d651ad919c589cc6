// The table of `bun run fault` must not flatter: what was skipped, not shown, or shown by another program is no pass.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResultFile, readTests, resultThatStands, type SliceResult } from "./result.ts";
import { chosenSlices, promised, type Slice, slices } from "./slice.ts";
import { rowsOf, tableText } from "./table.ts";

const kill: Slice = { name: "kill", promises: ["R1", "R8"], words: ["test"], environment: { ICON_KILL_CYCLES: "200" } };
const result: SliceResult = {
  slice: "kill",
  environment: { ICON_KILL_CYCLES: "200" },
  commit: "147087f",
  outcome: "passed",
  seconds: 12,
  failures: [],
  skipped: [],
  testsPassed: 1,
  figures: [
    { promise: "R1", text: "200 kills, 0 lost" },
    { promise: "R8", text: "0 twice" },
  ],
};
const situation = { commit: "147087f", environment: {} };
const two = { R1: "survives kill -9", R8: "exactly once" };

test("a slice that has passed on the same commit stands", () => {
  expect(resultThatStands(kill, [result], situation)).toEqual(result);
});

test.each([
  ["on another commit", [result], { ...situation, commit: "5d9bd2f" }],
  [
    "when the checkout has changes",
    [{ ...result, commit: "147087f + changes" }],
    { ...situation, commit: "147087f + changes" },
  ],
  ["outside of a checkout", [{ ...result, commit: "unknown" }], { ...situation, commit: "unknown" }],
  ["when it failed since", [result, { ...result, outcome: "failed" }], situation],
  ["when a part of it was skipped", [{ ...result, skipped: ["no strace"] }], situation],
  ["when it is to be longer now", [result], { ...situation, environment: { ICON_KILL_CYCLES: "2000" } }],
] as const)("a slice is run again %s", (_, results, now) => {
  expect(resultThatStands(kill, results as readonly SliceResult[], now)).toBeNull();
});

test("results are kept from run to run, and a half-written one is none", () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-results-"));
  try {
    const path = join(directory, "deep", "results.jsonl");
    new ResultFile(path).add(result);
    expect(new ResultFile(path).read()).toEqual([result]);
    writeFileSync(path, `${JSON.stringify(result)}\n{"slice":"ki`);
    expect(new ResultFile(path).read()).toEqual([result]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a promise is passed only with a figure, every test run and none failed", () => {
  const outcomes = (change: Partial<SliceResult>) =>
    rowsOf(two, [{ slice: kill, result: { ...result, ...change } }]).map(({ outcome, reason }) => [outcome, reason]);
  expect(outcomes({})).toEqual([
    ["passed", ""],
    ["passed", ""],
  ]);
  expect(outcomes({ figures: [{ promise: "R1", text: "200 kills" }] })).toEqual([
    ["passed", ""],
    ["failed", "not shown"],
  ]);
  expect(outcomes({ outcome: "failed", failures: ["killed 200 times"] })).toEqual([
    ["failed", "killed 200 times"],
    ["failed", "killed 200 times"],
  ]);
  expect(outcomes({ skipped: ["mkfs.xfs is not installed"] })[0]).toEqual(["skipped", "mkfs.xfs is not installed"]);
  expect(rowsOf(two, []).map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ["failed", "not shown"],
    ["failed", "not shown"],
  ]);
});

test("a slice listed under no promise feeds the row that its figures name, or has one of its own", () => {
  const other: Slice = { name: "other", promises: [], words: ["test"], environment: {} };
  const [, r8] = rowsOf(two, [
    { slice: kill, result },
    { slice: other, result: { ...result, slice: "other", figures: [{ promise: "R8", text: "a second one refused" }] } },
  ]);
  expect(r8).toEqual({
    promise: "R8",
    what: "exactly once",
    outcome: "passed",
    reason: "",
    figure: "0 twice; a second one refused",
    seconds: 24,
  });
  const rows = rowsOf(two, [{ slice: other, result: { ...result, slice: "other", outcome: "failed", figures: [] } }]);
  expect(rows.map(({ promise, what, outcome }) => [promise, what, outcome])).toEqual([
    ["R1", "survives kill -9", "failed"],
    ["R8", "exactly once", "failed"],
    ["–", "other", "failed"],
  ]);
});

test("figures that count inputs are added up", () => {
  const fuzz: Slice = { name: "fuzz", promises: ["R15"], words: ["test"], environment: {} };
  const figures = ["segments: 10 inputs", "link lines: 30 inputs"].map((text) => ({ promise: "R15", text }));
  const [row] = rowsOf({ R15: "malformed input" }, [{ slice: fuzz, result: { ...result, figures } }]);
  expect(row?.figure).toBe("40 inputs in all: segments: 10 inputs; link lines: 30 inputs");
});

test("the table ends with the counts of its rows", () => {
  const text = tableText(rowsOf({ ...two, R3: "power cut" }, [{ slice: kill, result }]));
  expect(text.split("\n").at(-1)).toBe("2 passed, 1 failed, 0 skipped");
  expect(text).toMatch(/^R1 +│ survives kill -9 │ passed +│ 200 kills, 0 lost │ 12$/m);
  expect(text).toMatch(/^R3 +│ power cut +│ failed: not shown │ +│ 0$/m);
});

test("a report tells which tests failed and why others were skipped, and leaves out what was not asked for", () => {
  const report = `<testsuites tests="5"><testsuite name="a" file="a.test.ts">
    <testcase name="R3 on ext4" time="1" />
    <testcase name="R3 &quot;on&quot; &lt;xfs&gt;" time="1"><failure type="AssertionError" /></testcase>
    <testcase name="skipped: mount: not allowed: R3 on tmpfs" time="0"><skipped /></testcase>
    <testcase name="R3 on btrfs (skipped: mkfs.btrfs is not installed)" time="0"><skipped /></testcase>
    <testcase name="something else" time="0"><skipped /></testcase>
  </testsuite></testsuites>`;
  expect(readTests(report, /R3/)).toEqual({
    testsPassed: 1,
    failures: ['R3 "on" <xfs>'],
    skipped: ["mount: not allowed", "mkfs.btrfs is not installed"],
  });
  expect(readTests(report).skipped).toContain("no reason given: something else");
});

test("slices are chosen by promise or by a part of their name, and a word that names none is refused", () => {
  const names = (words: readonly string[]) => chosenSlices(slices(), words).map(({ name }) => name);
  expect(names(["r4", "full-disk"])).toEqual(["test/fault/torn-tail.test.ts", "test/fault/full-disk.test.ts"]);
  expect(names(["R3"])).toEqual(["test/fault/power-cut.test.ts ext4", "test/fault/power-cut.test.ts xfs"]);
  expect(names(["backup"])).toEqual(names(["Backup"]));
  expect(names(["Backup"])).toHaveLength(3);
  expect(() => names(["R99"])).toThrow('Cannot run "R99"');
  expect(Object.keys(promised)).toHaveLength(22);
});
