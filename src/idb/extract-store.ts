// The book of an extraction's output: which calls and login sessions were handed out in which revision, from which copies, and
// how far the output has come with each. For an output that is an IDB file the book is in that file; else it is a file beside.
//
// Whatever an extraction writes is one transaction of this book: after a crash the output has a batch of them whole or not at
// all, and the book says so.

import { closeSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "libsql";
import extractionSql from "../../schema/extraction.sql" with { type: "text" };
import type { FamilyName } from "../../schema/life.ts";
import { extractionViews } from "../../schema/views.ts";
import { idbError } from "./error.ts";
import { ExtractWindows } from "./extract-windows.ts";
import { KeptStatements } from "./kept-statements.ts";
import { inTransaction, migrate, versionKnown } from "./migrate.ts";
import { openReading } from "./reading.ts";
import { syncDirectory } from "./set-aside.ts";
import { books, type StoredSubject, type SubjectName, storedSubject } from "./stored-subject.ts";
import { refreshViews } from "./views.ts";

/** PRAGMA application_id of an extraction's output, "ICOX" in ASCII: an instance must not take it for its IDB. */
const extractApplicationId = 0x49434f58;

/** Raised when an earlier program would misunderstand the output. */
const formatKnown = 2;

export type ExtractKind = "idb" | "ndjson" | "csv";

/** The file is no output of an extraction that this program can go on with. The message says what would be right. */
export class ExtractFileError extends Error {
  override readonly name = "ExtractFileError";
}

export interface SubjectCount {
  readonly verdict: string;
  readonly isProven: boolean;
  readonly copyIds: readonly number[];
  readonly count: number;
}

export interface StoredSource {
  readonly cluster: number;
  readonly switchDbid: number;
  readonly from: number;
  readonly settledUntil: number;
}

export interface OpenExtractStore {
  readonly path: string;
  readonly kind: ExtractKind;
  readonly windowSeconds: number;
  /** Milliseconds since 1970, for ICON_MIGRATION. */
  readonly now: number;
  /** A new file that is thrown away should the process die: nothing is synced before `close`. */
  readonly isBuilding: boolean;
}

export function isExtract(database: Database.Database): boolean {
  return readNumber(database, "PRAGMA application_id") === extractApplicationId;
}

/** Whether a file is an extraction's output, and of which kind; null: it is something else. Changes nothing. */
export function extractKindOf(path: string): ExtractKind | null {
  let reading: ReturnType<typeof openReading>;
  try {
    reading = openReading(path);
  } catch {
    return null;
  }
  try {
    if (!isExtract(reading.database)) return null;
    const row = reading.database.prepare("SELECT KIND FROM ICON_EXTRACT WHERE ID = 1").raw().get() as [string];
    return row[0] as ExtractKind;
  } catch {
    return null;
  } finally {
    reading.close();
  }
}

export class ExtractStore {
  readonly path: string;
  readonly kind: ExtractKind;
  readonly database: Database.Database;
  /** Thrown away should the process die: nothing need be on disk before it is closed. */
  readonly isBuilding: boolean;
  readonly windows: ExtractWindows;
  readonly #statements: KeptStatements;
  #rowSeq: number;

  /** Opens the output that is there, or makes one. Throws ExtractFileError, IdbUnavailableError, IdbDamagedError. */
  static open(options: OpenExtractStore): ExtractStore {
    const { path, kind } = options;
    const isThere = existsSync(path);
    if (isThere && extractKindOf(path) === null) {
      throw new ExtractFileError(
        `Cannot write to "${path}": it is there, and was not made by icon extract; expected another name, or --force`,
      );
    }
    let database: Database.Database | null = null;
    try {
      // The owner's alone from the first byte on: it holds callers' numbers.
      if (!isThere) closeSync(openSync(path, "ax", 0o600));
      database = new Database(path);
      database.exec(
        options.isBuilding
          ? "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536"
          : "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384",
      );
      database.exec("PRAGMA foreign_keys = OFF; PRAGMA trusted_schema = OFF");
      if (!isThere) make(database, options);
      const store = new ExtractStore(path, database, options.isBuilding);
      // One that an earlier version made lacks what views stand on.
      if (store.kind === "idb" && schemaVersionOf(database) === versionKnown) refreshViews(database, extractionViews);
      if (store.kind !== kind) {
        throw new ExtractFileError(`Cannot write ${kind} to "${path}": it is an output of the kind ${store.kind}`);
      }
      if (store.windowSeconds !== options.windowSeconds) {
        throw new ExtractFileError(
          `Cannot go on with "${path}": its windows are of ${store.windowSeconds} s, those of the IDBs of ${options.windowSeconds} s`,
        );
      }
      return store;
    } catch (error) {
      database?.close();
      if (!isThere) deleteStore(path);
      throw idbError(error, `Cannot write to "${path}"`);
    }
  }

  private constructor(path: string, database: Database.Database, isBuilding: boolean) {
    this.path = path;
    this.database = database;
    this.isBuilding = isBuilding;
    this.#statements = new KeptStatements(database);
    this.windows = new ExtractWindows(this.#statements);
    const row = this.#statements.get("SELECT FORMAT, KIND, ROW_SEQ FROM ICON_EXTRACT WHERE ID = 1") as [
      number,
      string,
      number,
    ];
    if (row[0] < formatKnown) {
      throw new ExtractFileError(
        `Cannot go on with "${path}": an earlier version of the program made it (format ${row[0]}, this one writes ` +
          `${formatKnown}); expected another name, or --force to begin anew`,
      );
    }
    if (row[0] > formatKnown) {
      throw new ExtractFileError(
        `Cannot go on with "${path}": its format is ${row[0]} and this program knows formats up to ${formatKnown}; ` +
          "use the program version that made it, or a newer one",
      );
    }
    this.kind = row[1] as ExtractKind;
    this.#rowSeq = row[2];
  }

  get windowSeconds(): number {
    return readNumber(this.database, "SELECT WINDOW_SECONDS FROM ICON_EXTRACT WHERE ID = 1");
  }

  /** All of it or nothing; durable when it returns, but for a file that is being built. */
  transaction(act: () => void): void {
    const before = this.#rowSeq;
    try {
      inTransaction(this.database, () => {
        act();
        this.#statements.run("UPDATE ICON_EXTRACT SET ROW_SEQ = ? WHERE ID = 1", this.#rowSeq);
      });
    } catch (error) {
      this.#rowSeq = before;
      throw idbError(error, `Cannot write to "${this.path}"`);
    }
  }

  /** Of the rising sequence that row ids come from. Only within a transaction. */
  nextId(): number {
    this.#rowSeq += 1;
    return this.#rowSeq;
  }

  subject({ family, key }: SubjectName): StoredSubject | undefined {
    const book = books[family];
    const row = this.#statements.get(`SELECT ${book.columns} FROM ${book.table} WHERE ${book.key} = ?`, key);
    return row === undefined ? undefined : storedSubject(family, row[0] as Uint8Array);
  }

  putSubject(subject: StoredSubject): void {
    const book = books[subject.family];
    this.#statements.run(
      `INSERT OR REPLACE INTO ${book.table} (${book.key}, REVISION, CREATED_TS, ENDED_TS, SOURCE_CLUSTER, SWITCH_DBID,
         VERDICT, IS_PROVEN, REASONS, COPIES, DIGEST, WITHDRAWN) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[subject.key, subject.revision, subject.createdTs, subject.endedTs, subject.sourceCluster, subject.switchDbid],
      ...[subject.verdict, subject.isProven ? 1 : 0, subject.reasons, subject.copies, subject.digest],
      subject.withdrawn,
    );
  }

  /** Whether any is part of the record that was created in the stretch. */
  hasCreated(family: FamilyName, from: number, until: number): boolean {
    const row = this.#statements.get(
      `SELECT 1 FROM ${books[family].table} WHERE CREATED_TS >= ? AND CREATED_TS < ? AND WITHDRAWN IS NULL LIMIT 1`,
      ...[from, until],
    );
    return row !== undefined;
  }

  /** From now on it is noted which calls and login sessions were seen. */
  trackSeen(): void {
    this.database.exec(
      `CREATE TEMP TABLE IF NOT EXISTS SEEN (FAMILY TEXT NOT NULL, SUBJECT_KEY TEXT NOT NULL,
         PRIMARY KEY (FAMILY, SUBJECT_KEY)) WITHOUT ROWID;
       DELETE FROM SEEN`,
    );
  }

  noteSeen({ family, key }: SubjectName): void {
    this.#statements.run("INSERT OR IGNORE INTO SEEN (FAMILY, SUBJECT_KEY) VALUES (?, ?)", family, key);
  }

  /** Those of the record that were created in the stretch and not noted, by key, after the given one; at most `limit`. */
  notSeen(family: FamilyName, from: number, until: number, after: string, limit: number): StoredSubject[] {
    const { table, key, columns } = books[family];
    const rows = this.#statements.all(
      `SELECT ${columns} FROM ${table}
       WHERE CREATED_TS >= ? AND CREATED_TS < ? AND ${key} > ? AND WITHDRAWN IS NULL
         AND ${key} NOT IN (SELECT SUBJECT_KEY FROM SEEN WHERE FAMILY = ?) ORDER BY ${key} LIMIT ?`,
      ...[from, until, after, family, limit],
    ) as [Uint8Array][];
    return rows.map(([bytes]) => storedSubject(family, bytes));
  }

  /** Those of the record created in the stretch, counted by what is said of them. */
  counts(family: FamilyName, from: number, until: number): readonly SubjectCount[] {
    const rows = this.#statements.all(
      `SELECT VERDICT, IS_PROVEN, COPIES, count(*) FROM ${books[family].table}
       WHERE CREATED_TS >= ? AND CREATED_TS < ? AND WITHDRAWN IS NULL GROUP BY 1, 2, 3`,
      ...[from, until],
    ) as [string, number, string, number][];
    return rows.map(([verdict, isProven, copies, count]) => ({
      ...{ verdict, isProven: isProven === 1, count },
      copyIds: JSON.parse(copies) as number[], // Written by putSubject.
    }));
  }

  /** Those of the record created in the stretch of which something is said that is wrong, by creation; at most `limit`. */
  inDoubt(family: FamilyName, from: number, until: number, limit: number): StoredSubject[] {
    const { table, key, columns } = books[family];
    const rows = this.#statements.all(
      `SELECT ${columns} FROM ${table}
       WHERE CREATED_TS >= ? AND CREATED_TS < ? AND REASONS <> '[]' AND WITHDRAWN IS NULL
       ORDER BY CREATED_TS, ${key} LIMIT ?`,
      ...[from, until, limit],
    ) as [Uint8Array][];
    return rows.map(([bytes]) => storedSubject(family, bytes));
  }

  /** How many of the stretch have a reason that is one of these words. */
  countWithReason(family: FamilyName, from: number, until: number, words: readonly string[]): number {
    const row = this.#statements.get(
      `SELECT count(*) FROM ${books[family].table}
       WHERE CREATED_TS >= ? AND CREATED_TS < ? AND REASONS <> '[]' AND WITHDRAWN IS NULL
         AND EXISTS (SELECT 1 FROM json_each(REASONS) AS r, json_each(?) AS w WHERE r.value ->> 'why' = w.value)`,
      ...[from, until, JSON.stringify(words)],
    );
    return Number(row?.[0]);
  }

  countWithdrawn(family: FamilyName, from: number, until: number): number {
    const { table } = books[family];
    const row = this.#statements.get(
      `SELECT count(*) FROM ${table} WHERE CREATED_TS >= ? AND CREATED_TS < ? AND WITHDRAWN IS NOT NULL`,
      ...[from, until],
    );
    return Number(row?.[0]);
  }

  /** The number that rows name a copy by. */
  copyId(identity: { readonly idbId: string; readonly iconDbids: readonly number[] }, name: string): number {
    const known = this.#statements.get("SELECT ID FROM ICON_EXTRACT_COPY WHERE IDB_ID = ?", identity.idbId);
    const dbids = JSON.stringify(identity.iconDbids);
    if (known !== undefined) {
      this.#statements.run(
        "UPDATE ICON_EXTRACT_COPY SET NAME = ?, ICON_DBIDS = ? WHERE ID = ?",
        name,
        dbids,
        known[0] as number,
      );
      return known[0] as number;
    }
    const inserted = this.#statements.get(
      "INSERT INTO ICON_EXTRACT_COPY (IDB_ID, NAME, ICON_DBIDS) VALUES (?, ?, ?) RETURNING ID",
      ...[identity.idbId, name, dbids],
    );
    return Number(inserted?.[0]);
  }

  /** Up to where all changes of an IDB are in this output; null: that was never said. */
  mark(idbId: string): { readonly queueId: string | null; readonly version: number } | null {
    const row = this.#statements.get("SELECT QUEUE_ID, VERSION FROM ICON_EXTRACT_COPY WHERE IDB_ID = ?", idbId);
    if (row === undefined || row[1] === null) return null;
    return { queueId: row[0] as string | null, version: Number(row[1]) };
  }

  putMark(idbId: string, queueId: string | null, version: number): void {
    this.#statements.run(
      "UPDATE ICON_EXTRACT_COPY SET QUEUE_ID = ?, VERSION = ? WHERE IDB_ID = ?",
      queueId,
      version,
      idbId,
    );
  }

  /** Those created in the stretch; default: all. */
  waiting(family: FamilyName, from = Number.MIN_SAFE_INTEGER, until = Number.MAX_SAFE_INTEGER): string[] {
    const rows = this.#statements.all(
      `SELECT CAST(SUBJECT_KEY AS BLOB) FROM ICON_EXTRACT_WAITING WHERE FAMILY = ? AND CREATED_TS >= ? AND CREATED_TS < ?
       ORDER BY CREATED_TS, SUBJECT_KEY`,
      ...[family, from, until],
    ) as [Uint8Array][];
    return rows.map(([bytes]) => new TextDecoder().decode(bytes));
  }

  putWaiting({ family, key }: SubjectName, createdTs: number): void {
    this.#statements.run(
      "INSERT OR REPLACE INTO ICON_EXTRACT_WAITING (FAMILY, SUBJECT_KEY, CREATED_TS) VALUES (?, ?, ?)",
      ...[family, key, createdTs],
    );
  }

  deleteWaiting({ family, key }: SubjectName): void {
    this.#statements.run("DELETE FROM ICON_EXTRACT_WAITING WHERE FAMILY = ? AND SUBJECT_KEY = ?", family, key);
  }

  sources(): StoredSource[] {
    const rows = this.#statements.all(
      "SELECT SOURCE_CLUSTER, SWITCH_DBID, FROM_TS, SETTLED_UNTIL FROM ICON_EXTRACT_SOURCE ORDER BY 1, 2",
    ) as [number, number, number, number][];
    return rows.map(([cluster, switchDbid, from, settledUntil]) => ({ cluster, switchDbid, from, settledUntil }));
  }

  putSource({ cluster, switchDbid, from, settledUntil }: StoredSource): void {
    this.#statements.run(
      "INSERT OR REPLACE INTO ICON_EXTRACT_SOURCE (SOURCE_CLUSTER, SWITCH_DBID, FROM_TS, SETTLED_UNTIL) VALUES (?, ?, ?, ?)",
      ...[cluster, switchDbid, from, settledUntil],
    );
  }

  /** False: this session was handed out just so. Notes that it is handed out now. */
  isSessionNews(session: { readonly DSS_ID: number; readonly ICON_DBID: number }): boolean {
    const { DSS_ID, ICON_DBID } = session;
    const digest = new Bun.CryptoHasher("sha256").update(JSON.stringify(session)).digest("hex").slice(0, 32);
    const known = this.#statements.get(
      "SELECT DIGEST FROM ICON_EXTRACT_SESSION WHERE DSS_ID = ? AND ICON_DBID = ?",
      ...[DSS_ID, ICON_DBID],
    );
    if (known?.[0] === digest) return false;
    this.#statements.run(
      "INSERT OR REPLACE INTO ICON_EXTRACT_SESSION (DSS_ID, ICON_DBID, DIGEST) VALUES (?, ?, ?)",
      ...[DSS_ID, ICON_DBID, digest],
    );
    return true;
  }

  files(): Map<string, number> {
    const rows = this.#statements.all("SELECT NAME, BYTES FROM ICON_EXTRACT_FILE") as [string, number][];
    return new Map(rows);
  }

  putFile(name: string, bytes: number): void {
    this.#statements.run("INSERT OR REPLACE INTO ICON_EXTRACT_FILE (NAME, BYTES) VALUES (?, ?)", name, bytes);
  }

  /** Everything is on disk, in one file, when it returns. */
  close(): void {
    this.#statements.clear();
    try {
      // A reader in the way leaves the WAL beside the file, where SQLite finds it.
      this.database.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE");
    } catch {}
    this.database.close();
    if (!this.isBuilding) return;
    const descriptor = openSync(this.path, "r+");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    syncDirectory(dirname(this.path));
  }
}

/** The file and what belongs to it; none is no error. */
export function deleteStore(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
}

function make(database: Database.Database, { kind, windowSeconds, now }: OpenExtractStore): void {
  if (kind === "idb") {
    migrate(database, 0, now, windowSeconds);
    // Of an instance's making, and what an instance looks for: nobody shall go on writing here.
    database.exec("DROP TABLE ICON_LIVE; DROP TABLE ICON_APPLIED");
  }
  inTransaction(database, () => {
    database.exec(extractionSql);
    database
      .prepare("INSERT INTO ICON_EXTRACT (ID, FORMAT, KIND, WINDOW_SECONDS, ROW_SEQ) VALUES (1, ?, ?, ?, 0)")
      .run([formatKnown, kind, windowSeconds]);
    database.exec(`PRAGMA application_id = ${extractApplicationId}`);
  });
}

function schemaVersionOf(database: Database.Database): number {
  return readNumber(database, "SELECT max(VERSION) FROM ICON_MIGRATION");
}

function readNumber(database: Database.Database, sql: string): number {
  return Number((database.prepare(sql).raw().get() as readonly unknown[] | undefined)?.[0]);
}
