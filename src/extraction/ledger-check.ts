// A ledger's rows before anything is concluded from them: whoever changed a file by hand, or another host that answers in
// the place of an instance, must not make a window look whole with a time that is none.

import { providerTables } from "../../schema/session.ts";
import type { Ledger } from "./copy.ts";

const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const digest = /^[0-9a-f]{32}$/;
// Years 0 to 9999.
const secondsMin = -62_167_219_200;
const secondsMax = 253_402_300_799;

/** What is wrong, as a clause without a value of the row; null: nothing. */
export function ledgerProblem({ identity, spans, windows, sessions }: Ledger): string | null {
  if (!isCount(identity.windowSeconds) || identity.windowSeconds === 0) {
    return "its windows have no right length (ICON_APPLIED.WINDOW_SECONDS)";
  }
  for (const row of spans) {
    const wrong =
      (!isTimeOrNull(row.FROM_TIME) && "FROM_TIME") ||
      (!isTimeOrNull(row.UNTIL_TIME) && "UNTIL_TIME") ||
      (!isCountOrNull(row.FROM_SEQ) && "FROM_SEQ") ||
      (!isCountOrNull(row.UNTIL_SEQ) && "UNTIL_SEQ") ||
      (!isCount(row.LATENESS_MS) && "LATENESS_MS");
    if (wrong !== false) return `a row of ICON_COVERAGE has no right ${wrong}`;
  }
  for (const row of windows) {
    const wrong =
      (!isSecond(row.WINDOW_TS) && "WINDOW_TS") ||
      (!isCount(row.EVENTS) && "EVENTS") ||
      (!isCountOrNull(row.FIRST_SEQ) && "FIRST_SEQ") ||
      (!isCountOrNull(row.LAST_SEQ) && "LAST_SEQ") ||
      (row.DIGEST !== null && !(typeof row.DIGEST === "string" && digest.test(row.DIGEST)) && "DIGEST");
    if (wrong !== false) return `a row of ICON_WINDOW has no right ${wrong}`;
  }
  for (const row of sessions) {
    const wrong =
      (!isTimeOrNull(row.DSCONN_STIME) && "DSCONN_STIME") ||
      (!isTimeOrNull(row.FEVENT_DSTIME) && "FEVENT_DSTIME") ||
      (!isTimeOrNull(row.LEVENT_DSTIME) && "LEVENT_DSTIME") ||
      (row.DSCONN_SDSTS !== null && !isSecond(row.DSCONN_SDSTS) && "DSCONN_SDSTS");
    if (wrong !== false) return `a row of ${providerTables[row.providers[0] ?? "gcc"]} has no right ${wrong}`;
  }
  return null;
}

/** As a TIMESTAMP column holds it. */
export function isTimeOrNull(value: unknown): boolean {
  return value === null || (typeof value === "string" && timestamp.test(value) && !Number.isNaN(Date.parse(value)));
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isCountOrNull(value: number | null): boolean {
  return value === null || isCount(value);
}

function isSecond(value: number): boolean {
  return Number.isSafeInteger(value) && value >= secondsMin && value <= secondsMax;
}
