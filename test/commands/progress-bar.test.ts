// The line that says how far a long command is.

import { expect, test } from "bun:test";
import { ProgressBar, progressLine } from "../../src/commands/progress-bar.ts";

const noun = "records";

test("the line says the share, the pace and the time that is left", () => {
  expect(progressLine({ done: 2500, all: 10_000, noun, elapsedMs: 5000 })).toBe(
    "██████░░░░░░░░░░░░░░░░░░ 25 %  2,500 of 10,000 records, 500/s, 15 s left",
  );
});

test("before anything is done nobody knows what is left; nothing to do is all done; more than all is all", () => {
  expect(progressLine({ done: 0, all: 10, noun, elapsedMs: 1000 })).toBe(`${"░".repeat(24)} 0 %  0 of 10 records, 0/s`);
  expect(progressLine({ done: 5, all: 10, noun, elapsedMs: 0 })).toEndWith(" 50 %  5 of 10 records, 0/s");
  expect(progressLine({ done: 0, all: 0, noun, elapsedMs: 1000 })).toBe(`${"█".repeat(24)} 100 %  0 of 0 records, 0/s`);
  expect(progressLine({ done: 12, all: 10, noun, elapsedMs: 1000 })).toStartWith(`${"█".repeat(24)} 100 %  12 of 10`);
});

/** What a bar writes, and the clock that it goes by. */
function barOn(isTerminal: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const stream = { isTTY: isTerminal, write: (text: string) => written.push(text) };
  const bar = new ProgressBar(stream as unknown as NodeJS.WriteStream, () => clock.ms);
  return { bar, clock, written };
}

test("a terminal has it a few times a second, and it is taken away once", () => {
  const { bar, clock, written } = barOn(true);
  bar.clear();
  expect(written).toEqual([]);
  for (const ms of [0, 100, 199, 200, 250]) {
    clock.ms = ms;
    bar.show(ms, 1000, noun);
  }
  expect(written.map((text) => /(\d+) of/.exec(text)?.[1])).toEqual(["0", "200"]);
  bar.clear();
  bar.clear();
  expect(written.slice(2)).toEqual(["\r\x1b[K"]);
});

test("what is no terminal has nothing of it", () => {
  const { bar, written } = barOn(false);
  bar.show(1, 10, noun);
  bar.clear();
  expect(written).toEqual([]);
});
