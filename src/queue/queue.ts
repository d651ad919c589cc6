// The persistent queue as its one writer sees it: positions go up as records are appended, the durable position follows.
// It knows bytes and positions; FORMAT.md has the layout and the promises.
//
//   append ──plan, record──▶ commit flow (commit-flow.ts) ──commit──▶ segment ──▶ durable position ──▶ durable, onDurable
//
// `append` is synchronous and only copies. A failed write or fsync ends the queue for this process (QueueFailedError).

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { invariant } from "../invariant.ts";
import type { Log } from "../log.ts";
import { CommitFlow, type Committed } from "./commit-flow.ts";
import type { Disk } from "./disk.ts";
import { type QueueFailedError, QueueLockedError } from "./error.ts";
import type { SegmentPlan } from "./open-segment.ts";
import { QueueReader } from "./reader.ts";
import { recordBytesMax, recordHeaderBytes } from "./record.ts";
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
  readonly #flow: CommitFlow;
  #plan: SegmentPlan | undefined;
  #isClosed = false;

  #nextPosition: bigint;
  #durablePosition: bigint;
  #commitCount = 0;
  #recordCount = 0;
  #recordBytes = 0;
  #lastCommitMs = 0;

  /** Only `openQueue` makes one. */
  constructor(options: QueueOptions, recovered: RecoveredDirectory, release: () => void) {
    this.#options = options;
    this.#release = release;
    this.#payloadBytesMax = Math.min(recordBytesMax, options.segmentBytes - recordHeaderBytes);
    this.queueId = recovered.queueId ?? randomBytes(16).toString("hex");
    this.state = recovered.state;
    this.recovery = recovered.report;
    this.lastHead = recovered.head?.bytes ?? new Uint8Array(0);
    this.#segments = new SegmentChain(options, recovered.segments, (cause) => this.#flow.fail(cause));
    this.#flow = new CommitFlow(options, this.#segments, (committed) => this.#committed(committed));
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
    return this.#flow.pendingBytes;
  }

  /** Resolves, with the reason, when a write or fsync has failed; stays pending otherwise. Never rejects. */
  get failed(): Promise<QueueFailedError> {
    return this.#flow.failed;
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
    if (this.#flow.failure !== undefined) throw this.#flow.failure;
    invariant(!this.#isClosed, "nothing is appended to a closed queue");
    const payloadBytes = head.length + body.length;
    invariant(payloadBytes > 0, "a record is not empty");
    invariant(payloadBytes <= this.#payloadBytesMax, "a record is within its bound and fits into a segment");
    const bytes = recordHeaderBytes + payloadBytes;
    let plan = this.#plan;
    if (plan === undefined || plan.recordBytes + bytes > this.#options.segmentBytes) plan = this.#roll();
    const position = this.#nextPosition;
    this.#nextPosition = position + 1n;
    plan.recordBytes += bytes;
    this.#flow.put(plan, position, head, body);
    return position;
  }

  /** Resolves when the record at this position is on disk; rejects with QueueFailedError when it may not be. */
  durable(position: bigint): Promise<void> {
    invariant(position < this.#nextPosition, "only what was appended is waited for");
    if (position <= this.#durablePosition) return Promise.resolve();
    return this.#flow.durable(position);
  }

  /** Calls `listener` after each commit, before the promises of `durable` resolve. Returns what ends that. */
  onDurable(listener: (durablePosition: bigint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once fewer than `pendingBytesMax` bytes are pending: wait for it before reading more from a socket. */
  room(): Promise<void> {
    return this.#flow.room();
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
    this.#flow.fail(
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
      pendingBytes: this.#flow.pendingBytes,
      pendingBytesMax: this.#options.pendingBytesMax,
      oldestSealedMs: this.#segments.oldestSealedMs ?? null,
      commitCount: this.#commitCount,
      recordCount: this.#recordCount,
      recordBytes: this.#recordBytes,
      lastCommitMs: this.#lastCommitMs,
      isFull: this.#flow.isFull,
      isFailed: this.#flow.failure !== undefined,
    };
  }

  /** The instance stops: a full disk is not waited for any longer, but fails the queue, now or when it shows. */
  stopWaitingForRoom(): void {
    this.#flow.stopWaitingForRoom();
  }

  /** Makes durable what was appended, seals, and gives the directory free. Rejects with QueueFailedError after a failure. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stopWaitingForRoom();
    try {
      await this.#flow.idle();
      await this.#segments.settled();
      if (this.#flow.failure === undefined) {
        await this.#segments.sealOpen(this.#durablePosition).catch((cause: unknown) => this.#flow.fail(cause));
      }
      if (this.#flow.failure !== undefined) throw this.#flow.failure;
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

  #roll(): SegmentPlan {
    this.#plan = {
      queueId: this.queueId,
      firstPosition: this.#nextPosition,
      salt: randomBytes(4).readUInt32LE(),
      head: this.#options.head(),
      recordBytes: 0,
    };
    return this.#plan;
  }

  #committed({ lastPosition, recordCount, bytes, tookMs }: Committed): void {
    this.#lastCommitMs = tookMs;
    this.#durablePosition = lastPosition;
    this.#commitCount += 1;
    this.#recordCount += recordCount;
    this.#recordBytes += bytes;
    for (const listener of this.#listeners) listener(lastPosition);
  }
}
