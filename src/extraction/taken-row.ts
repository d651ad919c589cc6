// Rows of one subject, each taken from one copy.

import { type LifeTableName, lives } from "../../schema/life.ts";
import { concludedRows } from "./concluded-rows.ts";
import { type Row, rowsOf } from "./copy.ts";
import { msOf, rowIdOf, type SubjectVersion } from "./subject-version.ts";

/** A row as it shall be written, and where it is from. */
export interface TakenRow {
  readonly values: Row;
  readonly copy: number;
  /** Its own id in that copy; null: its table has none, or it was made here. */
  readonly rowId: number | null;
}

/** By table; of a table that is not there, none. */
export type TakenRows = Readonly<Partial<Record<LifeTableName, readonly TakenRow[]>>>;

/** UTC seconds; the copy whose rows are taken from `from` until before `until`. Segments follow on one another. */
export interface Segment {
  readonly version: SubjectVersion;
  readonly from: number;
  readonly until: number;
  /** No copy is whole there: what this one says is taken, also what it only concluded. */
  readonly isGap: boolean;
}

/** Each row from the copy whose segment its time lies in, if that copy saw what it says. */
export function takenInTurn(segments: readonly Segment[], table: LifeTableName): TakenRow[] {
  return segments.flatMap((segment) => takenWithin(segment, table));
}

/** In the order of their writing. */
export function takenWithin(segment: Segment, table: LifeTableName): TakenRow[] {
  const { version, isGap } = segment;
  const time = lives[table].from ?? "";
  const concluded = concludedRows(version.subject);
  return rowsOf(version.subject, table)
    .filter((row) => isWithin(segment, msOf(row[time])) && (isGap || !concluded.has(row)))
    .map((values) => takenRow(version, table, values))
    .sort((one, other) => (one.rowId ?? 0) - (other.rowId ?? 0));
}

/** Whether an instant is in the segment; null: there is none. */
export function isWithin({ from, until }: Pick<Segment, "from" | "until">, ms: number | null): boolean {
  return ms !== null && ms >= from * 1000 && ms < until * 1000;
}

/** Only where the copies number at all. */
export function renumbered(rows: readonly TakenRow[], column: string | null): TakenRow[] {
  return rows.map((row, index) =>
    column === null || row.values[column] === null ? row : { ...row, values: { ...row.values, [column]: index + 1 } },
  );
}

export function takenRow({ copy }: SubjectVersion, table: LifeTableName, values: Row): TakenRow {
  return { values, copy, rowId: rowIdOf(table, values) };
}

/** All of a version, as it stands. */
export function takeWhole(version: SubjectVersion, tables: readonly LifeTableName[]): TakenRows {
  return Object.fromEntries(
    tables.map((table) => [table, rowsOf(version.subject, table).map((row) => takenRow(version, table, row))]),
  );
}
