// How rows of a table are found from those above them, as SQL, for all who go by schema/life.ts: readers and purge.

import { type LifeTableName, lives, type TableLife } from "../../schema/life.ts";

/**
 * A condition on `r`, a row of the table. ?1: what it names in `link`, a JSON list. ?2, where its rows are not found by an
 * index: the ids that they have (their parents'), or are written behind.
 */
export function foundCondition(table: LifeTableName, link: string): string {
  const { foundBy, rowId }: TableLife = lives[table];
  const isNamed = `r.${link} IN (SELECT value FROM json_each(?1))`;
  if (foundBy === "index") return isNamed;
  // The ids are to be used, and not the rows' names.
  if (foundBy === "parent's row") return `r.${rowId} IN (SELECT value FROM json_each(?2)) AND +${isNamed}`;
  return `r.${rowId} IN (
      SELECT h.${rowId} FROM json_each(?2) AS b CROSS JOIN "${table}" AS h
      WHERE h.${rowId} > b.value AND h.${rowId} <= b.value + ${foundBy.reach}) AND +${isNamed}`;
}
