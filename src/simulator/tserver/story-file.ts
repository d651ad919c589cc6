// The oracles' files: one JSON object a line, written as it comes to be known, in larger pieces. What is here when the
// process is told to stop is flushed.

import { closeSync, openSync, writeSync } from "node:fs";

const flushCharacters = 65_536;

/** Replaces a file that stands there from an earlier run. Readable by its owner only: stories hold callers' numbers. */
export class StoryFile {
  readonly #descriptor: number;
  #pending = "";

  constructor(path: string) {
    this.#descriptor = openSync(path, "w", 0o600);
  }

  write(line: object): void {
    this.#pending += `${JSON.stringify(line)}\n`;
    if (this.#pending.length >= flushCharacters) this.flush();
  }

  flush(): void {
    let rest: Uint8Array = Buffer.from(this.#pending);
    this.#pending = "";
    while (rest.length > 0) rest = rest.subarray(writeSync(this.#descriptor, rest));
  }

  close(): void {
    this.flush();
    closeSync(this.#descriptor);
  }
}
