// A value of a list of pairs as text, in whatever column it is stored: attached data, data of user events, agents' reasons.
//
// A number is written as in JSON. A list of pairs within the list becomes a JSON object of its pairs, the keys in order,
// so that two servers that write it otherwise are stored alike (our choice: the reference does not say).

import { keyValues } from "../protocol/tevent/key-values.ts";

// A list in a list is how desktops write a record; deeper than this nobody means it.
const depthMax = 16;

export function valueText(value: unknown): string {
  if (typeof value === "string") return value.toWellFormed();
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? nestedText(value, 1) : String(value);
}

function nestedText(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  if (depth > depthMax) return '"…"';
  const pairs = keyValues(value);
  if (pairs === null) {
    return `[${(value as readonly unknown[]).map((each) => nestedText(each, depth + 1)).join(",")}]`;
  }
  const first = new Map<string, unknown>();
  for (const pair of pairs) if (!first.has(pair.key)) first.set(pair.key, pair.value);
  const written = [...first]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${JSON.stringify(key.toWellFormed())}:${nestedText(each, depth + 1)}`);
  return `{${written.join(",")}}`;
}
