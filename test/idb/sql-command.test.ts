import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RowValues } from "../../src/idb/row-writer.ts";
import { batch, call, TemporaryDirectory } from "./temporary.ts";

const entry = join(import.meta.dir, "../../src/main.ts");

async function icon(...args: readonly string[]): Promise<{ exitCode: number; out: string; err: string }> {
  const child = Bun.spawn(["bun", entry, "sql", ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { exitCode: await child.exited, out, err };
}

/** An IDB with these calls, in a directory of its own and open in no process. */
function unused(...calls: readonly (readonly [number, RowValues])[]): TemporaryDirectory {
  using made = new TemporaryDirectory();
  const idb = made.open();
  idb.commit(batch(1n, { G_CALL: calls }));
  idb.close();
  const directory = new TemporaryDirectory();
  copyFileSync(made.idb, directory.idb);
  return directory;
}

const awkward = 'a "quoted", text\nof two lines';

test("CSV is as RFC 4180 has it: quotes doubled, line ends inside a field kept, null empty, empty text quoted", async () => {
  using directory = unused(call(1, { CALLANI: awkward, CALLDNIS: "" }), call(2));
  const sql = "SELECT ID, CALLANI, CALLDNIS, CONNID, x'00ff' AS BYTES FROM G_CALL ORDER BY ID";
  expect(await icon(sql, "--data-dir", directory.path, "--format", "csv")).toEqual({
    exitCode: 0,
    out: 'ID,CALLANI,CALLDNIS,CONNID,BYTES\r\n1,"a ""quoted"", text\nof two lines","",,00ff\r\n2,,,,00ff\r\n',
    err: "",
  });
});

test("JSON is an array of objects, and no digit and no column is lost in it", async () => {
  using directory = unused(call(1, { CALLANI: awkward }));
  const sql = "SELECT ID, CALLANI, 9007199254740993 AS BIG, 0.5 AS HALF, TERMINATED, ID FROM G_CALL";
  const { exitCode, out } = await icon(sql, directory.path, "--format", "json");
  expect(exitCode).toBe(0);
  expect(JSON.parse(out)).toEqual([
    { ID: 1, CALLANI: awkward, BIG: "9007199254740993", HALF: 0.5, TERMINATED: null, "ID:2": 1 },
  ]);
});

test("a table is aligned, cannot drive the terminal, and its row count goes to standard error", async () => {
  using directory = unused(call(1, { CALLANI: "\u001b[2Jé" }), call(20, { CALLANI: "中" }));
  expect(await icon("SELECT ID, CALLANI, CALLID FROM G_CALL ORDER BY ID", "--idb", directory.idb)).toEqual({
    exitCode: 0,
    out: [
      "ID  CALLANI     CALLID",
      "--  ----------  -------",
      " 1  \\u{1b}[2Jé  call-1",
      "20  中          call-20",
      "",
    ].join("\n"),
    err: "2 rows\n",
  });
});

test("asking an IDB that nobody has open leaves no file behind and changes no byte", async () => {
  using directory = unused(call(1));
  const before = readFileSync(directory.idb);
  expect((await icon("SELECT count(*) FROM G_CALL", directory.idb)).exitCode).toBe(0);
  expect((await icon("SELECT count(*) FROM G_CALL", "--idb", directory.path)).exitCode).toBe(0);
  expect((await icon("SELECT * FROM G_CALL a, G_DICTIONARY b ORDER BY random()", directory.idb)).exitCode).toBe(0);
  expect(readdirSync(directory.path)).toEqual(["idb.db"]);
  expect(readFileSync(directory.idb).equals(before)).toBeTrue();
});

test("what a killed instance left in the WAL is read, and left there", async () => {
  using directory = new TemporaryDirectory();
  await Bun.spawn(["bun", join(import.meta.dir, "commit-and-die.ts"), directory.path], { stdout: "ignore" }).exited;
  const database = readFileSync(directory.idb);
  const wal = readFileSync(`${directory.idb}-wal`);
  expect(wal.length).toBeGreaterThan(0);
  const { out } = await icon("SELECT count(*) AS N FROM G_CALL", directory.idb, "--format", "json");
  expect(JSON.parse(out)).toEqual([{ N: 30 }]);
  expect(readFileSync(directory.idb).equals(database)).toBeTrue();
  expect(readFileSync(`${directory.idb}-wal`).equals(wal)).toBeTrue();
  expect(readdirSync(directory.path).sort()).toEqual(["idb.db", "idb.db-shm", "idb.db-wal"]);
});

test("beside a running writer each answer is one committed state, and the writer is never held up", async () => {
  using directory = new TemporaryDirectory();
  const stop = new AbortController();
  const writer = Bun.spawn(["bun", join(import.meta.dir, "write-on.ts"), directory.path], {
    stdout: "pipe",
    signal: stop.signal,
    killSignal: "SIGTERM",
  });
  const told = writer.stdout.getReader();
  await told.read(); // "ready"
  told.releaseLock();
  let seen = 0;
  const sql =
    "SELECT (SELECT POSITION FROM ICON_APPLIED) AS APPLIED, (SELECT count(*) FROM G_CALL) AS CALLS, " +
    "(SELECT count(*) FROM G_CALL_HISTORY) AS HISTORY";
  for (let asked = 0; asked < 8; asked += 1) {
    const { exitCode, out, err } = await icon(sql, directory.path, "--format", "json");
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: "" });
    const [row] = JSON.parse(out) as [{ APPLIED: number; CALLS: number; HISTORY: number }];
    expect(row).toEqual({ APPLIED: row.APPLIED, CALLS: row.APPLIED * 10, HISTORY: row.APPLIED * 20 });
    expect(row.APPLIED).toBeGreaterThan(seen);
    seen = row.APPLIED;
  }
  writer.kill("SIGTERM");
  expect(await writer.exited).toBe(0);
  // The file is sound, and everything that the writer committed is in it.
  const { out } = await icon(
    `${sql}, (SELECT count(*) FROM pragma_table_list) > 0 AS SOUND`,
    directory.path,
    "--format",
    "json",
  );
  const [row] = JSON.parse(out) as [{ APPLIED: number; CALLS: number }];
  expect(row.CALLS).toBe(row.APPLIED * 10);
}, 20_000);

test("at --rows-max the rows so far are written and the exit code is 75", async () => {
  using directory = unused(call(1), call(2), call(3));
  const sql = "SELECT ID FROM G_CALL ORDER BY ID";
  expect(await icon(sql, directory.idb, "--format", "csv", "--rows-max", "2")).toEqual({
    exitCode: 75,
    out: "ID\r\n1\r\n2\r\n",
    err: "Stopped after 2 rows: there are more. Raise --rows-max, or add a LIMIT\n",
  });
  expect((await icon(sql, directory.idb, "--rows-max", "3")).exitCode).toBe(0);
});

test("a question without end is killed at --timeout with exit code 75", async () => {
  using directory = unused(call(1));
  const started = performance.now();
  const sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
  const { exitCode, out, err } = await icon(sql, directory.idb, "--timeout", "0.5");
  expect({ exitCode, out, err }).toEqual({
    exitCode: 75,
    out: "",
    err: "Stopped: no answer within 0.5 s. Narrow the question, or raise --timeout\n",
  });
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(readdirSync(directory.path)).toEqual(["idb.db"]);
});

test("a question that would take the machine's memory is stopped before it does", async () => {
  using directory = unused(call(1));
  const { exitCode, err } = await icon("SELECT group_concat(hex(randomblob(200000000)))", directory.idb);
  expect(exitCode).toBe(65);
  expect(err).toContain("out of memory");
});

test.each([
  ["SELECT NOPE FROM G_CALL", "no such column: NOPE; all columns: SELECT name FROM pragma_table_info('G_CALL')"],
  [
    "SELECT c.CALLDI FROM G_CALL c",
    "no such column: c.CALLDI; expected perhaps CALLID, CALLANI or CALLDNIS; all columns: SELECT name",
  ],
  [
    "SELECT ENDPOINTDN FROM G_CALL",
    "no such column: ENDPOINTDN; it is one of GS_AGENT_STAT, GS_AGENT_STAT_WM, GX_SESSION_ENDPOINT; all columns:",
  ],
  [
    "SELECT 1 FROM G_CALLS",
    "no such table: G_CALLS; expected perhaps G_CALL; all tables and views: SELECT DISTINCT name FROM pragma_table_list",
  ],
  ["SELECT 1 FROM PARTY", "no such table: PARTY; expected perhaps G_PARTY"],
  ["SELECT 1 FROM SOMETHING_ELSE", "no such table: SOMETHING_ELSE; all tables and views: SELECT DISTINCT name FROM"],
  ["SELEC 1", "it begins with SELEC"],
  ["DELETE FROM G_CALL", "it begins with DELETE, expected one SELECT"],
  ["SELECT 1; SELECT 2", "more than one statement"],
  ["PRAGMA wal_checkpoint(TRUNCATE)", "it begins with PRAGMA"],
])("%s is refused with exit code 65", async (sql, words) => {
  using directory = unused(call(1));
  const before = readFileSync(directory.idb);
  const { exitCode, out, err } = await icon(sql, directory.idb);
  expect({ exitCode, out }).toEqual({ exitCode: 65, out: "" });
  expect(err).toContain(words);
  expect(err.split("\n")).toHaveLength(2);
  expect(readFileSync(directory.idb).equals(before)).toBeTrue();
});

test("a missing file, a file that is no IDB and wrong usage have exit codes of their own", async () => {
  using directory = new TemporaryDirectory();
  mkdirSync(join(directory.path, "data"));
  writeFileSync(directory.idb, "no database");
  const missing = await icon("SELECT 1", "--data-dir", join(directory.path, "data"));
  expect(missing).toEqual({
    exitCode: 66,
    out: "",
    err: `Cannot read IDB "${join(directory.path, "data", "idb.db")}": there is no such file\n`,
  });
  expect(await icon("SELECT 1", directory.idb)).toEqual({
    exitCode: 65,
    out: "",
    err: `Cannot read IDB "${directory.idb}": it is no SQLite file\n`,
  });
  expect((await icon("SELECT 1")).exitCode).toBe(64);
  expect((await icon()).exitCode).toBe(64);
  expect((await icon("SELECT 1", directory.idb, "--rows-max", "none")).exitCode).toBe(64);
  expect((await icon("SELECT 1", directory.idb, "--format", "xml")).exitCode).toBe(64);
  expect((await icon("--help")).exitCode).toBe(0);
});

test("the statements that an answer names list all tables, and all columns of one", async () => {
  using directory = unused(call(1));
  const tables = await icon(
    "SELECT DISTINCT name FROM pragma_table_list ORDER BY name",
    directory.idb,
    "--format",
    "csv",
  );
  expect(tables.out.split("\r\n")).toEqual(expect.arrayContaining(["G_CALL", "G_PARTY", "ICON_V_QUEUE_15"]));
  const columns = await icon("SELECT name FROM pragma_table_info('G_CALL')", directory.idb, "--format", "csv");
  expect(columns.out.split("\r\n")).toEqual(expect.arrayContaining(["ID", "CALLID", "CREATED"]));
});

test("whoever reads no further than he likes is no error, nor is it one of the program when nobody reads its messages", async () => {
  using directory = unused(call(1), call(2), call(3));
  const entry = new URL("../../src/main.ts", import.meta.url).pathname;
  const endingOf = async (words: string, reader: string) => {
    const line = `"${process.execPath}" "${entry}" sql --idb "${directory.idb}" ${words} | ${reader}; exit \${PIPESTATUS[0]}`;
    return Bun.spawn(["bash", "-c", line], { stdout: "ignore", stderr: "pipe" }).exited;
  };
  const many = `"SELECT a.* FROM G_CALL a, (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 5000)"`;
  for (const format of ["csv", "json", "table"]) {
    expect([format, await endingOf(`${many} --rows-max 100000 --format ${format}`, "head -1")]).toEqual([format, 0]);
  }
  const closed = "(exec 0<&-; sleep 1)";
  expect(await endingOf('"SELECT 1" --format csv 2>&1', closed)).toBe(0);
  // What went wrong is told by the exit code all the same.
  expect(await endingOf('"SELECT NOPE" 2>&1', closed)).toBe(65);
}, 30_000);
