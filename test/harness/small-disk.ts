// A file system in memory with so much room and no more, which only root can mount.

import { mkdirSync, statfsSync } from "node:fs";
import { TemporaryDirectory } from "./processes.ts";

/** It is empty, and gone in the end. */
export class SmallDisk implements Disposable {
  constructor(
    readonly path: string,
    bytes: number,
  ) {
    mkdirSync(path, { mode: 0o700 });
    const { success, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "none", path]);
    if (!success) throw new Error(`Cannot mount a tmpfs at "${path}": ${stderr.toString()}`);
  }

  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", "-l", this.path]);
  }
}

/** Null: it can be had here. */
export function whyNoSmallDisk(): string | null {
  using directory = new TemporaryDirectory("mount");
  try {
    using _disk = new SmallDisk(directory.at("disk"), 1024 * 1024);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
