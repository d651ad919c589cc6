// A subject's times before anything is concluded from them: one with a time that is none would belong to no stretch, and be
// left out without a word although another copy has it.

import { type FamilyName, type LifeTableName, lives } from "../../schema/life.ts";
import { rowsOf, type Subject } from "./copy.ts";
import { isTimeOrNull } from "./ledger-check.ts";

/** Tables whose times rows are put into an order by, or stretches of a life are judged by. */
const timed: Readonly<Record<FamilyName, readonly LifeTableName[]>> = {
  call: ["G_CALL", "G_CALL_HISTORY", "G_PARTY_HISTORY"],
  "login session": [
    ...(["G_LOGIN_SESSION", "GX_SESSION_ENDPOINT", "G_AGENT_STATE_HISTORY", "G_DND_HISTORY"] as const),
    ...(["G_AGENT_STATE_RC", "G_AGENT_STATE_RC_A"] as const),
  ],
};

/** What is wrong, as a clause without a value of the row; null: nothing. */
export function subjectProblem(subject: Subject): string | null {
  for (const table of timed[subject.family]) {
    const { from, until } = lives[table];
    for (const column of new Set([from, until])) {
      if (column === null || rowsOf(subject, table).every((row) => isTimeOrNull(row[column] ?? null))) continue;
      return `a row of ${table} has no right ${column}`;
    }
  }
  return null;
}
