// icon sql: asks an IDB a question, also while an instance writes to it. The parent never opens the file: a child
// process does, hands its answer back through a pipe, and is killed at the bound.

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { csv, json, table } from "../idb/answer-text.ts";
import { answerAsChild, ask } from "../idb/ask.ts";
import { exitCodes } from "./exit.ts";

const exitUsage = exitCodes.usage;
const exitRefused = exitCodes.dataFormat;
const exitNoFile = exitCodes.noInput;
const exitBound = exitCodes.tryAgain;

interface Options {
  readonly idb?: string;
  readonly dataDir?: string;
  readonly format: "table" | "csv" | "json";
  readonly rowsMax: number;
  readonly timeout: number;
  readonly asChild?: true;
}

export function sqlCommand(): Command {
  return new Command("sql")
    .description("ask an IDB a question in SQL, also beside a running instance; nothing is changed")
    .argument("[statement]", "one SELECT, WITH … SELECT or EXPLAIN")
    .argument("[where]", "an IDB file, or a data directory with idb.db in it")
    .option("--idb <FILE>", "the IDB file")
    .option("--data-dir <DIR>", "the instance's data directory; its idb.db is asked")
    .addOption(
      new Option("--format <format>", "how to write the rows").choices(["table", "csv", "json"]).default("table"),
    )
    .option("--rows-max <count>", "stop after this many rows", wholeNumber, 10_000)
    .option("--timeout <seconds>", "stop after this time", seconds, 30)
    .addOption(new Option("--as-child").hideHelp())
    .addHelpText(
      "after",
      `
Exit codes: 0 answered; ${exitUsage} wrong usage; ${exitRefused} the statement or the file is refused; ${exitNoFile} no such file;
${exitBound} stopped at --rows-max (the rows so far are written) or at --timeout.

Example: icon sql --data-dir /var/lib/icon "SELECT ENDPOINTDN, count(*) FROM G_PARTY GROUP BY 1" --format csv`,
    )
    .action(async (statement: string | undefined, where: string | undefined, options: Options) => {
      process.exitCode = options.asChild ? await answerAsChild() : await run(statement, where, options);
    });
}

async function run(statement: string | undefined, where: string | undefined, options: Options): Promise<number> {
  const places = [options.idb, options.dataDir, where].filter((place) => place !== undefined);
  if (statement === undefined || statement.trim() === "" || places.length !== 1) {
    return fail(
      exitUsage,
      "Cannot ask: expected a statement, and one of --idb FILE, --data-dir DIR or a path behind it",
    );
  }
  const path = idbPath(options, where ?? "");
  if (!existsSync(path)) return fail(exitNoFile, `Cannot read IDB "${path}": there is no such file`);

  const outcome = await ask({ path, sql: statement, rowsMax: options.rowsMax }, options.timeout * 1000);
  switch (outcome.kind) {
    case "timeout":
      return fail(exitBound, `Stopped: no answer within ${options.timeout} s. Narrow the question, or raise --timeout`);
    case "failure":
      return fail(exitRefused, outcome.message);
    case "answer": {
      const { columns, rows, isCut } = outcome.answer;
      const write = { table, csv, json }[options.format];
      await Bun.write(Bun.stdout, write(columns, rows));
      if (options.format === "table") process.stderr.write(`${rows.length} ${rows.length === 1 ? "row" : "rows"}\n`);
      if (!isCut) return 0;
      return fail(exitBound, `Stopped after ${rows.length} rows: there are more. Raise --rows-max, or add a LIMIT`);
    }
  }
}

function idbPath({ idb, dataDir }: Options, where: string): string {
  if (dataDir !== undefined) return resolve(join(dataDir, "idb.db"));
  const path = resolve(idb ?? where);
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isDirectory && idb === undefined ? join(path, "idb.db") : path;
}

function fail(exitCode: number, message: string): number {
  process.stderr.write(`${message}\n`);
  return exitCode;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Expected a whole number from 1.");
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0 || value > 86_400) {
    throw new InvalidArgumentError("Expected seconds, more than 0 and at most 86400.");
  }
  return value;
}
