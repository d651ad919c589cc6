// Backup and restore of a small data directory, by the commands as they are typed.

import { expect, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { silentLog } from "../../src/log.ts";
import type { BackupReport } from "../../src/maintenance/backup.ts";
import type { Manifest } from "../../src/maintenance/manifest.ts";
import { segmentStem } from "../../src/queue/segment.ts";
import { runIcon } from "../commands/run-icon.ts";
import { directoryDigest } from "../harness/directory-digest.ts";
import { differencesBetween, readDump, rowCount } from "../harness/dump.ts";
import { fold, manyCalls, store, trim } from "../harness/stored-story.ts";
import { query, tamper } from "../idb/temporary.ts";
import { readTexts, TemporaryDirectory } from "../queue/setting.ts";
import { dataDirectory, recordCount } from "./data-directory.ts";

/** A data directory, and a backup of it. */
class Setting {
  readonly #directory = new TemporaryDirectory();

  static async make(label = "data"): Promise<Setting> {
    const setting = new Setting();
    await dataDirectory(setting.at(label));
    return setting;
  }

  at(...names: string[]): string {
    return join(this.#directory.path, ...names);
  }

  icon(...words: string[]) {
    return runIcon(words, this.#directory.path);
  }

  /** Made at "backup". */
  async backUp(...words: string[]): Promise<Manifest> {
    const { exitCode, stdout, stderr } = await this.icon("backup", "backup", "--data-dir", "data", "--json", ...words);
    expect([stderr, exitCode]).toEqual(["", 0]);
    return (JSON.parse(stdout) as BackupReport).manifest;
  }

  async restore(to = "new"): Promise<{ queueId: string }> {
    const { exitCode, stdout, stderr } = await this.icon("restore", "backup", "--data-dir", to, "--json");
    expect([stderr, exitCode]).toEqual(["", 0]);
    return JSON.parse(stdout) as { queueId: string };
  }

  /** The restore must be refused, and leave nothing. */
  async refused(): Promise<{ readonly exitCode: number; readonly message: string }> {
    const { exitCode, stdout, stderr } = await this.icon("restore", "backup", "--data-dir", "new");
    expect(stdout).toBe("");
    expect(existsSync(this.at("new")) ? readdirSync(this.at("new")) : []).toEqual([]);
    return { exitCode, message: stderr };
  }

  changeManifest(change: (manifest: Record<string, unknown>) => void): void {
    const path = this.at("backup", "manifest.json");
    const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    change(manifest);
    writeFileSync(path, JSON.stringify(manifest));
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }
}

const applied = (path: string) => query(join(path, "idb.db"), "SELECT IDB_ID, QUEUE_ID, POSITION FROM ICON_APPLIED")[0];
const queueIdOf = (path: string) =>
  readFileSync(join(path, "queue", `${segmentStem(1n)}.segment`))
    .subarray(16, 32)
    .toString("hex");

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

test("what is restored holds the same records and rows, is sound, and is its user's alone; the original is untouched", async () => {
  using setting = await Setting.make();
  const before = directoryDigest(setting.at("data"));
  const manifest = await setting.backUp();
  expect(directoryDigest(setting.at("data"))).toEqual(before);
  expect(manifest).toMatchObject({
    queue: {
      firstPosition: "1",
      lastPosition: `${recordCount}`,
      lastArrivedAt: "2026-01-02T03:04:12.000Z",
      damage: [],
    },
    idb: { appliedPosition: `${recordCount}` },
    configuration: null,
  });
  await setting.restore();
  const records = (path: string) => readTexts(join(path, "queue"), BigInt(recordCount));
  expect(records(setting.at("new"))).toEqual(records(setting.at("data")));
  const calls = (path: string) => query(join(path, "idb.db"), "SELECT * FROM G_CALL ORDER BY ID");
  expect(calls(setting.at("new"))).toEqual(calls(setting.at("data")));
  expect((await setting.icon("verify", "new")).exitCode).toBe(0);
  for (const top of ["backup", "new"]) {
    for (const each of readdirSync(setting.at(top), { recursive: true, withFileTypes: true })) {
      const mode = statSync(join(each.parentPath, each.name)).mode & 0o777;
      expect([each.name, mode]).toEqual([each.name, each.isDirectory() ? 0o700 : 0o600]);
    }
  }
}, 30_000);

test("two instances restored from one backup have ids of their own, which IDB and queue of each share", async () => {
  using setting = await Setting.make();
  const { queue } = await setting.backUp();
  const one = await setting.restore("one");
  const other = await setting.restore("other");
  expect(new Set([queue.queueId, one.queueId, other.queueId]).size).toBe(3);
  for (const [name, { queueId }] of [
    ["one", one],
    ["other", other],
  ] as const) {
    expect(queueIdOf(setting.at(name))).toBe(queueId);
    expect(applied(setting.at(name))?.slice(1)).toEqual([queueId, recordCount]);
  }
  const idbIds = ["data", "one", "other"].map((name) => applied(setting.at(name))?.[0]);
  expect(new Set(idbIds).size).toBe(3);
  // A half of one beside a half of the other is seen.
  renameSync(setting.at("other", "idb.db"), setting.at("one", "idb.db"));
  const { exitCode, stdout } = await setting.icon("verify", "one");
  expect(exitCode).toBe(65);
  expect(stdout).toContain(`it was written from queue ${other.queueId}; the queue here is ${one.queueId}`);
}, 30_000);

test("the live state beside segments comes along and is the restored queue's own: a rebuild begins with it as the original's does", async () => {
  using setting = new Setting();
  const queue = setting.at("data", "queue");
  mkdirSync(setting.at("data"));
  await store(queue, manyCalls().payloads);
  await fold(queue, setting.at("data", "idb.db"));
  trim(queue, 4);
  await setting.backUp("--queue-only");
  await setting.restore();
  const states = (path: string) => readdirSync(path).filter((name) => name.endsWith(".state"));
  expect(states(setting.at("new", "queue"))).toEqual(states(queue));
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (event: string) => warnings.push(event) };
  await fold(setting.at("new", "queue"), setting.at("rebuilt.db"), { log });
  expect(warnings).toEqual(["what the persistent queue no longer holds is not known here; what was open is"]);
  await fold(queue, setting.at("original.db"));
  expect(differencesBetween(readDump(setting.at("rebuilt.db")), readDump(setting.at("original.db")))).toEqual([]);
  expect(rowCount(readDump(setting.at("rebuilt.db")), "G_CALL")).toBeGreaterThan(0);
}, 30_000);

test("halves of two backups are refused, with the ids of both", async () => {
  using setting = await Setting.make();
  using elsewhere = await Setting.make();
  const { queue } = await setting.backUp();
  const { queue: foreign } = await elsewhere.backUp();
  const segment = join("queue", `${segmentStem(5n)}.segment`);
  for (const half of ["idb.db", segment]) {
    copyFileSync(setting.at("backup", half), setting.at("kept"));
    copyFileSync(elsewhere.at("backup", half), setting.at("backup", half));
    const { exitCode, message } = await setting.refused();
    expect([half, exitCode]).toEqual([half, 65]);
    expect(message).toContain("do not belong together");
    expect(message).toContain(queue.queueId);
    expect(message).toContain(foreign.queueId);
    copyFileSync(setting.at("kept"), setting.at("backup", half));
  }
  expect(await setting.restore()).toMatchObject({ queueId: expect.stringMatching(/^[0-9a-f]{32}$/) });
}, 30_000);

test("an IDB of the same queue that is further than the segments, or older than they reach back, is refused", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  tamper(setting.at("backup", "idb.db"), "UPDATE ICON_APPLIED SET POSITION = 99");
  const further = await setting.refused();
  expect(further.exitCode).toBe(65);
  expect(further.message).toContain("the IDB has rows up to position 99");
  tamper(setting.at("backup", "idb.db"), "UPDATE ICON_APPLIED SET POSITION = 2");
  setting.changeManifest((manifest) => {
    (manifest["queue"] as Record<string, unknown>)["firstPosition"] = "5";
  });
  expect((await setting.refused()).message).toContain("do not meet");
}, 30_000);

test("a flipped bit, a file cut short and one that is missing are each named, and nothing is restored", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  const segment = join("queue", `${segmentStem(1n)}.segment`);
  for (const [file, offset] of [
    [segment, 4200],
    ["idb.db", 9000],
  ] as const) {
    flip(setting.at("backup", file), offset);
    const { exitCode, message } = await setting.refused();
    expect(exitCode).toBe(65);
    expect(message).toContain(`"${file}" is damaged: its bytes have changed`);
    flip(setting.at("backup", file), offset);
  }
  const whole = readFileSync(setting.at("backup", segment));
  writeFileSync(setting.at("backup", segment), whole.subarray(0, -1));
  expect((await setting.refused()).message).toContain(`it has ${whole.length - 1} bytes, expected ${whole.length}`);
  rmSync(setting.at("backup", segment));
  expect((await setting.refused()).message).toContain(`"queue/${segmentStem(1n)}.segment" is missing`);
}, 30_000);

test("a backup of a newer format, and one with segments or an IDB of a newer version, are refused with both versions", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  setting.changeManifest((manifest) => {
    manifest["formatVersion"] = 2;
    manifest["programVersion"] = "9.9.9";
  });
  const newer = await setting.refused();
  expect([newer.exitCode, newer.message]).toEqual([
    65,
    expect.stringContaining("its format is version 2, made by icon 9.9.9, and this program reads up to 1"),
  ]);
  setting.changeManifest((manifest) => {
    manifest["formatVersion"] = 1;
  });
  tamper(
    setting.at("backup", "idb.db"),
    "INSERT INTO ICON_MIGRATION (VERSION, NAME, APPLIED_AT) VALUES (99, 'later', '2030-01-01T00:00:00.000Z')",
  );
  const schema = await setting.refused();
  expect([schema.exitCode, schema.message]).toEqual([65, expect.stringContaining("its schema version is 99")]);
}, 30_000);

test("a manifest never leads out of the folder that is restored to", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  setting.changeManifest((manifest) => {
    (manifest["files"] as { path: string }[])[0] = { path: "queue/../../stolen" } as { path: string };
  });
  const { exitCode, message } = await setting.refused();
  expect([exitCode, message]).toEqual([65, expect.stringContaining("the file is damaged")]);
}, 30_000);

test("a data directory with something in it, or with a restore that did not end, is not restored to and not started on", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  const again = await setting.icon("restore", "backup", "--data-dir", "data");
  expect([again.exitCode, again.stderr]).toEqual([73, expect.stringContaining("it is not empty (")]);
  mkdirSync(setting.at("half", "restoring"), { recursive: true });
  const half = await setting.icon("restore", "backup", "--data-dir", "half");
  expect([half.exitCode, half.stderr]).toEqual([73, expect.stringContaining("a restore that did not end")]);
  const instance = (dataDir: string) => {
    writeFileSync(
      setting.at("icon.toml"),
      `[instance]\nname = "a"\ndbid = 1\ndata_dir = "${dataDir}"\n[http]\nlisten = "off"\n`,
    );
    return setting.icon("run", "--config", "icon.toml");
  };
  expect(await instance("half")).toMatchObject({
    exitCode: 78,
    stderr: expect.stringContaining("a restore into it did not end"),
  });
  expect(await instance("backup")).toMatchObject({ exitCode: 78, stderr: expect.stringContaining("it is a backup") });
  expect(readdirSync(setting.at("half"))).toEqual(["restoring"]);
}, 30_000);

test("what is no backup, or one that did not come to its end, is told apart from an empty data directory", async () => {
  using setting = await Setting.make();
  await setting.backUp();
  rmSync(setting.at("backup", "manifest.json"));
  expect(await setting.refused()).toMatchObject({
    exitCode: 66,
    message: expect.stringContaining('there is no "manifest.json"'),
  });
  mkdirSync(setting.at("empty"));
  const nothing = await setting.icon("backup", "other", "--data-dir", "empty");
  expect([nothing.exitCode, nothing.stderr]).toEqual([66, expect.stringContaining("there is no persistent queue")]);
  expect(existsSync(setting.at("other"))).toBe(false);
}, 30_000);

test("a damaged IDB is refused and leaves nothing; the queue alone is backed up when asked for, without an IDB too", async () => {
  using setting = await Setting.make();
  const idb = setting.at("data", "idb.db");
  const bytes = readFileSync(idb);
  // Garbage over a page in the middle.
  bytes.fill(0x5a, bytes.length - 3 * 4096, bytes.length - 2 * 4096);
  writeFileSync(idb, bytes);
  const refused = await setting.icon("backup", "backup", "--data-dir", "data");
  expect([refused.exitCode, refused.stderr]).toEqual([65, expect.stringContaining("it is damaged (")]);
  expect(refused.stderr).toContain("--queue-only");
  writeFileSync(idb, "this was an IDB once, and is none any more");
  const noIdb = await setting.icon("backup", "backup", "--data-dir", "data");
  expect([noIdb.exitCode, noIdb.stderr]).toEqual([65, expect.stringContaining("it is no SQLite file")]);
  expect(readdirSync(setting.at()).sort()).toEqual(["data"]);

  expect(await setting.backUp("--queue-only")).toMatchObject({ idb: null, queue: { lastPosition: `${recordCount}` } });
  rmSync(idb);
  const missing = await setting.icon("backup", "backup-2", "--data-dir", "data");
  expect([missing.exitCode, missing.stderr]).toEqual([
    66,
    expect.stringContaining("there is no such file; --queue-only"),
  ]);
  await setting.restore();
  expect(readdirSync(setting.at("new"))).toEqual(["queue"]);
  expect((await setting.icon("verify", "new")).exitCode).toBe(0);
}, 30_000);

test("an IDB that follows another queue than the one beside it is not backed up as if it did", async () => {
  using setting = new Setting();
  await dataDirectory(setting.at("data"), "0123456789abcdef0123456789abcdef");
  const { exitCode, stderr } = await setting.icon("backup", "backup", "--data-dir", "data");
  expect(exitCode).toBe(65);
  expect(stderr).toContain("the IDB follows queue 0123456789abcdef0123456789abcdef");
  expect(readdirSync(setting.at())).toEqual(["data"]);
}, 30_000);

test("damaged records are copied as they are, and named in the manifest and on standard error", async () => {
  using setting = await Setting.make();
  flip(setting.at("data", "queue", `${segmentStem(5n)}.segment`), 4096 + 30);
  const { exitCode, stdout, stderr } = await setting.icon("backup", "backup", "--data-dir", "data", "--json");
  expect(exitCode).toBe(0);
  const { damage } = (JSON.parse(stdout) as BackupReport).manifest.queue;
  expect(damage).toEqual([expect.stringMatching(/^0{19}5\.segment offset 4096: records damaged; position 5,/)]);
  expect(stderr).toBe(`warning: copied as it is: ${damage[0]}\n`);
  await setting.restore();
}, 30_000);

test("the target must be new, outside of the data directory, and have a folder to be in", async () => {
  using setting = await Setting.make();
  mkdirSync(setting.at("there"));
  mkdirSync(setting.at("left.partial"));
  for (const [target, problem] of [
    ["there", "it exists already"],
    ["left", "a backup that did not end left it"],
    [join("data", "backup"), "it would be in the data directory"],
    [join("no", "where"), "there is no folder"],
  ] as const) {
    const { exitCode, stderr } = await setting.icon("backup", target, "--data-dir", "data");
    expect([target, exitCode, stderr]).toEqual([target, 73, expect.stringContaining(problem)]);
  }
  expect(readdirSync(setting.at()).sort()).toEqual(["data", "left.partial", "there"]);
  const { exitCode, stderr } = await setting.icon("backup", "backup");
  expect([exitCode, stderr]).toEqual([64, expect.stringContaining("expected --config FILE, or --data-dir DIR")]);
}, 30_000);

test("with the configuration file it comes along, and the IDB goes where the file says", async () => {
  using setting = await Setting.make();
  mkdirSync(setting.at("elsewhere"));
  renameSync(setting.at("data", "idb.db"), setting.at("elsewhere", "rows.db"));
  const text = '[instance]\nname = "a"\ndbid = 1\ndata_dir = "data"\n[idb]\npath = "elsewhere/rows.db"\n';
  writeFileSync(setting.at("icon.toml"), text);
  const made = await setting.icon("backup", "backup", "--config", "icon.toml");
  expect([made.exitCode, made.stderr]).toEqual([0, ""]);
  expect(readFileSync(setting.at("backup", "icon.toml"), "utf8")).toBe(text);
  cpSync(setting.at("data"), setting.at("old"), { recursive: true });
  for (const each of ["data", "elsewhere"]) rmSync(setting.at(each), { recursive: true });
  const { exitCode, stdout, stderr } = await setting.icon("restore", "backup", "--config", "icon.toml");
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout).toContain(`"${join("backup", "icon.toml")}" is the one that was in force`);
  expect([readdirSync(setting.at("data")), readdirSync(setting.at("elsewhere"))]).toEqual([["queue"], ["rows.db"]]);
  const twice = await setting.icon("restore", "backup", "--config", "icon.toml");
  expect(twice.exitCode).toBe(73);
}, 30_000);
