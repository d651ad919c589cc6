// One call or login session as several copies have it: equal, different, or not to be compared. Pure.
//
// Copies can be held against one another for it only where they vouch for the whole of its life: who was away for
// part of it has other rows for that reason, and the extraction sees to that. One that goes on everywhere is compared
// when it has ended: until then whoever has heard the last event says more. An ending is written only when late events
// need no longer be waited for, with the time at which it ended: a copy in which it goes on counts as having
// missed the end only when it has heard of the source for longer after it than that may take.

import type { SourceKey } from "./availability.ts";
import { ownRows, type Stretch, type Subject } from "./copy.ts";
import { type RowDifference, rowDifferences } from "./subject-difference.ts";
import type { SubjectSet } from "./subject-merge.ts";
import type { Standing } from "./window-comparison.ts";

/** Copies are named by their place in the list of copies, from 0. */
export interface SubjectDifference {
  readonly key: string;
  /** The two that were held against one another. */
  readonly between: readonly [number, number];
  /** Where the second one has none of that key: null. */
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

export type SubjectVerdict =
  | { readonly kind: "equal" }
  | { readonly kind: "different"; readonly differences: readonly SubjectDifference[] }
  | { readonly kind: "not compared"; readonly reason: NotComparedReason };

/** Standing of a copy over all windows that a stretch touches: the worst of them. */
export type StandingOver = (copy: number, source: SourceKey, stretch: Stretch) => Standing;

/** Beyond the longest call-deletion-timeout, by a minute for what is read of one copy later than of another. */
export const endingSecondsMax = 3600 + 60;

export function compareSubject({ key, found }: SubjectSet, standingOver: StandingOver): SubjectVerdict {
  const present = found.filter((each) => each !== undefined);
  if (present.some(({ isKeyLocal }) => isKeyLocal)) return notCompared("key is local");
  const source = sourceOf(present);
  if (source === null) return notCompared("its source is not known");
  const life = lifeOf(present);
  if (life.until === null) return notCompared("it goes on");
  const stretch = { from: life.from, until: life.until };
  const vouching = found.flatMap((subject, copy) =>
    standingOver(copy, source, stretch) === "whole" ? [{ copy, subject }] : [],
  );
  const reference = vouching.find(({ subject }) => subject !== undefined);
  if (reference?.subject === undefined || vouching.length < 2) {
    return notCompared("fewer than two copies have all of its life");
  }
  const { copy: first, subject: firstSubject } = reference;
  if (life.isEndingDisputed) {
    const late = { from: life.until + endingSecondsMax, until: life.until + endingSecondsMax + 1 };
    const mayStillWrite = ({ copy, subject }: (typeof vouching)[number]) =>
      subject !== undefined && goesOn(subject) && standingOver(copy, source, late) === "unknown";
    if (vouching.some(mayStillWrite)) return notCompared("its ending may still be written");
  }
  const doubts = found.flatMap((subject, copy) =>
    [...new Set(subject?.quality.map(({ REASON }) => REASON) ?? [])].map((reason) => ({ copy, reason })),
  );
  const differences = vouching.flatMap(({ copy, subject }): SubjectDifference[] => {
    if (copy === first) return [];
    const rows = subject === undefined ? null : rowDifferences(firstSubject, subject);
    return rows?.length === 0 ? [] : [{ key, between: [first, copy], rows, doubts }];
  });
  return differences.length === 0 ? { kind: "equal" } : { kind: "different", differences };
}

export interface SubjectLife {
  readonly from: number;
  /** Null: all say that it goes on. */
  readonly until: number | null;
  /** Some say that it has ended, and some that it goes on. */
  readonly isEndingDisputed: boolean;
}

/** UTC seconds that a subject touches, as all that know of it say together. */
export function lifeOf(subjects: readonly Subject[]): SubjectLife {
  const times = subjects.flatMap(ownRows).map((row) => ({
    created: Date.parse(String(row["CREATED"])),
    terminated: row["TERMINATED"] == null ? null : Date.parse(String(row["TERMINATED"])),
  }));
  const from = Math.floor(Math.min(...times.map(({ created }) => created)) / 1000);
  const ends = times.map(({ terminated }) => terminated).filter((each) => each !== null);
  // Where one says that it has ended, whoever vouches for that time must say so too.
  const until = ends.length === 0 ? null : Math.floor(Math.max(...ends) / 1000) + 1;
  return { from, until, isEndingDisputed: until !== null && subjects.some(goesOn) };
}

function goesOn(subject: Subject): boolean {
  return ownRows(subject).some((row) => row["TERMINATED"] == null);
}

function sourceOf(subjects: readonly Subject[]): SourceKey | null {
  for (const { sourceCluster, switchDbid } of subjects) {
    if (sourceCluster !== null && switchDbid !== null) return { cluster: sourceCluster, switchDbid };
  }
  return null;
}

function notCompared(reason: NotComparedReason): SubjectVerdict {
  return { kind: "not compared", reason };
}
