// The schedule of purges, and what is asked of the other copy before there is a mark.

import { expect, test } from "bun:test";
import type { Mark } from "../src/event/envelope.ts";
import { HandingOut } from "../src/handing-out/handing-out.ts";
import type { Held } from "../src/handing-out/purge-held.ts";
import { silentLog } from "../src/log.ts";
import { Purges } from "../src/purges.ts";
import { FakeClock } from "./harness/fake-clock.ts";

const dayMs = 86_400_000;
const midnight = Date.parse("2026-11-30T00:00:00.000Z");

/** `held`: what the process that reads the ledgers says. */
function setting(held: (before: number) => Partial<Held>, isEvenIfOnlyCopy = false) {
  const clock = new FakeClock(midnight + 3_600_000);
  const marks: Mark[] = [];
  const stop = new AbortController().signal;
  const handingOut = new HandingOut({ instanceName: "a", idbPath: "", peer: () => null, clock, log: silentLog, stop });
  const askedBy: string[] = [];
  handingOut.ask = async (question) => {
    if (question.what !== "purge") throw new Error("Nothing else is asked");
    askedBy.push(question.by);
    const { before } = question;
    const answer = { untilMs: before, fromMs: 0, purgedUntilMs: null, reason: null, ...held(before) };
    return {
      kind: "answer",
      contentType: "application/json",
      body: new Response(JSON.stringify(answer)).body as never,
    };
  };
  const warned: unknown[] = [];
  const purges = new Purges({
    handingOut,
    mark: async (mark) => void marks.push(mark),
    config: () => ({ keepMs: 30 * dayMs, atMs: 2.5 * 3_600_000, isEvenIfOnlyCopy }),
    clock,
    log: { ...silentLog, warn: (sentence, fields) => warned.push([sentence, fields]) },
  });
  return { clock, purges, marks, warned, askedBy, look: () => purges.keepSchedule(stop) };
}

const purge = (before: number) => ({ mark: "purge", before, by: "schedule", isUnconfirmed: false }) as const;

test("once a day, at its time, everything that ended before a midnight goes", async () => {
  const { clock, marks, look } = setting(() => ({}));
  await look();
  // At 01:00 the last time was yesterday's.
  expect(marks).toEqual([purge(midnight - 31 * dayMs)]);
  await look();
  clock.standStill(1.5 * 3_600_000);
  await look();
  await look();
  expect(marks).toEqual([purge(midnight - 31 * dayMs), purge(midnight - 30 * dayMs)]);
});

test("the ledgers are asked for the schedule, or for a command: the peer's own purge stops only that", async () => {
  const { purges, askedBy, look } = setting(() => ({}));
  await look();
  await purges.ask(
    midnight - dayMs,
    { isEvenIfOnlyCopy: false, isDryRun: true, by: "command" },
    new AbortController().signal,
  );
  expect(askedBy).toEqual(["schedule", "command"]);
});

test("what was purged before a restart is not asked for again", async () => {
  const { marks, look } = setting(() => ({ purgedUntilMs: midnight - 31 * dayMs }), true);
  await look();
  expect(marks).toEqual([]);
});

test("as far as another copy holds it, with a warning, and the rest is tried again in an hour", async () => {
  const held = midnight - 40 * dayMs;
  let until = held;
  const { clock, marks, warned, look } = setting((before) => ({
    untilMs: Math.min(before, until),
    reason: before > until ? "No other copy." : null,
  }));
  await look();
  expect(marks).toEqual([purge(held)]);
  expect(warned).toEqual([
    [
      "what is to be purged is not known to be held by another copy",
      { before: new Date(midnight - 31 * dayMs).toISOString(), reason: "No other copy." },
    ],
  ]);
  until = midnight;
  await look();
  expect(marks.length).toBe(1);
  clock.standStill(3_600_000);
  await look();
  expect(marks.at(-1)).toEqual(purge(midnight - 31 * dayMs));
});

test("a time that lies in the future is refused", async () => {
  const { clock, purges, marks } = setting(() => ({}));
  const options = { isEvenIfOnlyCopy: true, isDryRun: false, by: "command" } as const;
  const answer = await purges.ask(clock.now() + 1000, options, new AbortController().signal);
  expect(answer).toMatchObject({ kind: "refused", reason: expect.stringContaining("future") });
  expect(marks).toEqual([]);
});

test("a dry run is told what would be, and leaves no mark", async () => {
  const options = { isEvenIfOnlyCopy: false, isDryRun: true, by: "command" } as const;
  const ask = async (held: Partial<Held>) => {
    const { purges, marks } = setting(() => held);
    const answer = await purges.ask(midnight - dayMs, options, new AbortController().signal);
    expect(marks).toEqual([]);
    return answer;
  };
  expect(await ask({})).toEqual({ kind: "would be asked for" });
  expect(await ask({ purgedUntilMs: midnight })).toEqual({ kind: "done before" });
  expect(await ask({ untilMs: midnight - 2 * dayMs, reason: "No other copy." })).toEqual({
    ...{ kind: "refused", isPassing: false, heldUntil: midnight - 2 * dayMs, reason: "No other copy." },
  });
});
