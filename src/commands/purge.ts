// icon purge: asks the running instance to delete what ended before a day. Rows change by what the persistent queue says
// alone, so nobody else can do it.

import { existsSync } from "node:fs";
import { Command, Option } from "commander";
import { systemClock } from "../clock.ts";
import { isWildcard } from "../config/address.ts";
import { type Config, loadConfig } from "../config.ts";
import { askInstanceJson } from "../extraction/ask-instance.ts";
import { CopyError } from "../extraction/copy.ts";
import { instanceAccess } from "../handing-out/instance-access.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError } from "../idb/error.ts";
import { countPurge, type PurgeCount } from "../idb/purge-count.ts";
import { printed } from "../printed.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { timeOption } from "./time-range.ts";

interface Options {
  readonly before: number;
  readonly config: string;
  readonly instance?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly evenIfOnlyCopy: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

// A few hundred bytes.
const answerBytesMax = 64 * 1024;

export function purgeCommand(): Command {
  return new Command("purge")
    .description("have the running instance delete calls and login sessions that ended before a day from its IDB")
    .addOption(
      new Option("--before <TIME>", "a date, or a time with its zone; what ended before it, by the sources' clocks")
        .argParser(timeOption)
        .makeOptionMandatory(),
    )
    .option("-c, --config <FILE>", "the configuration file; its [http] listen is asked", "icon.toml")
    .option("--instance <ADDRESS>", 'another address of the instance, "https://host:port"')
    .addOption(new Option("--token-file <FILE>", "a file that holds a token with the role act").env("ICON_TOKEN_FILE"))
    .addOption(
      new Option("--ca-file <FILE>", "the authorities that its certificate may come from, PEM").env("ICON_CA_FILE"),
    )
    .option("--even-if-only-copy", "also what the other instance of the pair is not known to hold", false)
    .option("--dry-run", "change nothing: count what would go, and say whether it would be refused", false)
    .option("--json", "one JSON object", false)
    .addHelpText(
      "after",
      `
Calls and login sessions go whole, with all of their rows; rows that no stored call leads to (data of user events without
a call, stays in virtual queues of another switch's calls, all attached data with role gud alone) go by their own age.
Without --even-if-only-copy nothing is deleted unless the peer ([http] peer) holds all of it; the answer says from when on
it does not. Rows are deleted beside the instance's work; its page and log say when that is over. --dry-run counts in the IDB
that --config names, as it is at this moment, and asks the instance whether it may be.

Exit codes: 0 it is asked for (or would be), or was done before; 1 refused; ${exitCodes.usage} wrong usage; ${exitCodes.unavailable} the instance does not run;
${exitCodes.tryAgain} not now; ${exitCodes.configuration} the configuration is wrong; with --dry-run ${exitCodes.noInput} no IDB there, ${exitCodes.dataFormat} it cannot be read.

Example: icon purge --before 2026-10-01 --config /etc/icon/icon.toml --token-file /etc/icon/act.token`,
    )
    .action(async (options: Options) => {
      await run(options);
    });
}

async function run(options: Options): Promise<void> {
  const { before, json } = options;
  const time = new Date(before).toISOString();
  if (before % 1000 !== 0) {
    throw new CommandError(exitCodes.usage, `Cannot purge before ${time}: expected a time in whole seconds`);
  }
  if (before > systemClock.now()) {
    throw new CommandError(exitCodes.usage, `Cannot purge before ${time}: expected a time that has passed`);
  }
  if (options.dryRun) return dryRun(options, time);
  const answer = await askInstance(options, time, options.instance === undefined ? loaded(options) : null);
  const isDone = (answer as { readonly result?: unknown }).result === "done before";
  await printed(
    json
      ? `${JSON.stringify(answer)}\n`
      : isDone
        ? `What ended before ${time} is purged already, or being deleted.\n`
        : `Calls and login sessions that ended before ${time} are being deleted from the IDB.\n`,
  );
}

function loaded({ config }: Options): Config {
  return loadConfig(config).config;
}

/** What would go is counted in any case; why it would be refused is the command's error then. */
async function dryRun(options: Options, time: string): Promise<void> {
  const config = loaded(options);
  const { path } = config.idb;
  if (!existsSync(path)) {
    throw new CommandError(exitCodes.noInput, `Cannot count what a purge would delete: there is no IDB "${path}"`);
  }
  const asked = await askInstance(options, time, config).then(
    (answer) => ({ result: String((answer as { readonly result?: unknown }).result), refusal: null }),
    (error: unknown) => {
      if (error instanceof CommandError) return { result: "refused", refusal: error };
      throw error;
    },
  );
  const count = counted(path, options.before);
  await printed(
    options.json
      ? `${JSON.stringify({ before: time, dryRun: true, result: asked.result, ...count })}\n`
      : countText(count, time, asked.result),
  );
  if (asked.refusal !== null) throw asked.refusal;
}

function counted(path: string, before: number): PurgeCount {
  try {
    return countPurge(path, before);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isPassing = error instanceof IdbUnavailableError;
    const isOfFile = [IdbDamagedError, IdbNotOursError, IdbTooNewError].some((kind) => error instanceof kind);
    if (isPassing || isOfFile) {
      throw new CommandError(isPassing ? exitCodes.tryAgain : exitCodes.dataFormat, error.message, { cause: error });
    }
    throw error;
  }
}

function countText({ calls, loginSessions, rows }: PurgeCount, time: string, result: string): string {
  const total = Object.values(rows).reduce((sum, each) => sum + each, 0);
  const lines: readonly (readonly [string, number])[] = [...Object.entries(rows), ["in all", total]];
  const nameWidth = Math.max(...lines.map(([name]) => name.length));
  const countWidth = String(total).length;
  return [
    `Of what ended before ${time} a purge would delete ${calls} calls and ${loginSessions} login sessions. Rows by table:`,
    "",
    ...lines.map(([name, count]) => `  ${name.padEnd(nameWidth)}  ${String(count).padStart(countWidth)}`),
    "",
    result === "done before"
      ? "Nothing was changed. It had been purged up to then already: the instance would do nothing."
      : result === "refused"
        ? "Nothing was changed. The instance would not do it, or cannot be asked:"
        : "Nothing was changed. The instance would do it.",
    "",
  ].join("\n");
}

/** Of `config` only where the instance listens is asked; null: --instance says it. */
async function askInstance(options: Options, time: string, config: Config | null): Promise<unknown> {
  const { evenIfOnlyCopy, tokenFile = null, caFile = null } = options;
  const origin = options.instance ?? (config === null ? "" : originOf(config, options.config));
  const access = instanceAccess({ origin, tokenFile, caFile });
  const dry = options.dryRun ? "&dryRun=true" : "";
  const path = `/api/v1/purge?before=${encodeURIComponent(time)}&evenIfOnlyCopy=${evenIfOnlyCopy}${dry}`;
  const doing = `Cannot purge before ${time}`;
  return askInstanceJson(access, path, { doing, bytesMax: answerBytesMax, method: "POST" }).catch((error: unknown) => {
    throw error instanceof CopyError ? refusedBy(error, origin) : error;
  });
}

function refusedBy(error: CopyError, origin: string): CommandError {
  if (error.message.endsWith("it refuses the connection")) {
    const text = `${error.message} (${origin}). Rows change by the persistent queue alone, which the running instance writes: start it, and ask again`;
    return new CommandError(exitCodes.unavailable, text, { cause: error });
  }
  return new CommandError(error.kind === "passing" ? exitCodes.tryAgain : exitCodes.failed, error.message, {
    cause: error,
  });
}

/** How this host reaches the instance. */
function originOf({ http: { listen, names, tls } }: Config, file: string): string {
  if (listen === null || listen.port === 0) {
    throw new CommandError(
      exitCodes.configuration,
      `Cannot ask the instance by "${file}": its [http] listen names no port; expected an address such as "127.0.0.1:8080", or --instance`,
    );
  }
  // A certificate is for a name.
  const named = tls === null ? undefined : names[0];
  const host = named ?? (isWildcard(listen.host) ? "127.0.0.1" : listen.host);
  return `${tls === null ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${listen.port}`;
}
