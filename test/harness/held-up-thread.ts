// A thread of a running instance that is slow at writing or hangs there, as on a disk that hardly answers: strace holds
// it up at the entry of each call that writes, and the other threads run on. A process that ends meanwhile is gone only
// when the call that is held up was let go.

import type { Subprocess } from "bun";

/** Reads from one file fail with EIO, in every thread of a process, until it is disposed of. */
export class FailingReads {
  readonly #strace: Subprocess<"ignore", "ignore", "inherit">;

  constructor(pid: number, path: string) {
    const words = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "inject=pread64:error=EIO"];
    this.#strace = Bun.spawn([...words, "-p", String(pid)], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#strace.kill("SIGKILL");
    await this.#strace.exited;
  }
}

/** The thread that writes to a file of this name: the one that strace sees doing it. */
async function threadWriting(pid: number, name: string): Promise<number> {
  const words = ["timeout", "-s", "INT", "2", "strace", "-f", "-qq", "-y", "-e", "trace=pwrite64", "-p", String(pid)];
  const child = Bun.spawn(words, { stdout: "ignore", stderr: "pipe" });
  const text = await new Response(child.stderr).text();
  const [, thread] = new RegExp(`pid +(\\d+)\\] pwrite64\\(\\d+<[^>]*/${name}>`).exec(text) ?? [];
  if (thread === undefined)
    throw new Error(`Cannot tell which thread writes ${name}: strace saw ${text.slice(0, 500)}`);
  return Number(thread);
}

/** A machine may have strace and yet forbid to attach to a process that is not its child (ptrace_scope). */
function whyNot(): string | null {
  if (Bun.which("strace") === null) return "strace is not installed";
  const script = "sleep 60 & timeout -s INT 0.3 strace -qq -o /dev/null -p $!; code=$?; kill $!; exit $code";
  const { exitCode } = Bun.spawnSync(["sh", "-c", script], { stdout: "ignore", stderr: "ignore" });
  return exitCode === 124 ? null : "strace may not attach to a running process";
}

export class HeldUpThread {
  /** Why threads cannot be held up on this machine; null: they can. */
  static readonly whyNot = whyNot();
  readonly #strace: Subprocess<"ignore", "ignore", "inherit">;

  private constructor(strace: Subprocess<"ignore", "ignore", "inherit">) {
    this.#strace = strace;
  }

  /** The thread of process `pid` that writes to files of this name; it must be doing so now. Each call takes `delayMs`. */
  static async hold(pid: number, name: string, delayMs: number): Promise<HeldUpThread> {
    const thread = await threadWriting(pid, name);
    const words = [
      "strace",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      `inject=pwrite64,fdatasync,fsync:delay_enter=${delayMs}ms`,
    ];
    const strace = Bun.spawn([...words, "-p", String(thread)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    return new HeldUpThread(strace);
  }

  /** The thread goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#strace.kill("SIGKILL");
    await this.#strace.exited;
  }
}
