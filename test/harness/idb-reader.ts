// Somebody who reads the IDB in one transaction and does not end it: another process, as two SQLite libraries in one
// process would undo each other's locks.

import type { Subprocess } from "bun";

export class IdbReader {
  readonly #child: Subprocess<"pipe", "pipe", "inherit">;

  private constructor(child: Subprocess<"pipe", "pipe", "inherit">) {
    this.#child = child;
  }

  /** Resolves once its transaction has read. */
  static async open(idbPath: string): Promise<IdbReader> {
    const child = Bun.spawn([process.execPath, `${import.meta.dir}/idb-reading.ts`, idbPath], {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await child.stdout.getReader().read();
    const said = new TextDecoder().decode(value);
    if (said !== "reading\n") throw new Error(`Cannot read ${idbPath}: the reader said "${said}"`);
    return new IdbReader(child);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its transaction ends, and it is gone. */
  async end(): Promise<void> {
    await this.#child.stdin.end();
    await this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}
