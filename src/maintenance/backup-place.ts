// Looks whether a backup can be made at all, before anything is written.

import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { sizeOf } from "../idb/reading.ts";
import type { Disk } from "../queue/disk.ts";
import { segmentsAmong } from "../queue/segment.ts";

export interface BackupPlaces {
  readonly dataDirectory: string;
  /** Null: the persistent queue alone. */
  readonly idbPath: string | null;
  /** Absolute. */
  readonly target: string;
}

/** There is nothing to back up at the place that was given. */
export class NothingToBackUpError extends Error {
  override readonly name = "NothingToBackUpError";
}

/** The target is there already, or cannot be made. */
export class BackupTargetError extends Error {
  override readonly name = "BackupTargetError";
}

/** The target's disk has too little room. */
export class BackupRoomError extends Error {
  override readonly name = "BackupRoomError";
}

// Left free on the target's disk, for an instance may live on it.
const leftFreeBytes = 64 * 1024 * 1024;
/** Throws NothingToBackUpError, BackupTargetError or BackupRoomError. */
export function checkPlaces({ dataDirectory, idbPath, target }: BackupPlaces, disk: Disk): void {
  const queueDirectory = join(dataDirectory, "queue");
  if (!isDirectory(queueDirectory) || segmentsAmong(disk.list(queueDirectory)).length === 0) {
    throw new NothingToBackUpError(
      `Cannot back up "${dataDirectory}": there is no persistent queue; expected the data directory of an instance`,
    );
  }
  if (idbPath !== null && !existsSync(idbPath)) {
    throw new NothingToBackUpError(
      `Cannot back up IDB "${idbPath}": there is no such file; --queue-only leaves it out, and an instance that is ` +
        "restored from that makes it anew of the persistent queue",
    );
  }
  for (const each of [target, `${target}.partial`]) {
    if (!existsSync(each)) continue;
    const meaning = each === target ? "it exists already" : "a backup that did not end left it, or one is running";
    throw new BackupTargetError(`Cannot make backup "${each}": ${meaning}; delete it, or give another name`);
  }
  const parent = dirname(target);
  if (!isDirectory(parent)) {
    throw new BackupTargetError(`Cannot make backup "${target}": there is no folder "${parent}"; expected one`);
  }
  const way = relative(realpathSync(dataDirectory), join(realpathSync(parent), basename(target)));
  if (!way.startsWith("..")) {
    throw new BackupTargetError(
      `Cannot make backup "${target}": it would be in the data directory; expected a place outside, on another disk`,
    );
  }
  checkRoom({ queueDirectory, idbPath, parent }, disk);
}

function checkRoom(
  places: {
    readonly queueDirectory: string;
    readonly idbPath: string | null;
    readonly parent: string;
  },
  disk: Disk,
): void {
  const { queueDirectory, idbPath, parent } = places;
  const queueBytes = disk.list(queueDirectory).reduce((sum, name) => sum + sizeOf(join(queueDirectory, name)), 0);
  // Once as it is copied, once more for what its WAL holds until the copy is one file.
  const idbBytes = idbPath === null ? 0 : sizeOf(idbPath) + 2 * sizeOf(`${idbPath}-wal`);
  const neededBytes = queueBytes + idbBytes + leftFreeBytes;
  const freeBytes = disk.freeBytes(parent);
  if (freeBytes >= neededBytes) return;
  throw new BackupRoomError(
    `Cannot make a backup in "${parent}": it takes up to ${neededBytes} bytes, with ${leftFreeBytes} left free, and ` +
      `${freeBytes} are free; expected a disk with more room`,
  );
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
