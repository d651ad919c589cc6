// How whoever types a command says a time, for all commands alike: as src/time-text.ts has it, and as a time
// of today, which is UTC by itself too.

import { InvalidArgumentError } from "commander";
import { readTimeText } from "../time-text.ts";
import { CommandError, exitCodes } from "./exit.ts";

const timeOfDayForm = /^\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?$/;

const expected = "expected a date such as 2026-11-23, or a time with its zone such as 2026-11-23T09:30:00Z";

/** What an option like `--from` says, milliseconds since 1970 UTC. A date is its first instant, in UTC. For commander: throws InvalidArgumentError. */
export function timeOption(text: string): number {
  const ms = instantMs(text.trim());
  if (ms === null) throw new InvalidArgumentError(`${expected}.`);
  return ms;
}

/** A time as it was meant, and whether its day was added here. */
export interface TimeGiven {
  readonly ms: number;
  readonly isOfToday: boolean;
}

/** As timeOption, and `09:30` or `09:30:15`: today in UTC, `nowMs` says which day that is. */
export function timeOrTodayOption(nowMs: number): (text: string) => TimeGiven {
  return (text) => {
    const trimmed = text.trim();
    if (!timeOfDayForm.test(trimmed)) {
      const ms = instantMs(trimmed);
      if (ms === null) throw new InvalidArgumentError(`${expected}, or 09:30:15 of today, UTC.`);
      return { ms, isOfToday: false };
    }
    const ms = Date.parse(`${new Date(nowMs).toISOString().slice(0, 10)}T${trimmed}Z`);
    if (Number.isNaN(ms))
      throw new InvalidArgumentError(`there is no such time of day; ${expected}, or 09:30:15 of today, UTC.`);
    return { ms, isOfToday: true };
  };
}

/** Whole seconds that hold everything from one time until just before the other. Throws CommandError when there is nothing between. */
export function stretchBetween(fromMs: number, untilMs: number): { readonly from: number; readonly until: number } {
  if (fromMs >= untilMs) {
    throw new CommandError(
      exitCodes.usage,
      `Cannot use --from ${new Date(fromMs).toISOString()} with --to ${new Date(untilMs).toISOString()}: expected --from before --to`,
    );
  }
  return { from: Math.floor(fromMs / 1000), until: Math.ceil(untilMs / 1000) };
}

/** Null: it has no form of a time. */
function instantMs(text: string): number | null {
  const read = readTimeText(text);
  switch (read.kind) {
    case "time":
      return read.ms;
    case "no zone":
      throw new InvalidArgumentError(`"${text}" has no zone: add Z for UTC, or an offset such as +01:00.`);
    case "no such day":
      throw new InvalidArgumentError(`"${read.date}" is no day, or its time none of the clock; ${expected}.`);
    case "out of range":
      throw new InvalidArgumentError("expected a time from 1970 to 9999.");
    case "of no form":
      return null;
  }
}
