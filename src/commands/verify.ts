// `icon verify`: is what a data directory holds whole? The IDB is opened in a child process only, as `icon sql` does.

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { InspectionOutcome } from "../idb/inspect.ts";
import { gentleWord, inspectAsChild, inspectInChild } from "../idb/inspect-in-child.ts";
import { type Findings, judge, verificationLines } from "../maintenance/verify.ts";
import { verifyQueue } from "../maintenance/verify-queue.ts";
import { printed } from "../printed.ts";
import { segmentsAmong } from "../queue/segment.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly json: boolean;
  readonly idb?: string;
  readonly asChild?: true;
  readonly gentle?: true;
  readonly timeout: number;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("read a whole data directory and tell what is damaged; safe beside a running instance")
    .argument("<DIR>", "a data directory")
    .option("--idb <FILE>", "the IDB file, when it is not idb.db in the data directory")
    .option("--json", "one JSON object", false)
    .option("--timeout <seconds>", "give up on the IDB after this time", seconds, 3_600)
    .addOption(new Option("--as-child").hideHelp())
    .addOption(new Option(gentleWord).hideHelp())
    .addHelpText(
      "after",
      `\nNothing is changed. Exit codes: 0 sound; ${exitCodes.dataFormat} damage found; ${exitCodes.noInput} nothing there;\n${exitCodes.unavailable} the IDB took longer than --timeout.`,
    )
    .action(async (directory: string, options: Options) => {
      if (options.asChild) {
        await inspectAsChild(directory, options.gentle ?? false);
        return;
      }
      const verification = judge(await find(directory, options));
      const text = options.json ? JSON.stringify(verification) : verificationLines(verification).join("\n");
      await printed(`${text}\n`);
      if (!verification.isSound) process.exitCode = exitCodes.dataFormat;
    });
}

async function find(directory: string, { idb: idbGiven, timeout }: Options): Promise<Findings> {
  const queueDirectory = join(directory, "queue");
  const segments = isDirectory(queueDirectory) ? segmentsAmong(systemDisk.list(queueDirectory)) : [];
  const path = resolve(idbGiven ?? join(directory, "idb.db"));
  const hasIdb = existsSync(path);
  if (segments.length === 0 && !hasIdb) {
    throw new CommandError(
      exitCodes.noInput,
      `Cannot verify "${directory}": there is neither a persistent queue nor an IDB; expected a data directory`,
    );
  }
  // The IDB first: what it has applied is in the queue by then.
  const idb = hasIdb ? { path, outcome: await inspected(path, timeout * 1000) } : null;
  const queue = segments.length > 0 ? verifyQueue(queueDirectory, systemDisk) : null;
  return { queue, firstPosition: segments[0]?.firstPosition ?? null, idb };
}

async function inspected(
  path: string,
  timeoutMs: number,
): Promise<Exclude<InspectionOutcome, { kind: "unavailable" }>> {
  const outcome = await inspectInChild({ path, timeoutMs, isGentle: false });
  if (outcome.kind === "unavailable") throw new CommandError(exitCodes.unavailable, outcome.message);
  return outcome;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 86_400) {
    throw new InvalidArgumentError("Expected seconds, more than 0 and at most 86400.");
  }
  return value;
}

function isDirectory(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
