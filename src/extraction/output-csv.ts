// A directory with a file a table, as RFC 4180 has it: CRLF, a header, quotes where they are needed. An empty field is
// null, "" an empty text. Files only grow: a call that changed comes again, its rows with a higher ORIGIN_REVISION, and
// what ICON_EXTRACT_CALL.csv says of it last is so.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { getTableColumns } from "drizzle-orm";
import { callTableNames } from "../../schema/life.ts";
import { type TableName, tables } from "../../schema/tables.ts";
import { sourceInstant, timestampText } from "../event/instant.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import { AppendFile } from "./append-file.ts";
import type { SessionRow } from "./copy.ts";
import type { HandedCall } from "./handed-call.ts";
import type { Output, OutputCopy } from "./output.ts";

const originColumns = ["ORIGIN_CALLID", "ORIGIN_REVISION", "ORIGIN_VERDICT", "ORIGIN_IDB_ID", "ORIGIN_ROW_ID"];
const callColumns = [
  ...["CALLID", "REVISION", "VERDICT", "IS_PROVEN", "CREATED", "TERMINATED", "SOURCE_CLUSTER", "SWITCH_DBID"],
  ...["REASONS", "IDB_IDS", "WITHDRAWN"],
];
const callFile = "ICON_EXTRACT_CALL";

/** Tables that have a file. */
const csvTables: readonly TableName[] = [
  ...callTableNames,
  "G_CALL_ACTIVE",
  "G_IR_ACTIVE",
  "ICON_ROW_QUALITY",
  "G_DSS_GCC_PROVIDER",
  "ICON_DSS",
];
const sessionTables: ReadonlySet<TableName> = new Set<TableName>(["G_DSS_GCC_PROVIDER", "ICON_DSS"]);

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
      open(callFile, callColumns),
      ...csvTables.map((table) =>
        open(table, [...this.#columnsOf(table), ...(sessionTables.has(table) ? [] : originColumns)]),
      ),
    ]);
  }

  write({ plan, revision, rows }: HandedCall, copies: readonly OutputCopy[]): void {
    const idbIds = plan.copies.map((copy) => copies[copy]?.idbId ?? "").join(" ");
    this.#append(callFile, [
      ...[plan.callId, revision, plan.verdict, plan.isProven ? 1 : 0, textOf(plan.createdMs)],
      ...[plan.endedMs === null ? null : textOf(plan.endedMs), plan.source?.cluster, plan.source?.switchDbid],
      ...[JSON.stringify(plan.reasons), idbIds, null],
    ]);
    for (const { table, values, copy, originalRowId } of rows) {
      const own = this.#columnsOf(table).map((column) => values[column]);
      this.#append(table, [...own, plan.callId, revision, plan.verdict, copies[copy]?.idbId, originalRowId]);
    }
  }

  withdraw(callId: string, revision: number, reason: string): void {
    this.#append(
      callFile,
      callColumns.map((column) => ({ CALLID: callId, REVISION: revision, WITHDRAWN: reason })[column]),
    );
  }

  /** A session that changed comes again; the last line of a key is so. */
  putSessions(sessions: readonly SessionRow[]): void {
    for (const session of sessions) {
      for (const table of ["G_DSS_GCC_PROVIDER", "ICON_DSS"] as const) {
        if (table === "ICON_DSS" && session.SOURCE === undefined) continue;
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
