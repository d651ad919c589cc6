// `icon restore`: makes the data directory of an instance from a backup, and says what the next start will ask for.

import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { decodeHead, HeadForeignError, HeadVersionError, type SourceIntake } from "../event/intake-state.ts";
import { adoptCopy } from "../idb/copy.ts";
import { IdbDamagedError, IdbUnavailableError } from "../idb/error.ts";
import { NoBackupError } from "../maintenance/backup-reading.ts";
import { BackupUnusableError } from "../maintenance/manifest.ts";
import {
  type Adoption,
  type RestoreReport,
  type RestoreRequest,
  RestoreTargetError,
  RestoreWriteError,
  restore,
} from "../maintenance/restore.ts";
import { printed } from "../printed.ts";
import { QueueFormatError } from "../queue/error.ts";
import { QueueReader } from "../queue/reader.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { Intake } from "../source/intake.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json: boolean;
  readonly asChild?: "adopt";
  readonly queueId?: string;
}

export function restoreCommand(): Command {
  return new Command("restore")
    .description("make a data directory from a backup; it must be empty or not exist")
    .argument("<DIR>", "a backup that `icon backup` made")
    .option("-c, --config <FILE>", "the configuration file that the instance will run with; its folders are filled")
    .option("--data-dir <DIR>", "the data directory to make, instead of --config")
    .option("--json", "say what was restored as one JSON object", false)
    .addOption(new Option("--as-child <operation>").choices(["adopt"]).hideHelp())
    .addOption(new Option("--queue-id <id>").hideHelp())
    .addHelpText(
      "after",
      `
Every file is held against the manifest. Queue and IDB get ids of their own. The configuration that was in force is
DIR/icon.toml: put it where it belongs first. Never run the restored instance beside the one that the backup was made of.

Exit codes: 0 restored; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} the backup is damaged, of a newer version, or its halves do not belong together;
${exitCodes.noInput} no backup there; ${exitCodes.cannotCreate} the data directory is not empty; ${exitCodes.inputOutput} a write failed.`,
    )
    .action(async (directory: string, options: Options) => {
      if (options.asChild !== undefined) return adoptAsChild(directory, options.queueId ?? "");
      await run(requestOf(directory, options), options.json);
    });
}

async function adoptAsChild(path: string, queueId: string): Promise<void> {
  let adoption: Adoption = { kind: "adopted" };
  try {
    adoptCopy(path, queueId);
  } catch (error) {
    if (error instanceof IdbDamagedError) adoption = { kind: "damaged", message: error.message };
    else if (error instanceof IdbUnavailableError) adoption = { kind: "unwritten", message: error.message };
    else throw error;
  }
  await printed(JSON.stringify(adoption));
}

function requestOf(backup: string, { config, dataDir }: Options): RestoreRequest {
  if ((config === undefined) === (dataDir === undefined)) {
    throw new CommandError(exitCodes.usage, "Cannot restore: expected either --config FILE or --data-dir DIR");
  }
  if (config !== undefined) {
    const { instance, idb } = loadConfig(config).config;
    return { backup, dataDirectory: instance.dataDir, idbPath: idb.path };
  }
  const dataDirectory = resolve(dataDir ?? "");
  return { backup, dataDirectory, idbPath: join(dataDirectory, "idb.db") };
}

async function run(request: RestoreRequest, isJson: boolean): Promise<void> {
  try {
    const report = await restore(request, systemDisk);
    const sources = sourcesOf(join(request.dataDirectory, "queue"), BigInt(report.manifest.queue.lastPosition));
    const text = isJson ? JSON.stringify({ ...report, sources }) : lines(request, report, sources).join("\n");
    await printed(`${text}\n`);
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    const isWrite = error instanceof RestoreWriteError || "syscall" in error;
    const message = isWrite ? `Cannot restore to "${request.dataDirectory}": ${error.message}` : error.message;
    throw new CommandError(code, message, { cause: error });
  }
}

function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof NoBackupError) return exitCodes.noInput;
  if (error instanceof RestoreTargetError) return exitCodes.cannotCreate;
  if (
    [BackupUnusableError, QueueFormatError, HeadVersionError, HeadForeignError].some((kind) => error instanceof kind)
  ) {
    return exitCodes.dataFormat;
  }
  if (error instanceof RestoreWriteError) return exitCodes.inputOutput;
  return error instanceof Error && "syscall" in error ? exitCodes.inputOutput : undefined;
}

/** What the next start takes up each source with, as it finds it itself. */
function sourcesOf(queueDirectory: string, last: bigint): Readonly<Record<string, SourceIntake>> {
  using reader = new QueueReader({ disk: systemDisk, directory: queueDirectory });
  const newest = reader.describe().segments.findLast(({ head }) => head !== undefined);
  if (newest === undefined) return {};
  const intake = new Intake(systemClock);
  reader.seek(newest.firstPosition);
  intake.recover(newest.head ?? new Uint8Array(0), recordsUpTo(reader, last));
  return decodeHead(intake.head()).sources;
}

function* recordsUpTo(reader: QueueReader, last: bigint): Generator<{ readonly payload: Uint8Array }> {
  for (;;) {
    const outcomes = reader.read(last, { recordsMax: 10_000, bytesMax: 1024 * 1024 });
    if (outcomes.length === 0) return;
    for (const outcome of outcomes) if (outcome.kind === "record") yield outcome;
  }
}

function lines(
  { backup, dataDirectory, idbPath }: RestoreRequest,
  { manifest, queueId }: RestoreReport,
  sources: Readonly<Record<string, SourceIntake>>,
): string[] {
  const { queue, idb, takenAt, programVersion, configuration } = manifest;
  const waiting = BigInt(queue.lastPosition) - BigInt(idb?.appliedPosition ?? BigInt(queue.firstPosition) - 1n);
  const belongsToRoot = statSync(dataDirectory).uid === 0;
  return [
    `Restored "${dataDirectory}" from "${backup}", taken ${takenAt} by icon ${programVersion}`,
    `queue: ${queueId} (was ${queue.queueId}), positions ${queue.firstPosition}–${queue.lastPosition}, last arrival ${queue.lastArrivedAt ?? "unknown"}`,
    idb === null
      ? `IDB: none; the next start makes it of ${waiting} records`
      : `IDB: "${idbPath}", applied position ${idb.appliedPosition}; the next start applies ${waiting} more records`,
    ...(belongsToRoot ? [`it belongs to root; for an instance of another user: chown -R USER "${dataDirectory}"`] : []),
    ...Object.entries(sources).map(([name, source]) => `source ${name}: ${nextRequest(source)}`),
    configuration === null
      ? "configuration: the backup holds none"
      : `configuration: "${join(backup, configuration)}" is the one that was in force; its secrets are not in the backup`,
  ];
}

function nextRequest({ run: serverRun, contiguous }: SourceIntake): string {
  if (serverRun === null || contiguous === null)
    return "asked for what is there then; what happened meanwhile is not known";
  return (
    `asked for everything after ${contiguous} of its run ${serverRun}; what it no longer has is marked as a gap, and after ` +
    "a restart of the source everything since is"
  );
}
