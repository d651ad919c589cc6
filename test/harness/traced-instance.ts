// An instance whose persistent system calls are counted, and that is killed at a given one of them, or to which the
// system says that it has failed.

import { chmodSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dataDirectoryOf, Instance, type InstanceSetting, iconBinary, TemporaryDirectory } from "./processes.ts";

const tracer = fileURLToPath(new URL("system-call-tracer.ts", import.meta.url));

export interface Strike {
  /** The number of the call that is not done, from 1, among those counted; 0: none. */
  readonly at: number;
  /** What it fails with instead of a kill. */
  readonly errno?: number;
  /** Which calls are counted, as texts like "fsync /queue"; default: all. */
  readonly among?: RegExp;
}

/** Why calls cannot be traced on this machine; null: they can. */
export async function whyNoTracing(): Promise<string | null> {
  if (process.platform !== "linux" || process.arch !== "x64") return "system calls are told apart on x86-64 Linux only";
  if (Bun.which("mkfifo") === null) return "mkfifo is not installed";
  using gate = new Gate("true");
  const child = Bun.spawn([gate.program], { stdin: "ignore" });
  try {
    const tracing = await Tracing.of(child.pid, "/", { at: 0 });
    gate.open();
    await tracing.calls;
    return null;
  } catch (error) {
    child.kill("SIGKILL");
    return error instanceof Error ? error.message : String(error);
  }
}

export class TracedInstance {
  private constructor(
    readonly instance: Instance,
    /**
     * Those counted in its whole life, in the order in which the kernel was asked, the one that was not done included.
     * Resolves when it is over.
     */
    readonly calls: Promise<readonly string[]>,
  ) {}

  static async start(setting: InstanceSetting, strike: Strike): Promise<TracedInstance> {
    using gate = new Gate(await iconBinary());
    const instance = await Instance.start({ ...setting, binary: gate.program });
    const { calls } = await Tracing.of(instance.pid, dataDirectoryOf(setting), strike);
    gate.open();
    return new TracedInstance(instance, calls);
  }
}

/** A program that waits until it is let through, and is the given one from then on, under the same process id. */
class Gate implements Disposable {
  readonly program: string;
  readonly #directory = new TemporaryDirectory("gate");
  readonly #fifo = this.#directory.at("gate");

  constructor(binary: string) {
    Bun.spawnSync(["mkfifo", this.#fifo]);
    this.program = this.#directory.at("program");
    writeFileSync(this.program, `#!/bin/sh\nread -r _ < '${this.#fifo}'\nexec '${binary}' "$@"\n`);
    chmodSync(this.program, 0o755);
  }

  /** Whoever waits has read this when it returns or soon after: the pipe is the only thing that it still needs. */
  open(): void {
    writeFileSync(this.#fifo, "go\n");
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

class Tracing {
  private constructor(readonly calls: Promise<readonly string[]>) {}

  /** Resolves once the process is traced. */
  static async of(pid: number, directory: string, { at, errno = 0, among = /^/ }: Strike): Promise<Tracing> {
    const words = [process.execPath, tracer, String(pid), directory, String(at), String(errno), among.source];
    const child = Bun.spawn(words, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const begun = Promise.withResolvers<void>();
    const calls = readCalls(child.stdout, begun.resolve);
    const failed = calls.then(async () => {
      throw new Error(`Cannot trace system calls: ${await new Response(child.stderr).text()}`);
    });
    await Promise.race([begun.promise, failed]);
    failed.catch(() => {}); // it has begun: its end is no failure
    return new Tracing(calls);
  }
}

/** The first line says that tracing has begun, the last one what was seen. */
async function readCalls(output: ReadableStream<Uint8Array>, begun: () => void): Promise<string[]> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of output) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) begun();
  }
  const [, seen = "[]"] = text.split("\n");
  return JSON.parse(seen === "" ? "[]" : seen) as string[];
}
