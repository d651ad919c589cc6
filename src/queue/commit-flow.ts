// The way of appended records to the disk.
//
//   put ──▶ batch being filled ──▶ batch in hand ──▶ one write, one fdatasync ──▶ committed
//                  ▲                                        │
//                  └── what arrives meanwhile goes into the next one (group commit)
//
// 1. Nothing here waits for a timer: an idle queue writes at once, a busy one as soon as the fdatasync before has returned,
//    so batches grow by themselves with the load and with the disk's slowness. Two batches at most are with the disk: the
//    second so that it begins without waiting for the event loop.
// 2. Writes follow one another strictly (DiskFile.commit). That everything before a write was durable when it began is
//    what recovery relies on (record.ts, 3).
// 3. A disk that has no room for the next segment is waited for (disk-full.ts). A failed write or fsync is final: nothing
//    is begun after it, and whoever waits is told.

import type { Clock } from "../clock.ts";
import { invariant } from "../invariant.ts";
import type { Log } from "../log.ts";
import { DiskFullError } from "./disk-full.ts";
import { QueueFailedError } from "./error.ts";
import type { SegmentPlan } from "./open-segment.ts";
import { RecordBuffer, recordHeaderBytes } from "./record.ts";
import type { SegmentChain } from "./segment-chain.ts";

export interface CommitFlowOptions {
  readonly directory: string;
  /** Bytes put and not yet durable at which `room` begins to hold callers back. */
  readonly pendingBytesMax: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** One write and its fdatasync. */
export interface Committed {
  readonly lastPosition: bigint;
  readonly recordCount: number;
  readonly bytes: number;
  /** Time of the write and the fdatasync together. */
  readonly tookMs: number;
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
// A batch that would be larger is left to the disk, and what follows goes into the next one: the write is long by then,
// and buffers of few sizes are used again. One that a single larger record has made is not.
const batchBytesMax = 2 * 1024 * 1024;
// R6: intake goes on within 5 s after there is room.
const roomRetryMs = 1_000;

export class CommitFlow {
  /** Oldest first; the last one is being filled. */
  readonly #batches: Batch[] = [];
  /** With the disk, oldest first. */
  readonly #inHand: Batch[] = [];
  #lookAtBytes = lookEveryBytes;
  readonly #spareBuffers: RecordBuffer[] = [];
  #isScheduled = false;
  #isBeginningSegment = false;
  #pendingBytes = 0;
  #commitStartedMs = 0;
  #room: PromiseWithResolvers<void> | undefined;
  /** Why the next segment cannot be begun now. */
  #full: Error | undefined;
  #mayWaitForRoom = true;
  #idle: PromiseWithResolvers<void> | undefined;
  #failure: QueueFailedError | undefined;
  readonly #failed = Promise.withResolvers<QueueFailedError>();

  /** `committed` is called after each commit, in order, before the promises of `durable` resolve. */
  constructor(
    private readonly options: CommitFlowOptions,
    private readonly segments: SegmentChain,
    private readonly committed: (committed: Committed) => void,
  ) {}

  /** Bytes put and not yet durable. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** There is no room for the next segment; what is put waits for it in memory. */
  get isFull(): boolean {
    return this.#full !== undefined;
  }

  /** Nothing is put after it is there. */
  get failure(): QueueFailedError | undefined {
    return this.#failure;
  }

  /** Resolves when there is a failure; stays pending otherwise. Never rejects. */
  get failed(): Promise<QueueFailedError> {
    return this.#failed.promise;
  }

  /** Copies one record, its payload in two pieces, into the next write to the segment of `plan`. Plans follow one another. */
  put(plan: SegmentPlan, position: bigint, head: Uint8Array, body: Uint8Array): void {
    const last = this.#batches.at(-1);
    const bytesMax = batchBytesMax - recordHeaderBytes - head.length - body.length;
    const batch = last?.plan === plan && last.buffer.length <= bytesMax ? last : this.#startBatch(plan, position);
    const { buffer } = batch;
    const bytesBefore = buffer.length;
    buffer.put(head, body, position, plan.salt);
    batch.lastPosition = position;
    batch.recordCount += 1;
    this.#pendingBytes += buffer.length - bytesBefore;
    if (buffer.length >= this.#lookAtBytes) this.#look(batch);
    else if (!this.#isScheduled && this.#inHand.length < commitsInHandMax) this.#schedule();
  }

  /**
   * Of a position that was put and is not durable yet: resolves when it is; rejects with QueueFailedError when it may
   * not be.
   */
  durable(position: bigint): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const holdsIt = ({ lastPosition }: Batch) => position <= lastPosition;
    const batch = this.#inHand.find(holdsIt) ?? this.#batches.find(holdsIt);
    invariant(batch !== undefined, "a record that is not durable is in a batch");
    batch.durable ??= Promise.withResolvers();
    return batch.durable.promise;
  }

  /** Resolves once fewer than `pendingBytesMax` bytes are pending; rejects with QueueFailedError. */
  room(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#pendingBytes < this.options.pendingBytesMax) return Promise.resolve();
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** A full disk is not waited for any longer, but is a failure, now or when it shows. */
  stopWaitingForRoom(): void {
    this.#mayWaitForRoom = false;
    if (this.#full !== undefined) this.fail(this.#full);
  }

  /** Resolves when the disk has nothing of ours in hand and nothing waits for it. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    this.#idle ??= Promise.withResolvers();
    await this.#idle.promise;
  }

  /** Nothing more is written. The first cause counts. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const failure = new QueueFailedError(this.options.directory, cause);
    this.#failure = failure;
    this.options.log.error("persistent queue failed", { reason: failure.message });
    for (const batch of [...this.#inHand, ...this.#batches]) batch.durable?.reject(failure);
    this.#room?.reject(failure);
    this.#failed.resolve(failure);
    this.#noteIdle(); // what waits for the disk is not written any more
  }

  #startBatch(plan: SegmentPlan, position: bigint): Batch {
    const buffer = this.#spareBuffers.pop() ?? new RecordBuffer(bufferBytesMin);
    const batch: Batch = { plan, buffer, lastPosition: position - 1n, recordCount: 0, durable: undefined };
    this.#batches.push(batch);
    this.#lookAtBytes = lookEveryBytes;
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
    this.segments.open?.settleCommits();
    this.#pump();
    this.#lookAtBytes = this.#batches.at(-1) === batch ? batch.buffer.length + lookEveryBytes : lookEveryBytes;
  }

  /** Gives the disk what it can take. */
  #pump(): void {
    while (this.#failure === undefined && this.#inHand.length < commitsInHandMax && !this.#isBeginningSegment) {
      const batch = this.#batches[0];
      if (batch === undefined) return;
      const segment = this.segments.open;
      if (segment?.plan !== batch.plan) {
        // The segment before is sealed, for which all its records must be durable.
        if (this.#inHand.length === 0) this.#beginSegment(batch.plan);
        return;
      }
      this.#batches.shift();
      this.#lookAtBytes = lookEveryBytes;
      if (this.#inHand.length === 0) this.#commitStartedMs = this.options.clock.monotonic();
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
      this.segments.openFor(plan).then(
        () => {
          if (this.#full !== undefined) this.options.log.info("persistent queue has room again");
          begun();
        },
        (cause: unknown) => {
          if (cause instanceof DiskFullError && this.#mayWaitForRoom) {
            this.#noteFull(cause);
            this.options.clock.after(roomRetryMs, begin);
            return;
          }
          this.fail(cause);
          begun();
        },
      );
    };
    begin();
  }

  #noteFull(cause: Error): void {
    if (this.#full === undefined) {
      this.options.log.error("persistent queue is full: sources are held back until there is room", {
        reason: cause.message,
      });
    }
    this.#full = cause;
  }

  #ended(batch: Batch, error: Error | null): void {
    invariant(this.#inHand[0] === batch, "commits end in the order in which they were begun");
    if (error !== null) this.fail(error);
    this.#inHand.shift();
    if (this.#failure === undefined) {
      this.#pump();
      this.#committed(batch);
    }
    this.#noteIdle();
  }

  #committed({ buffer, lastPosition, recordCount, durable }: Batch): void {
    const bytes = buffer.length;
    const nowMs = this.options.clock.monotonic();
    const tookMs = nowMs - this.#commitStartedMs;
    this.#commitStartedMs = nowMs;
    this.#pendingBytes -= bytes;
    buffer.clear();
    this.#keepSpare(buffer);
    this.committed({ lastPosition, recordCount, bytes, tookMs });
    durable?.resolve();
    if (this.#room !== undefined && this.#pendingBytes < this.options.pendingBytesMax) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }

  /** Of a flood, what all that may be pending needs is used over and over; of quieter times, two. */
  #keepSpare(buffer: RecordBuffer): void {
    const isFlood = this.#pendingBytes > batchBytesMax;
    const countMax = isFlood ? Math.ceil(this.options.pendingBytesMax / batchBytesMax) : commitsInHandMax;
    if (buffer.capacity <= batchBytesMax) this.#spareBuffers.push(buffer);
    else buffer.release();
    while (this.#spareBuffers.length > countMax) this.#spareBuffers.pop()?.release();
  }

  #isIdle(): boolean {
    const isWaiting = this.#failure === undefined && this.#batches.length > 0;
    return this.#inHand.length === 0 && !this.#isBeginningSegment && !isWaiting;
  }

  #noteIdle(): void {
    if (this.#idle !== undefined && this.#isIdle()) this.#idle.resolve();
  }
}
