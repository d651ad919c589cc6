// The main thread's side of the recorder: starts the Worker, tells it what is durable, hears its reports, and starts it
// again when it dies. The backlog is on disk, so nothing is lost while there is none.

import { Backoff } from "./backoff.ts";
import { type Clock, sleep } from "./clock.ts";
import type { Log, LogLevel } from "./log.ts";
import type { Deaths } from "./projector.ts";
import { PublishedPosition } from "./published.ts";
import type { FromRecorder, RecorderOptions, RecorderReport, ToRecorder } from "./recorder.ts";

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

export interface RecorderThreadOptions extends Omit<RecorderOptions, "published" | "deaths"> {
  readonly durablePosition: () => bigint;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

type Ending =
  | { readonly kind: "stopped" }
  | { readonly kind: "died"; readonly reason: string }
  | { readonly kind: "failed"; readonly error: RecorderFailedError };

export class RecorderThread {
  readonly #options: RecorderThreadOptions;
  #worker: Worker | null = null;
  #report: RecorderReport | null = null;
  #published = new PublishedPosition();
  #logLevel: LogLevel;
  #deaths: Deaths = { position: -1n, count: 0 };
  #isOpened = false;
  #lastStep = { steps: -1n, at: 0 };

  constructor(options: RecorderThreadOptions) {
    this.#options = options;
    this.#logLevel = options.logLevel;
  }

  /** The last report; null before the first. */
  get report(): RecorderReport | null {
    return this.#report;
  }

  /**
   * For how long the recorder has had work and taken no step, ms; ask again and again. 0 while it opens the IDB (a
   * migration takes its time) or moves a large WAL into it, waits for more, or is being started again. An IDB that is locked or gone is no silence:
   * trying again is a step.
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

  /** Until `stop`; then what is durable has been applied, as far as the IDB lets. Rejects with RecorderFailedError. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log, random } = this.#options;
    const backoff = new Backoff({ minMs: 100, maxMs: 10_000 }, random);
    while (true) {
      const ending = await this.#runOnce(stop);
      if (ending.kind === "stopped") return;
      if (ending.kind === "failed") throw ending.error;
      this.#deaths = { ...this.#deaths, count: this.#deaths.count + 1 };
      if (this.#deaths.count === 1) backoff.reset();
      const { position, count } = this.#deaths;
      log.error("recorder died and is started again", {
        reason: ending.reason,
        appliedPosition: position,
        deaths: count,
      });
      if (stop.aborted) return;
      await sleep(clock, backoff.nextMs(), stop);
    }
  }

  async #runOnce(stop: AbortSignal): Promise<Ending> {
    const { queueDirectory, idbPath, windowSeconds, walLimitBytes, instanceName, durablePosition } = this.#options;
    const worker = new Worker(new URL("./recorder.ts", import.meta.url).href);
    const { promise: ended, resolve } = Promise.withResolvers<Ending>();
    worker.onmessage = ({ data }: MessageEvent<FromRecorder>) => {
      if (data.kind === "report") this.#report = data.report;
      else if (data.kind === "opened") {
        this.#isOpened = true;
        this.#noteStart(data.appliedPosition);
      } else if (data.kind === "stopped" || data.kind === "died") resolve(data);
      else resolve({ kind: "failed", error: new RecorderFailedError(data.reason, data.exitCode) });
    };
    // An uncaught throw ends the Worker while this thread lives on.
    worker.onerror = (event) => resolve({ kind: "died", reason: event.message });
    worker.addEventListener("close", () => resolve({ kind: "died", reason: "Worker ended by itself" }));
    this.#published = new PublishedPosition();
    this.#published.publish(durablePosition());
    const deaths = this.#deaths;
    const options = {
      queueDirectory,
      idbPath,
      windowSeconds,
      walLimitBytes,
      logLevel: this.#logLevel,
      instanceName,
      published: this.#published.memory,
      deaths,
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

  // It got on since the one before: then whatever kills it is another trouble.
  #noteStart(position: bigint): void {
    if (position !== this.#deaths.position) this.#deaths = { position, count: 0 };
  }

  #send(message: ToRecorder): void {
    this.#worker?.postMessage(message);
  }
}
