// How whoever asks says a time, on the command line and in an address alike. A time without its zone would mean another
// one on another host, so the zone must be said; only a date is UTC by itself.

import { instantMsMax } from "./event/instant.ts";

export type TimeText =
  /** Milliseconds since 1970 UTC; of a date, its first instant. */
  | { readonly kind: "time"; readonly ms: number }
  | { readonly kind: "no zone" }
  /** No calendar has the day, or no clock the time. */
  | { readonly kind: "no such day"; readonly date: string }
  /** Not from 1970 to 9999. */
  | { readonly kind: "out of range" }
  | { readonly kind: "of no form" };

const dateForm = /^\d{4}-\d{2}-\d{2}$/;
const instantForm = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2}(?:[.,]\d{1,9})?)?\s*([Zz]|[+-]\d{2}:?\d{2})?$/;

export function readTimeText(text: string): TimeText {
  if (dateForm.test(text)) return checked(`${text}T00:00:00Z`, text);
  const parts = instantForm.exec(text);
  if (parts === null) return { kind: "of no form" };
  const [, date = "", minutes, seconds = ":00", zone] = parts;
  if (zone === undefined) return { kind: "no zone" };
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  return checked(`${date}T${minutes}${seconds.replace(",", ".")}${offset}`, date);
}

/** Dates that no calendar has, such as the 30th of February, would else roll over into the next month. */
function checked(iso: string, date: string): TimeText {
  const ms = Date.parse(iso);
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) {
    return { kind: "no such day", date };
  }
  if (ms < 0 || ms > instantMsMax) return { kind: "out of range" };
  return { kind: "time", ms: Math.trunc(ms) };
}

/** UTC; ms only where there are any. `ms`: since 1970. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(".000Z", "Z");
}
