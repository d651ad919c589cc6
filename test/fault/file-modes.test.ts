// R18: what an instance writes is its user's alone, whatever the umask it was started with, and what root asks of it
// afterwards leaves nothing behind that this user could not read, write or delete.

import { expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

for (const umask of ["000", "022", "777"]) {
  test(`R18: with umask ${umask} every file is 0600 and every folder 0700, also what a crash left and what was put aside`, async () => {
    using directory = new TemporaryDirectory("modes");
    const binary = directory.at("icon");
    writeFileSync(binary, `#!/bin/sh\numask ${umask}\nexec ${await iconBinary()} "$@"\n`, { mode: 0o700 });
    await using load = await Load.start({
      name: "north",
      dbid: 101,
      seed: 1,
      eventsPerSecond: 2_000,
      paddingMax: 4000,
    });
    const setting: InstanceSetting = {
      directory: directory.path,
      binary,
      // Folders that are not there yet, one within the other.
      dataDirectory: directory.at("site", "data"),
      idbPath: directory.at("idb", "idb.db"),
      sources: [{ name: "north", address: load.address, dbid: 101 }],
    };
    load.flow();
    await recordAndDie(setting, load);
    // What was being written when it died is kept as .torn; an IDB that is no longer one is put aside.
    tearTail(queueDirectoryOf(setting));
    truncateSync(idbPathOf(setting), 1_000);
    rmSync(`${idbPathOf(setting)}-wal`, { force: true });
    await recordAndDie(setting, load);
    {
      await using instance = await Instance.start(setting);
      await instance.ready();
      expect(await instance.stop()).toBe(0);
    }
    await recordAndDie(setting, load);

    const found = [...entriesBelow(directory.at("site")), ...entriesBelow(directory.at("idb"))];
    const wrong = found.filter(({ isFolder, mode }) => mode !== (isFolder ? 0o700 : 0o600));
    expect(wrong.map(({ path, mode }) => `${mode.toString(8)} ${path}`)).toEqual([]);
    // The walk has met each kind of file there is.
    const kinds = [
      /\/queue\/[^/]+\.torn$/,
      /\.damaged-[^/]+$/,
      /idb\.db-wal$/,
      /idb\.db-shm$/,
      /idb\.db\.lock$/,
      /\/queue$/,
    ];
    const paths = found.map(({ path }) => path);
    expect(kinds.filter((kind) => !paths.some((path) => kind.test(path)))).toEqual([]);
    figure("R18", `umask ${umask}: ${found.length} files and folders, 0 open to others`);
  }, 60_000);
}

const somebody = 54_321;
const whyNot =
  process.getuid?.() !== 0 ? "not root" : Bun.which("setpriv") === null ? "setpriv is not installed" : null;
const asRoot =
  "icon sql, dump, verify, backup and rebuild run by root leave nothing of root's in another user's data directory, and restore gives all to that user";

if (whyNot !== null) test.skip(`skipped: ${whyNot}: ${asRoot}`, () => {});
else
  test(asRoot, async () => {
    using directory = new TemporaryDirectory("owner");
    chmodSync(directory.path, 0o755);
    const program = directory.at("program");
    copyProgram(await iconBinary(), program);
    mkdirSync(directory.at("tmp"));
    mkdirSync(directory.at("data"), { mode: 0o700 });
    for (const name of ["tmp", "data"]) chownSync(directory.at(name), somebody, somebody);
    const user = `setpriv --reuid=${somebody} --regid=${somebody} --clear-groups`;
    const binary = directory.at("icon");
    writeFileSync(binary, `#!/bin/sh\nexport TMPDIR='${directory.at("tmp")}'\nexec ${user} ${program} "$@"\n`);
    chmodSync(binary, 0o755);
    await using load = await Load.start({ name: "north", dbid: 101, seed: 2, eventsPerSecond: 1_000 });
    const setting: InstanceSetting = {
      directory: directory.path,
      binary,
      sources: [{ name: "north", address: load.address, dbid: 101 }],
    };
    const data = dataDirectoryOf(setting);
    let backupCount = 0;
    const askAll = async () => {
      const sql = [program, "sql", "SELECT count(*) AS N FROM G_CALL", data, "--format", "json"];
      expect(JSON.parse(await output(sql))).toEqual([{ N: expect.any(Number) }]);
      expect((await output([program, "dump", data, "--limit", "3"])).split("\n").length).toBeGreaterThan(3);
      await output([program, "verify", data]);
      backupCount += 1;
      await output([program, "backup", directory.at(`backup-${backupCount}`), "--data-dir", data]);
      expect(ownersOtherThan(somebody, data)).toEqual([]);
    };

    load.flow();
    await using first = await Instance.start(setting);
    await until("events are acknowledged", 20_000, () => load.ackedSeq > 500);
    await until("rows are written", 20_000, async () => ((await first.status()).idb.appliedPosition ?? 0) !== 0);
    await askAll();
    await first.kill();
    // A crash leaves a WAL; its -shm may be there or, after a reboot of what held it, not.
    await askAll();
    rmSync(`${idbPathOf(setting)}-shm`);
    await askAll();
    expect(existsSync(`${idbPathOf(setting)}-shm`)).toBe(true); // made by root, and given away
    {
      // The user goes on with what root has touched, and stops in order: no WAL is left.
      await using again = await Instance.start(setting);
      const before = load.ackedSeq;
      await until("events are acknowledged", 20_000, () => load.ackedSeq > before + 500);
      expect(await again.stop()).toBe(0);
    }
    await askAll();
    await output([program, "rebuild", data]);
    expect(ownersOtherThan(somebody, data)).toEqual([]);
    {
      await using again = await Instance.start(setting);
      const before = load.ackedSeq;
      await until("events are acknowledged", 20_000, () => load.ackedSeq > before + 500);
      await until("the IDB is open", 20_000, async () => (await again.status()).idb.state === "open");
      expect(await again.stop()).toBe(0);
    }
    // What root restores, the user to whom the folder belongs can go on with.
    const restored = directory.at("restored");
    mkdirSync(restored, { mode: 0o700 });
    chownSync(restored, somebody, somebody);
    await output([program, "restore", directory.at("backup-1"), "--data-dir", restored]);
    expect(ownersOtherThan(somebody, restored)).toEqual([]);
    await output([binary, "verify", restored]);
  }, 60_000);

async function recordAndDie(setting: InstanceSetting, load: Load): Promise<void> {
  await using instance = await Instance.start(setting);
  const before = load.ackedSeq;
  await until("events are acknowledged", 20_000, () => load.ackedSeq > before + 500);
  await until("rows are written", 20_000, async () => (await instance.status()).idb.state === "open");
  await instance.kill();
}

/**
 * Leaves something behind the records of the newest segment, as a write that did not end does. Killed while it rolls, the
 * instance leaves two open ones, of which the older is whole, and the newer may hold no record yet.
 */
function tearTail(queueDirectory: string): void {
  const name = readdirSync(queueDirectory)
    .filter((each) => each.endsWith(".open"))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error(`Cannot tear a tail: "${queueDirectory}" has no open segment`);
  const path = join(queueDirectory, name);
  const { mode } = lstatSync(path);
  appendFileSync(path, new Uint8Array(8).fill(0xff));
  expect(lstatSync(path).mode).toBe(mode);
}

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
  readonly mode: number;
  readonly userId: number;
}

function entriesBelow(folder: string): Entry[] {
  const { mode, uid } = lstatSync(folder);
  const entries: Entry[] = [{ path: folder, isFolder: true, mode: mode & 0o7777, userId: uid }];
  for (const each of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, each.name);
    if (each.isDirectory()) entries.push(...entriesBelow(path));
    else {
      const found = lstatSync(path);
      entries.push({ path, isFolder: false, mode: found.mode & 0o7777, userId: found.uid });
    }
  }
  return entries;
}

function ownersOtherThan(user: number, folder: string): string[] {
  return entriesBelow(folder)
    .filter(({ userId }) => userId !== user)
    .map(({ path, userId }) => `${userId} ${path}`);
}

/** Where every user may run it; a link where that is possible, for it is large. */
function copyProgram(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
  chmodSync(to, 0o755);
}

async function output(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...words], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ words, stderr: stderr.replace(/^\d+ rows?\n$/, ""), exitCode: await child.exited }).toEqual({
    words,
    stderr: "",
    exitCode: 0,
  });
  return stdout;
}
