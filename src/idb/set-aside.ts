// Takes an IDB that cannot be trusted out of the way, so that a new one can be rebuilt from the persistent queue. It is
// kept: somebody may want to know what was in it.

import { closeSync, existsSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Renames the file and what belongs to it (-wal, -shm) to "PATH.damaged-TIME…"; returns "PATH.damaged-TIME", or null
 * when nothing was there. Close the IDB before. `now`: milliseconds since 1970.
 */
export function setAside(path: string, now: number): string | null {
  const time = new Date(now).toISOString().replace(/[-:]/g, "");
  let target = `${path}.damaged-${time}`;
  for (let attempt = 2; suffixes.some((suffix) => existsSync(target + suffix)); attempt += 1) {
    target = `${path}.damaged-${time}-${attempt}`;
  }
  // The database first: SQLite throws away a WAL that it finds beside a new, empty database, but would replay a WAL
  // that a crash left beside a database of another time.
  const present = suffixes.filter((suffix) => existsSync(path + suffix));
  for (const suffix of present) renameSync(path + suffix, target + suffix);
  if (present.length === 0) return null;
  syncDirectory(dirname(path));
  return target;
}

const suffixes = ["", "-wal", "-shm"];

/** Makes the names in a directory durable. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
