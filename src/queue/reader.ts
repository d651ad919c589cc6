// Reads the persistent queue from where it is told to, in another thread or another process than the one that writes.
// It takes no lock and changes nothing; segments may be begun, sealed and trimmed while it reads.
//
// Positions decide, not files: which records there must be is known from the durable position that the writer published.
// So a record that cannot be read at or below it is damage, never a reason to wait.

import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";
import { isMissingFile, QueueFormatError } from "./error.ts";
import { RecordScanner, readAheadBytesMin } from "./scanner.ts";
import {
  readHeader,
  readSeal,
  type SegmentHeader,
  type SegmentName,
  sealBytes,
  segmentStem,
  segmentsAmong,
} from "./segment.ts";
import { type Survey, surveySegment } from "./survey.ts";

export type ReadOutcome =
  | {
      readonly kind: "record";
      readonly position: bigint;
      /** Shares memory with the reader: valid until the next call of `read`. */
      readonly payload: Uint8Array;
      /** Of the segment the record is in. */
      readonly segmentSalt: number;
      readonly segmentFirstPosition: bigint;
    }
  | {
      readonly kind: "damaged";
      /** First and last position that cannot be read. */
      readonly from: bigint;
      readonly to: bigint;
      /** Path of the file in question. */
      readonly segment: string;
      /** Where in it, in bytes. */
      readonly offset: number;
      readonly reason: DamageReason;
    };

export type DamageReason =
  | "checksum" // the bytes are not those that were written
  | "segment header" // both copies damaged: nothing in the segment can be verified
  | "trimmed"; // deleted by retention before it was read

export interface ReadBounds {
  /** Bounds on what one call returns; one record is returned even when it is larger. */
  readonly recordsMax: number;
  readonly bytesMax: number;
}

export interface SegmentDescription {
  readonly path: string;
  readonly isOpen: boolean;
  readonly bytes: number;
  readonly firstPosition: bigint;
  /** Undefined when both copies of the header are damaged. */
  readonly salt: number | undefined;
  /** The owner's state before the first record; undefined when damaged. */
  readonly head: Uint8Array | undefined;
}

export interface QueueDescription {
  /** Undefined while the queue has no segment. */
  readonly queueId: string | undefined;
  /** Oldest position still there; undefined while the queue has no segment. */
  readonly firstPosition: bigint | undefined;
  /** Oldest first. */
  readonly segments: readonly SegmentDescription[];
}

interface Cursor {
  readonly path: string;
  readonly file: DiskFile;
  readonly header: SegmentHeader;
  readonly scanner: RecordScanner;
  offset: number;
  /** Position of the record that should begin at `offset`. */
  expected: bigint;
}

const readAheadBytesMax = 1024 * 1024;
const listingAttemptsMax = 100;

export class QueueReader {
  readonly #disk: Disk;
  readonly #directory: string;
  #cursor: Cursor | undefined;
  #next = 1n;

  constructor({ disk, directory }: { readonly disk: Disk; readonly directory: string }) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** The position that is read next. */
  get position(): bigint {
    return this.#next;
  }

  /** The next `read` begins with this position. */
  seek(position: bigint): void {
    this.#next = position;
    this.close();
  }

  /** Lets go of the file; reading can go on all the same. */
  close(): void {
    this.#cursor?.file.close();
    this.#cursor = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * What follows, in order, up to and including the position `upTo`, which must be durable. It may return less than the
   * bounds allow; an empty array means that all up to `upTo` has been returned. One call never crosses a segment border.
   */
  read(upTo: bigint, bounds: ReadBounds): ReadOutcome[] {
    const outcomes = this.#collect(upTo, bounds);
    this.#adaptReadAhead(upTo, bounds);
    return outcomes;
  }

  /** The segments there are; heads are copies. Throws QueueFormatError on what is not ours. */
  describe(): QueueDescription {
    const segments: SegmentDescription[] = [];
    let queueId: string | undefined;
    for (const name of this.#list()) {
      const opened = this.#open(name);
      if (opened === undefined) continue; // trimmed since it was listed
      const { path, file, header } = opened;
      queueId ??= header?.queueId;
      segments.push({
        path,
        isOpen: path.endsWith(".open"),
        bytes: file.size(),
        firstPosition: name.firstPosition,
        salt: header?.salt,
        head: header?.head,
      });
      file.close();
    }
    return { queueId, firstPosition: segments[0]?.firstPosition, segments };
  }

  /** The segment that holds the position, or would; undefined when it is older than the queue, or the header damaged. */
  segmentAt(
    position: bigint,
  ): { readonly salt: number; readonly firstPosition: bigint; readonly head: Uint8Array | undefined } | undefined {
    const name = this.#list().findLast(({ firstPosition }) => firstPosition <= position);
    const opened = name && this.#open(name);
    opened?.file.close();
    const header = opened?.header;
    return header && { salt: header.salt, firstPosition: header.firstPosition, head: header.head };
  }

  /**
   * The last position that can be read without the writer's word, for who looks in from outside: up to the first record
   * that may still be in the writing. Looks through the newest segment; 0 when the queue has no record.
   */
  lastWholePosition(): bigint {
    return this.#surveyNewest(({ lastPosition }) => lastPosition);
  }

  /**
   * The last position that is known to be durable without the writer's word, for who must not be ahead of the queue after
   * a power cut. While something writes that is a little less than it knows of.
   */
  lastDurablePosition(): bigint {
    return this.#surveyNewest((survey, { file, header }) => {
      // A seal is written when everything before it is durable, and says where that ends.
      const seal = readSeal(file, file.size() - sealBytes, header.salt);
      return seal?.lastPosition ?? survey.durablePosition;
    });
  }

  #surveyNewest(
    position: (survey: Survey, of: { readonly file: DiskFile; readonly header: SegmentHeader }) => bigint,
  ): bigint {
    const name = this.#list().at(-1);
    const opened = name && this.#open(name);
    if (name === undefined || opened === undefined) return 0n;
    try {
      const { file, header } = opened;
      if (header === undefined) return name.firstPosition - 1n;
      return position(surveySegment(file, header), { file, header });
    } finally {
      opened.file.close();
    }
  }

  #collect(upTo: bigint, bounds: ReadBounds): ReadOutcome[] {
    const outcomes: ReadOutcome[] = [];
    let bytes = 0;
    let hasReread = false;
    while (this.#next <= upTo && outcomes.length < bounds.recordsMax && bytes < bounds.bytesMax) {
      const cursor = this.#cursor ?? this.#locate(upTo, outcomes);
      if (cursor === undefined) return outcomes;
      if (outcomes.length > 0 && !cursor.scanner.holds(cursor.offset)) return outcomes;
      const record = cursor.scanner.recordAt(cursor.offset);
      if (record !== undefined && record.position <= cursor.expected) {
        cursor.offset = record.endOffset;
        cursor.expected = record.position + 1n;
        if (record.position < this.#next) continue;
        this.#next = cursor.expected;
        bytes += record.payload.length;
        outcomes.push({
          kind: "record",
          position: record.position,
          payload: record.payload,
          segmentSalt: cursor.header.salt,
          segmentFirstPosition: cursor.header.firstPosition,
        });
        continue;
      }
      // From here on the file is read anew, which payloads already given out would not survive.
      if (outcomes.length > 0) return outcomes;
      if (hasReread) this.#passDamage(cursor, upTo, outcomes);
      else cursor.scanner.forget(); // the window may be from before the record was written
      hasReread = !hasReread;
    }
    return outcomes;
  }

  // The cursor at the segment that holds the next position. Pushes an outcome, and returns nothing or goes on, for
  // positions that no segment holds any more.
  #locate(upTo: bigint, outcomes: ReadOutcome[]): Cursor | undefined {
    for (let attempt = 0; attempt < listingAttemptsMax; attempt++) {
      const names = this.#list();
      const oldest = names[0];
      if (oldest === undefined) return undefined;
      if (this.#next < oldest.firstPosition) {
        this.#lose(outcomes, {
          to: smaller(oldest.firstPosition - 1n, upTo),
          segment: join(this.#directory, segmentStem(this.#next)),
          offset: 0,
          reason: "trimmed",
        });
        return undefined;
      }
      const at = names.findLastIndex(({ firstPosition }) => firstPosition <= this.#next);
      const name = names[at];
      const opened = name && this.#open(name);
      if (name === undefined || opened === undefined) continue; // sealed or trimmed since it was listed
      const { path, file, header } = opened;
      if (header === undefined) {
        file.close();
        const nextFirst = names[at + 1]?.firstPosition;
        const to = nextFirst === undefined ? upTo : smaller(nextFirst - 1n, upTo);
        this.#lose(outcomes, { to, segment: path, offset: 0, reason: "segment header" });
        return undefined;
      }
      const scanner = new RecordScanner(file, header.salt);
      const { headerBytes: offset, firstPosition: expected } = header;
      this.#cursor = { path, file, header, scanner, offset, expected };
      return this.#cursor;
    }
    throw new Error(`Cannot open the segment of position ${this.#next}: it was renamed each time it was looked for`);
  }

  // There is no good record where the next one should be: the segment has ended, or records are lost.
  #passDamage(cursor: Cursor, upTo: bigint, outcomes: ReadOutcome[]): void {
    const following = this.#list().find(({ firstPosition }) => firstPosition > cursor.header.firstPosition);
    const nextFirst = following?.firstPosition;
    if (nextFirst !== undefined && nextFirst <= cursor.expected) {
      this.close();
      return;
    }
    const to = nextFirst === undefined ? upTo : smaller(nextFirst - 1n, upTo);
    const found = cursor.scanner.find(cursor.offset, { from: cursor.expected, to });
    const { path: segment, offset } = cursor;
    const lastLost = found === undefined ? to : found.position - 1n;
    if (lastLost >= this.#next) this.#lose(outcomes, { to: lastLost, segment, offset, reason: "checksum" });
    cursor.expected = lastLost + 1n;
    // Nothing found: the place of the next record is not known, and it will be searched from here.
    if (found !== undefined) cursor.offset = found.offset;
  }

  #lose(
    outcomes: ReadOutcome[],
    lost: { readonly to: bigint; readonly segment: string; readonly offset: number; readonly reason: DamageReason },
  ): void {
    outcomes.push({ kind: "damaged", from: this.#next, ...lost });
    this.#next = lost.to + 1n;
  }

  // Far behind, much is read at once; at the end of the queue, little, since only the new records matter.
  #adaptReadAhead(upTo: bigint, { bytesMax }: ReadBounds): void {
    const scanner = this.#cursor?.scanner;
    if (scanner === undefined) return;
    const most = Math.max(readAheadBytesMin, Math.min(readAheadBytesMax, bytesMax));
    scanner.readAheadBytes = this.#next > upTo ? readAheadBytesMin : most;
  }

  #list(): SegmentName[] {
    try {
      return segmentsAmong(this.#disk.list(this.#directory));
    } catch (error) {
      if (isMissingFile(error)) return [];
      throw error;
    }
  }

  // An open segment may have been sealed since it was listed, and a sealed one trimmed: undefined then.
  #open({ file: name, firstPosition }: SegmentName) {
    for (const each of new Set([name, `${segmentStem(firstPosition)}.segment`])) {
      const path = join(this.#directory, each);
      let file: DiskFile;
      try {
        file = this.#disk.open(path);
      } catch (error) {
        if (isMissingFile(error)) continue;
        throw error;
      }
      try {
        const header = readHeader(file, path);
        if (header !== undefined && header.firstPosition !== firstPosition) {
          throw new QueueFormatError(
            path,
            `its header says that it begins with position ${header.firstPosition}; expected that of its name`,
          );
        }
        return { path, file, header };
      } catch (error) {
        file.close();
        throw error;
      }
    }
    return undefined;
  }
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
