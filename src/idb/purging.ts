// When the recorder deletes what purges ask for: in turns between two batches, so short that nobody who waits for rows
// notices, and so far apart that a purge takes a small part of the recorder's time.
//
// What a purge writes goes through the WAL as rows do. While a reader keeps that from being moved into the IDB, or it has
// grown to where somebody is told of it, there is no turn: a purge can wait, and the room is for rows.

import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Idb } from "./idb.ts";
import type { PurgeMark, PurgeStep } from "./purge-subjects.ts";
import { type WalBlock, walAlarmBytes } from "./wal-growth.ts";

export interface PurgeStatus {
  /** The purge that went furthest, milliseconds since 1970; null: there was none. */
  readonly furthest: PurgeMark | null;
  /** Since the recorder was started. */
  readonly calls: number;
  readonly loginSessions: number;
  readonly rows: number;
  readonly isUnderWay: boolean;
}

// Some 20 rows each: a few milliseconds where the indexes are in memory, some tens where they are not.
const callsPerTurn = 50;
// Turn and pause: a fifth of the time while nothing else is to be done, a tenth while records wait.
const pausesIdle = 4;
const pausesBusy = 9;
// A pause that is shorter is not worth a timer; one that is longer is a disk that stood still.
const pauseMsMin = 5;
const pauseMsMax = 2_000;
const walAgainMs = 1_000;

type Gone = Readonly<Record<"calls" | "loginSessions" | "rows", number>>;

const nothing: Gone = { calls: 0, loginSessions: 0, rows: 0 };

function sum(one: Gone, other: Gone): Gone {
  return {
    calls: one.calls + other.calls,
    loginSessions: one.loginSessions + other.loginSessions,
    rows: one.rows + other.rows,
  };
}

export class Purging {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #walLimitBytes: number;
  #notBefore = 0;
  #sinceMs: number | null = null;
  #run = nothing;
  #longestTurnMs = 0;
  #inAll = nothing;

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly walLimitBytes: number }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#walLimitBytes = options.walLimitBytes;
  }

  status(idb: Idb | null): PurgeStatus {
    return { furthest: idb?.furthestPurge ?? null, ...this.#inAll, isUnderWay: this.#sinceMs !== null };
  }

  /**
   * Takes a turn when it is time for one. Returns in how many milliseconds there is another; null: there is nothing to
   * purge. Throws as Idb.purge does.
   */
  turn(idb: Idb, { isBusy, block }: { readonly isBusy: boolean; readonly block: WalBlock | null }): number | null {
    if (idb.isPurged) return null;
    const now = this.#clock.monotonic();
    if (now < this.#notBefore) return this.#notBefore - now;
    if (block !== null || idb.walBytes > walAlarmBytes(this.#walLimitBytes)) return this.#pause(now, walAgainMs);
    const step = idb.purge(callsPerTurn);
    const after = this.#clock.monotonic();
    this.#note(step, { now, tookMs: after - now });
    if (step.isDone) return null;
    const pauseMs = (after - now) * (isBusy ? pausesBusy : pausesIdle);
    return this.#pause(after, Math.min(pauseMsMax, Math.max(pauseMsMin, pauseMs)));
  }

  #pause(now: number, ms: number): number {
    this.#notBefore = now + ms;
    return ms;
  }

  #note({ rows, roots, calls, isDone }: PurgeStep, { now, tookMs }: { now: number; tookMs: number }): void {
    if (rows > 0 && this.#sinceMs === null) {
      this.#sinceMs = now;
      this.#log.info("purge of the IDB begins");
    }
    const gone = { calls, loginSessions: roots - calls, rows };
    this.#run = sum(this.#run, gone);
    this.#longestTurnMs = Math.max(this.#longestTurnMs, tookMs);
    this.#inAll = sum(this.#inAll, gone);
    if (!isDone || this.#sinceMs === null) return;
    this.#log.info("purge of the IDB is over", {
      ...this.#run,
      tookMs: Math.round(this.#clock.monotonic() - this.#sinceMs),
      // Beside nothing else is written to the IDB, so for so long rows were held up.
      longestTurnMs: Math.round(this.#longestTurnMs),
    });
    this.#sinceMs = null;
    this.#run = nothing;
    this.#longestTurnMs = 0;
  }
}
