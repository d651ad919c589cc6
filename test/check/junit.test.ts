import { expect, test } from "bun:test";
import { readJunit, slowestFiles } from "./junit.ts";

const report = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="9" failures="1" skipped="1" time="3.5">
  <testsuite name="test/a.test.ts" file="test/a.test.ts" tests="2" assertions="4" failures="0" skipped="0" time="0.4" hostname="vm">
    <testsuite name="a group" file="test/a.test.ts" line="3" tests="2" assertions="4" failures="0" skipped="0" time="9.9" hostname="vm">
    </testsuite>
  </testsuite>
  <testsuite name="test/b.test.ts" file="test/b.test.ts" tests="3" assertions="5" failures="1" skipped="1" time="3.1" hostname="vm">
  </testsuite>
</testsuites>`;

test("a report is counted by its root", () => {
  expect(readJunit(report)).toEqual({ passed: 3, failed: 1, skipped: 1 });
  expect(readJunit("")).toBeNull();
  expect(readJunit('<testsuites name="bun test" tests="0">')).toBeNull();
});

test("the files that took the longest are told without the groups within them", () => {
  expect(slowestFiles(report, 5)).toEqual([
    { file: "test/b.test.ts", seconds: 3.1 },
    { file: "test/a.test.ts", seconds: 0.4 },
  ]);
  expect(slowestFiles(report, 1)).toHaveLength(1);
  expect(slowestFiles("", 5)).toEqual([]);
});
