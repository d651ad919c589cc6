// Looks after the persistent queue's retention. What the rows have and retention no longer wants is deleted; while the disk
// is full, what the rows have is deleted before its time, and a mark in the queue says so: whoever makes an IDB anew one day
// must be able to tell from where on it knows.

import type { Mark } from "./event/envelope.ts";
import type { Log } from "./log.ts";
import type { Queue } from "./queue/queue.ts";
import type { SealedSegment } from "./queue/retention.ts";
import type { TrimmedEarly } from "./status/report.ts";

export interface TrimmingParts {
  readonly queue: Queue;
  /** In force now: a reload may change it. */
  readonly retention: () => { readonly retentionMs: number; readonly retentionBytes: number };
  /** Undefined while that is not known. */
  readonly appliedPosition: () => bigint | undefined;
  /** Appends a mark; it is durable once there is room again. */
  readonly mark: (mark: Mark) => void;
  readonly log: Log;
}

export class Trimming {
  readonly #parts: TrimmingParts;
  #early: TrimmedEarly | null = null;

  constructor(parts: TrimmingParts) {
    this.#parts = parts;
  }

  /** Since the instance started; null: nothing was. */
  get early(): TrimmedEarly | null {
    return this.#early;
  }

  /** To be called every second or so. */
  async trim(): Promise<void> {
    const { queue, retention, appliedPosition } = this.#parts;
    const applied = appliedPosition();
    if (applied === undefined) return;
    const { retentionMs, retentionBytes } = retention();
    await queue.trim({ appliedPosition: applied, olderThanMs: retentionMs, bytesMax: retentionBytes });
    if (!queue.status().isFull) return;
    // What the rows have is not kept for its age while there is no room for what they have not. The oldest goes; if that is
    // not room enough, the next one in a second.
    const bytesMax = queue.status().bytes - 1;
    const { segments } = await queue.trim({
      appliedPosition: applied,
      olderThanMs: Number.POSITIVE_INFINITY,
      bytesMax,
    });
    const [first, last] = [segments[0], segments.at(-1)];
    if (first !== undefined && last !== undefined) this.#noteEarly(first, last);
  }

  #noteEarly({ firstPosition }: SealedSegment, { lastPosition, sealedMs: lastAt }: SealedSegment): void {
    const { log, mark } = this.#parts;
    log.warn("records were deleted before their retention was over: the disk is full", { firstPosition, lastPosition });
    this.#early = { firstPosition: this.#early?.firstPosition ?? firstPosition, lastPosition, lastAt };
    mark({
      mark: "history trimmed early",
      firstPosition: Number(firstPosition),
      lastPosition: Number(lastPosition),
      lastAt,
    });
  }
}
