// What an instance wrote, and in which pieces: read from its segments after it has ended. The first record of each write
// carries a flag (src/queue/record.ts), so the commits can be told apart without the instance counting them.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lengthMask, readLengthWord, readPosition, recordHeaderBytes, writeStartFlag } from "../../src/queue/record.ts";
import { segmentsAmong } from "../../src/queue/segment.ts";

/** One segment's. */
export interface Commits {
  /** All records as they stand on disk, one behind the other. */
  readonly bytes: Uint8Array;
  /** Bytes of each write, in order. */
  readonly sizes: readonly number[];
}

// FORMAT.md, header sector: headerBytes at 12.
const headerBytesOffset = 12;

/** Of each segment in order. */
export function readCommits(queueDirectory: string): readonly Commits[] {
  return segmentsAmong(readdirSync(queueDirectory)).map(({ file, firstPosition }) => {
    const sizes: number[] = [];
    const segment = readFileSync(join(queueDirectory, file));
    const view = new DataView(segment.buffer, segment.byteOffset, segment.byteLength);
    const start = view.getUint32(headerBytesOffset, true);
    let at = start;
    let position = firstPosition;
    while (at + recordHeaderBytes <= segment.length && readPosition(view, at) === position) {
      const word = readLengthWord(view, at);
      const bytes = recordHeaderBytes + (word & lengthMask);
      if ((word & writeStartFlag) !== 0) sizes.push(0);
      sizes[sizes.length - 1] = (sizes.at(-1) ?? 0) + bytes;
      at += bytes;
      position += 1n;
    }
    return { bytes: segment.subarray(start, at), sizes };
  });
}
