// Where a copy says otherwise than before what it has of a source, although no row of a window says so: a link turned out
// to have been lost long ago, or the source's clock to have been set back, and a span ends earlier than it had seemed to go.

import type { SourceKey } from "./availability.ts";
import type { Ledger, Stretch } from "./copy.ts";

/**
 * From the end of each span that ended after `version` to the beginning of the one that followed, whole UTC seconds;
 * `until` is Infinity where none did. `spans` as a ledger has them.
 */
export function changedSpans(spans: Ledger["spans"], version: number): readonly (SourceKey & Stretch)[] {
  const bySource = Map.groupBy(
    spans.toSorted((one, other) => one.ID - other.ID),
    ({ SOURCE_CLUSTER, SWITCH_DBID }) => `${SOURCE_CLUSTER}/${SWITCH_DBID}`,
  );
  return [...bySource.values()].flatMap((own) =>
    own.flatMap((span, index) => {
      if (span.ENDED_BECAUSE === null || span.VERSION <= version || span.UNTIL_TIME === null) return [];
      const next = own[index + 1]?.FROM_TIME ?? null;
      return [
        {
          ...{ cluster: span.SOURCE_CLUSTER, switchDbid: span.SWITCH_DBID },
          from: Math.floor(Date.parse(span.UNTIL_TIME) / 1000),
          until: next === null ? Number.POSITIVE_INFINITY : Math.floor(Date.parse(next) / 1000) + 1,
        },
      ];
    }),
  );
}
