// The options of [custom-states]: lists as the original writes them, one text with commas.

import type * as z from "zod/mini";
import { storesNoUserEvents, type UserEventMapping } from "../event/user-events.ts";
import type { customStatesSection } from "./file.ts";
import type { Findings } from "./findings.ts";

// They stand in each mark of a start, and in the head of every segment of the persistent queue.
const lengthMax = 16_384;
// Codes up to it are the original's own.
const codeMin = 200;
const codeMax = 2_147_483_647;

export const keyListExpected = 'a list of "type,key" pairs, such as "char,CUSTOMER_NAME,int,CUSTOMER_PHONE"';
export const stateListExpected = `a list of "code,key" pairs, such as "${codeMin},Research", with codes from ${codeMin} on`;
export const fieldListExpected = 'a list of "type,field,key" triples, such as "char,TOPIC,ResearchTopic"';

export type ListOutcome<T> = T | { readonly wrong: string };

/** The keys of a list of types and keys; everything is stored as text, so the types say nothing. */
export function parseKeyList(text: string): ListOutcome<{ readonly keys: readonly string[] }> {
  const items = parseItems(text, 2);
  if ("wrong" in items) return items;
  const keys = items.groups.map(([, key]) => key ?? "");
  return repeated(keys) ?? { keys };
}

export function parseStateList(text: string): ListOutcome<{ readonly states: readonly (readonly [number, string])[] }> {
  const items = parseItems(text, 2);
  if ("wrong" in items) return items;
  const states = items.groups.map(
    ([code, key]) => [/^\d{1,10}$/.test(code ?? "") ? Number(code) : 0, key ?? ""] as const,
  );
  if (states.some(([code]) => code < codeMin || code > codeMax)) return { wrong: "a code is none" };
  return repeated(states.map(([code]) => String(code))) ?? repeated(states.map(([, key]) => key)) ?? { states };
}

export function parseFieldList(text: string): ListOutcome<{ readonly fields: readonly (readonly [string, string])[] }> {
  const items = parseItems(text, 3);
  if ("wrong" in items) return items;
  const fields = items.groups.map(([, field, key]) => [field ?? "", key ?? ""] as const);
  return repeated(fields.map(([field]) => field)) ?? repeated(fields.map(([, key]) => key)) ?? { fields };
}

function parseItems(text: string, size: number): ListOutcome<{ readonly groups: readonly (readonly string[])[] }> {
  if (text.length > lengthMax) return { wrong: `it has more than ${lengthMax} characters` };
  const items = text.trim() === "" ? [] : text.split(",").map((each) => each.trim());
  if (items.some((each) => each === "" || each.length > 255))
    return { wrong: "an item is empty or longer than 255 characters" };
  if (items.length % size !== 0) return { wrong: `${items.length} items do not go by ${size}` };
  const groups = Array.from({ length: items.length / size }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
  return { groups };
}

function repeated(names: readonly string[]): { readonly wrong: string } | null {
  return new Set(names).size === names.length ? null : { wrong: "an item stands there twice" };
}

/** Null: nothing is stored by it. Keys that stand in more than one list are a problem, as in the original. */
export function userEventMapping(
  values: z.output<typeof customStatesSection>,
  findings: Findings,
): UserEventMapping | null {
  const extensions = values["store-event-extensions"];
  const mapping: UserEventMapping = {
    store: values["store-event-data"],
    eventKeys: values.EventData?.keys ?? [],
    // Only what is on: absent is off, as in marks of versions that did not know it.
    ...(extensions !== "none" && { storeExtensions: extensions }),
    ...(extensions !== "none" && values.EventExtensions && { extensionKeys: values.EventExtensions.keys }),
    globalKeys: values.GlobalData?.keys ?? [],
    states: values.AgentRecordUserTypes?.states ?? [],
    fields: values.AgentUserFields?.fields ?? [],
    callsMax: values["max-party-info"],
  };
  const lists = {
    EventData: mapping.eventKeys,
    GlobalData: mapping.globalKeys,
    AgentUserFields: mapping.fields.map(([, key]) => key),
  };
  const seen = new Map<string, string>();
  for (const [name, keys] of Object.entries(lists)) {
    const other = keys.map((key) => seen.get(key)).find((each) => each !== undefined);
    if (other !== undefined) {
      findings.problem(
        ["custom-states", name],
        `a key of it stands in ${other} too`,
        "each key in one of EventData, GlobalData, AgentUserFields",
      );
    }
    for (const key of keys) seen.set(key, name);
  }
  return storesNoUserEvents(mapping) ? null : mapping;
}
