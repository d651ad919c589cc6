// Takes an IDB that cannot be trusted out of the way, so that a new one can be rebuilt from the persistent queue. It is
// kept: somebody may want to know what was in it.

import { closeSync, existsSync, fsyncSync, openSync, renameSync } from "node:fs";
import { dirname } from "node:path";

/** Why it is out of the way: it cannot be trusted, another version of this program left it, or somebody wanted another one. */
export type AsideReason = "damaged" | "other-version" | "replaced";

/**
 * Renames the file and what belongs to it (-wal, -shm) to "PATH.damaged-TIME…"; returns "PATH.damaged-TIME", or null
 * when nothing was there. Close the IDB before. `now`: milliseconds since 1970.
 */
export function setAside(path: string, now: number, reason: AsideReason = "damaged"): string | null {
  const target = asideName(path, now, reason);
  // The database first: SQLite throws away a WAL that it finds beside a new, empty database, but would replay a WAL
  // that a crash left beside a database of another time.
  const present = suffixes.filter((suffix) => existsSync(path + suffix));
  for (const suffix of present) renameSync(path + suffix, target + suffix);
  if (present.length === 0) return null;
  syncDirectory(dirname(path));
  return target;
}

/** A name that nothing has yet. */
export function asideName(path: string, now: number, reason: AsideReason): string {
  const time = new Date(now).toISOString().replace(/[-:]/g, "");
  const wanted = `${path}.${reason}-${time}`;
  let name = wanted;
  for (let attempt = 2; suffixes.some((suffix) => existsSync(name + suffix)); attempt += 1)
    name = `${wanted}-${attempt}`;
  return name;
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
