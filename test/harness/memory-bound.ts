// A control group that bounds the memory of the programs started in it, of version 2 or 1, whichever this machine has.
// A program that needs more is killed; the page cache counts too, but gives way.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Hierarchy {
  readonly root: string;
  readonly limit: string;
  readonly peak: string;
}

const hierarchies: readonly Hierarchy[] = [
  { root: "/sys/fs/cgroup", limit: "memory.max", peak: "memory.peak" },
  { root: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", peak: "memory.max_usage_in_bytes" },
];

/** Why no bound can be set here; null: one can. */
export function whyNoMemoryBound(): string | null {
  try {
    using _bound = new MemoryBound(64 * 1024 * 1024);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export class MemoryBound {
  readonly #path: string;
  readonly #hierarchy: Hierarchy;

  /** Throws when this machine has no such groups, or lets us make none. */
  constructor(bytes: number) {
    const name = `icon-test-${process.pid}`;
    for (const hierarchy of hierarchies) {
      const path = join(hierarchy.root, name);
      try {
        mkdirSync(path, { recursive: true });
      } catch {
        continue; // not ours to change
      }
      if (existsSync(join(path, hierarchy.limit))) {
        writeFileSync(join(path, hierarchy.limit), String(bytes));
        this.#path = path;
        this.#hierarchy = hierarchy;
        return;
      }
      rmdirSync(path);
    }
    throw new Error("no control group for memory can be made");
  }

  /** A script at `path` that does as `binary`, within the bound. */
  wrap(binary: string, path: string): string {
    const text = `#!/bin/sh\necho $$ > '${join(this.#path, "cgroup.procs")}' || exit 1\nexec '${binary}' "$@"\n`;
    writeFileSync(path, text, { mode: 0o700 });
    return path;
  }

  /** The most that was in use at once, page cache included. */
  peakBytes(): number {
    return Number(readFileSync(join(this.#path, this.#hierarchy.peak), "utf8"));
  }

  /** After the programs in it have ended. */
  [Symbol.dispose](): void {
    rmdirSync(this.#path);
  }
}

/** The largest resident set that a running process has had, bytes. */
export function residentBytesMax(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kibibytes === undefined) throw new Error(`Cannot tell the resident set of process ${pid}`);
  return Number(kibibytes) * 1024;
}
