// What IDBs say of the calls of a scripted server, and whether those that wrote them heard all of a call's life.

import { query } from "../idb/temporary.ts";
import { type Spell, secondOf } from "./scripted-server.ts";

/** All that a copy says of each call, local numbers left out. */
export function accounts(path: string): Map<string, string> {
  const rows = [
    ...query(
      path,
      "SELECT CALLID, 'call', CREATED, TERMINATED, CONNID, CALLTYPE, CALLANI, CALLDNIS, IRID, PARENTCALLID, MERGECALLID, MERGETYPE, ROOTIRID FROM G_CALL",
    ),
    ...query(path, "SELECT CALLID, 'change', CSEQ, CHANGETYPE, REFID, ADDED FROM G_CALL_HISTORY"),
    ...query(
      path,
      "SELECT c.CALLID, 'ir', i.STATE, i.ROOTCALLID, i.PARENTIRID FROM G_CALL c JOIN G_IR i ON i.IRID = c.IRID",
    ),
    ...query(
      path,
      "SELECT c.CALLID, 'ir change', h.CHANGETYPE, h.REFID, h.ADDED FROM G_CALL c JOIN G_IR_HISTORY h ON h.IRID = c.IRID",
    ),
    ...query(
      path,
      "SELECT CALLID, 'party', PARTYID, PARTYGUID, TYPE, PROLE, STATE, PREVSTATE, ENDPOINTDN, CCEVENT, CREATED, TERMINATED, PARENTPARTYID, PARENTLINKTYPE FROM G_PARTY",
    ),
    ...query(
      path,
      "SELECT p.CALLID, 'party change', h.PARTYID, h.PSEQ, h.CSEQ, h.CHANGETYPE, h.STATE, h.PREVSTATE, h.CCEVENT, h.ADDED FROM G_PARTY p JOIN G_PARTY_HISTORY h ON h.PARTYID = p.PARTYID",
    ),
  ];
  const byCall = Map.groupBy(rows, ([callId]) => String(callId));
  return new Map(
    [...byCall].map(([callId, own]) => [
      callId,
      own
        .map((row) => JSON.stringify(row))
        .toSorted()
        .join("\n"),
    ]),
  );
}

export function lifeOf(path: string, callId: string): { readonly from: number; readonly until: number } {
  const [row = []] = query(path, `SELECT CREATED, TERMINATED FROM G_CALL WHERE CALLID = '${callId}'`);
  const [from = 0, until = 0] = row.map((text) => Date.parse(String(text)) / 1000 - secondOf(0));
  return { from, until };
}

/** By windows, and give or take the words around a cut: each window of the life lies well within a spell of one of them. */
export function isHeardThroughout(
  heard: readonly { readonly spells: readonly Spell[] }[],
  life: { readonly from: number; readonly until: number },
): boolean {
  for (let window = Math.floor(life.from); window <= life.until; window += 1) {
    const isHeard = heard.some(({ spells }) =>
      spells.some(([from, until]) => from <= window - 2 && until >= window + 3),
    );
    if (!isHeard) return false;
  }
  return true;
}
