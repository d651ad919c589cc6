// A statement that names a table or column which is not there is answered with those that were probably meant, and with
// the statement that lists them all.

import type Database from "libsql";
import { nearestNames } from "../suggestion.ts";

const suggestionsMax = 3;

/** What to add to SQLite's word on the statement, beginning with a mark; empty: nothing is known. */
export function unknownNameHint(database: Database.Database, sql: string, message: string): string {
  const [, kind, written = ""] = /no such (table|column): ("?[^\n]+?"?)$/.exec(message) ?? [];
  if (kind === undefined) return "";
  // Behind the name of an IDB or a table.
  const name = (written.split(".").at(-1) ?? "").replaceAll('"', "");
  const tables = namesIn(
    database,
    "SELECT DISTINCT name FROM pragma_table_list WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
  );
  return kind === "table" ? ofTable(name, tables) : ofColumn(database, sql, name, tables);
}

function ofTable(name: string, tables: readonly string[]): string {
  const list = "SELECT DISTINCT name FROM pragma_table_list ORDER BY name";
  return `${meant(name, tables)}; all tables and views: ${list}`;
}

/** Of the tables that the statement names; where none of them has anything alike, of those that have this very column. */
function ofColumn(database: Database.Database, sql: string, name: string, tables: readonly string[]): string {
  const words = new Set((sql.match(/[\p{L}\p{N}_]+/gu) ?? []).map((word) => word.toUpperCase()));
  const named = tables.filter((table) => words.has(table.toUpperCase()));
  const columns = new Map(named.map((table) => [table, columnsOf(database, table)]));
  const near = meant(name, [...new Set([...columns.values()].flat())]);
  const home = near === "" ? tables.filter((table) => hasColumn(database, table, name)).slice(0, suggestionsMax) : [];
  const elsewhere = home.length === 0 ? "" : `; it is one of ${home.join(", ")}`;
  const lists = named.slice(0, suggestionsMax).map((table) => `SELECT name FROM pragma_table_info('${table}')`);
  return `${near}${elsewhere}${lists.length === 0 ? "" : `; all columns: ${lists.join(", ")}`}`;
}

function columnsOf(database: Database.Database, table: string): readonly string[] {
  return namesIn(database, `SELECT name FROM pragma_table_info('${table.replaceAll("'", "''")}')`);
}

function hasColumn(database: Database.Database, table: string, name: string): boolean {
  return columnsOf(database, table).some((column) => column.toUpperCase() === name.toUpperCase());
}

function meant(name: string, candidates: readonly string[]): string {
  const near = nearestNames(name, candidates, suggestionsMax);
  const part = name.toUpperCase();
  const found =
    near.length > 0 || part === ""
      ? near
      : candidates.filter((each) => each.toUpperCase().includes(part)).slice(0, suggestionsMax);
  return found.length === 0 ? "" : `; expected perhaps ${orList(found)}`;
}

function orList(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function namesIn(database: Database.Database, sql: string): readonly string[] {
  return (database.prepare(sql).raw().all() as [string][]).map(([name]) => name);
}
