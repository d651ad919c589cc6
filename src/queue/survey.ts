// Judges a whole segment file: up to where its records are good, what is damaged before that, what is torn after it.
//
// Damage looks the same whether a power cut left half a write behind or a disk lost a bit years later, and yet the one
// must be cut off and the other kept. What tells them apart: positions that were durable once cannot be torn. The
// highest position that is known to have been durable comes from
//   - the first record of each write, wherever it stands in the file: everything below it was;
//   - the segment that follows: it was begun when everything before it was;
//   - the segment's own first position, likewise.
// Damage at or below it is bit rot and stays where it is; damage above it is a torn tail, and the good part ends there,
// even when intact records follow: a torn write may reach the disk in any order.

import type { DiskFile } from "./disk.ts";
import { RecordScanner } from "./scanner.ts";
import { readSeal, type SegmentHeader, sealBytes } from "./segment.ts";

/** A run of positions whose records cannot be read. */
export interface DamagedStretch {
  /** First and last position lost. */
  readonly from: bigint;
  readonly to: bigint;
  /** Where the damage begins, in bytes from the beginning of the file. */
  readonly offset: number;
}

export interface Survey {
  /** Intact records of the good part. */
  readonly recordCount: number;
  /** Of the last record of the good part; the first position less one when there is none. */
  readonly lastPosition: bigint;
  /** The last position that is known to have been durable; the writer may know of more. */
  readonly durablePosition: bigint;
  /** Where the good part ends. */
  readonly endOffset: number;
  /** Within the good part, in order. */
  readonly damage: readonly DamagedStretch[];
  /** Bytes after the good part that are neither zero nor a seal, up to the last such. */
  readonly tornBytes: number;
}

const surveyReadAheadBytes = 1024 * 1024;
const highestPosition = 0xffff_ffff_ffff_ffffn;

/** `nextFirst` is the first position of the segment that follows, if one does. */
export function surveySegment(file: DiskFile, header: SegmentHeader, nextFirst?: bigint): Survey {
  const scanner = new RecordScanner(file, header.salt);
  scanner.readAheadBytes = surveyReadAheadBytes;
  const dataEnd = endOfData(file, header.headerBytes);
  const highest = nextFirst === undefined ? highestPosition : nextFirst - 1n;

  let durable = header.firstPosition - 1n;
  const damage: (DamagedStretch & { readonly countBefore: number })[] = [];
  let expected = header.firstPosition;
  let offset = header.headerBytes;
  let recordCount = 0;
  while (offset < dataEnd) {
    let record = scanner.recordAt(offset);
    if (record === undefined || record.position !== expected) {
      record = scanner.find(offset, { from: expected, to: highest });
      if (record === undefined) break;
      if (record.position > expected) {
        damage.push({ from: expected, to: record.position - 1n, offset, countBefore: recordCount });
      }
    }
    if (record.isWriteStart && record.position - 1n > durable) durable = record.position - 1n;
    recordCount += 1;
    expected = record.position + 1n;
    offset = record.endOffset;
  }

  if (nextFirst !== undefined) {
    // Nothing here is torn. What is unreadable at the end was durable once and is kept, like any damage; bytes after the
    // last record that must be there are at most a half-written seal.
    const isEndLost = expected < nextFirst;
    const hasSeal = tornBytesAfter(file, header, { endOffset: offset, dataEnd }) === 0;
    return {
      recordCount,
      lastPosition: isEndLost ? nextFirst - 1n : expected - 1n,
      durablePosition: nextFirst - 1n,
      endOffset: isEndLost && !hasSeal ? dataEnd : offset,
      damage: isEndLost ? [...damage, { from: expected, to: nextFirst - 1n, offset }] : damage,
      tornBytes: 0,
    };
  }
  const torn = damage.find((stretch) => stretch.to > durable);
  const endOffset = torn?.offset ?? offset;
  return {
    recordCount: torn?.countBefore ?? recordCount,
    lastPosition: (torn?.from ?? expected) - 1n,
    durablePosition: durable,
    endOffset,
    damage: damage.filter((stretch) => torn === undefined || stretch.offset < torn.offset),
    tornBytes: tornBytesAfter(file, header, { endOffset, dataEnd }),
  };
}

function tornBytesAfter(
  file: DiskFile,
  header: SegmentHeader,
  { endOffset, dataEnd }: { endOffset: number; dataEnd: number },
): number {
  if (dataEnd <= endOffset) return 0;
  // Stopped between sealing and renaming: what follows the records is the seal.
  if (dataEnd <= endOffset + sealBytes && readSeal(file, endOffset, header.salt) !== undefined) return 0;
  return dataEnd - endOffset;
}

// The offset after the last byte that is not zero. A segment is allocated whole, so most of an open one is zeros.
function endOfData(file: DiskFile, from: number): number {
  const chunk = new Uint8Array(surveyReadAheadBytes);
  const zeros = Buffer.alloc(surveyReadAheadBytes);
  for (let end = file.size(); end > from; ) {
    const start = Math.max(from, end - chunk.length);
    const part = chunk.subarray(0, file.read(chunk.subarray(0, end - start), start));
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) {
      return start + part.findLastIndex((byte) => byte !== 0) + 1;
    }
    end = start;
  }
  return from;
}
