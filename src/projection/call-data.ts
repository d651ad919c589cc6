// Attached data of a call: what its events say, compared with what it had, and the rows of the differences.
//
// 1. UserData is the whole of what the call has: a key that is missing was deleted. Reasons and Extensions belong to one
//    event: a key that is missing says nothing.
// 2. Kept of a call is what the mapping stores, cut as it is stored: a change beyond the cut is none here. Up to 1000
//    keys of a call are followed; further ones are left out and counted.
// 3. `all` writes each change. `first` writes the first value. `last` writes, when the call's ending is written, the
//    last value that there was, with the time, party and CSEQ of the change that brought it.
// 4. A row between two changes of parties has the CSEQ of the next one. So what came with a party's end is compared
//    before the party is gone, and all else after the event's own step.

import { userDataChangeTypes } from "../../schema/dictionary.ts";
import { type KeySource, keySources } from "../event/attached-data.ts";
import type { CallId } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { TEvent } from "../event/tevent.ts";
import type { Call } from "./call.ts";
import { type HistoryTable, writeColumnsRow, writeHistoryRow } from "./call-data-rows.ts";
import { configurationInForce } from "./configuration.ts";
import { columnLengthMax, cut, type EventData, type KeyRule, ruleOf, type StoredPair } from "./event-data.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

export interface CallData {
  /** By source and key; null: it was there and is deleted. */
  readonly values: Readonly<Record<string, string | null>>;
  /** Of the keys whose last value is stored in the end: by source and key, the change that brought it. */
  readonly last: Readonly<Record<string, DataChange>>;
  /** Columns that have a value, by table. */
  readonly columns: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Rows so far, by history: the SEQ of the last. */
  readonly rows: { readonly public: number; readonly secure: number };
}

/** One change of one key, as its row tells it. */
export interface DataChange {
  readonly key: string;
  readonly source: KeySource;
  readonly type: (typeof userDataChangeTypes)[keyof typeof userDataChangeTypes];
  /** Null: it is deleted. */
  readonly value: string | null;
  readonly at: SourceInstant;
  /** CSEQ of the next change of a party. */
  readonly callSequence: number;
  readonly by: Author;
}

/** Who changed it, as far as it is told. */
export interface Author {
  readonly partyId: string | null;
  readonly dn: string | null;
}

/** Nobody tells who it was: what a snapshot says has been so for a while. */
export const unknownAuthor: Author = { partyId: null, dn: null };

const keysMax = 1000;
const nothing: CallData = { values: {}, last: {}, columns: {}, rows: { public: 0, secure: 0 } };
const historyTables = {
  public: "G_USERDATA_HISTORY",
  secure: "G_SECURE_USERDATA_HISTORY",
} as const satisfies Record<string, HistoryTable>;

const endings: ReadonlySet<string> = new Set([
  "EventReleased",
  "EventAbandoned",
  "EventDiverted",
  "EventDestinationBusy",
  "EventPartyDeleted",
  "EventCallDeleted",
]);

/** What came with this event is compared before its own step: the step may end the party, or the call. */
export function comesWithAnEnding({ id }: TEvent): boolean {
  return endings.has(id);
}

/** Compares what an event says with what the call had, and writes what is to be stored of the differences. */
export function takeCallData(
  world: World,
  context: StepContext,
  callId: CallId,
  data: EventData,
  { at, by }: { readonly at: SourceInstant; readonly by: (call: Call) => Author },
): void {
  const mapping = configurationInForce(world)?.attachedData;
  const call = world.get("call", callId);
  if (mapping == null) return;
  if (call === undefined) return context.count("attached data of an unknown call");
  const before = world.get("call data", callId) ?? nothing;
  const changes = changesOf(context, before, data, at, call.partyChanges + 1, by(call));
  if (changes.length === 0) return;
  const taking = new Taking(world, context, call, before);
  for (const change of changes) {
    const rule = ruleOf(mapping, change.source, change.key);
    taking.take(change, rule);
  }
  world.put("call data", callId, taking.finish());
}

/** Writes the last values of a call whose ending is written, and forgets what it had. */
export function endCallData(world: World, context: StepContext, call: Call): void {
  const data = world.get("call data", call.callId);
  if (data === undefined) return;
  const mapping = configurationInForce(world)?.attachedData;
  const rows = { ...data.rows };
  for (const change of mapping == null ? [] : Object.values(data.last)) {
    const rule = mapping && ruleOf(mapping, change.source, change.key);
    for (const history of ["public", "secure"] as const) {
      if (rule?.[history] !== "last") continue;
      rows[history] += 1;
      writeHistoryRow(world, context, historyTables[history], call, change, rows[history]);
    }
  }
  world.remove("call data", call.callId);
}

/** Writes what an IDB lacks that has no row of this open call yet; its histories' past is not there. */
export function rewriteCallData(world: World, context: StepContext, call: Call): void {
  const data = world.get("call data", call.callId);
  for (const [table, values] of Object.entries(data?.columns ?? {})) {
    writeColumnsRow(world, context, table, call, values);
  }
}

/**
 * Of EventAttachedDataChanged, the DN that caused it, else the one that the event is of; of the event that began the
 * call, its first party [S: Table G_SECURE_USERDATA_HISTORY].
 */
export function authorOf(event: TEvent, isFirst: boolean): (call: Call) => Author {
  return (call) => {
    const open = Object.values(call.parties);
    if (isFirst) {
      const [first] = open;
      return first === undefined ? { partyId: null, dn: event.thisDn } : { partyId: first.partyId, dn: first.dn };
    }
    const third = event.id === "EventAttachedDataChanged" ? event.thirdPartyDn : null;
    const dn = third ?? event.thisDn;
    if (dn === null) return unknownAuthor;
    const named = third === null ? open.find(({ guid }) => guid === event.partyUuid) : undefined;
    const party = named ?? open.find((each) => each.dn === dn) ?? call.left?.findLast((each) => each.dn === dn);
    return { partyId: party?.partyId ?? null, dn };
  };
}

function changesOf(
  context: StepContext,
  before: CallData,
  data: EventData,
  at: SourceInstant,
  callSequence: number,
  by: Author,
): DataChange[] {
  const changes: DataChange[] = [];
  let keys = Object.keys(before.values).length;
  for (const source of keySources) {
    const pairs: readonly StoredPair[] | undefined = data[source];
    if (pairs === undefined) continue;
    const common = { source, at, callSequence, by };
    if (source === "userdata") {
      const now = new Set(pairs.map(([key]) => key));
      for (const [id, value] of Object.entries(before.values)) {
        const key = keyIn(id, source);
        if (value === null || key === null || now.has(key)) continue;
        changes.push({ key, ...common, type: userDataChangeTypes.deleted, value: null });
      }
    }
    for (const [key, value, isCut] of pairs) {
      const had = Object.hasOwn(before.values, idOf(source, key)) ? before.values[idOf(source, key)] : undefined;
      if (had === value) continue;
      if (had === undefined) {
        if (keys === keysMax) {
          context.count("key of attached data beyond the bound");
          continue;
        }
        keys += 1;
      }
      if (isCut) context.count("value of attached data cut");
      const type = had == null ? userDataChangeTypes.added : userDataChangeTypes.changed;
      changes.push({ key, ...common, type, value });
    }
  }
  return changes;
}

/** The changes of one event, on their way into rows. */
class Taking {
  readonly #world: World;
  readonly #context: StepContext;
  readonly #call: Call;
  readonly #values: Record<string, string | null>;
  readonly #last: Record<string, DataChange>;
  readonly #columns: Record<string, Record<string, string>>;
  readonly #rows: { public: number; secure: number };
  readonly #changedTables = new Set<string>();

  constructor(world: World, context: StepContext, call: Call, before: CallData) {
    this.#world = world;
    this.#context = context;
    this.#call = call;
    this.#values = { ...before.values };
    this.#last = { ...before.last };
    this.#columns = Object.fromEntries(Object.entries(before.columns).map(([table, values]) => [table, { ...values }]));
    this.#rows = { ...before.rows };
  }

  take(change: DataChange, rule: KeyRule | null): void {
    const id = idOf(change.source, change.key);
    const isFirst = !Object.hasOwn(this.#values, id);
    this.#values[id] = change.value;
    // A key that is mapped no longer was deleted, or the mapping changed since: nothing of it is stored.
    if (rule === null) return;
    for (const history of ["public", "secure"] as const) {
      const stored = rule[history];
      if (stored === "last" && change.value !== null) this.#last[id] = change;
      if (stored !== "all" && !(stored === "first" && isFirst)) continue;
      this.#rows[history] += 1;
      const table = historyTables[history];
      writeHistoryRow(this.#world, this.#context, table, this.#call, change, this.#rows[history]);
    }
    if (change.value !== null) this.#fill(rule, change.value);
  }

  #fill(rule: KeyRule, value: string): void {
    for (const { table, column, history } of rule.columns) {
      const columns = this.#columns[table] ?? {};
      if (history === "first" && columns[column] !== undefined) continue;
      // The histories may hold more of it than a column does.
      const kept = cut(value, columnLengthMax);
      if (kept !== value) this.#context.count("column of attached data cut");
      columns[column] = kept;
      this.#columns[table] = columns;
      this.#changedTables.add(table);
    }
  }

  finish(): CallData {
    for (const table of this.#changedTables) {
      writeColumnsRow(this.#world, this.#context, table, this.#call, this.#columns[table] ?? {});
    }
    return { values: this.#values, last: this.#last, columns: this.#columns, rows: this.#rows };
  }
}

// With the source before it, no key is one that every object has, such as "__proto__".
function idOf(source: KeySource, key: string): string {
  return `${source}:${key}`;
}

function keyIn(id: string, source: KeySource): string | null {
  return id.startsWith(`${source}:`) ? id.slice(source.length + 1) : null;
}
