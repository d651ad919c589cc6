// One call as several copies have it: equal, different, or not to be compared. Pure.
//
// Copies can be held against one another for a call only where they vouch for the whole of its life: who was away for
// part of it has other rows for that reason, and the extraction sees to that. A call that goes on everywhere is compared
// when it has ended: until then whoever has heard the last event says more. An ending is written only when late events
// need no longer be waited for, with the time at which the call ended: a copy in which the call goes on counts as having
// missed the end only when it has heard of the source for longer after it than that may take.

import type { SourceKey } from "./availability.ts";
import { callDifferences, type RowDifference } from "./call-difference.ts";
import type { CallSet } from "./call-merge.ts";
import type { Stretch, WholeCall } from "./copy.ts";
import type { Standing } from "./window-comparison.ts";

/** Copies are named by their place in the list of copies, from 0. */
export interface CallDifference {
  readonly callId: string;
  /** The two that were held against one another. */
  readonly between: readonly [number, number];
  /** Where the second one has no such call: null. */
  readonly rows: readonly RowDifference[] | null;
  /** Why some copy doubts rows of it (ICON_ROW_QUALITY), each reason once. */
  readonly doubts: readonly { readonly copy: number; readonly reason: string }[];
}

export type NotComparedReason =
  | "key is local"
  | "it goes on"
  | "its ending may still be written"
  | "its source is not known"
  | "fewer than two copies have all of its life";

export type CallVerdict =
  | { readonly kind: "equal" }
  | { readonly kind: "different"; readonly differences: readonly CallDifference[] }
  | { readonly kind: "not compared"; readonly reason: NotComparedReason };

/** Standing of a copy over all windows that a stretch touches: the worst of them. */
export type StandingOver = (copy: number, source: SourceKey, stretch: Stretch) => Standing;

/** Beyond the longest call-deletion-timeout, by a minute for what is read of one copy later than of another. */
export const endingSecondsMax = 3600 + 60;

export function compareCall({ callId, found }: CallSet, standingOver: StandingOver): CallVerdict {
  const present = found.filter((call) => call !== undefined);
  if (present.some(({ isKeyLocal }) => isKeyLocal)) return notCompared("key is local");
  const source = sourceOf(present);
  if (source === null) return notCompared("its source is not known");
  const life = lifeOf(present);
  if (life.until === null) return notCompared("it goes on");
  const stretch = { from: life.from, until: life.until };
  const vouching = found.flatMap((call, copy) =>
    standingOver(copy, source, stretch) === "whole" ? [{ copy, call }] : [],
  );
  const reference = vouching.find(({ call }) => call !== undefined);
  if (reference?.call === undefined || vouching.length < 2) {
    return notCompared("fewer than two copies have all of its life");
  }
  const { copy: first, call: firstCall } = reference;
  if (life.isEndingDisputed) {
    const late = { from: life.until + endingSecondsMax, until: life.until + endingSecondsMax + 1 };
    const mayStillWrite = ({ copy, call }: (typeof vouching)[number]) =>
      call !== undefined && goesOn(call) && standingOver(copy, source, late) === "unknown";
    if (vouching.some(mayStillWrite)) return notCompared("its ending may still be written");
  }
  const doubts = found.flatMap((call, copy) =>
    [...new Set(call?.quality.map(({ REASON }) => REASON) ?? [])].map((reason) => ({ copy, reason })),
  );
  const differences = vouching.flatMap(({ copy, call }): CallDifference[] => {
    if (copy === first) return [];
    const rows = call === undefined ? null : callDifferences(firstCall, call);
    return rows?.length === 0 ? [] : [{ callId, between: [first, copy], rows, doubts }];
  });
  return differences.length === 0 ? { kind: "equal" } : { kind: "different", differences };
}

export interface CallLife {
  readonly from: number;
  /** Null: all say that it goes on. */
  readonly until: number | null;
  /** Some say that it has ended, and some that it goes on. */
  readonly isEndingDisputed: boolean;
}

/** UTC seconds that a call touches, as all that know of it say together. */
export function lifeOf(calls: readonly WholeCall[]): CallLife {
  const rows = calls.flatMap(({ rows }) => rows.G_CALL);
  const times = rows.map(({ CREATED, TERMINATED }) => ({
    created: Date.parse(String(CREATED)),
    terminated: TERMINATED === null || TERMINATED === undefined ? null : Date.parse(String(TERMINATED)),
  }));
  const from = Math.floor(Math.min(...times.map(({ created }) => created)) / 1000);
  const ends = times.map(({ terminated }) => terminated).filter((each) => each !== null);
  // Where one says that it has ended, whoever vouches for that time must say so too.
  const until = ends.length === 0 ? null : Math.floor(Math.max(...ends) / 1000) + 1;
  return { from, until, isEndingDisputed: until !== null && calls.some(goesOn) };
}

function goesOn({ rows }: WholeCall): boolean {
  return rows.G_CALL.some(({ TERMINATED }) => TERMINATED === null || TERMINATED === undefined);
}

function sourceOf(calls: readonly WholeCall[]): SourceKey | null {
  for (const { sourceCluster, switchDbid } of calls) {
    if (sourceCluster !== null && switchDbid !== null) return { cluster: sourceCluster, switchDbid };
  }
  return null;
}

function notCompared(reason: NotComparedReason): CallVerdict {
  return { kind: "not compared", reason };
}
