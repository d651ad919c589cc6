// The rows of an extraction's output that is an IDB file: written with where each is from, and taken away again by that.

import type Database from "libsql";
import type { Provider, providerTables } from "../../schema/session.ts";
import type { TableName } from "../../schema/tables.ts";
import { type RowKey, type RowValues, RowWriter } from "./row-writer.ts";
import type { SubjectName } from "./stored-subject.ts";

export interface ExtractRow {
  readonly table: TableName;
  /** Its own id, which is in its values too; null: its table has none. */
  readonly id: number | null;
  readonly values: RowValues;
  /** ICON_EXTRACT_COPY.ID, and its id there. */
  readonly copyId: number;
  readonly originalRowId: number | null;
}

export class ExtractRows {
  readonly #database: Database.Database;
  readonly #writers = new Map<TableName, RowWriter>();
  readonly #origin: Database.Statement;
  readonly #origins: Database.Statement;
  readonly #forget: Database.Statement;
  readonly #deletes = new Map<string, Database.Statement>();
  readonly #timecode: Database.Statement;
  readonly #channel: Database.Statement;
  #timecodes = new Set<number>();

  constructor(database: Database.Database) {
    this.#database = database;
    this.#origin = database.prepare(
      "INSERT INTO ICON_EXTRACT_ROW (FAMILY, SUBJECT_KEY, TABLE_NAME, ROW_ID, COPY_ID, ORIGINAL_ROW_ID) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#origins = database
      .prepare("SELECT TABLE_NAME, ROW_ID FROM ICON_EXTRACT_ROW WHERE FAMILY = ? AND SUBJECT_KEY = ?")
      .raw();
    this.#forget = database.prepare("DELETE FROM ICON_EXTRACT_ROW WHERE FAMILY = ? AND SUBJECT_KEY = ?");
    this.#timecode = database.prepare("INSERT OR IGNORE INTO G_TIMECODE (ID) VALUES (?)");
    this.#channel = database
      .prepare(
        `INSERT INTO ICON_PARTY_CHANNEL (PARTYID, UNIQUEID, CHANNEL) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET CHANNEL = excluded.CHANNEL RETURNING rowid`,
      )
      .raw();
  }

  /** All rows of one subject; there are none of it. */
  write({ family, key }: SubjectName, rows: readonly ExtractRow[]): void {
    const byTable = new Map<TableName, Map<RowKey, RowValues>>();
    for (const { table, id, values, copyId, originalRowId } of rows) {
      this.#refer(values);
      if (id === null) {
        const [rowId] = this.#channel.get([values["PARTYID"], values["UNIQUEID"], values["CHANNEL"]]) as [number];
        this.#origin.run([family, key, table, rowId, copyId, originalRowId]);
        continue;
      }
      const ofTable = byTable.get(table) ?? new Map<RowKey, RowValues>();
      byTable.set(table, ofTable.set(id, values));
      this.#origin.run([family, key, table, id, copyId, originalRowId]);
    }
    for (const [table, ofTable] of byTable) this.#writer(table).write(ofTable);
  }

  /** What was written of a subject; nothing is no error. */
  delete({ family, key }: SubjectName): void {
    for (const [table, id] of this.#origins.all([family, key]) as [TableName, number][]) {
      let statement = this.#deletes.get(table);
      if (statement === undefined) {
        statement = this.#database.prepare(`DELETE FROM "${table}" WHERE rowid = ?`);
        this.#deletes.set(table, statement);
      }
      statement.run([id]);
    }
    this.#forget.run([family, key]);
  }

  /** Rows that are of no subject: data source sessions. By primary key. */
  put(table: (typeof providerTables)[Provider] | "ICON_DSS", rows: readonly RowValues[]): void {
    this.#writer(table).write(new Map(rows.map((row, index) => [index, row])));
  }

  /** The steps of G_TIMECODE that a row refers to. */
  #refer(values: RowValues): void {
    for (const [column, value] of Object.entries(values)) {
      if (!column.endsWith("_TCODE") || typeof value !== "number" || this.#timecodes.has(value)) continue;
      this.#timecode.run([value]);
      if (this.#timecodes.size > 10_000) this.#timecodes = new Set();
      this.#timecodes.add(value);
    }
  }

  #writer(table: TableName): RowWriter {
    let writer = this.#writers.get(table);
    if (writer === undefined) {
      writer = new RowWriter(this.#database, table);
      this.#writers.set(table, writer);
    }
    return writer;
  }
}
