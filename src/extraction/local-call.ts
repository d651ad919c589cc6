// Calls whose keys a copy made up, because it met them in the middle of their life, under the keys that another copy has
// for them. Shown by what the source itself calls them: an Asterisk channel, or a connection id while the call lived.

import type { Copy, WholeCall } from "./copy.ts";

/** The other copy's call that is the same; null: there is none, or it cannot be shown which. Throws CopyError. */
export async function findSameCall(local: WholeCall, other: Copy): Promise<WholeCall | null> {
  const names = sourceNames(local);
  const at = createdSeconds(local);
  if (names.size === 0 || at === null) return null;
  const same: WholeCall[] = [];
  for await (const call of other.calls({ kind: "alive", stretch: { from: at, until: at + 1 } })) {
    if (call.sourceCluster !== local.sourceCluster || call.switchDbid !== local.switchDbid) continue;
    if (!names.isDisjointFrom(sourceNames(call))) same.push(call);
  }
  return same.length === 1 ? (same[0] ?? null) : null;
}

function sourceNames({ rows }: WholeCall): Set<string> {
  const channels = rows.ICON_PARTY_CHANNEL.map(({ UNIQUEID }) => `channel ${UNIQUEID}`);
  const connections = rows.G_CALL.flatMap(({ CONNID }) =>
    CONNID === null || CONNID === undefined ? [] : [`connection ${CONNID}`],
  );
  return new Set([...channels, ...connections]);
}

/** UTC seconds; null: its row does not tell. */
function createdSeconds({ rows }: WholeCall): number | null {
  const ms = Date.parse(String(rows.G_CALL[0]?.["CREATED"]));
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
