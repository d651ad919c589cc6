// What is said about a window of a source: in each copy, and of all copies together.

import type { DoubtWord, MissingRange } from "./coverage.ts";

/** complete: all events are here. silent: there were none. incomplete: something is, or may be, missing. unknown: not yet known. */
export type WindowState = "complete" | "silent" | "incomplete" | "unknown";

/** Why a copy's window is not whole: a word of the ledger, or one of these. */
export type CauseWord =
  | DoubtWord
  | "never listened" // the copy has nothing of the source at all
  | "another copy has more" // numbers that another copy has in this window are not here
  | "not heard yet"; // the copy's last word of the source is not yet long enough past the window's end

export interface CopyVerdict {
  readonly state: WindowState;
  /** Empty when it is whole. */
  readonly causes: readonly CauseWord[];
  /** What is, or may be, missing of it. */
  readonly missing: readonly MissingRange[];
  /** Words of the ledger about this window, those that do not condemn it too. */
  readonly faults: readonly string[];
  readonly events: number;
  /** 32 hexadecimal digits; null: there are no events, or a row of an earlier version has none. */
  readonly digest: string | null;
  /** False: the source has no numbers; the copy listened without interruption, and says no more than that. */
  readonly isProven: boolean;
}

/**
 * What whole copies say of one another. confirmed: at least two, of different instances, and all are equal. divergent: two
 * contradict each other. alone: only one instance has it whole, or they cannot be compared. none: no copy is whole.
 */
export type Agreement = "confirmed" | "divergent" | "alone" | "none";

export interface Verdict {
  readonly state: WindowState;
  readonly agreement: Agreement;
  /** Which copy to take, by its place in the list of copies; null: none is whole. */
  readonly chosen: number | null;
  readonly copies: readonly CopyVerdict[];
}

/** Of all copies together. At least one is expected. `instances` as instancesOf says them. */
export function verdictOf(copies: readonly CopyVerdict[], instances: readonly number[]): Verdict {
  const whole = [...copies.keys()].filter((place) => isWhole(copies[place]));
  const chosen = whole.toSorted((one, other) => preference(copies[one], copies[other]))[0] ?? null;
  const best = chosen === null ? undefined : copies[chosen];
  if (best !== undefined) {
    const agreement = agreementOf(whole.map((place) => copies[place] ?? best));
    const isOfOne = new Set(whole.map((place) => instances[place])).size === 1;
    return { state: best.state, agreement: isOfOne && agreement === "confirmed" ? "alone" : agreement, chosen, copies };
  }
  const state = copies.some((each) => each.state === "unknown") ? "unknown" : "incomplete";
  return { state, agreement: "none", chosen: null, copies };
}

export function isWhole(verdict: CopyVerdict | undefined): boolean {
  return verdict?.state === "complete" || verdict?.state === "silent";
}

/** That nobody had listened yet is no gap that somebody could have prevented: for the copy, the source begins later. */
export function isBeforeItsTime({ state, causes }: CopyVerdict): boolean {
  return state === "incomplete" && causes.every((cause) => cause === "not listened yet" || cause === "never listened");
}

// What was not heard cannot be told apart from what did not happen: where two disagree, more was heard by one of them.
function preference(one: CopyVerdict | undefined, other: CopyVerdict | undefined): number {
  if (one === undefined || other === undefined) return 0;
  return other.events - one.events || one.faults.length - other.faults.length;
}

/** Of copies that are whole, or would be had they not purged it. */
export function agreementOf(whole: readonly CopyVerdict[]): Agreement {
  const [first, ...others] = whole;
  if (first === undefined || others.length === 0) return "alone";
  // Events timed by the copies' own clocks lie in windows of their own.
  if (whole.some(({ faults }) => faults.includes("source clock unknown"))) return "alone";
  if (others.some(({ events }) => events !== first.events)) return "divergent";
  if (first.events === 0) return "confirmed";
  const digests = new Set(whole.map(({ digest }) => digest));
  if (digests.size > (digests.has(null) ? 2 : 1)) return "divergent";
  return digests.has(null) ? "alone" : "confirmed";
}
