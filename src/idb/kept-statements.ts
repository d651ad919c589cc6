// Statements of one connection, prepared when they are first run and kept.

import type Database from "libsql";

type Value = string | number | null;

export class KeptStatements {
  readonly #database: Database.Database;
  readonly #reading = new Map<string, Database.Statement>();
  readonly #writing = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Rows are arrays, in the order of the columns. */
  all(sql: string, ...values: readonly Value[]): unknown[][] {
    return this.#kept(this.#reading, sql).all([...values]) as unknown[][];
  }

  /** The first row. */
  get(sql: string, ...values: readonly Value[]): unknown[] | undefined {
    return this.#kept(this.#reading, sql).get([...values]) as unknown[] | undefined;
  }

  run(sql: string, ...values: readonly Value[]): void {
    this.#kept(this.#writing, sql).run([...values]);
  }

  /** Lets go of them, so that the connection can be closed. */
  clear(): void {
    this.#reading.clear();
    this.#writing.clear();
  }

  #kept(kept: Map<string, Database.Statement>, sql: string): Database.Statement {
    let statement = kept.get(sql);
    if (statement === undefined) {
      const prepared = this.#database.prepare(sql);
      // A statement without rows has none that could be arrays.
      statement = kept === this.#reading ? prepared.raw() : prepared;
      kept.set(sql, statement);
    }
    return statement;
  }
}
