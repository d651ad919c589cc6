// How much of one source may be read and not yet be durable. Beyond that its socket is not read, while other sources'
// are: a source that floods waits for the disk, and nobody waits for the source.
//
// 1. What all sources may have together fits into what may wait for the disk, so none of them can take another's place.
//    A disk without room holds all of them back, and afterwards each goes on with an allowance of its own again.
// 2. What the runtime reads in one turn comes on top: at most ten times 512 KiB.
// 3. A server that cuts us off while we do not read, or before it has shown that it is still there afterwards, did so
//    because of us.

import type { Clock } from "../clock.ts";
import type { ArrivalSink } from "./intake.ts";
import type { Connection } from "./network.ts";

export interface AllowanceOptions {
  /** Bytes read and not durable beyond which the socket is not read. */
  readonly bytesMax: number;
  readonly sink: ArrivalSink;
  readonly clock: Clock;
  /** The socket is read again after it was not. */
  readonly goesOn: () => void;
}

interface Hold {
  readonly because: string;
  readonly sinceMs: number;
  /** Null: it lasts. */
  untilMs: number | null;
}

// Read again when half of it is durable: pausing for every chunk costs more than it spares.
const goOnShare = 0.5;
// Shorter stops are the ordinary give and take with the disk; no server cuts anybody off for those.
const holdMsMin = 1_000;
// So long after the last stop everything that had waited in between has been read.
const forgottenMs = 30_000;

export class Allowance implements Disposable {
  readonly #options: AllowanceOptions;
  /** What was read and is not durable, oldest first. */
  #pending: { readonly position: bigint; readonly bytes: number }[] = [];
  #pendingBytes = 0;
  #connection: Connection | null = null;
  #hold: Hold | null = null;
  /** The last stop that a server may have minded. */
  #longHold: Hold | null = null;
  readonly #unlisten: () => void;
  #isAwaitingRoom = false;
  #isOver = false;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#unlisten = options.sink.onDurable((position) => this.#durable(position));
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get isReading(): boolean {
    return this.#hold === null;
  }

  attach(connection: Connection): void {
    this.#connection = connection;
    if (this.#hold !== null) connection.pause();
  }

  /** So many bytes were read; the last record made of what was read so far stands at `position`. */
  took(bytes: number, position: bigint): void {
    this.#pending.push({ position, bytes });
    this.#pendingBytes += bytes;
    this.#consider();
  }

  /**
   * Why a server that has ended the connection now may have done so because of us; null: not because of us. `aliveAtMs`:
   * when it was last asked, by the monotonic clock, whether it is there, and answered.
   */
  cutOffBecause(aliveAtMs: number | null): string | null {
    const now = this.#options.clock.monotonic();
    if (this.#hold !== null && now - this.#hold.sinceMs >= holdMsMin) this.#longHold = this.#hold;
    const hold = this.#longHold;
    if (hold === null) return null;
    const untilMs = hold.untilMs ?? now;
    if (hold.untilMs !== null && (now - untilMs > forgottenMs || (aliveAtMs !== null && aliveAtMs > untilMs)))
      return null;
    return `not read for ${((untilMs - hold.sinceMs) / 1000).toFixed(1)} s: ${hold.because}`;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#unlisten();
  }

  #consider(): void {
    const { bytesMax, sink } = this.#options;
    if (this.#hold !== null || this.#isOver) return;
    if (!sink.hasRoom) {
      this.#stop("the persistent queue had no room");
      this.#awaitRoom();
    } else if (this.#pendingBytes > bytesMax) this.#stop(`more than ${bytesMax} bytes of it were not durable yet`);
  }

  #stop(because: string): void {
    this.#hold = { because, sinceMs: this.#options.clock.monotonic(), untilMs: null };
    this.#connection?.pause();
  }

  #awaitRoom(): void {
    if (this.#isAwaitingRoom) return;
    this.#isAwaitingRoom = true;
    this.#options.sink.room().then(
      () => {
        this.#isAwaitingRoom = false;
        this.#goOnIfMay();
      },
      () => {}, // The queue has failed; whoever owns it ends the process.
    );
  }

  #durable(position: bigint): void {
    let done = 0;
    for (const { position: each, bytes } of this.#pending) {
      if (each > position) break;
      this.#pendingBytes -= bytes;
      done += 1;
    }
    if (done > 0) this.#pending = this.#pending.slice(done);
    this.#goOnIfMay();
  }

  #goOnIfMay(): void {
    const { bytesMax, sink, clock } = this.#options;
    const hold = this.#hold;
    if (hold === null || this.#isOver || this.#pendingBytes > bytesMax * goOnShare) return;
    if (!sink.hasRoom) return this.#awaitRoom();
    hold.untilMs = clock.monotonic();
    if (hold.untilMs - hold.sinceMs >= holdMsMin) this.#longHold = hold;
    this.#hold = null;
    this.#options.goesOn();
    this.#connection?.resume();
  }
}
