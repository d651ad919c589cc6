// Cuts the byte stream of the link into lines. LF ends a line, a CR before it is tolerated, an empty line is nothing.
// A line over the bound is kept up to the bound and said to be cut; the rest of it is skipped, so memory stays bounded.

import { lineBytesMax } from "./line.ts";

export interface Line {
  /** May share memory with the chunk it came in. */
  readonly bytes: Uint8Array;
  readonly isCut: boolean;
}

const lf = 0x0a;
const cr = 0x0d;

export class LineFramer {
  // The beginning of a line whose end has not come yet.
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #isCut = false;

  /**
   * The lines that end in the chunk, one when it is asked for: of half a MiB of tiny ones, all at once would be some
   * hundred times as large. Whoever does not read on to the end must push nothing more.
   */
  *push(chunk: Uint8Array): Generator<Line, void, undefined> {
    let from = 0;
    for (let end = chunk.indexOf(lf); end !== -1; end = chunk.indexOf(lf, from)) {
      const line = this.#end(chunk.subarray(from, end));
      if (line !== null) yield line;
      from = end + 1;
    }
    // A copy (a Buffer's own slice is none): a view of the rest would keep the whole chunk in memory.
    if (from < chunk.length) this.#keep(new Uint8Array(chunk.subarray(from)));
  }

  /** Bytes of a line that is not finished. */
  get pendingBytes(): number {
    return this.#partBytes;
  }

  #end(rest: Uint8Array): Line | null {
    let bytes = rest;
    let isCut = rest.length > lineBytesMax;
    if (this.#partBytes > 0) {
      this.#keep(rest);
      bytes = Buffer.concat(this.#parts);
      isCut = this.#isCut;
      this.#parts = [];
      this.#partBytes = 0;
      this.#isCut = false;
    } else if (isCut) {
      bytes = rest.subarray(0, lineBytesMax);
    }
    if (!isCut && bytes.at(-1) === cr) bytes = bytes.subarray(0, bytes.length - 1);
    return bytes.length > 0 ? { bytes, isCut } : null;
  }

  #keep(bytes: Uint8Array): void {
    const room = lineBytesMax - this.#partBytes;
    if (bytes.length > room) this.#isCut = true;
    const kept = bytes.length > room ? bytes.subarray(0, room) : bytes;
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#partBytes += kept.length;
  }
}
