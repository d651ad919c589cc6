// icon extract: the one record of several IDBs, as an IDB file, as NDJSON or as CSV.

import { renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { sleep, systemClock } from "../clock.ts";
import { durationExpected, parseDuration } from "../config/quantity.ts";
import { AppendFileError } from "../extraction/append-file.ts";
import { LedgersDifferError } from "../extraction/availability.ts";
import { type Copy, CopyError } from "../extraction/copy.ts";
import {
  type Destination,
  kindOfName,
  openDestination,
  refuseInputs,
  refuseReport,
} from "../extraction/destination.ts";
import { type Extraction, ExtractionStoppedError, extract } from "../extraction/extract.ts";
import { Follower } from "../extraction/follow.ts";
import { IdbCopy } from "../extraction/idb-copy.ts";
import { openCopy } from "../extraction/open-copy.ts";
import type { ExtractReport } from "../extraction/report.ts";
import { reportText } from "../extraction/report-text.ts";
import { PatientWork } from "../giving-way.ts";
import { IdbDamagedError, IdbUnavailableError } from "../idb/error.ts";
import { ExtractFileError, type ExtractKind } from "../idb/extract-store.ts";
import { IdbLockedError, lockIdb } from "../idb-lock.ts";
import { giveWay, niceness } from "../niceness.ts";
import { printed } from "../printed.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { refuseMissing } from "./copies.ts";
import { type CopyAccessOptions, copyAccess, withCopyAccess } from "./copy-access.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { ProgressBar } from "./progress-bar.ts";
import { stretchBetween, timeOption } from "./time-range.ts";

interface Options extends CopyAccessOptions {
  readonly idb: readonly string[];
  readonly from: number;
  readonly to?: number;
  readonly out: string;
  readonly format?: ExtractKind;
  readonly follow: boolean;
  readonly every: number;
  readonly open: boolean;
  readonly report?: string;
  readonly force: boolean;
  readonly json: boolean;
}

const everyDefaultMs = 5_000;
// Sources' clocks may be ahead of ours by so much.
const futureToleranceMs = 3_600_000;

export function extractCommand(): Command {
  const command = new Command("extract")
    .description(
      "the one record of several IDBs: each call and login session whole from one that has all of it, or joined; nothing of them is changed",
    )
    .option("--idb <IDB>", "an IDB file, a data directory or an instance's address; any number of them", collect, [])
    .requiredOption("--from <TIME>", "what was created from this time on, by the sources' clocks", timeOption)
    .option("--to <TIME>", "what was created before this time; without it only with --follow", timeOption)
    .requiredOption("--out <FILE>", "the output; a directory for CSV")
    .addOption(
      new Option("--format <kind>", "default: by the ending of --out (.db, .ndjson, .csv)").choices([
        "idb",
        "ndjson",
        "csv",
      ]),
    )
    .option("--follow", "go on as the IDBs do, until --to or a signal", false)
    .addOption(
      new Option("--every <duration>", "with --follow: look for news so often")
        .argParser(duration)
        .default(everyDefaultMs, "5s"),
    )
    .option("--open", "hand out calls and login sessions that go on, too", false)
    .option("--report <FILE>", "write the report there, JSON")
    .option("--force", "replace what is at --out", false)
    .option("--json", "print the report as one JSON object", false)
    .addHelpText(
      "after",
      `
Run again with the same --out it writes what has changed since, and nothing twice. A new output is OUT.extracting until
it is whole; with --follow it is OUT from the beginning. An IDB that cannot be read now is done without, and named.

Exit codes: 0 everything is complete; ${exitCodes.incomplete} something is missing in every IDB; ${exitCodes.divergence} IDBs contradict each other; ${exitCodes.notYetKnown} an IDB may
still tell; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} an IDB or the output cannot be used; ${exitCodes.noInput} no such IDB; ${exitCodes.unavailable} another extraction writes there;
${exitCodes.cannotCreate} --out is something else; ${exitCodes.inputOutput} the disk is full or fails; ${exitCodes.tryAgain} no IDB can be read now, or stopped by a signal.

Example: icon extract --idb A/idb.db --idb https://icon-b:8443 --from 2026-11-23 --to 2026-11-24 --out calls.db`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options);
    });
  return withCopyAccess(command);
}

async function run(options: Options): Promise<number> {
  const kind = check(options);
  giveWay(niceness.far);
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  const bar = new ProgressBar(process.stderr, systemClock.monotonic);
  await using stack = new AsyncDisposableStack();
  try {
    const copies = options.idb.map((name) => stack.use(openCopy(name, copyAccess(options))));
    const windowSeconds = await commonWindowSeconds(copies);
    const inputs = copies.flatMap((copy) => (copy instanceof IdbCopy ? [copy.path] : []));
    // Before the lock: the one of an IDB that is read is its instance's.
    refuseInputs(options.out, kind, inputs);
    if (options.report !== undefined) refuseReport(options.report, { out: options.out, kind, inputs });
    using _lock = await lockIdb(systemDisk, options.out.replace(/\/+$/, ""));
    const destination = openDestination({
      path: options.out,
      kind,
      windowSeconds,
      now: systemClock.now(),
      isFollowed: options.follow,
      isForced: options.force,
      inputs,
    });
    const work = new PatientWork(systemClock.monotonic);
    const extraction: Extraction = {
      copies,
      output: destination.output,
      withOpen: options.open,
      stop: stop.signal,
      afterBatch: () => sleep(systemClock, work.pauseMs(), stop.signal),
      onProgress: ({ done, all }) => bar.show(Math.floor(done), all, "seconds of source time"),
    };
    const report = options.follow
      ? await follow(options, extraction, destination, { stop: stop.signal, onIdle: () => bar.clear() })
      : await once(options, extraction, destination);
    bar.clear();
    writeReport(options, report);
    await printed(`${options.json ? JSON.stringify(report) : reportText(report).join("\n")}\n`);
    for (const { name, problem } of report.idbs) {
      if (problem !== null) process.stderr.write(`Done without "${name}": ${problem}\n`);
    }
    return stop.signal.aborted && options.follow ? exitCodes.ok : verdictCodes[report.verdict];
  } catch (error) {
    bar.clear();
    throw commandError(error);
  } finally {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  }
}

const verdictCodes: Record<ExtractReport["verdict"], number> = {
  complete: exitCodes.ok,
  incomplete: exitCodes.incomplete,
  divergent: exitCodes.divergence,
  "not yet known": exitCodes.notYetKnown,
};

/** What is wrong before anything is read; returns the output's kind. */
function check({ idb, from, to, out, format, follow: isFollowed, report }: Options): ExtractKind {
  const usage = (message: string) => new CommandError(exitCodes.usage, message);
  if (idb.length === 0) throw usage("Cannot extract: expected one IDB or more, --idb X --idb Y");
  refuseMissing(idb);
  if (to === undefined && !isFollowed) throw usage("Cannot extract: expected --to TIME, or --follow to go on for ever");
  if (to !== undefined && from >= to) {
    throw usage(`Cannot extract from ${textOf(from)} to ${textOf(to)}: expected --from before --to`);
  }
  if (to !== undefined && !isFollowed && to > systemClock.now() + futureToleranceMs) {
    throw usage(`Cannot extract up to ${textOf(to)}: it is in the future; expected an earlier --to, or --follow`);
  }
  const kind = format ?? kindOfName(out);
  if (kind === null) {
    throw usage(`Cannot tell the format of "${out}" by its name: expected .db, .ndjson or .csv, or --format`);
  }
  for (const file of [out.replace(/\/+$/, ""), ...(report === undefined ? [] : [report])]) {
    const directory = statSync(dirname(file), { throwIfNoEntry: false });
    if (directory?.isDirectory() === true) continue;
    throw new CommandError(exitCodes.cannotCreate, `Cannot write "${file}": there is no directory "${dirname(file)}"`);
  }
  return kind;
}

/** Of the copies that can be read; that they all have the same is found out when they are judged. */
async function commonWindowSeconds(copies: readonly Copy[]): Promise<number> {
  const problems: string[] = [];
  for (const copy of copies) {
    try {
      return (await copy.identity()).windowSeconds;
    } catch (error) {
      if (!(error instanceof CopyError) || error.kind !== "passing") throw error;
      problems.push(error.message);
    }
  }
  throw new CopyError("passing", problems.join("\n"));
}

async function once(options: Options, extraction: Extraction, destination: Destination): Promise<ExtractReport> {
  try {
    const report = await extract(extraction, stretchBetween(options.from, options.to ?? 0));
    destination.finish();
    return report;
  } catch (error) {
    destination.abandon();
    throw error;
  }
}

async function follow(
  options: Options,
  extraction: Extraction,
  destination: Destination,
  { stop, onIdle }: { readonly stop: AbortSignal; readonly onIdle: () => void },
): Promise<ExtractReport> {
  const { from, until } = stretchBetween(options.from, options.to ?? Number.MAX_SAFE_INTEGER);
  const follower = new Follower(extraction, { from, until: options.to === undefined ? null : until });
  try {
    let lastProblem = "";
    for (;;) {
      const outcome = await stepOf(follower);
      if (typeof outcome === "string") {
        if (outcome !== lastProblem) process.stderr.write(`${outcome}\n`);
        lastProblem = outcome;
      } else {
        lastProblem = "";
        if (outcome.isAtEnd || stop.aborted) break;
        if (outcome.hasMore) continue;
        writeReport(options, follower.report());
      }
      onIdle();
      await sleep(systemClock, options.every, stop);
      if (stop.aborted) break;
    }
    const report = follower.report();
    destination.finish();
    return report;
  } catch (error) {
    destination.abandon();
    throw error;
  }
}

/** A copy that goes away meanwhile is no end of following: what it was, or null when the follow was stopped. */
async function stepOf(follower: Follower): Promise<Awaited<ReturnType<Follower["step"]>> | string> {
  try {
    return await follower.step(Math.floor(systemClock.now() / 1000));
  } catch (error) {
    if (error instanceof CopyError && error.kind === "passing") return error.message;
    if (error instanceof ExtractionStoppedError) return "";
    throw error;
  }
}

/** Whole or not at all. */
function writeReport({ report: path }: Options, report: ExtractReport): void {
  if (path === undefined) return;
  const making = `${path}.writing`;
  writeFileSync(making, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  renameSync(making, path);
}

function commandError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const as = (exitCode: number) => new CommandError(exitCode, error.message, { cause: error });
  if (error instanceof CopyError) return as(error.kind === "passing" ? exitCodes.tryAgain : exitCodes.dataFormat);
  if (error instanceof LedgersDifferError || error instanceof IdbDamagedError || error instanceof AppendFileError) {
    return as(exitCodes.dataFormat);
  }
  if (error instanceof ExtractFileError) return as(exitCodes.cannotCreate);
  if (error instanceof ExtractionStoppedError) return as(exitCodes.tryAgain);
  if (error instanceof IdbLockedError) {
    const message = `Cannot write to "${error.path}": process ${error.holder || "?"} writes it`;
    return new CommandError(exitCodes.unavailable, message, { cause: error });
  }
  if (error instanceof IdbUnavailableError || "syscall" in error) return as(exitCodes.inputOutput);
  return error;
}

function textOf(ms: number): string {
  return new Date(ms).toISOString();
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null || ms < 100 || ms > 86_400_000) {
    throw new InvalidArgumentError(`expected ${durationExpected}, from 100ms to 1d.`);
  }
  return ms;
}
