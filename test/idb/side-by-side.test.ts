import { expect, test } from "bun:test";
import { copyFileSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { RowValues } from "../../src/idb/row-writer.ts";
import { runIcon } from "../commands/run-icon.ts";
import { batch, call, TemporaryDirectory, tamper } from "./temporary.ts";

/** An IDB with these calls, open in no process. */
function idbWith(...calls: readonly (readonly [number, RowValues])[]): TemporaryDirectory {
  using made = new TemporaryDirectory();
  const idb = made.open();
  idb.commit(batch(1n, { G_CALL: calls }));
  idb.close();
  const directory = new TemporaryDirectory();
  copyFileSync(made.idb, directory.idb);
  return directory;
}

test("several IDBs are asked as one, and a first column says which one a row is from", async () => {
  using one = idbWith(call(1), call(2));
  using other = idbWith(call(2), call(3));
  const sql = "SELECT IDB, CALLID FROM G_CALL ORDER BY CALLID, IDB";
  expect(await runIcon(["sql", "--idb", one.idb, "--idb", other.idb, sql, "--format", "csv"], one.path)).toEqual({
    exitCode: 0,
    stdout: "IDB,CALLID\r\na,call-1\r\na,call-2\r\nb,call-2\r\nb,call-3\r\n",
    stderr: `a: ${one.idb}\nb: ${other.idb}\n`,
  });
});

test("SELECT * shows the letter before the columns that a table has in one IDB", async () => {
  using one = idbWith(call(1));
  using other = idbWith(call(3));
  const words = ["sql", "--format", "csv", "--idb", one.idb];
  const sql = "SELECT * FROM G_CALL ORDER BY CALLID";
  const [alone, together] = await Promise.all([
    runIcon([...words, sql], one.path),
    runIcon([...words, "--idb", other.idb, sql], one.path),
  ]);
  const [header, row] = alone.stdout.split("\r\n");
  const [headerOfBoth, first, second] = together.stdout.split("\r\n");
  expect(headerOfBoth).toBe(`IDB,${header}`);
  expect(first).toBe(`a,${row}`);
  expect(second).toStartWith("b,3,");
});

test("which calls one instance has and the other has not is one question, of the data directories too", async () => {
  using one = idbWith(call(1), call(2));
  using other = idbWith(call(2));
  using third = idbWith(call(1), call(2));
  const sql = "SELECT CALLID, group_concat(IDB, '') AS IDBS FROM G_CALL GROUP BY CALLID HAVING count(*) < 3";
  const places = ["--data-dir", one.path, "--data-dir", other.path, "--data-dir", third.path];
  const { exitCode, stdout } = await runIcon(["sql", ...places, sql, "--format", "json"], one.path);
  expect({ exitCode, rows: JSON.parse(stdout) }).toEqual({ exitCode: 0, rows: [{ CALLID: "call-1", IDBS: "ac" }] });
});

test("views are laid side by side as tables are, each over its own IDB", async () => {
  using one = idbWith(call(1));
  using other = idbWith(call(2), call(3));
  const places = ["--idb", one.idb, "--idb", other.idb];
  tamper(one.idb, "INSERT INTO G_CALL_ACTIVE (ID, CALLID, IRID) VALUES (1, 'call-1', 'ir-1')");
  const sql =
    "SELECT IDB, CALLID FROM ICON_V_OPEN_CALL UNION ALL SELECT IDB, count(*) FROM ICON_V_QUEUE_15 GROUP BY IDB";
  const { exitCode, stdout } = await runIcon(["sql", ...places, sql, "--format", "json"], one.path);
  expect({ exitCode, rows: JSON.parse(stdout) }).toEqual({ exitCode: 0, rows: [{ IDB: "a", CALLID: "call-1" }] });
});

test("the first one's own table is there under its letter", async () => {
  using one = idbWith(call(1));
  using other = idbWith(call(2));
  const sql = "SELECT (SELECT CALLID FROM a.G_CALL) AS A, (SELECT CALLID FROM b.G_CALL) AS B";
  const { stdout } = await runIcon(["sql", "--idb", one.idb, "--idb", other.idb, sql, "--format", "json"], one.path);
  expect(JSON.parse(stdout)).toEqual([{ A: "call-1", B: "call-2" }]);
});

test("one that an instance writes to is asked together with one that nobody has open; neither is changed", async () => {
  using one = new TemporaryDirectory();
  using writing = one.open();
  writing.commit(batch(1n, { G_CALL: [call(1)] }));
  using other = idbWith(call(2));
  const before = [one.idb, `${one.idb}-wal`, other.idb].map((file) => readFileSync(file));
  const sql = "SELECT IDB, CALLID FROM G_CALL ORDER BY 1";
  const words = ["sql", "--idb", one.idb, "--idb", other.idb, "--format", "csv"];
  expect((await runIcon([...words, sql], one.path)).stdout).toBe("IDB,CALLID\r\na,call-1\r\nb,call-2\r\n");
  expect([one.idb, `${one.idb}-wal`, other.idb].map((file) => readFileSync(file))).toEqual(before);
  expect(readdirSync(other.path)).toEqual(["idb.db"]);
  // The writer was not held up, and what it writes is seen.
  writing.commit(batch(2n, { G_CALL: [call(5)] }));
  expect((await runIcon([...words, "SELECT count(*) AS N FROM G_CALL"], one.path)).stdout).toBe("N\r\n3\r\n");
});

test.each([
  ["DELETE FROM a.G_CALL", "it begins with DELETE"],
  ["SELECT NOPE FROM G_CALL", "no such column: NOPE"],
  [
    "SELECT CALLDI FROM G_CALL",
    "no such column: CALLDI; expected perhaps CALLID, CALLANI or CALLDNIS; all columns: SELECT name FROM",
  ],
  ["SELECT 1 FROM b.G_CALLS", "no such table: b.G_CALLS; expected perhaps G_CALL; all tables and views: SELECT"],
])("side by side, too, %s is refused with exit code 65", async (sql, words) => {
  using one = idbWith(call(1));
  using other = idbWith(call(2));
  const before = [one, other].map(({ idb }) => readFileSync(idb));
  const { exitCode, stdout, stderr } = await runIcon(["sql", "--idb", one.idb, "--idb", other.idb, sql], one.path);
  expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: "" });
  expect(stderr).toContain(words);
  expect([one, other].map(({ idb }) => readFileSync(idb))).toEqual(before);
});

test("what one IDB lacks is named, and no column of the other is shown beside nothing", async () => {
  using one = idbWith(call(1));
  using other = idbWith(call(2));
  tamper(other.idb, "ALTER TABLE ICON_WINDOW DROP COLUMN DIGEST");
  const { exitCode, stdout, stderr } = await runIcon(
    ["sql", "--idb", one.idb, "--idb", other.idb, "SELECT 1"],
    one.path,
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: "" });
  expect(stderr.split("\n").at(-2)).toBe(
    `Cannot ask IDBs side by side: "${other.idb}" has no column ICON_WINDOW.DIGEST, which "${one.idb}" has. They are of ` +
      "different versions: let the newer program open both, or ask each by itself",
  );
});

test("the same IDB under two names, one too many, and one that is not there are each told", async () => {
  using one = idbWith(call(1));
  const link = join(one.path, "other.db");
  symlinkSync(one.idb, link);
  const ask = (...files: readonly string[]) =>
    runIcon(["sql", ...files.flatMap((file) => ["--idb", file]), "SELECT 1"], one.path);

  const twice = await ask(one.idb, link);
  expect(twice.exitCode).toBe(65);
  expect(twice.stderr).toContain(`"${link}" is the same file as "${one.idb}"; expected each once`);

  const many = await ask(...Array.from({ length: 11 }, () => one.idb));
  expect(many.exitCode).toBe(65);
  expect(many.stderr).toContain("Cannot ask 11 IDBs side by side: expected at most 10");

  const absent = await ask(one.idb, join(one.path, "absent.db"));
  expect(absent).toEqual({
    exitCode: 66,
    stdout: "",
    stderr: `Cannot read IDB "${join(one.path, "absent.db")}": there is no such file\n`,
  });

  const beside = await runIcon(["sql", "--idb", one.idb, "SELECT 1", link], one.path);
  expect(beside.exitCode).toBe(64);
  expect(beside.stderr).toBe(
    `Cannot ask: "${link}" stands beside --idb or --data-dir; expected --idb "${link}" instead\n`,
  );
});
