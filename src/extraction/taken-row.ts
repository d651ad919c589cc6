// Rows of one call, each taken from one copy.

import { type CallTableName, callTables } from "../../schema/life.ts";
import { type CallVersion, concludedRows, msOf, type Row, rowIdOf } from "./call-version.ts";

/** A row as it shall be written, and where it is from. */
export interface TakenRow {
  readonly values: Row;
  readonly copy: number;
  /** Its own id in that copy; null: its table has none. */
  readonly rowId: number | null;
}

export type TakenRows = Readonly<Record<CallTableName, readonly TakenRow[]>>;

/** UTC seconds; the copy whose rows are taken from `from` until before `until`. Segments follow on one another. */
export interface Segment {
  readonly version: CallVersion;
  readonly from: number;
  readonly until: number;
}

/** Each row from the copy whose segment its time lies in, if that copy saw what it says. */
export function takenInTurn(segments: readonly Segment[], table: CallTableName): TakenRow[] {
  return segments.flatMap((segment) => seenWithin(segment, table));
}

function seenWithin({ version, from, until }: Segment, table: CallTableName): TakenRow[] {
  const time = callTables[table].from ?? "";
  const concluded = concludedRows(version.call);
  return version.call.rows[table]
    .filter((row) => {
      const ms = msOf(row[time]);
      return ms !== null && ms >= from * 1000 && ms < until * 1000 && !concluded.has(row);
    })
    .map((values) => takenRow(version, table, values))
    .sort((one, other) => (one.rowId ?? 0) - (other.rowId ?? 0));
}

/** Only where the copies number at all. */
export function renumbered(rows: readonly TakenRow[], column: string | null): TakenRow[] {
  return rows.map((row, index) =>
    column === null || row.values[column] === null ? row : { ...row, values: { ...row.values, [column]: index + 1 } },
  );
}

export function takenRow({ copy }: CallVersion, table: CallTableName, values: Row): TakenRow {
  return { values, copy, rowId: rowIdOf(table, values) };
}
