import { expect, test } from "bun:test";
import { countText, durationText, instantText, rateText, sizeText } from "../../src/status/wording.ts";

test.each([
  [-5, "0 ms"],
  [12.4, "12 ms"],
  [400, "0.4 s"],
  [9949, "9.9 s"],
  [9999, "10 s"],
  [59_400, "59 s"],
  [59_600, "1 min 0 s"],
  [3_599_000, "59 min 59 s"],
  [3_600_000, "1 h 0 min"],
  [86_400_000 * 3 + 3_600_000 * 4, "3 d 4 h"],
])("%d milliseconds are shown as %p", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [1024, "1.0 KiB"],
  [912_680_550, "870 MiB"],
  [21_474_836_480, "20.0 GiB"],
])("%d bytes are shown as %p", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test("counts, rates and instants are aligned and unmistakable", () => {
  expect(countText(9_007_199_254_740_993n)).toBe("9\u2009007\u2009199\u2009254\u2009740\u2009993");
  expect(countText(999)).toBe("999");
  expect([rateText(0), rateText(35.26), rateText(4012.4)]).toEqual(["0.0", "35.3", "4\u2009012"]);
  expect(instantText(Date.UTC(2026, 10, 25, 3, 0, 7, 900))).toBe("2026-11-25 03:00:07 UTC");
});
