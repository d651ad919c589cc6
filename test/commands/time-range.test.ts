import { describe, expect, test } from "bun:test";
import { stretchBetween, timeOption, timeOrTodayOption } from "../../src/commands/time-range.ts";

const utc = (text: string) => Date.parse(text);
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "taken";
};

describe("a time on the command line", () => {
  test("is a date, UTC, from its first instant", () => {
    expect(timeOption("2026-11-23")).toBe(utc("2026-11-23T00:00:00Z"));
  });

  test("is an instant with its zone, with or without seconds and fractions", () => {
    expect(timeOption("2026-11-23T09:30Z")).toBe(utc("2026-11-23T09:30:00Z"));
    expect(timeOption("2026-11-23 09:30:15Z")).toBe(utc("2026-11-23T09:30:15Z"));
    expect(timeOption("2026-11-23T09:30:15.250Z")).toBe(utc("2026-11-23T09:30:15.250Z"));
    expect(timeOption("2026-11-23T09:30:15+01:00")).toBe(utc("2026-11-23T08:30:15Z"));
    expect(timeOption("2026-11-23T09:30:15-0530")).toBe(utc("2026-11-23T15:00:15Z"));
    expect(timeOption(" 2024-02-29t23:59:59z ")).toBe(utc("2024-02-29T23:59:59Z"));
    expect(timeOption("9999-12-31T23:59:59Z")).toBe(utc("9999-12-31T23:59:59Z"));
  });

  test("without its zone is refused, for it would mean another time on another host", () => {
    expect(refusal(() => timeOption("2026-11-23T09:30"))).toBe(
      '"2026-11-23T09:30" has no zone: add Z for UTC, or an offset such as +01:00.',
    );
  });

  test("that no calendar or clock has is refused", () => {
    for (const text of ["2026-02-30", "2026-13-01", "2026-11-23T24:30Z", "2026-11-23T09:61:00Z", "2026-02-29T10:00Z"]) {
      expect(refusal(() => timeOption(text))).toContain("is no day, or its time none of the clock");
    }
    for (const text of ["", "yesterday", "1795423798", "23.11.2026", "2026-11-23T09Z", "-000001-01-01"]) {
      expect(refusal(() => timeOption(text))).toContain("expected a date such as 2026-11-23");
    }
    expect(refusal(() => timeOption("1969-12-31"))).toBe("expected a time from 1970 to 9999.");
  });

  test("may be a time of today where a command asks about one moment", () => {
    const now = utc("2026-11-23T23:59:59.999Z");
    expect(timeOrTodayOption(now)("09:30")).toEqual({ ms: utc("2026-11-23T09:30:00Z"), isOfToday: true });
    expect(timeOrTodayOption(now)("09:30:15.5").ms).toBe(utc("2026-11-23T09:30:15.500Z"));
    expect(timeOrTodayOption(now)("2026-11-20")).toEqual({ ms: utc("2026-11-20T00:00:00Z"), isOfToday: false });
    expect(refusal(() => timeOrTodayOption(now)("25:30"))).toContain("there is no such time of day");
  });
});

describe("a stretch between two times", () => {
  test("is widened to whole seconds", () => {
    expect(stretchBetween(1_000_250, 1_003_001)).toEqual({ from: 1000, until: 1004 });
    expect(stretchBetween(1_000_000, 1_003_000)).toEqual({ from: 1000, until: 1003 });
  });

  test("that ends before it begins is refused, and both ends are named", () => {
    const from = utc("2026-11-23T10:00:00Z");
    expect(refusal(() => stretchBetween(from, from))).toBe(
      "Cannot use --from 2026-11-23T10:00:00.000Z with --to 2026-11-23T10:00:00.000Z: expected --from before --to",
    );
  });
});
