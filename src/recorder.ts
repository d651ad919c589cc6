// The Worker's entry around the projector: owns the IDB, waits for word that more is durable, and reports. The main
// thread never touches the IDB, for a long read or a locked file there would be deafness here.

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { nextTurn, sleep, systemClock } from "./clock.ts";
import { pauseMs, waitedForCoreMs } from "./giving-way.ts";
import { IdbBusyError, IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError } from "./idb/error.ts";
import type { Idb } from "./idb/idb.ts";
import { openIdb } from "./idb/open.ts";
import { Purging } from "./idb/purging.ts";
import { setAside } from "./idb/set-aside.ts";
import { readersText, WalGrowth, walAlarmBytes } from "./idb/wal-growth.ts";
import { IdbLoss, type IdbMark } from "./idb-loss.ts";
import { InvariantError, unreachable } from "./invariant.ts";
import { type LeveledLog, type LogFields, type LogLevel, openLog } from "./log.ts";
import { LiveStateDamagedError, LiveStateVersionError } from "./projection/live-state.ts";
import { Projector, type ProjectorStatus } from "./projector.ts";
import { PublishedPosition } from "./published.ts";
import { QueueReader } from "./queue/reader.ts";
import { systemDisk } from "./queue/system-disk.ts";
import type { FromRecorder, RecorderOptions, RecorderReport, ToRecorder } from "./recorder-messages.ts";
import { SegmentStates } from "./segment-state.ts";

// The page is refreshed every second; more often nobody looks.
const reportIntervalMs = 250;
// As often as the WAL's growth is looked at.
const walLookMs = 1_000;
const retryMsMin = 50;
// A lock is asked for again soon after it was given back: the backlog has grown all the while.
const retryMsMax = 500;
// While a backlog is recorded: the runtime would let 30 MiB more gather before it collects by itself, in the same time.
const batchesPerCollection = 4;
// By then what only the start, or the last batch before an outage, needs is let go of.
const garbageMs = 1_500;
// sysexits: configuration (an IDB that is not ours or too new), software (a broken promise).
const exitConfiguration = 78;
const exitSoftware = 70;

interface Instant {
  readonly at: number;
  readonly waitedMs: number | undefined;
  readonly appliedPosition: bigint;
  readonly durable: bigint;
}

declare const self: Worker;

class Recorder {
  readonly #options: RecorderOptions;
  readonly #log: LeveledLog;
  readonly #stop = new AbortController();
  readonly #published: PublishedPosition;
  readonly #walGrowth: WalGrowth;
  readonly #purging: Purging;
  readonly #states: SegmentStates;
  readonly #loss: IdbLoss;
  #durable: bigint;
  #wake: () => void = () => {};
  #idb: Idb | null = null;
  #projector: Projector | null = null;
  #trouble: string | null = null;
  #damage: IdbDamagedError | null = null;
  #isBusy = false;
  /** Up to here an empty IDB is made anew of what the queue holds. */
  #rebuildUpTo = 0n;
  #seen = { commits: 0, rowsWritten: 0 };
  #lastCommitAt: number | null = null;
  #lastRowAt: number | null = null;
  #batchesSinceCollection = 0;
  #reportedAt = -reportIntervalMs;
  #reportTimer: (() => void) | null = null;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#published = new PublishedPosition(options.published);
    this.#durable = this.#published.take();
    this.#log = telling(openLog(options.logLevel, { instance: options.instanceName }));
    this.#walGrowth = new WalGrowth({ limitBytes: options.walLimitBytes, clock: systemClock, log: this.#log });
    this.#purging = new Purging({ walLimitBytes: options.walLimitBytes, clock: systemClock, log: this.#log });
    this.#loss = new IdbLoss(options.isIdbLost);
    this.#states = new SegmentStates({ disk: systemDisk, directory: options.queueDirectory, log: this.#log });
  }

  /** More has become durable. */
  wake(): void {
    this.#durable = this.#published.take();
    this.#wake();
  }

  /** Puts the IDB aside before the next batch, if it is still the one that was looked through. */
  distrust(inode: number, reason: string): void {
    if (this.#idb?.inode !== inode) return;
    this.#damage = new IdbDamagedError(reason);
    this.#wake();
  }

  setLogLevel(level: LogLevel): void {
    this.#log.setLevel(level);
  }

  stop(): void {
    this.#stop.abort();
    this.#wake();
  }

  /** Until stopped: then all that is durable has been applied, unless the IDB cannot be written. */
  async run(): Promise<void> {
    try {
      await this.#record();
    } finally {
      this.#reportTimer?.();
      // Whoever comes after must be the only connection that writes.
      this.#idb?.close();
    }
  }

  async #record(): Promise<void> {
    let retryMs = retryMsMin;
    while (true) {
      this.#published.step({ isLong: false });
      try {
        const damage = this.#damage;
        this.#damage = null;
        if (damage !== null) throw damage;
        this.#projector ??= this.#open();
        this.#moveWal();
        const before = this.#mark();
        const projector = this.#projector;
        const hasMore = this.#published.writing(() => projector.advance(this.#durable));
        this.#published.noteApplied(projector.status().appliedPosition);
        if (this.#trouble !== null) this.#log.info("rows are written again");
        this.#trouble = null;
        tell(this.#loss.written(projector.status().appliedPosition));
        retryMs = retryMsMin;
        this.#noteCommit();
        this.#report();
        const state = this.#projector.takeSegmentState();
        if (state !== null) await this.#states.write(state.position, state.bytes);
        const wasPurging = this.#idb?.isPurged === false;
        const purgeInMs = this.#purge(hasMore);
        if (purgeInMs !== null || wasPurging) this.#report();
        if (hasMore) {
          this.#collectGarbage();
          await this.#giveWay(before);
          continue;
        }
        if (this.#stop.signal.aborted) break;
        await this.#moreDurable(purgeInMs);
      } catch (error) {
        if (!this.#canGoOn(error)) throw error;
        this.#report();
        if (this.#stop.signal.aborted) break;
        await sleep(systemClock, retryMs, this.#stop.signal);
        retryMs = Math.min(retryMsMax, retryMs * 2);
      }
    }
  }

  #collectGarbage(): void {
    this.#batchesSinceCollection += 1;
    if (this.#batchesSinceCollection < batchesPerCollection) return;
    this.#batchesSinceCollection = 0;
    Bun.gc(true);
  }

  #mark(): Instant {
    const appliedPosition = this.#idb?.lastPosition ?? 0n;
    return { at: systemClock.monotonic(), waitedMs: waitedForCoreMs(), appliedPosition, durable: this.#durable };
  }

  /** Lets messages in between two batches, and the intake go first where it must. */
  async #giveWay(before: Instant): Promise<void> {
    this.#durable = this.#published.take();
    const now = this.#mark();
    const tookMs = now.at - before.at;
    const pause = pauseMs({
      tookMs,
      // Where the kernel does not tell, cores are taken for short.
      waitedMs: now.waitedMs === undefined || before.waitedMs === undefined ? tookMs : now.waitedMs - before.waitedMs,
      recordedCount: Number(now.appliedPosition - before.appliedPosition),
      arrivedCount: Number(now.durable - before.durable),
    });
    await (pause === 0 ? nextTurn() : sleep(systemClock, pause, this.#stop.signal));
  }

  /** Makes of a failure what it asks for: wait, rebuild, or (false) die and be started again. */
  #canGoOn(error: unknown): boolean {
    if (error instanceof IdbUnavailableError) {
      // It may last for hours, with what the last batches have left behind.
      if (this.#trouble === null) systemClock.after(garbageMs, () => Bun.gc(true));
      if (this.#trouble === null) this.#log.warn("IDB cannot be written now", { reason: error.message });
      this.#trouble = error.message;
      this.#isBusy = error instanceof IdbBusyError;
      this.#lose(error.message, false);
      return true;
    }
    if (error instanceof Error && "syscall" in error) {
      // The disk, or too many open files: no record's fault. What was read and not committed is read again.
      if (this.#trouble === null) this.#log.error("recorder cannot use its files now", { reason: error.message });
      this.#trouble = error.message;
      this.#isBusy = false;
      this.#projector = null;
      this.#lose(error.message, false);
      return true;
    }
    if (rebuilding.some((kind) => error instanceof kind)) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#log.error("IDB is put aside and rebuilt from the persistent queue", { reason });
      this.#trouble = reason;
      this.#idb?.close();
      this.#idb = null;
      this.#projector = null;
      this.#walGrowth.forget();
      const isSound = error instanceof LiveStateVersionError;
      setAside(this.#options.idbPath, systemClock.now(), isSound ? "other-version" : "damaged");
      this.#lose(reason, true);
      return true;
    }
    return false;
  }

  #lose(detail: string, isAnew: boolean): void {
    tell(this.#loss.lost(detail, { nowMs: systemClock.monotonic(), durable: this.#durable, isAnew }));
  }

  #open(): Projector {
    const { idbPath, windowSeconds, walLimitBytes, queueDirectory } = this.#options;
    mkdirSync(dirname(idbPath), { recursive: true, mode: 0o700 });
    this.#idb ??= openIdb({ path: idbPath, log: this.#log, clock: systemClock, windowSeconds, walLimitBytes });
    const reader = new QueueReader({ disk: systemDisk, directory: queueDirectory });
    this.#rebuildUpTo = this.#idb.lastPosition === 0n ? this.#durable : 0n;
    if (this.#idb.lastPosition === 0n && this.#options.durableAtStart > 0n) {
      this.#lose(`IDB "${idbPath}" has no rows: it is made anew of what the persistent queue holds`, true);
    }
    const projector = new Projector({
      reader,
      idb: this.#idb,
      log: this.#log,
      deaths: this.#options.deaths,
      states: this.#states,
    });
    this.#published.noteApplied(projector.status().appliedPosition);
    post({ kind: "opened" });
    return projector;
  }

  /** Throws IdbBusyError while a reader has made the WAL grow to its limit. */
  #moveWal(): void {
    const idb = this.#idb;
    if (idb === null) return;
    // Moving gigabytes takes its time, here or in the next commit.
    this.#published.step({ isLong: idb.walBytes > walAlarmBytes(this.#options.walLimitBytes) });
    const block = this.#walGrowth.look(idb);
    if (block?.isAtLimit !== true) return;
    throw new IdbBusyError(
      `Cannot write to IDB "${idb.path}": ${readersText(block.readers)} has been reading since ` +
        `${new Date(block.since).toISOString()} or longer, and its WAL has grown to [idb] wal_limit`,
    );
  }

  /** A part of a purge, when it is time for one; in how many milliseconds for the next, null: there is none. */
  #purge(isBusy: boolean): number | null {
    const idb = this.#idb;
    // Rows of before the mark may still be to come.
    if (idb === null || this.#stop.signal.aborted || idb.lastPosition < this.#rebuildUpTo) return null;
    this.#published.step({ isLong: false });
    return this.#published.writing(() => this.#purging.turn(idb, { isBusy, block: this.#walGrowth.block }));
  }

  /** Or so many milliseconds have passed. */
  #moreDurable(purgeInMs: number | null): Promise<void> {
    return new Promise((resolve) => {
      const applied = this.#projector?.status().appliedPosition ?? 0n;
      // What came while live state was being written beside a segment has woken nobody.
      if (this.#durable > applied || this.#damage !== null || this.#stop.signal.aborted) return resolve();
      // A reader that goes is noticed also when nothing more arrives.
      const inMs = Math.min(
        purgeInMs ?? Number.POSITIVE_INFINITY,
        this.#walGrowth.block === null ? Infinity : walLookMs,
      );
      const callOff = Number.isFinite(inMs) ? systemClock.after(inMs, () => this.#wake()) : () => {};
      this.#wake = () => {
        this.#wake = () => {};
        callOff();
        resolve();
      };
    });
  }

  #noteCommit(): void {
    const { commits = 0, rowsWritten = 0 } = this.#idb?.status() ?? {};
    if (commits !== this.#seen.commits) this.#lastCommitAt = systemClock.now();
    if (rowsWritten !== this.#seen.rowsWritten) this.#lastRowAt = systemClock.now();
    this.#seen = { commits, rowsWritten };
  }

  /** At most one report an interval; the last one is never left out. */
  #report(): void {
    if (this.#reportTimer !== null) return;
    const waitMs = this.#reportedAt + reportIntervalMs - systemClock.monotonic();
    if (waitMs <= 0) return this.#sendReport();
    this.#reportTimer = systemClock.after(waitMs, () => this.#sendReport());
  }

  #sendReport(): void {
    this.#reportTimer = null;
    this.#reportedAt = systemClock.monotonic();
    const idb = this.#idb?.status();
    const projector = this.#projector?.status();
    const report: RecorderReport = {
      state: this.#trouble !== null ? "unavailable" : this.#projector === null ? "opening" : "open",
      ...(projector ?? nothingProjected),
      idbBytes: idb?.bytes ?? 0,
      walBytes: idb?.walBytes ?? 0,
      walBlock: this.#walGrowth.block,
      commits: idb?.commits ?? 0,
      rowsWritten: idb?.rowsWritten ?? 0,
      lastCommitAt: this.#lastCommitAt,
      lastRowAt: this.#lastRowAt,
      isBusy: this.#isBusy,
      isRebuilding: (this.#idb?.lastPosition ?? 0n) < this.#rebuildUpTo,
      trouble: this.#trouble,
      purge: this.#purging.status(this.#idb),
    };
    post({ kind: "report", report });
  }
}

/** What is met by putting the IDB aside and rebuilding it from the persistent queue. */
const rebuilding = [IdbDamagedError, LiveStateDamagedError, LiveStateVersionError];

const nothingProjected: ProjectorStatus = {
  appliedPosition: 0n,
  openCalls: 0,
  openParties: 0,
  openSessions: 0,
  duplicates: {},
  holes: {},
  endedUnseen: {},
  lastWord: {},
  undecoded: {},
  recordsProjected: 0,
  recordsPassedOver: 0,
  recordsDamaged: 0,
};

let recorder: Recorder | null = null;

function post(message: FromRecorder): void {
  self.postMessage(message);
}

function tell(mark: IdbMark | null): void {
  if (mark !== null) post({ kind: "mark", mark });
}

/** A log whose warnings and errors the main thread hears of. */
function telling(log: LeveledLog): LeveledLog {
  const told =
    (level: "warn" | "error") =>
    (sentence: string, fields: LogFields = {}) => {
      log[level](sentence, fields);
      post({ kind: "trouble", level, sentence, fields });
    };
  return { ...log, warn: told("warn"), error: told("error") };
}

/** Whether the process has to end: everything else is tried again by a new Worker, with the backlog on disk. */
function fail(error: unknown): void {
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (error instanceof IdbTooNewError || error instanceof IdbNotOursError) {
    post({ kind: "fatal", reason, exitCode: exitConfiguration });
  } else if (error instanceof InvariantError) {
    post({ kind: "fatal", reason: `${reason}\n${error.stack ?? ""}`, exitCode: exitSoftware });
  } else {
    post({ kind: "died", reason });
  }
}

self.onmessage = ({ data }: MessageEvent<ToRecorder>) => {
  switch (data.kind) {
    case "open":
      recorder = new Recorder(data.options);
      // What the start has left behind: an idle recorder would keep it for hours.
      systemClock.after(garbageMs, () => Bun.gc(true));
      recorder.run().then(() => post({ kind: "stopped" }), fail);
      return;
    case "durable":
      recorder?.wake();
      return;
    case "distrust":
      recorder?.distrust(data.inode, data.reason);
      return;
    case "log level":
      recorder?.setLogLevel(data.level);
      return;
    case "stop":
      recorder?.stop();
      return;
    default:
      unreachable(data);
  }
};
