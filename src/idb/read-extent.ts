// How much an IDB holds, and from when on it knows everything: for whoever made it.

import { type TableName, tableNames } from "../../schema/tables.ts";
import { idbError } from "./error.ts";
import { openReading } from "./reading.ts";

export interface IdbExtent {
  /** Rows of all tables that events fill. */
  readonly rows: number;
  /** Events that the windows of the ledger count. */
  readonly events: number;
  /** Rows of ICON_UNDECODED. */
  readonly undecoded: number;
  /** End of the last window marked "history not kept", UTC seconds; null: there is none. */
  readonly knownFromSeconds: number | null;
}

/** The same in every IDB, or its own book. */
const notFilled: ReadonlySet<TableName> = new Set<TableName>([
  "G_DICT_TYPE",
  "G_DICTIONARY",
  "ICON_APPLIED",
  "ICON_LIVE",
  "ICON_SCHEMA_ORIGIN",
  "ICON_MIGRATION",
]);

/** Of an IDB that nobody writes. Throws IdbDamagedError, IdbUnavailableError. */
export function readExtent(path: string): IdbExtent {
  const { database, close } = openReading(path);
  try {
    const number = (sql: string) => (database.prepare(sql).raw().get() as [number | null] | undefined)?.[0] ?? null;
    let rows = 0;
    for (const table of tableNames.filter((each) => !notFilled.has(each)))
      rows += number(`SELECT count(*) FROM "${table}"`) ?? 0;
    return {
      rows,
      events: number("SELECT sum(EVENTS) FROM ICON_WINDOW") ?? 0,
      undecoded: number("SELECT count(*) FROM ICON_UNDECODED") ?? 0,
      knownFromSeconds: number(
        `SELECT max(WINDOW_TS) + (SELECT WINDOW_SECONDS FROM ICON_APPLIED) FROM ICON_WINDOW
         WHERE FAULTS LIKE '%"history not kept"%'`,
      ),
    };
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  } finally {
    close();
  }
}

/** Length of a window in the ledger of an IDB that nobody writes; null when it cannot be read. */
export function readWindowSeconds(path: string): number | null {
  try {
    const { database, close } = openReading(path);
    try {
      const row = database.prepare("SELECT CAST(WINDOW_SECONDS AS INTEGER) FROM ICON_APPLIED WHERE ID = 1").raw().get();
      const [seconds] = (row ?? []) as unknown[];
      return typeof seconds === "number" && Number.isInteger(seconds) && seconds > 0 ? seconds : null;
    } finally {
      close();
    }
  } catch {
    // Missing, damaged or locked: whoever asks knows another way.
    return null;
  }
}
