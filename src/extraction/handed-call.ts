// A call as an output writes it: rows with ids of the output's own, each with where it is from, and a digest of what is
// said, by which a second extraction knows that nothing has changed.

import { type CallTableName, callTableNames, callTables, comparedColumns } from "../../schema/life.ts";
import type { TableName } from "../../schema/tables.ts";
import type { Row } from "./call-version.ts";

import type { CallPlan } from "./plan.ts";
import type { TakenRow } from "./taken-row.ts";

export interface HandedRow {
  readonly table: TableName;
  /** Given here; null: the table has none. */
  readonly id: number | null;
  readonly values: Row;
  /** Place of the copy it is from. */
  readonly copy: number;
  readonly originalRowId: number | null;
}

export interface HandedCall {
  readonly plan: CallPlan;
  /** Counts the call's appearances in this output, from 1. */
  readonly revision: number;
  readonly rows: readonly HandedRow[];
}

/** Gives every row an id of the output's rising sequence, a parent's before its children's. */
export function handOut(plan: CallPlan, revision: number, nextId: () => number): HandedCall {
  const rows: HandedRow[] = [];
  for (const table of callTableNames) {
    for (const row of plan.rows[table]) rows.push(numbered(table, callTables[table].rowId, row, nextId));
  }
  if (plan.endedMs === null) {
    for (const row of plan.rows.G_CALL) rows.push(numbered("G_CALL_ACTIVE", "ID", { ...row, rowId: null }, nextId));
    for (const row of plan.rows.G_IR) rows.push(numbered("G_IR_ACTIVE", "ID", { ...row, rowId: null }, nextId));
  }
  for (const { doubt, copy } of plan.quality) {
    rows.push(numbered("ICON_ROW_QUALITY", "ID", { values: doubt, copy, rowId: doubt.ID }, nextId));
  }
  return { plan, revision, rows };
}

function numbered(table: TableName, idColumn: string | null, row: TakenRow, nextId: () => number): HandedRow {
  const { copy, rowId: originalRowId } = row;
  if (idColumn === null) return { table, id: null, values: row.values, copy, originalRowId };
  const id = nextId();
  // Sequences of one IDB mean nothing in another.
  const sequences = "GSYS_SEQ" in row.values ? { GSYS_SEQ: id, GSYS_USEQ: id } : {};
  return { table, id, values: { ...row.values, [idColumn]: id, ...sequences }, copy, originalRowId };
}

const columns = Object.fromEntries(callTableNames.map((table) => [table, comparedColumns(table)])) as Readonly<
  Record<CallTableName, readonly string[]>
>;

/** Of what is said about the call, not of who said it: the same rows from another copy are no change. */
export function contentDigest({ callId, verdict, isProven, reasons, rows, quality }: CallPlan): string {
  const hasher = new Bun.CryptoHasher("sha256");
  hasher.update(JSON.stringify([callId, verdict, isProven, reasons]));
  for (const table of callTableNames) {
    const texts = rows[table].map(({ values }) =>
      JSON.stringify(columns[table].map((column) => values[column] ?? null)),
    );
    hasher.update(JSON.stringify([table, ...texts.sort()]));
  }
  const doubts = quality.map(({ doubt }) =>
    JSON.stringify([doubt.TABLE_NAME, doubt.ROW_KEY, doubt.REASON, doubt.CAUSE]),
  );
  hasher.update(JSON.stringify(doubts.sort()));
  return hasher.digest("hex").slice(0, 32);
}
