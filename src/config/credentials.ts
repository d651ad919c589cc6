// Secrets stay in files of their own, so that the configuration can be shown, mailed and put under version control.
// They are read when needed and never become part of a Config, a log line or an error message.

import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from "node:fs";
import { readDocument } from "./document.ts";

export interface AmiCredentials {
  readonly username: string;
  readonly secret: string;
}

/** A credentials file cannot be used; `problem` and `expected` fit into a configuration message. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
  constructor(
    readonly file: string,
    readonly problem: string,
    readonly expected: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use credentials file "${file}": ${problem}; expected ${expected}`, options);
  }
}

// A credentials file is a few lines; whatever is longer is another file.
const fileBytesMax = 65_536;
const valueLengthMax = 1024;

/** The manager account in the TOML file at `path`. Throws CredentialsError. */
export function readAmiCredentials(path: string): AmiCredentials {
  const text = readPrivateFile(path);
  const document = readDocument(text);
  if ("problem" in document) {
    // Only the line, without the parser's own words: they could hold a piece of the secret.
    throw new CredentialsError(path, `line ${document.problem.line} is not TOML`, twoLinesExpected);
  }
  const { values } = document;
  const unknown = Object.keys(values).find((key) => key !== "username" && key !== "secret");
  if (unknown !== undefined) throw new CredentialsError(path, "it holds another key", twoLinesExpected);
  return { username: value(path, "username", values), secret: value(path, "secret", values) };
}

/** The token in the first line of the file at `path`. Throws CredentialsError. */
export function readToken(path: string): string {
  const lines = readPrivateFile(path)
    .split("\n")
    .map((each) => each.replace(/\r$/, ""));
  const token = lines[0] ?? "";
  if (lines.slice(1).some((each) => each !== "") || !isOneLine(token)) {
    throw new CredentialsError(path, "it does not hold exactly one line", "the token alone in one line");
  }
  return token;
}

const twoLinesExpected = 'two lines, username = "…" and secret = "…"';

function value(path: string, key: string, values: Readonly<Record<string, unknown>>): string {
  const found = values[key];
  // A line break in a value would be a header of its own on the manager's line protocol.
  if (typeof found !== "string" || !isOneLine(found)) {
    throw new CredentialsError(path, `${key} is missing or is no string of one line`, twoLinesExpected);
  }
  return found;
}

function isOneLine(text: string): boolean {
  return text.length > 0 && text.length <= valueLengthMax && !/\p{Cc}/u.test(text);
}

/** A file that not everybody on this host may reach. Throws CredentialsError. */
export function readPrivateFile(path: string): string {
  return readTextFile(path, {
    bytesMax: fileBytesMax,
    expected: "a readable file with mode 0600",
    isStrict: true,
    refuse: ({ mode }) => {
      if ((mode & 0o007) === 0) return;
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      throw new CredentialsError(path, `everybody on this host can reach it (mode ${octal})`, `chmod 600 ${path}`);
    },
  });
}

interface TextFileTerms {
  readonly bytesMax: number;
  /** What to say when it cannot be read. */
  readonly expected: string;
  /** Bytes that are no UTF-8 are refused, and not passed over. */
  readonly isStrict: boolean;
  /** Throws what else speaks against the file. */
  readonly refuse?: (status: Stats) => void;
}

/**
 * A text that is read on the main thread, at the start and for each connection: a FIFO or a device in its place must not
 * hold up the instance. Throws CredentialsError.
 */
export function readTextFile(path: string, { bytesMax, expected, isStrict, refuse }: TextFileTerms): string {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO answers at once
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw new CredentialsError(path, "it is no file", expected);
    refuse?.(status);
    const { size } = status;
    if (size > bytesMax) throw new CredentialsError(path, `it has ${size} bytes`, `at most ${bytesMax} bytes`);
    return new TextDecoder("utf-8", { fatal: isStrict }).decode(readFileSync(descriptor));
  } catch (cause) {
    if (cause instanceof CredentialsError) throw cause;
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unreadable";
    throw new CredentialsError(path, `the file cannot be read (${reason})`, expected, { cause });
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}
