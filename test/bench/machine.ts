// Where and of what a figure was taken; without that it says nothing.

import { cpus, loadavg, release, totalmem } from "node:os";

export interface Provenance {
  readonly date: string;
  /** Commit of the checkout, with "+ changes" when it was not clean; "unknown" outside of one. */
  readonly commit: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly kernel: string;
    readonly fileSystem: string;
    readonly bun: string;
    /** Runnable processes over the last minute, before the bench began: above the cores, figures suffer. */
    readonly loadBefore: number;
  };
}

export function provenance(directory: string): Provenance {
  const commit = output(["git", "rev-parse", "--short=12", "HEAD"]);
  const isClean = output(["git", "status", "--porcelain"]) === "";
  return {
    date: new Date().toISOString(),
    commit: commit === "" ? "unknown" : isClean ? commit : `${commit} + changes`,
    machine: {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryBytes: totalmem(),
      kernel: release(),
      fileSystem: output(["findmnt", "--noheadings", "--output", "FSTYPE", "--target", directory]),
      bun: Bun.version,
      loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    },
  };
}

function output(command: readonly string[]): string {
  try {
    const { stdout, success } = Bun.spawnSync([...command], { stderr: "ignore", cwd: import.meta.dir });
    return success ? stdout.toString().trim() : "";
  } catch {
    return ""; // not installed
  }
}
