import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runIcon } from "./run-icon.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "icon-token-command-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const icon = (...words: string[]) => runIcon(["token", ...words], folder);

test("a token is made into the file that the configuration names, listed, and removed", async () => {
  writeFileSync(join(folder, "icon.toml"), '[instance]\ndata_dir = "data"\n[http]\ntokens = "icon.tokens"\n');
  const added = await icon("add", "prometheus", "--role", "read");
  expect(added.exitCode).toBe(0);
  expect(added.stdout).toMatch(/^icon_[A-Za-z0-9_-]{43}\n$/);
  expect(added.stderr).toContain("This is the only time that it is shown.");
  expect(readFileSync(join(folder, "icon.tokens"), "utf8")).not.toContain(added.stdout.slice(5, 20));
  await icon("add", "desk", "--role", "read-personal");
  expect((await icon("list")).stdout).toBe("prometheus  read\ndesk  read-personal\n");
  expect((await icon("remove", "prometheus")).exitCode).toBe(0);
  expect((await icon("list")).stdout).toBe("desk  read-personal\n");
  const again = await icon("remove", "prometheus");
  expect([again.exitCode, again.stderr]).toEqual([
    66,
    `Cannot remove token "prometheus": it is not in "${join(folder, "icon.tokens")}"; expected a name that \`icon token list\` prints\n`,
  ]);
});

test("what is wrong with the words, the configuration or the file is said, and nothing is made", async () => {
  expect((await icon("add", "a b", "--role", "read", "--file", "t")).exitCode).toBe(64);
  expect((await icon("add", "a", "--role", "root", "--file", "t")).exitCode).toBe(64);
  expect((await icon("add", "a", "--file", "t")).exitCode).toBe(64);
  expect(await icon("add", "a", "--role", "read")).toMatchObject({
    exitCode: 78,
    stderr:
      'Cannot find the token file by "icon.toml": it cannot be read; expected tokens = "…" in [http], or --file FILE\n',
  });
  writeFileSync(join(folder, "t"), "garbage\n", { mode: 0o600 });
  const listed = await icon("list", "--file", "t");
  expect([listed.exitCode, listed.stderr]).toEqual([
    78,
    expect.stringContaining("line 1: there are 1 words; expected three words a line"),
  ]);
  expect((await icon("add", "a", "--role", "read", "--file", "t")).exitCode).toBe(78);
  expect(readFileSync(join(folder, "t"), "utf8")).toBe("garbage\n");
});
