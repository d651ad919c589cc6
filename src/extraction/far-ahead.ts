// A source whose clock was absurd once has told of a time that nobody will live to see, and its coverage says so for ever.
// Whoever names no time himself means none of that.

const secondsAhead = 366 * 86_400;

/** Up to where time is looked through when nobody names one, UTC seconds: a year ahead of this host's clock. */
export function looksUntil(nowMs: number): number {
  return Math.floor(nowMs / 1000) + secondsAhead;
}
