// What an extraction's book says of stretches of time: which windows of which source are how complete, one row for
// neighbours of which the same is said.

import type { KeptStatements } from "./kept-statements.ts";

export interface StoredWindows {
  readonly cluster: number;
  readonly switchDbid: number;
  readonly from: number;
  readonly until: number;
  readonly state: string;
  readonly agreement: string;
  readonly isProven: boolean;
  readonly causes: readonly string[];
}

type Row = readonly [number, number, number, number, string, string, number, string];

const columns = "SOURCE_CLUSTER, SWITCH_DBID, FROM_TS, UNTIL_TS, STATE, AGREEMENT, IS_PROVEN, CAUSES";

export class ExtractWindows {
  readonly #statements: KeptStatements;

  constructor(statements: KeptStatements) {
    this.#statements = statements;
  }

  /** What was said of the windows before is said no more, in so far as these say it anew. */
  put(windows: readonly StoredWindows[]): void {
    for (const each of windows) {
      this.#cut(each);
      this.#insert(this.#joinedWithNeighbours(each));
    }
  }

  /** By source, then time. */
  all(): StoredWindows[] {
    return this.#select("TRUE ORDER BY 1, 2, 3");
  }

  #cut(given: StoredWindows): void {
    const overlapping = this.#select(
      "SOURCE_CLUSTER = ? AND SWITCH_DBID = ? AND FROM_TS < ? AND UNTIL_TS > ?",
      ...[given.cluster, given.switchDbid, given.until, given.from],
    );
    for (const before of overlapping) {
      this.#delete(before);
      if (before.from < given.from) this.#insert({ ...before, until: given.from });
      if (before.until > given.until) this.#insert({ ...before, from: given.until });
    }
  }

  /** So that a follow, which adds a window at a time, does not have a row for each. Takes away the rows that are part of the answer. */
  #joinedWithNeighbours(given: StoredWindows): StoredWindows {
    const neighbours = this.#select(
      `SOURCE_CLUSTER = ? AND SWITCH_DBID = ? AND (UNTIL_TS = ? OR FROM_TS = ?)
         AND STATE = ? AND AGREEMENT = ? AND IS_PROVEN = ? AND CAUSES = ?`,
      ...[given.cluster, given.switchDbid, given.from, given.until],
      ...[given.state, given.agreement, given.isProven ? 1 : 0, JSON.stringify(given.causes)],
    );
    let joined = given;
    for (const each of neighbours) {
      this.#delete(each);
      joined = { ...joined, from: Math.min(joined.from, each.from), until: Math.max(joined.until, each.until) };
    }
    return joined;
  }

  #select(condition: string, ...values: readonly (string | number)[]): StoredWindows[] {
    const rows = this.#statements.all(`SELECT ${columns} FROM ICON_EXTRACT_WINDOWS WHERE ${condition}`, ...values);
    return rows.map((row) => windowsOf(row as unknown as Row));
  }

  #delete({ cluster, switchDbid, from }: StoredWindows): void {
    this.#statements.run(
      "DELETE FROM ICON_EXTRACT_WINDOWS WHERE SOURCE_CLUSTER = ? AND SWITCH_DBID = ? AND FROM_TS = ?",
      ...[cluster, switchDbid, from],
    );
  }

  #insert(windows: StoredWindows): void {
    this.#statements.run(
      `INSERT INTO ICON_EXTRACT_WINDOWS (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[windows.cluster, windows.switchDbid, windows.from, windows.until, windows.state, windows.agreement],
      ...[windows.isProven ? 1 : 0, JSON.stringify(windows.causes)],
    );
  }
}

function windowsOf(row: Row): StoredWindows {
  const [cluster, switchDbid, from, until, state, agreement, isProven, causes] = row;
  return {
    ...{ cluster, switchDbid, from, until, state, agreement, isProven: isProven === 1 },
    causes: JSON.parse(causes) as string[], // Written above.
  };
}
