// Where every table and column comes from (table-origins.ts), and which columns depend on a second source. This is the contract's fine
// print; ICON_SCHEMA_ORIGIN says the same inside each IDB.
//
// 1. A column is seen unless it is listed as inferred or added. `inferred`: the reference lists it, but from other texts
//    than its own page. `added`: the reference's page is cut off before it; name and type follow the sibling tables, and
//    where nothing tells what stood there, its note says that it is our choice: such a column is ours.
// 2. `joined`: the column's value comes from another data source than the row's own, so two IDBs may differ in it
//    without either being wrong, unless both know the same version of that other source.
// 3. All of a table with the prefix ICON_ is ours.

import { getTableColumns } from "drizzle-orm";
import type { Origin } from "./dictionary.ts";
import { dictionaries } from "./dictionary-values.ts";
import { tableOrigins } from "./table-origins.ts";
import { type TableName, tableNames, tables } from "./tables.ts";
import { views } from "./views.ts";

export interface SchemaOrigin {
  readonly kind: "table" | "view" | "column" | "value";
  /** G_CALL, G_CALL.CALLID, or 8/5 for value 5 of dictionary class 8. */
  readonly name: string;
  readonly origin: Origin;
  readonly isJoined: boolean;
  readonly note: string | null;
}

function columnOrigin(table: TableName, column: string): SchemaOrigin {
  const { origin, inferred, added, joined, notes } = tableOrigins[table];
  const addition = added?.[column];
  const isOurs = addition?.includes("(our choice)") === true;
  const isInferred = inferred?.includes(column) || addition !== undefined;
  return {
    kind: "column",
    name: `${table}.${column}`,
    origin: isOurs ? "ours" : isInferred ? "inferred" : origin,
    isJoined: joined?.includes(column) ?? false,
    note: addition ?? notes?.[column] ?? null,
  };
}

/** The columns of `table` that the reference's cut-off page does not list. */
export function columnsAdded(table: TableName): readonly string[] {
  return Object.keys(tableOrigins[table].added ?? {});
}

/** What ICON_SCHEMA_ORIGIN holds, in a fixed order. */
export const schemaOrigins: readonly SchemaOrigin[] = [
  ...tableNames.flatMap((table): readonly SchemaOrigin[] => [
    {
      kind: "table",
      name: table,
      origin: tableOrigins[table].origin,
      isJoined: false,
      note: tableOrigins[table].note ?? null,
    },
    ...Object.keys(getTableColumns(tables[table])).map((column) => columnOrigin(table, column)),
  ]),
  ...views.flatMap(({ name, note, columns }): readonly SchemaOrigin[] => [
    { kind: "view", name, origin: "ours", isJoined: false, note },
    ...columns.map((column): SchemaOrigin => {
      return { kind: "column", name: `${name}.${column.name}`, origin: "ours", isJoined: false, note: column.note };
    }),
  ]),
  ...dictionaries.flatMap(({ type, values }) =>
    values.map(({ value, origin, description }): SchemaOrigin => {
      return { kind: "value", name: `${type}/${value}`, origin, isJoined: false, note: description ?? null };
    }),
  ),
];
