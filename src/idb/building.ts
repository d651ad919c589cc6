// An IDB that nobody reads before it is whole: a rebuild writes it under another name and puts it in place in the end.
// Whatever goes wrong before, the file is thrown away. So it does without what makes a file survive a crash half done:
//
// 1. No journal, no fsync: a transaction that fails cannot be taken back, and the building has failed with it. `finish`
//    syncs the whole file once.
// 2. The indexes are made in the end, when each is one sort and not a random page for each row.

import { chmodSync, closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import { views } from "../../schema/views.ts";
import type { Clock } from "../clock.ts";
import { idbError } from "./error.ts";
import { Idb } from "./idb.ts";
import { migrate } from "./migrate.ts";
import { syncDirectory } from "./set-aside.ts";
import { refreshViews } from "./views.ts";

// Nobody waits for rows; but who wants the building to stop is heard in between.
const callsPerPurge = 2_000;

export interface BuildingOptions {
  /** Of the new file; what is there is deleted. */
  readonly path: string;
  readonly clock: Clock;
  /** Length of a window in the ledger, seconds. */
  readonly windowSeconds: number;
  /** A transaction that fails is taken back, and the building can go on: costs time, for a row that the IDB refuses. */
  readonly canRollBack: boolean;
}

export interface IdbBuilding {
  readonly idb: Idb;
  /** Deletes what purges ask for, a part at a time; true when nothing is left. Makes the indexes first. */
  purge(): boolean;
  /** Makes the indexes, closes the IDB and returns when all of it is on disk. */
  finish(): void;
  /** Closes the IDB and deletes the file. */
  discard(): void;
}

// Pages of tables that grow at their end leave it soon; what is read again is the sort of an index.
const cacheKiB = 65_536;

/** Throws IdbUnavailableError when the file cannot be made. */
export function buildIdb({ path, clock, windowSeconds, canRollBack }: BuildingOptions): IdbBuilding {
  deleteIdb(path);
  let database: Database.Database | null = null;
  try {
    // The owner's alone from the first byte on.
    closeSync(openSync(path, "ax", 0o600));
    chmodSync(path, 0o600);
    database = new Database(path);
    database.exec(
      `PRAGMA journal_mode = ${canRollBack ? "MEMORY" : "OFF"};
       PRAGMA synchronous = OFF;
       PRAGMA locking_mode = EXCLUSIVE;
       PRAGMA cache_size = -${cacheKiB};
       PRAGMA foreign_keys = OFF;
       PRAGMA trusted_schema = OFF`,
    );
    migrate(database, 0, clock.now(), windowSeconds);
    refreshViews(database, views);
    const indexes = dropIndexes(database);
    return building(new Idb(path, database, null), database, indexes);
  } catch (error) {
    database?.close();
    deleteIdb(path);
    throw idbError(error, `Cannot make IDB "${path}"`);
  }
}

/** The file and what belongs to it; none is no error. */
export function deleteIdb(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

function building(idb: Idb, database: Database.Database, indexes: readonly string[]): IdbBuilding {
  let missing = indexes;
  const makeIndexes = () => {
    for (const sql of missing) database.exec(sql);
    missing = [];
  };
  return {
    idb,
    purge() {
      try {
        makeIndexes();
      } catch (error) {
        throw idbError(error, `Cannot finish IDB "${idb.path}"`);
      }
      return idb.purge(callsPerPurge).isDone;
    },
    finish() {
      try {
        makeIndexes();
        idb.close();
        syncFile(idb.path);
        syncDirectory(dirname(idb.path));
      } catch (error) {
        throw idbError(error, `Cannot finish IDB "${idb.path}"`);
      }
    },
    discard() {
      idb.close();
      deleteIdb(idb.path);
    },
  };
}

/** Those that are no table's key; returns what makes them again. */
function dropIndexes(database: Database.Database): readonly string[] {
  const rows = database
    .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY rowid")
    .raw()
    .all() as [name: string, sql: string][];
  for (const [name] of rows) database.exec(`DROP INDEX "${name}"`);
  return rows.map(([, sql]) => sql);
}

function syncFile(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
