// The persistent queue as its one writer sees it. It knows bytes and positions; FORMAT.md has the layout and the promises.
//
//   append ──▶ batch being filled ──▶ batch in hand ──▶ one write, one fdatasync ──▶ durable position
//                    ▲                                          │
//                    └── what arrives meanwhile goes into the next one (group commit)
//
// 1. `append` is synchronous and only copies. Nothing here waits for a timer: an idle queue writes at once, a busy one as
//    soon as the fdatasync before has returned, so batches grow by themselves with the load and with the disk's slowness.
//    Two batches at most are with the disk: the second so that it begins without waiting for the event loop.
// 2. Writes follow one another strictly (DiskFile.commit). That everything before a write was durable when it began is
//    what recovery relies on (record.ts, 3).
// 3. A disk that has no room for the next segment is waited for (disk-full.ts). A failed write or fsync ends the queue for this process (QueueFailedError).

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { invariant } from "../invariant.ts";
import type { Log } from "../log.ts";
import type { Disk } from "./disk.ts";
import { DiskFullError } from "./disk-full.ts";
import { QueueFailedError, QueueLockedError } from "./error.ts";
import type { SegmentPlan } from "./open-segment.ts";
import { QueueReader } from "./reader.ts";
import { RecordBuffer, recordBytesMax, recordHeaderBytes } from "./record.ts";
import { type QueueState, type RecoveredDirectory, type RecoveryReport, recoverDirectory } from "./recovery.ts";
import type { Retention } from "./retention.ts";
import { SegmentChain, type TrimReport } from "./segment-chain.ts";

export interface QueueOptions {
  readonly directory: string;
  /** Bytes of records in one segment; a segment is allocated whole when it is begun. */
  readonly segmentBytes: number;
  /** What a new segment leaves free on the disk, for the IDB to drain the backlog with. */
  readonly reserveBytes: number;
  /** Bytes appended and not yet durable at which `room` begins to hold callers back. */
  readonly pendingBytesMax: number;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Asked by `append` when a segment begins: the owner's state after everything appended before. A start gets the newest
   * back as `lastHead`. Must not append.
   */
  readonly head: () => Uint8Array;
}

export interface QueueRecord {
  readonly position: bigint;
  /** Valid until the next record is asked for. */
  readonly payload: Uint8Array;
}

export interface QueueStatus {
  readonly segmentCount: number;
  /** All segments on disk, the allocated rest of the open one included. */
  readonly bytes: number;
  /** Oldest position still there; equal to nextPosition when the queue is empty. */
  readonly firstPosition: number;
  readonly durablePosition: number;
  /** The position of the next record appended. */
  readonly nextPosition: number;
  readonly pendingBytes: number;
  readonly pendingBytesMax: number;
  /** When the oldest sealed segment got its last record, milliseconds since 1970; null when none is sealed. */
  readonly oldestSealedMs: number | null;
  /** Since this start. */
  readonly commitCount: number;
  readonly recordCount: number;
  readonly recordBytes: number;
  /** Time of the last write and fdatasync together. */
  readonly lastCommitMs: number;
  /** There is no room for the next segment; what is appended waits for it in memory. */
  readonly isFull: boolean;
  readonly isFailed: boolean;
}

/** Records of one future write. */
interface Batch {
  readonly plan: SegmentPlan;
  readonly buffer: RecordBuffer;
  lastPosition: bigint;
  recordCount: number;
  /** Made when the first caller waits for one of these records. */
  durable: PromiseWithResolvers<void> | undefined;
}

const bufferBytesMin = 64 * 1024;
// One that the disk works on, and one for it to go on with.
const commitsInHandMax = 2;
// In a long turn of the event loop a batch of this size looks whether the disk has nothing to do.
const lookEveryBytes = 64 * 1024;
// Larger buffers are given back to the memory after a flood.
const bufferBytesKept = 4 * 1024 * 1024;

// R6: intake goes on within 5 s after there is room.
const roomRetryMs = 1_000;
const nothing = new Uint8Array(0);

/** Locks the directory, recovers it, and writes nothing more until the first append. */
export async function openQueue(options: QueueOptions): Promise<Queue> {
  const { directory, disk, log, segmentBytes } = options;
  invariant(segmentBytes > recordHeaderBytes, "a segment has room for a record");
  await disk.createDirectory(directory);
  const lock = disk.lock(join(directory, "lock"), String(process.pid));
  if (lock.kind === "refused") throw new QueueLockedError(directory, lock.holder);
  try {
    const recovered = await recoverDirectory(disk, directory);
    const { tornBytes, damagedRecordCount } = recovered.report;
    log.info("persistent queue opened", {
      state: recovered.state,
      segments: recovered.segments.length,
      nextPosition: recovered.nextPosition,
    });
    if (tornBytes > 0) log.warn("persistent queue cut a torn tail", { tornBytes });
    if (damagedRecordCount > 0) log.error("persistent queue has damaged records", { damagedRecordCount });
    if (recovered.report.damagedSegments.length > 0) {
      log.error("persistent queue has damaged segment headers or seals", {
        segments: recovered.report.damagedSegments.length,
      });
    }
    return new Queue(options, recovered, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

export class Queue {
  /** 32 hexadecimal digits; a new queue has a new one. */
  readonly queueId: string;
  readonly state: QueueState;
  readonly recovery: RecoveryReport;
  /** What `head` returned for the newest segment found at the start; empty when there was none. */
  readonly lastHead: Uint8Array;

  readonly #options: QueueOptions;
  readonly #release: () => void;
  readonly #recentFrom: bigint;
  readonly #foundUpTo: bigint;
  readonly #payloadBytesMax: number;
  readonly #listeners = new Set<(durablePosition: bigint) => void>();

  readonly #segments: SegmentChain;
  #plan: SegmentPlan | undefined;
  /** Oldest first; the last one is being filled. */
  readonly #batches: Batch[] = [];
  /** With the disk, oldest first. */
  readonly #inHand: Batch[] = [];
  #lookAtBytes = lookEveryBytes;
  readonly #spareBuffers: RecordBuffer[] = [];
  #isScheduled = false;
  #isBeginningSegment = false;
  /** Why the next segment cannot be begun now. */
  #full: Error | undefined;
  #mayWaitForRoom = true;
  /** Made by `close`: resolves when the disk has nothing of ours in hand. */
  #idle: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  #failure: QueueFailedError | undefined;
  readonly #failed = Promise.withResolvers<QueueFailedError>();
  #room: PromiseWithResolvers<void> | undefined;

  #nextPosition: bigint;
  #durablePosition: bigint;
  #pendingBytes = 0;
  #commitCount = 0;
  #recordCount = 0;
  #recordBytes = 0;
  #lastCommitMs = 0;
  #commitStartedMs = 0;

  /** Only `openQueue` makes one. */
  constructor(options: QueueOptions, recovered: RecoveredDirectory, release: () => void) {
    this.#options = options;
    this.#release = release;
    this.#payloadBytesMax = Math.min(recordBytesMax, options.segmentBytes - recordHeaderBytes);
    this.queueId = recovered.queueId ?? randomBytes(16).toString("hex");
    this.state = recovered.state;
    this.recovery = recovered.report;
    this.lastHead = recovered.head?.bytes ?? new Uint8Array(0);
    this.#segments = new SegmentChain(options, recovered.segments, (cause) => this.#fail(cause));
    this.#nextPosition = recovered.nextPosition;
    this.#durablePosition = recovered.nextPosition - 1n;
    this.#foundUpTo = this.#durablePosition;
    this.#recentFrom = recovered.head?.recordsFrom ?? recovered.segments[0]?.firstPosition ?? 1n;
  }

  /** All positions up to this one are on disk. */
  get durablePosition(): bigint {
    return this.#durablePosition;
  }

  /** Bytes appended and not yet durable. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Resolves, with the reason, when a write or fsync has failed; stays pending otherwise. Never rejects. */
  get failed(): Promise<QueueFailedError> {
    return this.#failed.promise;
  }

  /** The records found at the start that `lastHead` knows nothing of, in order; damaged ones are passed over. */
  *readRecent(): Generator<QueueRecord, void, undefined> {
    const { disk, directory } = this.#options;
    using reader = new QueueReader({ disk, directory });
    reader.seek(this.#recentFrom);
    const bounds = { recordsMax: 10_000, bytesMax: 1024 * 1024 };
    for (;;) {
      const outcomes = reader.read(this.#foundUpTo, bounds);
      if (outcomes.length === 0) return;
      for (const outcome of outcomes) if (outcome.kind === "record") yield outcome;
    }
  }

  /**
   * Copies the payload, given in one piece or two, into the next write and returns its position. It is neither on disk nor
   * readable before `durable` says so. Throws QueueFailedError after a failure.
   */
  append(head: Uint8Array, body: Uint8Array = nothing): bigint {
    if (this.#failure !== undefined) throw this.#failure;
    invariant(!this.#isClosed, "nothing is appended to a closed queue");
    const payloadBytes = head.length + body.length;
    invariant(payloadBytes > 0, "a record is not empty");
    invariant(payloadBytes <= this.#payloadBytesMax, "a record is within its bound and fits into a segment");
    const bytes = recordHeaderBytes + payloadBytes;
    if (this.#plan === undefined || this.#plan.recordBytes + bytes > this.#options.segmentBytes) this.#roll();
    const batch = this.#batches.at(-1) ?? this.#startBatch();
    const position = this.#nextPosition;
    batch.buffer.put(head, body, position, batch.plan.salt);
    batch.plan.recordBytes += bytes;
    batch.lastPosition = position;
    batch.recordCount += 1;
    this.#nextPosition = position + 1n;
    this.#pendingBytes += bytes;
    if (batch.buffer.length >= this.#lookAtBytes) this.#look(batch);
    else if (!this.#isScheduled && this.#inHand.length < commitsInHandMax) this.#schedule();
    return position;
  }

  /** Resolves when the record at this position is on disk; rejects with QueueFailedError when it may not be. */
  durable(position: bigint): Promise<void> {
    invariant(position < this.#nextPosition, "only what was appended is waited for");
    if (position <= this.#durablePosition) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const holdsIt = ({ lastPosition }: Batch) => position <= lastPosition;
    const batch = this.#inHand.find(holdsIt) ?? this.#batches.find(holdsIt);
    invariant(batch !== undefined, "a record that is not durable is in a batch");
    batch.durable ??= Promise.withResolvers();
    return batch.durable.promise;
  }

  /** Calls `listener` after each commit, before the promises of `durable` resolve. Returns what ends that. */
  onDurable(listener: (durablePosition: bigint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once fewer than `pendingBytesMax` bytes are pending: wait for it before reading more from a socket. */
  room(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#pendingBytes < this.#options.pendingBytesMax) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /**
   * Deletes applied segments that retention no longer wants, and what is kept beside them under the same 20 digits. The
   * segment a start would begin with always stays.
   */
  trim(retention: Retention): Promise<TrimReport> {
    return this.#segments.trim(retention, () => this.#durablePosition);
  }

  /** Ends the queue (QueueFailedError) when somebody took its directory away: acknowledging would be a lie from then on. */
  checkInPlace(): void {
    if (this.#isClosed || this.#segments.isInPlace()) return;
    this.#fail(
      new Error(`the open segment is no longer in "${this.#options.directory}": was the directory moved or deleted?`),
    );
  }

  status(): QueueStatus {
    return {
      segmentCount: this.#segments.segmentCount,
      bytes: this.#segments.bytes,
      firstPosition: Number(this.#segments.firstPosition ?? this.#nextPosition),
      durablePosition: Number(this.#durablePosition),
      nextPosition: Number(this.#nextPosition),
      pendingBytes: this.#pendingBytes,
      pendingBytesMax: this.#options.pendingBytesMax,
      oldestSealedMs: this.#segments.oldestSealedMs ?? null,
      commitCount: this.#commitCount,
      recordCount: this.#recordCount,
      recordBytes: this.#recordBytes,
      lastCommitMs: this.#lastCommitMs,
      isFull: this.#full !== undefined,
      isFailed: this.#failure !== undefined,
    };
  }

  /** The instance stops: a full disk is not waited for any longer, but fails the queue, now or when it shows. */
  stopWaitingForRoom(): void {
    this.#mayWaitForRoom = false;
    if (this.#full !== undefined) this.#fail(this.#full);
  }

  /** Makes durable what was appended, seals, and gives the directory free. Rejects with QueueFailedError after a failure. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stopWaitingForRoom();
    try {
      if (!this.#isIdle()) {
        this.#idle = Promise.withResolvers();
        await this.#idle.promise;
      }
      await this.#segments.settled();
      if (this.#failure === undefined) {
        await this.#segments.sealOpen(this.#durablePosition).catch((cause: unknown) => this.#fail(cause));
      }
      if (this.#failure !== undefined) throw this.#failure;
      this.#options.log.info("persistent queue closed", { durablePosition: this.#durablePosition });
    } finally {
      this.#segments.close();
      this.#release();
    }
  }

  /** As `close`, but silent about a failure: `failed` has told it, and the way out must not hide what led to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
  }

  #roll(): void {
    this.#plan = {
      queueId: this.queueId,
      firstPosition: this.#nextPosition,
      salt: randomBytes(4).readUInt32LE(),
      head: this.#options.head(),
      recordBytes: 0,
    };
    this.#startBatch();
  }

  #startBatch(): Batch {
    invariant(this.#plan !== undefined, "a batch belongs to a segment");
    const buffer = this.#spareBuffers.pop() ?? new RecordBuffer(bufferBytesMin);
    const lastPosition = this.#nextPosition - 1n;
    const batch: Batch = { plan: this.#plan, buffer, lastPosition, recordCount: 0, durable: undefined };
    this.#batches.push(batch);
    return batch;
  }

  // Everything that this turn of the event loop still appends goes into the first write.
  #schedule(): void {
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#pump();
    });
  }

  #look(batch: Batch): void {
    this.#segments.open?.settleCommits();
    this.#pump();
    this.#lookAtBytes = this.#batches.at(-1) === batch ? batch.buffer.length + lookEveryBytes : lookEveryBytes;
  }

  /** Gives the disk what it can take. */
  #pump(): void {
    while (this.#failure === undefined && this.#inHand.length < commitsInHandMax && !this.#isBeginningSegment) {
      const batch = this.#batches[0];
      if (batch === undefined) return;
      const segment = this.#segments.open;
      if (segment?.plan !== batch.plan) {
        // The segment before is sealed, for which all its records must be durable.
        if (this.#inHand.length === 0) this.#beginSegment(batch.plan);
        return;
      }
      this.#batches.shift();
      this.#lookAtBytes = lookEveryBytes;
      if (this.#inHand.length === 0) this.#commitStartedMs = this.#options.clock.monotonic();
      this.#inHand.push(batch);
      segment.commit(batch.buffer.bytes(), (error) => this.#ended(batch, error));
    }
  }

  #beginSegment(plan: SegmentPlan): void {
    this.#isBeginningSegment = true;
    const begun = () => {
      this.#isBeginningSegment = false;
      this.#full = undefined;
      this.#pump();
      this.#noteIdle();
    };
    const begin = () => {
      if (this.#failure !== undefined) return begun();
      this.#segments.openFor(plan).then(
        () => {
          if (this.#full !== undefined) this.#options.log.info("persistent queue has room again");
          begun();
        },
        (cause: unknown) => {
          if (cause instanceof DiskFullError && this.#mayWaitForRoom) {
            this.#noteFull(cause);
            this.#options.clock.after(roomRetryMs, begin);
            return;
          }
          this.#fail(cause);
          begun();
        },
      );
    };
    begin();
  }

  #noteFull(cause: Error): void {
    if (this.#full === undefined) {
      this.#options.log.error("persistent queue is full: sources are held back until there is room", {
        reason: cause.message,
      });
    }
    this.#full = cause;
  }

  #ended(batch: Batch, error: Error | null): void {
    invariant(this.#inHand[0] === batch, "commits end in the order in which they were begun");
    if (error !== null) this.#fail(error);
    this.#inHand.shift();
    if (this.#failure === undefined) {
      this.#pump();
      this.#committed(batch);
    }
    this.#noteIdle();
  }

  #isIdle(): boolean {
    const isWaiting = this.#failure === undefined && this.#batches.length > 0;
    return this.#inHand.length === 0 && !this.#isBeginningSegment && !isWaiting;
  }

  #noteIdle(): void {
    if (this.#idle !== undefined && this.#isIdle()) this.#idle.resolve();
  }

  #committed(batch: Batch): void {
    const bytes = batch.buffer.length;
    const nowMs = this.#options.clock.monotonic();
    this.#lastCommitMs = nowMs - this.#commitStartedMs;
    this.#commitStartedMs = nowMs;
    this.#durablePosition = batch.lastPosition;
    this.#pendingBytes -= bytes;
    this.#commitCount += 1;
    this.#recordCount += batch.recordCount;
    this.#recordBytes += bytes;
    batch.buffer.clear();
    if (this.#spareBuffers.length < 2 && batch.buffer.capacity <= bufferBytesKept) {
      this.#spareBuffers.push(batch.buffer);
    }
    for (const listener of this.#listeners) listener(this.#durablePosition);
    batch.durable?.resolve();
    if (this.#room !== undefined && this.#pendingBytes < this.#options.pendingBytesMax) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const failure = new QueueFailedError(this.#options.directory, cause);
    this.#failure = failure;
    this.#options.log.error("persistent queue failed", { reason: failure.message });
    for (const batch of [...this.#inHand, ...this.#batches]) batch.durable?.reject(failure);
    this.#room?.reject(failure);
    this.#failed.resolve(failure);
  }
}
