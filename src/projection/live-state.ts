// The World that the projector steps the machines in: what is open, in memory, with what a batch changed of it. A
// record's step is all or nothing (`step`), and so is a batch (`takeBatch` hands it to one transaction).

import { getTableConfig } from "drizzle-orm/sqlite-core";
import { type RowOf, type TableName, tableNames, tables } from "../../schema/tables.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { isRowStored } from "./configuration.ts";
import { ConnIdIndex, newestCall } from "./conn-id-index.ts";
import { DeadlineQueue } from "./deadline.ts";
import { DnIndex } from "./dn-index.ts";
import { writeLedgerRows } from "./ledger-rows.ts";
import {
  type Entities,
  type EntityKind,
  type ErasedTable,
  type LateChange,
  liveStateVersion,
  type World,
} from "./world.ts";

/** Whole rows by table and key; null: the row is deleted. */
export type RowChanges = Map<TableName, Map<string | number, Record<string, unknown> | null>>;

export interface LiveChange {
  readonly kind: string;
  readonly key: string;
  readonly version: number;
  /** JSON; null: the thing is no longer open. */
  readonly data: string | null;
}

export interface BatchChanges {
  readonly rows: RowChanges;
  readonly live: readonly LiveChange[];
  /** Each call once. */
  readonly late: readonly LateChange[];
  readonly rowSequence: number;
}

type Undo = () => void;

export class LiveState implements World {
  readonly #entities = new Map<EntityKind, Map<string, unknown>>();
  readonly #deadlines = new DeadlineQueue();
  readonly #connIds = new ConnIdIndex();
  readonly #dns = new DnIndex();
  #rows: RowChanges = new Map();
  #dirty = new Map<EntityKind, Set<string>>();
  // Steps of G_TIMECODE written since the start; writing one again is harmless.
  readonly #timecodes = new Set<number>();
  #rowSequence = 0;
  // The step under way: how to take it back, and the rows it wrote so far.
  #undo: Undo[] = [];
  #stepRows: [TableName, string | number, Record<string, unknown> | null][] = [];
  #late = new Map<string, LateChange>();

  /**
   * Puts back what an IDB holds. Throws LiveStateVersionError when another version of the program wrote it,
   * LiveStateDamagedError when it is not what any version wrote.
   */
  restore(stored: Iterable<{ kind: string; key: string; version: number; data: string }>, rowSequence: number): void {
    this.#entities.clear();
    this.#deadlines.clear();
    this.#connIds.clear();
    this.#dns.clear();
    this.#timecodes.clear();
    this.#rows = new Map();
    this.#late = new Map();
    this.#dirty = new Map();
    this.#rowSequence = rowSequence;
    for (const { kind, key, version, data } of stored) {
      if (version !== liveStateVersion) throw new LiveStateVersionError(version);
      this.#set(kind as EntityKind, key, parsed(kind, data));
    }
  }

  /** Runs one record's step; if it throws, nothing of it remains and the error goes on. */
  step(act: (world: World) => void): void {
    const sequenceBefore = this.#rowSequence;
    try {
      act(this);
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      this.#undo = [];
      this.#stepRows = [];
      this.#rowSequence = sequenceBefore;
      throw error;
    }
    for (const [table, key, row] of this.#stepRows) {
      let ofTable = this.#rows.get(table);
      if (ofTable === undefined) {
        ofTable = new Map();
        this.#rows.set(table, ofTable);
      }
      ofTable.set(key, row);
    }
    this.#undo.length = 0;
    this.#stepRows.length = 0;
  }

  /** What all steps since the last batch changed; of what is live that, or all there is, or nothing. */
  takeBatch(which: "changed" | "all" | "none" = "changed"): BatchChanges {
    this.step(writeLedgerRows);
    const live: LiveChange[] = [];
    if (which === "changed") {
      for (const [kind, keys] of this.#dirty) {
        for (const key of keys) live.push(liveChange(kind, key, this.#entities.get(kind)?.get(key)));
      }
    }
    if (which === "all") for (const [kind, key, entity] of this.entries()) live.push(liveChange(kind, key, entity));
    const late = [...this.#late.values()];
    const batch = { rows: this.#rows, live, late, rowSequence: this.#rowSequence };
    this.#rows = new Map();
    this.#late = new Map();
    this.#dirty = new Map();
    return batch;
  }

  /** The last row id given out. */
  get rowSequence(): number {
    return this.#rowSequence;
  }

  /** Everything that is open, as it stands. */
  *entries(): Generator<readonly [kind: string, key: string, entity: unknown], void, undefined> {
    for (const [kind, ofKind] of this.#entities) for (const [key, entity] of ofKind) yield [kind, key, entity];
  }

  count(kind: EntityKind): number {
    return this.#entities.get(kind)?.size ?? 0;
  }

  openParties(): number {
    let parties = 0;
    for (const call of this.#ofKind("call").values()) parties += Object.keys((call as Entities["call"]).parties).length;
    return parties;
  }

  get<K extends EntityKind>(kind: K, key: string): Entities[K] | undefined {
    return this.#entities.get(kind)?.get(key) as Entities[K] | undefined;
  }

  put<K extends EntityKind>(kind: K, key: string, entity: Entities[K]): void {
    const before = this.#ofKind(kind).get(key);
    this.#undo.push(() => this.#set(kind, key, before));
    this.#set(kind, key, entity);
    this.#touch(kind, key);
  }

  remove(kind: EntityKind, key: string): void {
    const before = this.#ofKind(kind).get(key);
    if (before === undefined) return;
    this.#undo.push(() => this.#set(kind, key, before));
    this.#set(kind, key, undefined);
    this.#touch(kind, key);
  }

  all<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[] {
    const entries = [...this.#ofKind(kind)] as [string, Entities[K]][];
    return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  changed<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[] {
    const ofKind = this.#ofKind(kind);
    const changed: (readonly [string, Entities[K]])[] = [];
    for (const key of this.#dirty.get(kind) ?? []) {
      const entity = ofKind.get(key);
      if (entity !== undefined) changed.push([key, entity as Entities[K]]);
    }
    return changed;
  }

  callByConnId(source: string, connId: string): Call | undefined {
    const known = this.#connIds.find(source, connId).map((callId) => this.get("call", callId));
    return newestCall(known.filter((call) => call !== undefined));
  }

  callsOfDn(source: string, dn: string): readonly Call[] {
    return this.#dns
      .find(source, dn)
      .map((callId) => this.get("call", callId))
      .filter((call) => call !== undefined);
  }

  nextRowId(): number {
    this.#rowSequence += 1;
    return this.#rowSequence;
  }

  write<T extends TableName>(table: T, row: RowOf<T>): void {
    const values = row as Record<string, unknown>;
    if (!isRowStored(this, table, values)) return;
    this.#stepRows.push([table, rowKey(table, values), values]);
  }

  refer(timecode: number): void {
    if (this.#timecodes.has(timecode)) return;
    this.#timecodes.add(timecode);
    this.#undo.push(() => this.#timecodes.delete(timecode));
    this.write("G_TIMECODE", { ID: timecode });
  }

  erase(table: ErasedTable, id: number): void {
    this.#stepRows.push([table, id, null]);
  }

  noteLateChange(change: LateChange): void {
    const before = this.#late.get(change.callId);
    this.#undo.push(() => {
      if (before === undefined) this.#late.delete(change.callId);
      else this.#late.set(change.callId, before);
    });
    this.#late.set(change.callId, change);
  }

  schedule(source: string, at: SourceInstant, callId: string): void {
    this.#deadlines.add(source, at, callId);
  }

  takeDue(source: string, now: SourceInstant): readonly string[] {
    const due = this.#deadlines.take(source, now);
    if (due.length === 0) return [];
    this.#undo.push(() => {
      for (const { at, callId } of due) this.#deadlines.add(source, at, callId);
    });
    return due.map(({ callId }) => callId);
  }

  /** Undefined: it is no longer open. */
  #set(kind: EntityKind, key: string, entity: unknown): void {
    const ofKind = this.#ofKind(kind);
    if (kind === "call") {
      const before = ofKind.get(key) as Call | undefined;
      this.#connIds.replace(before, entity as Call | undefined);
      this.#dns.replace(before, entity as Call | undefined);
    }
    if (entity === undefined) ofKind.delete(key);
    else ofKind.set(key, entity);
  }

  #ofKind(kind: EntityKind): Map<string, unknown> {
    let ofKind = this.#entities.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      this.#entities.set(kind, ofKind);
    }
    return ofKind;
  }

  #touch(kind: EntityKind, key: string): void {
    let keys = this.#dirty.get(kind);
    if (keys === undefined) {
      keys = new Set();
      this.#dirty.set(kind, keys);
    }
    keys.add(key);
  }
}

function liveChange(kind: string, key: string, entity: unknown): LiveChange {
  return { kind, key, version: liveStateVersion, data: entity === undefined ? null : JSON.stringify(entity) };
}

/** The live state in the IDB has the shape of another version of this program; it cannot be gone on with. */
export class LiveStateVersionError extends Error {
  override readonly name = "LiveStateVersionError";
  constructor(version: number) {
    super(`Cannot go on from live state of version ${version}: this program reads version ${liveStateVersion}`);
  }
}

/** The live state in the IDB cannot be read; it cannot be gone on with. */
export class LiveStateDamagedError extends Error {
  override readonly name = "LiveStateDamagedError";
}

function parsed(kind: string, data: string): unknown {
  let entity: unknown;
  try {
    entity = JSON.parse(data);
  } catch {
    // Without the parser's own words: they could hold a piece of the data, which is a caller's.
    throw new LiveStateDamagedError(`Cannot go on from live state: an entity of kind "${kind}" is not JSON`);
  }
  if (typeof entity === "object" && entity !== null && !Array.isArray(entity)) return entity;
  throw new LiveStateDamagedError(`Cannot go on from live state: an entity of kind "${kind}" is not an object`);
}

const keyColumns: ReadonlyMap<TableName, readonly string[]> = new Map(
  tableNames.map((name) => {
    const { columns, primaryKeys } = getTableConfig(tables[name]);
    const compound = primaryKeys[0]?.columns.map((column) => column.name);
    return [name, compound ?? columns.filter((column) => column.primary).map((column) => column.name)];
  }),
);

function rowKey(table: TableName, row: Record<string, unknown>): string | number {
  const columns = keyColumns.get(table) ?? [];
  const only = columns.length === 1 ? row[columns[0] ?? ""] : undefined;
  if (typeof only === "number") return only;
  return JSON.stringify(columns.map((column) => row[column]));
}
