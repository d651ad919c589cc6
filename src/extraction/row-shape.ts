// Rows that come from outside of this process, held against the schema before anything is concluded from them.

import { type Column, getTableColumns } from "drizzle-orm";
import { type Selected, type TableName, tables } from "../../schema/tables.ts";

/** Tables whose values JSON can hold. */
export type PlainTable = Exclude<TableName, "ICON_UNDECODED">;

const shapes = new Map<TableName, readonly Column[]>();

/**
 * The row with the columns of `table` and no others; a column that is not there is null, for an earlier version of the
 * program did not know it. Throws Error with what is wrong, without a value.
 */
export function rowOf<T extends PlainTable>(table: T, value: unknown): Selected<T> {
  return rowWith(columnsOf(table), table, value) as Selected<T>;
}

/** As rowOf, of a row that was joined from two tables; of the second one it may have nothing. */
export function joinedRowOf<T extends PlainTable, U extends PlainTable>(
  table: T,
  other: U,
  value: unknown,
): Selected<T> & Partial<Selected<U>> {
  const row = rowOf(table, value);
  const own = new Set(Object.keys(row));
  const rest = columnsOf(other).filter(({ name }) => !own.has(name));
  const hasOther = rest.some(({ name }) => Object.hasOwn(value as object, name));
  return (hasOther ? { ...rowWith(rest, other, value), ...row } : row) as Selected<T> & Partial<Selected<U>>;
}

function columnsOf(table: PlainTable): readonly Column[] {
  const known = shapes.get(table);
  if (known !== undefined) return known;
  const columns = Object.values(getTableColumns(tables[table])) as readonly Column[];
  shapes.set(table, columns);
  return columns;
}

function rowWith(columns: readonly Column[], table: string, value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`a row of ${table} is none`);
  const row: Record<string, unknown> = {};
  for (const column of columns) {
    const each = (value as Record<string, unknown>)[column.name] ?? null;
    const isRight =
      each === null
        ? !column.notNull
        : column.dataType === "string"
          ? typeof each === "string"
          : typeof each === "number" && Number.isFinite(each);
    if (!isRight) throw new Error(`a row of ${table} has no right ${column.name}`);
    row[column.name] = each;
  }
  return row;
}
