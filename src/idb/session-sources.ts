// Which source a row is of: GSYS_DOMAIN leads to the session, and the session to the server's cluster and the switch. One
// IDB's answers are kept, for a session's source never changes.

import type Database from "libsql";
import { type Provider, providerTables } from "../../schema/session.ts";
import { providersIn } from "./session-tables.ts";

export interface SessionSource {
  readonly sourceCluster: number | null;
  readonly switchDbid: number | null;
}

export class SessionSources {
  readonly #session: Database.Statement;
  readonly #known = new Map<number, SessionSource>();

  constructor(database: Database.Database) {
    this.#session = database.prepare(
      `SELECT CLUSTER, DS2_DBID FROM (${providersIn(database).map(sessionIn).join(" UNION ALL ")})
       ORDER BY ICON_DBID DESC LIMIT 1`,
    );
  }

  /** Null: the session's row is not there. Throws what libSQL throws. */
  of(session: number | null): SessionSource | null {
    if (session === null) return null;
    const known = this.#known.get(session);
    if (known !== undefined) return known;
    const row = this.#session.raw().get([session]) as [number | null, number | null] | undefined;
    if (row === undefined) return null;
    const source = { sourceCluster: row[0], switchDbid: row[1] };
    this.#known.set(session, source);
    return source;
  }
}

/** A session that stands in several tables is the same in all of them. */
function sessionIn(provider: Provider): string {
  return `SELECT ICON_DBID, coalesce(DS_DBID_PRIM, DS_DBID) AS CLUSTER, DS2_DBID
          FROM ${providerTables[provider]} WHERE DSS_ID = ?1`;
}
