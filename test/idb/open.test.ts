import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { dictionaries } from "../../schema/dictionary-values.ts";
import { schemaOrigins } from "../../schema/origin.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError } from "../../src/idb/error.ts";
import { openIdb } from "../../src/idb/open.ts";
import { setAside } from "../../src/idb/set-aside.ts";
import { silentLog } from "../../src/log.ts";
import { batch, call, query, TemporaryDirectory, tamper } from "./temporary.ts";

const writeOn = join(import.meta.dir, "write-on.ts");

/** Every file of the directory that holds data, with a hash of its bytes. */
const contents = (path: string) =>
  Object.fromEntries(
    readdirSync(path)
      .filter((name) => !name.endsWith("-shm"))
      .map((name) => [name, Bun.SHA256.hash(readFileSync(join(path, name)), "hex")]),
  );

/** The database alone in a directory of its own, as an orderly end of the process leaves it. */
function copyOf(idb: string): TemporaryDirectory {
  const directory = new TemporaryDirectory();
  copyFileSync(idb, directory.idb);
  return directory;
}

test("a new IDB is the owner's alone, knows nothing applied, and has an id that no other has", () => {
  using directory = new TemporaryDirectory();
  using one = directory.open();
  for (const name of readdirSync(directory.path)) {
    expect({ name, mode: statSync(join(directory.path, name)).mode & 0o777 }).toEqual({ name, mode: 0o600 });
  }
  const applied = one.readApplied();
  expect(applied).toEqual({
    idbId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown as string,
    queueId: null,
    segmentSalt: null,
    position: 0n,
    rowSeq: 0,
    commits: 0,
    windowSeconds: 60,
  });
  using other = new TemporaryDirectory();
  using two = other.open();
  expect(two.readApplied().idbId).not.toBe(applied.idbId);
});

test("the file explains itself: dictionary, origins, and which migration made it when", () => {
  using directory = new TemporaryDirectory();
  const clock = { now: () => Date.UTC(2026, 10, 25), monotonic: () => 0, after: () => () => {} };
  using _idb = openIdb({ path: directory.idb, log: silentLog, clock, windowSeconds: 1 });
  expect(query(directory.idb, "SELECT VERSION, NAME, APPLIED_AT FROM ICON_MIGRATION")).toEqual([
    [1, "first", "2026-11-25T00:00:00.000Z"],
    [2, "configuration", "2026-11-25T00:00:00.000Z"],
    [3, "session ends", "2026-11-25T00:00:00.000Z"],
    [4, "availability", "2026-11-25T00:00:00.000Z"],
    [5, "going on", "2026-11-25T00:00:00.000Z"],
    [6, "session heard", "2026-11-25T00:00:00.000Z"],
    [7, "voice in full", "2026-11-25T00:00:00.000Z"],
    [8, "reporting", "2026-11-25T00:00:00.000Z"],
    [9, "after-call work", "2026-11-25T00:00:00.000Z"],
  ]);
  expect(query(directory.idb, "SELECT count(*) FROM G_DICTIONARY")).toEqual([
    [dictionaries.reduce((sum, { values }) => sum + values.length, 0)],
  ]);
  expect(query(directory.idb, "SELECT NAME FROM G_DICTIONARY WHERE DICT_TYPE_ID = 8 AND DICT_VALUE_ID = 5")).toEqual([
    ["queued"],
  ]);
  expect(query(directory.idb, "SELECT count(*), sum(IS_JOINED) FROM ICON_SCHEMA_ORIGIN")).toEqual([
    [schemaOrigins.length, schemaOrigins.filter(({ isJoined }) => isJoined).length],
  ]);
});

test("an opening mends a dictionary that is not this program's, and leaves a right one alone", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  tamper(directory.idb, "UPDATE G_DICTIONARY SET NAME = 'wrong' WHERE DICT_TYPE_ID = 8");
  directory.open().close();
  expect(query(directory.idb, "SELECT count(*) FROM G_DICTIONARY WHERE NAME = 'wrong'")).toEqual([[0]]);
  const before = readFileSync(directory.idb);
  directory.open().close();
  expect(readFileSync(directory.idb).equals(before)).toBeTrue();
});

test("an IDB of a newer version is refused, and not a byte of it changes", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  tamper(directory.idb, "INSERT INTO ICON_MIGRATION VALUES (99, 'future', '2030-01-01T00:00:00.000Z')");
  // The row stands in the WAL only. The -shm is no data: SQLite's note of who reads what.
  const before = contents(directory.path);
  expect(() => directory.open()).toThrow(IdbTooNewError);
  expect(() => directory.open()).toThrow(/schema version is 99 and this program knows versions up to 9\b/);
  expect(contents(directory.path)).toEqual(before);

  tamper(directory.idb, "PRAGMA wal_checkpoint(TRUNCATE)");
  using copy = copyOf(directory.idb);
  const alone = contents(copy.path);
  expect(() => copy.open()).toThrow(IdbTooNewError);
  expect(contents(copy.path)).toEqual(alone);
  expect(readdirSync(copy.path)).toEqual(["idb.db"]);
});

test("another program's SQLite database is refused, and not a byte of it changes", () => {
  using directory = new TemporaryDirectory();
  tamper(directory.idb, "CREATE TABLE holiday (day TEXT)");
  const before = contents(directory.path);
  expect(() => directory.open()).toThrow(IdbNotOursError);
  expect(contents(directory.path)).toEqual(before);
});

test("what is no SQLite file, or one whose end is missing, is damaged", () => {
  using directory = new TemporaryDirectory();
  writeFileSync(directory.idb, "plain text, long enough to be looked at\n".repeat(100));
  expect(() => directory.open()).toThrow(/it is no SQLite file/);

  using other = new TemporaryDirectory();
  other.open().close();
  using cut = copyOf(other.idb);
  truncateSync(cut.idb, statSync(cut.idb).size - 4096);
  expect(() => cut.open()).toThrow(IdbDamagedError);
  expect(() => cut.open()).toThrow(/its end is missing/);
});

test("an IDB whose first page is garbage is damaged", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  using garbled = copyOf(directory.idb);
  const bytes = readFileSync(garbled.idb);
  bytes.fill(0xa5, 100, 4096);
  writeFileSync(garbled.idb, bytes);
  expect(() => garbled.open()).toThrow(IdbDamagedError);
});

test("a garbled page is found by the opening or by the commit that reads it, and called damage", () => {
  using directory = new TemporaryDirectory();
  const made = directory.open();
  made.commit(batch(1n, { G_CALL: Array.from({ length: 500 }, (_, index) => call(index + 1)) }));
  made.close();
  const bytes = readFileSync(directory.idb);
  let found = 0;
  for (let page = 1; page * 4096 < bytes.length; page += 1) {
    using garbled = copyOf(directory.idb);
    const copy = Buffer.from(bytes);
    copy.fill(0xa5, page * 4096, (page + 1) * 4096);
    writeFileSync(garbled.idb, copy);
    let error: unknown = null;
    try {
      using idb = garbled.open();
      idb.commit(batch(2n, { G_CALL: Array.from({ length: 500 }, (_, index) => call(index + 1, { CALLTYPE: 1 })) }));
    } catch (thrown) {
      error = thrown;
    }
    // A page that neither the opening nor this commit reads is found by whoever reads it.
    if (error === null) continue;
    expect(error).toBeInstanceOf(IdbDamagedError);
    found += 1;
  }
  expect(found).toBeGreaterThan(10);
  // Each of some hundred pages is garbled in a copy of its own.
}, 60_000);

test("an IDB without its applied position is damaged", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  tamper(directory.idb, "DELETE FROM ICON_APPLIED");
  expect(() => directory.open()).toThrow(IdbDamagedError);
});

test("a text in what is still open that is no UTF-8 any more is damage, and not the end of the process", () => {
  using directory = new TemporaryDirectory();
  const made = directory.open();
  made.commit(batch(1n, {}, [{ kind: "call", key: "a", version: 1, data: '{"callId":"ä"}' }]));
  expect([...made.readLive()]).toEqual([{ kind: "call", key: "a", version: 1, data: '{"callId":"ä"}' }]);
  made.close();
  for (const column of ["KIND", "KEY", "DATA"]) {
    const whole = readFileSync(directory.idb);
    tamper(directory.idb, `UPDATE ICON_LIVE SET ${column} = CAST(x'61ff62' AS TEXT)`);
    const idb = directory.open();
    expect(() => [...idb.readLive()]).toThrow(IdbDamagedError);
    idb.close();
    writeFileSync(directory.idb, whole);
  }
  tamper(directory.idb, "UPDATE ICON_APPLIED SET QUEUE_ID = CAST(x'61ff62' AS TEXT)");
  expect(() => directory.open()).toThrow(IdbDamagedError);
});

test("what a file says of itself is damage where it is no UTF-8 any more, and not the end of the process", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  const bytes = readFileSync(directory.idb);
  // In the origins and the dictionary, and in a view's statement, in a comment: it can be parsed all the same.
  const words = ["filter on this: it has an index", "inferred", "-- filter on this: it has an index"];
  for (const word of words) {
    const copy = Buffer.from(bytes);
    let found = 0;
    for (let at = bytes.indexOf(word); at !== -1; at = bytes.indexOf(word, at + 1)) {
      copy[at + word.length - 1] = 0xa5;
      found += 1;
    }
    expect(found).toBeGreaterThan(0);
    using garbled = copyOf(directory.idb);
    writeFileSync(garbled.idb, copy);
    expect(() => garbled.open()).toThrow(IdbDamagedError);
  }
});

test("a crash before the first migration leaves an empty file, which the next opening makes an IDB of", () => {
  using directory = new TemporaryDirectory();
  writeFileSync(directory.idb, "");
  directory.open().close();
  tamper(directory.idb, "PRAGMA user_version"); // opens as a database
  using idb = directory.open();
  expect(idb.readApplied().position).toBe(0n);
});

test("a directory that is not there is worth trying again", () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, "not-mounted", "idb.db");
  const open = () => openIdb({ path, log: silentLog, windowSeconds: 60 });
  expect(open).toThrow(IdbUnavailableError);
  mkdirSync(join(directory.path, "not-mounted"));
  using idb = open();
  expect(idb.isInPlace()).toBeTrue();
});

test("a damaged IDB put aside keeps all its files, and the next opening makes a new one", () => {
  using directory = new TemporaryDirectory();
  const idb = directory.open();
  idb.commit(batch(1n, { G_CALL: [call(1)] }));
  const { idbId } = idb.readApplied();
  // Without closing, as after damage: the WAL holds the row.
  const target = setAside(directory.idb, Date.UTC(2026, 10, 25, 3, 17, 31, 5));
  expect(target).toBe(`${directory.idb}.damaged-20261125T031731.005Z`);
  expect(existsSync(directory.idb)).toBeFalse();
  expect(() => idb.commit(batch(2n))).toThrow(IdbDamagedError);

  const next = directory.open();
  expect(next.readApplied().idbId).not.toBe(idbId);
  next.commit(batch(9n, { G_CALL: [call(9)] }));
  // The old connection goes away after the new one came: it must not take the new one's WAL with it.
  idb.close();
  Bun.gc(true);
  next.commit(batch(10n, { G_CALL: [call(10)] }));
  next.close();
  expect(query(directory.idb, "SELECT ID FROM G_CALL ORDER BY ID")).toEqual([[9], [10]]);
  expect(query(target ?? "", "SELECT ID FROM G_CALL")).toEqual([[1]]);
  expect(setAside(join(directory.path, "nothing.db"), 0)).toBeNull();
});

test.each(["deleted", "emptied"])(
  "a WAL that is left of an IDB that was %s is put aside and not read into the new one",
  (how) => {
    using directory = new TemporaryDirectory();
    writeFileSync(`${directory.idb}-wal`, "left over");
    if (how === "emptied") writeFileSync(directory.idb, "");
    using idb = directory.open();
    expect(idb.readApplied().position).toBe(0n);
    expect(
      readdirSync(directory.path).filter((name) => name.includes(".damaged-") && name.endsWith("-wal")),
    ).toHaveLength(1);
  },
);

test("an IDB that the owner opened to a group keeps its mode", () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  chmodSync(directory.idb, 0o640);
  directory.open().close();
  expect(statSync(directory.idb).mode & 0o777).toBe(0o640);
});

test("a FIFO or a folder in the place of the IDB is said to be none, and not waited for", () => {
  for (const make of [["mkfifo"], ["mkdir"]]) {
    using directory = new TemporaryDirectory();
    expect(Bun.spawnSync([...make, directory.idb]).exitCode).toBe(0);
    // In a process of its own: what waits for a writer here would wait for ever, and no test could say so.
    const opening = Bun.spawnSync([process.execPath, writeOn, directory.path], { timeout: 10_000 });
    expect(opening.stderr.toString()).toContain("IdbUnavailableError: Cannot open IDB");
    expect(opening.stderr.toString()).toContain("it is no file; expected one, or nothing there");
  }
}, 30_000);
