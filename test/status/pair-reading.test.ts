import { expect, test } from "bun:test";
import { PairReading } from "../../src/status/pair-reading.ts";
import type { PairReport } from "../../src/status/pair-report.ts";
import { spanNamed } from "../../src/status/pair-span.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { samplePair } from "./sample-pair.ts";

const hour = spanNamed("1h");
const day = spanNamed("24h");

/** Readings that end when the test says so. */
function heldReading() {
  const clock = new FakeClock(0);
  const asked: { readonly spanMs: number; readonly answer: PromiseWithResolvers<PairReport> }[] = [];
  const reading = new PairReading(clock, (spanMs) => {
    const answer = Promise.withResolvers<PairReport>();
    asked.push({ spanMs, answer });
    return answer.promise;
  });
  const settle = async (act: (answer: PromiseWithResolvers<PairReport>) => void) => {
    const last = asked.at(-1);
    if (last === undefined) throw new Error("nothing was asked");
    act(last.answer);
    await last.answer.promise.catch(() => {});
    await new Promise(setImmediate); // what was read is put down
  };
  return { clock, asked, reading, settle };
}

test("nobody waits: until the ledger is read nothing is known, and it is read once for all who look", async () => {
  const { asked, reading, settle } = heldReading();
  expect([reading.look(hour), reading.look(hour)]).toEqual(Array(2).fill({ report: null, failure: null }));
  expect(asked.map(({ spanMs }) => spanMs)).toEqual([3_600_000]);
  await settle((answer) => answer.resolve(samplePair));
  expect(reading.look(hour)).toEqual({ report: samplePair, failure: null });
  expect(reading.look(hour)).toBe(reading.look(hour));
});

test("it is read anew when it is old and somebody looks, and not before", async () => {
  const { clock, asked, reading, settle } = heldReading();
  reading.look(hour);
  await clock.advance(4_000); // it takes that long
  await settle((answer) => answer.resolve(samplePair));
  await clock.advance(hour.readEveryMs - 1);
  reading.look(hour);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect(asked).toHaveLength(1);
  reading.look(hour);
  expect(asked).toHaveLength(2);
});

test("two spans are never read at once", async () => {
  const { asked, reading, settle } = heldReading();
  reading.look(hour);
  reading.look(day);
  expect(asked.map(({ spanMs }) => spanMs)).toEqual([3_600_000]);
  await settle((answer) => answer.resolve(samplePair));
  reading.look(day);
  expect(asked.map(({ spanMs }) => spanMs)).toEqual([3_600_000, 86_400_000]);
});

test("a reading that fails is told and leaves what was known; the next one that succeeds takes it back", async () => {
  const { clock, reading, settle } = heldReading();
  reading.look(hour);
  await settle((answer) => answer.resolve(samplePair));
  await clock.advance(hour.readEveryMs);
  reading.look(hour);
  await settle((answer) => answer.reject(new Error("Cannot read the ledger: the IDB is locked")));
  expect(reading.look(hour)).toEqual({ report: samplePair, failure: "Cannot read the ledger: the IDB is locked" });
  await clock.advance(hour.readEveryMs);
  reading.look(hour);
  await settle((answer) => answer.resolve(samplePair));
  expect(reading.look(hour)).toEqual({ report: samplePair, failure: null });
});
