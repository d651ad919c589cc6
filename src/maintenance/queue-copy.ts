// Copies a persistent queue beside the instance that writes it, segment by segment, so that the copy is one run of
// positions that reaches from before what the copied IDB has applied to what is durable at the end.
//
// 1. What the copied IDB has not applied comes first, oldest first, for retention deletes the oldest first; then what
//    came before, newest first. So the copy has no hole, whatever is deleted meanwhile: it begins later.
// 2. Sealed segments are copied as they are. No hard links: a link is no second copy of the bytes.
// 3. The one that is being written is copied up to its last whole record, and sealed. Everything that a source was told
//    is durable was written whole before, so it is in the copy.

import { join } from "node:path";
import { type Clock, sleep } from "../clock.ts";
import type { Disk, DiskFile } from "../queue/disk.ts";
import { isMissingFile, QueueCorruptError } from "../queue/error.ts";
import {
  encodeSeal,
  readHeader,
  type SegmentHeader,
  type SegmentName,
  segmentStem,
  segmentsAmong,
} from "../queue/segment.ts";
import { type Survey, surveySegment } from "../queue/survey.ts";
import { type CopyOptions, copyHashed, type HashedFile } from "./hashed-copy.ts";

/** Retention deleted what the copy needed before it was copied. */
export class QueueOvertakenError extends Error {
  override readonly name = "QueueOvertakenError";
}

export interface CopiedFile extends HashedFile {
  readonly name: string;
}

export interface QueueCopyOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly from: string;
  /** Exists and is empty. */
  readonly to: string;
  /** The first position that the IDB's copy may lack; null: there is none, and what is there now is enough. */
  readonly neededFrom: bigint | null;
}

// Longer than a write of the largest batch takes, and its page cache.
const rereadAfterMs = 50;
const attemptsMax = 5;
/** Segments, and what a crash or a file on its way left. */
const notBeside = /\.(?:open|segment|new|torn)$/;

export class QueueCopy {
  readonly #options: QueueCopyOptions;
  readonly #neededFrom: bigint;
  readonly #copied = new Map<bigint, CopiedFile>();
  /** Segments before this one are gone, or will be. */
  #oldest = 0n;

  constructor(options: QueueCopyOptions) {
    this.#options = options;
    this.#neededFrom = options.neededFrom ?? this.#list().at(-1)?.firstPosition ?? 1n;
  }

  /** Copies the next sealed segment that is due, or that is needed; false when there is none. */
  async advance({ onlyNeeded = false } = {}): Promise<boolean> {
    const next = this.#nextSealed(onlyNeeded);
    if (next === undefined) return false;
    await this.#copySealed(next.firstPosition);
    return true;
  }

  /** What is left, up to the last whole record, and what is kept beside the segments. Rejects with QueueOvertakenError. */
  async finish(): Promise<readonly CopiedFile[]> {
    while (await this.advance()) {} // one after another
    const names = this.#list();
    for (const [at, { firstPosition }] of names.entries()) {
      if (this.#copied.has(firstPosition) || firstPosition < this.#oldest) continue;
      await this.#copyOpen(firstPosition, names[at + 1]?.firstPosition);
    }
    const beside = await this.#copyBeside();
    await this.#options.disk.syncDirectory(this.#options.to);
    return [...this.#copied.values(), ...beside];
  }

  #list(): SegmentName[] {
    return segmentsAmong(this.#options.disk.list(this.#options.from));
  }

  #nextSealed(onlyNeeded: boolean): SegmentName | undefined {
    const names = this.#list();
    const due = names.filter(
      ({ kind, firstPosition }) =>
        kind === "segment" && !this.#copied.has(firstPosition) && firstPosition >= this.#oldest,
    );
    // The one that holds the first needed position, and all after it.
    const border = names.findLast(({ firstPosition }) => firstPosition <= this.#neededFrom)?.firstPosition ?? 0n;
    return due.find(({ firstPosition }) => firstPosition >= border) ?? (onlyNeeded ? undefined : due.at(-1));
  }

  async #copySealed(firstPosition: bigint): Promise<void> {
    const name = `${segmentStem(firstPosition)}.segment`;
    const file = this.#open(name);
    if (file === undefined) return this.#overtaken(firstPosition);
    try {
      this.#copied.set(firstPosition, { name, ...(await this.#copy(file, name)) });
    } finally {
      file.close();
    }
  }

  /** Retention was faster. Of what the IDB has applied the copy then only begins later. */
  #overtaken(firstPosition: bigint): void {
    const following = [...this.#copied.keys()].filter((each) => each > firstPosition).sort(ascending)[0];
    if (following === undefined || following > this.#neededFrom) {
      throw new QueueOvertakenError(
        `Cannot copy the persistent queue "${this.#options.from}": retention deleted the segment of position ` +
          `${firstPosition} before it was copied, and the copy of the IDB has not all of its rows; try again, or raise ` +
          "[queue] retention_bytes",
      );
    }
    this.#oldest = following;
  }

  async #copyOpen(firstPosition: bigint, nextFirst: bigint | undefined): Promise<void> {
    const stem = segmentStem(firstPosition);
    const file = this.#open(`${stem}.open`);
    if (file === undefined) return this.#copySealed(firstPosition); // sealed since it was listed
    const name = `${stem}.segment`;
    try {
      const path = join(this.#options.from, `${stem}.open`);
      const header = readHeader(file, path);
      if (header === undefined) {
        throw new QueueCorruptError(
          path,
          0,
          "both copies of its header are damaged, so that its records cannot be verified",
        );
      }
      const { lastPosition, endOffset } = await this.#survey(file, header, nextFirst);
      if (lastPosition < firstPosition) return;
      const tail = encodeSeal({ lastPosition, endOffset, sealedMs: file.modifiedMs() }, header.salt);
      this.#copied.set(firstPosition, {
        name,
        ...(await this.#copy(file, name, { part: { bytes: endOffset, tail } })),
      });
    } finally {
      file.close();
    }
  }

  /**
   * What is read while it is written looks like damage when the next write follows before the reading comes there. Read
   * again it is whole; what stays is damage.
   */
  async #survey(file: DiskFile, header: SegmentHeader, nextFirst: bigint | undefined): Promise<Survey> {
    for (let attempt = 1; ; attempt += 1) {
      const survey = surveySegment(file, header, nextFirst);
      if (survey.damage.length === 0 || attempt === attemptsMax) return survey;
      await sleep(this.#options.clock, rereadAfterMs);
    }
  }

  async #copyBeside(): Promise<CopiedFile[]> {
    const { disk, from } = this.#options;
    const copied: CopiedFile[] = [];
    for (const name of disk.list(from)) {
      const [stem] = /^\d{20}(?=\.)/.exec(name) ?? [];
      if (stem === undefined || notBeside.test(name) || !this.#copied.has(BigInt(stem))) continue;
      const file = this.#open(name);
      if (file === undefined) continue; // deleted with its segment
      try {
        copied.push({ name, ...(await this.#copy(file, name)) });
      } finally {
        file.close();
      }
    }
    return copied;
  }

  #copy(file: DiskFile, name: string, options?: CopyOptions): Promise<HashedFile> {
    return copyHashed(this.#options.disk, file, join(this.#options.to, name), options);
  }

  #open(name: string): DiskFile | undefined {
    try {
      return this.#options.disk.open(join(this.#options.from, name));
    } catch (error) {
      if (isMissingFile(error)) return undefined;
      throw error;
    }
  }
}

function ascending(one: bigint, other: bigint): number {
  return one < other ? -1 : 1;
}
