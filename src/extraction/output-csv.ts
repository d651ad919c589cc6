// A directory with a file a table, as RFC 4180 has it: CRLF, a header, quotes where they are needed. An empty field is
// null, "" an empty text. Files only grow: a call or a login session that changed comes again, its rows with a higher
// ORIGIN_REVISION, and what ICON_EXTRACT_CALL.csv or ICON_EXTRACT_LOGIN_SESSION.csv says of it last is so.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { getTableColumns } from "drizzle-orm";
import { type FamilyName, families, familyNames } from "../../schema/life.ts";
import { providers, providerTables } from "../../schema/session.ts";
import { type TableName, tables } from "../../schema/tables.ts";
import { sourceInstant, timestampText } from "../event/instant.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import type { SubjectName } from "../idb/stored-subject.ts";
import { AppendFile } from "./append-file.ts";
import type { SessionRow } from "./copy.ts";
import type { HandedSubject } from "./handed-subject.ts";
import type { Output, OutputCopy } from "./output.ts";

const originColumns = ["ORIGIN_REVISION", "ORIGIN_VERDICT", "ORIGIN_IDB_ID", "ORIGIN_ROW_ID"];
/** The file that says of each revision what it is, by family, and its columns. */
const bookFiles: Readonly<Record<FamilyName, string>> = {
  call: "ICON_EXTRACT_CALL",
  "login session": "ICON_EXTRACT_LOGIN_SESSION",
};
const bookColumns = (family: FamilyName) => [
  ...[
    families[family].key,
    "REVISION",
    "VERDICT",
    "IS_PROVEN",
    "CREATED",
    "TERMINATED",
    "SOURCE_CLUSTER",
    "SWITCH_DBID",
  ],
  ...["REASONS", "IDB_IDS", "WITHDRAWN"],
];

/** Tables that have a file, and the families whose rows are in it. */
const csvTables: ReadonlyMap<TableName, readonly FamilyName[]> = new Map<TableName, readonly FamilyName[]>([
  ...familyNames.flatMap((family) => families[family].tables.map((table) => [table, [family]] as const)),
  ["G_CALL_ACTIVE", ["call"]],
  ["G_IR_ACTIVE", ["call"]],
  ["ICON_ROW_QUALITY", familyNames],
  ...providers.map((provider) => [providerTables[provider], []] as const),
  ["ICON_DSS", []],
]);

export class CsvOutput implements Output {
  readonly store: ExtractStore;
  readonly #files: ReadonlyMap<string, AppendFile>;
  readonly #columns = new Map<TableName, readonly string[]>();

  /** Makes the directory and its files. Throws AppendFileError. */
  constructor(store: ExtractStore, directory: string) {
    this.store = store;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const lengths = store.files();
    const open = (name: string, header: readonly string[]): [string, AppendFile] => {
      const file = new AppendFile(join(directory, `${name}.csv`), {
        committedBytes: lengths.get(name) ?? 0,
        isBuilding: store.isBuilding,
      });
      if (file.isEmpty) file.append(record(header));
      return [name, file];
    };
    this.#files = new Map([
      ...familyNames.map((family) => open(bookFiles[family], bookColumns(family))),
      ...[...csvTables].map(([table, of]) =>
        open(table, [
          ...this.#columnsOf(table),
          ...(of.length === 0 ? [] : [...of.map((family) => `ORIGIN_${families[family].key}`), ...originColumns]),
        ]),
      ),
    ]);
  }

  write({ plan, revision, rows }: HandedSubject, copies: readonly OutputCopy[]): void {
    const idbIds = plan.copies.map((copy) => copies[copy]?.idbId ?? "").join(" ");
    this.#append(bookFiles[plan.family], [
      ...[plan.key, revision, plan.verdict, plan.isProven ? 1 : 0, textOf(plan.createdMs)],
      ...[plan.endedMs === null ? null : textOf(plan.endedMs), plan.source?.cluster, plan.source?.switchDbid],
      ...[JSON.stringify(plan.reasons), idbIds, null],
    ]);
    for (const { table, values, copy, originalRowId } of rows) {
      const own = this.#columnsOf(table).map((column) => values[column]);
      const keys = csvTables.get(table)?.map((family) => (family === plan.family ? plan.key : null)) ?? [];
      this.#append(table, [...own, ...keys, revision, plan.verdict, copies[copy]?.idbId, originalRowId]);
    }
  }

  withdraw({ family, key }: SubjectName, revision: number, reason: string): void {
    const said: Readonly<Record<string, unknown>> = {
      [families[family].key]: key,
      REVISION: revision,
      WITHDRAWN: reason,
    };
    this.#append(
      bookFiles[family],
      bookColumns(family).map((column) => said[column]),
    );
  }

  /** A session that changed comes again; the last line of a key is so. */
  putSessions(sessions: readonly SessionRow[]): void {
    for (const session of sessions) {
      const itsTables = session.providers.map((provider) => providerTables[provider]);
      for (const table of [...itsTables, ...(session.SOURCE === undefined ? [] : (["ICON_DSS"] as const))]) {
        const row: Readonly<Record<string, unknown>> = session;
        this.#append(
          table,
          this.#columnsOf(table).map((column) => row[column]),
        );
      }
    }
  }

  sync(): void {
    for (const [name, file] of this.#files) this.store.putFile(name, file.sync());
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.store.close();
  }

  #append(name: string, values: readonly unknown[]): void {
    this.#files.get(name)?.append(record(values));
  }

  #columnsOf(table: TableName): readonly string[] {
    let columns = this.#columns.get(table);
    if (columns === undefined) {
      columns = Object.keys(getTableColumns(tables[table]));
      this.#columns.set(table, columns);
    }
    return columns;
  }
}

function record(values: readonly unknown[]): string {
  return `${values.map(field).join(",")}\r\n`;
}

function field(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function textOf(ms: number): string {
  return timestampText(sourceInstant(ms));
}
