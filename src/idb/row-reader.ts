// Reads whole rows of one table, as row-writer.ts writes them.
//
// A row comes as one JSON text in bytes, and is decoded here: libSQL ends the whole process at a text that is no UTF-8,
// which is what damage inside of a page looks like, and one value a row is cheaper than twenty.

import { getTableColumns } from "drizzle-orm";
import type Database from "libsql";
import { type Selected, type TableName, tables } from "../../schema/tables.ts";
import { IdbDamagedError, idbError } from "./error.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Tables with bytes in them, which JSON cannot hold, are not read so. */
export type ReadableTable = Exclude<TableName, "ICON_UNDECODED">;

export class RowReader<T extends ReadableTable> {
  readonly #table: T;
  readonly #columns: readonly string[];
  readonly #statement: Database.Statement;

  /**
   * `tail` is what follows "SELECT … FROM <table> AS r": joins, conditions, order. `from`: what is read instead of the
   * table, with its columns. Throws what libSQL throws when a column or table is not there.
   */
  constructor(database: Database.Database, table: T, tail: string, from = `"${table}"`) {
    this.#table = table;
    this.#columns = Object.keys(getTableColumns(tables[table]));
    const values = this.#columns.map((column) => `r."${column}"`).join(", ");
    this.#statement = database.prepare(`SELECT CAST(json_array(${values}) AS BLOB) FROM ${from} AS r ${tail}`);
  }

  /** Throws IdbDamagedError when a row is no row of that table, and what libSQL throws. */
  all(...parameters: readonly (string | number | null)[]): Selected<T>[] {
    const rows = this.#statement.raw().all([...parameters]) as [Uint8Array][];
    return rows.map(([bytes]) => this.#row(bytes));
  }

  #row(bytes: Uint8Array): Selected<T> {
    const values = readJson(bytes, this.#table) as readonly unknown[];
    const row: Record<string, unknown> = {};
    for (let index = 0; index < this.#columns.length; index += 1) row[this.#columns[index] as string] = values[index];
    return row as Selected<T>;
  }
}

/** `what` names it in the error: a table. */
export function readJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new IdbDamagedError(`Cannot read ${what}: a text in it is not UTF-8`, { cause });
  }
}

/**
 * What a question does in one read transaction, so that all of it is of one moment. Keep it short: while it lasts the
 * writer's WAL grows. Throws what the question throws, and errors of the file as idbError names them.
 */
export function inReadTransaction<Answer>(database: Database.Database, doing: string, ask: () => Answer): Answer {
  try {
    database.exec("BEGIN");
    try {
      return ask();
    } finally {
      if (database.inTransaction) database.exec("COMMIT");
    }
  } catch (thrown) {
    const error = idbError(thrown, doing);
    // What is left is SQLite's word that a table, a column or a value is not what the schema says.
    const isSqlite = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_");
    throw isSqlite ? new IdbDamagedError(`${doing}: ${(error as Error).message}`, { cause: error }) : error;
  }
}
