// Where an output is made. A new one has another name until it is whole (OUT.extracting), so that nobody takes half of it
// for all; one that is followed, or is there already, is written in its place, a batch of calls a transaction.
//
//   idb      OUT                       the book is in it
//   ndjson   OUT and OUT.state         the book is beside it
//   csv      OUT/ with a file a table  the book is OUT/extract.state
//
// What icon extract did not make is never written over, unless asked to by name (--force), and an input never.

import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { deleteStore, ExtractFileError, type ExtractKind, ExtractStore, extractKindOf } from "../idb/extract-store.ts";
import { syncDirectory } from "../idb/set-aside.ts";
import type { Output } from "./output.ts";
import { CsvOutput } from "./output-csv.ts";
import { IdbOutput } from "./output-idb.ts";
import { NdjsonOutput } from "./output-ndjson.ts";

export interface DestinationOptions {
  readonly path: string;
  readonly kind: ExtractKind;
  readonly windowSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** It is read while it is written. */
  readonly isFollowed: boolean;
  /** What is there is replaced. */
  readonly isForced: boolean;
  /** Files that are read; the output must not be one of them. */
  readonly inputs: readonly string[];
}

export interface Destination {
  readonly output: Output;
  /** Closes it; a new output gets its name. */
  finish(): void;
  /** Closes it; a new output that is not whole is thrown away. */
  abandon(): void;
}

const makingSuffix = ".extracting";

/** By the ending of the name; null: it tells nothing. */
export function kindOfName(path: string): ExtractKind | null {
  if (/\.(?:db|idb|sqlite3?)$/i.test(path)) return "idb";
  if (/\.(?:ndjson|jsonl)$/i.test(path)) return "ndjson";
  if (/\.csv\/?$/i.test(path) || path.endsWith("/")) return "csv";
  return null;
}

/** Throws ExtractFileError, AppendFileError, IdbUnavailableError, IdbDamagedError. */
export function openDestination(options: DestinationOptions): Destination {
  const path = resolve(options.path);
  const { kind, isFollowed, isForced } = options;
  refuseInputs(path, kind, options.inputs);
  const isOurs = kindAt(path, kind) === kind;
  if (existsSync(path) && !isOurs && !isForced) {
    throw new ExtractFileError(
      `Cannot write to "${path}": it is there, and is no ${kind} output of icon extract; expected another name, or --force`,
    );
  }
  if (existsSync(path) && isForced) checkReplaceable(path, kind);
  const goesOn = isOurs && !isForced;
  if (goesOn || isFollowed) {
    if (!goesOn) remove(path, kind);
    const output = openOutput(path, options, false);
    return { output, finish: () => output.close(), abandon: () => output.close() };
  }
  const making = `${path}${makingSuffix}`;
  remove(making, kind);
  const output = openOutput(making, options, true);
  return {
    output,
    finish() {
      output.close();
      if (existsSync(path)) remove(path, kind);
      // The book first: without it what is at `path` would be nobody's, should we die in between.
      if (kind === "ndjson") renameSync(statePath(making, kind), statePath(path, kind));
      renameSync(making, path);
      syncDirectory(dirname(path));
    },
    abandon() {
      output.close();
      remove(making, kind);
    },
  };
}

function openOutput(path: string, { kind, windowSeconds, now }: DestinationOptions, isBuilding: boolean): Output {
  if (kind === "csv") mkdirSync(path, { recursive: true, mode: 0o700 });
  const store = ExtractStore.open({ path: statePath(path, kind), kind, windowSeconds, now, isBuilding });
  try {
    switch (kind) {
      case "idb":
        return new IdbOutput(store);
      case "ndjson":
        return new NdjsonOutput(store, path);
      case "csv":
        return new CsvOutput(store, path);
    }
  } catch (error) {
    store.close();
    throw error;
  }
}

function statePath(path: string, kind: ExtractKind): string {
  return kind === "idb" ? path : kind === "ndjson" ? `${path}.state` : join(path, "extract.state");
}

/** The kind of output whose book is where that kind has it; null: there is none. */
function kindAt(path: string, kind: ExtractKind): ExtractKind | null {
  const state = statePath(path, kind);
  return existsSync(path) && existsSync(state) ? extractKindOf(state) : null;
}

/** --force takes the place of a file, or of a directory that holds nothing but an extraction's files. */
function checkReplaceable(path: string, kind: ExtractKind): void {
  const isDirectory = statSync(path).isDirectory();
  if (!isDirectory && kind !== "csv") return;
  const isOnlyOurs =
    isDirectory && kind === "csv" && readdirSync(path).every((name) => /\.csv$|^extract\.state/.test(name));
  if (isOnlyOurs) return;
  throw new ExtractFileError(
    `Cannot replace "${path}": expected ${kind === "csv" ? "a directory with nothing but CSV files in it" : "a file"}`,
  );
}

function remove(path: string, kind: ExtractKind): void {
  if (kind === "csv") {
    rmSync(path, { recursive: true, force: true });
    return;
  }
  deleteStore(statePath(path, kind));
  rmSync(path, { force: true });
}

/** An output under the name of an IDB that is read. Throws ExtractFileError. */
export function refuseInputs(path: string, kind: ExtractKind, inputs: readonly string[]): void {
  const written = [path, `${path}${makingSuffix}`, statePath(path, kind)];
  for (const input of inputs) {
    const isSame = written.some((file) => isSameFile(file, input)) || (kind === "csv" && isWithin(input, path));
    if (!isSame) continue;
    throw new ExtractFileError(
      `Cannot write to "${path}": it is the IDB "${input}" that is read; expected another name`,
    );
  }
}

/** A report under the name of an IDB that is read, of the output, or of what is no file. Throws ExtractFileError. */
export function refuseReport(
  path: string,
  { out, kind, inputs }: { readonly out: string; readonly kind: ExtractKind; readonly inputs: readonly string[] },
): void {
  const refuse = (what: string) => {
    throw new ExtractFileError(`Cannot write the report to "${path}": ${what}; expected another name`);
  };
  const input = inputs.find((each) => isSameFile(path, each));
  if (input !== undefined) refuse(`it is the IDB "${input}" that is read`);
  if ([out, statePath(out, kind)].some((each) => isSameFile(path, each))) refuse("it is the output");
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) refuse("it is there, and is no file");
}

/** By whatever name, link or not. */
function isSameFile(one: string, other: string): boolean {
  const [left, right] = [one, other].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
  if (left === undefined || right === undefined) return resolve(one) === resolve(other);
  return left.dev === right.dev && left.ino === right.ino;
}

function isWithin(file: string, directory: string): boolean {
  return existsSync(file) && existsSync(directory) && dirname(realpathSync(file)) === realpathSync(directory);
}
