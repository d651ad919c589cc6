// `icon backup`: a consistent copy of a data directory, beside a running instance too.

import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../clock.ts";
import { loadConfig } from "../config.ts";
import { settleCopy } from "../idb/copy.ts";
import { IdbDamagedError, IdbUnavailableError } from "../idb/error.ts";
import { holdAsChild } from "../idb/hold.ts";
import { inspectIdb } from "../idb/inspect.ts";
import { type BackupReport, type BackupRequest, backUp } from "../maintenance/backup.ts";
import { BackupRoomError, BackupTargetError, NothingToBackUpError } from "../maintenance/backup-place.ts";
import { BackupBoundError, BackupWriteError } from "../maintenance/idb-backup.ts";
import { QueueOvertakenError } from "../maintenance/queue-copy.ts";
import { giveWay, niceness } from "../niceness.ts";
import { printed } from "../printed.ts";
import { QueueCorruptError, QueueFormatError } from "../queue/error.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly config?: string;
  readonly dataDir?: string;
  readonly idb?: string;
  readonly queueOnly: boolean;
  readonly holdMax: number;
  readonly json: boolean;
  readonly asChild?: "hold" | "settle" | "identify";
}

export function backupCommand(): Command {
  return new Command("backup")
    .description("copy persistent queue, IDB and configuration to a new folder; safe beside a running instance")
    .argument("<DIR>", "the folder to make; outside of the data directory, better on another disk")
    .option("-c, --config <FILE>", "the configuration file of the instance; it is copied too")
    .option("--data-dir <DIR>", "the data directory, instead of --config")
    .option("--idb <FILE>", "with --data-dir: the IDB file, when it is not idb.db in the data directory")
    .option(
      "--queue-only",
      "without the IDB: it is rebuilt from the persistent queue, as far back as that reaches",
      false,
    )
    .option("--hold-max <seconds>", "end when copying the IDB, whose WAL grows meanwhile, takes longer", seconds, 600)
    .option("--json", "say what was made as one JSON object", false)
    .addOption(new Option("--as-child <operation>").choices(["hold", "settle", "identify"]).hideHelp())
    .addHelpText(
      "after",
      `
The folder is named DIR.partial until it is whole. \`icon restore\` makes a data directory of it; \`icon verify DIR\` looks
through it. Secrets that the configuration names by file are not copied.

Exit codes: 0 made; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} the IDB is damaged, or does not follow the queue; ${exitCodes.noInput} nothing there; ${exitCodes.cannotCreate} DIR exists or cannot be made;
${exitCodes.inputOutput} no room, or a write failed; ${exitCodes.tryAgain} stopped at --hold-max, or overtaken by retention.

Example: icon backup /var/backups/icon/$(date +%F) --config /etc/icon/icon.toml`,
    )
    .action(async (directory: string, options: Options) => {
      if (options.asChild !== undefined) return asChild(options.asChild, directory, options.holdMax * 1000);
      await run(requestOf(directory, options), options.json);
    });
}

async function asChild(operation: NonNullable<Options["asChild"]>, path: string, holdMsMax: number): Promise<void> {
  if (operation === "hold") return holdAsChild(path, holdMsMax);
  const outcome = operation === "settle" ? settleCopy(path) : inspectIdb(path, "itself");
  await printed(JSON.stringify(outcome));
}

function requestOf(target: string, { config, dataDir, idb, queueOnly, holdMax }: Options): BackupRequest {
  if ((config === undefined) === (dataDir === undefined) || (config !== undefined && idb !== undefined)) {
    throw new CommandError(
      exitCodes.usage,
      "Cannot back up: expected --config FILE, or --data-dir DIR (with --idb FILE when the IDB is elsewhere)",
    );
  }
  const common = { target, holdMsMax: holdMax * 1000 };
  if (config !== undefined) {
    const { instance, idb: configured } = loadConfig(config).config;
    const idbPath = queueOnly ? null : configured.path;
    return { ...common, dataDirectory: instance.dataDir, idbPath, configurationFile: resolve(config) };
  }
  const dataDirectory = resolve(dataDir ?? "");
  const idbPath = queueOnly ? null : resolve(idb ?? join(dataDirectory, "idb.db"));
  return { ...common, dataDirectory, idbPath, configurationFile: null };
}

async function run(request: BackupRequest, isJson: boolean): Promise<void> {
  // The instance beside it comes first.
  giveWay(niceness.little);
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => stop.abort());
  try {
    const report = await backUp(request, { disk: systemDisk, clock: systemClock, stop: stop.signal });
    const text = isJson ? JSON.stringify(report) : lines(request.target, report).join("\n");
    await printed(`${text}\n`);
    for (const sentence of report.manifest.queue.damage) console.error(`warning: copied as it is: ${sentence}`);
    // Two signals may have left their handlers waiting.
    process.exit(exitCodes.ok);
  } catch (error) {
    if (stop.signal.aborted)
      throw new CommandError(exitCodes.failed, "Stopped by a signal; nothing is left of the backup");
    const code = exitCodeOf(error);
    if (code === undefined || !(error instanceof Error)) throw error;
    const isWrite = error instanceof BackupWriteError || "syscall" in error;
    const message = isWrite
      ? `Cannot write backup "${request.target}": ${error.message}; nothing is left of it, and what it was made of is as it was`
      : error.message;
    throw new CommandError(code, message, { cause: error });
  }
}

function exitCodeOf(error: unknown): number | undefined {
  const is = (...kinds: (abstract new (...parts: never) => Error)[]) => kinds.some((kind) => error instanceof kind);
  if (is(NothingToBackUpError)) return exitCodes.noInput;
  if (is(BackupTargetError)) return exitCodes.cannotCreate;
  if (is(BackupRoomError, BackupWriteError)) return exitCodes.inputOutput;
  if (is(BackupBoundError, QueueOvertakenError)) return exitCodes.tryAgain;
  if (is(IdbDamagedError, QueueCorruptError, QueueFormatError)) return exitCodes.dataFormat;
  if (is(IdbUnavailableError)) return exitCodes.unavailable;
  // A write that failed, for want of space or worse.
  return error instanceof Error && "syscall" in error ? exitCodes.inputOutput : undefined;
}

function lines(target: string, { manifest, heldMs, walGrewBytes }: BackupReport): string[] {
  const { queue, idb, files, configuration } = manifest;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    `Backup "${target}": ${files.length} files, ${bytes} bytes`,
    `queue: ${queue.queueId}, positions ${queue.firstPosition}–${queue.lastPosition}, last arrival ${queue.lastArrivedAt ?? "unknown"}`,
    idb === null
      ? "IDB: left out"
      : `IDB: schema ${idb.schemaVersion}, applied position ${idb.appliedPosition}; held for ${heldMs} ms, its WAL grew by ${walGrewBytes} bytes`,
    configuration === null ? "configuration: left out (no --config)" : "configuration: icon.toml, without secrets",
  ];
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 86_400) {
    throw new InvalidArgumentError("Expected seconds, more than 0 and at most 86400.");
  }
  return value;
}
