// The frame around a segment's records: its name, its header, its seal.
//
//   0          512        1024                  headerBytes                        end       end + 64
//   +----------+----------+----------+-- zero --+--------+-- … --+--------+--------+---------+
//   | header   | the same | head     |          | record |       | record |        | seal    |
//   | sector   | again    |          |          |        |       |        |        |         |
//   +----------+----------+----------+----------+--------+-- … --+--------+--------+---------+
//                                                                          ^ zeros up to the allocated length instead
//                                                                            of the seal while the segment is open
//
// 1. The header is in two sectors, each with a checksum over all of it: one damaged sector does not cost a segment.
// 2. The head belongs to the owner and means nothing here. It has a checksum of its own.
// 3. The seal says which position is the last, so that damage at the end never leads to a position being used twice.
// 4. Magic, version and the sector checksum keep their places in every later version, so that a newer one is refused
//    before anything else of it is read.

import { invariant } from "../invariant.ts";
import type { DiskFile } from "./disk.ts";
import { QueueFormatError } from "./error.ts";

export const formatVersion = 1;
export const sectorBytes = 512;
export const sealBytes = 64;

const blockBytes = 4096;
const headOffset = 2 * sectorBytes;
const headerMagic = "PQSEGMNT";
const sealMagic = "PQSEALED";
const checksumBytes = 4;
const headerOffsets = { version: 8, headerBytes: 12, queueId: 16, first: 32, salt: 40, headLength: 44, headCrc: 48 };
const sealOffsets = { salt: 8, last: 16, end: 24, sealedMs: 32 };
const queueIdBytes = 16;

invariant(headOffset < blockBytes, "both header sectors are in the first block");

export interface SegmentHeader {
  /** 32 hexadecimal digits, the same in all segments of a queue. */
  readonly queueId: string;
  readonly firstPosition: bigint;
  /** Seeds the checksums of this file's records. */
  readonly salt: number;
  /** Where the records begin. */
  readonly headerBytes: number;
  /** The owner's state before the first record; undefined when it is damaged. */
  readonly head: Uint8Array | undefined;
  /** The second header sector stood in for a damaged first, or is itself damaged. */
  readonly isDamaged: boolean;
}

export interface SegmentSeal {
  readonly lastPosition: bigint;
  /** Where the records end and the seal begins. */
  readonly endOffset: number;
  /** When the segment was sealed, or, after a crash, last written; milliseconds since 1970 UTC. */
  readonly sealedMs: number;
}

export type SegmentKind = "open" | "segment";

export interface SegmentName {
  readonly file: string;
  readonly kind: SegmentKind;
  readonly firstPosition: bigint;
}

const segmentFile = /^(\d{20})\.(open|segment)$/;

/** What names a segment and everything that is kept beside it and deleted with it. */
export function segmentStem(firstPosition: bigint): string {
  return firstPosition.toString().padStart(20, "0");
}

/** The segments among the files of a directory, oldest first; of an open and a sealed one of the same stem the sealed. */
export function segmentsAmong(files: readonly string[]): SegmentName[] {
  const byStem = new Map<string, SegmentName>();
  for (const file of files) {
    const [, stem, kind] = segmentFile.exec(file) ?? [];
    if (stem === undefined || (kind !== "open" && kind !== "segment")) continue;
    if (kind === "open" && byStem.has(stem)) continue;
    byStem.set(stem, { file, kind, firstPosition: BigInt(stem) });
  }
  return [...byStem.values()].sort((a, b) => (a.firstPosition < b.firstPosition ? -1 : 1));
}

export interface SegmentStart {
  readonly queueId: string;
  readonly firstPosition: bigint;
  readonly salt: number;
  readonly head: Uint8Array;
}

export function encodeHeader({ queueId, firstPosition, salt, head }: SegmentStart): Uint8Array {
  const headerBytes = Math.ceil((headOffset + head.length) / blockBytes) * blockBytes;
  const bytes = new Uint8Array(headerBytes);
  bytes.set(head, headOffset);
  const view = new DataView(bytes.buffer);
  writeText(bytes, headerMagic);
  view.setUint32(headerOffsets.version, formatVersion, true);
  view.setUint32(headerOffsets.headerBytes, headerBytes, true);
  bytes.set(Uint8Array.fromHex(queueId), headerOffsets.queueId);
  view.setBigUint64(headerOffsets.first, firstPosition, true);
  view.setUint32(headerOffsets.salt, salt, true);
  view.setUint32(headerOffsets.headLength, head.length, true);
  view.setUint32(headerOffsets.headCrc, Bun.hash.crc32(bytes.subarray(headOffset), salt), true);
  writeChecksum(bytes.subarray(0, sectorBytes));
  bytes.copyWithin(sectorBytes, 0, sectorBytes);
  return bytes;
}

/**
 * The two header sectors of a segment, as they are when it belongs to the queue with this id; undefined when both are
 * damaged. `sectors`: what the file begins with. Neither head nor records depend on the id.
 */
export function sectorsOfQueue(sectors: Uint8Array, queueId: string): Uint8Array | undefined {
  const intact = [sectors.subarray(0, sectorBytes), sectors.subarray(sectorBytes, headOffset)].find(
    (sector) => hasChecksum(sector) && versionOf(sector) === formatVersion,
  );
  if (intact === undefined) return undefined;
  const bytes = new Uint8Array(headOffset);
  bytes.set(intact);
  bytes.set(Uint8Array.fromHex(queueId), headerOffsets.queueId);
  writeChecksum(bytes.subarray(0, sectorBytes));
  bytes.copyWithin(sectorBytes, 0, sectorBytes);
  return bytes;
}

/**
 * Reads the header of an open file, from outside in: not ours, too new (both QueueFormatError, for nothing may be
 * touched then), damaged (undefined).
 */
export function readHeader(file: DiskFile, name: string): SegmentHeader | undefined {
  const sectors = new Uint8Array(headOffset);
  file.read(sectors, 0);
  const first = sectors.subarray(0, sectorBytes);
  const second = sectors.subarray(sectorBytes);
  const isFirstIntact = hasChecksum(first) && versionOf(first) === formatVersion;
  const isSecondIntact = hasChecksum(second) && versionOf(second) === formatVersion;
  if (!isFirstIntact && !isSecondIntact) {
    refuseForeign(first, second, name);
    return undefined;
  }
  const sector = isFirstIntact ? first : second;
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  const salt = view.getUint32(headerOffsets.salt, true);
  const headerBytes = view.getUint32(headerOffsets.headerBytes, true);
  const rest = new Uint8Array(headerBytes - headOffset);
  const isHeadIntact =
    file.read(rest, headOffset) === rest.length &&
    Bun.hash.crc32(rest, salt) === view.getUint32(headerOffsets.headCrc, true);
  return {
    queueId: sector.subarray(headerOffsets.queueId, headerOffsets.queueId + queueIdBytes).toHex(),
    firstPosition: view.getBigUint64(headerOffsets.first, true),
    salt,
    headerBytes,
    head: isHeadIntact ? rest.subarray(0, view.getUint32(headerOffsets.headLength, true)) : undefined,
    isDamaged: !isFirstIntact || !isSecondIntact || !isHeadIntact,
  };
}

function refuseForeign(first: Uint8Array, second: Uint8Array, name: string): void {
  for (const sector of [first, second]) {
    // A flipped bit cannot pass for a newer version: it would have to keep the sector's checksum.
    if (!hasMagic(sector, headerMagic) || !hasChecksum(sector)) continue;
    throw new QueueFormatError(
      name,
      `its format is version ${versionOf(sector)}, too new for this program, which reads up to ${formatVersion}; ` +
        "nothing was changed, use the program that wrote it or a later one",
    );
  }
  if (!hasMagic(first, headerMagic) && !hasMagic(second, headerMagic) && !isZero(first)) {
    throw new QueueFormatError(
      name,
      `it does not begin with "${headerMagic}"; expected a segment of a persistent queue; move the file elsewhere`,
    );
  }
}

function versionOf(sector: Uint8Array): number {
  return new DataView(sector.buffer, sector.byteOffset).getUint32(headerOffsets.version, true);
}

export function encodeSeal({ lastPosition, endOffset, sealedMs }: SegmentSeal, salt: number): Uint8Array {
  const bytes = new Uint8Array(sealBytes);
  const view = new DataView(bytes.buffer);
  writeText(bytes, sealMagic);
  view.setUint32(sealOffsets.salt, salt, true);
  view.setBigUint64(sealOffsets.last, lastPosition, true);
  view.setBigUint64(sealOffsets.end, BigInt(endOffset), true);
  view.setFloat64(sealOffsets.sealedMs, sealedMs, true);
  writeChecksum(bytes);
  return bytes;
}

/** The seal at `offset`; undefined when none of this file is there, or it is damaged. */
export function readSeal(file: DiskFile, offset: number, salt: number): SegmentSeal | undefined {
  const bytes = new Uint8Array(sealBytes);
  if (offset < 0 || file.read(bytes, offset) < sealBytes) return undefined;
  if (!hasMagic(bytes, sealMagic) || !hasChecksum(bytes)) return undefined;
  const view = new DataView(bytes.buffer);
  const endOffset = Number(view.getBigUint64(sealOffsets.end, true));
  if (view.getUint32(sealOffsets.salt, true) !== salt || endOffset !== offset) return undefined;
  return {
    lastPosition: view.getBigUint64(sealOffsets.last, true),
    endOffset,
    sealedMs: view.getFloat64(sealOffsets.sealedMs, true),
  };
}

function writeText(bytes: Uint8Array, text: string): void {
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
}

function hasMagic(bytes: Uint8Array, magic: string): boolean {
  for (let at = 0; at < magic.length; at++) if (bytes[at] !== magic.charCodeAt(at)) return false;
  return true;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The last four bytes of a sector or seal are the checksum of all before them. */
function writeChecksum(bytes: Uint8Array): void {
  const end = bytes.length - checksumBytes;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, Bun.hash.crc32(bytes.subarray(0, end)), true);
}

function hasChecksum(bytes: Uint8Array): boolean {
  const end = bytes.length - checksumBytes;
  const written = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  return !isZero(bytes) && Bun.hash.crc32(bytes.subarray(0, end)) === written;
}
