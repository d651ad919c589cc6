// Looks through a whole IDB without changing it, for `icon verify`. It runs in a child process as free SQL does: a
// damaged file may crash SQLite or take all its memory, and the parent lives on and says so.

import type Database from "libsql";
import { IdbDamagedError, IdbNotOursError, IdbTooNewError, IdbUnavailableError, idbError } from "./error.ts";
import { readIdentity } from "./migrate.ts";
import { openReading } from "./reading.ts";
import { readJson } from "./row-reader.ts";

export interface IdbInspection {
  /** What PRAGMA integrity_check complains of, at most 100 sentences; empty: nothing. */
  readonly complaints: readonly string[];
  readonly schemaVersion: number;
  /** Undefined when there is no row that says it. */
  readonly applied:
    | { readonly queueId: string | null; readonly position: string; readonly windowSeconds: number }
    | undefined;
}

export type InspectionOutcome =
  | { readonly kind: "inspected"; readonly inspection: IdbInspection }
  /** The file cannot be read as an IDB of ours. */
  | { readonly kind: "refused"; readonly message: string }
  /** It could not be looked at now, which says nothing about the file. */
  | { readonly kind: "unavailable"; readonly message: string };

const heapBytesMax = 256 * 1024 * 1024;
// A writer that appears while we read a file that we took for unused is met by reading again.
const attemptsMax = 3;

/** All in one transaction; table by table, so that no transaction is long; only what it says of itself. */
export type InspectionDepth = "all" | "table by table" | "itself";

/** Call it in a child process only. Throws what is a fault of ours. */
export function inspectIdb(path: string, depth: InspectionDepth = "all"): InspectionOutcome {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const { outcome, isStill } = inspectOnce(path, depth);
    if (isStill) return outcome;
  }
  return {
    kind: "unavailable",
    message: `Cannot inspect IDB "${path}": it was replaced ${attemptsMax} times meanwhile`,
  };
}

function inspectOnce(
  path: string,
  depth: InspectionDepth,
): { readonly outcome: InspectionOutcome; readonly isStill: boolean } {
  let reading: ReturnType<typeof openReading> | undefined;
  try {
    reading = openReading(path);
    const outcome: InspectionOutcome = { kind: "inspected", inspection: inspect(reading.database, path, depth) };
    return { outcome, isStill: reading.isStill() };
  } catch (thrown) {
    return { outcome: failure(idbError(thrown, `Cannot inspect IDB "${path}"`)), isStill: reading?.isStill() ?? true };
  } finally {
    reading?.close();
  }
}

function inspect(database: Database.Database, path: string, depth: InspectionDepth): IdbInspection {
  database.exec(`PRAGMA busy_timeout = 2000; PRAGMA hard_heap_limit = ${heapBytesMax}`);
  // One transaction, so that all is said of the same state.
  if (depth !== "table by table") database.exec("BEGIN");
  const { version: schemaVersion } = readIdentity(database, path);
  const complaints = depth === "itself" ? [] : complaintsOf(database, depth);
  if (schemaVersion === 0) return { complaints, schemaVersion, applied: undefined };
  const row = database
    .prepare("SELECT QUEUE_ID, CAST(POSITION AS TEXT), WINDOW_SECONDS FROM ICON_APPLIED WHERE ID = 1")
    .raw()
    .get() as unknown[] | undefined;
  const applied = row && {
    queueId: row[0] === null ? null : String(row[0]),
    position: String(row[1]),
    windowSeconds: Number(row[2]),
  };
  return { complaints, schemaVersion, applied };
}

// What SQLite can say of pages that no table uses is left out table by table.
function complaintsOf(database: Database.Database, depth: "all" | "table by table"): string[] {
  const tables = database
    .prepare("SELECT CAST(json_array(name) AS BLOB) FROM sqlite_schema WHERE type = 'table'")
    .raw()
    .all() as [Uint8Array][];
  const names = tables.flatMap(([bytes]) => readJson(bytes, "the IDB's tables") as string[]);
  const subjects = depth === "all" ? ["100"] : names.map((table) => `"${table}"`);
  return subjects.flatMap((subject) => {
    const rows = database.prepare(`PRAGMA integrity_check(${subject})`).raw().all() as unknown[][];
    return rows.map(([sentence]) => String(sentence)).filter((sentence) => sentence !== "ok");
  });
}

function failure(error: unknown): InspectionOutcome {
  if (error instanceof IdbUnavailableError) return { kind: "unavailable", message: error.message };
  if ([IdbDamagedError, IdbNotOursError, IdbTooNewError].some((kind) => error instanceof kind)) {
    return { kind: "refused", message: (error as Error).message };
  }
  throw error;
}
