// The file that says which tokens there are. One line a token: its name, its role, and the hash of its text.
//
//     # who, what for, SHA-256 of the token; made by: icon token add NAME --role ROLE
//     prometheus  read  sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0bfbd2f4f2f1c8a0b9e8d7
//
// Whoever can change the file can let himself in, and whoever can read it learns names; so it is refused unless it is
// its owner's alone, and its owner is the instance's user or root. Nothing of what stands in a line is repeated in a
// message: it may be a token that somebody put there by mistake.

import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { type Token, tokenPrefix, tokenRoles } from "./token.ts";

/** The token file cannot be used; `problem` and `expected` fit into a configuration message. */
export class TokenFileError extends Error {
  override readonly name = "TokenFileError";
  constructor(
    readonly file: string,
    readonly problem: string,
    readonly expected: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use token file "${file}": ${problem}; expected ${expected}`, options);
  }
}

const fileBytesMax = 256 * 1024;
const tokensMax = 1000;
export const tokenNamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const tokenNameExpected = 'a name of 1 to 64 letters, digits, ".", "_" or "-", beginning with a letter or digit';
const hashPattern = /^sha256:([0-9a-f]{64})$/;
const lineExpected = `three words a line: a name, a role (${tokenRoles.join(", ")}) and sha256: with 64 lower-case hexadecimal digits, as \`icon token add\` writes it`;

/** User ids that may own the token file: this process's, root's, and the data directory's where root only judges. */
export function tokenFileOwners(dataDirectory: string | null): number[] {
  const users = new Set([0, process.getuid?.() ?? 0]);
  const status = dataDirectory === null ? undefined : statSync(dataDirectory, { throwIfNoEntry: false });
  if (status !== undefined) users.add(status.uid);
  return [...users];
}

/** The tokens in the file at `path`, owned by one of `owners` (user ids). Throws TokenFileError. */
export function readTokenFile(path: string, owners: readonly number[]): Token[] {
  return parseTokens(path, readOwnersAlone(path, owners));
}

/** The tokens in `text`; `path` is for messages. Throws TokenFileError with the number of the first wrong line. */
export function parseTokens(path: string, text: string): Token[] {
  const tokens: Token[] = [];
  const lineOfName = new Map<string, number>();
  const lineOfHash = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const words = wordsOf(line);
    if (words.length === 0) continue;
    const wrong = (problem: string, expected = lineExpected) =>
      new TokenFileError(path, `line ${index + 1}: ${problem}`, expected);
    if (words.some(isTokenItself)) {
      throw wrong(
        "a token itself stands there, not its hash",
        "this line to be deleted and another token to be made with `icon token add`: whoever read the file knows this one",
      );
    }
    const [name = "", roleText = "", hashText = ""] = words;
    if (words.length !== 3) throw wrong(`there are ${words.length} words`);
    if (!tokenNamePattern.test(name)) throw wrong("its first word is no name", tokenNameExpected);
    const role = tokenRoles.find((each) => each === roleText);
    if (role === undefined) throw wrong("its second word is no role", `one of ${tokenRoles.join(", ")}`);
    const [, digits] = hashPattern.exec(hashText) ?? [];
    if (digits === undefined) throw wrong("its third word is no hash", lineExpected);
    const [sameName, sameHash] = [lineOfName.get(name), lineOfHash.get(digits)];
    if (sameName !== undefined) throw wrong(`line ${sameName} has the same name`, "a name of its own for each token");
    if (sameHash !== undefined) throw wrong(`line ${sameHash} has the same hash`, "each token once");
    if (tokens.length === tokensMax) throw wrong("it is one token too many", `at most ${tokensMax} tokens`);
    lineOfName.set(name, index + 1);
    lineOfHash.set(digits, index + 1);
    tokens.push({ name, role, hash: Buffer.from(digits, "hex") });
  }
  return tokens;
}

function isTokenItself(word: string): boolean {
  return word.startsWith(tokenPrefix) && word.length >= 2 * tokenPrefix.length + 16;
}

function wordsOf(line: string): string[] {
  const [before = ""] = line.split("#", 1);
  return before.split(/[ \t\r]+/).filter((each) => each !== "");
}

/** Adds one line, and the file when there is none; `owner` is who a new file belongs to. Throws TokenFileError. */
export function addToken(path: string, token: Token, owner: Owner | null): void {
  const before = readForChange(path);
  if (before !== null && parseTokens(path, before.text).some(({ name }) => name === token.name)) {
    throw new TokenFileError(path, `there is a token "${token.name}" already`, "another name, or its removal first");
  }
  const text = before?.text ?? `# name, role (${tokenRoles.join(", ")}), SHA-256 of the token\n`;
  const line = `${token.name} ${token.role} sha256:${Buffer.from(token.hash).toString("hex")}\n`;
  const next = text === "" || text.endsWith("\n") ? text + line : `${text}\n${line}`;
  parseTokens(path, next); // its bounds hold for what is added too
  replace(path, next, before?.owner ?? owner);
}

/** Takes the line of `name` out. Whether there was one. Throws TokenFileError. */
export function removeToken(path: string, name: string): boolean {
  const before = readForChange(path);
  if (before === null) throw new TokenFileError(path, "there is no such file", "the file that [http] tokens names");
  parseTokens(path, before.text);
  const lines = before.text.split("\n");
  const kept = lines.filter((line) => wordsOf(line)[0] !== name);
  if (kept.length === lines.length) return false;
  replace(path, kept.join("\n"), before.owner);
  return true;
}

export interface Owner {
  readonly userId: number;
  readonly groupId: number;
}

function readForChange(path: string): { readonly text: string; readonly owner: Owner } | null {
  const opened = open(path);
  if (opened === null) return null;
  using file = opened;
  const { uid, gid } = fstatSync(file.descriptor);
  return { text: file.read(), owner: { userId: uid, groupId: gid } };
}

function readOwnersAlone(path: string, owners: readonly number[]): string {
  const opened = open(path);
  if (opened === null) {
    throw new TokenFileError(path, "there is no such file", "a file made by `icon token add`");
  }
  using file = opened;
  const stats = fstatSync(file.descriptor);
  if (!stats.isFile()) throw new TokenFileError(path, "it is no file", "a file made by `icon token add`");
  const { uid, mode } = stats;
  if ((mode & 0o077) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, "0");
    throw new TokenFileError(path, `others than its owner can reach it (mode ${octal})`, `chmod 600 ${path}`);
  }
  if (!owners.includes(uid)) {
    throw new TokenFileError(path, `it belongs to user ${uid}`, "it to belong to the instance's user or to root");
  }
  return file.read();
}

interface OpenedFile extends Disposable {
  readonly descriptor: number;
  read(): string;
}

/** Null when there is none. What is judged and what is read are one file, whatever happens to its name meanwhile. */
function open(path: string): OpenedFile | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hold us up
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return null;
    throw unusable(path, cause);
  }
  return {
    descriptor,
    read: () => readWhole(path, descriptor),
    [Symbol.dispose]: () => closeSync(descriptor),
  };
}

function readWhole(path: string, descriptor: number): string {
  const status = fstatSync(descriptor);
  if (!status.isFile()) throw new TokenFileError(path, "it is no file", "a file made by `icon token add`");
  const buffer = Buffer.alloc(fileBytesMax + 1);
  let length = 0;
  try {
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    if (length > fileBytesMax) throw new TokenFileError(path, "it is too long", `at most ${fileBytesMax} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
  } catch (cause) {
    throw cause instanceof TokenFileError ? cause : unusable(path, cause);
  }
}

/** Whoever reads meanwhile sees the old file or the new one, and after a power cut it is one of the two. */
function replace(path: string, text: string, owner: Owner | null): void {
  const beside = `${path}.${process.pid}.new`;
  try {
    const descriptor = openSync(beside, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
      if (owner !== null && process.getuid?.() === 0) fchownSync(descriptor, owner.userId, owner.groupId);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(beside, path);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (cause) {
    rmSync(beside, { force: true });
    const reason = codeOf(cause) ?? "unknown";
    throw new TokenFileError(path, `it cannot be written (${reason})`, "a folder that this user may write to", {
      cause,
    });
  }
}

function unusable(path: string, cause: unknown): TokenFileError {
  const reason = codeOf(cause);
  const problem =
    reason === undefined || reason.startsWith("ERR_") ? "it is no UTF-8 text" : `it cannot be read (${reason})`;
  return new TokenFileError(path, problem, "a file made by `icon token add`, readable for this user", { cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
