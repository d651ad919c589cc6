// The world of the pure machines, in memory: for tests that step machines without a database.

import type { RowOf, TableName } from "../../schema/tables.ts";
import type { SourceInstant } from "../../src/event/instant.ts";
import type { Call } from "../../src/projection/call.ts";
import { isRowStored } from "../../src/projection/configuration.ts";
import { newestCall } from "../../src/projection/conn-id-index.ts";
import { writeLedgerRows } from "../../src/projection/ledger-rows.ts";
import type { Entities, EntityKind, ErasedTable, LateChange, World } from "../../src/projection/world.ts";

/** One row as a machine wrote it, in the order of writing. */
export type Written = { readonly [T in TableName]: { readonly table: T; readonly row: RowOf<T> } }[TableName];

export class MemoryWorld implements World {
  readonly #written: Written[] = [];
  readonly #changed = new Map<EntityKind, Set<string>>();
  readonly late: LateChange[] = [];
  readonly erased: { readonly table: ErasedTable; readonly id: number }[] = [];
  readonly #entities = new Map<EntityKind, Map<string, unknown>>();
  #scheduled: { readonly source: string; readonly at: SourceInstant; readonly callId: string }[] = [];
  #lastRowId = 0;

  /** Every row in the order in which it was written, overwritten ones too; each look ends a batch. */
  get written(): readonly Written[] {
    writeLedgerRows(this);
    this.#changed.clear();
    return this.#written;
  }

  changed<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[] {
    return [...(this.#changed.get(kind) ?? [])].flatMap((key) => {
      const entity = this.get(kind, key);
      return entity === undefined ? [] : [[key, entity] as const];
    });
  }

  count(kind: EntityKind): number {
    return this.#entities.get(kind)?.size ?? 0;
  }

  get<K extends EntityKind>(kind: K, key: string): Entities[K] | undefined {
    return this.#entities.get(kind)?.get(key) as Entities[K] | undefined;
  }

  put<K extends EntityKind>(kind: K, key: string, entity: Entities[K]): void {
    let ofKind = this.#entities.get(kind);
    if (ofKind === undefined) {
      ofKind = new Map();
      this.#entities.set(kind, ofKind);
    }
    // Live state is stored as JSON; what would not survive that must not pass a test either.
    ofKind.set(key, JSON.parse(JSON.stringify(entity)));
    this.#changed.set(kind, (this.#changed.get(kind) ?? new Set()).add(key));
  }

  remove(kind: EntityKind, key: string): void {
    this.#entities.get(kind)?.delete(key);
  }

  callByConnId(source: string, connId: string): Call | undefined {
    const calls = this.all("call").map(([, call]) => call);
    return newestCall(calls.filter((call) => call.source === source && call.connId === connId));
  }

  callsOfDn(source: string, dn: string): readonly Call[] {
    const calls = this.all("call").map(([, call]) => call);
    return calls.filter((call) => call.source === source && Object.values(call.parties).some((each) => each.dn === dn));
  }

  all<K extends EntityKind>(kind: K): readonly (readonly [key: string, entity: Entities[K]])[] {
    const entries = [...(this.#entities.get(kind)?.entries() ?? [])] as [string, Entities[K]][];
    return entries.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  }

  nextRowId(): number {
    this.#lastRowId += 1;
    return this.#lastRowId;
  }

  write<T extends TableName>(table: T, row: RowOf<T>): void {
    if (isRowStored(this, table, row)) this.#written.push({ table, row } as unknown as Written);
  }

  refer(timecode: number): void {
    this.write("G_TIMECODE", { ID: timecode });
  }

  erase(table: ErasedTable, id: number): void {
    this.erased.push({ table, id });
  }

  noteLateChange(change: LateChange): void {
    this.late.push(change);
  }

  schedule(source: string, at: SourceInstant, callId: string): void {
    this.#scheduled.push({ source, at, callId });
  }

  takeDue(source: string, now: SourceInstant): readonly string[] {
    const isDue = (each: { source: string; at: SourceInstant }) => each.source === source && each.at <= now;
    const due = this.#scheduled.filter(isDue).sort((one, other) => one.at - other.at);
    this.#scheduled = this.#scheduled.filter((each) => !isDue(each));
    return due.map((each) => each.callId);
  }
}
