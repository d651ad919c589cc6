// What the page's time line is told: for each source, what the pair has of a stretch of the source's time, what this
// instance's own IDB has, and what the peer's has. Plain words and numbers, nothing of a caller's; instance.ts supplies
// the function that reads it.

/** What is known of a window; what each word means: docs/availability.md. "divergent" is a verdict on several copies. */
export type WindowState = "complete" | "silent" | "incomplete" | "unknown" | "divergent";

/** Neighbouring windows of which the same is to be said. Milliseconds since 1970 by the source's clock. */
export interface PairStretch {
  /** In it. */
  readonly from: number;
  /** Not in it. */
  readonly until: number;
  readonly state: WindowState;
  /** Why, in plain words and without a full stop: "connection lost", "events 17 to 42 are missing"; often none. */
  readonly causes: readonly string[];
}

export interface VerdictStretch extends PairStretch {
  /** Which copy to take; null: neither. */
  readonly chosen: "own" | "peer" | null;
  /** Both copies have it, with equal digests. */
  readonly isConfirmed: boolean;
}

export interface PairSource {
  /** Name in this instance's configuration. */
  readonly name: string;
  /** False: the source has no sequence numbers, so "complete" says that we listened without interruption. */
  readonly isProven: boolean;
  /** These three in the order of time, without overlap, within the report's stretch; what lies between two is not known. */
  readonly verdict: readonly VerdictStretch[];
  readonly own: readonly PairStretch[];
  /** Null: the peer was not heard, does not have this source, or there is none. */
  readonly peer: readonly PairStretch[] | null;
}

/** How it stands with the other instance's ledger. Milliseconds since 1970 by this instance's clock. */
export interface PeerAnswer {
  /** Its instance name, or its address while it has not said it. */
  readonly name: string;
  /** Since when it does not answer; null: it answered when it was last asked. */
  readonly silentSince: number | null;
  /** Why it cannot be used, in plain words: "refused the connection", "its windows are 1 s long, ours 60 s". */
  readonly reason: string | null;
}

export interface PairReport {
  /** The stretch that was asked for; milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  /** When it was read, by this instance's clock. */
  readonly readAt: number;
  /** Null: no peer is configured, so the verdict is that of the own ledger. */
  readonly peer: PeerAnswer | null;
  /** In the order of the configuration. */
  readonly sources: readonly PairSource[];
}

/**
 * Reads what the last `spanMs` were like. Only asked while somebody looks, every few seconds at most and never twice at
 * once; the page does not wait for it. A peer that does not answer is part of the report; rejects with a message for
 * the page when the own ledger cannot be read.
 */
export type ReadPair = (spanMs: number) => Promise<PairReport>;
