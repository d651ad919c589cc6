// Puts a finished IDB in the place of another. At no moment is half a file under the name, and never a WAL of the one
// beside the other.

import { existsSync, linkSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { sizeOf } from "./reading.ts";
import { asideName, setAside, syncDirectory } from "./set-aside.ts";

/**
 * Renames `built` (closed, synced, without a WAL) to `path`; what was there stays as "PATH.replaced-TIME". Returns that
 * name, or null when nothing was there. Hold the lock of `path`. `now`: milliseconds since 1970.
 */
export function putInPlace(built: string, path: string, now: number): string | null {
  const aside = sizeOf(`${path}-wal`) > 0 ? setAside(path, now, "replaced") : linkAside(path, now);
  renameSync(built, path);
  syncDirectory(dirname(path));
  return aside;
}

/**
 * Without a WAL the old one gets its second name first, so that a crash leaves the old or the new one in place. With a
 * WAL that cannot be: the two would have to change names at once. Then a crash between leaves none, which the next start
 * of the instance rebuilds.
 */
function linkAside(path: string, now: number): string | null {
  // What a closed IDB may leave beside it, empty.
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
  if (!existsSync(path)) return null;
  const aside = asideName(path, now, "replaced");
  linkSync(path, aside);
  syncDirectory(dirname(path));
  return aside;
}
