// Deletes what a purge asks for, a bounded transaction at a time, beside the projection.
//
// A purge is a row of ICON_MARK, written when its mark comes in the persistent queue (schema/purge-mark.ts). Its ID S is a
// value of the sequence behind row ids, so it parts what was written before the mark from what came after it, and with the
// day D that it names says which rows go, whenever that is looked at:
//
//   A call goes when each of its rows in G_CALL with ID <= S has ended before D (TERMINATED_TS < D) and was last written
//   before the mark (GSYS_USEQ <= S). With it go those rows and all below them whose ids are <= S. A login session likewise.
//
// 1. A call that is open at the mark is written again when it ends, so GSYS_USEQ > S keeps it, also when it then turns out
//    to have ended before D. What has ended is never written again, but by a link to another site that is told late, and of
//    that the projection lets go with the mark (forgetPurgedLinks in src/projection/inter-site-join.ts). So neither the batches, nor a crash between two of
//    them, nor how far the projection has come meanwhile makes a difference: an IDB made anew ends with the same rows.
// 2. For the same reason nothing is kept of how far it has come: a purge is over when nothing is left that goes.
// 3. Purges are done in the order of their marks. What one leaves behind for good is looked at once a start.
// 4. Which tables there are, and how they hang together, is schema/life.ts. Doubts (ICON_ROW_QUALITY) go with the rows that
//    they are about. The ledger stays: it goes on saying what there was.
// 5. Rows that no call leads to go by their own age: purge-strays.ts.
// 6. Whoever only wants to know what would go has it counted by the same means: purge-count.ts.

import type Database from "libsql";
import { doubtKey, families, type LifeTableName, lives, type TableLife } from "../../schema/life.ts";
import { purgedBefore, purgeKind } from "../../schema/purge-mark.ts";
import { foundCondition } from "./found-by.ts";
import { type Purge, StrayPurge, type Tally } from "./purge-strays.ts";
import { readJson } from "./row-reader.ts";

/** Where in a root table, by end, beginning and id, a purge has come to; only that it need not look there again. */
type Cursor = readonly [until: number, from: number, id: number];

/** What a purge asked for, as ICON_MARK has it. Milliseconds since 1970. */
export interface PurgeMark {
  readonly before: number;
  readonly askedAt: number;
}

export interface PurgeStep {
  /** Rows that were deleted, of all tables. */
  readonly rows: number;
  /** Those of the tables that are nobody's child: calls and login sessions. Rows that no call leads to count as none. */
  readonly roots: number;
  /** Of these, calls. */
  readonly calls: number;
  /** Nothing is left that any purge asks for. */
  readonly isDone: boolean;
}

const tableNames = Object.keys(lives) as readonly LifeTableName[];
const roots: readonly LifeTableName[] = tableNames.filter((table) => lives[table].parent === null);

// About as many rows as a call has, with all that is its.
const straysPerRoot = 20;

const beginning: Cursor = [Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0];

export class SubjectPurge {
  readonly #database: Database.Database;
  readonly #tables: readonly PurgedTable[];
  readonly #strays: StrayPurge;
  /** Not yet over, the oldest first; null: ICON_MARK is to be read. */
  #purges: Purge[] | null = null;
  #furthest: PurgeMark | null = null;
  #root = 0;
  #cursor: Cursor = beginning;
  readonly #tally: Tally | null;

  /** `counted`: nothing is deleted; what this purge would delete is told, table by table. */
  constructor(database: Database.Database, counted?: { readonly purge: Purge; readonly tally: Tally }) {
    this.#database = database;
    this.#tables = tableNames.map((table) => new PurgedTable(database, table));
    this.#tally = counted?.tally ?? null;
    this.#strays = new StrayPurge(database, this.#tally);
    if (counted !== undefined) this.#purges = [counted.purge];
  }

  /** Another purge may have been asked for. */
  look(): void {
    this.#purges = null;
    this.#root = 0;
    this.#cursor = beginning;
    this.#strays.begin();
  }

  /** Nothing is left to be done, as far as is known without asking. */
  get isDone(): boolean {
    return this.#purges?.length === 0;
  }

  /** The one that goes furthest, when it was last looked; null: there is none. */
  get furthest(): PurgeMark | null {
    return this.#furthest;
  }

  /**
   * Deletes so many calls at most, with all that is theirs, or about as many rows that are no call's. In a transaction of
   * the caller's, which `look` follows if it fails.
   */
  step(rootsMax: number): PurgeStep {
    this.#purges ??= this.#read();
    for (;;) {
      const [purge] = this.#purges;
      const table = roots[this.#root];
      if (purge === undefined) return { rows: 0, roots: 0, calls: 0, isDone: true };
      if (table === undefined) {
        const { rows, isDone } = this.#strays.step(purge, rootsMax * straysPerRoot);
        if (isDone) this.#toNextPurge();
        if (isDone && rows === 0) continue;
        return { rows, roots: 0, calls: 0, isDone: this.isDone };
      }
      const found = this.#find(table, purge, rootsMax);
      const keys = this.#keysThatGo(table, purge, [...new Set(found.map(({ key }) => key))]);
      const last = found.at(-1);
      if (last !== undefined && found.length === rootsMax) this.#cursor = last.place;
      else this.#goOn();
      if (keys.length === 0) continue;
      const gone = this.#delete(table, keys, purge.sequence);
      return { ...gone, calls: table === families.call.root ? gone.roots : 0, isDone: this.isDone };
    }
  }

  /** To the next root table; behind the last one come the rows that have no root. */
  #goOn(): void {
    this.#cursor = beginning;
    this.#root += 1;
  }

  #toNextPurge(): void {
    this.#root = 0;
    this.#strays.begin();
    this.#purges?.shift();
  }

  #read(): Purge[] {
    const rows = this.#database
      .prepare(
        `SELECT CAST(json_array(ID, ADDED, DETAIL) AS BLOB) FROM ICON_MARK WHERE KIND = '${purgeKind}' ORDER BY ID`,
      )
      .raw()
      .all() as [Uint8Array][];
    return rows.flatMap(([bytes]) => {
      const [sequence, added, DETAIL] = readJson(bytes, "ICON_MARK") as [number, string, string | null];
      const before = purgedBefore({ KIND: purgeKind, DETAIL });
      if (before === null) return [];
      if (before >= (this.#furthest?.before ?? 0)) this.#furthest = { before, askedAt: Date.parse(added) };
      return [{ sequence, before: Math.floor(before / 1000) }];
    });
  }

  #find(table: LifeTableName, { sequence, before }: Purge, limit: number) {
    const { rowId, key, from, until } = rootColumns(table);
    const order = `${until}, ${from}, ${rowId}`;
    // The index on the end is to be used, and not the rows' ids.
    const rows = this.#database
      .prepare(
        `SELECT CAST(json_array(${order}, ${key}) AS BLOB) FROM "${table}"
         WHERE ${until} IS NOT NULL AND ${until} >= ?1 AND ${until} < ?4 AND (${order}) > (?1, ?2, ?3)
           AND +${rowId} <= ?5 AND GSYS_USEQ <= ?5
         ORDER BY ${order} LIMIT ?6`,
      )
      .raw()
      .all([...this.#cursor, before, sequence, limit]) as [Uint8Array][];
    return rows.map(([bytes]) => {
      const [untilTs, fromTs, id, name] = readJson(bytes, table) as [number, number, number, string];
      return { place: [untilTs, fromTs, id] as Cursor, key: name };
    });
  }

  /** Without those that have a row which stays. */
  #keysThatGo(table: LifeTableName, { sequence, before }: Purge, keys: readonly string[]): readonly string[] {
    if (keys.length === 0) return keys;
    const { rowId, key, until } = rootColumns(table);
    const rows = this.#database
      .prepare(
        `SELECT CAST(json_array(${key}) AS BLOB) FROM "${table}"
         WHERE ${key} IN (SELECT value FROM json_each(?1)) AND ${rowId} <= ?2
           AND NOT coalesce(${until} < ?3 AND GSYS_USEQ <= ?2, 0)`,
      )
      .raw()
      .all([JSON.stringify(keys), sequence, before]) as [Uint8Array][];
    const staying = new Set(rows.map(([bytes]) => (readJson(bytes, table) as [string])[0]));
    return keys.filter((each) => !staying.has(each));
  }

  /** The rows of these keys and all below them. */
  #delete(root: LifeTableName, keys: readonly string[], sequence: number): { rows: number; roots: number } {
    const found = new Map<string, FoundRows>();
    const names = new Set<string>();
    let rows = 0;
    for (const table of this.#tables) {
      const { parent, foundBy } = table.life;
      const above = parent === null ? undefined : found.get(parent.table);
      if (parent === null ? table.name !== root : above === undefined) continue;
      const of =
        parent === null || above === undefined ? keys : above.values(`r.${parent.parentColumn}`, table.life.rowId);
      const near = typeof foundBy === "object" ? found.get(foundBy.behind)?.ids : above?.ids;
      const here = table.find(of, sequence, near);
      found.set(table.name, here);
      this.#tally?.(table.name, here.count);
      rows += this.#tally === null ? table.delete(here, of) : here.count;
      for (const name of here.values(doubtKey(table.name), "ID")) names.add(name);
    }
    return { rows: rows + this.#forgetDoubts(names, sequence), roots: found.get(root)?.ids.length ?? 0 };
  }

  #forgetDoubts(names: ReadonlySet<string>, sequence: number): number {
    const meant = "FROM ICON_ROW_QUALITY WHERE ROW_KEY IN (SELECT value FROM json_each(?1)) AND ID <= ?2";
    const parameters = [JSON.stringify([...names]), sequence];
    if (this.#tally === null) return this.#database.prepare(`DELETE ${meant}`).run(parameters).changes;
    const [count] = this.#database.prepare(`SELECT count(*) ${meant}`).raw().get(parameters) as unknown as [number];
    this.#tally("ICON_ROW_QUALITY", count);
    return count;
  }
}

function rootColumns(table: LifeTableName) {
  const { key, rowId, from, until }: TableLife = lives[table];
  invariantColumns(table, rowId !== null && from !== null && until !== null && key[0] !== undefined);
  return { rowId: `${rowId}`, key: `${key[0]}`, from: `${from}_TS`, until: `${until}_TS` };
}

function invariantColumns(table: string, holds: boolean): void {
  if (!holds)
    throw new Error(`Cannot purge ${table}: expected a key, a row id, a beginning and an end in schema/life.ts`);
}

/** Rows of one table that belong to what goes; those with ids above the purge's own stay. */
class FoundRows {
  /** Of the rows that go; empty where the table has no row ids. */
  readonly ids: readonly number[];
  readonly #columns: readonly string[];
  readonly #go: readonly (readonly unknown[])[];
  readonly #stay: readonly (readonly unknown[])[];

  constructor(columns: readonly string[], rows: readonly (readonly unknown[])[], sequence: number) {
    this.#columns = columns;
    const isGoing = ([id]: readonly unknown[]) => id === null || Number(id) <= sequence;
    this.#go = rows.filter(isGoing);
    this.#stay = rows.filter((row) => !isGoing(row));
    this.ids = this.#go.flatMap(([id]) => (id === null ? [] : [Number(id)]));
  }

  get count(): number {
    return this.#go.length;
  }

  /**
   * What a column of `r` holds in the rows that go. Rows below that have no id of their own cannot be told from those of a row that
   * stays under the same name: then they stay too.
   */
  values(column: string, rowIdBelow: string | null): readonly string[] {
    const place = this.#columns.indexOf(column) + 1;
    if (place === 0) return [];
    const staying = new Set(rowIdBelow === null ? this.#stay.map((row) => row[place]) : []);
    const values = new Set(this.#go.map((row) => row[place]).filter((value) => value !== null && !staying.has(value)));
    return [...values].map(String);
  }
}

class PurgedTable {
  readonly name: LifeTableName;
  readonly life: TableLife;
  readonly #columns: readonly string[];
  readonly #find: Database.Statement;
  readonly #delete: Database.Statement;

  constructor(database: Database.Database, name: LifeTableName) {
    this.name = name;
    const life: TableLife = lives[name];
    this.life = life;
    // Those by which rows below and doubts are found.
    const below = tableNames.flatMap((each) => {
      const { parent }: TableLife = lives[each];
      return parent?.table === name ? [parent.parentColumn] : [];
    });
    this.#columns = [...new Set([...below.map((column) => `r.${column}`), doubtKey(name)])];
    const values = [life.rowId === null ? "NULL" : `r.${life.rowId}`, ...this.#columns];
    const link = life.parent?.column ?? `${life.key[0]}`;
    this.#find = database.prepare(
      `SELECT CAST(json_array(${values.join(", ")}) AS BLOB) FROM "${name}" AS r WHERE ${foundCondition(name, link)}`,
    );
    this.#delete = database.prepare(
      `DELETE FROM "${name}" WHERE ${life.rowId ?? link} IN (SELECT value FROM json_each(?1))`,
    );
  }

  /** `of`: what its rows name as their parent, or are named themselves. `near`: ids that they have, or are written behind. */
  find(of: readonly string[], sequence: number, near: readonly number[] = []): FoundRows {
    const parameters = [JSON.stringify(of), ...(this.life.foundBy === "index" ? [] : [JSON.stringify(near)])];
    const rows = this.#find.raw().all(parameters) as [Uint8Array][];
    return new FoundRows(
      this.#columns,
      rows.map(([bytes]) => readJson(bytes, this.name) as readonly unknown[]),
      sequence,
    );
  }

  /** Returns how many rows there were. */
  delete(found: FoundRows, of: readonly string[]): number {
    if (found.count === 0) return 0;
    return this.#delete.run([JSON.stringify(this.life.rowId === null ? of : found.ids)]).changes;
  }
}
