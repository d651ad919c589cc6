// `icon rebuild`: an IDB made anew from the persistent queue. In place, with the instance stopped; with --out into
// another file, beside a running instance too.

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../clock.ts";
import { formatProblem } from "../config/problem.ts";
import { type Config, ConfigError, loadConfig, projectionConfiguration } from "../config.ts";
import { IdbUnavailableError } from "../idb/error.ts";
import { readWindowSeconds } from "../idb/read-extent.ts";
import { putInPlace } from "../idb/replace.ts";
import { IdbLockedError, lockIdb } from "../idb-lock.ts";
import { openLog } from "../log.ts";
import { giveBack } from "../maintenance/ownership.ts";
import { RebuildStoppedError, type Rebuilt, rebuild } from "../maintenance/rebuild.ts";
import { rebuildUserData, type UserDataRenewed, UserDataUnknownError } from "../maintenance/renew-user-data.ts";
import { printed } from "../printed.ts";
import { QueueCorruptError, QueueFormatError, QueueLockedError } from "../queue/error.ts";
import { openQueue, type Queue } from "../queue/queue.ts";
import { QueueReader, type SegmentDescription } from "../queue/reader.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { ProgressBar } from "./progress-bar.ts";
import { timeOption } from "./time-range.ts";

interface Options {
  readonly config?: string;
  readonly idb?: string;
  readonly out?: string;
  readonly fromSegment?: bigint;
  readonly tables?: "userdata";
  /** Milliseconds since 1970. */
  readonly from?: number;
  readonly withCurrentConfiguration: boolean;
  readonly json: boolean;
}

interface Job {
  readonly queueDirectory: string;
  /** The IDB in its place. */
  readonly idbPath: string;
  /** Null: the IDB's own place. */
  readonly out: string | null;
  readonly config: Config | null;
  readonly options: Options;
}

interface Report extends Omit<Rebuilt, "beginning" | "lastPosition" | "knownFromSeconds"> {
  readonly idb: string;
  /** Where the IDB that was there before is kept; null: there was none, or it was not touched. */
  readonly putAside: string | null;
  readonly begunAt: string;
  readonly begunWith: Rebuilt["beginning"]["with"];
  readonly lastPosition: string;
  /** Windows before are not known here, or not all of them; null: all are. */
  readonly knownFrom: string | null;
  readonly seconds: number;
}

export function rebuildCommand(): Command {
  return new Command("rebuild")
    .description("make the IDB anew from the persistent queue; the instance must be stopped, except with --out")
    .argument("[DIR]", "a data directory; left out: the one of --config")
    .option("-c, --config <FILE>", "the configuration file: tells the data directory, the IDB and the windows' length")
    .option("--idb <FILE>", "the IDB file, when it is not idb.db in the data directory")
    .option("--out <FILE>", "write another file, beside a running instance too, and touch nothing else")
    .option(
      "--from-segment <position>",
      "begin with the segment of this first position (icon dump --segments)",
      position,
    )
    .option("--with-current-configuration", "map all records with the configuration of --config", false)
    .addOption(
      new Option("--tables <which>", "only the tables of attached data, with the specification of --config").choices([
        "userdata",
      ]),
    )
    .option("--from <time>", "with --tables: of calls that began at this time or later", timeOption)
    .option("--json", "one JSON object", false)
    .addHelpText(
      "after",
      `
The IDB that is there stays in its place until the new one is whole, and is kept then under another name.
Exit codes: 0 rebuilt; ${exitCodes.dataFormat} the persistent queue cannot be read; ${exitCodes.noInput} there is none; ${exitCodes.unavailable} an instance is running;
${exitCodes.cannotCreate} --out FILE is there already; ${exitCodes.inputOutput} the disk is full or fails; ${exitCodes.tryAgain} stopped by a signal. Then the IDB is as it was.`,
    )
    .action(async (directory: string | undefined, options: Options) => {
      const job = jobOf(directory, options);
      if (options.tables !== undefined) return renewTables(job);
      const report = await run(job);
      const text = options.json ? JSON.stringify(report) : reportLines(report).join("\n");
      await printed(`${text}\n`);
    });
}

function jobOf(directory: string | undefined, options: Options): Job {
  const config = options.config === undefined ? null : readConfig(options.config);
  if (options.withCurrentConfiguration && config === null) {
    throw new CommandError(
      exitCodes.usage,
      "Cannot map with the current configuration: expected --config FILE that tells it",
    );
  }
  checkTables(config, options);
  const dataDirectory = directory ?? config?.instance.dataDir;
  if (dataDirectory === undefined) {
    throw new CommandError(
      exitCodes.usage,
      "Cannot rebuild: expected a data directory, or --config FILE that names it",
    );
  }
  const configured = directory === undefined ? config?.idb.path : undefined;
  return {
    queueDirectory: join(dataDirectory, "queue"),
    idbPath: resolve(options.idb ?? configured ?? join(dataDirectory, "idb.db")),
    out: options.out === undefined ? null : resolve(options.out),
    config,
    options,
  };
}

function checkTables(config: Config | null, { tables, from, out, fromSegment }: Options): void {
  const say = (problem: string) => new CommandError(exitCodes.usage, problem);
  if (tables === undefined) {
    if (from !== undefined) throw say("Cannot use --from alone: expected --tables userdata with it");
    return;
  }
  if (from === undefined) throw say("Cannot use --tables alone: expected --from TIME with it");
  if (out !== undefined || fromSegment !== undefined) {
    throw say("Cannot use --tables with --out or --from-segment: expected it to change the IDB in its place");
  }
  if (config?.callconcentrator.role.includes("gud") !== true) {
    throw say("Cannot rebuild the attached data: expected --config FILE that has the role gud and the specification");
  }
}

/** In place and in one transaction; the file itself stays. */
async function renewTables(job: Job): Promise<void> {
  const report = await whileStoppable(job, (stop) => renewUnderLocks(job, stop));
  const { calls, records, rowsBefore, rowsNow } = report;
  const from = new Date(job.options.from ?? 0).toISOString();
  const text = job.options.json
    ? JSON.stringify(report)
    : `Rebuilt the attached data in ${job.idbPath}: calls since ${from} ${calls}, rows ${rowsNow} (before: ${rowsBefore}), records ${records}.`;
  await printed(`${text}\n`);
}

async function renewUnderLocks(job: Job, stop: AbortSignal): Promise<UserDataRenewed> {
  const { queueDirectory, idbPath, config, options } = job;
  if (!existsSync(idbPath)) {
    throw new CommandError(exitCodes.noInput, `Cannot rebuild tables of "${idbPath}": there is no such file`);
  }
  using _idbLock = await lockIdb(systemDisk, idbPath);
  const bar = new ProgressBar(process.stderr, systemClock.monotonic);
  try {
    await using queue = await openStopped(queueDirectory);
    return await rebuildUserData({
      ...{ queueDirectory, queueId: queue.queueId, path: idbPath, sinceMs: options.from ?? 0 },
      configuration: projectionConfiguration(config as Config),
      ...{ disk: systemDisk, clock: systemClock, log: openLog("warn", {}), stop },
      onProgress: ({ done, all }) => bar.show(done, all, "records"),
    });
  } finally {
    bar.clear();
    giveBack(queueDirectory, idbPath);
  }
}

function readConfig(file: string): Config {
  try {
    return loadConfig(file).config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map((problem) => formatProblem(file, problem));
    throw new CommandError(exitCodes.configuration, lines.join("\n"), { cause: error });
  }
}

function run(job: Job): Promise<Report> {
  return whileStoppable(job, (stop) => (job.out === null ? inPlace(job, stop) : elsewhere(job, job.out, stop)));
}

async function whileStoppable<T>(job: Job, act: (stop: AbortSignal) => Promise<T>): Promise<T> {
  checkQueue(job);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  try {
    return await act(stop.signal);
  } catch (error) {
    throw commandError(error, job);
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

function checkQueue({ queueDirectory }: Job): void {
  const isThere = existsSync(queueDirectory) && statSync(queueDirectory).isDirectory();
  if (isThere && segmentsOf(queueDirectory).length > 0) return;
  throw new CommandError(
    exitCodes.noInput,
    `Cannot rebuild: there is no persistent queue in "${queueDirectory}"; expected a data directory`,
  );
}

function segmentsOf(directory: string): readonly SegmentDescription[] {
  using reader = new QueueReader({ directory, disk: systemDisk });
  return reader.describe().segments;
}

/** With both locks that the instance holds, in its order; what a crash left of the queue is put right first, as at its start. */
async function inPlace(job: Job, stop: AbortSignal): Promise<Report> {
  using _idbLock = await lockIdb(systemDisk, job.idbPath);
  try {
    return await underLock(job, stop);
  } finally {
    giveBack(job.queueDirectory, job.idbPath);
  }
}

async function underLock(job: Job, stop: AbortSignal): Promise<Report> {
  await using queue = await openStopped(job.queueDirectory);
  const building = `${job.idbPath}.rebuilding`;
  const { rebuilt, seconds } = await build(job, {
    path: building,
    upTo: queue.durablePosition,
    isQueueOurs: true,
    stop,
  });
  const putAside = putInPlace(building, job.idbPath, systemClock.now());
  return reportOf(rebuilt, { idb: job.idbPath, putAside, seconds });
}

/** The queue of an instance that does not run. */
function openStopped(directory: string): Promise<Queue> {
  return openQueue({
    directory,
    segmentBytes: 1024 * 1024, // nothing is appended
    reserveBytes: 0,
    pendingBytesMax: 0,
    disk: systemDisk,
    clock: systemClock,
    log: openLog("warn", {}),
    head: () => new Uint8Array(0),
  });
}

async function elsewhere(job: Job, out: string, stop: AbortSignal): Promise<Report> {
  if (existsSync(out)) {
    throw new CommandError(exitCodes.cannotCreate, `Cannot write "${out}": it is there; expected a file that is not`);
  }
  const upTo = durableEnd(job.queueDirectory);
  const building = `${out}.rebuilding`;
  const { rebuilt, seconds } = await build(job, { path: building, upTo, isQueueOurs: false, stop });
  putInPlace(building, out, systemClock.now());
  return reportOf(rebuilt, { idb: out, putAside: null, seconds });
}

function durableEnd(directory: string): bigint {
  using reader = new QueueReader({ directory, disk: systemDisk });
  return reader.lastDurablePosition();
}

async function build(
  { queueDirectory, idbPath, config, options }: Job,
  where: { readonly path: string; readonly upTo: bigint; readonly isQueueOurs: boolean; readonly stop: AbortSignal },
): Promise<{ readonly rebuilt: Rebuilt; readonly seconds: number }> {
  const beginAt = options.fromSegment ?? null;
  if (beginAt !== null && !segmentsOf(queueDirectory).some(({ firstPosition }) => firstPosition === beginAt)) {
    throw new CommandError(
      exitCodes.usage,
      `Cannot begin with position ${beginAt}: no segment begins with it; expected one that icon dump --segments lists`,
    );
  }
  const bar = new ProgressBar(process.stderr, systemClock.monotonic);
  const startedAt = systemClock.monotonic();
  try {
    const rebuilt = await rebuild({
      ...where,
      queueDirectory,
      beginAt,
      windowSeconds: config?.idb.windowSeconds ?? readWindowSeconds(idbPath),
      configuration: options.withCurrentConfiguration && config !== null ? projectionConfiguration(config) : null,
      disk: systemDisk,
      clock: systemClock,
      log: openLog("warn", {}),
      onProgress: ({ done, all }) => bar.show(done, all, "records"),
    });
    return { rebuilt, seconds: (systemClock.monotonic() - startedAt) / 1000 };
  } finally {
    bar.clear();
  }
}

function reportOf(
  { beginning, lastPosition, knownFromSeconds, ...rebuilt }: Rebuilt,
  where: Pick<Report, "idb" | "putAside" | "seconds">,
): Report {
  return {
    ...where,
    ...rebuilt,
    begunAt: beginning.position.toString(),
    begunWith: beginning.with,
    lastPosition: lastPosition.toString(),
    knownFrom: knownFromSeconds === null ? null : new Date(knownFromSeconds * 1000).toISOString(),
    seconds: Math.round(where.seconds * 1000) / 1000,
  };
}

const begunWords: Record<Rebuilt["beginning"]["with"], string> = {
  "first record": "the first record there ever was",
  "segment state": "what was open there is known from the live state beside that segment",
  "segment head": "of what was open there only the sessions are known, for no live state is kept beside that segment",
};

function reportLines(report: Report): string[] {
  const { idb, putAside, records, events, rows, undecoded, damaged, passedOver, seconds } = report;
  const perSecond = seconds > 0 ? Math.round(records / seconds) : records;
  return [
    `Rebuilt ${idb}: records ${records}, events ${events}, rows ${rows}, in ${seconds.toFixed(1)} s (${perSecond} records/s).`,
    `Begun at position ${report.begunAt}: ${begunWords[report.begunWith]}. Ended with position ${report.lastPosition}.`,
    ...(report.knownFrom === null ? [] : [`Windows before ${report.knownFrom} are not known here.`]),
    ...(undecoded > 0 ? [`Not decoded: ${undecoded}; they are in ICON_UNDECODED.`] : []),
    ...(passedOver > 0 ? [`Not projected: ${passedOver}; they are in ICON_UNDECODED.`] : []),
    ...(damaged > 0 ? [`Damaged records of the persistent queue: ${damaged}; their windows are marked.`] : []),
    ...(putAside === null ? [] : [`The IDB that was there is kept as ${putAside}.`]),
  ];
}

function commandError(error: unknown, { idbPath, out }: Job): unknown {
  const message = error instanceof Error ? error.message : "";
  const asItWas = out === null ? "The IDB is as it was" : "Nothing was written";
  if (error instanceof IdbLockedError || error instanceof QueueLockedError) {
    return new CommandError(
      exitCodes.unavailable,
      `Cannot rebuild IDB "${idbPath}": process ${error.holder || "?"} is using it. Stop the instance first ` +
        "(systemctl stop icon), or write another file beside it with --out FILE",
      { cause: error },
    );
  }
  if (error instanceof RebuildStoppedError) {
    return new CommandError(exitCodes.tryAgain, `${message}. ${asItWas}`, { cause: error });
  }
  if (error instanceof UserDataUnknownError) {
    return new CommandError(exitCodes.dataFormat, `${message}. ${asItWas}`, { cause: error });
  }
  if (error instanceof IdbUnavailableError) {
    return new CommandError(exitCodes.inputOutput, `${message}. ${asItWas}`, { cause: error });
  }
  if (error instanceof QueueFormatError || error instanceof QueueCorruptError) {
    return new CommandError(exitCodes.dataFormat, `${message}. ${asItWas}`, { cause: error });
  }
  return error;
}

function position(text: string): bigint {
  if (!/^[1-9]\d{0,19}$/.test(text)) throw new InvalidArgumentError("expected a position, a whole number from 1");
  return BigInt(text);
}
