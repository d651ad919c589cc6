// What a purge deletes that no call of this IDB leads to: data and states of user events on a DN without a call, stays in
// virtual queues of a call that stands on another switch, and with role gud alone whatever was attached to calls.
//
//   A row goes by its own age, when its id is <= S, it was last written before the mark (GSYS_USEQ <= S), it was over
//   before D (the last column of its life), and no row with an id <= S has its call. A row that has no times goes when it
//   was last written before a mark of before D.
//
// 1. It is looked at once the calls of the same purge are gone, so a call that is there stays there, and its rows with it.
//    A call that comes after the mark makes no difference, for whoever purges at once does not know it yet.
// 2. Rows are gone through by their ids, so many a transaction. Ids grow with time: those beyond the first mark (of any
//    kind) that is a day younger than D are not looked at. What was written more than a day late goes with a later purge.
// 3. As for calls, all of this follows from what was written up to the mark, whenever it is looked at.

import type Database from "libsql";
import { doubtKey, type LifeTableName, lives, strayTables, type TableLife } from "../../schema/life.ts";
import { readJson } from "./row-reader.ts";

/** One purge as ICON_MARK has it. */
export interface Purge {
  /** ICON_MARK.ID: rows with a greater id were written after it. */
  readonly sequence: number;
  /** UTC seconds. */
  readonly before: number;
}

/** Told instead of rows being deleted. */
export type Tally = (table: LifeTableName | "ICON_ROW_QUALITY", rows: number) => void;

interface Bounds {
  /** Rows with greater ids are younger than D. */
  readonly idMax: number;
  /** What was last written up to here was written before D. */
  readonly oldUntil: number;
}

// Sources may tell a thing later than it was, and their clocks are not ours.
const lateSecondsMax = 24 * 60 * 60;

export class StrayPurge {
  readonly #database: Database.Database;
  readonly #tables: readonly StrayTable[];
  #bounds: Bounds | null = null;
  #table = 0;
  #cursor = Number.MIN_SAFE_INTEGER;
  readonly #tally: Tally | null;

  constructor(database: Database.Database, tally: Tally | null = null) {
    this.#database = database;
    this.#tally = tally;
    this.#tables = strayTables.map((name) => new StrayTable(database, name));
  }

  /** The next step is the first of a purge. */
  begin(): void {
    this.#bounds = null;
    this.#table = 0;
    this.#cursor = Number.MIN_SAFE_INTEGER;
  }

  /** Looks at so many rows at most. */
  step(purge: Purge, rowsMax: number): { readonly rows: number; readonly isDone: boolean } {
    this.#bounds ??= this.#boundsOf(purge);
    let left = rowsMax;
    let rows = 0;
    while (left > 0) {
      const table = this.#tables[this.#table];
      if (table === undefined) return { rows, isDone: true };
      const looked = table.look(purge, this.#bounds, this.#cursor, left);
      rows +=
        this.#tally === null ? table.delete(looked, purge.sequence) : table.tell(looked, purge.sequence, this.#tally);
      const last = looked.at(-1);
      if (last !== undefined && looked.length === left) this.#cursor = last.id;
      else {
        this.#table += 1;
        this.#cursor = Number.MIN_SAFE_INTEGER;
      }
      left -= looked.length;
    }
    return { rows, isDone: false };
  }

  #boundsOf({ sequence, before }: Purge): Bounds {
    const first = (since: number) =>
      this.#mark("SELECT min(ID) FROM ICON_MARK WHERE ID <= ?1 AND ADDED >= ?2", [sequence, isoOf(since)]) ?? sequence;
    const notBefore = first(before);
    return {
      idMax: first(before + lateSecondsMax),
      oldUntil: this.#mark("SELECT max(ID) FROM ICON_MARK WHERE ID < ?1", [notBefore]) ?? Number.MIN_SAFE_INTEGER,
    };
  }

  #mark(sql: string, parameters: readonly unknown[]): number | null {
    const [row] = this.#database
      .prepare(sql)
      .raw()
      .all([...parameters]) as [number | null][];
    return row?.[0] ?? null;
  }
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

interface LookedAt {
  readonly id: number;
  readonly isGoing: boolean;
  /** Its ROW_KEY in ICON_ROW_QUALITY. */
  readonly name: string | null;
}

class StrayTable {
  readonly #name: LifeTableName;
  readonly #look: Database.Statement;
  readonly #delete: Database.Statement;
  readonly #forgetDoubts: Database.Statement;
  readonly #countDoubts: Database.Statement;

  constructor(database: Database.Database, name: LifeTableName) {
    this.#name = name;
    const { rowId, until, parent }: TableLife = lives[name];
    const above = parent === null ? null : lives[parent.table as LifeTableName].rowId;
    if (rowId === null || parent === null || above === null) {
      throw new Error(`Cannot purge ${name}: expected a row id, a parent and its row id in schema/life.ts`);
    }
    const isOld = until === null ? "r.GSYS_USEQ <= ?6" : `r.${until}_TS < ?5 AND ?6 IS NOT NULL`;
    this.#look = database.prepare(
      `SELECT CAST(json_array(r.${rowId}, ${doubtKey(name)},
         coalesce(r.GSYS_USEQ <= ?4 AND ${isOld}, 0) AND NOT EXISTS (
           SELECT 1 FROM "${parent.table}" AS above
           WHERE above.${parent.parentColumn} = r.${parent.column} AND +above.${above} <= ?4)) AS BLOB)
       FROM "${name}" AS r WHERE r.${rowId} > ?1 AND r.${rowId} <= ?2 ORDER BY r.${rowId} LIMIT ?3`,
    );
    this.#delete = database.prepare(`DELETE FROM "${name}" WHERE ${rowId} IN (SELECT value FROM json_each(?1))`);
    const doubts =
      "FROM ICON_ROW_QUALITY WHERE ROW_KEY IN (SELECT value FROM json_each(?1)) AND TABLE_NAME = ?2 AND ID <= ?3";
    this.#forgetDoubts = database.prepare(`DELETE ${doubts}`);
    this.#countDoubts = database.prepare(`SELECT count(*) ${doubts}`);
  }

  look({ sequence, before }: Purge, { idMax, oldUntil }: Bounds, after: number, limit: number): readonly LookedAt[] {
    const rows = this.#look.raw().all([after, idMax, limit, sequence, before, oldUntil]) as [Uint8Array][];
    return rows.map(([bytes]) => {
      const [id, name, isGoing] = readJson(bytes, this.#name) as [number, string | null, number];
      return { id, name, isGoing: isGoing === 1 };
    });
  }

  /** Tells what `delete` would delete, and returns what it would. */
  tell(looked: readonly LookedAt[], sequence: number, tally: Tally): number {
    const going = looked.filter(({ isGoing }) => isGoing);
    if (going.length === 0) return 0;
    const names = going.flatMap(({ name }) => (name === null ? [] : [name]));
    const [doubts] = this.#countDoubts.raw().get([JSON.stringify(names), this.#name, sequence]) as unknown as [number];
    tally(this.#name, going.length);
    tally("ICON_ROW_QUALITY", doubts);
    return going.length + doubts;
  }

  /** Returns how many rows there were, with the doubts about them. */
  delete(looked: readonly LookedAt[], sequence: number): number {
    const going = looked.filter(({ isGoing }) => isGoing);
    if (going.length === 0) return 0;
    const names = going.flatMap(({ name }) => (name === null ? [] : [name]));
    const doubts = this.#forgetDoubts.run([JSON.stringify(names), this.#name, sequence]).changes;
    return doubts + this.#delete.run([JSON.stringify(going.map(({ id }) => id))]).changes;
  }
}
