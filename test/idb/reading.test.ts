import { expect, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { IdbUnavailableError } from "../../src/idb/error.ts";
import { openReading } from "../../src/idb/reading.ts";
import { batch, call, TemporaryDirectory } from "./temporary.ts";

function unused(): TemporaryDirectory {
  using made = new TemporaryDirectory();
  made.open().close();
  const directory = new TemporaryDirectory();
  copyFileSync(made.idb, directory.idb);
  return directory;
}

test("reading an unused IDB leaves no file behind and notices a writer that came meanwhile", () => {
  using directory = unused();
  const reading = openReading(directory.idb);
  expect(reading.isStill()).toBeTrue();
  expect(readdirSync(directory.path)).toEqual(["idb.db"]);
  using idb = directory.open();
  idb.commit(batch(1n, { G_CALL: [call(1)] }));
  expect(reading.isStill()).toBeFalse();
  reading.close();
});

test.each(["unused", "in use"])("an IDB that is %s cannot be changed through a reading", (use) => {
  using directory = unused();
  const idb = use === "in use" ? directory.open() : null;
  idb?.commit(batch(1n, { G_CALL: [call(1)] }));
  const walBytes = idb?.status().walBytes;
  const before = readFileSync(directory.idb);
  const { database, close } = openReading(directory.idb);
  for (const sql of [
    "DELETE FROM ICON_APPLIED",
    "CREATE TABLE mine (x)",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "VACUUM",
  ]) {
    try {
      database.exec(sql); // Some of these answer politely that they did nothing.
    } catch {}
  }
  expect(database.prepare("SELECT count(*) FROM ICON_APPLIED").raw().get()).toMatchObject([1]);
  expect(database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'mine'").raw().get()).toMatchObject([0]);
  expect(database.prepare("PRAGMA user_version").raw().get()).toMatchObject([0]);
  expect(idb?.status().walBytes).toBe(walBytes);
  expect(readFileSync(directory.idb).equals(before)).toBeTrue();
  close();
  idb?.close();
});

test("a pipe and a device are no IDB, and nobody waits for them", async () => {
  using directory = new TemporaryDirectory();
  expect(await Bun.spawn(["mkfifo", directory.idb]).exited).toBe(0);
  // In a process of its own: who opens a pipe to read it cannot be called back.
  const source = fileURLToPath(new URL("../../src/idb/reading.ts", import.meta.url));
  const script = `import { openReading } from ${JSON.stringify(source)};
    for (const path of [${JSON.stringify(directory.idb)}, "/dev/zero"])
      try { openReading(path); } catch (error) { console.log(error.name, error.message); }`;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", timeout: 15_000, killSignal: "SIGKILL" });
  expect(await new Response(child.stdout).text()).toBe(
    [directory.idb, "/dev/zero"].map((path) => `IdbDamagedError Cannot read IDB "${path}": it is no file\n`).join(""),
  );
});

test("a file that is not there is no damage", () => {
  using directory = new TemporaryDirectory();
  expect(() => openReading(directory.idb)).toThrow(IdbUnavailableError);
});
