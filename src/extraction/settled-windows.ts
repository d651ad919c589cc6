// What is said of the windows of a stretch, as the book keeps it: neighbours of which the same is said are one entry.

import type { StoredWindows } from "../idb/extract-windows.ts";
import type { JudgedStretch, SourceKey } from "./availability.ts";
import type { Stretch } from "./copy.ts";
import { type Judgement, keyOf } from "./judgement.ts";
import { isWhole } from "./verdict.ts";

// A day of them is judged at once.
const chunkSeconds = 86_400;

export interface Settled {
  readonly windows: readonly StoredWindows[];
  /** By cluster/switch, UTC seconds: no window of the source before it is still to be judged. */
  readonly until: ReadonlyMap<string, number>;
}

/** Of every source, whole windows that the stretch touches. Throws CopyError, LedgersDifferError. */
export async function settledWindows(judgement: Judgement, stretch: Stretch): Promise<Settled> {
  const spoken = judgement.spoken(stretch);
  const bySource = new Map<string, StoredWindows[]>();
  const settledUntil = new Map<string, number>();
  if (spoken.from >= spoken.until) {
    for (const source of judgement.heard()) bySource.set(keyOf(source), begin(judgement, source, stretch));
  }
  for (let from = spoken.from; from < spoken.until; ) {
    const until = Math.min(spoken.until, (Math.floor(from / chunkSeconds) + 1) * chunkSeconds);
    await judgement.cover(from, until - 1);
    for (const source of judgement.sources({ from, until })) {
      const own = bySource.get(keyOf(source)) ?? begin(judgement, source, { from: stretch.from, until: from });
      bySource.set(keyOf(source), own);
      for (const each of judgement.stretches(source, from, until - 1)) {
        const said = { ...source, ...saidOf(judgement, each), from: each.from, until: each.until };
        append(own, said);
        if (said.state === "unknown" && !settledUntil.has(keyOf(source))) settledUntil.set(keyOf(source), each.from);
      }
    }
    from = until;
  }
  for (const key of bySource.keys()) if (!settledUntil.has(key)) settledUntil.set(key, stretch.until);
  return { windows: [...bySource.values()].flat(), until: settledUntil };
}

/** Of one source. */
export async function windowsOf(
  judgement: Judgement,
  source: SourceKey,
  stretch: Stretch,
): Promise<readonly StoredWindows[]> {
  const { from, until } = judgement.spoken(stretch);
  const windows = begin(judgement, source, { from: stretch.from, until: from });
  if (from >= until) return windows;
  await judgement.cover(from, until - 1);
  for (const each of judgement.stretches(source, from, until - 1)) {
    append(windows, { ...source, ...saidOf(judgement, each), from: each.from, until: each.until });
  }
  return windows;
}

/** What comes before anybody's first word. */
function begin(judgement: Judgement, source: SourceKey, { from, until }: Stretch): StoredWindows[] {
  if (from >= until) return [];
  const state = judgement.isAnyAway ? "unknown" : "incomplete";
  return [{ ...source, from, until, state, agreement: "none", isProven: false, causes: ["never listened"] }];
}

function append(windows: StoredWindows[], each: StoredWindows): void {
  const last = windows.at(-1);
  if (last !== undefined && last.until === each.from && isSame(last, each)) {
    windows[windows.length - 1] = { ...last, until: each.until };
  } else {
    windows.push(each);
  }
}

function saidOf(
  judgement: Judgement,
  stretch: JudgedStretch,
): Pick<StoredWindows, "state" | "agreement" | "isProven" | "causes"> {
  const { agreement, copies } = stretch.verdict;
  const state = judgement.stateOf(stretch);
  const isSettled = state === "complete" || state === "silent";
  return {
    ...{ state, agreement },
    isProven: isSettled && copies.some((copy) => isWhole(copy) && copy.isProven),
    causes: isSettled ? [] : [...new Set(copies.flatMap(({ causes }) => causes))],
  };
}

function isSame(one: StoredWindows, other: StoredWindows): boolean {
  return (
    one.state === other.state &&
    one.agreement === other.agreement &&
    one.isProven === other.isProven &&
    one.causes.join("\n") === other.causes.join("\n")
  );
}
