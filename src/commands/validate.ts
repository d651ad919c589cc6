// icon validate: the judgement on a configuration file, and on how this host suits it. Touches nothing.

import { Command } from "commander";
import { systemClock } from "../clock.ts";
import { certificateProblems } from "../config/certificates.ts";
import { fileSystemProblems } from "../config/file-system.ts";
import { formatProblem, formatWarning } from "../config/problem.ts";
import { fileWarnings, surroundingsWarnings } from "../config/surroundings.ts";
import { ConfigError, type ConfigWarning, loadConfig } from "../config.ts";
import { exitCodes } from "./exit.ts";

export function validateCommand(): Command {
  return new Command("validate")
    .description("judge a configuration file: every problem at once, and nothing is touched")
    .option("-c, --config <FILE>", "the configuration file", "icon.toml")
    .action(({ config }: { config: string }) => {
      const { lines, summary, exitCode } = judgement(config);
      for (const line of lines) console.error(line);
      console.log(summary);
      process.exitCode = exitCode;
    });
}

interface Judgement {
  readonly lines: readonly string[];
  readonly summary: string;
  readonly exitCode: number;
}

function judgement(file: string): Judgement {
  try {
    const { config, warnings } = loadConfig(file);
    const problems = [...fileSystemProblems(config), ...certificateProblems(config, systemClock.now())];
    if (problems.length > 0) throw new ConfigError(file, problems, warnings);
    const all = [...fileWarnings(file), ...warnings, ...surroundingsWarnings(config, process.env)];
    const sources = config.sources.map((each) => each.identity.name);
    const named = sources.length === 0 ? "" : ` (${sources.join(", ")})`;
    return {
      lines: warningLines(file, all),
      summary: `${file} can be used: instance ${config.instance.name}, ${counted(sources.length, "source")}${named}; ${counted(all.length, "warning")}.`,
      exitCode: exitCodes.ok,
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      lines: [...error.problems.map((each) => formatProblem(file, each)), ...warningLines(file, error.warnings)],
      summary: `${file} cannot be used: ${counted(error.problems.length, "problem")}, ${counted(error.warnings.length, "warning")}. Nothing was touched.`,
      exitCode: exitCodes.configuration,
    };
  }
}

function warningLines(file: string, warnings: readonly ConfigWarning[]): string[] {
  return warnings.map((each) => formatWarning(file, each));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
