// Notices that the WAL is no longer moved into the IDB. Whoever holds a transaction open reads the state of its beginning,
// and until it ends SQLite keeps everything written since in the WAL, which grows at the speed of the rows, without a bound
// and without an error.
//
// 1. From an eighth of the limit on somebody is told: since when, how large, and who reads, where that can be seen.
// 2. At the limit nothing more is to be committed until the reader has gone. What arrives waits in the persistent queue,
//    which takes a small part of the room: so a forgotten reader does not fill the disk that intake needs.
// 3. Once the reader has gone the WAL is moved at once, also when nothing more is committed, and its file is given back.

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Idb } from "./idb.ts";
import { type WalReader, walReaders } from "./wal-readers.ts";

export interface WalBlock {
  /** Milliseconds since 1970: the reader has been there at least since then. */
  readonly since: number;
  readonly isAtLimit: boolean;
  /** Other processes that read now; empty when none can be seen from here. */
  readonly readers: readonly WalReader[];
}

// A look is one stat; while a reader is in the way also a checkpoint that ends at once and a list of locks.
const lookEveryMs = 1_000;
const alarmFraction = 8;

// What the file keeps between two checkpoints when no reader is in the way.
const usualBytesMax = 64 * 1024 * 1024;

/** From here on somebody is told, bytes. */
export function walAlarmBytes(limitBytes: number): number {
  return limitBytes / alarmFraction;
}

/** Beyond this size a reader is in the way, or has been until a moment ago, bytes. */
export function walUsualBytes(limitBytes: number): number {
  return Math.min(usualBytesMax, walAlarmBytes(limitBytes) / 2);
}

export class WalGrowth {
  readonly #limitBytes: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #grownSince: number | null = null;
  #block: WalBlock | null = null;

  constructor(options: { readonly limitBytes: number; readonly clock: Clock; readonly log: Log }) {
    this.#limitBytes = options.limitBytes;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** What the last look found; null: no reader is in the way. */
  get block(): WalBlock | null {
    return this.#block;
  }

  /**
   * Looks at most once a second, between two commits; and where a reader is in the way, once more when the limit is reached,
   * so that it is passed by no more than one batch. Throws as Idb.checkpoint does.
   */
  look(idb: Idb): WalBlock | null {
    const now = this.#clock.monotonic();
    const isNearing = this.#block !== null && !this.#block.isAtLimit;
    const isReached = isNearing && idb.walBytes >= this.#limitBytes;
    if (now - this.#lookedAt < lookEveryMs && !isReached) return this.#block;
    this.#lookedAt = now;
    const bytes = idb.walBytes;
    const isGrown = bytes > walUsualBytes(this.#limitBytes);
    this.#grownSince = isGrown ? (this.#grownSince ?? this.#clock.now()) : null;
    // A reader that has gone leaves the WAL as large as it was until something is committed.
    if (bytes <= walAlarmBytes(this.#limitBytes) || idb.moveWal()) return this.#end(bytes);
    const since = this.#grownSince ?? this.#clock.now();
    const readers = walReaders(idb.path);
    const isAtLimit = bytes >= this.#limitBytes;
    if (this.#block === null) {
      this.#log.warn("a reader of the IDB keeps its WAL from being moved into it", {
        walBytes: bytes,
        since: new Date(since).toISOString(),
        readers: readersText(readers),
      });
    }
    this.#block = { since, isAtLimit, readers };
    return this.#block;
  }

  /** The IDB was closed or put aside: what was known of its WAL says nothing of the next. */
  forget(): void {
    this.#block = null;
    this.#grownSince = null;
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  #end(bytes: number): null {
    if (this.#block !== null) {
      const blockedMs = this.#clock.now() - this.#block.since;
      this.#log.info("the WAL of the IDB is moved into it again", { walBytes: bytes, blockedMs });
    }
    this.#block = null;
    return null;
  }
}

/** "process 1234 (sqlite3)"; "an unknown process" when none can be seen. */
export function readersText(readers: readonly WalReader[]): string {
  if (readers.length === 0) return "an unknown process";
  return readers.map(({ pid, command }) => `process ${pid} (${command})`).join(", ");
}
