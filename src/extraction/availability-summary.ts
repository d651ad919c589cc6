// Availability of a long time, in few figures: added up stretch by stretch, so that nobody holds all of it in memory.

import type { JudgedStretch, SourceAvailability, SourceKey } from "./availability.ts";
import { causeClauses } from "./cause-words.ts";
import type { Stretch } from "./copy.ts";
import type { WindowState } from "./verdict.ts";

/** Neighbouring windows that no copy has whole, or of which two copies contradict each other. */
export interface Trouble extends Stretch {
  readonly state: "incomplete" | "divergent";
  /** Of each copy, in plain words; of those that contradict each other, nothing. */
  readonly causes: readonly (readonly string[])[];
}

export interface SourceSummary extends SourceKey {
  readonly names: readonly string[];
  readonly isProven: boolean;
  readonly windows: Readonly<Record<WindowState, number>>;
  readonly confirmed: number;
  readonly divergent: number;
  /** How many windows are to be taken from each copy. */
  readonly chosen: readonly number[];
  /** Null: no window is incomplete. */
  readonly longestIncomplete: Stretch | null;
  /** The first of them, in order; `troubleCount` says how many there are. */
  readonly troubles: readonly Trouble[];
  readonly troubleCount: number;
}

interface Sum {
  readonly names: Set<string>;
  readonly windows: Record<WindowState, number>;
  readonly chosen: number[];
  isProven: boolean;
  confirmed: number;
  divergent: number;
  incomplete: Stretch | null;
  longest: Stretch | null;
  readonly troubles: Trouble[];
  last: Trouble | null;
  troubleCount: number;
}

export class AvailabilitySummary {
  readonly #sums = new Map<string, { readonly source: SourceKey; readonly sum: Sum }>();
  readonly #troublesMax: number;

  constructor(troublesMax: number) {
    this.#troublesMax = troublesMax;
  }

  /** Stretches must come in order of time. */
  add({ source, names, coverages }: SourceAvailability, stretches: Iterable<JudgedStretch>): void {
    const sum = this.#sumOf(source, coverages.length);
    for (const name of names) sum.names.add(name);
    sum.isProven &&= coverages.every(({ isProven }) => isProven);
    for (const stretch of stretches) this.#addStretch(sum, stretch);
  }

  sources(): SourceSummary[] {
    return [...this.#sums.values()].map(({ source, sum }) => ({
      ...source,
      names: [...sum.names].toSorted(),
      isProven: sum.isProven,
      windows: sum.windows,
      confirmed: sum.confirmed,
      divergent: sum.divergent,
      chosen: sum.chosen,
      longestIncomplete: sum.longest,
      troubles: sum.troubles,
      troubleCount: sum.troubleCount,
    }));
  }

  #sumOf(source: SourceKey, copyCount: number): Sum {
    const key = `${source.cluster}/${source.switchDbid}`;
    let known = this.#sums.get(key);
    if (known === undefined) {
      const windows = { complete: 0, silent: 0, incomplete: 0, unknown: 0 };
      const none = { isProven: true, confirmed: 0, divergent: 0, incomplete: null, longest: null, last: null };
      const chosen = new Array<number>(copyCount).fill(0);
      known = { source, sum: { names: new Set(), windows, chosen, troubles: [], troubleCount: 0, ...none } };
      this.#sums.set(key, known);
    }
    return known.sum;
  }

  #addStretch(sum: Sum, { from, until, windowCount, verdict }: JudgedStretch): void {
    const { state, agreement, chosen, copies } = verdict;
    sum.windows[state] += windowCount;
    if (agreement === "confirmed") sum.confirmed += windowCount;
    if (agreement === "divergent") sum.divergent += windowCount;
    if (chosen !== null) sum.chosen[chosen] = (sum.chosen[chosen] ?? 0) + windowCount;
    if (state === "incomplete") {
      const before = sum.incomplete?.until === from ? sum.incomplete : null;
      sum.incomplete = { from: before?.from ?? from, until };
      if (sum.longest === null || lengthOf(sum.incomplete) > lengthOf(sum.longest)) sum.longest = sum.incomplete;
    }
    if (state !== "incomplete" && agreement !== "divergent") return;
    const isDivergent = agreement === "divergent";
    const causes = isDivergent ? [] : copies.map(causeClauses);
    const last = sum.last;
    const kind = isDivergent ? "divergent" : "incomplete";
    if (last?.until === from && last.state === kind && JSON.stringify(last.causes) === JSON.stringify(causes)) {
      sum.last = { ...last, until };
      if (sum.troubles.at(-1) === last) sum.troubles[sum.troubles.length - 1] = sum.last;
      return;
    }
    sum.last = { from, until, state: kind, causes };
    sum.troubleCount += 1;
    if (sum.troubles.length < this.#troublesMax) sum.troubles.push(sum.last);
  }
}

function lengthOf({ from, until }: Stretch): number {
  return until - from;
}

/** Stretches cut to those windows that lie in the bounds; bounds are whole windows. */
export function* within(stretches: Iterable<JudgedStretch>, bounds: Stretch): Generator<JudgedStretch> {
  for (const each of stretches) {
    const [from, until] = [Math.max(each.from, bounds.from), Math.min(each.until, bounds.until)];
    if (from >= until) continue;
    const windowSeconds = (each.until - each.from) / each.windowCount;
    yield { ...each, from, until, windowCount: (until - from) / windowSeconds };
  }
}
