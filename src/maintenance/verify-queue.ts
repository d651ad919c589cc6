// Reads a whole persistent queue and tells what of it is damaged, where, and from which stretch of time. It only reads,
// so it may run beside the instance: there the end is the last record that is wholly written.

import { join } from "node:path";
import { readArrivedAt } from "../event/envelope.ts";
import { type ArrivalInstant, instantMsMax, timestampText } from "../event/instant.ts";
import { pathBeside, readBeside } from "../queue/beside.ts";
import type { Disk, DiskFile } from "../queue/disk.ts";
import { isMissingFile, QueueFormatError } from "../queue/error.ts";
import { QueueReader, type ReadOutcome } from "../queue/reader.ts";
import { readHeader, readSeal, type SegmentName, sealBytes, segmentsAmong } from "../queue/segment.ts";
import { stateDamage, stateSuffix } from "../segment-state.ts";

export interface QueueDamage {
  /**
   * "records", "gap" and "trimmed" lose records; "header" loses a whole segment; of "header copy", "head", "seal" and
   * "state" no record is lost; "queue id" and "format" are files that do not belong here.
   */
  readonly what:
    | "records"
    | "gap"
    | "trimmed"
    | "header"
    | "header copy"
    | "head"
    | "seal"
    | "state"
    | "queue id"
    | "format";
  readonly segment: string;
  /** In bytes from the beginning of the segment. */
  readonly offset: number;
  /** First and last position concerned; null when no position is lost. */
  readonly positions: { readonly from: string; readonly to: string } | null;
  /** Arrival of the nearest readable envelope before and after; null when there is none. */
  readonly arrivedAfter: string | null;
  readonly arrivedBefore: string | null;
}

export interface QueueVerification {
  readonly queueId: string | null;
  readonly segmentCount: number;
  readonly recordCount: number;
  /** "0" and "0" of a queue without a record. */
  readonly firstPosition: string;
  readonly lastPosition: string;
  readonly damage: readonly QueueDamage[];
  /** Tails that a crash left half written and a start has put aside. No damage. */
  readonly tornFiles: readonly string[];
}

type Frame = Pick<QueueDamage, "what" | "offset">;

interface SegmentFrame {
  readonly path: string;
  readonly queueId: string | undefined;
  /** By the seal; undefined for an open segment and a damaged seal. */
  readonly lastPosition: bigint | undefined;
  readonly salt?: number;
  readonly damage: readonly Frame[];
}

const bounds = { recordsMax: 10_000, bytesMax: 1024 * 1024 };

/** Throws what the file system says, and nothing about the queue: that is in the result. */
export function verifyQueue(directory: string, disk: Disk): QueueVerification {
  const files = disk.list(directory);
  const names = segmentsAmong(files);
  const damage: QueueDamage[] = [];
  const frames: SegmentFrame[] = [];
  for (const name of names) {
    const frame = readFrame(directory, disk, name);
    if (frame === undefined) continue; // trimmed since it was listed
    frames.push(frame);
    const others = frame.queueId !== undefined && frame.queueId !== queueIdOf(frames);
    const found = others ? [...frame.damage, { what: "queue id", offset: 0 } as const] : frame.damage;
    for (const each of found) damage.push({ ...each, segment: frame.path, ...nowhere });
    damage.push(...damageOfState(directory, disk, name, frame));
  }
  const isReadable = !damage.some(({ what }) => what === "format");
  const records = isReadable ? readRecords(directory, disk, frames) : noRecords;
  const tornFiles = files.filter((file) => file.endsWith(".torn")).sort();
  return {
    queueId: queueIdOf(frames) ?? null,
    segmentCount: frames.length,
    ...records,
    damage: [...damage, ...records.damage],
    tornFiles: tornFiles.map((file) => join(directory, file)),
  };
}

/** Of the live state kept beside the segment; the segment may be trimmed, and it with it, at any time. */
function damageOfState(
  directory: string,
  disk: Disk,
  { firstPosition }: SegmentName,
  frame: SegmentFrame,
): QueueDamage[] {
  const { queueId, salt } = frame;
  if (queueId === undefined || salt === undefined) return [];
  const place = { disk, directory, firstPosition, suffix: stateSuffix };
  const bytes = readBeside(place);
  const reason = bytes && stateDamage(bytes, { queueId, segmentSalt: salt, position: firstPosition });
  return reason == null ? [] : [{ what: "state", segment: pathBeside(place), offset: 0, ...nowhere }];
}

const nowhere = { positions: null, arrivedAfter: null, arrivedBefore: null };
const noRecords = { recordCount: 0, firstPosition: "0", lastPosition: "0", damage: [] };

const queueIdOf = (frames: readonly SegmentFrame[]): string | undefined =>
  frames.find(({ queueId }) => queueId !== undefined)?.queueId;

// An open segment may have been sealed since it was listed.
function readFrame(directory: string, disk: Disk, { file, kind }: SegmentName): SegmentFrame | undefined {
  const sealed = file.replace(/\.open$/, ".segment");
  for (const each of new Set([file, sealed])) {
    const path = join(directory, each);
    let opened: DiskFile;
    try {
      opened = disk.open(path);
    } catch (error) {
      if (isMissingFile(error)) continue;
      throw error;
    }
    try {
      return frameOf(opened, path, kind === "segment" || each !== file);
    } finally {
      opened.close();
    }
  }
  return undefined;
}

function frameOf(file: DiskFile, path: string, isSealed: boolean): SegmentFrame {
  const damage: Frame[] = [];
  let header: ReturnType<typeof readHeader>;
  try {
    header = readHeader(file, path);
  } catch (error) {
    if (!(error instanceof QueueFormatError)) throw error;
    return { path, queueId: undefined, lastPosition: undefined, damage: [{ what: "format", offset: 0 }] };
  }
  // Both copies damaged: told with the positions that it costs when the records are read.
  if (header === undefined) return { path, queueId: undefined, lastPosition: undefined, damage };
  if (header.head === undefined) damage.push({ what: "head", offset: 0 });
  else if (header.isDamaged) damage.push({ what: "header copy", offset: 0 });
  const sealOffset = file.size() - sealBytes;
  const seal = isSealed ? readSeal(file, sealOffset, header.salt) : undefined;
  if (isSealed && seal === undefined) damage.push({ what: "seal", offset: Math.max(0, sealOffset) });
  return { path, queueId: header.queueId, lastPosition: seal?.lastPosition, salt: header.salt, damage };
}

function readRecords(directory: string, disk: Disk, frames: readonly SegmentFrame[]) {
  using reader = new QueueReader({ directory, disk });
  const damage: QueueDamage[] = [];
  let recordCount = 0;
  let arrived: ArrivalInstant | null = null;
  let waiting: Omit<QueueDamage, "arrivedBefore">[] = [];
  // Called for every record: instants become text only where there is damage beside them.
  const settle = (before: ArrivalInstant | null): void => {
    if (waiting.length === 0) return;
    const arrivedBefore = textOf(before);
    damage.push(...waiting.map((each) => ({ ...each, arrivedBefore })));
    waiting = [];
  };
  try {
    const first = reader.describe().firstPosition;
    if (first === undefined) return noRecords;
    const whole = reader.lastWholePosition();
    const sealed = frames.at(-1)?.lastPosition ?? 0n;
    const last = sealed > whole ? sealed : whole;
    reader.seek(first);
    for (;;) {
      const outcomes = reader.read(last, bounds);
      if (outcomes.length === 0) break;
      for (const outcome of outcomes) {
        if (outcome.kind === "damaged") {
          const arrivedAfter = textOf(arrived);
          waiting.push(...lost(outcome, frames).map((each) => ({ ...each, arrivedAfter })));
          continue;
        }
        recordCount += 1;
        const time = arrivalOf(outcome.payload);
        if (time === null) continue;
        settle(time);
        arrived = time;
      }
    }
    settle(null);
    return { recordCount, firstPosition: first.toString(), lastPosition: last.toString(), damage };
  } catch (error) {
    // A name that its header contradicts.
    if (!(error instanceof QueueFormatError)) throw error;
    settle(null);
    damage.push({ what: "format", segment: error.segment, offset: 0, ...nowhere });
    return { ...noRecords, recordCount, damage };
  }
}

/** What the seal says was never in the segment is a gap between segments, not damage in it. */
function lost(
  { from, to, segment, offset, reason }: Extract<ReadOutcome, { kind: "damaged" }>,
  frames: readonly SegmentFrame[],
): Omit<QueueDamage, "arrivedBefore" | "arrivedAfter">[] {
  const stretch = (what: QueueDamage["what"], first: bigint, last: bigint) => ({
    what,
    segment,
    offset,
    positions: { from: first.toString(), to: last.toString() },
  });
  if (reason === "trimmed") return [stretch("trimmed", from, to)];
  if (reason === "segment header") return [stretch("header", from, to)];
  const sealedLast = frames.find(({ path }) => path === segment)?.lastPosition;
  if (sealedLast === undefined || to <= sealedLast) return [stretch("records", from, to)];
  if (from > sealedLast) return [stretch("gap", from, to)];
  return [stretch("records", from, sealedLast), stretch("gap", sealedLast + 1n, to)];
}

function textOf(instant: ArrivalInstant | null): string | null {
  return instant === null ? null : timestampText(instant);
}

function arrivalOf(payload: Uint8Array): ArrivalInstant | null {
  const instant = readArrivedAt(payload);
  return instant !== null && instant >= 0 && instant <= instantMsMax ? instant : null;
}
