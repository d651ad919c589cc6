// From when until when copies can tell anything of each source: what is judged when nobody says a time.

import { sealDelayMs } from "../event/ledger-word.ts";
import type { SourceKey } from "./availability.ts";
import { allTime, type Copy, type Stretch } from "./copy.ts";
import { purgedUntilMs } from "./purge.ts";

export interface SourceExtent {
  readonly source: SourceKey;
  readonly names: readonly string[];
  readonly windowSeconds: number;
  /** Whole windows, UTC seconds: from the first after any copy's first word and what it purged, to the last that any can judge. */
  readonly known: Stretch;
}

/** By cluster and switch; a source that nobody has heard a word of is left out. Throws CopyError. */
export async function sourceExtents(copies: readonly Copy[]): Promise<SourceExtent[]> {
  const known = new Map<
    string,
    { source: SourceKey; names: Set<string>; windowSeconds: number; from: number; until: number }
  >();
  for (const copy of copies) {
    // Of all that time no windows are asked for; spans are few.
    const { spans, marks, identity } = await copy.ledger({ stretch: allTime, changedAfter: Number.MAX_SAFE_INTEGER });
    const purgedUntil = (purgedUntilMs(marks) ?? Number.NEGATIVE_INFINITY) / 1000;
    for (const { SOURCE, SOURCE_CLUSTER: cluster, SWITCH_DBID: switchDbid, FROM_TIME, UNTIL_TIME } of spans) {
      if (FROM_TIME === null || UNTIL_TIME === null) continue;
      const until = Date.parse(UNTIL_TIME) / 1000;
      // Of what it has purged it can tell nothing.
      const from = Math.max(Date.parse(FROM_TIME) / 1000, purgedUntil);
      const key = `${cluster}/${switchDbid}`;
      const before = known.get(key);
      const { windowSeconds } = identity;
      known.set(key, {
        source: { cluster, switchDbid },
        names: (before?.names ?? new Set()).add(SOURCE),
        windowSeconds,
        from: Math.min(before?.from ?? from, from),
        until: Math.max(before?.until ?? until, until),
      });
    }
  }
  return [...known.values()]
    .toSorted(
      (one, other) => one.source.cluster - other.source.cluster || one.source.switchDbid - other.source.switchDbid,
    )
    .map(({ source, names, windowSeconds, from, until }) => {
      // At the very instant of a first word something may have been missed.
      const first = Math.floor(from / windowSeconds) + 1;
      const end = Math.max(first, Math.floor((until - sealDelayMs / 1000) / windowSeconds));
      const extent = { from: first * windowSeconds, until: end * windowSeconds };
      return { source, names: [...names].toSorted(), windowSeconds, known: extent };
    });
}
