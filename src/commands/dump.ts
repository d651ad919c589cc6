// `icon dump`: what is in a persistent queue, in words.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { type DumpSummary, dumpRecords, dumpSegments } from "../maintenance/dump.ts";
import { QueueReader } from "../queue/reader.ts";
import { segmentsAmong } from "../queue/segment.ts";
import { systemDisk } from "../queue/system-disk.ts";
import { CommandError, exitCodes } from "./exit.ts";

interface Options {
  readonly json: boolean;
  readonly segments: boolean;
  readonly from?: bigint;
  readonly to?: bigint;
  readonly limit?: number;
}

// Written to the terminal or pipe in pieces of about this size.
const chunkCharacters = 64 * 1024;

export function dumpCommand(): Command {
  return new Command("dump")
    .description("print the records of a persistent queue; safe beside a running instance")
    .argument("<DIR>", "a data directory, or the queue directory in it")
    .option("--json", "one JSON object a line", false)
    .option("--segments", "list the segments instead of the records", false)
    .option("--from <position>", "first position", position)
    .option("--to <position>", "last position", position)
    .option("--limit <count>", "at most so many lines", count)
    .addHelpText(
      "after",
      `\nNothing is changed. Exit codes: 0 printed; ${exitCodes.failed} some records are damaged; ${exitCodes.noInput} no persistent queue there.`,
    )
    .action(async (directory: string, { json: isJson, segments, from, to, limit }: Options) => {
      using reader = new QueueReader({ directory: queueDirectory(directory), disk: systemDisk });
      if (segments) {
        await print(dumpSegments(reader, { isJson }));
        return;
      }
      const lines = dumpRecords(reader, { isJson, from, to, limit: limit ?? Number.POSITIVE_INFINITY });
      const summary = await print<DumpSummary>(lines);
      if (summary.damagedCount > 0) {
        console.error(`Cannot read ${summary.damagedCount} records of "${directory}": they are damaged`);
        process.exitCode = exitCodes.failed;
      }
    });
}

function queueDirectory(directory: string): string {
  for (const each of [join(directory, "queue"), directory]) {
    if (!existsSync(each) || !statSync(each).isDirectory()) continue;
    if (each !== directory || segmentsAmong(systemDisk.list(each)).length > 0) return each;
  }
  throw new CommandError(
    exitCodes.noInput,
    `Cannot dump "${directory}": there is no persistent queue; expected a data directory, or the folder "queue" in it`,
  );
}

async function print<Result>(lines: Generator<string, Result, undefined>): Promise<Result> {
  let chunk = "";
  for (;;) {
    const { done, value } = lines.next();
    if (!done) chunk += `${value}\n`;
    if (chunk !== "" && (done || chunk.length >= chunkCharacters)) {
      await written(chunk);
      chunk = "";
    }
    if (done) return value;
  }
}

// Waits for a slow pipe, so that a large queue does not pile up in memory.
function written(chunk: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function position(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError("expected a position, a whole number from 1");
  return BigInt(text);
}

function count(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 0");
  return Number(text);
}
