// A file that only grows, together with a book that says how much of it counts: what follows was written by somebody who
// died before the book was, and is cut off.

import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "../idb/set-aside.ts";

const encoder = new TextEncoder();
// What waits before it is written: a page of calls.
const pendingCharactersMax = 1024 * 1024;

/** The file is not as the book says. */
export class AppendFileError extends Error {
  override readonly name = "AppendFileError";
}

export class AppendFile {
  readonly #descriptor: number;
  #bytes: number;
  #pending: string[] = [];
  #pendingCharacters = 0;
  #isDirty = false;

  readonly #isBuilding: boolean;

  /**
   * Opens or makes it, its owner's alone, with so many bytes of it. `isBuilding`: nobody needs any of it before it is
   * closed. Throws AppendFileError when it has fewer bytes.
   */
  constructor(path: string, { committedBytes, isBuilding }: { committedBytes: number; isBuilding: boolean }) {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size < committedBytes) {
      throw new AppendFileError(
        `Cannot go on with "${path}": it has ${size} bytes, expected at least the ${committedBytes} that were written; ` +
          "it was cut short or replaced. Use --force to begin anew",
      );
    }
    this.#isBuilding = isBuilding;
    this.#descriptor = openSync(path, "a", 0o600);
    ftruncateSync(this.#descriptor, committedBytes);
    this.#bytes = committedBytes;
    if (size === 0) syncDirectory(dirname(path));
  }

  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#pending.length === 0;
  }

  append(text: string): void {
    this.#pending.push(text);
    this.#pendingCharacters += text.length;
    if (this.#pendingCharacters >= pendingCharactersMax) this.#write();
  }

  /** Everything is on disk when it returns, unless the file is being built; how many bytes that are. */
  sync(): number {
    this.#write();
    if (!this.#isBuilding) this.#toDisk();
    return this.#bytes;
  }

  /** What was synced is on disk when it returns; what was not is forgotten. */
  close(): void {
    this.#pending = [];
    this.#toDisk();
    closeSync(this.#descriptor);
  }

  #toDisk(): void {
    if (this.#isDirty) fsyncSync(this.#descriptor);
    this.#isDirty = false;
  }

  #write(): void {
    const bytes = encoder.encode(this.#pending.join(""));
    this.#pending = [];
    this.#pendingCharacters = 0;
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    this.#bytes += bytes.length;
    this.#isDirty ||= bytes.length > 0;
  }
}
