// One record of a segment.
//
//   0        4        8                 16
//   +--------+--------+-----------------+----------- … -----------+
//   | crc32  | length | position        | payload                 |     little-endian, no padding
//   +--------+--------+-----------------+----------- … -----------+
//
// 1. crc32 covers all that follows it, the length too, and is seeded with the segment's salt, so that a record left over
//    from another file on the same blocks, or one inside a payload, is not taken for ours.
// 2. The length is that of the payload. It is held against its bound before use, and 0 is never written.
// 3. The top bit of the length says: first record of its write. A write begins only after the fdatasync of the one
//    before it has returned, so that everything below such a position was durable when it was written. That is how a
//    torn tail and a damaged record are told apart (see survey.ts).
// 4. Positions rise by one.

export const recordHeaderBytes = 16;

// A frame of 1 MiB, the bound of the longest wire language, with room for the envelope around it. Part of the format:
// a reader takes nothing longer for a record.
export const recordBytesMax = 1024 * 1024 + 64 * 1024;

export const writeStartFlag = 0x8000_0000;
export const lengthMask = 0x7fff_ffff;

const checksumOffset = 0;
const lengthOffset = 4;
const positionOffset = 8;

/** Appends encoded records one behind the other; the memory is used again from write to write. */
export class RecordBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes put so far. */
  get length(): number {
    return this.#length;
  }

  get capacity(): number {
    return this.#bytes.length;
  }

  /** What was put so far; shares the buffer's memory. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Gives the memory back at once; the buffer is not used again. */
  release(): void {
    this.#bytes.buffer.transfer(0);
  }

  /** Copies one record in, its payload in two pieces. The first after `clear` is marked as the first of its write. */
  put(head: Uint8Array, body: Uint8Array, position: bigint, salt: number): void {
    const at = this.#length;
    const payloadAt = at + recordHeaderBytes;
    const payloadBytes = head.length + body.length;
    const end = payloadAt + payloadBytes;
    if (end > this.#bytes.length) this.#grow(end);
    const lengthWord = at === 0 ? (payloadBytes | writeStartFlag) >>> 0 : payloadBytes;
    this.#view.setUint32(at + lengthOffset, lengthWord, true);
    this.#view.setBigUint64(at + positionOffset, position, true);
    this.#bytes.set(head, payloadAt);
    this.#bytes.set(body, payloadAt + head.length);
    const checksum = Bun.hash.crc32(this.#bytes.subarray(at + lengthOffset, end), salt);
    this.#view.setUint32(at + checksumOffset, checksum, true);
    this.#length = end;
  }

  #grow(needed: number): void {
    // The old buffer's memory is given back at once: under load, what waits for a collection is many times what is used.
    this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(Math.max(needed, this.#bytes.length * 2)));
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** Reads the fields of the record at `at` of a window, none of them verified. */
export function readLengthWord(window: DataView, at: number): number {
  return window.getUint32(at + lengthOffset, true);
}

export function readPosition(window: DataView, at: number): bigint {
  return window.getBigUint64(at + positionOffset, true);
}

/** True when the checksum of the record of `length` payload bytes at `at` is that of its bytes. */
export function isIntact(window: DataView<ArrayBuffer>, at: number, length: number, salt: number): boolean {
  const covered = new Uint8Array(
    window.buffer,
    window.byteOffset + at + lengthOffset,
    recordHeaderBytes - lengthOffset + length,
  );
  return Bun.hash.crc32(covered, salt) === window.getUint32(at + checksumOffset, true);
}
