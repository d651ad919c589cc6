import { expect, test } from "bun:test";
import { verdictOn } from "../../src/status/readiness.ts";
import { asterisk, north, sampleNow, sampleReport } from "./sample-report.ts";

test("a quiet night is one word", () => {
  expect(verdictOn(sampleReport, sampleNow)).toEqual({ tone: "good", word: "Recording", sentences: [] });
});

test("without a connected source, or with a queue that takes nothing, nothing is being recorded", () => {
  const sources = [{ ...north, state: "waiting" } as const, { ...asterisk, state: "connecting" } as const];
  expect(verdictOn({ ...sampleReport, sources }, sampleNow)).toEqual({
    tone: "bad",
    word: "Not recording",
    sentences: ["No data source is connected."],
  });
  for (const state of ["full", "failed"] as const) {
    expect(verdictOn({ ...sampleReport, queue: { ...sampleReport.queue, state } }, sampleNow).tone).toBe("bad");
  }
});

test.each([
  [
    "a source away",
    { sources: [north, { ...asterisk, state: "waiting" } as const] },
    "Source asterisk is not connected.",
  ],
  ["no source", { sources: [] }, "No data source is configured."],
  [
    "an IDB being rebuilt",
    { idb: { ...sampleReport.idb, state: "rebuilding" } as const },
    "The IDB is rebuilding; what arrives waits in the persistent queue.",
  ],
  [
    "an old record",
    { queue: { ...sampleReport.queue, oldestNotAppliedAgeMs: 60_001 } },
    "The IDB is more than a minute behind the persistent queue.",
  ],
  ["a disk filling", { queue: { ...sampleReport.queue, diskFreeBytes: 1000 } }, "Less than 1 GiB of disk is free."],
  [
    "a stop under way",
    { instance: { ...sampleReport.instance, state: "stopping" } as const },
    "The instance is stopping.",
  ],
])("%s is worth a look", (_, change, sentence) => {
  expect(verdictOn({ ...sampleReport, ...change }, sampleNow)).toEqual({
    tone: "look",
    word: "Recording, but look",
    sentences: [sentence],
  });
});
