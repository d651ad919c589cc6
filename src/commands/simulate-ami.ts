// `icon simulate ami`: serves a recorded stream of Asterisk's manager interface, for demonstrations and tests.

import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { systemClock } from "../clock.ts";
import { type Recording, RecordingError, readRecording } from "../simulator/ami/recording.ts";
import { type AmiReplay, type ReplayOptions, startAmiReplay } from "../simulator/ami/replay.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Given {
  readonly recording: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly pace: number | "fast";
  readonly once: boolean;
  readonly linger: number;
  readonly stay: boolean;
  readonly username?: string;
  readonly secret?: string;
}

/** The command `ami`, to be put below `simulate`. Prints where it listens as one line of JSON. */
export function simulateAmiCommand(): Command {
  return new Command("ami")
    .description("serves a recording of Asterisk's manager interface as that Asterisk did, with its cuts")
    .helpOption("--help", "show these options")
    .requiredOption("--recording <file>", "bytes of one connection, or an observer's lines of JSON")
    .addOption(
      new Option("--listen <host:port>", "where to listen; port 0 lets the system choose")
        .argParser(address)
        .default(loopback, '"127.0.0.1:0"'),
    )
    .option("--pace <pace>", "real, fast, or how many times faster than recorded", pace, 1)
    .option("--once", "exit when the recording has been served, instead of serving it again", false)
    .option("--linger <seconds>", "how long pings are answered after the last message", notNegative, 3)
    .option("--stay", "keep the connection after the last message until the client goes", false)
    .option("--username <name>", "the client must log in with it (default: any will do)")
    .option("--secret <secret>", "the client must log in with it (default: any will do)")
    .action(simulate);
}

const loopback = { host: "127.0.0.1", port: 0 };

async function simulate(given: Given, command: Command): Promise<void> {
  if ((given.username === undefined) !== (given.secret === undefined)) {
    command.error("error: --username and --secret belong together: expected both or neither");
  }
  const replay = await listen(given, await load(given.recording));
  const stop = () => void replay.stop();
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  process.stdout.write(`${JSON.stringify({ listening: replay.address })}\n`);
  await replay.ended;
}

async function load(file: string): Promise<Recording> {
  let content: Uint8Array;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new CommandError(exitCodes.unavailable, `Cannot read recording "${file}": ${reasonOf(cause)}`, { cause });
  }
  try {
    return readRecording(file, content);
  } catch (cause) {
    if (!(cause instanceof RecordingError)) throw cause;
    throw new CommandError(exitCodes.dataFormat, cause.message, { cause });
  }
}

async function listen(given: Given, recording: Recording): Promise<AmiReplay> {
  const { host, port } = given.listen;
  const options: ReplayOptions = {
    recording,
    listen: given.listen,
    pace: given.pace,
    credentials:
      given.username === undefined || given.secret === undefined
        ? null
        : { username: given.username, secret: given.secret },
    lingerMs: given.linger * 1000,
    stays: given.stay,
    repeats: !given.once,
    answerWaitMs: 5000,
    clock: systemClock,
  };
  try {
    return await startAmiReplay(options);
  } catch (cause) {
    throw new CommandError(exitCodes.unavailable, `Cannot listen on "${host}:${port}": ${reasonOf(cause)}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function address(text: string): { host: string; port: number } {
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined || Number(port) > 65535) {
    throw new InvalidArgumentError("Expected host:port with a port from 0 to 65535.");
  }
  return { host, port: Number(port) };
}

function pace(text: string): number | "fast" {
  if (text === "fast") return "fast";
  const factor = text === "real" ? 1 : Number(text);
  if (!Number.isFinite(factor) || factor <= 0) {
    throw new InvalidArgumentError('Expected "real", "fast" or a number above 0.');
  }
  return factor;
}

function notNegative(text: string): number {
  const seconds = Number(text);
  if (text.trim() === "" || !Number.isFinite(seconds) || seconds < 0) {
    throw new InvalidArgumentError("Expected a number of seconds, 0 or more.");
  }
  return seconds;
}
