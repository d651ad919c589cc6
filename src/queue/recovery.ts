// What a start finds in the directory, and what it makes of it. FORMAT.md has the table of cases and, for every step, why
// a crash right after it leads to the same end.

import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";
import { DiskFullError, isDiskFull } from "./disk-full.ts";
import { QueueCorruptError } from "./error.ts";
import { recordHeaderBytes } from "./record.ts";
import type { SealedSegment } from "./retention.ts";
import {
  encodeSeal,
  readHeader,
  readSeal,
  type SegmentHeader,
  type SegmentName,
  sealBytes,
  segmentStem,
  segmentsAmong,
} from "./segment.ts";
import { type DamagedStretch, type Survey, surveySegment } from "./survey.ts";

/** new: there was nothing. clean: the last stop was orderly. recovered: it was not. */
export type QueueState = "new" | "clean" | "recovered";

export interface RecoveryReport {
  /** Bytes that a crash left half written, cut off and kept in `tornFiles`. */
  readonly tornBytes: number;
  readonly tornFiles: readonly string[];
  /** Records lost to damage in the segments that were looked through at this start; they are passed over, not cut. */
  readonly damagedRecordCount: number;
  readonly damage: readonly (DamagedStretch & { readonly segment: string })[];
  /** Segments whose header, head or seal is damaged while the records can still be read. */
  readonly damagedSegments: readonly string[];
}

export interface RecoveredDirectory {
  readonly state: QueueState;
  /** Undefined in a new queue. */
  readonly queueId: string | undefined;
  /** Oldest first; all of them sealed now. */
  readonly segments: readonly SealedSegment[];
  readonly nextPosition: bigint;
  /** The newest intact head, and where the records that it knows nothing of begin. */
  readonly head: { readonly bytes: Uint8Array; readonly recordsFrom: bigint } | undefined;
  readonly report: RecoveryReport;
}

const temporary = /^\d{20}\.new$/;
const openSegment = /^\d{20}\.open$/;
const companion = /^\d{20}\./;
const copyBytes = 1024 * 1024;

/** Call with the lock held. Throws QueueFormatError and QueueCorruptError; then nothing that held data was changed. */
export async function recoverDirectory(disk: Disk, directory: string): Promise<RecoveredDirectory> {
  const recovery = new Recovery(disk, directory);
  try {
    return await recovery.run();
  } finally {
    recovery.close();
  }
}

interface Found {
  readonly name: SegmentName;
  readonly path: string;
  readonly file: DiskFile;
  /** Undefined when both header sectors are damaged. */
  readonly header: SegmentHeader | undefined;
}

class Recovery {
  readonly #damage: (DamagedStretch & { segment: string })[] = [];
  readonly #damagedSegments = new Set<string>();
  readonly #tornFiles: string[] = [];
  #tornBytes = 0;
  #found: Found[] = [];

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
  ) {}

  close(): void {
    for (const { file } of this.#found) file.close();
  }

  async run(): Promise<RecoveredDirectory> {
    const files = this.disk.list(this.directory);
    const names = segmentsAmong(files);
    for (const name of names) this.#found.push(this.#look(name));
    const queueId = this.#commonQueueId();

    const unfinished = this.#unfinished(files, names);
    for (const file of new Set([...unfinished, ...this.#orphans(files, names)])) {
      await this.disk.unlink(join(this.directory, file));
      await this.disk.syncDirectory(this.directory);
    }

    const segments: SealedSegment[] = [];
    const heads: { bytes: Uint8Array; recordsFrom: bigint }[] = [];
    for (const [at, found] of this.#found.entries()) {
      const nextFirst = this.#found[at + 1]?.name.firstPosition;
      const sealed =
        found.name.kind === "open" ? await this.#recover(found, nextFirst) : this.#readSealed(found, nextFirst);
      if (sealed === undefined) continue; // held no record, and is gone
      segments.push(sealed);
      const head = found.header?.head;
      if (head !== undefined) heads.push({ bytes: head, recordsFrom: found.name.firstPosition });
    }
    const wasOpen = names.some((name) => name.kind === "open");
    return {
      state: segments.length === 0 ? "new" : wasOpen || unfinished.length > 0 ? "recovered" : "clean",
      queueId: segments.length === 0 ? undefined : queueId,
      segments,
      nextPosition: (segments.at(-1)?.lastPosition ?? 0n) + 1n,
      head: heads.at(-1),
      report: {
        tornBytes: this.#tornBytes,
        tornFiles: this.#tornFiles,
        damagedRecordCount: this.#damage.reduce((count, { from, to }) => count + Number(to - from + 1n), 0),
        damage: this.#damage,
        damagedSegments: [...this.#damagedSegments],
      },
    };
  }

  #look(name: SegmentName): Found {
    const path = join(this.directory, name.file);
    const file = this.disk.open(path);
    try {
      const header = readHeader(file, path);
      if (header !== undefined && header.firstPosition !== name.firstPosition) {
        throw new QueueCorruptError(
          path,
          0,
          `its header says that it begins with position ${header.firstPosition}; expected that of its name`,
        );
      }
      if (header === undefined && name.kind === "open") {
        throw new QueueCorruptError(
          path,
          0,
          "both copies of its header are damaged, so that its records cannot be verified; move the file elsewhere",
        );
      }
      if (header === undefined || header.isDamaged) this.#damagedSegments.add(path);
      return { name, path, file, header };
    } catch (error) {
      file.close();
      throw error;
    }
  }

  #commonQueueId(): string | undefined {
    let common: string | undefined;
    for (const { path, header } of this.#found) {
      if (header === undefined) continue;
      common ??= header.queueId;
      if (header.queueId === common) continue;
      throw new QueueCorruptError(
        path,
        0,
        `it belongs to queue ${header.queueId}, the segments before it to ${common}; move the foreign ones elsewhere`,
      );
    }
    if (common === undefined && this.#found[0] !== undefined) {
      throw new QueueCorruptError(
        this.#found[0].path,
        0,
        "no segment has an intact header, so that the queue's id is unknown; move the files elsewhere",
      );
    }
    return common;
  }

  // Files of a start or roll that did not come to its end.
  #unfinished(files: readonly string[], names: readonly SegmentName[]): string[] {
    const sealed = new Set(names.filter(({ kind }) => kind === "segment").map(({ file }) => stemOf(file)));
    return files.filter((file) => temporary.test(file) || (openSegment.test(file) && sealed.has(stemOf(file))));
  }

  // What was kept beside segments that are no longer there.
  #orphans(files: readonly string[], names: readonly SegmentName[]): string[] {
    const oldest = names[0] === undefined ? "" : stemOf(names[0].file);
    return files.filter((file) => companion.test(file) && stemOf(file) < oldest);
  }

  #readSealed(found: Found, nextFirst: bigint | undefined): SealedSegment {
    const { path, file, header } = found;
    const bytes = file.size();
    const seal = header && readSeal(file, bytes - sealBytes, header.salt);
    if (header !== undefined && seal !== undefined) {
      this.#checkFollows(path, seal.endOffset, seal.lastPosition, nextFirst);
      return {
        firstPosition: header.firstPosition,
        lastPosition: seal.lastPosition,
        bytes,
        sealedMs: seal.sealedMs,
      };
    }
    return this.#judgeUnsealed(found, nextFirst);
  }

  // A sealed segment without its seal or header: something happened to the file since. What must be known of it is where it
  // ends, so that no position is used twice.
  #judgeUnsealed({ name, path, file, header }: Found, nextFirst: bigint | undefined): SealedSegment {
    this.#damagedSegments.add(path);
    const { firstPosition } = name;
    const bytes = file.size();
    const sealedMs = file.modifiedMs();
    if (header === undefined) {
      if (nextFirst === undefined) {
        throw new QueueCorruptError(
          path,
          0,
          "both copies of the newest segment's header are damaged, so that the next position is unknown; " +
            "move the file elsewhere",
        );
      }
      this.#damage.push({ from: firstPosition, to: nextFirst - 1n, offset: 0, segment: path });
      return { firstPosition, lastPosition: nextFirst - 1n, bytes, sealedMs };
    }
    const survey = surveySegment(file, header, nextFirst);
    this.#checkFollows(path, survey.endOffset, survey.lastPosition, nextFirst);
    this.#noteDamage(path, survey);
    // More bytes than the seal's follow the last good record: as many records as fit there may have been. Their positions
    // are given up.
    const unreadable = survey.tornBytes > sealBytes ? Math.ceil(survey.tornBytes / (recordHeaderBytes + 1)) : 0;
    const lastPosition = survey.lastPosition + BigInt(unreadable);
    if (unreadable > 0) {
      this.#damage.push({ from: survey.lastPosition + 1n, to: lastPosition, offset: survey.endOffset, segment: path });
    }
    return { firstPosition, lastPosition, bytes, sealedMs };
  }

  /**
   * Copies the good part of an open segment to a sealed one. Copied, not sealed in place: after a failed fsync the kernel
   * may show pages that never reached the disk; what is read here and written to a new file does reach it.
   */
  async #recover(
    { name, path, file, header }: Found,
    nextFirst: bigint | undefined,
  ): Promise<SealedSegment | undefined> {
    if (header === undefined) throw new QueueCorruptError(path, 0, "its header is damaged");
    const survey = surveySegment(file, header, nextFirst);
    const { lastPosition, endOffset } = survey;
    this.#checkFollows(path, endOffset, lastPosition, nextFirst);
    if (survey.tornBytes > 0) await this.#keepTorn({ name, file, header }, survey);
    if (lastPosition < name.firstPosition) {
      await this.disk.unlink(path);
      await this.disk.syncDirectory(this.directory);
      return undefined;
    }
    this.#noteDamage(path, survey);
    const stem = join(this.directory, segmentStem(name.firstPosition));
    const sealedMs = file.modifiedMs();
    await this.#write(`${stem}.new`, path, async (copy) => {
      await copyPart(file, copy, { from: 0, to: endOffset });
      const seal = encodeSeal({ lastPosition, endOffset, sealedMs }, header.salt);
      await copy.write(seal, endOffset);
    });
    await this.disk.rename(`${stem}.new`, `${stem}.segment`);
    await this.disk.syncDirectory(this.directory);
    await this.disk.unlink(path);
    await this.disk.syncDirectory(this.directory);
    return { firstPosition: name.firstPosition, lastPosition, bytes: endOffset + sealBytes, sealedMs };
  }

  // The salt in the name keeps the tails of two crashes at the same position apart, and makes writing one again harmless.
  async #keepTorn(
    { name, file, header }: { name: SegmentName; file: DiskFile; header: SegmentHeader },
    { endOffset, tornBytes }: { endOffset: number; tornBytes: number },
  ): Promise<void> {
    const salt = header.salt.toString(16).padStart(8, "0");
    const path = join(this.directory, `${segmentStem(name.firstPosition)}.${salt}.torn`);
    const from = join(this.directory, name.file);
    await this.#write(path, from, (torn) => copyPart(file, torn, { from: endOffset, to: endOffset + tornBytes }));
    await this.disk.syncDirectory(this.directory);
    this.#tornBytes += tornBytes;
    this.#tornFiles.push(path);
  }

  /** Writes a file and syncs it. Where that has no room it leaves nothing, and throws DiskFullError. */
  async #write(path: string, from: string, fill: (file: DiskFile) => Promise<void>): Promise<void> {
    const file = this.disk.create(path);
    try {
      await fill(file);
      await file.sync();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await this.disk.unlink(path);
      throw new DiskFullError(`Cannot recover "${from}": there is no room for a copy of what is good in it`, {
        cause: error,
      });
    } finally {
      file.close();
    }
  }

  #noteDamage(path: string, { damage }: Survey): void {
    for (const stretch of damage) this.#damage.push({ ...stretch, segment: path });
  }

  #checkFollows(path: string, offset: number, lastPosition: bigint, nextFirst: bigint | undefined): void {
    if (nextFirst === undefined || nextFirst === lastPosition + 1n) return;
    throw new QueueCorruptError(
      path,
      offset,
      `it ends with position ${lastPosition}, and the next segment begins with ${nextFirst}; expected ` +
        `${lastPosition + 1n}; put back the segment that is missing, or move those before the hole elsewhere`,
    );
  }
}

function stemOf(file: string): string {
  return file.slice(0, segmentStem(0n).length);
}

async function copyPart(
  from: DiskFile,
  to: DiskFile,
  part: { readonly from: number; readonly to: number },
): Promise<void> {
  const chunk = new Uint8Array(Math.min(copyBytes, part.to - part.from));
  for (let offset = part.from; offset < part.to; ) {
    const count = from.read(chunk.subarray(0, Math.min(chunk.length, part.to - offset)), offset);
    if (count === 0) throw new Error(`Cannot copy the bytes at offset ${offset}: the file is shorter than it was`);
    await to.write(chunk.subarray(0, count), offset - part.from);
    offset += count;
  }
}
