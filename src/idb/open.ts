// Opens the IDB for writing: looks at what is there before touching it, makes it if there is nothing, migrates it.

import { chmodSync, closeSync, fsyncSync, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import Database from "libsql";
import { views } from "../../schema/views.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Log } from "../log.ts";
import { IdbUnavailableError, idbError } from "./error.ts";
import { Idb } from "./idb.ts";
import { lookAtIdb } from "./look.ts";
import { migrate, readIdentity, refreshContract, versionKnown } from "./migrate.ts";
import { OpenLock } from "./open-lock.ts";
import { sizeOf } from "./reading.ts";
import { setAside, syncDirectory } from "./set-aside.ts";
import { refreshViews } from "./views.ts";
import { requireOwnWal } from "./wal-belongs.ts";
import { walUsualBytes } from "./wal-growth.ts";

export interface OpenOptions {
  readonly path: string;
  readonly log: Log;
  readonly clock?: Clock;
  /** Length of a window in the ledger, seconds. Fixed when the IDB is made; ignored afterwards. */
  readonly windowSeconds: number;
  /** What the WAL may grow to while somebody reads; see wal-growth.ts. Default: as large as it likes. */
  readonly walLimitBytes?: number;
}

// Long enough for a reader that recovers the WAL index, short enough for the projector to hear "stop" meanwhile. Whoever
// waits longer tries again.
const busyTimeoutMs = 200;

// 32 MiB of WAL between checkpoints: with random keys the same index pages come again and again, and every one that is
// written over in the WAL is saved a way to the database (measured: 87 k rows/s at 1,000 pages, 115 k at 8,000).
const walPages = 8000;

// The most recently used part of the indexes stays in memory.
const cacheKiB = 16_384;

const pageBytes = 4096;

/**
 * Throws IdbTooNewError and IdbNotOursError with the file untouched, IdbDamagedError when it must be put aside first
 * (setAside), IdbUnavailableError when trying again may help.
 */
export function openIdb({ path: given, log, clock = systemClock, windowSeconds, walLimitBytes }: OpenOptions): Idb {
  const path = resolve(given);
  // What a reader made the WAL grow to is given back after the next checkpoint.
  const walBytesKept = walUsualBytes(walLimitBytes ?? Number.POSITIVE_INFINITY);
  const checkpointPages = Math.min(walPages, Math.floor(walBytesKept / 2 / pageBytes));
  // To open a FIFO would wait for its writer, with the recorder deaf to everything else.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
    throw new IdbUnavailableError(`Cannot open IDB "${path}": it is no file; expected one, or nothing there`);
  }
  const isNew = sizeOf(path) === 0;
  if (isNew) createFile(path, log, clock);
  else {
    lookAtIdb(path, { leavesNoTrace: false });
    requireOwnWal(path);
  }
  let database: Database.Database | null = null;
  let openLock: OpenLock | null = null;
  try {
    database = new Database(path);
    database.exec(
      `PRAGMA busy_timeout = ${busyTimeoutMs};
       PRAGMA journal_mode = WAL;
       PRAGMA synchronous = FULL;
       PRAGMA wal_autocheckpoint = ${checkpointPages};
       PRAGMA journal_size_limit = ${walBytesKept};
       PRAGMA cache_size = -${cacheKiB};
       PRAGMA foreign_keys = OFF;
       PRAGMA trusted_schema = OFF`,
    );
    const { version } = readIdentity(database, path);
    if (version < versionKnown) {
      migrate(database, version, clock.now(), windowSeconds);
      log.info(isNew ? "IDB made" : "IDB migrated", { path, fromVersion: version, version: versionKnown });
    } else {
      refreshContract(database);
    }
    refreshViews(database, views);
    openLock = OpenLock.take(path);
    return new Idb(path, database, openLock);
  } catch (error) {
    database?.close();
    openLock?.release();
    throw idbError(error, `Cannot open IDB "${path}"`);
  }
}

/** The owner's alone from the first byte on: it holds callers' numbers. */
function createFile(path: string, log: Log, clock: Clock): void {
  // A WAL without its database cannot be read; kept, because it is all that is left of one that somebody deleted or
  // emptied. (In a database of ours that is still being made the file is never empty when a WAL comes.)
  if (sizeOf(`${path}-wal`) > 0) {
    log.warn("WAL without its IDB put aside", { path, to: setAside(path, clock.now()) });
  }
  try {
    const descriptor = openSync(path, "a", 0o600);
    fsyncSync(descriptor);
    closeSync(descriptor);
    chmodSync(path, 0o600);
    syncDirectory(dirname(path));
  } catch (error) {
    throw idbError(error, `Cannot make IDB "${path}"`);
  }
}
