// Brings an IDB to the present schema, and keeps in it what it says about itself. Each migration and what belongs to it
// is one transaction: after a crash the file has it whole or not at all.

import type Database from "libsql";
import { dictionaries } from "../../schema/dictionary-values.ts";
import { applicationId, type Migration, migrations } from "../../schema/migrations.ts";
import { schemaOrigins } from "../../schema/origin.ts";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError } from "./error.ts";
import { readJson } from "./row-reader.ts";

export const versionKnown = migrations.reduce((highest, { version }) => Math.max(highest, version), 0);

/** What a file says of itself. `version` 0: nothing of ours in it yet. */
export interface Identity {
  readonly version: number;
}

/** Reads without changing anything. Throws IdbNotOursError, or IdbTooNewError. */
export function readIdentity(database: Database.Database, path: string): Identity {
  const id = readNumber(database, "SELECT application_id FROM pragma_application_id");
  const tableCount = readNumber(database, "SELECT count(*) FROM sqlite_schema");
  if (id !== applicationId) {
    // A crash before the first migration's commit leaves an empty database: ours to fill.
    if (id === 0 && tableCount === 0) return { version: 0 };
    // The number alone is not ours any more: four bytes of a damaged header.
    const hasBook = readNumber(
      database,
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('ICON_APPLIED', 'ICON_LIVE')",
    );
    if (hasBook === 2) throw new IdbDamagedError(`Cannot use IDB "${path}": its header is damaged`);
    throw new IdbNotOursError(
      `Cannot use "${path}" as IDB: it is a SQLite database of another program. ` +
        "Give a file that does not exist yet, or an IDB of this program",
    );
  }
  const version = readNumber(database, "SELECT coalesce(max(VERSION), 0) FROM ICON_MIGRATION");
  if (version > versionKnown) throw new IdbTooNewError(path, version, versionKnown);
  return { version };
}

/** Applies what is missing. `now` is the time for APPLIED_AT, milliseconds since 1970. */
export function migrate(database: Database.Database, from: number, now: number, windowSeconds: number): void {
  for (const migration of migrations) {
    if (migration.version <= from) continue;
    inTransaction(database, () => {
      database.exec(migration.sql);
      recordMigration(database, migration, now);
      if (migration.version === 1) beginBook(database, windowSeconds);
      writeContract(database);
    });
  }
}

/** Writes the dictionary and the origins anew when this program's differ from the file's (a newer program, same schema). */
export function refreshContract(database: Database.Database): void {
  if (contractDigest(database) === expectedDigest()) return;
  inTransaction(database, () => writeContract(database));
}

export function inTransaction(database: Database.Database, act: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    act();
    database.exec("COMMIT");
  } catch (error) {
    // Some failures (disk full, I/O error) make SQLite roll back by itself.
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function recordMigration(database: Database.Database, { version, name }: Migration, now: number): void {
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database
    .prepare("INSERT INTO ICON_MIGRATION (VERSION, NAME, APPLIED_AT) VALUES (?, ?, ?)")
    .run([version, name, new Date(now).toISOString()]);
}

function beginBook(database: Database.Database, windowSeconds: number): void {
  // Random, so that two IDBs are never taken for one another; nothing projected depends on it.
  database
    .prepare(
      "INSERT INTO ICON_APPLIED (ID, IDB_ID, POSITION, ROW_SEQ, COMMITS, WINDOW_SECONDS) VALUES (1, ?, 0, 0, 0, ?)",
    )
    .run([crypto.randomUUID(), windowSeconds]);
}

const dictionaryRows = dictionaries.flatMap(({ type, values }) =>
  values.map(({ value, name, description }) => [type, value, name, description ?? null]),
);
const typeRows = dictionaries.map(({ type, name }) => [type, name]);
const originRows = schemaOrigins.map(({ kind, name, origin, isJoined, note }) => [
  kind,
  name,
  origin,
  isJoined ? 1 : 0,
  note,
]);

function writeContract(database: Database.Database): void {
  database.exec("DELETE FROM G_DICT_TYPE; DELETE FROM G_DICTIONARY; DELETE FROM ICON_SCHEMA_ORIGIN");
  insertAll(database, "INSERT INTO G_DICT_TYPE (DICT_TYPE_ID, NAME) VALUES (?, ?)", typeRows);
  insertAll(
    database,
    "INSERT INTO G_DICTIONARY (DICT_TYPE_ID, DICT_VALUE_ID, NAME, DESCRIPTION) VALUES (?, ?, ?, ?)",
    dictionaryRows,
  );
  insertAll(
    database,
    "INSERT INTO ICON_SCHEMA_ORIGIN (KIND, NAME, ORIGIN, IS_JOINED, NOTE) VALUES (?, ?, ?, ?, ?)",
    originRows,
  );
}

function insertAll(database: Database.Database, sql: string, rows: readonly (readonly unknown[])[]): void {
  const insert = database.prepare(sql);
  for (const row of rows) insert.run([...row]);
}

function contractDigest(database: Database.Database): string {
  // As bytes: over a text that is no UTF-8 any more libSQL ends the process.
  const rowsOf = (table: string, columns: string, order: string) => {
    const sql = `SELECT CAST(json_array(${columns}) AS BLOB) FROM ${table} ORDER BY ${order}`;
    const rows = database.prepare(sql).raw().all() as [Uint8Array][];
    return rows.map(([bytes]) => readJson(bytes, table));
  };
  return JSON.stringify([
    rowsOf("G_DICT_TYPE", "DICT_TYPE_ID, NAME", "DICT_TYPE_ID"),
    rowsOf("G_DICTIONARY", "DICT_TYPE_ID, DICT_VALUE_ID, NAME, DESCRIPTION", "DICT_TYPE_ID, DICT_VALUE_ID"),
    rowsOf("ICON_SCHEMA_ORIGIN", "KIND, NAME, ORIGIN, IS_JOINED, NOTE", "KIND, NAME"),
  ]);
}

function expectedDigest(): string {
  return JSON.stringify([ordered(typeRows, 1), ordered(dictionaryRows, 2), ordered(originRows, 2)]);
}

function ordered(rows: readonly (readonly unknown[])[], keyLength: number): readonly (readonly unknown[])[] {
  return rows.toSorted((one, other) => {
    for (let index = 0; index < keyLength; index += 1) {
      const [left, right] = [one[index] as string | number, other[index] as string | number];
      if (left !== right) return left < right ? -1 : 1;
    }
    return 0;
  });
}

function readNumber(database: Database.Database, sql: string): number {
  const row = database.prepare(sql).raw().get() as readonly unknown[] | undefined;
  return Number(row?.[0]);
}
