// One writer only: two would corrupt the IDB. Whoever writes it, the instance or a command that puts another in its
// place, holds the lock beside the file from before the first look at it until the end.

import { dirname } from "node:path";
import type { Disk } from "./queue/disk.ts";

/** Another process has this IDB: an instance that runs, or a command that works on it. */
export class IdbLockedError extends Error {
  override readonly name = "IdbLockedError";
  constructor(
    readonly path: string,
    /** Its process id; empty when it has not said so yet. */
    readonly holder: string,
  ) {
    super(
      `Cannot write IDB "${path}": process ${holder || "?"} does; expected an IDB of its own for each instance, ` +
        "and none running while a command puts another IDB in its place",
    );
  }
}

/** Held until disposed of, or the process ends. Makes the folder. Throws IdbLockedError. */
export async function lockIdb(disk: Disk, path: string): Promise<Disposable> {
  await disk.createDirectory(dirname(path));
  const lock = disk.lock(`${path}.lock`, String(process.pid));
  if (lock.kind === "refused") throw new IdbLockedError(path, lock.holder);
  return { [Symbol.dispose]: () => lock.release() };
}
