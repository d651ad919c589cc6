// icon compare: whether IDBs say the same, and where they do not.

import { Command, InvalidArgumentError } from "commander";
import { systemClock } from "../clock.ts";
import { compareCopies } from "../extraction/compare.ts";
import type { Comparison } from "../extraction/comparison.ts";
import { comparisonText } from "../extraction/comparison-text.ts";
import type { Stretch } from "../extraction/copy.ts";
import { looksUntil } from "../extraction/far-ahead.ts";
import { judgeByLedger } from "../extraction/standing.ts";
import { printed } from "../printed.ts";
import { type IdbOptions, idbOption, withCopies } from "./copies.ts";
import { withCopyAccess } from "./copy-access.ts";
import { CommandError, exitCodes } from "./exit.ts";
import { ProgressBar } from "./progress-bar.ts";
import { stretchBetween, timeOption } from "./time-range.ts";

interface Options extends IdbOptions {
  readonly from?: number;
  readonly to?: number;
  readonly rows: boolean;
  readonly json: boolean;
  readonly limit: number;
}

export function compareCommand(): Command {
  const command = new Command("compare")
    .description(
      "whether IDBs say the same: windows by digest, calls and login sessions where windows differ; nothing is changed",
    )
    .addOption(idbOption("twice or more"))
    .option("--from <TIME>", "from this time on, by the sources' clocks; with --to", timeOption)
    .option("--to <TIME>", "before this time; default, without both: all that is known", timeOption)
    .option(
      "--rows",
      "compare the rows of all calls and login sessions, also where the digests are equal; reads everything",
      false,
    )
    .option("--json", "one JSON object", false)
    .option(
      "--limit <count>",
      "list at most so many windows, stretches, calls and login sessions; all are counted",
      count,
      20,
    )
    .addHelpText(
      "after",
      `
Windows of which two IDBs have every event are compared by their counts and digests, without reading rows. Calls and login
sessions are read where windows differ or where an IDB doubts its rows. Equal events that became different rows (another version or
configuration of the program) are found with --rows only.

Exit codes: 0 what was compared is equal; ${exitCodes.divergence} they differ; ${exitCodes.incomplete} nothing could be compared; ${exitCodes.notYetKnown} nothing could be compared
yet; ${exitCodes.usage} wrong usage; ${exitCodes.dataFormat} an IDB cannot be read or compared; ${exitCodes.noInput} no such IDB;
${exitCodes.tryAgain} an IDB cannot be read now.

Example: icon compare --idb A/idb.db --idb https://icon-b:8443 --from 2026-11-23 --to 2026-11-24`,
    )
    .action(async (options: Options) => {
      process.exitCode = await run(options);
    });
  return withCopyAccess(command);
}

async function run(options: Options): Promise<number> {
  if (options.idb.length < 2) {
    throw new CommandError(exitCodes.usage, "Cannot compare: expected two IDBs or more, --idb X --idb Y");
  }
  const stretch = stretchOf(options);
  const bar = new ProgressBar(process.stderr, () => systemClock.monotonic());
  return withCopies("Cannot compare", options, async (copies) => {
    const comparison = await compareCopies(copies, judgeByLedger, {
      stretch,
      untilMax: looksUntil(systemClock.now()),
      allRows: options.rows,
      listedMax: options.limit,
      onProgress: ({ from, until }, doneUntil) => bar.show(doneUntil - from, until - from, "seconds of source time"),
    }).finally(() => bar.clear());
    const text = options.json ? JSON.stringify(comparison) : comparisonText(comparison).join("\n");
    await printed(`${text}\n`);
    return exitCodeOf(comparison);
  });
}

function stretchOf({ from, to }: Options): Stretch | null {
  if (from === undefined && to === undefined) return null;
  if (from === undefined || to === undefined) {
    throw new CommandError(exitCodes.usage, "Cannot compare: expected both --from and --to, or neither");
  }
  return stretchBetween(from, to);
}

function exitCodeOf({ result, windows }: Comparison): number {
  switch (result) {
    case "equal":
      return exitCodes.ok;
    case "different":
      return exitCodes.divergence;
    case "nothing compared":
      return windows.notYetKnown > 0 ? exitCodes.notYetKnown : exitCodes.incomplete;
  }
}

function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 0.");
  return Number(text);
}
