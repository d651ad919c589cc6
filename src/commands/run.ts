// icon run: hosts one instance until SIGTERM or SIGINT.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { type Address, formatAddress, isWildcard } from "../config/address.ts";
import { certificateProblems } from "../config/certificates.ts";
import { fileSystemProblems } from "../config/file-system.ts";
import { formatProblem, formatWarning } from "../config/problem.ts";
import { temporaryFolderWarnings } from "../config/surroundings.ts";
import { type Config, ConfigError, loadConfig } from "../config.ts";
import { HeadForeignError, HeadVersionError } from "../event/intake-state.ts";
import { IdbNotOursError, IdbTooNewError } from "../idb/error.ts";
import { IdbLockedError } from "../idb-lock.ts";
import { runInstance } from "../instance.ts";
import { type LogLevel, openLog } from "../log.ts";
import { manifestName, restoringName } from "../maintenance/manifest.ts";
import { refuseNewer } from "../newer-version.ts";
import { QueueCorruptError, QueueFailedError, QueueFormatError, QueueLockedError } from "../queue/error.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { RecorderFailedError } from "../recorder-thread.ts";
import { serviceManager } from "../service-manager.ts";
import { systemNetwork } from "../source/network.ts";
import { StatusListenError } from "../status/server.ts";
import { CommandError, exitCodes } from "./exit.ts";

// By then what only the start needs is let go of.
const startGarbageMs = 1_000;

export function runCommand(): Command {
  return new Command("run")
    .description("run one instance until SIGTERM or SIGINT")
    .option("-c, --config <FILE>", "the configuration file", "icon.toml")
    .action(({ config }: { config: string }) => run(config, read(config)));
}

function read(file: string): Config {
  try {
    const { config, warnings } = loadConfig(file);
    for (const warning of [...warnings, ...temporaryFolderWarnings(process.env)]) {
      console.error(formatWarning(file, warning));
    }
    const problems = [...fileSystemProblems(config), ...certificateProblems(config, systemClock.now())];
    if (problems.length > 0) throw new ConfigError(file, problems);
    refuseUnfinished(config.instance.dataDir);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map((problem) => formatProblem(file, problem));
    throw new CommandError(exitCodes.configuration, lines.join("\n"), { cause: error });
  }
}

/** A backup is not to be written to, and half of a restore is not what was backed up. */
function refuseUnfinished(dataDir: string): void {
  const wrong = [
    {
      name: restoringName,
      problem: "a restore into it did not end",
      expected: "delete what is in it, and restore again",
    },
    { name: manifestName, problem: "it is a backup", expected: "`icon restore` makes a data directory of it" },
  ].find(({ name }) => existsSync(join(dataDir, name)));
  if (wrong === undefined) return;
  throw new CommandError(
    exitCodes.configuration,
    `Cannot use instance.data_dir "${dataDir}": ${wrong.problem} ("${wrong.name}" is in it); ${wrong.expected}`,
  );
}

async function run(file: string, config: Config): Promise<void> {
  const log = openLog(config.log.level, { instance: config.instance.name });
  const manager = serviceManager(process.env);
  const stop = new AbortController();
  // The second signal ends the process at once: an acknowledged event is on disk already.
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(exitCodes.failed);
    log.info("instance stops", { signal });
    manager.stopping();
    stop.abort();
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  // Until the instance listens for it, a request is kept: the default would end the process.
  let onReload: (() => void) | null = null;
  let isReloadAsked = false;
  let isHanging = false;
  process.on("SIGHUP", () => {
    if (onReload === null) isReloadAsked = true;
    else onReload();
  });
  try {
    const { dataDir } = config.instance;
    await refuseNewer({ disk: systemDisk, queueDirectory: join(dataDir, "queue"), idbPath: config.idb.path });
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const surroundings = {
      clock: systemClock,
      log,
      disk: systemDisk,
      network: systemNetwork,
      random: Math.random,
      reload: {
        onRequest: (listener: () => void) => {
          onReload = listener;
          if (isReloadAsked) listener();
          return () => {
            onReload = null;
          };
        },
        load: () => loadConfig(file).config,
        setLogLevel: (level: LogLevel) => log.setLevel(level),
        reloading: manager.reloading,
      },
      ready: (status: (Address & { readonly isEncrypted: boolean }) | null) => {
        const page = status === null ? null : pageAddress(status, config.http.names);
        console.log(JSON.stringify({ instance: config.instance.name, status: page }));
        manager.ready();
        // What the start has left behind: an idle instance would keep it for hours.
        systemClock.after(startGarbageMs, () => Bun.gc(false));
      },
      waiting: (reason: string) => manager.waiting(`waits for room on the disk: ${reason}`),
      alive: (status: string, recorderSilentMs: number) => {
        const isAlive = manager.alive(status, recorderSilentMs);
        if (!isAlive && !isHanging) log.error("recorder hangs, and the watchdog is left to end the instance");
        isHanging = !isAlive;
      },
    };
    await runInstance(config, surroundings, stop.signal);
    process.exit(exitCodes.ok);
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === undefined) throw error;
    throw new CommandError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** As others call it, where it listens on every address. */
function pageAddress(
  { isEncrypted, host, port }: Address & { readonly isEncrypted: boolean },
  [name = host]: readonly string[],
): string {
  const address = formatAddress({ host: isWildcard(host) ? name : host, port });
  return `${isEncrypted ? "https" : "http"}://${address}/`;
}

/** The exit code that stands for a failure of the instance; undefined: a bug of ours. */
export function exitCodeOf(error: unknown): number | undefined {
  if (error instanceof RecorderFailedError) return error.exitCode;
  if (error instanceof IdbTooNewError || error instanceof IdbNotOursError) return exitCodes.configuration;
  if (error instanceof QueueFailedError) return exitCodes.inputOutput;
  if (error instanceof QueueLockedError || error instanceof IdbLockedError || error instanceof StatusListenError) {
    return exitCodes.unavailable;
  }
  if (error instanceof QueueCorruptError || error instanceof QueueFormatError) return exitCodes.dataFormat;
  if (error instanceof HeadVersionError || error instanceof HeadForeignError) return exitCodes.dataFormat;
  // What the system refuses before anything runs, for instance while the queue is recovered.
  if (isSystemError(error)) return exitCodes.inputOutput;
  return undefined;
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "errno" in error && "syscall" in error;
}
