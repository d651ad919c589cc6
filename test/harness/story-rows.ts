// A story's rows as an IDB would have them, for oracles that read either.

import type { TableName } from "../../schema/tables.ts";
import type { RowsOf } from "./agent-rows.ts";
import type { Story } from "./story.ts";

export function storyRows({ world }: Story): RowsOf {
  const tables = new Map<TableName, Map<unknown, object>>();
  for (const { table, row } of world.written) {
    const key = table === "G_PARTY_HISTORY" ? row.PHID : "ID" in row ? row.ID : row;
    const of = tables.get(table) ?? new Map<unknown, object>();
    tables.set(table, of.set(key, row));
  }
  for (const { table, id } of world.erased) tables.get(table)?.delete(id);
  return (table) => [...(tables.get(table as TableName)?.values() ?? [])] as ReturnType<RowsOf>;
}
