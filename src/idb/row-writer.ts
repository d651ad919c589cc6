// Writes whole rows of one table with prepared statements.
//
// 1. A row is one statement's parameters in the order of the table's columns. Many rows at once go sixteen to a
//    statement, for half of a row's cost is the way into the native library (measured: 3.0 µs a row one by one,
//    2.0 µs in eights, without the disk).
// 2. Values are looked at first, since libSQL ends the whole process when it is given a boolean.
// 3. A key never changes, so an update leaves out the primary key and the keys that indexes stand on: SQLite would
//    rewrite the index entry even for an equal value.

import { getTableColumns } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import type Database from "libsql";
import { type TableName, tables } from "../../schema/tables.ts";
import { IdbRejectedError } from "./error.ts";

export type RowValues = Readonly<Record<string, unknown>>;
export type RowKey = string | number;

const rowsPerStatement = 16;

/** What other tables and readers find the row by. It is made once, with the row. */
const keyColumns = new Set([
  ...["CALLID", "IRID", "PARTYID", "PARTYGUID", "ROW_KEY", "UNIQUEID", "CREATED_TS", "GSYS_SEQ"],
  ...["LOGINSESSIONID", "LINKID", "VQUEUEID"],
]);

/** A link's end goes on with the call into which its call is merged. */
const movingColumns: Partial<Record<TableName, string>> = { G_IS_LINK: "CALLID" };

/**
 * Tables whose rows are written once. A second row under the same ID is a fault of ours and must be seen, so their
 * statement knows no conflict.
 */
const writtenOnce = new Set<TableName>([
  ...(["G_CALL_HISTORY", "G_IR_HISTORY", "G_PARTY_HISTORY", "G_IS_LINK_HISTORY"] as const),
  ...(["G_USERDATA_HISTORY", "G_SECURE_USERDATA_HISTORY", "G_CUSTOM_DATA_P", "G_CUSTOM_DATA_S"] as const),
  ...(["G_ROUTE_RESULT", "G_ROUTE_RES_VQ_HIST"] as const),
  ...(["G_AGENT_STATE_HISTORY", "G_AGENT_STATE_RC", "G_DND_HISTORY"] as const),
]);

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

export class RowWriter {
  readonly #table: TableName;
  readonly #columns: readonly string[];
  readonly #keyColumn: string;
  readonly #one: Database.Statement;
  readonly #many: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #oneValues: unknown[];
  readonly #manyValues: unknown[];

  constructor(database: Database.Database, table: TableName) {
    this.#table = table;
    this.#columns = Object.keys(getTableColumns(tables[table]));
    this.#keyColumn = primaryKeyOf(table)[0] ?? "";
    this.#one = database.prepare(insertSql(table, this.#columns, 1));
    this.#many = database.prepare(insertSql(table, this.#columns, rowsPerStatement));
    this.#delete = database.prepare(`DELETE FROM "${table}" WHERE "${this.#keyColumn}" = ?`);
    this.#oneValues = new Array(this.#columns.length).fill(null);
    this.#manyValues = new Array(this.#columns.length * rowsPerStatement).fill(null);
  }

  /** Writes rows, or deletes by primary key where the row is null. Throws what libSQL throws, or IdbRejectedError. */
  write(rows: ReadonlyMap<RowKey, RowValues | null>): void {
    const width = this.#columns.length;
    let filled = 0;
    for (const [key, row] of rows) {
      if (row === null) {
        this.#delete.run([key]);
        continue;
      }
      this.#fill(this.#manyValues, filled * width, key, row);
      filled += 1;
      if (filled === rowsPerStatement) {
        this.#many.run(this.#manyValues);
        filled = 0;
      }
    }
    for (let rest = 0; rest < filled; rest += 1) {
      for (let column = 0; column < width; column += 1) {
        this.#oneValues[column] = this.#manyValues[rest * width + column];
      }
      this.#one.run(this.#oneValues);
    }
  }

  /** Writes row by row and returns the key of the first that the database refuses; for the error message only. */
  firstRefused(rows: ReadonlyMap<RowKey, RowValues | null>): RowKey | undefined {
    for (const [key, row] of rows) {
      if (row === null) continue;
      try {
        this.#fill(this.#oneValues, 0, key, row);
        this.#one.run(this.#oneValues);
      } catch {
        return key;
      }
    }
    return undefined;
  }

  #fill(values: unknown[], at: number, key: RowKey, row: RowValues): void {
    const columns = this.#columns;
    for (let index = 0; index < columns.length; index += 1) {
      const column = columns[index] as string;
      const value = row[column];
      values[at + index] = value === undefined || isStorable(value) ? value : this.#refuse(key, column, value);
    }
  }

  #refuse(key: RowKey, column: string, value: unknown): never {
    throw new IdbRejectedError(
      `Cannot store row "${key}" of ${this.#table}: ${column} is a ${describe(value)}, ` +
        "expected a text, a finite number, a 64-bit integer, bytes or null",
    );
  }
}

function isStorable(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return true;
    case "number":
      return Number.isFinite(value);
    case "bigint":
      return value >= int64Min && value <= int64Max;
    default:
      return value === null || value instanceof Uint8Array;
  }
}

function describe(value: unknown): string {
  if (typeof value === "number") return "number that is not finite";
  if (typeof value === "bigint") return "integer beyond 64 bits";
  return typeof value;
}

export function primaryKeyOf(table: TableName): readonly string[] {
  const { columns, primaryKeys } = getTableConfig(tables[table]);
  const single = columns.filter((column) => column.primary).map((column) => column.name);
  return single.length > 0 ? single : (primaryKeys[0]?.columns.map((column) => column.name) ?? []);
}

function insertSql(table: TableName, columns: readonly string[], rowCount: number): string {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const insert = `INSERT INTO "${table}" (${columns.map(quoted).join(", ")}) VALUES ${new Array(rowCount).fill(row).join(", ")}`;
  if (writtenOnce.has(table)) return insert;
  const key = primaryKeyOf(table);
  const isFixed = (column: string) => keyColumns.has(column) && column !== movingColumns[table];
  const changing = columns.filter((column) => !key.includes(column) && !isFixed(column));
  const update =
    changing.length === 0
      ? "NOTHING"
      : `UPDATE SET ${changing.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(", ")}`;
  return `${insert} ON CONFLICT (${key.map(quoted).join(", ")}) DO ${update}`;
}

function quoted(name: string): string {
  return `"${name}"`;
}
