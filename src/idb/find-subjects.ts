// Finds calls, or login sessions: by when they were created or ended, by what was going on at an instant, by name. Each
// question is answered from an index, whatever the IDB's size.

import type Database from "libsql";
import { type FamilyName, families } from "../../schema/life.ts";
import { readJson } from "./row-reader.ts";

/** UTC seconds of the sources' clocks, whole; `from` is in it, `until` is not. */
export interface WholeStretch {
  readonly from: number;
  readonly until: number;
}

/** One row of the family's own table, and where it stands in the order of an answer: by CREATED, then key, then ID. */
export interface Place {
  readonly seconds: number;
  readonly created: string;
  readonly key: string;
  readonly id: number;
}

/** In the order of an answer. */
export function isBehind(one: Place, other: Place): boolean {
  if (one.seconds !== other.seconds) return one.seconds > other.seconds;
  if (one.created !== other.created) return one.created > other.created;
  return one.key === other.key ? one.id > other.id : one.key > other.key;
}

const beforeAll: Place = { seconds: Number.MIN_SAFE_INTEGER, created: "", key: "", id: 0 };

/** What of a family has no end yet. The index on the ends of calls is without those that go on; G_CALL_ACTIVE has them. */
const goingOn: Readonly<Record<FamilyName, string>> = {
  call: "TERMINATED_TS IS NULL AND CREATED_TS < ?1 AND CALLID IN (SELECT CALLID FROM G_CALL_ACTIVE)",
  "login session": "TERMINATED_TS IS NULL AND CREATED_TS < ?1",
};

export class SubjectFinder {
  readonly #database: Database.Database;
  readonly #family: FamilyName;
  readonly #root: string;
  readonly #order: string;
  readonly #places: string;

  constructor(database: Database.Database, family: FamilyName) {
    const { root, key } = families[family];
    this.#database = database;
    this.#family = family;
    this.#root = root;
    this.#order = `CREATED_TS, coalesce(CREATED, ''), ${key}, ID`;
    this.#places = `SELECT CAST(json_array(${this.#order}) AS BLOB) FROM ${root}`;
  }

  /** The next `limit` rows created in the stretch, after the given one. */
  created({ from, until }: WholeStretch, after: Place | null, limit: number): Place[] {
    const { seconds, created, key, id } = after ?? beforeAll;
    return this.#ask(
      `WHERE CREATED_TS >= ?1 AND CREATED_TS < ?2 AND (${this.#order}) > (?3, ?4, ?5, ?6)
       ORDER BY ${this.#order} LIMIT ?7`,
      ...[Math.max(from, seconds), until, seconds, created, key, id, limit],
    );
  }

  /** What ended in the stretch. */
  ended({ from, until }: WholeStretch): Place[] {
    return this.#ask(
      `WHERE TERMINATED_TS IS NOT NULL AND TERMINATED_TS >= ?1 AND TERMINATED_TS < ?2 ORDER BY ${this.#order}`,
      ...[from, until],
    );
  }

  /** What was created before the instant and ended at or after it, or goes on. */
  goingOn(at: number): Place[] {
    return this.#ask(
      `WHERE ID IN (SELECT ID FROM ${this.#root} WHERE TERMINATED_TS IS NOT NULL AND TERMINATED_TS >= ?1 AND CREATED_TS < ?1)
          OR (${goingOn[this.#family]})
       ORDER BY ${this.#order}`,
      at,
    );
  }

  /** The rows of those that are there. */
  named(keys: readonly string[]): Place[] {
    const { key } = families[this.#family];
    return this.#ask(`WHERE ${key} IN (SELECT value FROM json_each(?1)) ORDER BY ${this.#order}`, JSON.stringify(keys));
  }

  #ask(tail: string, ...parameters: readonly (string | number)[]): Place[] {
    const rows = this.#database
      .prepare(`${this.#places} ${tail}`)
      .raw()
      .all([...parameters]);
    return (rows as readonly (readonly [Uint8Array])[]).map(([bytes]) => {
      const [seconds, created, key, id] = readJson(bytes, this.#root) as [number, string, string, number];
      return { seconds, created, key, id };
    });
  }
}
