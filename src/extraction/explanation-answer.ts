// An explanation as plain values that JSON can hold, for the read API, and in the words that a terminal would show.

import { causeClauses } from "./cause-words.ts";
import type { Stretch } from "./copy.ts";
import type { MissingRange } from "./coverage.ts";
import type { CopyExplanation, Explanation, Link } from "./explain.ts";
import { explanationLines } from "./explanation-text.ts";
import type { Agreement, WindowState } from "./verdict.ts";

export interface ExplanationAnswer {
  readonly cluster: number;
  readonly switchDbid: number;
  readonly names: readonly string[];
  /** UTC seconds by the source's clock. */
  readonly window: Stretch;
  readonly state: WindowState;
  readonly agreement: Agreement;
  /** Name of the copy to take; null: none has it whole. */
  readonly chosen: string | null;
  readonly copies: readonly CopyExplanationAnswer[];
  /** All of it in plain words, line by line. */
  readonly words: readonly string[];
}

export interface CopyExplanationAnswer {
  readonly name: string;
  readonly state: WindowState;
  readonly events: number;
  readonly digest: string | null;
  readonly isProven: boolean;
  /** Words of the ledger, and the same in plain ones. */
  readonly causes: readonly string[];
  readonly because: readonly string[];
  readonly missing: readonly MissingRange[];
  /** Neighbouring windows in which it stands alike; UTC seconds. */
  readonly stretch: Stretch;
  /** What happened there, by time; milliseconds. */
  readonly chain: readonly LinkAnswer[];
}

export type LinkAnswer =
  | Exclude<Link, { readonly doubt: unknown }>
  | {
      readonly kind: Link["kind"];
      readonly atMs: number;
      readonly clock: Link["clock"];
      readonly word: string;
      readonly missing: MissingRange | null;
    };

/** `names` are the copies', in order. */
export function explanationAnswer(explanation: Explanation, names: readonly string[]): ExplanationAnswer {
  const { source, window, verdict, copies } = explanation;
  return {
    ...source,
    names: explanation.names,
    window,
    state: verdict.state,
    agreement: verdict.agreement,
    chosen: verdict.chosen === null ? null : (names[verdict.chosen] ?? null),
    copies: copies.map((copy, place) => copyAnswer(copy, names[place] ?? String(place))),
    words: explanationLines(explanation, names),
  };
}

function copyAnswer({ verdict, stretch, chain }: CopyExplanation, name: string): CopyExplanationAnswer {
  const { state, events, digest, isProven, causes, missing } = verdict;
  const said = { name, state, events, digest, isProven, causes, because: causeClauses(verdict), missing };
  return { ...said, stretch, chain: chain.map(linkAnswer) };
}

function linkAnswer(link: Link): LinkAnswer {
  if (!("doubt" in link)) return link;
  const { kind, atMs, clock, doubt } = link;
  return { kind, atMs, clock, word: doubt.word, missing: doubt.missing };
}
