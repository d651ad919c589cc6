// The segments on disk, oldest first: sealed ones, at most one that is being sealed, and the open one.

import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Disk } from "./disk.ts";
import { isMissingFile } from "./error.ts";
import { OpenSegment, type SegmentPlan } from "./open-segment.ts";
import { type Retention, type SealedSegment, segmentsToTrim } from "./retention.ts";
import { segmentStem } from "./segment.ts";

export interface SegmentChainOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly reserveBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TrimReport {
  /** The segments deleted, oldest first. */
  readonly segments: readonly SealedSegment[];
  readonly bytes: number;
}

export class SegmentChain {
  readonly #sealed: SealedSegment[];
  #open: OpenSegment | undefined;
  /** Runs beside the writes to the open segment. */
  #sealing: Promise<void> = Promise.resolve();
  #beingSealed: OpenSegment | undefined;
  #trimming: Promise<unknown> = Promise.resolve();

  /** `onFailed` is called when sealing, which nobody waits for, or a sync of the directory has failed. */
  constructor(
    private readonly options: SegmentChainOptions,
    sealed: readonly SealedSegment[],
    private readonly onFailed: (cause: unknown) => void,
  ) {
    this.#sealed = [...sealed];
  }

  get segmentCount(): number {
    return this.#sealed.length + (this.#beingSealed === undefined ? 0 : 1) + (this.#open === undefined ? 0 : 1);
  }

  /** On disk, the allocated rest of the open one included. */
  get bytes(): number {
    const unsealedBytes = (this.#beingSealed?.allocatedBytes ?? 0) + (this.#open?.allocatedBytes ?? 0);
    return this.#sealed.reduce((sum, { bytes }) => sum + bytes, unsealedBytes);
  }

  /** Undefined while there is no segment. */
  get firstPosition(): bigint | undefined {
    return this.#sealed[0]?.firstPosition ?? (this.#beingSealed ?? this.#open)?.plan.firstPosition;
  }

  /** Undefined while none is open, or while the next one is being made. */
  get open(): OpenSegment | undefined {
    return this.#open;
  }

  /** False when the open segment's name is gone: what is written to it now nobody will find. */
  isInPlace(): boolean {
    const { disk, directory } = this.options;
    if (this.#open === undefined) return true;
    const stem = segmentStem(this.#open.plan.firstPosition);
    try {
      return disk.list(directory).some((name) => name.startsWith(stem));
    } catch (error) {
      if (isMissingFile(error)) return false;
      throw error;
    }
  }

  get oldestSealedMs(): number | undefined {
    return this.#sealed[0]?.sealedMs;
  }

  /**
   * The open segment of this plan, begun now if need be. Everything of the one before must be durable by then; it is
   * sealed beside.
   */
  async openFor(plan: SegmentPlan): Promise<OpenSegment> {
    if (this.#open?.plan === plan) return this.#open;
    await this.#sealing;
    const before = this.#open;
    this.#open = await OpenSegment.create(this.options, plan, this.options.segmentBytes);
    if (before !== undefined) {
      this.#sealing = this.#seal(before, plan.firstPosition - 1n).catch((cause: unknown) => this.onFailed(cause));
    }
    return this.#open;
  }

  /** One at a time; see Queue.trim. */
  trim(retention: Retention, durablePosition: () => bigint): Promise<TrimReport> {
    const trimmed = this.#trimming.then(() => this.#trim(retention, durablePosition));
    this.#trimming = trimmed.catch(() => undefined); // whoever asked is told; the next one is not held up
    return trimmed;
  }

  /** Resolves when no trimming and no sealing goes on any more. Never rejects. */
  async settled(): Promise<void> {
    await this.#trimming;
    await this.#sealing;
  }

  /** Seals the open segment, all of which is durable up to `lastPosition`. */
  async sealOpen(lastPosition: bigint): Promise<void> {
    const last = this.#open;
    this.#open = undefined;
    if (last !== undefined) await this.#seal(last, lastPosition);
  }

  /** Lets go of what is open; the next start judges it. */
  close(): void {
    this.#open?.close();
    this.#open = undefined;
  }

  async #seal(segment: OpenSegment, lastPosition: bigint): Promise<void> {
    this.#beingSealed = segment;
    try {
      this.#sealed.push(await segment.seal(lastPosition, this.options.clock.now()));
    } finally {
      this.#beingSealed = undefined;
      segment.close();
    }
  }

  async #trim(retention: Retention, durablePosition: () => bigint): Promise<TrimReport> {
    const { disk, directory, clock, log } = this.options;
    await this.#sealing;
    // A start begins with the newest segment that holds a durable record.
    const isOpenEnough = this.#open !== undefined && this.#open.plan.firstPosition <= durablePosition();
    const candidates = isOpenEnough ? this.#sealed : this.#sealed.slice(0, -1);
    const chosen = segmentsToTrim(candidates, { ...retention, bytes: this.bytes, nowMs: clock.now() });
    for (const { firstPosition } of chosen) {
      const stem = segmentStem(firstPosition);
      const beside = disk.list(directory).filter((file) => file.startsWith(`${stem}.`) && file !== `${stem}.segment`);
      // The segment last, each on disk before the next: no order of loss leaves a hole or an orphan.
      for (const file of [...beside, `${stem}.segment`]) {
        await disk.unlink(join(directory, file));
        await disk.syncDirectory(directory).catch((cause: unknown) => {
          this.onFailed(cause);
          throw cause;
        });
      }
      this.#sealed.shift();
    }
    const bytes = chosen.reduce((sum, segment) => sum + segment.bytes, 0);
    if (chosen.length > 0) log.info("persistent queue trimmed", { segments: chosen.length, bytes });
    return { segments: chosen, bytes };
  }
}
