import { expect, test } from "bun:test";
import { parseDuration, parseSize } from "../../src/config/quantity.ts";

test.each([
  ["250ms", 250],
  ["30s", 30_000],
  ["1.5h", 5_400_000],
  ["2m", 120_000],
  ["2min", 120_000],
  ["7 d", 604_800_000],
  ["0s", 0],
])("the duration %p is %d milliseconds", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  ["512B", 512],
  ["64MiB", 67_108_864],
  ["20GiB", 21_474_836_480],
  ["1.5GB", 1_500_000_000],
  ["2 TiB", 2_199_023_255_552],
])("the size %p is %d bytes", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each(["", "30", "s", "-3s", "3 weeks", "1e3s", "3S", "constructor", "1toString", "99999999999999999999d"])(
  "%p is no duration",
  (text) => {
    expect(parseDuration(text)).toBeNull();
  },
);

test.each(["64", "64mib", "64 M", "-1MiB", "1valueOf"])("%p is no size", (text) => {
  expect(parseSize(text)).toBeNull();
});
