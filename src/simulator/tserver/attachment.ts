// What changed between two states of a call's attached data, key by key.

import type { Attachment, UserData } from "./switch-event.ts";

/** Keys deleted first, then those added or changed, in their order. A key stands there once in what the centre attaches. */
export function attachmentsFrom(
  before: UserData,
  after: UserData,
  by: Pick<Attachment, "atUs" | "dn" | "thirdPartyDn">,
): Attachment[] {
  const was = new Map(before);
  const is = new Map(after);
  const deleted = [...was.keys()].filter((key) => !is.has(key)).map((key) => ({ ...by, key, value: null }));
  const set = [...is].filter(([key, value]) => !was.has(key) || !Bun.deepEquals(was.get(key), value));
  return [...deleted, ...set.map(([key, value]) => ({ ...by, key, value }))];
}
