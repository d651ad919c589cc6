// What is known of a stretch of a source's time, copy by copy: the little that a plan for a call needs of availability.

import type { SourceKey } from "./availability.ts";

/** Windows in a row in which a copy is not whole. UTC seconds; `from` is in it, `until` is not. */
export interface Doubted {
  readonly from: number;
  readonly until: number;
  /** False: the copy may still turn out to be whole there. */
  readonly isKnown: boolean;
  /** Words of availability. */
  readonly causes: readonly string[];
}

export interface SourceCoverage {
  readonly windowSeconds: number;
  /** In order; empty: the copy is whole in every window that holds an instant from `from` to `until`, both included. */
  doubted(copy: number, source: SourceKey, from: number, until: number): readonly Doubted[];
  /** False: the source has no numbers, so that whole means no more than listened to without interruption. */
  isProven(source: SourceKey, from: number, until: number): boolean;
  /** Where copies that are whole contradict each other in a window that holds an instant of the stretch. */
  isDivergent(source: SourceKey, from: number, until: number): boolean;
}
