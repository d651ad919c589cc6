// Which IDB this is, and how far it has come: what tells one copy from another and from itself later.

import type Database from "libsql";
import { IdbDamagedError } from "./error.ts";
import { readIdentity } from "./migrate.ts";
import { readJson } from "./row-reader.ts";
import { everySession } from "./session-tables.ts";

export interface IdbIdentity {
  readonly idbId: string;
  /** Null: nothing was committed yet. */
  readonly queueId: string | null;
  /** Applied position. */
  readonly version: number;
  readonly schemaVersion: number;
  readonly windowSeconds: number;
  /** DBIDs of the instances that wrote it, the newest last. */
  readonly iconDbids: readonly number[];
}

/** Schema version alone: what a file that this program cannot ask more still tells. See readIdentity for the errors. */
export function readSchemaVersion(database: Database.Database, path: string): number {
  return readIdentity(database, path).version;
}

/**
 * `sessions`: of everySession, from whoever has asked already. Throws IdbNotOursError, IdbTooNewError, IdbDamagedError, and
 * what libSQL throws.
 */
export function readCopyIdentity(database: Database.Database, path: string, sessions?: string): IdbIdentity {
  const schemaVersion = readSchemaVersion(database, path);
  const applied = database
    .prepare(
      "SELECT CAST(json_array(IDB_ID, QUEUE_ID, POSITION, WINDOW_SECONDS) AS BLOB) FROM ICON_APPLIED WHERE ID = 1",
    )
    .raw()
    .get() as [Uint8Array] | undefined;
  if (applied === undefined) {
    throw new IdbDamagedError(`Cannot read IDB "${path}": its row in ICON_APPLIED is gone`);
  }
  const [idbId, queueId, version, windowSeconds] = readJson(applied[0], "ICON_APPLIED") as unknown[];
  if (typeof idbId !== "string" || typeof version !== "number" || typeof windowSeconds !== "number") {
    throw new IdbDamagedError(`Cannot read IDB "${path}": its row in ICON_APPLIED is damaged`);
  }
  const dbids = database
    .prepare(`SELECT ICON_DBID FROM ${sessions ?? everySession(database)} GROUP BY ICON_DBID ORDER BY max(DSS_ID)`)
    .raw()
    .all() as [number][];
  return {
    idbId,
    queueId: typeof queueId === "string" ? queueId : null,
    version,
    schemaVersion,
    windowSeconds,
    iconDbids: dbids.map(([dbid]) => dbid),
  };
}
