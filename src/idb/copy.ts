// A copy of an IDB that is held (hold.ts), and what makes one whole file of it that can be trusted.

import { closeSync, existsSync, fsyncSync, openSync, readSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname } from "node:path";
import Database from "libsql";
import { IdbDamagedError, IdbUnavailableError, idbError } from "./error.ts";
import { type InspectionOutcome, inspectIdb } from "./inspect.ts";
import { inTransaction } from "./migrate.ts";
import { sizeOf } from "./reading.ts";
import { syncDirectory } from "./set-aside.ts";

const walHeaderBytes = 32;
const chunkBytes = 1024 * 1024;
// The WAL of a held IDB begins anew once at most; the third time something else is wrong.
const attemptsMax = 3;

/**
 * Copies the files of an IDB that is held to `to` and `to`-wal. `stop` ends it early: what is there then is no copy.
 * Rejects with what the file system says.
 */
export async function copyIdb(path: string, to: string, stop: AbortSignal): Promise<void> {
  await copyBytes(path, to, stop);
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    rmSync(`${to}-wal`, { force: true });
    const before = walHeader(path);
    if (before === "") return;
    await copyBytes(`${path}-wal`, `${to}-wal`, stop);
    // Another header: it began anew while it was copied, and what was copied is of two generations.
    if (walHeader(path) === before) return;
  }
  throw new IdbUnavailableError(`Cannot copy IDB "${path}": its WAL began anew ${attemptsMax} times meanwhile`);
}

/** Empty when there is none, or nothing in it. */
function walHeader(path: string): string {
  if (sizeOf(`${path}-wal`) === 0) return "";
  const header = new Uint8Array(walHeaderBytes);
  const descriptor = openSync(`${path}-wal`, "r");
  try {
    return header.subarray(0, readSync(descriptor, header, 0, walHeaderBytes, 0)).toHex();
  } finally {
    closeSync(descriptor);
  }
}

async function copyBytes(from: string, to: string, stop: AbortSignal): Promise<void> {
  const source = await open(from, "r");
  try {
    const target = await open(to, "wx", 0o600);
    try {
      const chunk = new Uint8Array(chunkBytes);
      for (let offset = 0; ; ) {
        stop.throwIfAborted();
        const { bytesRead } = await source.read(chunk, 0, chunk.length, offset);
        if (bytesRead === 0) break;
        // A nearly full disk makes a write short; the next one says why.
        for (let done = 0; done < bytesRead; ) {
          done += (await target.write(chunk, done, bytesRead - done, offset + done)).bytesWritten;
        }
        offset += bytesRead;
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/**
 * Makes one file of a copy and its WAL, on disk when it returns, and looks through all of it. Call it in a child process
 * only: what was copied may be damaged. Nobody else knows the copy, so "unavailable" means that its disk is full or fails.
 */
export function settleCopy(path: string): InspectionOutcome {
  try {
    makeOneFile(path, () => undefined);
  } catch (error) {
    if (error instanceof IdbDamagedError) return { kind: "refused", message: error.message };
    if (error instanceof IdbUnavailableError) return { kind: "unavailable", message: error.message };
    throw error;
  }
  return inspectIdb(path);
}

/**
 * Makes a copy an IDB of its own: it follows the queue with this id from now on, and nobody who remembers the one it was
 * copied from takes it for that. Call it in a child process only. Throws what the IDB's errors say.
 */
export function adoptCopy(path: string, queueId: string): void {
  makeOneFile(path, (database) =>
    inTransaction(database, () => {
      database
        .prepare("UPDATE ICON_APPLIED SET IDB_ID = ?, QUEUE_ID = CASE WHEN QUEUE_ID IS NULL THEN NULL ELSE ? END")
        .run([crypto.randomUUID(), queueId]);
    }),
  );
}

function makeOneFile(path: string, change: (database: Database.Database) => void): void {
  let database: Database.Database | undefined;
  try {
    database = new Database(path);
    // Out of the WAL mode: what is in the WAL goes into the database, and -wal and -shm are deleted.
    database.exec("PRAGMA trusted_schema = OFF; PRAGMA synchronous = FULL");
    const mode = database.prepare("PRAGMA journal_mode = DELETE").raw().get() as unknown[] | undefined;
    if (mode?.[0] !== "delete" || existsSync(`${path}-wal`)) {
      throw new IdbUnavailableError(`Cannot make one file of IDB "${path}" and its WAL: somebody else has it open`);
    }
    change(database);
    database.close();
    syncFile(path);
    syncDirectory(dirname(path));
  } catch (error) {
    throw idbError(error, `Cannot make one file of the copy "${path}" of the IDB and its WAL`);
  } finally {
    database?.close();
  }
}

function syncFile(path: string): void {
  const descriptor = openSync(path, "r+");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
