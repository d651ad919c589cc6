// What the queue's owner keeps beside a segment, under the segment's digits: written whole or not at all, and deleted
// with the segment (segment-chain.ts, recovery.ts). What is in it means nothing here.

import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";
import { isMissingFile } from "./error.ts";
import { segmentStem } from "./segment.ts";

/** One file beside one segment. */
export interface BesideSegment {
  readonly disk: Disk;
  readonly directory: string;
  /** Of the segment. */
  readonly firstPosition: bigint;
  /** What the name ends with, without the dot; not one that the queue itself uses (open, segment, new, torn). */
  readonly suffix: string;
}

export function pathBeside({ directory, firstPosition, suffix }: BesideSegment): string {
  return join(directory, `${segmentStem(firstPosition)}.${suffix}`);
}

/**
 * Resolves when bytes and name are on disk; what was there under the name is replaced. Rejects with what the disk says,
 * and then nothing half is under the name.
 */
export async function writeBeside(place: BesideSegment, bytes: Uint8Array): Promise<void> {
  const { disk, directory } = place;
  const path = pathBeside(place);
  const file = disk.create(`${path}.new`);
  try {
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    file.close();
  }
  await disk.rename(`${path}.new`, path);
  await disk.syncDirectory(directory);
}

/** All of it; undefined when there is none. */
export function readBeside(place: BesideSegment): Uint8Array | undefined {
  let file: DiskFile;
  try {
    file = place.disk.open(pathBeside(place));
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
  try {
    const bytes = new Uint8Array(file.size());
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}
