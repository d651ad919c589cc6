// Which windows of several copies hold the same events, told by their counts and digests alone. Pure.
//
// 1. Windows are compared between the copies that vouch for them: a copy that may have missed something differs from the
//    others for that reason, and this is no finding. It is said which windows were not compared, and why.
// 2. A copy that does not vouch for a window and has the very same events there is equal all the same.
// 3. A window without a row has no events, in a copy that vouches for it.

import type { Selected } from "../../schema/tables.ts";
import type { WindowFault } from "../event/ledger-word.ts";
import type { SourceKey } from "./availability.ts";
import type { Stretch } from "./copy.ts";
import { readFaults } from "./window-row.ts";

/** Whether a copy has every event of a window of a source; "absent": it does not record that source there. */
export type Standing = "whole" | "incomplete" | "unknown" | "absent";

/** Windows in a row that stand alike in every copy. One in which any copy has events stands alone. */
export interface StandingStretch extends Stretch {
  /** Of each copy, in the order of the list of copies. */
  readonly standings: readonly Standing[];
}

export interface WindowsInQuestion {
  readonly windowSeconds: number;
  readonly sources: readonly { readonly source: SourceKey; readonly stretches: readonly StandingStretch[] }[];
  /** Of each copy: its windows of these stretches. */
  readonly windows: readonly (readonly Selected<"ICON_WINDOW">[])[];
}

export interface DifferentWindow extends SourceKey {
  readonly windowTs: number;
  /** Of each copy that was compared. */
  readonly said: readonly {
    readonly copy: number;
    /** Null, like the digest: no events. */
    readonly run: string | null;
    readonly events: number;
    readonly digest: string | null;
  }[];
}

export interface NotCompared extends SourceKey, Stretch {
  /** Each copy that could not be held against the others, and why. */
  readonly because: readonly {
    readonly copy: number;
    readonly reason: Exclude<Standing, "whole"> | "no digest" | "own clock";
  }[];
  readonly windows: number;
}

export interface WindowComparison {
  /** Held against one another between two copies at least. */
  readonly compared: number;
  readonly different: readonly DifferentWindow[];
  /** Adjacent windows with the same reasons are one. A window of three copies may be here and be compared, too. */
  readonly notCompared: readonly NotCompared[];
  /** Compared windows in which calls may differ although events do not: some copy's rows there are in doubt. */
  readonly doubtful: readonly (SourceKey & Stretch)[];
}

type Window = Selected<"ICON_WINDOW">;

// After these the rows of a copy were not made from events alone.
const doubtWords: ReadonlySet<string> = new Set<WindowFault>([
  "reconciled by snapshot",
  "projection failed",
  "snapshot damaged",
]);

export function compareWindows({ windowSeconds, sources, windows }: WindowsInQuestion): WindowComparison {
  const byPlace = windows.map((each) => Map.groupBy(each, placeOf));
  const doubts = windows.flatMap((each) => each.filter(isDoubtful));
  const different: DifferentWindow[] = [];
  const notCompared: NotCompared[] = [];
  const doubtful: (SourceKey & Stretch)[] = [];
  let compared = 0;
  for (const { source, stretches } of sources) {
    for (const { from, until, standings } of stretches) {
      const count = (until - from) / windowSeconds;
      const copies = byPlace.map((placed, copy): Said => {
        // Without events all windows of a stretch are alike.
        const rows = placed.get(`${source.cluster} ${source.switchDbid} ${from}`) ?? [];
        return { copy, rows, said: saidIn(rows), standing: standings[copy] ?? "absent" };
      });
      const held = holdable(copies);
      if (held.length > 1) compared += count;
      if (new Set(held.map(({ said }) => said)).size > 1) {
        different.push({ ...source, windowTs: from, said: held.flatMap(tellingRows) });
      }
      const because = copies
        .filter((each) => !held.includes(each))
        .map(({ copy, rows, standing }) => ({
          copy,
          reason: standing === "whole" ? whyNothingIsSaid(rows) : standing,
        }));
      if (because.length > 0) note(notCompared, { ...source, from, until, because, windows: count });
      if (held.length < 2) continue;
      const places = new Set(
        doubts
          .filter((row) => isOf(row, source) && row.WINDOW_TS >= from && row.WINDOW_TS < until)
          .map(({ WINDOW_TS }) => WINDOW_TS),
      );
      for (const at of places) doubtful.push({ ...source, from: at, until: at + windowSeconds });
    }
  }
  return { compared, different, notCompared, doubtful };
}

interface Said {
  readonly copy: number;
  readonly rows: readonly Window[];
  /** The same text for the same events; null: it cannot be told. */
  readonly said: string | null;
  readonly standing: Standing;
}

/** What can be held against one another: the copies that vouch for the window, and those that have the same events. */
function holdable(copies: readonly Said[]): readonly Said[] {
  const told = copies.filter(({ said }) => said !== null);
  const vouching = told.filter(({ standing }) => standing === "whole");
  const reference = vouching[0] ?? told.find(({ said }) => said !== "");
  if (reference === undefined || reference.said === "") return vouching;
  const same = told.filter(({ said }) => said === reference.said);
  return vouching.length === 0 && same.length === 1
    ? []
    : told.filter((each) => vouching.includes(each) || same.includes(each));
}

function saidIn(rows: readonly Window[]): string | null {
  const telling = rows.filter(({ EVENTS }) => EVENTS > 0);
  if (telling.some((row) => row.DIGEST === null || isTimedHere(row))) return null;
  return telling
    .map(({ RUN, EVENTS, DIGEST }) => `${RUN} ${EVENTS} ${DIGEST}`)
    .sort()
    .join("\n");
}

/** Of a copy that vouches for the window. */
function whyNothingIsSaid(rows: readonly Window[]): "no digest" | "own clock" {
  return rows.some(isTimedHere) ? "own clock" : "no digest";
}

/** The source tells no times: its events lie in windows by the clock of this copy's host. */
function isTimedHere(row: Window): boolean {
  return readFaults(row).includes("source clock unknown" satisfies WindowFault);
}

function tellingRows({ copy, rows }: Said): DifferentWindow["said"] {
  const telling = rows.filter(({ EVENTS }) => EVENTS > 0);
  if (telling.length === 0) return [{ copy, run: null, events: 0, digest: null }];
  return telling.map(({ RUN, EVENTS, DIGEST }) => ({ copy, run: RUN, events: EVENTS, digest: DIGEST }));
}

function isOf({ SOURCE_CLUSTER, SWITCH_DBID }: Window, { cluster, switchDbid }: SourceKey): boolean {
  return SOURCE_CLUSTER === cluster && SWITCH_DBID === switchDbid;
}

function isDoubtful(row: Window): boolean {
  return readFaults(row).some((fault) => doubtWords.has(fault));
}

/** Goes on with the last entry where it can, so that an outage is one line. */
function note(entries: NotCompared[], next: NotCompared): void {
  const last = entries.at(-1);
  const goesOn =
    last !== undefined &&
    last.until === next.from &&
    last.cluster === next.cluster &&
    last.switchDbid === next.switchDbid &&
    JSON.stringify(last.because) === JSON.stringify(next.because);
  if (!goesOn) entries.push(next);
  else entries[entries.length - 1] = { ...last, until: next.until, windows: last.windows + next.windows };
}

/** Of a window; as above, where it is asked for. */
function placeOf({ SOURCE_CLUSTER, SWITCH_DBID, WINDOW_TS }: Window): string {
  return `${SOURCE_CLUSTER} ${SWITCH_DBID} ${WINDOW_TS}`;
}
