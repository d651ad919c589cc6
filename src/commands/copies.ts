// What commands that judge several IDBs have in common: naming them, and what their failures are to whoever called.

import { existsSync } from "node:fs";
import { Option } from "commander";
import { LedgersDifferError } from "../extraction/availability.ts";
import { type Copy, CopyError } from "../extraction/copy.ts";
import { isAddress, openCopy } from "../extraction/open-copy.ts";
import { letterOf } from "../idb/letter.ts";
import { type CopyAccessOptions, copyAccess } from "./copy-access.ts";
import { CommandError, exitCodes } from "./exit.ts";

export interface IdbOptions extends CopyAccessOptions {
  readonly idb: readonly string[];
}

export function idbOption(times: "once or more" | "twice or more"): Option {
  return new Option("--idb <IDB>", `an IDB file, a data directory or an instance's address; ${times}`)
    .argParser((value: string, before: readonly string[] = []) => [...before, value])
    .default([]);
}

/** Opens the IDBs, lets `ask` ask them, and closes them. Throws CommandError, also for what the copies throw. */
export async function withCopies<Answer>(
  doing: string,
  options: IdbOptions,
  ask: (copies: readonly Copy[]) => Promise<Answer>,
): Promise<Answer> {
  if (options.idb.length === 0) throw new CommandError(exitCodes.usage, `${doing}: expected --idb IDB, once or more`);
  refuseMissing(options.idb);
  await using stack = new AsyncDisposableStack();
  try {
    return await ask(options.idb.map((name) => stack.use(openCopy(name, copyAccess(options)))));
  } catch (error) {
    if (error instanceof CopyError) {
      const exitCode = error.kind === "passing" ? exitCodes.tryAgain : exitCodes.dataFormat;
      throw new CommandError(exitCode, error.message, { cause: error });
    }
    if (error instanceof LedgersDifferError) {
      throw new CommandError(exitCodes.dataFormat, error.message, { cause: error });
    }
    throw error;
  }
}

/** One that is named and not there, before anything is read. Throws CommandError. */
export function refuseMissing(names: readonly string[]): void {
  for (const name of names) {
    if (isAddress(name) || existsSync(name)) continue;
    throw new CommandError(
      exitCodes.noInput,
      `Cannot read IDB "${name}": there is no such file; expected an IDB file, a data directory, or the http(s) address of an instance`,
    );
  }
}

/** Short names for the lines: `a`, `b`, … in the order in which the IDBs were named. */
export function letterNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, place) => letterOf(place));
}
