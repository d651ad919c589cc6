import { expect, test } from "bun:test";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import Database from "libsql";
import { migrations } from "../../schema/migrations.ts";
import { tableNames, tables } from "../../schema/tables.ts";

function migrated(): Database.Database {
  const database = new Database(":memory:");
  for (const { sql } of migrations) database.exec(sql);
  return database;
}

const rowsOf = (database: Database.Database, sql: string) => database.prepare(sql).raw().all() as unknown[][];

test("migrations are numbered from 1 without a gap", () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1));
});

test("a migrated empty database has exactly the tables, columns and keys of the definitions, and every table is strict", () => {
  const database = migrated();
  const names = rowsOf(
    database,
    "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'",
  );
  expect(names.sort()).toEqual(tableNames.map((name) => [name, 1]).sort());
  for (const name of tableNames) {
    const { columns, primaryKeys } = getTableConfig(tables[name]);
    const compound = primaryKeys[0]?.columns.map((column) => column.name) ?? [];
    const expected = columns.map((column) => [
      column.name,
      column.getSQLType(),
      column.notNull ? 1 : 0,
      column.primary ? 1 : compound.indexOf(column.name) + 1,
    ]);
    expect({
      name,
      columns: rowsOf(database, `SELECT name, lower(type), "notnull", pk FROM pragma_table_info('${name}')`),
    }).toEqual({
      name,
      columns: expected,
    });
  }
});

test("a migrated empty database has exactly the indexes of the definitions", () => {
  const database = migrated();
  const expected = tableNames.flatMap((name) =>
    getTableConfig(tables[name]).indexes.map(({ config }) => [
      config.name,
      name,
      config.columns.map((column) => ("name" in column ? column.name : "")).join(","),
    ]),
  );
  const found = rowsOf(
    database,
    `SELECT i.name, i.tbl_name, (SELECT group_concat(c.name) FROM pragma_index_info(i.name) c)
     FROM sqlite_schema i WHERE i.type = 'index' AND i.sql IS NOT NULL`,
  );
  expect(found.sort()).toEqual(expected.sort());
});
