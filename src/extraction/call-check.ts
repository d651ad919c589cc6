// A call's times before anything is concluded from them: one with a time that is none would belong to no stretch, and be
// left out without a word although another copy has it.

import type { WholeCall } from "./copy.ts";
import { isTimeOrNull } from "./ledger-check.ts";

const timesOf = [
  ["G_CALL", ["CREATED", "TERMINATED"]],
  ["G_CALL_HISTORY", ["ADDED"]],
  ["G_PARTY_HISTORY", ["ADDED"]],
] as const;

/** What is wrong, as a clause without a value of the row; null: nothing. */
export function callProblem({ rows }: WholeCall): string | null {
  for (const [table, columns] of timesOf) {
    for (const column of columns) {
      if (rows[table].every((row) => isTimeOrNull(row[column] ?? null))) continue;
      return `a row of ${table} has no right ${column}`;
    }
  }
  return null;
}
