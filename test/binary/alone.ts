// The binary as a site gets it: one file, copied into an empty directory away from any checkout, with an environment
// that knows nothing of one.

import { chmodSync, copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { iconBinary, TemporaryDirectory } from "../harness/processes.ts";

export interface Ending {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class LoneBinary {
  readonly #directory = new TemporaryDirectory("alone");
  /** Where commands run; empty at first. */
  readonly place = this.#directory.at("site");

  private constructor() {
    mkdirSync(this.place);
    mkdirSync(this.#directory.at("tmp"));
  }

  static async make(): Promise<LoneBinary> {
    const lone = new LoneBinary();
    copyFileSync(await iconBinary(), lone.path);
    chmodSync(lone.path, 0o755);
    return lone;
  }

  get path(): string {
    return this.#directory.at("icon");
  }

  at(...names: string[]): string {
    return this.#directory.at("site", ...names);
  }

  files(): string[] {
    return readdirSync(this.place).sort();
  }

  start(words: readonly string[]) {
    return Bun.spawn([this.path, ...words], {
      cwd: this.place,
      // No HOME, no bun on PATH: whatever is found must be in the binary.
      env: { PATH: "/usr/bin:/bin", TMPDIR: this.#directory.at("tmp") },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  }

  async run(words: readonly string[]): Promise<Ending> {
    const child = this.start(words);
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, stdout, stderr };
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

/** The first line a child writes. */
export async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`The child ended before its first line was whole: ${JSON.stringify(text)}`);
    text += decoder.decode(value, { stream: true });
  }
  reader.releaseLock();
  return text.slice(0, text.indexOf("\n"));
}
