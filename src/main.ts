// The process's entry: finds the command and loads only that one, so that a short command does not pay for the
// database, the web server and everything else; ends with a plain message and a code, never a stack trace, unless it is
// a broken promise of ours.

import { Command, CommanderError, Help, type Option } from "commander";
import { CommandError, exitCodes } from "./commands/exit.ts";
import { programVersion } from "./version.ts";

type CommandLoader = () => Promise<readonly Command[]>;

/** In the order of the help text. */
const commandLoaders: ReadonlyMap<string, CommandLoader> = new Map<string, CommandLoader>([
  ["run", async () => [(await import("./commands/run.ts")).runCommand()]],
  ["init", async () => [(await import("./commands/init.ts")).initCommand()]],
  ["validate", async () => [(await import("./commands/validate.ts")).validateCommand()]],
  ["options", async () => [(await import("./commands/options.ts")).optionsCommand()]],
  ["dump", async () => [(await import("./commands/dump.ts")).dumpCommand()]],
  ["sql", async () => [(await import("./commands/sql.ts")).sqlCommand()]],
  ["extract", async () => [(await import("./commands/extract.ts")).extractCommand()]],
  ["compare", async () => [(await import("./commands/compare.ts")).compareCommand()]],
  ["availability", async () => [(await import("./commands/availability.ts")).availabilityCommand()]],
  ["explain", async () => [(await import("./commands/explain.ts")).explainCommand()]],
  ["rebuild", async () => [(await import("./commands/rebuild.ts")).rebuildCommand()]],
  ["verify", async () => [(await import("./commands/verify.ts")).verifyCommand()]],
  ["backup", async () => [(await import("./commands/backup.ts")).backupCommand()]],
  ["restore", async () => [(await import("./commands/restore.ts")).restoreCommand()]],
  ["purge", async () => [(await import("./commands/purge.ts")).purgeCommand()]],
  ["stop-safe", async () => [(await import("./commands/stop-safe.ts")).stopSafeCommand()]],
  ["simulate", loadSimulate],
  ["token", async () => [(await import("./commands/token.ts")).tokenCommand()]],
  ["unit", async () => [(await import("./commands/unit.ts")).unitCommand()]],
  ["version", async () => [(await import("./commands/version.ts")).versionCommand()]],
]);

/** Not for people: help does not name them. */
const hiddenCommandLoaders: ReadonlyMap<string, CommandLoader> = new Map<string, CommandLoader>([
  ["hand-out", async () => [(await import("./commands/hand-out.ts")).handOutCommand()]],
]);

async function loadSimulate(): Promise<readonly Command[]> {
  const [{ simulateTserverCommand }, { simulateAmiCommand }] = await Promise.all([
    import("./commands/simulate-tserver.ts"),
    import("./commands/simulate-ami.ts"),
  ]);
  return [
    new Command("simulate")
      .description("play a data source that is not there")
      .addCommand(simulateTserverCommand())
      .addCommand(simulateAmiCommand()),
  ];
}

/** `wanted` is the first word of the command line; without a known one all commands are loaded, for help. */
async function buildProgram(wanted: string | undefined): Promise<Command> {
  const only = wanted === undefined ? undefined : (commandLoaders.get(wanted) ?? hiddenCommandLoaders.get(wanted));
  const loaders = only === undefined ? [...commandLoaders.values()] : [only];
  const program = new Command("icon")
    .description("Interaction Concentrator: records a contact centre's events and turns them into the rows of the IDB.")
    .version(programVersion, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help");
  for (const command of await loadAll(loaders)) program.addCommand(command);
  for (const command of withSubcommands(program)) {
    command.configureHelp({ optionDescription });
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, "icon: ")),
    });
  }
  return program;
}

async function loadAll(loaders: readonly CommandLoader[]): Promise<Command[]> {
  try {
    return (await Promise.all(loaders.map((load) => load()))).flat();
  } catch (cause) {
    // What a command may lack is the native library, which the binary unpacks before it can be loaded.
    const { temporaryFolderWarnings } = await import("./config/surroundings.ts");
    const [warning] = temporaryFolderWarnings(process.env);
    if (warning === undefined) throw cause;
    throw new CommandError(exitCodes.unavailable, `Cannot load this command: ${warning.sentence}`, { cause });
  }
}

/** That a switch is off and a list empty unless given goes without saying. */
function optionDescription(option: Option): string {
  return new Help().optionDescription(option).replace(/ \(default: (?:false|\[\])\)$/, "");
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

async function main(words: readonly string[]): Promise<void> {
  try {
    const program = await buildProgram(words[0]);
    if (words.length === 0) {
      program.outputHelp();
      return;
    }
    await program.parseAsync(words, { from: "user" });
  } catch (error) {
    // Whatever the failed command left running must not keep the process: systemd waits to start it anew.
    process.exit(report(error));
  }
}

/** Says what went wrong, once, and returns the exit code. */
function report(error: unknown): number {
  // Commander has said it already; help and version are no errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (isBrokenPipe(error)) return exitCodes.ok;
  if (!(error instanceof Error)) {
    console.error(`icon: ${String(error)}`);
    return exitCodes.failed;
  }
  const exitCode = exitCodeOf(error);
  // Our own fault is the one case in which the stack helps, and whoever reads it is one of us.
  console.error(exitCode === exitCodes.internal ? (error.stack ?? error.message) : error.message);
  return exitCode;
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}

function exitCodeOf(error: Error): number {
  if (error instanceof CommandError) return error.exitCode;
  switch (error.name) {
    case "ConfigError":
    case "CredentialsError":
    case "TokenFileError":
      return exitCodes.configuration;
    case "StatusListenError":
      return exitCodes.unavailable;
    case "InvariantError":
    case "TypeError":
    case "ReferenceError":
      return exitCodes.internal;
    default:
      return exitCodes.failed;
  }
}

// `icon dump | head` closes our output early; that is no error of anybody's.
process.stdout.on("error", (error) => {
  if (isBrokenPipe(error)) process.exit(exitCodes.ok);
  throw error;
});

// `icon sql … 2>&1 | head` closes it as well. What was to be said there is lost; how the command ends is not.
process.stderr.on("error", (error) => {
  if (!isBrokenPipe(error)) throw error;
});

// What nobody waited for failed: the program no longer knows its own state. The next start replays.
for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(exitCodes.internal);
  });
}

// What this program writes holds what callers dialled and said: its user's alone, and his, whatever he started it with.
process.umask(0o077);

await main(process.argv.slice(2));
