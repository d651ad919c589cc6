// icon sql: asks an IDB a question, or several side by side, also while instances write to them. The parent never opens
// a file: a child process does, hands its answer back through a pipe, and is killed at the bound.

import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { csv, json, table } from "../idb/answer-text.ts";
import { answerAsChild, ask } from "../idb/ask.ts";
import { letterOf } from "../idb/letter.ts";
import { printed } from "../printed.ts";
import { exitCodes } from "./exit.ts";

const exitUsage = exitCodes.usage;
const exitRefused = exitCodes.dataFormat;
const exitNoFile = exitCodes.noInput;
const exitBound = exitCodes.tryAgain;

interface Options {
  readonly idb: readonly string[];
  readonly dataDir: readonly string[];
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
    .option("--idb <IDB>", "an IDB file, or a data directory; may be repeated", collect, [])
    .option("--data-dir <DIR>", "the instance's data directory; its idb.db is asked; may be repeated", collect, [])
    .addOption(
      new Option("--format <format>", "how to write the rows").choices(["table", "csv", "json"]).default("table"),
    )
    .option("--rows-max <count>", "stop after this many rows", wholeNumber, 10_000)
    .option("--timeout <seconds>", "stop after this time", seconds, 30)
    .addOption(new Option("--as-child").hideHelp())
    .addHelpText(
      "after",
      `
Of several IDBs every table holds the rows of all, with a first column IDB: a for the first named, b for the second, …
(--idb before --data-dir). a.G_CALL is the first one's own table. They must be of the same schema version.

Exit codes: 0 answered; ${exitUsage} wrong usage; ${exitRefused} the statement or the file is refused; ${exitNoFile} no such file;
${exitBound} stopped at --rows-max (the rows so far are written) or at --timeout.

Examples: icon sql --data-dir /var/lib/icon "SELECT ENDPOINTDN, count(*) FROM G_PARTY GROUP BY 1" --format csv
          icon sql --idb a/idb.db --idb b/idb.db "SELECT IDB, count(*) FROM G_CALL GROUP BY IDB"`,
    )
    .action(async (statement: string | undefined, where: string | undefined, options: Options) => {
      process.exitCode = options.asChild ? await answerAsChild() : await run(statement, where, options);
    });
}

async function run(statement: string | undefined, where: string | undefined, options: Options): Promise<number> {
  const address = [...options.idb, ...options.dataDir, where ?? ""].find((name) => /^https?:/i.test(name));
  if (address !== undefined) {
    return fail(
      exitUsage,
      `Cannot ask "${address}" in SQL: it is an address; expected an IDB file or a data directory`,
    );
  }
  const paths = idbPaths(options, where);
  if (statement === undefined || statement.trim() === "" || paths.length === 0) {
    return fail(
      exitUsage,
      "Cannot ask: expected a statement, and --idb FILE or --data-dir DIR, once or more, or one path behind it",
    );
  }
  if (where !== undefined && paths.length > 1) {
    return fail(
      exitUsage,
      `Cannot ask: "${where}" stands beside --idb or --data-dir; expected --idb "${where}" instead`,
    );
  }
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) return fail(exitNoFile, `Cannot read IDB "${missing}": there is no such file`);

  if (paths.length > 1) {
    process.stderr.write(paths.map((path, index) => `${letterOf(index)}: ${path}\n`).join(""));
  }
  const outcome = await ask({ paths, sql: statement, rowsMax: options.rowsMax }, options.timeout * 1000);
  switch (outcome.kind) {
    case "timeout":
      return fail(exitBound, `Stopped: no answer within ${options.timeout} s. Narrow the question, or raise --timeout`);
    case "failure":
      return fail(exitRefused, outcome.message);
    case "answer": {
      const { columns, rows, isCut } = outcome.answer;
      const write = { table, csv, json }[options.format];
      await printed(write(columns, rows));
      if (options.format === "table") process.stderr.write(`${rows.length} ${rows.length === 1 ? "row" : "rows"}\n`);
      if (!isCut) return 0;
      return fail(exitBound, `Stopped after ${rows.length} rows: there are more. Raise --rows-max, or add a LIMIT`);
    }
  }
}

/** In the order of their letters. */
function idbPaths({ idb, dataDir }: Options, where: string | undefined): string[] {
  return [
    ...idb.map((file) => fileOrDirectory(resolve(file))),
    ...dataDir.map((directory) => resolve(join(directory, "idb.db"))),
    ...(where === undefined ? [] : [fileOrDirectory(resolve(where))]),
  ];
}

function fileOrDirectory(path: string): string {
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isDirectory ? join(path, "idb.db") : path;
}

function collect(value: string, previous: readonly string[]): string[] {
  return [...previous, value];
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
