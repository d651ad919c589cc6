// Whether copies vouch for stretches of a source's time, from their ledgers: what a comparison needs of availability.

import { judge, type SourceKey } from "./availability.ts";
import type { Copy, Ledger, Stretch } from "./copy.ts";
import type { Standing, StandingStretch } from "./window-comparison.ts";

/** What all copies' ledgers of one stretch say together. */
export interface Standings {
  readonly windowSeconds: number;
  /** Of all copies. Stretches of a source stand in order, without gaps. */
  readonly sources: readonly { readonly source: SourceKey; readonly stretches: readonly StandingStretch[] }[];
}

export type Judge = (ledgers: readonly Ledger[], stretch: Stretch) => Standings;

/** By availability, from ledgers of which no window outside the stretch was read. Throws LedgersDifferError. */
export const judgeByLedger: Judge = (ledgers, stretch) => {
  const { windowSeconds, sources } = judge(ledgers, stretch, stretch);
  return {
    windowSeconds,
    sources: sources.map(({ source, stretches }) => ({
      source,
      stretches: stretches.map(({ from, until, verdict }) => ({
        from,
        until,
        standings: verdict.copies.map(({ state, causes }) => {
          if (causes.includes("never listened")) return "absent";
          return state === "complete" || state === "silent" ? "whole" : state;
        }),
      })),
    })),
  };
};

/** One stretch of all copies, read and judged. */
export interface ReadStandings {
  readonly stretch: Stretch;
  readonly ledgers: readonly Ledger[];
  readonly judgement: Standings;
}

/** Throws CopyError. */
export async function judgeStretch(copies: readonly Copy[], judge: Judge, stretch: Stretch): Promise<ReadStandings> {
  const ledgers = await Promise.all(copies.map((copy) => copy.ledger({ stretch, changedAfter: null })));
  return { stretch, ledgers, judgement: judge(ledgers, stretch) };
}

/** Rows of a ledger, as a measure of what was read. */
export function ledgerRows({ windows, spans, sessions, marks }: Ledger): number {
  return windows.length + spans.length + sessions.length + marks.length;
}

const worstFirst: readonly Standing[] = ["absent", "incomplete", "unknown", "whole"];

/** The worst standing of a copy in all windows that a part of the judged stretch touches. */
export function worstOver({ sources }: Standings, copy: number, source: SourceKey, { from, until }: Stretch): Standing {
  const found = sources.find((each) => isSame(each.source, source));
  let worst: Standing = found === undefined ? "absent" : "whole";
  const stretches = found?.stretches ?? [];
  for (let place = placeAt(stretches, from); place < stretches.length; place += 1) {
    const stretch = stretches[place];
    if (stretch === undefined || stretch.from >= until) break;
    const here = stretch.standings[copy] ?? "absent";
    if (worstFirst.indexOf(here) < worstFirst.indexOf(worst)) worst = here;
  }
  return worst;
}

function isSame(one: SourceKey, other: SourceKey): boolean {
  return one.cluster === other.cluster && one.switchDbid === other.switchDbid;
}

/** The place of the first stretch that ends after this second. */
function placeAt(stretches: readonly StandingStretch[], seconds: number): number {
  let [low, high] = [0, stretches.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((stretches[middle]?.until ?? seconds) > seconds) high = middle;
    else low = middle + 1;
  }
  return low;
}
