// Somebody else's lock on an IDB: a transaction that writes nothing and lets nobody else write.

import Database from "libsql";
import { until } from "./processes.ts";

const busyTimeoutMs = 100;

export class IdbLock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** BEGIN EXCLUSIVE, as soon as the instance is between two transactions. */
  static async take(idbPath: string): Promise<IdbLock> {
    const database = new Database(idbPath);
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    await until("the IDB is locked", 10_000, () => {
      try {
        database.exec("BEGIN EXCLUSIVE");
        return true;
      } catch (error) {
        if (error instanceof Error && error.message.includes("locked")) return false;
        throw error;
      }
    });
    return new IdbLock(database);
  }

  release(): void {
    this.#database.exec("ROLLBACK");
    // The instance's connection is still open, so closing this one does no checkpoint.
    this.#database.close();
  }
}
