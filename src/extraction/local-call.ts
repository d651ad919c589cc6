// Calls whose keys a copy made up, because it met them in the middle of their life, under the keys that another copy has
// for them. Shown by what the source itself calls them: an Asterisk channel, or a connection id while the call lived.

import { type Copy, ownRows, rowsOf, type Subject } from "./copy.ts";

/** The other copy's call that is the same; null: there is none, or it cannot be shown which. Throws CopyError. */
export async function findSameCall(local: Subject, other: Copy): Promise<Subject | null> {
  const names = sourceNames(local);
  const at = createdSeconds(local);
  if (names.size === 0 || at === null) return null;
  const same: Subject[] = [];
  for await (const call of other.subjects("call", { kind: "alive", stretch: { from: at, until: at + 1 } })) {
    if (call.sourceCluster !== local.sourceCluster || call.switchDbid !== local.switchDbid) continue;
    if (!names.isDisjointFrom(sourceNames(call))) same.push(call);
  }
  return same.length === 1 ? (same[0] ?? null) : null;
}

function sourceNames(call: Subject): Set<string> {
  const channels = rowsOf(call, "ICON_PARTY_CHANNEL").map((row) => `channel ${row["UNIQUEID"]}`);
  const connections = ownRows(call).flatMap((row) => (row["CONNID"] == null ? [] : [`connection ${row["CONNID"]}`]));
  return new Set([...channels, ...connections]);
}

/** UTC seconds; null: its row does not tell. */
function createdSeconds(call: Subject): number | null {
  const ms = Date.parse(String(ownRows(call)[0]?.["CREATED"]));
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
