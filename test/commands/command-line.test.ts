import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configTemplate } from "../../src/config/template.ts";
import { programVersion } from "../../src/version.ts";
import { runIcon } from "./run-icon.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "icon-command-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const icon = (...words: string[]) => runIcon(words, folder);

describe("icon init", () => {
  test("writes a file that only its owner can read, and validate accepts it", async () => {
    expect(await icon("init")).toEqual({
      exitCode: 0,
      stdout: "Wrote icon.toml. Fill it in, then: icon validate --config icon.toml\n",
      stderr: "",
    });
    expect(readFileSync(join(folder, "icon.toml"), "utf8")).toBe(configTemplate);
    expect(statSync(join(folder, "icon.toml")).mode & 0o777).toBe(0o600);

    const { exitCode, stdout, stderr } = await icon("validate", "--config", "icon.toml");
    // How many warnings there are depends on the host, a small disk for one.
    expect(stdout).toMatch(/^icon\.toml can be used: instance icon-a, 1 source \(north\); \d+ warnings?\.\n$/);
    expect(stderr).toContain('/data" does not exist yet; the instance makes it at its start\n');
    expect(exitCode).toBe(0);
    expect(readdirSync(folder)).toEqual(["icon.toml"]);
  });

  test("leaves a file that is there alone", async () => {
    writeFileSync(join(folder, "mine.toml"), "mine");
    expect(await icon("init", "mine.toml")).toEqual({
      exitCode: 73,
      stdout: "",
      stderr: 'Cannot write "mine.toml": the file exists already; expected a path where nothing is yet\n',
    });
    expect(readFileSync(join(folder, "mine.toml"), "utf8")).toBe("mine");
  });

  test("says so when the folder is not there", async () => {
    const { exitCode, stderr } = await icon("init", "none/icon.toml");
    expect(exitCode).toBe(73);
    expect(stderr).toStartWith('Cannot write "none/icon.toml": ENOENT');
  });
});

describe("icon validate", () => {
  test("prints every problem with its line, a summary, and ends with 78; nothing is touched", async () => {
    writeFileSync(
      join(folder, "icon.toml"),
      '[instance]\nname = "icon-a"\ndbid = "x"\ndata_dir = "data"\n[callconcentrator]\nrole = "gos"\n[quueue]\n',
    );
    expect(await icon("validate")).toEqual({
      exitCode: 78,
      stdout: "icon.toml cannot be used: 2 problems, 2 warnings. Nothing was touched.\n",
      stderr: [
        'icon.toml:3:8: Cannot use instance.dbid "x": expected a DBID, a whole number from 1 to 2147483647',
        "icon.toml:7:1: Cannot use quueue: there is no such section; expected [queue]",
        "icon.toml: Warning: no [[source]] is configured, so nothing will be recorded",
        "icon.toml:6: Warning: callconcentrator.role: this version writes no rows for gos; only gcc, gls, gud do something",
        "",
      ].join("\n"),
    });
    expect(readdirSync(folder)).toEqual(["icon.toml"]);
  });

  test("a file that is not there ends with 78 too", async () => {
    const { exitCode, stderr } = await icon("validate", "-c", "none.toml");
    expect(exitCode).toBe(78);
    expect(stderr).toStartWith("none.toml: Cannot use this file: the file cannot be read: ENOENT");
  });
});

describe("the command line", () => {
  test("icon version names program, runtime and platform", async () => {
    const { exitCode, stdout } = await icon("version");
    expect([exitCode, stdout]).toEqual([0, `icon ${programVersion} (bun ${Bun.version}, linux-${process.arch})\n`]);
  });

  test("icon alone prints help with every command", async () => {
    const { exitCode, stdout, stderr } = await icon();
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect([...stdout.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name)).toEqual([
      ...[
        "run",
        "init",
        "validate",
        "options",
        "dump",
        "sql",
        "extract",
        "compare",
        "availability",
        "explain",
        "rebuild",
        "verify",
        "backup",
        "restore",
        "purge",
        "stop-safe",
        "simulate",
        "token",
        "unit",
        "version",
        "help",
      ],
    ]);
  });

  test.each([
    [["rnu"], "icon: unknown command 'rnu'\n(Did you mean run?)\n"],
    [["validate", "--confg", "x"], "icon: unknown option '--confg'\n(Did you mean --config?)\n"],
    [["validate", "--config"], "icon: option '-c, --config <FILE>' argument missing\n"],
    [["init", "a", "b"], "icon: too many arguments for 'init'. Expected 1 argument but got 2: a, b.\n"],
  ])("a wrong command line (%p) ends with 64 and one message, without a stack trace", async (words, message) => {
    expect(await icon(...words)).toEqual({ exitCode: 64, stdout: "", stderr: message });
  });

  test.each([
    [
      ["verify", "file"],
      'Cannot verify "file": there is neither a persistent queue nor an IDB; expected a data directory',
    ],
    [
      ["dump", "file"],
      'Cannot dump "file": there is no persistent queue; expected a data directory, or the folder "queue" in it',
    ],
    [
      ["dump", "none"],
      'Cannot dump "none": there is no persistent queue; expected a data directory, or the folder "queue" in it',
    ],
    [["rebuild", "file"], 'Cannot rebuild: there is no persistent queue in "file/queue"; expected a data directory'],
    [
      ["restore", "file", "--data-dir", "new"],
      'Cannot restore from "file": there is no "manifest.json"; expected a backup that came to its end',
    ],
  ])("%p where a data directory or backup should be ends with 66 and says what is expected", async (words, message) => {
    writeFileSync(join(folder, "file"), "");
    expect(await icon(...words)).toEqual({ exitCode: 66, stdout: "", stderr: `${message}\n` });
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test("backup of a file instead of a data directory ends with 66 and says what is expected", async () => {
    writeFileSync(join(folder, "file"), "");
    const { exitCode, stderr } = await icon("backup", "copy", "--data-dir", "file");
    expect(exitCode).toBe(66);
    expect(stderr).toContain("there is no persistent queue; expected the data directory of an instance");
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test.each(["ami", "tserver"])("help for simulate %s gives defaults as they are typed", async (name) => {
    const { exitCode, stdout } = await icon("simulate", name, "--help");
    expect(exitCode).toBe(0);
    const text = stdout.replaceAll(/\s+/g, " ");
    expect(text).toContain('(default: "127.0.0.1:0")');
    expect(text).not.toMatch(/default: (?:false|\[|\{)/);
  });

  test("an instance's address is no IDB to ask in SQL", async () => {
    expect(await icon("sql", "--idb", "http://127.0.0.1:8080", "SELECT 1")).toEqual({
      exitCode: 64,
      stdout: "",
      stderr: 'Cannot ask "http://127.0.0.1:8080" in SQL: it is an address; expected an IDB file or a data directory\n',
    });
  });

  test("help of commands that take IDBs says how many they need", async () => {
    const needs = async (command: string) =>
      (await icon(command, "--help")).stdout.replaceAll(/\s+/g, " ").match(/address; (once|twice) or more/)?.[1];
    expect([await needs("availability"), await needs("explain"), await needs("compare")]).toEqual([
      "once",
      "once",
      "twice",
    ]);
  });

  test("help for a command is no error", async () => {
    const { exitCode, stdout, stderr } = await icon("validate", "--help");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("--config <FILE>");
  });

  test("run on a wrong configuration ends with 78 and touches nothing", async () => {
    writeFileSync(join(folder, "icon.toml"), '[instance]\nname = "icon-a"\ndata_dir = "data"\n');
    const { exitCode, stdout, stderr } = await icon("run", "--config", "icon.toml");
    expect([exitCode, stdout]).toEqual([78, ""]);
    expect(stderr).toBe(
      "icon.toml:1:1: Cannot use instance.dbid: it is missing; expected a DBID, a whole number from 1 to 2147483647\n",
    );
    expect(existsSync(join(folder, "data"))).toBe(false);
  });
});
