import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findToken, hashToken, makeToken, mayDo, type Token, type TokenRole } from "../../src/access/token.ts";
import {
  addToken,
  parseTokens,
  readTokenFile,
  removeToken,
  TokenFileError,
  tokenFileOwners,
} from "../../src/access/token-file.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "icon-token-"));
  file = join(folder, "icon.tokens");
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const me = process.getuid?.() ?? 0;
const made = (name: string, role: TokenRole = "read"): Token & { readonly text: string } => {
  const text = makeToken();
  return { name, role, hash: hashToken(text), text };
};
const hash = "a".repeat(64);

describe("a token", () => {
  test("has 256 random bits, a prefix by which it is recognised, and never comes twice", () => {
    const tokens = Array.from({ length: 100 }, makeToken);
    expect(new Set(tokens).size).toBe(100);
    for (const token of tokens) expect(token).toMatch(/^icon_[A-Za-z0-9_-]{43}$/);
  });

  test("is found by its text and by nothing near it", () => {
    const [one, other] = [made("one"), made("other", "act")];
    expect(findToken([one, other], other.text)?.name).toBe("other");
    expect(findToken([one], other.text)).toBeNull();
    for (const near of [
      "",
      one.text.slice(0, -1),
      `${one.text} `,
      one.text.toUpperCase(),
      "icon_",
      "x".repeat(100_000),
    ]) {
      expect(findToken([one], near)).toBeNull();
    }
  });

  test("is for reading, and beyond that for callers' data or for changes, never for both", () => {
    expect([mayDo("read"), mayDo("read-personal"), mayDo("act")]).toEqual([
      ["read"],
      ["read", "read-personal"],
      ["read", "act"],
    ]);
  });
});

describe("the token file", () => {
  test("is made by the first token, its owner's alone; each further one is a line, and none holds the token", () => {
    const [one, other] = [made("prometheus"), made("wall", "read-personal")];
    addToken(file, one, null);
    addToken(file, other, null);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readTokenFile(file, [me])).toEqual([one, other].map(({ name, role, hash }) => ({ name, role, hash })));
    const text = readFileSync(file, "utf8");
    expect([text.includes(one.text.slice(5)), text.includes(other.text.slice(5))]).toEqual([false, false]);
    expect(readdirSync(folder)).toEqual(["icon.tokens"]);
  });

  test("keeps comments, blank lines and lines of others when a token is taken out", () => {
    const text = `# who may ask\n\nold read sha256:${hash} # since May\nnew act sha256:${"b".repeat(64)}\n`;
    writeFileSync(file, text, { mode: 0o600 });
    expect(removeToken(file, "nobody")).toBe(false);
    expect(removeToken(file, "old")).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(`# who may ask\n\nnew act sha256:${"b".repeat(64)}\n`);
  });

  test("takes a name once", () => {
    addToken(file, made("wall"), null);
    expect(() => addToken(file, made("wall"), null)).toThrow(
      `Cannot use token file "${file}": there is a token "wall" already; expected another name, or its removal first`,
    );
  });

  test.each([
    ["one word", "wall", "line 2: there are 1 words"],
    ["a fourth word", `wall read sha256:${hash} more`, "line 2: there are 4 words"],
    ["a name with a slash", `a/b read sha256:${hash}`, "line 2: its first word is no name"],
    ["an unknown role", `wall admin sha256:${hash}`, "line 2: its second word is no role"],
    ["a hash that is too short", `wall read sha256:${hash.slice(1)}`, "line 2: its third word is no hash"],
    ["another kind of hash", `wall read md5:${hash.slice(32)}`, "line 2: its third word is no hash"],
    ["a name that was there", `first read sha256:${hash}`, "line 2: line 1 has the same name"],
    ["a hash that was there", `wall read sha256:${"c".repeat(64)}`, "line 2: line 1 has the same hash"],
  ])("%s is refused with its line and what would be right", (_, line, problem) => {
    expect(() => parseTokens("f", `first read sha256:${"c".repeat(64)}\n${line}\n`)).toThrow(
      `Cannot use token file "f": ${problem}; expected `,
    );
  });

  test("a token in the place of its hash is not repeated, and is called lost", () => {
    const { text } = made("wall");
    const wrong = attempt(() => parseTokens("f", `wall read ${text}\n`));
    expect(wrong.message).toStartWith('Cannot use token file "f": line 1: a token itself stands there');
    expect(wrong.message).toContain("another token to be made");
    expect(wrong.message).not.toContain(text.slice(5, 15));
  });

  test("is refused when it is a folder, without a word about the folder's mode", () => {
    const folder = dirname(file);
    expect(attempt(() => readTokenFile(folder, [me])).message).toBe(
      `Cannot use token file "${folder}": it is no file; expected a file made by \`icon token add\``,
    );
  });

  test("is refused when others than its owner can reach it, and when its owner is a stranger", () => {
    addToken(file, made("wall"), null);
    for (const mode of [0o640, 0o604, 0o660, 0o644]) {
      chmodSync(file, mode);
      expect(attempt(() => readTokenFile(file, [me])).message).toContain(
        `others than its owner can reach it (mode 0${mode.toString(8)}); expected chmod 600 ${file}`,
      );
    }
    chmodSync(file, 0o400);
    expect(readTokenFile(file, [me]).length).toBe(1);
    expect(attempt(() => readTokenFile(file, [me + 1])).message).toContain(
      `it belongs to user ${me}; expected it to belong to the instance's user or to root`,
    );
  });

  test("is refused when it is no file, not there, too long, or no text", () => {
    expect(attempt(() => readTokenFile(folder, [me])).message).toContain("it is no file");
    expect(attempt(() => readTokenFile(file, [me])).message).toContain("there is no such file");
    writeFileSync(file, "#".repeat(256 * 1024 + 1), { mode: 0o600 });
    expect(attempt(() => readTokenFile(file, [me])).message).toContain("it is too long; expected at most 262144 bytes");
    writeFileSync(file, new Uint8Array([0x61, 0xff]));
    expect(attempt(() => readTokenFile(file, [me])).message).toContain("it is no UTF-8 text");
    expect(Bun.spawnSync(["mkfifo", "-m", "600", join(folder, "pipe")]).exitCode).toBe(0);
    expect(attempt(() => readTokenFile(join(folder, "pipe"), [me])).message).toContain("it is no file");
  });

  test.skipIf(me !== 0)("made or changed by root, it stays its owner's (skipped: needs root)", () => {
    const data = join(folder, "data");
    mkdirSync(data);
    chownSync(data, 12_345, 12_346);
    addToken(file, made("first"), { userId: 12_345, groupId: 12_346 });
    addToken(file, made("second"), null);
    removeToken(file, "first");
    const { uid, gid, mode } = statSync(file);
    expect([uid, gid, mode & 0o777]).toEqual([12_345, 12_346, 0o600]);
    // Root judges it for the instance whose data directory has the same owner, and for no other.
    expect(readTokenFile(file, tokenFileOwners(data)).map(({ name }) => name)).toEqual(["second"]);
    expect(() => readTokenFile(file, tokenFileOwners(null))).toThrow(TokenFileError);
  });

  test("a folder that cannot be written to leaves the file as it was", () => {
    expect(attempt(() => addToken(join(folder, "none", "icon.tokens"), made("wall"), null)).message).toContain(
      "it cannot be written (ENOENT); expected a folder that this user may write to",
    );
  });
});

function attempt(act: () => unknown): TokenFileError {
  try {
    act();
  } catch (error) {
    if (error instanceof TokenFileError) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}
