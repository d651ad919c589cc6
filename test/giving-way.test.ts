import { describe, expect, test } from "bun:test";
import { PatientWork, pauseMs, waitedForCoreMs } from "../src/giving-way.ts";

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

describe("work that nobody waits for", () => {
  // A piece of `took` ms, of which it waited for a core as long as it says.
  const work = () => {
    let now = 1_000;
    let waited = 40;
    const patient = new PatientWork(
      () => now,
      () => waited,
    );
    return {
      piece(took: number, waitedOf: number): number {
        now += took;
        waited += waitedOf;
        const pause = patient.pauseMs();
        now += pause;
        return pause;
      },
    };
  };

  test("goes on where it gets a core", () => {
    const { piece } = work();
    expect([piece(100, 0), piece(100, 20)]).toEqual([0, 0]);
  });

  test("leaves the cores to others for four times as long as a piece took that had to wait for one", () => {
    const { piece } = work();
    expect([piece(100, 60), piece(200, 100), piece(100, 0)]).toEqual([400, 800, 0]);
  });

  test("comes forward however long it has to wait", () => {
    expect(work().piece(60_000, 59_000)).toBe(5_000);
  });

  test("never pauses where the kernel does not tell", () => {
    let now = 0;
    const patient = new PatientWork(
      () => now,
      () => undefined,
    );
    now = 500;
    expect(patient.pauseMs()).toBe(0);
  });
});
