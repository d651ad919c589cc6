// icon init: a commented configuration to begin with.

import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { Command } from "commander";
import { configTemplate } from "../config/template.ts";
import { CommandError, exitCodes } from "./exit.ts";

export function initCommand(): Command {
  return new Command("init")
    .description("write a commented configuration file; an existing one is left alone")
    .argument("[FILE]", "where to", "icon.toml")
    .action((file: string) => {
      writeTemplate(file);
      console.log(`Wrote ${file}. Fill it in, then: icon validate --config ${file}`);
    });
}

function writeTemplate(file: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx", 0o600);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    const [problem, expected] =
      code === "EEXIST"
        ? ["the file exists already", "a path where nothing is yet"]
        : [cause instanceof Error ? cause.message : String(cause), "a folder that exists and can be written to"];
    throw new CommandError(exitCodes.cannotCreate, `Cannot write "${file}": ${problem}; expected ${expected}`, {
      cause,
    });
  }
  try {
    writeSync(descriptor, configTemplate);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
