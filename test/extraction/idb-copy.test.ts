import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import Database from "libsql";
import { callTableNames } from "../../schema/life.ts";
import { CopyError, rowsOf, type Subject, type SubjectsQuestion } from "../../src/extraction/copy.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import { openCopy } from "../../src/extraction/open-copy.ts";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { batch, call, query, TemporaryDirectory, tamper } from "../idb/temporary.ts";
import { storeCopy } from "./stored-copy.ts";

const second = (seconds: number) => startMs / 1000 + seconds;
const allTime = { from: second(-3600), until: second(7200) };

// More than two pages; call n is created at second 2n and ends at 2n + 5, but the last two, which go on.
const calls = 450;
const shared = new TemporaryDirectory();
afterAll(() => shared[Symbol.dispose]());
const sharedIdb = await storeCopy({ directory: shared.path, payloads: manyCalls({ calls }).payloads });

async function ask(path: string, question: SubjectsQuestion): Promise<Subject[]> {
  await using copy = new IdbCopy(path);
  return Array.fromAsync(copy.subjects("call", question));
}

test("every row of every call is handed out once, calls in the order of their creation", async () => {
  const told = await ask(sharedIdb, { kind: "created", stretch: allTime });
  expect(told.map(({ key }) => key)).toEqual(
    query(sharedIdb, "SELECT CALLID FROM G_CALL ORDER BY CREATED, CALLID").flat() as string[],
  );
  expect(told.length).toBe(calls);
  for (const table of callTableNames) {
    const [count] = query(sharedIdb, `SELECT count(*) FROM "${table}"`)[0] ?? [];
    expect([table, told.reduce<number>((sum, each) => sum + rowsOf(each, table).length, 0)]).toEqual([
      table,
      Number(count),
    ]);
  }
  expect(told[0]).toMatchObject({ isKeyLocal: false, sourceCluster: 101, switchDbid: 1 });
});

test("a call's rows stand as they stand in the IDB", async () => {
  const [told] = await ask(sharedIdb, { kind: "named", keys: ["C7"] });
  const [created, terminated] = query(sharedIdb, "SELECT CREATED, TERMINATED FROM G_CALL WHERE CALLID = 'C7'")[0] ?? [];
  expect(told?.rows.G_CALL).toMatchObject([{ CALLID: "C7", CREATED: created, TERMINATED: terminated, CONNIDNUM: "7" }]);
  expect(told?.rows.G_IR_HISTORY?.map(({ CHANGETYPE }) => CHANGETYPE)).toEqual(
    query(
      sharedIdb,
      "SELECT h.CHANGETYPE FROM G_IR_HISTORY h JOIN G_CALL c ON c.IRID = h.IRID WHERE c.CALLID = 'C7' ORDER BY h.IRHID",
    ).flat(),
  );
  expect(told?.rows.G_PARTY_HISTORY?.map(({ PSEQ }) => PSEQ)).toEqual([1, 2, 3]);
});

test("a call that has no row is left out, and one that is named twice comes once", async () => {
  const told = await ask(sharedIdb, { kind: "named", keys: ["C9", "nobody's", "C8", "C9"] });
  expect(told.map(({ key }) => key)).toEqual(["C8", "C9"]);
});

test.each([
  [0, 1],
  [4, 5],
  [200, 260],
  [600, 601],
  [1000, 2000],
])("what was going on from second %d to %d is what a look at every call finds", async (from, until) => {
  const told = await ask(sharedIdb, { kind: "alive", stretch: { from: second(from), until: second(until) } });
  const scanned = query(
    sharedIdb,
    `SELECT CALLID FROM G_CALL WHERE CREATED_TS < ${second(until)} AND coalesce(TERMINATED_TS, 9e9) >= ${second(from)}
     ORDER BY CREATED, CALLID`,
  ).flat() as string[];
  expect(told.map(({ key }) => key)).toEqual(scanned);
});

test("a call whose identifier the source gave out twice comes once, with both rows", async () => {
  using directory = new TemporaryDirectory();
  using idb = directory.open();
  const at = (seconds: number, more = {}) => ({
    CALLID: "again",
    IRID: "ir",
    CREATED: new Date((1_795_423_790 + seconds) * 1000).toISOString(),
    CREATED_TS: 1_795_423_790 + seconds,
    TERMINATED_TS: 1_795_423_790 + seconds + 5,
    ...more,
  });
  idb.commit(batch(1n, { G_CALL: [call(1, at(0)), call(2, at(10, { CALLID: "other" })), call(3, at(60))] }));
  idb.close();
  const created = (from: number, until: number): SubjectsQuestion => ({
    kind: "created",
    stretch: { from: 1_795_423_790 + from, until: 1_795_423_790 + until },
  });
  const named = (told: Subject[]) => told.map((each) => [each.key, rowsOf(each, "G_CALL").length]);
  expect(named(await ask(directory.idb, created(0, 100)))).toEqual([
    ["again", 2],
    ["other", 1],
  ]);
  expect(named(await ask(directory.idb, created(50, 100)))).toEqual([]);
  expect(named(await ask(directory.idb, { ...created(50, 100), kind: "alive" } as SubjectsQuestion))).toEqual([
    ["again", 2],
  ]);
});

test("identity and ledger tell the windows of a stretch and what borders on it", async () => {
  await using copy = openCopy(shared.path);
  const identity = await copy.identity();
  const [idbId, position] = query(sharedIdb, "SELECT IDB_ID, POSITION FROM ICON_APPLIED")[0] ?? [];
  expect(identity).toMatchObject({ idbId, version: position, windowSeconds: 60, iconDbids: [9001] });
  expect(identity.schemaVersion).toBeGreaterThanOrEqual(4);
  const stretch = { from: second(60), until: second(180) };
  const ledger = await copy.ledger({ stretch, changedAfter: null });
  expect(ledger.identity).toEqual(identity);
  expect(ledger.windows.map(({ WINDOW_TS }) => WINDOW_TS)).toEqual([second(60), second(120)]);
  expect(ledger.sessions).toMatchObject([
    { DSS_ID: query(sharedIdb, "SELECT DSS_ID FROM ICON_DSS")[0]?.[0], SOURCE: "north" },
  ]);
  const version = ledger.windows[0]?.VERSION ?? 0;
  const changed = await copy.ledger({ stretch, changedAfter: version });
  expect(changed.windows.map(({ WINDOW_TS }) => WINDOW_TS)).toEqual([second(120)]);
});

test("a reader that pauses between calls does not keep the instance's WAL", async () => {
  using directory = new TemporaryDirectory();
  const path = await storeCopy({ directory: directory.path, payloads: manyCalls({ calls: 250 }).payloads });
  using idb = openIdb({ path, log: silentLog, windowSeconds: 60 });
  idb.commit(batch(10_000n, { G_CALL: [call(5_000_000)] }));
  await using copy = new IdbCopy(path);
  let told = 0;
  for await (const _call of copy.subjects("call", { kind: "created", stretch: allTime })) {
    told += 1;
    if (told !== 3) continue;
    idb.commit(batch(10_001n, { G_CALL: [call(5_000_001)] }));
    expect(idb.checkpoint()).toBeTrue();
  }
  expect(told).toBe(250);
});

test("an instance that starts on the IDB while it is read costs no call and repeats none", async () => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  await using copy = new IdbCopy(directory.idb);
  let idb: ReturnType<typeof openIdb> | undefined;
  const told: string[] = [];
  for await (const { key } of copy.subjects("call", { kind: "created", stretch: allTime })) {
    told.push(key);
    if (told.length !== 250) continue;
    idb = openIdb({ path: directory.idb, log: silentLog, windowSeconds: 60 });
    idb.commit(batch(10_000n, { G_CALL: [call(5_000_000, { CREATED_TS: second(-100), CREATED: "2026-11-23" })] }));
  }
  idb?.close();
  expect(told).toEqual(query(sharedIdb, "SELECT CALLID FROM G_CALL ORDER BY CREATED, CALLID").flat() as string[]);
});

async function refusal(path: string): Promise<CopyError> {
  await using copy = openCopy(path);
  try {
    await Array.fromAsync(copy.subjects("call", { kind: "created", stretch: allTime }));
    await copy.ledger({ stretch: allTime, changedAfter: null });
  } catch (error) {
    if (error instanceof CopyError) return error;
    throw error;
  }
  throw new Error(`${path} was read`);
}

test("what is no IDB is refused with what would be right", async () => {
  using directory = new TemporaryDirectory();
  expect(await refusal(directory.idb)).toMatchObject({ kind: "passing" });
  expect((await refusal(directory.idb)).message).toContain("expected an IDB file, a data directory, or the http(s)");

  writeFileSync(directory.idb, "not a database, but long enough to be looked at as if it were one ".repeat(4));
  expect(await refusal(directory.idb)).toMatchObject({ kind: "lasting" });

  const other = `${directory.path}/other.db`;
  const foreign = new Database(other);
  foreign.exec("CREATE TABLE mine (x)");
  foreign.close();
  expect((await refusal(other)).message).toContain("another program");

  mkdirSync(`${directory.path}/empty`);
  expect((await refusal(`${directory.path}/empty`)).message).toContain("idb.db");
  expect(() => openCopy(" ")).toThrow("expected a file");
  expect(() => openCopy("http://127.0.0.1:1")).toThrow("reads files only");
});

test("an IDB of an earlier version is refused with what to do", async () => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  tamper(directory.idb, "DELETE FROM ICON_MIGRATION WHERE VERSION >= 7");
  const error = await refusal(directory.idb);
  expect(error.kind).toBe("lasting");
  expect(error.message).toContain("its schema version is 6, expected 7 or later, which has all of the tables");
  expect(error.message).toContain("Start the instance of this version once on it");

  // What is believed of its windows can be told without these tables.
  await using copy = new IdbCopy(directory.idb);
  const question = { stretch: allTime, changedAfter: null };
  expect((await copy.ledger(question)).windows.length).toBeGreaterThan(0);
  tamper(directory.idb, "DELETE FROM ICON_MIGRATION WHERE VERSION >= 4");
  await expect(copy.ledger(question)).rejects.toThrow("its schema version is 3, expected 4 or later, which says what");
});

test("an IDB of a newer version is refused untouched", async () => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  tamper(directory.idb, "INSERT INTO ICON_MIGRATION (VERSION, NAME, APPLIED_AT) VALUES (99, 'x', '')");
  expect((await refusal(directory.idb)).message).toContain("its schema version is 99");
});

test.each([
  ["a text that is no UTF-8", "UPDATE G_PARTY SET ENDPOINTDN = CAST(x'35ff31' AS TEXT)"],
  ["a row of the book that is gone", "DELETE FROM ICON_APPLIED"],
  ["a table that is gone", "DROP TABLE G_PARTY_HISTORY"],
  ["the book of its versions that is gone", "DROP TABLE ICON_MIGRATION"],
])("damage is an error and no end of the process: %s", async (_what, sql) => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  tamper(directory.idb, sql);
  expect(await refusal(directory.idb)).toMatchObject({ kind: "lasting" });
});

test.each([
  ["ICON_COVERAGE", "UNTIL_TIME = 'garbage'", "a row of ICON_COVERAGE has no right UNTIL_TIME"],
  ["ICON_COVERAGE", "FROM_TIME = '2026-99-23T08:00:00.000Z'", "a row of ICON_COVERAGE has no right FROM_TIME"],
  ["ICON_COVERAGE", "FROM_SEQ = -5", "a row of ICON_COVERAGE has no right FROM_SEQ"],
  ["ICON_WINDOW", "EVENTS = -1", "a row of ICON_WINDOW has no right EVENTS"],
  ["ICON_WINDOW", "DIGEST = 'zz'", "a row of ICON_WINDOW has no right DIGEST"],
  ["G_DSS_GCC_PROVIDER", "DSCONN_STIME = ''", "a row of G_DSS_GCC_PROVIDER has no right DSCONN_STIME"],
  ["ICON_APPLIED", "WINDOW_SECONDS = 0", "its windows have no right length"],
])("a ledger that somebody changed by hand is refused, and vouches for nothing (%s: %s)", async (table, set, wrong) => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  tamper(directory.idb, `UPDATE ${table} SET ${set}`);
  await using copy = new IdbCopy(directory.idb);
  const error = await copy.ledger({ stretch: allTime, changedAfter: null }).catch((each: unknown) => each);
  expect(error).toBeInstanceOf(CopyError);
  expect(error).toMatchObject({ kind: "lasting" });
  expect(String(error)).toContain(`${directory.idb}": ${wrong}`);
});

test.each([
  ["G_CALL", "CREATED = 'garbage'"],
  ["G_CALL", "TERMINATED = '2026-99-23T08:00:00.000Z'"],
  ["G_PARTY_HISTORY", "ADDED = ''"],
])("a call with a time that is none is refused, and not left out (%s: %s)", async (table, set) => {
  using directory = new TemporaryDirectory();
  cpSync(sharedIdb, directory.idb);
  tamper(directory.idb, `UPDATE ${table} SET ${set}`);
  const error = await ask(directory.idb, { kind: "created", stretch: allTime }).catch((each: unknown) => each);
  expect(error).toMatchObject({ name: "CopyError", kind: "lasting" });
  expect(String(error)).toContain(`${directory.idb}": a row of ${table} has no right ${set.split(" ")[0]}`);
});
