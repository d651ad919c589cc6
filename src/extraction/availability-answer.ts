// Availability as plain values that JSON can hold: for the read API, and for whoever prints it. UTC seconds by the
// sources' clocks; `from` is in a stretch, `until` is not.

import type { Availability, JudgedStretch, SourceAvailability, SourceKey } from "./availability.ts";
import { causeClauses } from "./cause-words.ts";
import type { CopyIdentity } from "./copy.ts";
import type { MissingRange } from "./coverage.ts";
import type { Agreement, CopyVerdict, Verdict, WindowState } from "./verdict.ts";

/** A copy that was asked. */
export interface CopyAnswer {
  readonly name: string;
  /** Null: it could not be read, and `problem` says why. */
  readonly identity: CopyIdentity | null;
  readonly problem: string | null;
}

export interface SourceAnswer extends SourceKey {
  readonly names: readonly string[];
  /** False: the source has no numbers; a copy that listened without interruption says no more than that. */
  readonly isProven: boolean;
}

export interface SummaryAnswer extends SourceAnswer {
  /** Of the asked stretch; together all of it. */
  readonly windows: Readonly<Record<WindowState, number>>;
  /** Of those that at least one copy has whole: how many two copies confirm, or contradict each other about. */
  readonly confirmed: number;
  readonly divergent: number;
  readonly stretches: readonly StretchAnswer[];
}

export interface StretchAnswer {
  readonly from: number;
  readonly until: number;
  readonly windows: number;
  readonly state: WindowState;
  readonly agreement: Agreement;
  /** Name of the copy to take; null: none has it whole. */
  readonly chosen: string | null;
  /** Why it is not whole, in plain words, by copy; empty when it is. */
  readonly causes: Readonly<Record<string, readonly string[]>>;
}

export interface WindowsAnswer extends SourceAnswer {
  /** Windows without events in a row of which the same is said are one entry. */
  readonly windows: readonly WindowAnswer[];
}

export interface WindowAnswer extends Omit<StretchAnswer, "causes"> {
  readonly copies: Readonly<Record<string, CopyWindowAnswer>>;
}

/** As the ledger says it; the words: docs/availability.md. */
export interface CopyWindowAnswer {
  readonly state: WindowState;
  readonly events: number;
  readonly digest: string | null;
  readonly causes: readonly string[];
  readonly faults: readonly string[];
  readonly missing: readonly MissingRange[];
}

/** Per source its counts, and neighbours of which the same is to be said as one. `names`: of the judged copies, in order. */
export function summaryAnswer({ sources }: Availability, names: readonly string[]): SummaryAnswer[] {
  return sources.map((each) => {
    const windows = { complete: 0, silent: 0, incomplete: 0, unknown: 0 };
    let [confirmed, divergent] = [0, 0];
    for (const { windowCount, verdict } of each.stretches) {
      windows[verdict.state] += windowCount;
      if (verdict.agreement === "confirmed") confirmed += windowCount;
      if (verdict.agreement === "divergent") divergent += windowCount;
    }
    const stretches = mergedStretches(each.stretches, names);
    return { ...sourceAnswer(each), windows, confirmed, divergent, stretches };
  });
}

/** Every window with events, and what lies between. */
export function windowsAnswer({ sources }: Availability, names: readonly string[]): WindowsAnswer[] {
  return sources.map((each) => ({
    ...sourceAnswer(each),
    windows: each.stretches.map(({ from, until, windowCount, verdict }) => ({
      ...{ from, until, windows: windowCount, state: verdict.state, agreement: verdict.agreement },
      chosen: chosenName(verdict, names),
      copies: Object.fromEntries(verdict.copies.map((copy, place) => [names[place] ?? place, copyAnswer(copy)])),
    })),
  }));
}

export function sourceAnswer({ source, names, coverages }: SourceAvailability): SourceAnswer {
  return { ...source, names, isProven: coverages.every(({ isProven }) => isProven) };
}

/** Neighbours of which the same is to be said, however many events each has. */
export function mergedStretches(stretches: readonly JudgedStretch[], names: readonly string[]): StretchAnswer[] {
  const merged: { key: string; answer: StretchAnswer }[] = [];
  for (const { from, until, windowCount, verdict } of stretches) {
    const said = {
      ...{ state: verdict.state, agreement: verdict.agreement, chosen: chosenName(verdict, names) },
      causes: causesOf(verdict, names),
    };
    const key = JSON.stringify(said);
    const last = merged.at(-1);
    if (last?.key === key) {
      last.answer = { ...last.answer, until, windows: last.answer.windows + windowCount };
    } else merged.push({ key, answer: { from, until, windows: windowCount, ...said } });
  }
  return merged.map(({ answer }) => answer);
}

function chosenName({ chosen }: Verdict, names: readonly string[]): string | null {
  return chosen === null ? null : (names[chosen] ?? null);
}

function causesOf({ chosen, copies }: Verdict, names: readonly string[]): Record<string, readonly string[]> {
  if (chosen !== null) return {};
  return Object.fromEntries(copies.map((copy, place) => [names[place] ?? String(place), causeClauses(copy)]));
}

function copyAnswer({ state, events, digest, causes, faults, missing }: CopyVerdict): CopyWindowAnswer {
  return { state, events, digest, causes, faults, missing };
}
