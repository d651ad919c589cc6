// An IDB file of the same schema, with the book in it. Where each row is from stands in ICON_EXTRACT_ROW.

import { getTableColumns } from "drizzle-orm";
import { providers, providerTables } from "../../schema/session.ts";
import { type TableName, tables } from "../../schema/tables.ts";
import { ExtractRows } from "../idb/extract-rows.ts";
import type { ExtractStore } from "../idb/extract-store.ts";
import type { SubjectName } from "../idb/stored-subject.ts";
import type { SessionRow } from "./copy.ts";
import type { HandedSubject } from "./handed-subject.ts";
import type { Output, OutputCopy } from "./output.ts";

export class IdbOutput implements Output {
  readonly store: ExtractStore;
  readonly #rows: ExtractRows;

  constructor(store: ExtractStore) {
    this.store = store;
    this.#rows = new ExtractRows(store.database);
  }

  write({ plan, rows }: HandedSubject, copies: readonly OutputCopy[]): void {
    this.#rows.delete(plan);
    this.#rows.write(
      plan,
      rows.map(({ table, id, values, copy, originalRowId }) => ({
        ...{ table, id, originalRowId },
        values: onlyColumns(table, values),
        copyId: copies[copy]?.id ?? 0,
      })),
    );
  }

  withdraw(subject: SubjectName): void {
    this.#rows.delete(subject);
  }

  putSessions(sessions: readonly SessionRow[]): void {
    for (const provider of providers) {
      const table = providerTables[provider];
      const its = sessions.filter((session) => session.providers.includes(provider));
      this.#rows.put(
        table,
        its.map((session) => onlyColumns(table, session)),
      );
    }
    const ours = sessions.filter(({ SOURCE }) => SOURCE !== undefined);
    this.#rows.put(
      "ICON_DSS",
      ours.map((session) => onlyColumns("ICON_DSS", session)),
    );
  }

  sync(): void {
    // All of it is in the book.
  }

  close(): void {
    this.store.close();
  }
}

const columnsOf = new Map<TableName, readonly string[]>();

/** A row may have more than its table: what goes on has no TERMINATED in G_CALL_ACTIVE. What is left out is null. */
function onlyColumns(table: TableName, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  let columns = columnsOf.get(table);
  if (columns === undefined) {
    columns = Object.keys(getTableColumns(tables[table]));
    columnsOf.set(table, columns);
  }
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}
