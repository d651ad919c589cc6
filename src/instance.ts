// The whole instance on one page.
//
//   source ──envelope──▶ intake ──record──▶ queue ──durable position──▶ recorder (Worker: projector ──▶ IDB)
//                                             │
//                                             └──▶ acknowledgement to the source, after fdatasync
//
// Intake needs no IDB: the main thread owns sources, queue appends and HTTP, and only tells the recorder what is durable.
// The first stage that fails stops the others; when `runInstance` returns or throws, all of them have ended. Only a recorder
// that has a backlog left, or hangs, is ended with the process; then the lock of the IDB goes with the process as well.

import { join } from "node:path";
import { readTokenFile, tokenFileOwners } from "./access/token-file.ts";
import { type Clock, sleep } from "./clock.ts";
import { readPair } from "./config/certificates.ts";
import { type Config, projectionConfiguration } from "./config.ts";
import type { Mark, ProjectionConfiguration } from "./event/envelope.ts";
import { HandingOut } from "./handing-out/handing-out.ts";
import { PairReader } from "./handing-out/pair-reader.ts";
import { checkIdb } from "./idb-check.ts";
import { lockIdb } from "./idb-lock.ts";
import type { Log, LogLevel } from "./log.ts";
import { Purges } from "./purges.ts";
import type { Disk } from "./queue/disk.ts";
import { openWithRoom } from "./queue/open-with-room.ts";
import { openQueue, type Queue } from "./queue/queue.ts";
import { RecorderThread } from "./recorder-thread.ts";
import { Reloading, type ReloadRequests } from "./reload.ts";
import { BacklogAge, EventRates, statusReport } from "./report.ts";
import { type ArrivalSink, Intake } from "./source/intake.ts";
import type { Network } from "./source/network.ts";
import { Sources } from "./sources.ts";
import { startStatusServer } from "./status/server.ts";
import { Trimming } from "./trimming.ts";
import { TroubleLog } from "./trouble.ts";
import { programVersion } from "./version.ts";

export interface Surroundings {
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
  readonly network: Network;
  /** Numbers from 0 up to 1, for jitter; nothing that is recorded depends on them. */
  readonly random: () => number;
  /** How the configuration is read again while the instance runs; absent: never. */
  readonly reload?: ReloadRequests & { readonly setLogLevel: (level: LogLevel) => void };
  /** Told once everything runs: the status page's address, null when there is none. */
  readonly ready: (
    status: { readonly host: string; readonly port: number; readonly isEncrypted: boolean } | null,
  ) => void;
  /** Told every second while the start waits for room on the disk, with what was tried. */
  readonly waiting: (reason: string) => void;
  /**
   * Told every second while the event loop turns, in one line, how it does; and for how long the recorder has had work
   * and taken no step, ms.
   */
  readonly alive: (status: string, recorderSilentMs: number) => void;
}

// What may wait for the disk before sockets are no longer read: some seconds of a busy site. It lies in memory.
const pendingBytesMax = 8 * 1024 * 1024;
// A flood fills a segment in less than a second; to look costs next to nothing.
const trimEveryMs = 1_000;
const sampleEveryMs = 1_000;
// As exact as a time of day need be.
const purgeLookMs = 60_000;
// At the stop, the backlog is drained for so long; the rest stays in the queue for the next start.
const drainMsMax = 15_000;

/** Runs until `stop`. Throws QueueFailedError, QueueLockedError, RecorderFailedError and what the start may throw. */
export async function runInstance(first: Config, surroundings: Surroundings, stop: AbortSignal): Promise<void> {
  let config = first;
  const { clock, disk, network, random } = surroundings;
  const log = new TroubleLog(surroundings.log, clock);
  const startedAt = clock.now();
  const intake = new Intake(clock, log);
  const queueDirectory = join(config.instance.dataDir, "queue");
  using locks = new DisposableStack();
  locks.use(await lockIdb(disk, config.idb.path));
  const open = () =>
    openQueue({
      directory: queueDirectory,
      segmentBytes: config.queue.segmentBytes,
      reserveBytes: config.queue.reserveBytes,
      pendingBytesMax,
      disk,
      clock,
      log,
      head: () => intake.head(),
    });
  await using queue = await openWithRoom(open, { clock, log, stop, waiting: surroundings.waiting });
  const durableAtStart = queue.durablePosition;
  intake.recover(queue.lastHead, queue.readRecent());
  intake.attach(arrivalSink(queue));
  stop.addEventListener("abort", () => queue.stopWaitingForRoom(), { once: true });
  const restoredFrom = intake.queueIdBefore === queue.queueId ? null : intake.queueIdBefore;
  if (restoredFrom !== null) log.warn("persistent queue was restored from a backup", { restoredFrom });
  // While the disk is full it waits, and nothing is taken in; the page says so.
  const started = queue.durable(intake.mark(startMark(config, queue, restoredFrom)));
  started.catch(() => {}); // `failed` tells it

  const backlog = new BacklogAge();
  const rates = new EventRates();
  let diskFreeBytes: number | null = null;
  const recorder = new RecorderThread({
    queueDirectory,
    idbPath: config.idb.path,
    windowSeconds: config.idb.windowSeconds,
    walLimitBytes: config.idb.walLimitBytes,
    logLevel: config.log.level,
    instanceName: config.instance.name,
    durablePosition: () => queue.durablePosition,
    durableAtStart,
    clock,
    log,
    random,
    mark: (mark) => {
      // At the stop the queue takes no more; a start that finds rows says so by itself.
      if (state !== "stopping") intake.mark(mark);
    },
  });
  queue.onDurable((position) => {
    recorder.durable(position);
    backlog.durable(position, clock.now());
  });

  // Sources end first, the recorder after what they left is durable, the page last.
  const failure = new AbortController();
  const stopSources = AbortSignal.any([stop, failure.signal]);
  const stopRecorder = new AbortController();
  const stopRest = new AbortController();
  const sources = new Sources(
    { instance: config.instance, pendingBytesMax, intake, clock, log, network, random },
    stopSources,
  );
  const trimming = new Trimming({
    queue,
    retention: () => config.queue,
    appliedPosition: () => recorder.report?.appliedPosition,
    mark: (mark) => intake.mark(mark),
    log,
  });
  let state: "starting" | "running" | "stopping" = "starting";
  const failed = queue.failed.then((error) => {
    throw error;
  });
  failed.catch(() => {}); // it may fail before anybody waits for it, or after nobody does
  const reading = {
    ...{ instanceName: config.instance.name, idbPath: config.idb.path, peer: () => config.http.peer },
    ...{ clock, log, stop: stopRest.signal },
  };
  const handingOut = new HandingOut(reading);
  const purges = new Purges({
    handingOut: new HandingOut({ ...reading, childrenMax: 1 }),
    mark: (mark) => queue.durable(intake.mark(mark)),
    config: () => config.purge,
    clock,
    log,
  });
  const pair = new PairReader({
    handingOut: new HandingOut({ ...reading, childrenMax: 1 }),
    sources: () => namedSources(config),
    peerOrigin: () => config.http.peer?.origin ?? null,
    clock,
  });
  const status =
    config.http.listen === null
      ? null
      : await startStatusServer({
          ...httpOptions(config),
          listen: config.http.listen,
          report: () =>
            statusReport({
              config,
              version: programVersion,
              startedAt,
              state,
              sources: sources.all,
              queue,
              recorder: recorder.report,
              trouble: log,
              backlog,
              rates,
              diskFreeBytes,
              trimmedEarly: trimming.early,
              now: clock.now(),
            }),
          readIdb: (question, gone) => handingOut.ask(question, gone),
          askPurge: (before, options, gone) => purges.ask(before, { ...options, by: "command" }, gone),
          readPair: (spanMs) => pair.read(spanMs),
          clock,
          log,
          signal: stopRest.signal,
        });
  // A queue that has records already is drained, and trimmed, while the start waits for room.
  const recording = (queue.durablePosition > 0n ? Promise.resolve() : whileRunning(started, stopRecorder.signal)).then(
    () => recorder.run(stopRecorder.signal),
  );
  const upkeep = every(trimEveryMs, () => trimming.trim(), { clock, log, stop: stopRest.signal });
  const sampling = every(
    sampleEveryMs,
    async () => {
      surroundings.alive(statusLine(sources.all, queue, recorder), recorder.silentMs());
      intake.now(); // a step of the clock is noted while nothing arrives, too
      rates.sample(sources.all, clock.monotonic());
      queue.checkInPlace();
      diskFreeBytes = disk.freeBytes(queueDirectory);
    },
    { clock, log, stop: stopRest.signal },
  );
  const keeping = every(purgeLookMs, () => purges.keepSchedule(stopRest.signal), { clock, log, stop: stopSources });
  const checking = checkIdb(
    {
      path: config.idb.path,
      everyMs: config.idb.checkEveryMs,
      walLimitBytes: config.idb.walLimitBytes,
      clock,
      log,
      onDamage: (damage) => recorder.distrust(damage),
    },
    stopRest.signal,
  );
  surroundings.ready(status === null ? null : { ...status.address, isEncrypted: status.isEncrypted });
  const listening = whileRunning(started, stopSources).then(() => {
    if (stopSources.aborted) return;
    state = "running";
    log.info("instance started", { version: programVersion, queue: queue.state, sources: config.sources.length });
    return sources.run(config.sources);
  });
  const reloading = new Reloading({
    reload: surroundings.reload,
    stop: stopSources,
    log,
    now: () => config,
    putInForce: async (next) => {
      await started;
      config = next;
      surroundings.reload?.setLogLevel(next.log.level);
      recorder.setLogLevel(next.log.level);
      status?.renew();
      await sources.change(next.sources, () => intake.mark(reloadMark(next, startedAt)));
    },
  });
  try {
    await Promise.race([listening, failed, recording]);
    state = "stopping";
    await Promise.race([reloading.settled(), failed]);
    await queue.durable(intake.mark({ mark: "instance stopped" }));
    stopRecorder.abort();
    await Promise.race([recording, failed, sleep(clock, drainMsMax, stopRest.signal)]);
    await queue.close();
    log.info("instance stopped", {});
  } finally {
    failure.abort();
    stopRecorder.abort();
    stopRest.abort();
    await Promise.allSettled([listening, upkeep, sampling, keeping, checking, status?.stopped]);
    if (recorder.isAtWork) locks.move();
  }
}

function arrivalSink(queue: Queue): ArrivalSink {
  return {
    append: (head, body) => queue.append(head, body),
    durable: (position) => queue.durable(position),
    onDurable: (listener) => queue.onDurable(listener),
    get hasRoom() {
      return queue.pendingBytes < pendingBytesMax;
    },
    room: () => queue.room(),
  };
}

function httpOptions({ instance, http: { names, tokenFile, tls } }: Config) {
  return {
    names,
    readTokens: tokenFile === null ? null : () => readTokenFile(tokenFile, tokenFileOwners(instance.dataDir)),
    readCertificate: tls === null ? null : () => readPair(tls),
  };
}

function namedSources({ sources }: Config) {
  return sources.map(({ identity: { name, primaryDbid, switchDbid } }) => ({ name, cluster: primaryDbid, switchDbid }));
}

function startMark(config: Config, queue: Queue, restoredFrom: string | null): Mark {
  return {
    mark: "instance started",
    programVersion,
    instance: { name: config.instance.name, dbid: config.instance.dbid },
    queueId: queue.queueId,
    ...(restoredFrom === null ? {} : { restoredFrom }),
    queueState: queue.state,
    ...projectionMark(config),
  };
}

function reloadMark(config: Config, startedAt: number): Mark {
  const instance = { name: config.instance.name, dbid: config.instance.dbid };
  return { mark: "configuration in force", programVersion, instance, startedAt, ...projectionMark(config) };
}

function projectionMark(config: Config): ProjectionConfiguration & { readonly configurationHash: string } {
  const projection = projectionConfiguration(config);
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(projection)).digest("hex");
  return { configurationHash: hash, ...projection };
}

function statusLine(sources: Sources["all"], queue: Queue, recorder: RecorderThread): string {
  const connected = sources.filter((source) => source.status().state === "connected").length;
  const waiting = queue.durablePosition - (recorder.report?.appliedPosition ?? 0n);
  return `${connected} of ${sources.length} data sources connected, ${waiting} records wait for the IDB`;
}

/** Resolves when the promise does, or when it is stopped before; rejects as the promise does. */
function whileRunning(promise: Promise<void>, stop: AbortSignal): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener("abort", () => resolve(), { once: true });
  });
  return Promise.race([promise, stopped]);
}

/** A chore that fails is tried again at its next time; it never ends what it serves. */
async function every(
  intervalMs: number,
  act: () => void | Promise<void>,
  { clock, log, stop }: { readonly clock: Clock; readonly log: Log; readonly stop: AbortSignal },
): Promise<void> {
  let lastFailure: string | null = null;
  while (!stop.aborted) {
    await sleep(clock, intervalMs, stop);
    if (stop.aborted) return;
    try {
      await act();
      lastFailure = null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== lastFailure) log.warn("a regular task failed", { reason });
      lastFailure = reason;
    }
  }
}
