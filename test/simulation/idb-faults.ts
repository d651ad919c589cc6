// Makes the real libSQL fail on request: at any statement the disk may be full, the file locked, or the process gone,
// before the statement or after it. A process that is gone leaves what it had committed, and nothing else.

import Database from "libsql";

/** Thrown in place of everything that a process would still have done. */
export class ProcessGoneError extends Error {
  override readonly name = "ProcessGoneError";
}

const failures = {
  busy: [5, "database is locked"],
  ioError: [10, "disk I/O error"],
  full: [13, "database or disk is full"],
} as const;
export type IdbFailure = keyof typeof failures;

export class IdbFaults {
  #statementsLeft = Number.POSITIVE_INFINITY;
  #act: (() => void) | null = null;
  #isAfter = false;
  /** The process is gone and its files are not yet given free. */
  isGone = false;
  readonly #opened = new Set<Database.Database>();

  /** The statement after so many more fails, once. */
  failAfter(statements: number, failure: IdbFailure): void {
    const [rawCode, message] = failures[failure];
    this.#plan(statements, false, () => {
      throw Object.assign(new Error(message), { rawCode });
    });
  }

  /** The process is gone just before the statement after so many more, or just after it. */
  dieAfter(statements: number, isAfter: boolean): void {
    this.#plan(statements, isAfter, () => {
      this.isGone = true;
      throw new ProcessGoneError("The process is gone");
    });
  }

  /** Nothing that was planned happens any more. */
  mend(): void {
    this.#act = null;
  }

  /** Runs `act`, whose statements on any IDB count. */
  within<Result>(act: () => Result): Result {
    const before = current;
    current = this;
    try {
      return act();
    } finally {
      current = before;
    }
  }

  /** What a kernel does with the files of a process that is gone. */
  processGone(): void {
    for (const database of [...this.#opened]) {
      if (database.inTransaction) database.exec("ROLLBACK");
      database.close();
    }
    this.#opened.clear();
    this.isGone = false;
    this.#act = null;
  }

  opened(database: Database.Database): void {
    this.#opened.add(database);
  }

  closed(database: Database.Database): void {
    this.#opened.delete(database);
  }

  statement<Result>(run: () => Result): Result {
    if (this.isGone) throw new ProcessGoneError("The process is gone");
    const act = this.#statementsLeft-- === 0 ? this.#act : null;
    if (act === null) return run();
    this.#act = null;
    if (!this.#isAfter) act();
    const result = run();
    if (this.#isAfter) act();
    return result;
  }

  #plan(statements: number, isAfter: boolean, act: () => void): void {
    this.#statementsLeft = statements;
    this.#isAfter = isAfter;
    this.#act = act;
  }
}

let current: IdbFaults | null = null;

// libSQL aborts the program when a closed database is asked anything.
const { exec, close } = Database.prototype;
const openedBy = new WeakMap<Database.Database, IdbFaults>();
Database.prototype.close = function (this: Database.Database) {
  const faults = openedBy.get(this);
  // libSQL keeps the file, and its lock, until the statements are collected; a kernel does not.
  if (faults?.isGone === true && this.inTransaction) exec.call(this, "ROLLBACK");
  faults?.closed(this);
  return close.call(this);
};
Database.prototype.exec = function (this: Database.Database, sql: string) {
  if (current !== null) openedBy.set(this, current);
  current?.opened(this);
  return current === null ? exec.call(this, sql) : current.statement(() => exec.call(this, sql));
};

const probe = new Database(":memory:");
const statements = Object.getPrototypeOf(probe.prepare("SELECT 1")) as Database.Statement;
probe.close();
const { run } = statements;
statements.run = function (this: Database.Statement, ...given: unknown[]) {
  return current === null ? run.apply(this, given) : current.statement(() => run.apply(this, given));
};
