// A disk that takes its time: strace holds up every call by which a running instance waits for its disk, in all of its
// threads, until it is disposed of. What is written meanwhile gathers in the instance, as on a real slow disk.

import type { Subprocess } from "bun";
import { HeldUpThread } from "./held-up-thread.ts";

export class SlowSyncs {
  /** Why a disk cannot be made slow on this machine; null: it can. */
  static readonly whyNot = HeldUpThread.whyNot;
  readonly #strace: Subprocess<"ignore", "ignore", "inherit">;

  /** Each fdatasync and fsync of the process takes `delayMs` longer, from a moment after this on. */
  constructor(pid: number, delayMs: number) {
    const calls = "fdatasync,fsync,sync_file_range";
    const inject = `inject=${calls}:delay_enter=${delayMs}ms`;
    const words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject, "-p", String(pid)];
    this.#strace = Bun.spawn(words, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  }

  /** The disk is as fast as ever. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#strace.kill("SIGINT"); // strace lets go of the process
    await this.#strace.exited;
  }
}
