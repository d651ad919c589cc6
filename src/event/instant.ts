// Two clocks meet in this program and must not be mixed up: the data source's, by which calls are timed, and ours, by
// which arrivals are.

/** Milliseconds since 1970 UTC by the data source's clock, possibly with a fraction. Not comparable with ArrivalInstant. */
export type SourceInstant = number & { readonly brand: "SourceInstant" };

/** Milliseconds since 1970 UTC by this instance's clock. */
export type ArrivalInstant = number & { readonly brand: "ArrivalInstant" };

export const sourceInstant = (ms: number): SourceInstant => ms as SourceInstant;
export const arrivalInstant = (ms: number): ArrivalInstant => ms as ArrivalInstant;

const setBackMsMax = 3_600_000;

/**
 * A source's clock may be set back, by an hour at most (summer time told as it is on the wall): what it then tells as
 * earlier than what it told `before` is taken to be of that moment. Where it is further back one of the two times was
 * absurd, and neither may hold the other.
 */
export function notSetBack(before: SourceInstant, at: SourceInstant): SourceInstant {
  return before - at <= setBackMsMax && before > at ? before : at;
}

// Dates beyond these cannot be written as ISO 8601 with four digits of year; a time outside is a decoding error.
export const instantMsMax = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

// One event's rows hold ten time stamps of two or three different seconds, and formatting a date is dear. What is kept
// here changes no answer: a second's text is always the same.
const secondsKept = 64;
const keptSeconds: number[] = new Array(secondsKept).fill(Number.NaN);
const keptTexts: string[] = new Array(secondsKept).fill("");

/** TIMESTAMP columns: ISO 8601 in UTC with milliseconds. */
export function timestampText(instant: SourceInstant | ArrivalInstant): string {
  const ms = Math.floor(instant);
  const second = Math.floor(ms / 1000);
  const place = second & (secondsKept - 1);
  if (keptSeconds[place] !== second) {
    keptTexts[place] = new Date(ms).toISOString().slice(0, -"000Z".length);
    keptSeconds[place] = second;
  }
  // 1000 more and without its first digit: three digits, cheaper than filling up with zeros.
  return `${keptTexts[place]}${String(1000 + ms - second * 1000).slice(1)}Z`;
}

/** `*_TS` columns: whole UTC seconds. */
export function utcSeconds(instant: SourceInstant | ArrivalInstant): number {
  return Math.floor(instant / 1000);
}

// G_TIMECODE's step [S: gsysInitTimeCode].
export const timecodeStepSeconds = 300;

/** `*_TCODE` columns: the G_TIMECODE key, seconds since 1970 in five-minute steps. */
export function timecode(instant: SourceInstant | ArrivalInstant): number {
  const seconds = utcSeconds(instant);
  return seconds - (seconds % timecodeStepSeconds);
}
