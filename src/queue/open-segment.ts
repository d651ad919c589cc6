// The segment that is being written: made, written, sealed. The order of the steps is argued in FORMAT.md.

import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";
import { checkRoom, DiskFullError, isDiskFull } from "./disk-full.ts";
import type { SealedSegment } from "./retention.ts";
import { encodeHeader, encodeSeal, type SegmentStart, sealBytes, segmentStem } from "./segment.ts";

/** A segment that append has decided on; its file is made when its first records are written. */
export interface SegmentPlan extends SegmentStart {
  /** Bytes of records decided on so far. */
  recordBytes: number;
}

export interface SegmentPlace {
  readonly disk: Disk;
  readonly directory: string;
  /** What a new segment leaves free on the disk. */
  readonly reserveBytes: number;
}

export class OpenSegment {
  #endOffset: number;
  #isClosed = false;

  private constructor(
    private readonly place: SegmentPlace,
    readonly plan: SegmentPlan,
    private readonly file: DiskFile,
    headerBytes: number,
    /** Length of the file until it is sealed. */
    readonly allocatedBytes: number,
  ) {
    this.#endOffset = headerBytes;
  }

  /** Once it resolves, the empty segment survives a power cut. `segmentBytes` of records will find their place. */
  static async create(place: SegmentPlace, plan: SegmentPlan, segmentBytes: number): Promise<OpenSegment> {
    const { disk, directory } = place;
    const stem = join(directory, segmentStem(plan.firstPosition));
    const header = encodeHeader(plan);
    const allocatedBytes = header.length + segmentBytes + sealBytes;
    checkRoom(disk, { directory, segmentBytes: allocatedBytes, reserveBytes: place.reserveBytes });
    const file = disk.create(`${stem}.new`);
    try {
      file.allocate(allocatedBytes);
    } catch (error) {
      file.close();
      // What was allocated of it would take from others the room that they need.
      await disk.unlink(`${stem}.new`);
      throw isDiskFull(error) ? new DiskFullError(error.message, { cause: error }) : error;
    }
    try {
      await file.write(header, 0);
      await file.sync();
      await disk.rename(`${stem}.new`, `${stem}.open`);
      await disk.syncDirectory(directory);
    } catch (error) {
      file.close();
      throw error;
    }
    return new OpenSegment(place, plan, file, header.length, allocatedBytes);
  }

  /** Appends whole records, durable once `done` is called with null; see DiskFile.commit. */
  commit(records: Uint8Array, done: (error: Error | null) => void): void {
    this.file.commit(records, this.#endOffset, done);
    this.#endOffset += records.length;
  }

  /** Hears of the commits that have ended. */
  settleCommits(): void {
    this.file.settleCommits();
  }

  /** Ends the segment after `lastPosition`, all of whose records are durable. `close` comes after, as ever. */
  async seal(lastPosition: bigint, sealedMs: number): Promise<SealedSegment> {
    const { disk, directory } = this.place;
    const stem = join(directory, segmentStem(this.plan.firstPosition));
    await this.file.write(
      encodeSeal({ lastPosition, endOffset: this.#endOffset, sealedMs }, this.plan.salt),
      this.#endOffset,
    );
    const bytes = this.#endOffset + sealBytes;
    await this.file.truncate(bytes);
    await this.file.sync();
    await disk.rename(`${stem}.open`, `${stem}.segment`);
    await disk.syncDirectory(directory);
    return { firstPosition: this.plan.firstPosition, lastPosition, bytes, sealedMs };
  }

  /** Lets go of the file; what is in it stays for the next start to judge. */
  close(): void {
    if (!this.#isClosed) this.file.close();
    this.#isClosed = true;
  }
}
