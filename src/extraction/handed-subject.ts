// A call or a login session as an output writes it: rows with ids of the output's own, each with where it is from, and a digest of what is
// said, by which a second extraction knows that nothing has changed.

import { comparedColumns, families, type LifeTableName, lives } from "../../schema/life.ts";
import type { TableName } from "../../schema/tables.ts";
import type { Row } from "./copy.ts";
import { otherSiteColumns } from "./other-site.ts";
import type { SubjectPlan } from "./plan.ts";
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

export interface HandedSubject {
  readonly plan: SubjectPlan;
  /** Counts its appearances in this output, from 1. */
  readonly revision: number;
  readonly rows: readonly HandedRow[];
}

/** Gives every row an id of the output's rising sequence, a parent's before its children's. */
export function handOut(plan: SubjectPlan, revision: number, nextId: () => number): HandedSubject {
  const rows: HandedRow[] = [];
  for (const table of families[plan.family].tables) {
    for (const row of plan.rows[table] ?? []) rows.push(numbered(table, lives[table].rowId, row, nextId));
  }
  if (plan.endedMs === null) {
    const { G_CALL = [], G_IR = [] } = plan.rows;
    for (const row of G_CALL) rows.push(numbered("G_CALL_ACTIVE", "ID", { ...row, rowId: null }, nextId));
    for (const row of G_IR) rows.push(numbered("G_IR_ACTIVE", "ID", { ...row, rowId: null }, nextId));
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

// Copies need not agree on what another site says; who has been handed a call is told when more of that is known.
function otherSiteColumnsOf(table: LifeTableName): readonly string[] {
  return table in otherSiteColumns ? [otherSiteColumns[table as keyof typeof otherSiteColumns]] : [];
}

const columns = new Map(
  Object.values(families)
    .flatMap(({ tables }): readonly LifeTableName[] => tables)
    .map((table) => [table, [...comparedColumns(table), ...otherSiteColumnsOf(table)]]),
);

/** Of what is said about it, not of who said it: the same rows from another copy are no change. */
export function contentDigest({ family, key, verdict, isProven, reasons, rows, quality }: SubjectPlan): string {
  const hasher = new Bun.CryptoHasher("sha256");
  hasher.update(JSON.stringify([key, verdict, isProven, reasons]));
  for (const table of families[family].tables) {
    const texts = (rows[table] ?? []).map(({ values }) =>
      JSON.stringify(columns.get(table)?.map((column) => values[column] ?? null)),
    );
    hasher.update(JSON.stringify([table, ...texts.sort()]));
  }
  const doubts = quality.map(({ doubt }) =>
    JSON.stringify([doubt.TABLE_NAME, doubt.ROW_KEY, doubt.REASON, doubt.CAUSE]),
  );
  hasher.update(JSON.stringify(doubts.sort()));
  return hasher.digest("hex").slice(0, 32);
}
