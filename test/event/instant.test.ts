import { expect, test } from "bun:test";
import { instantMsMax, sourceInstant, timestampText } from "../../src/event/instant.ts";

const text = (ms: number) => timestampText(sourceInstant(ms));

test("a time stamp is ISO 8601 in UTC with whole milliseconds, a fraction cut off", () => {
  expect(text(Date.parse("2026-11-23T08:00:00.000Z"))).toBe("2026-11-23T08:00:00.000Z");
  expect(text(1_795_423_798_403.781)).toBe("2026-11-23T08:49:58.403Z");
  expect(text(0)).toBe("1970-01-01T00:00:00.000Z");
  expect(text(instantMsMax)).toBe("9999-12-31T23:59:59.999Z");
});

test("a time stamp is what the runtime's own formatting says, in whatever order instants come", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`time stamps from seed ${seed}`);
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 2 ** 31;
  };
  for (let count = 0; count < 20_000; count += 1) {
    // Half of them crowd into a few minutes, so that what is kept of a second is used again and replaced.
    const ms = next() < 0.5 ? 1_795_423_790_000 + next() * 300_000 : next() * instantMsMax;
    expect(text(ms)).toBe(new Date(Math.floor(ms)).toISOString());
  }
});

test("what is no time is refused and not written as text", () => {
  expect(() => text(Number.NaN)).toThrow(RangeError);
});
