// The words by which the ledger says what is wrong with a window, and why a span of coverage begins or ends. Written by
// the projection, judged by whoever compares copies; what each means to a reader: docs/availability.md.

/** Words in ICON_WINDOW.FAULTS, and whether one of them alone makes the window incomplete. */
export const windowFaults = {
  /** A record of the persistent queue cannot be read; it may have been an event of this window. */
  "damaged record": { condemns: true },
  /** A line or message could not be decoded; it is in ICON_UNDECODED. */
  "undecodable frame": { condemns: true },
  /** A line or message was decoded and made no rows; it is in ICON_UNDECODED. */
  "projection failed": { condemns: true },
  /** The server lost its link to the switch, or had it back. */
  "cti link down": { condemns: true },
  /** The server lost its link to a server that it depends on, or had it back. */
  "link to another server down": { condemns: true },
  /** The persistent queue was lost or replaced. */
  "queue lost": { condemns: true },
  /** This IDB begins in the middle of the window. */
  "history not kept": { condemns: true },
  /** A line of the snapshot could not be taken in: what has ended is not known. */
  "snapshot damaged": { condemns: true },
  /** Times before and after the step cannot be compared: the window may hold two stretches of time. */
  "source clock stepped": { condemns: true },
  /** Arrivals before and after the step cannot be compared. */
  "host clock stepped": { condemns: false },
  /** What happened while nobody listened was put right from a snapshot; HOLES and spans tell what is missing. */
  "reconciled by snapshot": { condemns: false },
  /** The server cannot send again what was missed; HOLES and spans tell what. */
  "gap reported": { condemns: false },
  /** An event, hole or fault of an earlier time than any window that was still kept; it is entered here. */
  "late event": { condemns: false },
  /** A hole or damage is in more windows than have rows; ICON_MARK names the stretch. */
  "later windows not marked": { condemns: false },
  /** The source tells no times: its events are timed by our clock. */
  "source clock unknown": { condemns: false },
} as const satisfies Readonly<Record<string, { readonly condemns: boolean }>>;

export type WindowFault = keyof typeof windowFaults;

/** So long after its end, by the source's clock, nothing more is expected for a window: it is sealed, and judged. */
export const sealDelayMs = 5_000;

/** What leaves a gap in what a copy can vouch for: ENDED_BECAUSE of the span before it, BEGAN_BECAUSE of the one after. */
export const coverageBreaks = [
  "hole", // numbers are missing
  "gap reported", // the server said that it cannot send them again
  "numbers went back", // the server counts from a lower number on, in the same run
  "new run", // the server was started again, or another one of the pair took over
  "cti link down",
  "link to another server down",
  "damaged record",
  "undecodable frame",
  "projection failed",
  "queue lost",
  // Within one run times no longer rise with numbers: what is known of numbers on one side says nothing of times on the other.
  "source clock stepped",
  "history not kept", // this IDB begins here
  "session ended", // of a source without numbers
  "configuration changed", // the source is another cluster or switch from now on
] as const;

export type CoverageBreak = (typeof coverageBreaks)[number];

/** Words in ICON_COVERAGE.BEGAN_BECAUSE. */
export type CoverageBeginning = CoverageBreak | "first connection";

/** Words in ICON_COVERAGE.ENDED_BECAUSE. "orderly end": the server's last word was that it ends, and a new run followed. */
export type CoverageEnding = CoverageBreak | "orderly end";
