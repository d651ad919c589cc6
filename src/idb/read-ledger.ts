// What an IDB says about its own completeness in a stretch of time: windows, spans, sessions, marks. In one read
// transaction, as the four belong together.
//
// Windows go by the sources' clocks and are found by an index. The other tables have a row per session, hole or mark,
// so they are small, and are looked through. Sessions and marks are timed by the instance's clock too, which may differ
// from the source's: they are taken with a margin, and with the nearest ones before and after.

import type Database from "libsql";
import { purgeKind } from "../../schema/purge-mark.ts";
import { type Provider, providerTables } from "../../schema/session.ts";
import type { Selected } from "../../schema/tables.ts";
import { type IdbIdentity, readCopyIdentity } from "./read-copy-identity.ts";
import { inReadTransaction, RowReader } from "./row-reader.ts";
import { everySession, providersIn } from "./session-tables.ts";

/** UTC seconds; `from` is in it, `until` is not. Windows: of those changed after `changedAfter`; null: all. */
export interface LedgerQuestion {
  readonly stretch: { readonly from: number; readonly until: number };
  readonly changedAfter: number | null;
}

/** A session's row, which is the same in the tables of all of its providers, with that of ICON_DSS. */
export type SessionRow = Selected<"G_DSS_GCC_PROVIDER"> &
  Partial<Omit<Selected<"ICON_DSS">, "DSS_ID" | "ICON_DBID">> & { readonly providers: readonly Provider[] };

export interface IdbLedger {
  readonly identity: IdbIdentity;
  readonly windows: readonly Selected<"ICON_WINDOW">[];
  readonly spans: readonly Selected<"ICON_COVERAGE">[];
  readonly sessions: readonly SessionRow[];
  readonly marks: readonly Selected<"ICON_MARK">[];
}

// More than two clocks of one site ever differ, and than a restart takes.
const marginSeconds = 3600;

/** Throws IdbDamagedError, IdbUnavailableError, IdbNotOursError, IdbTooNewError. */
export function readLedger(database: Database.Database, path: string, question: LedgerQuestion): IdbLedger {
  return inReadTransaction(database, `Cannot read the ledger of IDB "${path}"`, () => {
    const from = everySession(database);
    const identity = readCopyIdentity(database, path, from);
    return {
      identity,
      windows: readWindows(database, identity.windowSeconds, question),
      spans: readSpans(database, question),
      sessions: readSessions(database, from, question),
      marks: readMarks(database, question),
    };
  });
}

function readWindows(
  database: Database.Database,
  windowSeconds: number,
  { stretch, changedAfter }: LedgerQuestion,
): Selected<"ICON_WINDOW">[] {
  const isChanged = changedAfter === null ? "" : "AND r.VERSION > ?3";
  const reader = new RowReader(
    database,
    "ICON_WINDOW",
    `WHERE r.WINDOW_TS > ?1 AND r.WINDOW_TS < ?2 ${isChanged}
     ORDER BY r.WINDOW_TS, r.SOURCE_CLUSTER, r.SWITCH_DBID, r.RUN`,
  );
  const bounds = [stretch.from - windowSeconds, stretch.until];
  return changedAfter === null ? reader.all(...bounds) : reader.all(...bounds, changedAfter);
}

/** Those that reach into the stretch, and of each run the last one before and the first one after. */
function readSpans(database: Database.Database, { stretch }: LedgerQuestion): Selected<"ICON_COVERAGE">[] {
  return new RowReader(
    database,
    "ICON_COVERAGE",
    `WHERE (r.UNTIL_TIME IS NULL OR r.UNTIL_TIME >= ?1) AND (r.FROM_TIME IS NULL OR r.FROM_TIME < ?2)
        OR r.ID IN (SELECT max(ID) FROM ICON_COVERAGE WHERE UNTIL_TIME < ?1 GROUP BY SOURCE_CLUSTER, SWITCH_DBID, RUN)
        OR r.ID IN (SELECT min(ID) FROM ICON_COVERAGE WHERE FROM_TIME >= ?2 GROUP BY SOURCE_CLUSTER, SWITCH_DBID, RUN)
     ORDER BY r.ID`,
  ).all(timestampOf(stretch.from), timestampOf(stretch.until));
}

function readSessions(database: Database.Database, from: string, { stretch }: LedgerQuestion): SessionRow[] {
  const bounds = withMargin(stretch);
  const sessions = new RowReader(
    database,
    "G_DSS_GCC_PROVIDER",
    `WHERE (r.DSCONN_ETIME IS NULL OR r.DSCONN_ETIME >= ?1) AND (r.DSCONN_STIME IS NULL OR r.DSCONN_STIME < ?2)
        OR (r.LEVENT_DSTIME >= ?1 AND r.FEVENT_DSTIME < ?2)
        OR r.DSS_ID IN (SELECT value FROM json_each(?3))
     ORDER BY r.DSS_ID, r.ICON_DBID`,
    from,
  ).all(...bounds, JSON.stringify(nearestSessions(database, from, bounds)));
  const ends = [sessions[0]?.DSS_ID ?? 0, sessions.at(-1)?.DSS_ID ?? -1] as const;
  const ours = new RowReader(
    database,
    "ICON_DSS",
    "WHERE r.DSS_ID BETWEEN ?1 AND ?2 ORDER BY r.DSS_ID, r.ICON_DBID",
  ).all(...ends);
  const byKey = new Map(ours.map((row) => [keyOf(row), row]));
  const providers = providersIn(database).map((provider) => [provider, keysIn(database, provider, ends)] as const);
  return sessions.map((session) => ({
    ...byKey.get(keyOf(session)),
    ...session,
    providers: providers.flatMap(([provider, keys]) => (keys.has(keyOf(session)) ? [provider] : [])),
  }));
}

/** Of each instance and cluster the last session that ended before the bounds, and the first that began after them. */
function nearestSessions(database: Database.Database, from: string, bounds: readonly [string, string]): number[] {
  const each = "GROUP BY ICON_DBID, coalesce(DS_DBID_PRIM, DS_DBID)";
  const rows = database
    .prepare(
      `SELECT max(DSS_ID) FROM ${from} WHERE DSCONN_ETIME < ?1 ${each}
       UNION SELECT min(DSS_ID) FROM ${from} WHERE DSCONN_STIME >= ?2 ${each}`,
    )
    .raw()
    .all([...bounds]) as [number][];
  return rows.map(([id]) => id);
}

/** Which sessions a provider's table has, of these and those between them. */
function keysIn(database: Database.Database, provider: Provider, ends: readonly [number, number]): ReadonlySet<string> {
  const keys = database
    .prepare(`SELECT DSS_ID, ICON_DBID FROM ${providerTables[provider]} WHERE DSS_ID BETWEEN ?1 AND ?2`)
    .raw()
    .all([...ends]) as [number, number][];
  return new Set(keys.map(([DSS_ID, ICON_DBID]) => keyOf({ DSS_ID, ICON_DBID })));
}

function keyOf({ DSS_ID, ICON_DBID }: { readonly DSS_ID: number; readonly ICON_DBID: number }): string {
  return `${DSS_ID}/${ICON_DBID}`;
}

/** Near to the stretch, and the purge that went furthest, whenever it was: it is the day that DETAIL begins with. */
function readMarks(database: Database.Database, { stretch }: LedgerQuestion): Selected<"ICON_MARK">[] {
  return new RowReader(
    database,
    "ICON_MARK",
    `WHERE (r.ADDED >= ?1 AND r.ADDED < ?2)
        OR r.ID IN (SELECT max(ID) FROM ICON_MARK WHERE ADDED < ?1 GROUP BY SOURCE, KIND)
        OR r.ID IN (SELECT min(ID) FROM ICON_MARK WHERE ADDED >= ?2 GROUP BY SOURCE, KIND)
        OR r.ID = (SELECT ID FROM ICON_MARK WHERE KIND = '${purgeKind}' ORDER BY DETAIL DESC, ID DESC LIMIT 1)
     ORDER BY r.ID`,
  ).all(...withMargin(stretch));
}

function withMargin({ from, until }: LedgerQuestion["stretch"]): [string, string] {
  return [timestampOf(from - marginSeconds), timestampOf(until + marginSeconds)];
}

// Dates that a TIMESTAMP column can hold; a stretch may be meant to be all of time.
const secondsMin = -62_167_219_200; // year 0
const secondsMax = 253_402_300_799; // 9999-12-31T23:59:59

function timestampOf(seconds: number): string {
  return new Date(Math.min(Math.max(seconds, secondsMin), secondsMax) * 1000).toISOString();
}
