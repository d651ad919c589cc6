// What two copies say differently of one call or login session: rows that only one has, and columns in which rows of the same
// key differ. Only names of tables, keys and columns are told, never what stands in them: that is a caller's or an agent's.
//
// Columns that are local to one IDB, or that another source's rows join in, are no part of it (schema/life.ts).

import { comparedColumns, families, type LifeTableName, lives } from "../../schema/life.ts";
import { ownRows, type Row, rowsOf, type Subject } from "./copy.ts";

export type RowDifference =
  /** Rows of one key that differ in these columns. */
  | {
      readonly kind: "columns";
      readonly table: LifeTableName;
      readonly key: string;
      readonly columns: readonly string[];
    }
  /** A row that one of the two has and the other has not. */
  | { readonly kind: "row"; readonly table: LifeTableName; readonly key: string; readonly onlyIn: "one" | "other" };

interface Shape {
  readonly key: readonly string[];
  readonly others: readonly string[];
}

const shapes = Object.fromEntries(
  Object.values(families)
    .flatMap(({ tables }): readonly LifeTableName[] => tables)
    .map((table): [string, Shape] => {
      const { key } = lives[table];
      return [table, { key, others: comparedColumns(table).filter((column) => !key.includes(column)) }];
    }),
) as Readonly<Record<LifeTableName, Shape>>;

/** Of the same subject; empty: they say the same. In the order of the tables, then of the first one's rows. */
export function rowDifferences(one: Subject, other: Subject): RowDifference[] {
  return families[one.family].tables.flatMap((table) =>
    tableDifferences(table, rowsOf(one, table), rowsOf(other, table)),
  );
}

/**
 * Columns of G_CALL in which two calls differ that are one, under a key that one of the copies made up: everything that
 * tells of the call and names no row.
 */
export function factDifferences(one: Subject, other: Subject): readonly string[] {
  const [row, otherRow] = [ownRows(one)[0] ?? {}, ownRows(other)[0] ?? {}];
  return comparedColumns("G_CALL").filter(
    (column) => !/(?:CALLID|IRID)$/.test(column) && row[column] !== otherRow[column],
  );
}

/** How many rows a subject has in all tables. */
export function rowCount({ rows }: Subject): number {
  return Object.values(rows).reduce((sum, own) => sum + own.length, 0);
}

function tableDifferences(table: LifeTableName, one: readonly Row[], other: readonly Row[]): RowDifference[] {
  const shape = shapes[table];
  const [ones, others] = [byKey(shape, one), byKey(shape, other)];
  const differences: RowDifference[] = [];
  for (const key of new Set([...ones.keys(), ...others.keys()])) {
    const [left, right] = unlike(shape, ones.get(key) ?? [], others.get(key) ?? []);
    // What is left of several rows: in their order.
    for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
      const difference = rowDifference(table, key, left[index], right[index]);
      if (difference !== null) differences.push(difference);
    }
  }
  return differences;
}

/**
 * Without the rows of which the other has an equal one. A key names several rows where a source gave it out twice, or where
 * a part of it is null, as XSEQ is: that one of them is missing makes no difference of the others.
 */
function unlike({ others }: Shape, one: readonly Row[], other: readonly Row[]): readonly [Row[], Row[]] {
  const [left, right] = [[...one], [...other]];
  if (left.length < 2 && right.length < 2) return [left, right];
  for (const row of one) {
    const place = right.findIndex((each) => others.every((column) => each[column] === row[column]));
    if (place < 0) continue;
    right.splice(place, 1);
    left.splice(left.indexOf(row), 1);
  }
  return [left, right];
}

function rowDifference(
  table: LifeTableName,
  key: string,
  one: Row | undefined,
  other: Row | undefined,
): RowDifference | null {
  if (one === undefined || other === undefined) {
    return { kind: "row", table, key, onlyIn: one === undefined ? "other" : "one" };
  }
  const columns = shapes[table].others.filter((column) => one[column] !== other[column]);
  return columns.length === 0 ? null : { kind: "columns", table, key, columns };
}

function byKey({ key }: Shape, rows: readonly Row[]): Map<string, Row[]> {
  return Map.groupBy(rows, (row) => key.map((column) => String(row[column])).join(" "));
}
