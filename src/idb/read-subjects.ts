// Calls, or login sessions, with all that belongs to them, a page at a time. A page is one read transaction, so a subject's
// rows are of one moment; between pages nothing is held, however slow the reader is.
//
// 1. Rows are found by the indexes on their parents' keys. A table without one is written with the rows of another, in one
//    step and from one rising sequence, so its rows are looked for right behind those.
// 2. A source may give an identifier out twice: then two rows of G_CALL have one CALLID, and are one call here, which
//    comes once, where its earliest row stands that the question asks for.

import type Database from "libsql";
import {
  doubtColumns,
  type FamilyName,
  families,
  type LifeTableName,
  lives,
  type TableLife,
} from "../../schema/life.ts";
import type { Selected } from "../../schema/tables.ts";
import { isBehind, type Place, SubjectFinder } from "./find-subjects.ts";
import { foundCondition } from "./found-by.ts";
import { inReadTransaction, RowReader } from "./row-reader.ts";
import { SessionSources } from "./session-sources.ts";

/** Which: those created in a stretch, ended in it, alive at some time of it, or those named. UTC seconds. */
export type SubjectsQuestion =
  | {
      readonly kind: "created" | "ended" | "alive";
      readonly stretch: { readonly from: number; readonly until: number };
    }
  | { readonly kind: "named"; readonly keys: readonly string[] };

type Rows = readonly Readonly<Record<string, unknown>>[];

export interface IdbSubject {
  readonly family: FamilyName;
  readonly key: string;
  readonly isKeyLocal: boolean;
  readonly sourceCluster: number | null;
  readonly switchDbid: number | null;
  /** Of every table of the family. */
  readonly rows: Readonly<Partial<Record<LifeTableName, Rows>>>;
  readonly quality: readonly Selected<"ICON_ROW_QUALITY">[];
}

// About 4,000 rows: some milliseconds of a read transaction. A day's login session has some hundred.
const perPage: Readonly<Record<FamilyName, number>> = { call: 200, "login session": 10 };

/** A subject and the row of its own table by which it stands where it stands in the answer. */
export interface PlacedSubject {
  readonly place: Place;
  readonly subject: IdbSubject;
}

export interface SubjectsAsked {
  readonly family: FamilyName;
  readonly question: SubjectsQuestion;
  /** Those behind it only; null: from the first. */
  readonly after: Place | null;
}

/**
 * Pages of whole subjects, in the order of CREATED, then key. Ask for the next one when the last was dealt with. Throws
 * IdbDamagedError, IdbUnavailableError.
 */
export function* readSubjects(
  database: Database.Database,
  path: string,
  { family, question, after }: SubjectsAsked,
): Generator<PlacedSubject[]> {
  const ask = <Answer>(act: () => Answer) =>
    inReadTransaction(database, `Cannot read ${family}s of IDB "${path}"`, act);
  const finder = new SubjectFinder(database, family);
  // Where there is nothing to read, not even its statements are made.
  let reader: SubjectReader | undefined;
  const read = (places: readonly Place[]) => {
    if (places.length === 0) return [];
    reader ??= new SubjectReader(database, family);
    return reader.read(places);
  };
  const behind = (places: readonly Place[]) => places.filter((place) => after === null || isBehind(place, after));
  const pagesOf = function* (found: readonly Place[]): Generator<PlacedSubject[]> {
    const places = behind(firstOfEach(found));
    for (let at = 0; at < places.length; at += perPage[family]) {
      yield ask(() => read(places.slice(at, at + perPage[family])));
    }
  };
  if (question.kind === "named") {
    yield* pagesOf(ask(() => finder.named(question.keys)));
    return;
  }
  const stretch = { from: Math.floor(question.stretch.from), until: Math.ceil(question.stretch.until) };
  if (question.kind === "ended") {
    yield* pagesOf(ask(() => finder.ended(stretch)));
    return;
  }
  const goingOn = question.kind === "alive" ? ask(() => finder.goingOn(stretch.from)) : [];
  yield* pagesOf(goingOn);

  const told = new Set(goingOn.map(({ key }) => key));
  const earliest = question.kind === "alive" ? stretch.from : Number.NEGATIVE_INFINITY;
  for (let last = after; ; ) {
    const { places, subjects } = ask(() => {
      const found = finder.created(stretch, last, perPage[family]);
      const page = read(firstOfEach(found.filter(({ key }) => !told.has(key))));
      return {
        places: found,
        subjects: page.filter(({ place, subject }) => firstRowId(subject, earliest) === place.id),
      };
    });
    if (subjects.length > 0) yield subjects;
    last = places.at(-1) ?? null;
    if (places.length < perPage[family]) return;
  }
}

function firstOfEach(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter(({ key }) => !seen.has(key) && seen.add(key));
}

/** ID of the subject's first own row that was created at `earliest` or later, by CREATED and then ID; 0: none. */
function firstRowId({ family, rows }: IdbSubject, earliest: number): number {
  let first: Selected<"G_CALL" | "G_LOGIN_SESSION"> | undefined;
  for (const row of (rows[families[family].root] ?? []) as readonly Selected<"G_CALL" | "G_LOGIN_SESSION">[]) {
    if ((row.CREATED_TS ?? 0) < earliest) continue;
    // Rows come by ID.
    if (first === undefined || (row.CREATED ?? "") < (first.CREATED ?? "")) first = row;
  }
  return first?.ID ?? 0;
}

class SubjectReader {
  readonly #family: FamilyName;
  readonly #tables: readonly LifeTableName[];
  readonly #sources: SessionSources;
  readonly #readers: ReadonlyMap<LifeTableName, RowReader<LifeTableName>>;
  readonly #quality: RowReader<"ICON_ROW_QUALITY">;
  /** Tables whose rows ICON_ROW_QUALITY can name. */
  readonly #doubted: readonly LifeTableName[];

  constructor(database: Database.Database, family: FamilyName) {
    this.#family = family;
    this.#tables = families[family].tables;
    this.#sources = new SessionSources(database);
    this.#readers = new Map(
      this.#tables.map((table) => [table, new RowReader(database, table, tailOf(family, table))]),
    );
    this.#quality = new RowReader(
      database,
      "ICON_ROW_QUALITY",
      "WHERE r.ROW_KEY IN (SELECT value FROM json_each(?1)) ORDER BY r.ID",
    );
    this.#doubted = this.#tables.filter((table) => doubtColumns(table).length > 0);
  }

  /** One subject a place, in the same order; at least one place. */
  read(places: readonly Place[]): PlacedSubject[] {
    const all = new Map<LifeTableName, Rows>();
    for (const table of this.#tables) all.set(table, this.#rowsOf(table, places, all));
    const rowKeys = this.#doubted.flatMap((table) => (all.get(table) ?? []).map((row) => doubtedBy(table, row)));
    const quality = this.#quality.all(JSON.stringify(unique(rowKeys)));
    const doubts = Map.groupBy(quality, ({ ROW_KEY }) => ROW_KEY);
    const byParent = new Map<LifeTableName, Map<unknown, Readonly<Record<string, unknown>>[]>>();
    for (const [table, rows] of all) {
      const { column } = parentOf(this.#family, table);
      byParent.set(
        table,
        Map.groupBy(rows, (row) => row[column]),
      );
    }
    return places.map((place) => ({ place, subject: this.#assemble(place.key, byParent, doubts) }));
  }

  #rowsOf(table: LifeTableName, places: readonly Place[], known: ReadonlyMap<LifeTableName, Rows>): Rows {
    const { parent, foundBy } = lives[table];
    const reader = this.#readers.get(table) as RowReader<LifeTableName>;
    const { parentColumn } = parentOf(this.#family, table);
    const parents: Rows =
      parent === null ? places.map(({ key }) => ({ [parentColumn]: key })) : rowsOf(known, parent.table);
    if (parents.length === 0) return [];
    const keys = JSON.stringify(unique(parents.map((row) => row[parentColumn])));
    if (foundBy === "index") return reader.all(keys);
    if (foundBy === "parent's row") return reader.all(keys, JSON.stringify(parents.map((row) => row["ID"])));
    const { behind } = foundBy;
    const { rowId } = lives[behind as LifeTableName];
    return reader.all(keys, JSON.stringify(rowsOf(known, behind).map((row) => row[rowId ?? ""])));
  }

  #assemble(
    key: string,
    byParent: ReadonlyMap<LifeTableName, ReadonlyMap<unknown, Rows>>,
    doubts: ReadonlyMap<string, readonly Selected<"ICON_ROW_QUALITY">[]>,
  ): IdbSubject {
    const rows = new Map<LifeTableName, Rows>();
    for (const table of this.#tables) {
      const { parent } = lives[table];
      const parents =
        parent === null ? [key] : unique(rowsOf(rows, parent.table).map((row) => row[parent.parentColumn]));
      rows.set(
        table,
        parents.flatMap((each) => byParent.get(table)?.get(each) ?? []),
      );
    }
    const { root } = families[this.#family];
    const rowKeys = this.#doubted.flatMap((table) => rowsOf(rows, table).map((row) => doubtedBy(table, row)));
    const quality = unique([key, ...rowKeys]).flatMap((each) => doubts.get(each) ?? []);
    const session = rowsOf(rows, root).at(-1)?.["GSYS_DOMAIN"];
    const source = this.#sources.of(typeof session === "number" ? session : null);
    return {
      family: this.#family,
      key,
      isKeyLocal: quality.some(({ TABLE_NAME, REASON }) => TABLE_NAME === root && REASON === "key is local"),
      sourceCluster: source?.sourceCluster ?? null,
      switchDbid: source?.switchDbid ?? null,
      rows: Object.fromEntries(rows),
      quality: quality.toSorted((one, other) => one.ID - other.ID),
    };
  }
}

function rowsOf(rows: ReadonlyMap<LifeTableName, Rows>, table: string): Rows {
  return rows.get(table as LifeTableName) ?? [];
}

function doubtedBy(table: LifeTableName, row: Readonly<Record<string, unknown>>): string {
  return doubtColumns(table)
    .map((column) => String(row[column]))
    .join("/");
}

/** The subject itself is asked for as if it had a parent. */
function parentOf(
  family: FamilyName,
  table: LifeTableName,
): { readonly column: string; readonly parentColumn: string } {
  const { key } = families[family];
  return lives[table].parent ?? { column: key, parentColumn: key };
}

function tailOf(family: FamilyName, table: LifeTableName): string {
  const { rowId, key }: TableLife = lives[table];
  const order = rowId === null ? key.map((column) => `r.${column}`).join(", ") : `r.${rowId}`;
  return `WHERE ${foundCondition(table, parentOf(family, table).column)} ORDER BY ${order}`;
}

function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}
