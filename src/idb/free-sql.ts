// Runs a statement that a person typed, on a file that a writer may have open. Called in a child process only: it may
// take all the time and memory that SQLite lets it, and its parent kills it at the bound.
//
// Three things keep it from changing anything, each enough by itself: the statement's words are looked at here, libSQL
// must call it a reader, and the connection cannot write (reading.ts). libSQL's own authorizer was tried and does not
// serve: it knows tables only, and refuses count() with everything else that is a function.

import { existsSync } from "node:fs";
import { IdbDamagedError, idbError } from "./error.ts";
import { reasonToRefuse } from "./reader-statement.ts";
import { openReading, type Reading } from "./reading.ts";
import { openSideBySide } from "./side-by-side.ts";
import { unknownNameHint } from "./unknown-name.ts";

/** Null, a number, a text, or bytes; an integer that a number does not hold exactly is a bigint. */
export type Value = null | number | bigint | string | Uint8Array;

export interface Answer {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
  /** There is more: `rowsMax` or `bytesMax` was reached. */
  readonly isCut: boolean;
}

/** The statement is none that may run here, or SQLite does not understand it. */
export class SqlRefusedError extends Error {
  override readonly name = "SqlRefusedError";
}

export interface FreeSql {
  /** One IDB, or several side by side (side-by-side.ts). */
  readonly paths: readonly string[];
  readonly sql: string;
  readonly rowsMax: number;
  /** Bound on the values' bytes, roughly. */
  readonly bytesMax: number;
}

// A join gone wrong ends with "out of memory" here before it takes the instance's memory.
const heapBytesMax = 256 * 1024 * 1024;

// A writer that appears while we read a file that we took for unused is met by reading again.
const attemptsMax = 3;

/**
 * Throws SqlRefusedError; IdbUnavailableError, IdbDamagedError for a file, IdbUnlikeError for files that are too unlike to
 * be asked together. Changes nothing and leaves nothing.
 */
export function runFreeSql(question: FreeSql): Answer {
  const reason = reasonToRefuse(question.sql);
  if (reason !== null) throw new SqlRefusedError(`Cannot run the SQL statement: ${reason}`);
  const doing = cannotRead(question.paths);
  for (let attempt = 1; ; attempt += 1) {
    const reading = open(question.paths);
    try {
      const answer = read(reading.database, question, doing);
      if (reading.isStill()) return answer;
    } catch (error) {
      if (reading.isStill() || attempt === attemptsMax) throw error;
    } finally {
      reading.close();
    }
    if (attempt === attemptsMax) throw new IdbDamagedError(`${doing}: it was replaced ${attemptsMax} times meanwhile`);
  }
}

function open(paths: readonly string[]): Reading {
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) throw new IdbDamagedError(`Cannot read IDB "${missing}": there is no such file`);
  const [only] = paths;
  return only !== undefined && paths.length === 1 ? openReading(only) : openSideBySide(paths);
}

function cannotRead(paths: readonly string[]): string {
  const names = paths.map((path) => `"${path}"`).join(" or ");
  return `Cannot read IDB ${names}`;
}

function read(database: Reading["database"], { sql, rowsMax, bytesMax }: FreeSql, doing: string): Answer {
  database.exec(`PRAGMA busy_timeout = 2000; PRAGMA hard_heap_limit = ${heapBytesMax}`);
  try {
    const statement = database.prepare(sql);
    if (!statement.reader) throw new SqlRefusedError("Cannot run the SQL statement: it does not return rows");
    const columns = statement.columns().map(({ name }) => name);
    const rows: Value[][] = [];
    let bytes = 0;
    for (const row of statement.safeIntegers().raw().iterate()) {
      if (rows.length === rowsMax || bytes > bytesMax) return { columns, rows, isCut: true };
      const values = (row as unknown[]).map(toValue);
      bytes += values.reduce<number>((sum, value) => sum + bytesOf(value), 0);
      rows.push(values);
    }
    return { columns, rows, isCut: false };
  } catch (thrown) {
    const error = idbError(thrown, doing);
    // What is left is SQLite's word on the statement: a misspelt column, a missing table.
    if (error === thrown && thrown instanceof Error && !(thrown instanceof SqlRefusedError)) {
      const hint = unknownNameHint(database, sql, thrown.message);
      throw new SqlRefusedError(`Cannot run the SQL statement: ${thrown.message}${hint}`, { cause: thrown });
    }
    throw error;
  }
}

function toValue(value: unknown): Value {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  return value instanceof Uint8Array ? value : String(value);
}

function bytesOf(value: Value): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
}
