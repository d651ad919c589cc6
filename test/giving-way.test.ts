import { expect, test } from "bun:test";
import { pauseMs, waitedForCoreMs } from "../src/giving-way.ts";

const flood = { tookMs: 100, waitedMs: 30, recordedCount: 4_000, arrivedCount: 60_000 };

test("in a flood on a machine whose cores are taken the recorder pauses twice as long as it worked", () => {
  expect(pauseMs(flood)).toBe(200);
});

test("a recorder that got a core whenever it wanted one goes on, however much arrives", () => {
  expect(pauseMs({ ...flood, waitedMs: 1 })).toBe(0);
});

test("a backlog of an outage is drained without a pause while an ordinary load goes on", () => {
  expect(pauseMs({ ...flood, arrivedCount: 400 })).toBe(0);
  expect(pauseMs({ ...flood, arrivedCount: 8_000 })).toBe(0);
});

test("rows come at least every second, however slow the disk makes a batch", () => {
  expect(pauseMs({ ...flood, tookMs: 5_000, waitedMs: 5_000 })).toBe(1_000);
});

test("how long a thread has waited for a core is read from the kernel, and only grows", () => {
  const before = waitedForCoreMs();
  const after = waitedForCoreMs();
  if (before === undefined || after === undefined) {
    console.log("skipped: this kernel does not tell how long a thread waited");
    expect(after).toBe(before);
    return;
  }
  expect(before).toBeGreaterThanOrEqual(0);
  expect(after).toBeGreaterThanOrEqual(before);
});
