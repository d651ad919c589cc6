// Finds the intact records of one segment file, in order or after damage. It knows nothing of what should be there; that
// is judged by survey.ts (at a start) and reader.ts (afterwards).

import type { DiskFile } from "./disk.ts";
import { isIntact, lengthMask, readLengthWord, readPosition, recordBytesMax, recordHeaderBytes } from "./record.ts";

export interface ScannedRecord {
  readonly position: bigint;
  /** In bytes from the beginning of the file. */
  readonly offset: number;
  /** Where the next record begins. */
  readonly endOffset: number;
  /** Everything below this position was durable when this record was written. */
  readonly isWriteStart: boolean;
  /** Shares the scanner's memory: valid until the scanner reads from the file again. */
  readonly payload: Uint8Array;
}

/** Both inclusive. */
interface Positions {
  readonly from: bigint;
  readonly to: bigint;
}

// What a disk writes to the wrong place is a sector or some pages.
const strayBytesMax = 64 * 1024;

// Small enough that following a live queue record by record does not copy much for nothing.
export const readAheadBytesMin = 64 * 1024;

export class RecordScanner {
  /** How much is read from the file at once; a longer record is still read whole. */
  readAheadBytes = readAheadBytesMin;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #length = 0;

  constructor(
    private readonly file: DiskFile,
    private readonly salt: number,
  ) {}

  /** The intact record that begins at `offset`, if there is one. */
  recordAt(offset: number): ScannedRecord | undefined {
    if (!this.#hold(offset, recordHeaderBytes)) return undefined;
    const length = readLengthWord(this.#view, offset - this.#start) & lengthMask;
    if (length === 0 || length > recordBytesMax) return undefined;
    if (!this.#hold(offset, recordHeaderBytes + length)) return undefined;
    const at = offset - this.#start;
    if (!isIntact(this.#view, at, length, this.salt)) return undefined;
    return {
      position: readPosition(this.#view, at),
      offset,
      endOffset: offset + recordHeaderBytes + length,
      isWriteStart: readLengthWord(this.#view, at) > lengthMask,
      payload: this.#bytes.subarray(at + recordHeaderBytes, at + recordHeaderBytes + length),
    };
  }

  /**
   * The first intact record at or after `offset` whose position is within the bounds, both inclusive. One that a write gone
   * astray has put there is passed over: soon behind it, lower positions follow.
   */
  find(offset: number, bounds: Positions): ScannedRecord | undefined {
    let found = this.#findIntact(offset, bounds);
    while (found !== undefined) {
      const at = found.offset;
      const lower = this.#lowerBehind(found, bounds);
      if (lower === undefined) return this.recordAt(at);
      found = lower;
    }
    return undefined;
  }

  /** What follows the unbroken run of records that begins with this one, if it has a lower position and comes soon. */
  #lowerBehind(first: ScannedRecord, bounds: Positions): ScannedRecord | undefined {
    const endOffset = first.endOffset + strayBytesMax;
    let last = first;
    while (last.endOffset < endOffset) {
      const next = this.recordAt(last.endOffset);
      if (next === undefined || next.position <= last.position) break;
      last = next;
    }
    if (last.endOffset >= endOffset) return undefined;
    const { position } = last;
    const behind = this.#findIntact(last.endOffset, bounds, last.endOffset + recordBytesMax);
    return behind !== undefined && behind.position <= position ? behind : undefined;
  }

  #findIntact(offset: number, bounds: Positions, endOffset = Number.POSITIVE_INFINITY): ScannedRecord | undefined {
    for (let at = offset; at < endOffset && this.#hold(at, recordHeaderBytes); ) {
      const within = at - this.#start;
      const length = readLengthWord(this.#view, within) & lengthMask;
      if (length === 0 || length > recordBytesMax) {
        // Two zero words: the next four offsets begin with a zero length as well.
        at += length === 0 && this.#view.getUint32(within + 8, true) === 0 ? 5 : 1;
        continue;
      }
      const position = readPosition(this.#view, within);
      if (position >= bounds.from && position <= bounds.to) {
        const record = this.recordAt(at);
        if (record !== undefined) return record;
      }
      at += 1;
    }
    return undefined;
  }

  /** True when `recordAt(offset)` will not read from the file, so that payloads given out before stay valid. */
  holds(offset: number): boolean {
    if (!this.#isHeld(offset, recordHeaderBytes)) return false;
    const length = readLengthWord(this.#view, offset - this.#start) & lengthMask;
    return length <= recordBytesMax && this.#isHeld(offset, recordHeaderBytes + length);
  }

  /** Forgets what was read, since the file may have grown meanwhile. */
  forget(): void {
    this.#length = 0;
  }

  #isHeld(offset: number, bytes: number): boolean {
    return offset >= this.#start && offset + bytes <= this.#start + this.#length;
  }

  // Makes the window hold the bytes; false when the file ends before them.
  #hold(offset: number, bytes: number): boolean {
    if (this.#isHeld(offset, bytes)) return true;
    const wanted = Math.max(bytes, Math.min(this.readAheadBytes, this.file.size() - offset));
    if (this.#bytes.length < wanted) {
      this.#bytes = new Uint8Array(wanted);
      this.#view = new DataView(this.#bytes.buffer);
    }
    this.#start = offset;
    this.#length = this.file.read(this.#bytes.subarray(0, wanted), offset);
    return this.#isHeld(offset, bytes);
  }
}
