// What an event says of attached data, as far as the mapping in force stores it: keys chosen, values made text and cut.
//
// A value is stored as text (value-text.ts). Of a key that a list has twice, the first value counts, as for whoever asks a T-Lib list for the key.

import type { AttachedDataMapping, ColumnHistory, ColumnTable, KeyHistory, KeySource } from "../event/attached-data.ts";
import type { TEvent } from "../event/tevent.ts";
import { keyValues } from "../protocol/tevent/key-values.ts";
import { configurationInForce } from "./configuration.ts";
import type { StepContext } from "./source.ts";
import { valueText } from "./value-text.ts";
import type { World } from "./world.ts";

/** What becomes of one key. */
export interface KeyRule {
  readonly public: KeyHistory;
  readonly secure: KeyHistory;
  readonly columns: readonly {
    readonly table: ColumnTable;
    readonly column: string;
    readonly history: ColumnHistory;
  }[];
}

/** A key with its value as it is stored, and whether that is its beginning only. */
export type StoredPair = readonly [key: string, value: string, isCut?: true];

/** Of each source what the event says of it; absent: nothing. */
export interface EventData {
  /** The whole of the call's: what is missing is no longer attached. */
  readonly userdata?: readonly StoredPair[];
  /** The event's own: what is missing says nothing. */
  readonly reasons?: readonly StoredPair[];
  readonly extensions?: readonly StoredPair[];
}

const memberOf = { userdata: "UserData", reasons: "Reasons", extensions: "Extensions" } as const;
const attachedDataChanged = "EventAttachedDataChanged";
// Its data is the event's own, and no call's.
const userEvent = "EventUserEvent";
// VARCHAR(255) in the original [S: Table G_CALL_USERDATA].
export const columnLengthMax = 255;

/** Null: the event says nothing that is stored. */
export function eventData(
  world: World,
  context: StepContext,
  { id }: TEvent,
  members: Readonly<Record<string, unknown>>,
): EventData | null {
  if (!context.source.writesUserData || id === userEvent) return null;
  const mapping = configurationInForce(world)?.attachedData;
  if (mapping == null) return null;
  const data: { -readonly [Source in KeySource]?: StoredPair[] } = {};
  let isAny = false;
  for (const source of rulesOf(mapping).sources) {
    const member = members[memberOf[source]];
    const isEmptied = member == null && source === "userdata" && id === attachedDataChanged;
    if (member == null && !isEmptied) continue;
    const pairs = isEmptied ? [] : keyValues(member);
    if (pairs === null) {
      context.count("attached data that is no list of pairs");
      continue;
    }
    const stored = new Map<string, StoredPair>();
    for (const { key, value } of pairs) {
      if (ruleOf(mapping, source, key) === null) continue;
      if (stored.has(key)) {
        context.count("key of attached data that is there twice");
        continue;
      }
      const text = valueText(value);
      const kept = cut(text, mapping.valueLengthMax);
      stored.set(key, kept === text ? [key, text] : [key, kept, true]);
    }
    data[source] = [...stored.values()];
    isAny = true;
  }
  return isAny ? data : null;
}

interface Rules {
  /** Sources from which anything is stored. */
  readonly sources: readonly KeySource[];
  readonly keys: ReadonlyMap<string, KeyRule>;
  readonly other: KeyRule | null;
}

// A mapping is replaced, never changed; looking it up key by key in its lists would cost more than all the rest.
const known = new WeakMap<AttachedDataMapping, Rules>();

/** Null: nothing of this key is stored. */
export function ruleOf(mapping: AttachedDataMapping, source: KeySource, key: string): KeyRule | null {
  const { keys, other } = rulesOf(mapping);
  const rule = keys.get(`${source}:${key}`);
  if (rule !== undefined) return isIdle(rule) ? null : rule;
  return source === "userdata" ? other : null;
}

function rulesOf(mapping: AttachedDataMapping): Rules {
  const found = known.get(mapping);
  if (found !== undefined) return found;
  const keys = new Map<string, KeyRule>();
  const add = (source: KeySource, name: string, change: (rule: KeyRule) => KeyRule) => {
    const key = `${source}:${name}`;
    keys.set(key, change(keys.get(key) ?? { public: "none", secure: "none", columns: [] }));
  };
  for (const [name, source, history] of mapping.public) add(source, name, (rule) => ({ ...rule, public: history }));
  for (const [name, source, history] of mapping.secure) add(source, name, (rule) => ({ ...rule, secure: history }));
  for (const [name, source, history, table, column] of mapping.columns) {
    add(source, name, (rule) => ({ ...rule, columns: [...rule.columns, { table, column, history }] }));
  }
  const other: KeyRule | null =
    mapping.otherKeys === "none" ? null : { public: mapping.otherKeys, secure: "none", columns: [] };
  const isUsed = (source: KeySource) =>
    (source === "userdata" && other !== null) ||
    [...keys].some(([key, rule]) => key.startsWith(`${source}:`) && !isIdle(rule));
  const rules = { sources: (["userdata", "reasons", "extensions"] as const).filter(isUsed), keys, other };
  known.set(mapping, rules);
  return rules;
}

function isIdle(rule: KeyRule): boolean {
  return rule.public === "none" && rule.secure === "none" && rule.columns.length === 0;
}

/** To so many characters; never through the middle of one. */
export function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  let end = 0;
  let characters = 0;
  for (const character of text) {
    if (characters === lengthMax) return text.slice(0, end);
    characters += 1;
    end += character.length;
  }
  return text;
}
