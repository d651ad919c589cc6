import { describe, expect, test } from "bun:test";
import Database from "libsql";
import extractionSql from "../../schema/extraction.sql" with { type: "text" };
import { migrations } from "../../schema/migrations.ts";
import { schemaOrigins } from "../../schema/origin.ts";
import { tableNames } from "../../schema/tables.ts";
import { extractionViews, type View, viewPrefix, views } from "../../schema/views.ts";
import { windowFaults } from "../../src/event/ledger-word.ts";

function made(of: readonly View[], ...more: readonly string[]): Database.Database {
  const database = new Database(":memory:");
  for (const { sql } of migrations) database.exec(sql);
  for (const sql of more) database.exec(sql);
  for (const { sql } of of) database.exec(sql);
  return database;
}

const rowsOf = (database: Database.Database, sql: string) => database.prepare(sql).raw().all() as unknown[][];

describe.each([
  ["an instance's IDB", views, []],
  ["an extraction's output", extractionViews, ["DROP TABLE ICON_APPLIED; DROP TABLE ICON_LIVE", extractionSql]],
] as const)("of %s", (_, of, more) => {
  const database = made(of, ...more);

  test.each(of.map((view) => [view.name, view] as const))(
    "%s has the columns that it is said to have",
    (name, view) => {
      const columns = rowsOf(database, `SELECT name FROM pragma_table_info('${name}') ORDER BY cid`);
      expect(columns.flat()).toEqual(view.columns.map((column) => column.name));
      expect(rowsOf(database, `SELECT * FROM ${name}`)).toEqual([]);
    },
  );

  test("each statement stands in the file as it is written, so that a change is seen", () => {
    const stored = rowsOf(database, "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND name GLOB 'ICON_V_*'");
    expect(stored).toEqual(of.map(({ name, sql }) => [name, sql]));
  });
});

test("both kinds of IDB have the same views with the same columns", () => {
  const shape = (of: readonly View[]) => of.map(({ name, columns }) => [name, columns.map((column) => column.name)]);
  expect(shape(extractionViews)).toEqual(shape(views));
});

test("each view says what one row is, and its name is no table's", () => {
  for (const { name, note } of views) {
    expect({ name, note }).toEqual({ name, note: expect.stringMatching(/^One row is /) });
    expect(name).toStartWith(viewPrefix);
  }
  expect(tableNames.filter((name) => name.startsWith(viewPrefix))).toEqual([]);
});

test("a column that the contract explains has its words in the IDB too", () => {
  const note = schemaOrigins.find(({ kind, name }) => kind === "column" && name === "ICON_V_QUEUE_15.ENTERED")?.note;
  expect(note).toBe("calls that entered the queue");
});

test.each([
  ["_30", "1800"],
  ["_DAY", "86400"],
])("intervals %s are those of a quarter of an hour in all but their length", (suffix, seconds) => {
  for (const name of ["ICON_V_INTERVAL", "ICON_V_QUEUE", "ICON_V_DN"]) {
    const [quarter, other] = [`${name}_15`, `${name}${suffix}`].map((each) => views.find((view) => view.name === each));
    expect(other?.columns).toEqual(quarter?.columns as never);
    const sql = other?.sql.replaceAll(new RegExp(`(ICON_V_\\w+)${suffix}`, "g"), "$1_15").replaceAll(seconds, "900");
    expect(sql).toBe(quarter?.sql as string);
  }
});

test("the words that do not condemn a window are those of the ledger", () => {
  const harmless = Object.entries(windowFaults).flatMap(([word, { condemns }]) => (condemns ? [] : [word]));
  const gap = views.find(({ name }) => name === "ICON_V_GAP")?.sql ?? "";
  const [, list = ""] = /f\.value NOT IN \(([\s\S]*?)\)/.exec(gap) ?? [];
  expect([...list.matchAll(/'(.*?)'/g)].map(([, word]) => word).sort()).toEqual(harmless.sort());
});
