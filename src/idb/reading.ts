// Opens an IDB so that nothing of it can change: for looking at a file before we trust it, and for free SQL.
//
// libSQL's `readonly` option does not hold, but SQLite's own URI parameters do (tried: inserts and every kind of
// checkpoint are refused, and closing does not checkpoint either):
//
// 1. With a WAL beside it the file may be in use, or was not closed in order: `mode=ro`. Such a connection reads the WAL
//    and takes part in the locking through the -shm file; it cannot write the database or the WAL.
// 2. Without a WAL nobody has it open, and `mode=ro` would leave an empty WAL and -shm behind: `immutable=1`. Should a
//    writer come while we read, what we read may be nonsense. Whoever hands on what was read asks `isStill()` after it.
// 3. `mode=ro` makes and rewrites the -shm. Whoever must leave no trace asks for `readonly_shm=1` too, with which SQLite
//    builds the WAL's index in memory when nobody else has the file open.

import { closeSync, existsSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import { IdbDamagedError, idbError } from "./error.ts";

export interface Reading {
  readonly database: Database.Database;
  /** Whether what was read is what the file held: false when a writer came while we took the file for unused. */
  isStill(): boolean;
  close(): void;
}

const magic = "SQLite format 3\0";
const headerBytes = 100;

/** Where SQLite finds a file so that it cannot change it. */
export interface ReadingPlace {
  /** With the parameters of SQLite's own that hold, as above. */
  readonly url: string;
  isStill(): boolean;
}

/** Throws IdbDamagedError for what is no SQLite file or cut short, IdbUnavailableError when it cannot be read now. */
export function openReading(path: string, { leavesNoTrace } = { leavesNoTrace: false }): Reading {
  try {
    const { url, isStill } = placeOf(path, leavesNoTrace);
    const database = new Database(url);
    // Reading the schema is what finds a file that is no database behind its first bytes.
    database.exec("PRAGMA trusted_schema = OFF; SELECT count(*) FROM sqlite_schema");
    return { database, isStill, close: () => database.close() };
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  }
}

/** For whoever has a connection already and attaches the file to it. Throws as `openReading`. */
export function readingPlace(path: string): ReadingPlace {
  try {
    return placeOf(path, false);
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  }
}

function placeOf(path: string, leavesNoTrace: boolean): ReadingPlace {
  const file = realpathSync(path);
  const wal = `${file}-wal`;
  // An orderly stop may leave an empty WAL; while somebody has the file open there is a -shm too.
  const isUnused = !existsSync(wal) || (leavesNoTrace && sizeOf(wal) === 0 && !existsSync(`${file}-shm`));
  const before = statSync(file);
  // A pipe would keep us until somebody writes to it, and a device may never end.
  if (before.isFIFO() || before.isCharacterDevice())
    throw new IdbDamagedError(`Cannot read IDB "${path}": it is no file`);
  checkHeader(file, path);
  const url = pathToFileURL(file);
  url.search = isUnused ? "?immutable=1" : leavesNoTrace ? "?mode=ro&readonly_shm=1" : "?mode=ro";
  return {
    url: url.href,
    isStill() {
      if (!isUnused) return true;
      const now = statSync(file, { throwIfNoEntry: false });
      return !existsSync(wal) && now?.ino === before.ino && now.size === before.size && now.mtimeMs === before.mtimeMs;
    },
  };
}

/**
 * From outside in: is it SQLite at all, is all of it there. SQLite itself notices a missing end only when it reads
 * there. While a WAL is at hand the end may stand in it, so then we don't judge.
 */
function checkHeader(file: string, path: string): void {
  const header = new Uint8Array(headerBytes);
  const descriptor = openSync(file, "r");
  let bytesRead: number;
  try {
    bytesRead = readSync(descriptor, header, 0, headerBytes, 0);
  } finally {
    closeSync(descriptor);
  }
  const walBytes = sizeOf(`${file}-wal`);
  if (bytesRead === 0 && walBytes > 0) {
    throw new IdbDamagedError(`Cannot read IDB "${path}": it is empty although it has a WAL`);
  }
  if (bytesRead < headerBytes || new TextDecoder("latin1").decode(header.subarray(0, magic.length)) !== magic) {
    throw new IdbDamagedError(`Cannot read IDB "${path}": it is no SQLite file`);
  }
  const view = new DataView(header.buffer);
  const pageBytes = view.getUint16(16) === 1 ? 65_536 : view.getUint16(16);
  const wrong = headerProblem(view, pageBytes);
  if (wrong !== null) throw new IdbDamagedError(`Cannot read IDB "${path}": its header is damaged: ${wrong}`);
  const pageCount = view.getUint32(28);
  const isCountValid = view.getUint32(24) === view.getUint32(92);
  const bytes = sizeOf(file);
  if (walBytes === 0 && isCountValid && bytes < pageBytes * pageCount) {
    throw new IdbDamagedError(
      `Cannot read IDB "${path}": it has ${bytes} bytes, expected ${pageBytes * pageCount}; its end is missing`,
    );
  }
}

/** What no SQLite of today writes; it would refuse the file as one that cannot be written now, and we would wait. */
function headerProblem(header: DataView, pageBytes: number): string | null {
  const [write, read] = [header.getUint8(18), header.getUint8(19)];
  if (write < 1 || write > 2 || read < 1 || read > 2) return `format ${write}/${read}, expected 1 or 2`;
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) return `pages of ${pageBytes} bytes`;
  const encoding = header.getUint32(56);
  // 0: nothing was ever written to it.
  return encoding > 1 ? `text encoding ${encoding}, expected 1` : null;
}

/** 0 when there is no such file. */
export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
