// Two clocks meet in this program and must not be mixed up: the data source's, by which calls are timed, and ours, by
// which arrivals are.

/** Milliseconds since 1970 UTC by the data source's clock, possibly with a fraction. Not comparable with ArrivalInstant. */
export type SourceInstant = number & { readonly brand: "SourceInstant" };

/** Milliseconds since 1970 UTC by this instance's clock. */
export type ArrivalInstant = number & { readonly brand: "ArrivalInstant" };

export const sourceInstant = (ms: number): SourceInstant => ms as SourceInstant;
export const arrivalInstant = (ms: number): ArrivalInstant => ms as ArrivalInstant;

// Dates beyond these cannot be written as ISO 8601 with four digits of year; a time outside is a decoding error.
export const instantMsMax = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z

/** TIMESTAMP columns: ISO 8601 in UTC with milliseconds. */
export function timestampText(instant: SourceInstant | ArrivalInstant): string {
  return new Date(Math.floor(instant)).toISOString();
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
