// The main thread's side of the recorder: starts the Worker, tells it what is durable, hears its reports, and starts it
// again when it dies. The backlog is on disk, so nothing is lost while there is none. One that is gone in the middle of a
// transaction would leave the IDB locked for every later one: then the process ends, and its next start replays.

import { Backoff } from "./backoff.ts";
import { type Clock, sleep } from "./clock.ts";
import type { IdbMark } from "./idb-loss.ts";
import type { LogLevel } from "./log.ts";
import type { Deaths } from "./projector.ts";
import { PublishedPosition } from "./published.ts";
import type { FromRecorder, RecorderOptions, RecorderReport, ToRecorder } from "./recorder-messages.ts";
import type { TroubleLog } from "./trouble.ts";

// sysexits: software.
const exitSoftware = 70;

/** The recorder cannot go on: a promise of ours is broken, or the IDB is not one that may be written. */
export class RecorderFailedError extends Error {
  override readonly name = "RecorderFailedError";
  constructor(
    reason: string,
    readonly exitCode: number,
  ) {
    super(reason);
  }
}

export interface RecorderThreadOptions extends Omit<RecorderOptions, "published" | "deaths" | "isIdbLost"> {
  readonly durablePosition: () => bigint;
  readonly clock: Clock;
  /** Keeps the recorder's warnings and errors too, which it has logged itself. */
  readonly log: TroubleLog;
  readonly random: () => number;
  /** Told when the IDB is lost, and when it is back. */
  readonly mark: (mark: IdbMark) => void;
}

type Ending =
  | { readonly kind: "stopped" }
  /** `isOnRecord`: it was open and had work, so that the record after the applied position may be what killed it. */
  | { readonly kind: "died"; readonly reason: string; readonly isOnRecord: boolean }
  | { readonly kind: "failed"; readonly error: RecorderFailedError };

export class RecorderThread {
  readonly #options: RecorderThreadOptions;
  #worker: Worker | null = null;
  #report: RecorderReport | null = null;
  #published = new PublishedPosition();
  #logLevel: LogLevel;
  #deaths: Deaths = { position: -1n, count: 0 };
  #isOpened = false;
  #isIdbLost = false;
  #lastStep = { steps: -1n, at: 0 };

  constructor(options: RecorderThreadOptions) {
    this.#options = options;
    this.#logLevel = options.logLevel;
  }

  /** The last report; null before the first. */
  get report(): RecorderReport | null {
    return this.#report;
  }

  /** It may be writing the IDB. */
  get isAtWork(): boolean {
    return this.#worker !== null;
  }

  /**
   * For how long the recorder has had work and taken no step, ms; ask again and again. 0 while it opens the IDB (a
   * migration takes its time) or moves a large WAL into it, waits for more, or is being started again. An IDB that is
   * locked or gone is no silence: trying again is a step.
   */
  silentMs(): number {
    const now = this.#options.clock.monotonic();
    const { steps, isLong } = this.#published;
    const hasWork = this.#options.durablePosition() > (this.#report?.appliedPosition ?? 0n);
    if (!this.#isOpened || !hasWork || isLong || steps !== this.#lastStep.steps) this.#lastStep = { steps, at: now };
    return now - this.#lastStep.at;
  }

  durable(position: bigint): void {
    if (this.#published.publish(position)) this.#send({ kind: "durable" });
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.#send({ kind: "log level", level });
  }

  /** The IDB of this inode was found damaged: it is put aside and rebuilt, if it is still the one in use. */
  distrust(damage: { readonly inode: number; readonly reason: string }): void {
    this.#send({ kind: "distrust", ...damage });
  }

  /** Until `stop`; then what is durable has been applied, as far as the IDB lets. Rejects with RecorderFailedError. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    const backoff = new Backoff({ minMs: 100, maxMs: 10_000 }, random);
    while (true) {
      const ending = await this.#runOnce(stop);
      if (ending.kind === "stopped") return;
      if (ending.kind === "failed") throw ending.error;
      if (ending.isOnRecord) {
        this.#noteDeath(this.#published.applied);
        if (this.#deaths.count === 1) backoff.reset();
      }
      const { position, count } = this.#deaths;
      const { reason } = ending;
      log.error("recorder died and is started again", { reason, appliedPosition: position, deaths: count });
      // The page is not to say that all is well while there is none.
      if (this.#report !== null)
        this.#report = { ...this.#report, state: "unavailable", isBusy: false, trouble: reason };
      if (stop.aborted) return;
      await sleep(clock, backoff.nextMs(), stop);
    }
  }

  async #runOnce(stop: AbortSignal): Promise<Ending> {
    const { queueDirectory, idbPath, windowSeconds, walLimitBytes, instanceName } = this.#options;
    const { durablePosition, durableAtStart } = this.#options;
    const published = new PublishedPosition();
    this.#published = published;
    published.publish(durablePosition());
    // Its heap is collected sooner: less memory, and not slower (bun run bench --only P4,P9).
    const worker = new Worker(new URL("./recorder.ts", import.meta.url).href, { smol: true });
    const { promise: ended, resolve } = Promise.withResolvers<Ending>();
    // What kills it before it is at work, or while there is nothing to do, is no record's fault.
    const died = (reason: string) =>
      resolve({ kind: "died", reason, isOnRecord: this.#isOpened && durablePosition() > published.applied });
    worker.onmessage = ({ data }: MessageEvent<FromRecorder>) => {
      if (data.kind === "report") this.#report = data.report;
      else if (data.kind === "trouble") this.#options.log.keep(data.level, data.sentence, data.fields);
      else if (data.kind === "opened") this.#isOpened = true;
      else if (data.kind === "mark") this.#mark(data.mark);
      else if (data.kind === "stopped") resolve(data);
      else if (data.kind === "died") died(data.reason);
      else resolve({ kind: "failed", error: new RecorderFailedError(data.reason, data.exitCode) });
    };
    // It did not say so itself: an uncaught throw, which this thread survives, or its thread ended. What it had open is
    // closed by nobody.
    const gone = (reason: string) => {
      if (!published.isWriting) return died(reason);
      const left = `the recorder was gone in the middle of a transaction, which nobody can end in this process: ${reason}`;
      resolve({ kind: "failed", error: new RecorderFailedError(left, exitSoftware) });
    };
    worker.onerror = (event) => gone(event.message);
    worker.addEventListener("close", () => gone("Worker ended by itself"));
    const deaths = this.#deaths;
    const options = {
      queueDirectory,
      idbPath,
      windowSeconds,
      walLimitBytes,
      logLevel: this.#logLevel,
      instanceName,
      published: published.memory,
      deaths,
      durableAtStart,
      isIdbLost: this.#isIdbLost,
    };
    this.#worker = worker;
    this.#send({ kind: "open", options });
    const onStop = () => this.#send({ kind: "stop" });
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    const ending = await ended;
    this.#isOpened = false;
    stop.removeEventListener("abort", onStop);
    this.#worker = null;
    worker.terminate();
    return ending;
  }

  #mark(mark: IdbMark): void {
    this.#isIdbLost = mark.mark === "idb lost";
    this.#options.mark(mark);
  }

  #noteDeath(position: bigint): void {
    // One that got on since the death before died of another trouble.
    const isSame = position === this.#deaths.position;
    this.#deaths = { position, count: isSame ? this.#deaths.count + 1 : 1 };
  }

  #send(message: ToRecorder): void {
    this.#worker?.postMessage(message);
  }
}
