// The Interaction Database as the projector's shell sees it: how far it has come, what is still open, and one way to
// change anything: `commit`; and `purge`, which deletes what a committed mark asks for.
//
// 1. Rows, live state and applied position are one transaction (BEGIN IMMEDIATE … COMMIT, synchronous=FULL): when
//    `commit` returns they are durable, when it throws none of them has changed.
// 2. This is the only connection that writes or checkpoints the file.
// 3. A failure says what to do: IdbUnavailableError (IdbBusyError) try again, IdbRejectedError the batch holds a row
//    that never fits, IdbDamagedError put the file aside and rebuild. Anything else is a fault of ours.

import { statSync } from "node:fs";
import type Database from "libsql";
import { purgeKind } from "../../schema/purge-mark.ts";
import type { TableName } from "../../schema/tables.ts";
import { IdbDamagedError, IdbRejectedError, idbError } from "./error.ts";
import { type LiveChange, LiveWriter } from "./live-writer.ts";
import type { OpenLock } from "./open-lock.ts";
import { type PurgeMark, type PurgeStep, SubjectPurge } from "./purge-subjects.ts";
import { sizeOf } from "./reading.ts";
import { type RowKey, type RowValues, RowWriter } from "./row-writer.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How far this IDB follows which persistent queue. */
export interface Applied {
  /** Tells this IDB from any other. */
  readonly idbId: string;
  /** Null before the first commit. */
  readonly queueId: string | null;
  /** Salt of the segment that holds `position`. */
  readonly segmentSalt: number | null;
  /** 0: no record was applied. */
  readonly position: bigint;
  /** Last value given out of the sequence behind row ids. */
  readonly rowSeq: number;
  readonly commits: number;
  readonly windowSeconds: number;
}

export interface LiveEntry {
  readonly kind: string;
  readonly key: string;
  /** Version of the data's shape. */
  readonly version: number;
  /** JSON. */
  readonly data: string;
}

/** The version that the window of the call's end gets. */
export interface LateCall {
  readonly callId: string;
  readonly cluster: number;
  readonly switchDbid: number;
  readonly version: number;
}

export interface CommitBatch {
  /** By table and key: the whole row, or null to delete the row with that primary key. */
  readonly rows: ReadonlyMap<TableName, ReadonlyMap<RowKey, RowValues | null>>;
  readonly live: readonly LiveChange[];
  /** Calls that had ended and have other rows now. */
  readonly late?: readonly LateCall[];
  readonly applied: {
    readonly queueId: string;
    readonly segmentSalt: number | null;
    readonly position: bigint;
    readonly rowSeq: number;
  };
}

export interface IdbStatus {
  readonly bytes: number;
  readonly walBytes: number;
  /** Since the IDB was made. */
  readonly commits: number;
  /** By this process. */
  readonly rowsWritten: number;
  readonly position: bigint;
}

export class Idb {
  readonly path: string;
  readonly #inode: number;
  readonly #openLock: OpenLock | null;
  // It never shrinks: nothing of ours gives pages back.
  #bytesSeen = 0;
  readonly #writers = new Map<TableName, RowWriter>();
  #database: Database.Database | null;
  #statements: Statements | null;
  #purge: SubjectPurge | null = null;
  #rowsWritten = 0;
  #commits: number;
  #position: bigint;

  /** Use openIdb. `database` is open, migrated, and from now on this object's own, as is the lock. */
  constructor(path: string, database: Database.Database, openLock: OpenLock | null) {
    this.path = path;
    this.#inode = statSync(path).ino;
    this.#openLock = openLock;
    this.#database = database;
    this.#statements = prepareStatements(database);
    const { commits, position } = this.readApplied();
    this.#commits = commits;
    this.#position = position;
  }

  readApplied(): Applied {
    let row: readonly unknown[] | undefined;
    try {
      row = this.#opened().statements.readApplied.raw().get() as readonly unknown[] | undefined;
    } catch (error) {
      throw idbError(error, `Cannot read the applied position of IDB "${this.path}"`);
    }
    if (row === undefined) {
      throw new IdbDamagedError(
        `Cannot read the applied position of IDB "${this.path}": its row in ICON_APPLIED is gone`,
      );
    }
    const [idbId, queueId, segmentSalt, position, rowSeq, commits, windowSeconds] = row;
    return {
      idbId: this.#text(idbId as Uint8Array),
      queueId: queueId === null ? null : this.#text(queueId as Uint8Array),
      segmentSalt: segmentSalt === null ? null : Number(segmentSalt),
      position: BigInt(String(position)),
      rowSeq: Number(rowSeq),
      commits: Number(commits),
      windowSeconds: Number(windowSeconds),
    };
  }

  /** The applied position as of the last commit, without asking the file. */
  get lastPosition(): bigint {
    return this.#position;
  }

  /** In the order in which the entities first came. Read it to its end before the next commit. */
  *readLive(): Generator<LiveEntry, void, undefined> {
    const { database } = this.#opened();
    try {
      const rows = database
        .prepare(
          "SELECT CAST(KIND AS BLOB), CAST(KEY AS BLOB), VERSION, CAST(DATA AS BLOB) FROM ICON_LIVE ORDER BY rowid",
        )
        .raw();
      for (const row of rows.iterate()) {
        const [kind, key, version, data] = row as [Uint8Array, Uint8Array, number, Uint8Array];
        yield { kind: this.#text(kind), key: this.#text(key), version, data: this.#text(data) };
      }
    } catch (error) {
      throw idbError(error, `Cannot read the live state of IDB "${this.path}"`);
    }
  }

  /**
   * A text that was read as bytes. SQLite's pages have no checksum, so damage inside of a text is found here at the
   * earliest, and libSQL ends the process at a text that is no UTF-8: at each start anew, until somebody looks.
   */
  #text(bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw new IdbDamagedError(`Cannot read IDB "${this.path}": a text in it is not UTF-8`, { cause });
    }
  }

  /** Returns when `commit` would get the lock now. Throws IdbBusyError or IdbUnavailableError otherwise; changes nothing. */
  requireWritable(): void {
    const { statements } = this.#opened();
    try {
      statements.begin.run();
      statements.rollback.run();
    } catch (thrown) {
      this.#rollBack();
      throw idbError(thrown, `Cannot write to IDB "${this.path}"`);
    }
  }

  /** All of the batch in one durable transaction, or nothing of it and an error (see above). */
  commit(batch: CommitBatch): void {
    const { statements } = this.#opened();
    if (!this.isInPlace()) {
      throw new IdbDamagedError(
        `Cannot write to IDB "${this.path}": the file was deleted, replaced or cut short while it was open`,
      );
    }
    let doing = `Cannot write to IDB "${this.path}"`;
    let rowCount = 0;
    try {
      statements.begin.run();
      for (const [table, rows] of batch.rows) {
        doing = `Cannot store rows of ${table}`;
        this.#writer(table).write(rows);
        rowCount += rows.size;
      }
      doing = "Cannot store late changes";
      for (const { callId, cluster, switchDbid, version } of batch.late ?? []) {
        statements.late.run([version, cluster, switchDbid, callId]);
      }
      doing = "Cannot store live state";
      statements.live.write(batch.live);
      doing = "Cannot store the applied position";
      const { queueId, segmentSalt, position, rowSeq } = batch.applied;
      const { changes } = statements.writeApplied.run([queueId, segmentSalt, position, rowSeq]);
      if (changes !== 1) throw new IdbDamagedError(`${doing}: the row of ICON_APPLIED is gone`);
      doing = `Cannot commit to IDB "${this.path}"`;
      statements.commit.run();
    } catch (thrown) {
      this.#rollBack();
      throw this.#named(idbError(thrown, doing), batch);
    }
    this.#rowsWritten += rowCount;
    this.#commits += 1;
    this.#position = batch.applied.position;
    if (asksForPurge(batch)) this.#purge?.look();
  }

  /** False: rows are left that a purge asks for, or nobody has looked. */
  get isPurged(): boolean {
    return this.#purge?.isDone ?? false;
  }

  /** The purge that goes furthest; null: there is none, or nobody has looked. */
  get furthestPurge(): PurgeMark | null {
    return this.#purge?.furthest ?? null;
  }

  /**
   * Deletes what purges ask for, so many calls at most with all that is theirs, in one durable transaction: all of it, or
   * nothing and an error (see above). Beside the projection, at any time between two commits.
   */
  purge(callsMax: number): PurgeStep {
    const { database, statements } = this.#opened();
    if (!this.isInPlace()) {
      throw new IdbDamagedError(`Cannot purge IDB "${this.path}": the file was deleted or replaced while it was open`);
    }
    this.#purge ??= new SubjectPurge(database);
    try {
      statements.begin.run();
      const step = this.#purge.step(callsMax);
      statements.commit.run();
      return step;
    } catch (thrown) {
      this.#purge.look();
      this.#rollBack();
      throw idbError(thrown, `Cannot purge IDB "${this.path}"`);
    }
  }

  /** False when the path no longer leads to the open file (deleted, or another put in its place), or it was cut short. */
  isInPlace(): boolean {
    const file = statSync(this.path, { throwIfNoEntry: false });
    if (file?.ino !== this.#inode || file.size < this.#bytesSeen) return false;
    this.#bytesSeen = file.size;
    return true;
  }

  /** Tells the open file from another one under the same name. */
  get inode(): number {
    return this.#inode;
  }

  /** Size of the file; the WAL itself may be shorter. */
  get walBytes(): number {
    return sizeOf(`${this.path}-wal`);
  }

  status(): IdbStatus {
    return {
      bytes: sizeOf(this.path),
      walBytes: this.walBytes,
      commits: this.#commits,
      rowsWritten: this.#rowsWritten,
      position: this.#position,
    };
  }

  /** Moves the WAL into the database as far as readers allow; true when all of it was and the WAL is empty. */
  checkpoint(): boolean {
    const { database } = this.#opened();
    try {
      const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").raw().get() as readonly unknown[] | undefined;
      return row?.[0] === 0;
    } catch (error) {
      throw idbError(error, `Cannot checkpoint IDB "${this.path}"`);
    }
  }

  /**
   * Moves the WAL into the database as far as that goes without waiting, and empties it when all of it was moved. False:
   * a reader is in the way.
   */
  moveWal(): boolean {
    const { database } = this.#opened();
    try {
      const row = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").raw().get() as readonly unknown[] | undefined;
      const [busy, frames, framesMoved] = row ?? [];
      return busy === 0 && frames === framesMoved && this.checkpoint();
    } catch (error) {
      throw idbError(error, `Cannot checkpoint IDB "${this.path}"`);
    }
  }

  /** Checkpoints and closes. A checkpoint that fails loses nothing: the next opening reads the WAL. */
  close(): void {
    if (this.#database === null) return;
    try {
      this.checkpoint();
    } catch {
      // Said above; whoever closes has nothing to decide.
    }
    this.#database.close();
    this.#openLock?.release();
    // libSQL lets go of the file when its statements are collected; until then an empty -wal and the -shm stand beside
    // it. They harm nobody: SQLite deletes neither when the file was moved, nor checkpoints while another has it open.
    this.#writers.clear();
    this.#purge = null;
    this.#statements = null;
    this.#database = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #opened(): { readonly database: Database.Database; readonly statements: Statements } {
    const [database, statements] = [this.#database, this.#statements];
    if (database === null || statements === null) throw new Error(`Cannot use IDB "${this.path}": it is closed`);
    return { database, statements };
  }

  #writer(table: TableName): RowWriter {
    let writer = this.#writers.get(table);
    if (writer === undefined) {
      writer = new RowWriter(this.#opened().database, table);
      this.#writers.set(table, writer);
    }
    return writer;
  }

  #rollBack(): void {
    const { database, statements } = this.#opened();
    if (!database.inTransaction) return; // BEGIN failed, or SQLite rolled back by itself.
    try {
      statements.rollback.run();
    } catch {
      // The first error tells the story; a transaction that will not end shows at the next BEGIN.
    }
  }

  /** Adds the key of the row to a refusal: rows go many to a statement, so SQLite cannot say which it was. */
  #named(error: unknown, batch: CommitBatch): unknown {
    if (!(error instanceof IdbRejectedError) || error.cause === undefined) return error;
    const { statements } = this.#opened();
    try {
      statements.begin.run();
      for (const [table, rows] of batch.rows) {
        const key = this.#writer(table).firstRefused(rows);
        if (key !== undefined) {
          return new IdbRejectedError(
            `Cannot store row "${key}" of ${table}: ${error.cause instanceof Error ? error.cause.message : ""}`,
            {
              cause: error.cause,
            },
          );
        }
      }
    } catch {
      // Somebody took the lock meanwhile: the error goes without the key.
    } finally {
      this.#rollBack();
    }
    return error;
  }
}

function asksForPurge({ rows }: CommitBatch): boolean {
  for (const row of rows.get("ICON_MARK")?.values() ?? []) if (row?.["KIND"] === purgeKind) return true;
  return false;
}

interface Statements {
  readonly begin: Database.Statement;
  readonly commit: Database.Statement;
  readonly rollback: Database.Statement;
  readonly readApplied: Database.Statement;
  readonly writeApplied: Database.Statement;
  readonly live: LiveWriter;
  readonly late: Database.Statement;
}

function prepareStatements(database: Database.Database): Statements {
  return {
    begin: database.prepare("BEGIN IMMEDIATE"),
    commit: database.prepare("COMMIT"),
    rollback: database.prepare("ROLLBACK"),
    // POSITION as text: positions are 64 bits, a JavaScript number has 53.
    readApplied: database.prepare(
      "SELECT CAST(IDB_ID AS BLOB), CAST(QUEUE_ID AS BLOB), SEGMENT_SALT, CAST(POSITION AS TEXT), ROW_SEQ, COMMITS, WINDOW_SECONDS FROM ICON_APPLIED WHERE ID = 1",
    ),
    writeApplied: database.prepare(
      "UPDATE ICON_APPLIED SET QUEUE_ID = ?, SEGMENT_SALT = ?, POSITION = ?, ROW_SEQ = ?, COMMITS = COMMITS + 1 WHERE ID = 1",
    ),
    live: new LiveWriter(database),
    // A call that a bound ended may have ended in a window without a row; the last one before it is of its life too.
    late: database.prepare(
      `UPDATE ICON_WINDOW SET VERSION = ?1
       WHERE SOURCE_CLUSTER = ?2 AND SWITCH_DBID = ?3 AND VERSION < ?1 AND WINDOW_TS = (
         SELECT WINDOW_TS FROM ICON_WINDOW
         WHERE SOURCE_CLUSTER = ?2 AND SWITCH_DBID = ?3
           AND WINDOW_TS <= (SELECT max(TERMINATED_TS) FROM G_CALL WHERE CALLID = ?4)
         ORDER BY WINDOW_TS DESC LIMIT 1)`,
    ),
  };
}
