import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { TemporaryDirectory, tamper } from "../idb/temporary.ts";
import { runIcon } from "./run-icon.ts";

const folder = new TemporaryDirectory();
afterAll(() => folder[Symbol.dispose]());
const place = (name: string) => join(folder.path, name);
const [a, b] = [place("a"), place("b")];
for (const directory of [a, b]) {
  mkdirSync(directory);
  const path = await storeCopy({ directory, payloads: manyCalls({ calls: 120 }).payloads });
  tamper(path, "UPDATE ICON_WINDOW SET DIGEST = printf('%032x', FIRST_SEQ); PRAGMA wal_checkpoint(TRUNCATE)");
}

/** `b`, and what befell it. */
function changed(name: string, sql: string): string {
  mkdirSync(place(name));
  cpSync(join(b, "idb.db"), join(place(name), "idb.db"));
  tamper(join(place(name), "idb.db"), sql);
  return place(name);
}

const compare = (...words: readonly string[]) => runIcon(["compare", ...words], folder.path);

test("two IDBs that heard the same are equal as far as both have everything: exit code 0, and what was not looked at is said", async () => {
  const { exitCode, stdout, stderr } = await compare("--idb", a, "--idb", b);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain(`a: ${a}, applied up to position`);
  expect(stdout).toContain("Windows: 5 compared by digest, 5 equal, 0 different; 0 not compared between all\n");
  expect(stdout).toEndWith(
    "What was compared is equal. Rows of calls and login sessions with equal windows were not read: --rows finds equal events that became different rows.\n",
  );
});

test("two that differ end with 4, and window, call, table and column are named", async () => {
  const other = changed(
    "other",
    `UPDATE ICON_WINDOW SET DIGEST = printf('%032x', 1) WHERE WINDOW_TS = (SELECT min(WINDOW_TS) + 60 FROM ICON_WINDOW);
     UPDATE G_PARTY SET STATE = 99 WHERE CALLID = 'C40'`,
  );
  const { exitCode, stdout } = await compare("--idb", join(a, "idb.db"), "--idb", other, "--json");
  expect(exitCode).toBe(4);
  const { result, windows, calls } = JSON.parse(stdout) as Comparison;
  expect(result).toBe("different");
  expect(windows.listed.map(({ windowTs }) => new Date(windowTs * 1000).toISOString())).toEqual([
    "2026-11-23T08:01:00.000Z",
  ]);
  expect(calls.listed).toMatchObject([
    { callId: "C40", between: [0, 1], rows: [{ table: "G_PARTY", columns: ["STATE"] }] },
  ]);
  const { stdout: text } = await compare("--idb", a, "--idb", other);
  expect(text).toContain("different: 2026-11-23T08:01:00Z, source 101, switch 1: a ");
  expect(text).toMatch(/call C40, a and b: G_PARTY [0-9a-f]{32} in STATE\n/);
  expect(text).toEndWith("\nThey differ.\n");
});

test("what differs where one of them was not there is no difference, and is told", async () => {
  const other = changed(
    "late",
    `UPDATE ICON_COVERAGE SET FROM_TIME = '2026-11-23T08:01:30.000Z', FROM_SEQ = 130, BEGAN_BECAUSE = 'hole';
     UPDATE ICON_WINDOW SET DIGEST = printf('%032x', 1), FIRST_SEQ = 131 WHERE WINDOW_TS = unixepoch('2026-11-23T08:01:00Z');
     DELETE FROM ICON_WINDOW WHERE WINDOW_TS < unixepoch('2026-11-23T08:01:00Z')`,
  );
  const { exitCode, stdout } = await compare("--idb", a, "--idb", other);
  expect(exitCode).toBe(0);
  expect(stdout).toContain("Windows: 3 compared by digest, 3 equal, 0 different; 2 not compared between all\n");
  expect(stdout).toContain(
    "  not compared: 2026-11-23T08:00:00Z to 2026-11-23T08:01:00Z, source 101, switch 1: a may lack events, b may lack events\n" +
      "  not compared: 2026-11-23T08:01:00Z to 2026-11-23T08:02:00Z, source 101, switch 1: b may lack events\n",
  );
});

test("rows that differ although the events are equal are found with --rows", async () => {
  const other = changed("rows", "UPDATE G_CALL SET CALLTYPE = 3 WHERE CALLID = 'C40'");
  expect((await compare("--idb", a, "--idb", other)).exitCode).toBe(0);
  const { exitCode, stdout } = await compare("--idb", a, "--idb", other, "--rows");
  expect(exitCode).toBe(4);
  expect(stdout).toContain("call C40, a and b: G_CALL C40 in CALLTYPE\n");
});

test("a stretch in which no IDB can have everything yet ends with 5, and one that none heard with 3", async () => {
  const words = (from: string, to: string) => ["--idb", a, "--idb", b, "--from", from, "--to", to];
  expect((await compare(...words("2026-11-23T09:00:00Z", "2026-11-23T09:10:00Z"))).exitCode).toBe(5);
  expect((await compare(...words("2026-11-23T07:00:00Z", "2026-11-23T07:10:00Z"))).exitCode).toBe(3);
});

test("wrong usage, a file that is no IDB and one that is not there have exit codes and a sentence of their own", async () => {
  expect(await compare("--idb", a)).toMatchObject({
    exitCode: 64,
    stderr: "Cannot compare: expected two IDBs or more, --idb X --idb Y\n",
  });
  expect(await compare("--idb", a, "--idb", b, "--from", "2026-11-23")).toMatchObject({
    exitCode: 64,
    stderr: "Cannot compare: expected both --from and --to, or neither\n",
  });
  writeFileSync(place("text.db"), "no database");
  expect(await compare("--idb", a, "--idb", place("text.db"))).toMatchObject({
    exitCode: 65,
    stderr: `Cannot read IDB "${place("text.db")}": it is no SQLite file\n`,
  });
  expect((await compare("--idb", a, "--idb", place("absent.db"))).exitCode).toBe(66);
  const itself = await compare("--idb", a, "--idb", join(a, "idb.db"));
  expect(itself.exitCode).toBe(65);
  expect(itself.stderr).toContain("Cannot compare an IDB with itself");
});
