// Stays of a joined login session at its DNs and in their queues. One DN may join a queue, leave it and join it again, so the
// copies' rows are matched by when they lived: in its segment a copy knows which stays went on, began and ended.

import { lives } from "../../schema/life.ts";
import { isConcludedAt } from "./concluded-rows.ts";
import { type Row, rowsOf } from "./copy.ts";
import { placeOf } from "./session-reasons.ts";
import { msOf } from "./subject-version.ts";
import { isWithin, type Segment, type TakenRow, takenRow } from "./taken-row.ts";

const table = "GX_SESSION_ENDPOINT";

/** As far as the segments before tell. */
interface Stay {
  readonly beginning: TakenRow;
  readonly latest: TakenRow;
}

/** `history`: joined. Null: what one copy says does not go on as another says. */
export function joinEndpoints(
  segments: readonly Segment[],
  history: readonly TakenRow[],
  isOver: boolean,
): TakenRow[] | null {
  const over: TakenRow[] = [];
  let open = new Map<string, Stay>();
  for (const [at, segment] of segments.entries()) {
    const isUnheard = at === 0 || segment.isGap || segments[at - 1]?.isGap === true;
    const here = Map.groupBy(rowsIn(segment), ({ values }) => placeOf(values));
    const next = new Map<string, Stay>();
    for (const place of new Set([...open.keys(), ...here.keys()])) {
      let stay = open.get(place);
      const rows = here.get(place) ?? [];
      if (stay !== undefined && (rows[0] === undefined || begins(segment, rows[0]))) {
        // It ended before this segment, or this copy knows nothing of it.
        if (!isUnheard) return null;
        if (rows[0] === undefined && segment.isGap) {
          next.set(place, stay);
          continue;
        }
        over.push(endedUnheard(segments, stay));
        stay = undefined;
      }
      for (const row of rows) {
        if (stay === undefined && !begins(segment, row) && !isUnheard) return null;
        stay = { beginning: stay?.beginning ?? begunUnheard(segments, at, history, row), latest: row };
        if (!ends(segment, row)) continue;
        over.push(joined(stay, true));
        stay = undefined;
      }
      if (stay !== undefined) next.set(place, stay);
    }
    open = next;
  }
  return [...over, ...[...open.values()].map((stay) => joined(stay, isOver))].toSorted(byBeginning);
}

/** Those that live in the segment, as its copy says, in the order of their beginnings. */
function rowsIn(segment: Segment): TakenRow[] {
  const { version, from, until } = segment;
  return rowsOf(version.subject, table)
    .filter((row) => {
      const [created, terminated] = [msOf(row["CREATED"]) ?? 0, msOf(row["TERMINATED"])];
      return created < until * 1000 && (terminated === null || terminated >= from * 1000);
    })
    .map((row) => takenRow(version, table, row))
    .toSorted(byBeginning);
}

/** As the copy of a segment saw it; where it is whole, it has concluded nothing that it may say. */
function ends({ version: { subject }, ...segment }: Segment, { values }: TakenRow): boolean {
  const isSeen = segment.isGap || !isConcludedAt(subject, values, "TERMINATED");
  return isSeen && isWithin(segment, msOf(values["TERMINATED"]));
}

function begins(segment: Segment, { values }: TakenRow): boolean {
  return isWithin(segment, msOf(values["CREATED"]));
}

function byBeginning(one: TakenRow, other: TakenRow): number {
  return (
    (msOf(one.values["CREATED"]) ?? 0) - (msOf(other.values["CREATED"]) ?? 0) || (one.rowId ?? 0) - (other.rowId ?? 0)
  );
}

/**
 * A copy that found a stay in a snapshot may take it for as old as the session. Where another one had listened by then, it
 * began later: with the first state that it has there.
 */
function begunUnheard(segments: readonly Segment[], at: number, history: readonly TakenRow[], row: TakenRow): TakenRow {
  const heard = segments.slice(0, at).findLast(({ isGap }) => !isGap);
  const created = msOf(row.values["CREATED"]) ?? 0;
  if (heard === undefined || created >= heard.until * 1000) return row;
  const first = history.find(
    ({ values }) => placeOf(values) === placeOf(row.values) && (msOf(values["ADDED"]) ?? 0) >= heard.until * 1000,
  );
  if (first === undefined) return row;
  const { ADDED, ADDED_TS, ADDED_TCODE } = first.values;
  const times = { CREATED: ADDED, CREATED_TS: ADDED_TS, CREATED_TCODE: ADDED_TCODE };
  return { ...row, values: { ...row.values, ...times } };
}

/** Begun as its first copy says; what the last one never learned, for it was told before, is the first one's too. */
function joined({ beginning, latest }: Stay, isOver: boolean): TakenRow {
  const { from } = lives[table];
  const values: Record<string, unknown> = { ...latest.values };
  for (const [column, value] of Object.entries(beginning.values)) {
    if (column.startsWith(from ?? "") || (values[column] === null && !column.startsWith("TERMINATED")))
      values[column] = value;
  }
  return { ...latest, values: isOver ? values : { ...values, ...noEnd } };
}

const noEnd: Row = { TERMINATED: null, TERMINATED_TS: null, TERMINATED_TCODE: null };

/** Of a stay that ended while nobody listened: as the last copy that knew it concluded, or another one. */
function endedUnheard(segments: readonly Segment[], stay: Stay): TakenRow {
  if (stay.latest.values["TERMINATED"] != null) return joined(stay, true);
  const since = msOf(stay.latest.values["CREATED"]) ?? 0;
  for (const { version } of segments) {
    const row = rowsOf(version.subject, table).find(
      (each) => placeOf(each) === placeOf(stay.latest.values) && (msOf(each["TERMINATED"]) ?? -1) >= since,
    );
    if (row !== undefined) return joined({ ...stay, latest: takenRow(version, table, row) }, true);
  }
  return joined(stay, false);
}
