// An IDB is read by whatever SQLite a reporting host has: its views use nothing that one of 3.38 does not know, for a single
// statement that cannot be parsed keeps an older SQLite from reading any table of the file.

import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { extractionViews, views } from "../../schema/views.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { reportingDay } from "../harness/reporting-day.ts";
import { query, TemporaryDirectory } from "./temporary.ts";

/** Words of SQLite after 3.38 that are near at hand, with the version that brought each. */
const younger: readonly (readonly [RegExp, string])[] = [
  [/'subsec(ond)?'/i, "3.42"],
  [/\bconcat(_ws)?\(/i, "3.44"],
  [/\bstring_agg\(/i, "3.44"],
  [/\b(group_concat|json_group_\w+|total|count)\((?:[^()]|\([^()]*\))*\bORDER BY\b/i, "3.44"],
  [/\b(RIGHT|FULL)( OUTER)? JOIN\b/i, "3.39"],
  [/\bIS (NOT )?DISTINCT FROM\b/i, "3.39"],
  [/\b(unhex|timediff|octet_length)\(/i, "3.41"],
  [/\bjsonb/i, "3.45"],
  [/\biif?\((?:[^(),]|\([^()]*\))*,(?:[^(),]|\([^()]*\))*\)/i, "3.48"],
];

test("no statement has a word that a SQLite of 3.38 does not know", () => {
  const found = [...views, ...extractionViews].flatMap(({ name, sql }) =>
    younger.filter(([word]) => word.test(sql)).map(([, version]) => [name, version]),
  );
  expect(found).toEqual([]);
});

const read = `import json, sqlite3, sys
database = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
for line in sys.stdin:
    print(json.dumps(database.execute(line).fetchall()))
`;

const python = Bun.which("python3");
const version = python === null ? null : Bun.spawnSync([python, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]);
const [major = 0, minor = 0] = String(version?.stdout ?? "")
  .trim()
  .split(".")
  .map(Number);
const isOlder = major === 3 && minor >= 38 && minor < 44;
const whyNot = python === null ? "no python3 here" : isOlder ? null : `its SQLite is ${major}.${minor}`;
const name = "another SQLite, older than this one, reads the same from every view";

if (whyNot !== null) test.skip(`skipped: ${whyNot}: ${name}`, () => {});
else {
  test(name, async () => {
    using directory = new TemporaryDirectory();
    mkdirSync(`${directory.path}/day`);
    const idb = await storeCopy({ directory: `${directory.path}/day`, payloads: reportingDay() });
    const statements = views.map((view) => {
      return `SELECT * FROM ${view.name} ORDER BY ${view.columns.map((_, at) => at + 1)}`;
    });
    const child = Bun.spawnSync([python as string, "-c", read, idb], {
      stdin: new TextEncoder().encode(statements.join("\n")),
      stderr: "pipe",
    });
    expect(String(child.stderr)).toBe("");
    const answers = String(child.stdout).trim().split("\n");
    expect(answers).toHaveLength(views.length);
    const empty: string[] = [];
    for (const [at, { name }] of views.entries()) {
      const rows = JSON.parse(answers[at] as string);
      expect({ name, rows }).toEqual({ name, rows: query(idb, statements[at] as string) });
      if (rows.length === 0) empty.push(name);
    }
    expect(empty).toEqual([]);
  }, 60_000);
}
