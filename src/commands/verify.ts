// `icon verify`: is what a data directory holds whole? The IDB is opened in a child process only, as `icon sql` does.

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { selfCommand } from "../idb/ask.ts";
import { type InspectionOutcome, inspectIdb } from "../idb/inspect.ts";
import { type Findings, judge, verificationLines } from "../maintenance/verify.ts";
import { verifyQueue } from "../maintenance/verify-queue.ts";
import { segmentsAmong } from "../queue/segment.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly json: boolean;
  readonly idb?: string;
  readonly asChild?: true;
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("read a whole data directory and tell what is damaged; safe beside a running instance")
    .argument("<DIR>", "a data directory")
    .option("--idb <file>", "the IDB file, when it is not idb.db in the data directory")
    .option("--json", "one JSON object", false)
    .addOption(new Option("--as-child").hideHelp())
    .addHelpText(
      "after",
      `\nNothing is changed. Exit codes: 0 sound; ${exitCodes.dataFormat} damage found; ${exitCodes.noInput} nothing there.`,
    )
    .action(async (directory: string, options: Options) => {
      if (options.asChild) {
        await Bun.write(Bun.stdout, JSON.stringify(inspectIdb(directory)));
        return;
      }
      const verification = judge(await find(directory, options.idb));
      const text = options.json ? JSON.stringify(verification) : verificationLines(verification).join("\n");
      await Bun.write(Bun.stdout, `${text}\n`);
      if (!verification.isSound) process.exitCode = exitCodes.dataFormat;
    });
}

async function find(directory: string, idbGiven: string | undefined): Promise<Findings> {
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
  const idb = hasIdb ? { path, outcome: await inspectInChild(path) } : null;
  const queue = segments.length > 0 ? verifyQueue(queueDirectory, systemDisk) : null;
  return { queue, firstPosition: segments[0]?.firstPosition ?? null, idb };
}

async function inspectInChild(path: string): Promise<Exclude<InspectionOutcome, { kind: "unavailable" }>> {
  const child = Bun.spawn(selfCommand(["verify", "--as-child", path]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, trouble] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  if (exitCode !== 0) {
    const [firstLine = ""] = trouble.trim().split("\n");
    throw new CommandError(
      exitCodes.failed,
      `Cannot inspect IDB "${path}": the process that read it ended with ${child.signalCode ?? exitCode}: ${firstLine}`,
    );
  }
  const outcome = JSON.parse(output) as InspectionOutcome; // Written by the other end, above.
  if (outcome.kind === "unavailable") throw new CommandError(exitCodes.unavailable, outcome.message);
  return outcome;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
