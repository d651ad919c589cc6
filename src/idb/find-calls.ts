// Finds calls: by when they were created, by what was going on at an instant, by name. Each question is answered from an
// index, whatever the IDB's size.

import type Database from "libsql";
import { readJson } from "./row-reader.ts";

/** UTC seconds of the sources' clocks, whole; `from` is in it, `until` is not. */
export interface WholeStretch {
  readonly from: number;
  readonly until: number;
}

/** One row of G_CALL, and where it stands in the order of an answer: by CREATED, then CALLID, then ID. */
export interface CallPlace {
  readonly seconds: number;
  readonly created: string;
  readonly callId: string;
  readonly id: number;
}

/** In the order of an answer. */
export function isBehind(one: CallPlace, other: CallPlace): boolean {
  if (one.seconds !== other.seconds) return one.seconds > other.seconds;
  if (one.created !== other.created) return one.created > other.created;
  return one.callId === other.callId ? one.id > other.id : one.callId > other.callId;
}

const beforeAll: CallPlace = { seconds: Number.MIN_SAFE_INTEGER, created: "", callId: "", id: 0 };

const place = "CAST(json_array(CREATED_TS, coalesce(CREATED, ''), CALLID, ID) AS BLOB)";
const order = "CREATED_TS, coalesce(CREATED, ''), CALLID, ID";

/** The next `limit` rows created in the stretch, after the given one. */
export function findCreated(
  database: Database.Database,
  { from, until }: WholeStretch,
  after: CallPlace | null,
  limit: number,
): CallPlace[] {
  const { seconds, created, callId, id } = after ?? beforeAll;
  return placesOf(
    database
      .prepare(
        `SELECT ${place} FROM G_CALL
         WHERE CREATED_TS >= ?1 AND CREATED_TS < ?2 AND (${order}) > (?3, ?4, ?5, ?6)
         ORDER BY ${order} LIMIT ?7`,
      )
      .raw()
      .all([Math.max(from, seconds), until, seconds, created, callId, id, limit]),
  );
}

/** What was created before the instant and ended at or after it, or goes on. */
export function findGoingOn(database: Database.Database, at: number): CallPlace[] {
  return placesOf(
    database
      .prepare(
        `SELECT ${place} FROM G_CALL
         WHERE ID IN (SELECT ID FROM G_CALL WHERE TERMINATED_TS IS NOT NULL AND TERMINATED_TS >= ?1 AND CREATED_TS < ?1)
            OR (TERMINATED_TS IS NULL AND CREATED_TS < ?1 AND CALLID IN (SELECT CALLID FROM G_CALL_ACTIVE))
         ORDER BY ${order}`,
      )
      .raw()
      .all([at]),
  );
}

/** The rows of those that are there. */
export function findNamed(database: Database.Database, callIds: readonly string[]): CallPlace[] {
  return placesOf(
    database
      .prepare(`SELECT ${place} FROM G_CALL WHERE CALLID IN (SELECT value FROM json_each(?1)) ORDER BY ${order}`)
      .raw()
      .all([JSON.stringify(callIds)]),
  );
}

function placesOf(rows: readonly unknown[]): CallPlace[] {
  return (rows as readonly (readonly [Uint8Array])[]).map(([bytes]) => {
    const [seconds, created, callId, id] = readJson(bytes, "G_CALL") as [number, string, string, number];
    return { seconds, created, callId, id };
  });
}
