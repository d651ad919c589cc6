// What extraction, availability and comparison know of an IDB, wherever it lies: a file of this host (idb-copy.ts) or an
// instance's HTTP address (http-copy.ts). A copy is only ever read, in questions of bounded size.
//
// Ledger first, calls afterwards: an instance goes on writing, so what is read later has at least what the ledger vouched
// for. What has changed since is told by the ledger's next version.

import { type FamilyName, families, type LifeTableName } from "../../schema/life.ts";
import type { Selected } from "../../schema/tables.ts";
import { instantMsMax } from "../event/instant.ts";
import type { SessionRow } from "../idb/read-ledger.ts";

export interface CopyIdentity {
  /** ICON_APPLIED.IDB_ID */
  readonly idbId: string;
  /** Id of the persistent queue that versions count in; null: nothing was committed yet. */
  readonly queueId: string | null;
  /** Queue position up to which rows are there. A change of queueId makes it begin anew. */
  readonly version: number;
  readonly schemaVersion: number;
  readonly windowSeconds: number;
  /** DBIDs of the instances that wrote it, the newest last. */
  readonly iconDbids: readonly number[];
}

/** By the sources' clocks, UTC seconds; `from` is in it, `until` is not. */
export interface Stretch {
  readonly from: number;
  readonly until: number;
}

/** As far as TIMESTAMP columns reach. */
export const allTime: Stretch = { from: 0, until: Math.floor(instantMsMax / 1000) };

export interface LedgerQuestion {
  readonly stretch: Stretch;
  /** Of windows only what changed after this version; the other tables always whole. Null: all. */
  readonly changedAfter: number | null;
}

/** Rows as they stand. Sessions, spans and marks reach as far beyond the stretch as it takes to judge its ends. */
export interface Ledger {
  readonly identity: CopyIdentity;
  readonly windows: readonly Selected<"ICON_WINDOW">[];
  readonly spans: readonly Selected<"ICON_COVERAGE">[];
  /** Each once, from the first of its providers' tables, with its row of ICON_DSS. */
  readonly sessions: readonly SessionRow[];
  readonly marks: readonly Selected<"ICON_MARK">[];
}

export type { SessionRow };

/** Which calls, or login sessions. */
export type SubjectsQuestion =
  /** Created in the stretch, ended in it, or alive at some time of it. */
  | { readonly kind: "created" | "ended" | "alive"; readonly stretch: Stretch }
  | { readonly kind: "named"; readonly keys: readonly string[] };

export type Row = Readonly<Record<string, unknown>>;

/** One call, or one login session, with all that belongs to it, as one copy has it. */
export interface Subject {
  readonly family: FamilyName;
  /** CALLID or LOGINSESSIONID. */
  readonly key: string;
  /** Its keys were made here: no other copy knows it under them. */
  readonly isKeyLocal: boolean;
  /** ICON_DSS of GSYS_DOMAIN: of which source it is. Null: the session's row is not here any more. */
  readonly sourceCluster: number | null;
  readonly switchDbid: number | null;
  /** Of every table of its family. */
  readonly rows: Readonly<Partial<Record<LifeTableName, readonly Row[]>>>;
  /** Doubts about any of its rows. */
  readonly quality: readonly Selected<"ICON_ROW_QUALITY">[];
}

/** Of a table that is not of its family: none. */
export function rowsOf({ rows }: Subject, table: LifeTableName): readonly Row[] {
  return rows[table] ?? [];
}

/** Its rows in the table that is its family's own; more than one: the source gave its key out twice. */
export function ownRows(subject: Subject): readonly Row[] {
  return rowsOf(subject, families[subject.family].root);
}

export interface Copy extends AsyncDisposable {
  /** As whoever asks named it: a path or an address, without secrets. */
  readonly name: string;
  /** Throws CopyError when it cannot be read now, or is not one that this program can read. */
  identity(): Promise<CopyIdentity>;
  ledger(question: LedgerQuestion): Promise<Ledger>;
  /** By CREATED, then key. Breaking off the loop ends the reading. */
  subjects(family: FamilyName, question: SubjectsQuestion): AsyncIterable<Subject>;
}

/** A copy cannot be read: it is away, damaged, of another program, or refuses. The message says what to do. */
export class CopyError extends Error {
  override readonly name = "CopyError";
  constructor(
    /** "passing": another try may succeed. */
    readonly kind: "passing" | "lasting",
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
