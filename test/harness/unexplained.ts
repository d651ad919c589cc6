// Whether an IDB says itself why its calls are other than a simulated T-Server's truth has them: by marked rows, or by the
// stretches in which its data source sessions heard nothing.

import { openReading } from "../../src/idb/reading.ts";
import { type Comparison, readDoubtfulKeys, type readIdbCalls, readOracle } from "./oracle.ts";

type RealCall = ReturnType<typeof readOracle>[number];

/** Differences from the truth that neither a marked row nor a stretch between two sessions accounts for. */
export function unexplained(
  { idbPath, truthPath }: { readonly idbPath: string; readonly truthPath: string },
  calls: ReturnType<typeof readIdbCalls>,
  truth: Comparison,
): readonly string[] {
  const doubtful = readDoubtfulKeys(idbPath);
  const unheard = unheardStretches(idbPath);
  const real = new Map(readOracle(truthPath).map((call) => [call.connId, call]));
  const recorded = new Map(calls.map((call) => [call.connId, call]));
  // The session rows have whole milliseconds, cut off.
  const isUnheard = (from: number, to: number | null) =>
    unheard.some((stretch) => stretch.from <= Math.floor(from) && to !== null && Math.floor(to) <= stretch.to);
  const isUnexplainedOutside = (number: string, call: (typeof calls)[number], realCall: RealCall) => {
    const party = call.outside.find(({ dn }) => dn === number);
    if (party !== undefined) return !doubtful.has(party.partyId) && !doubtful.has(call.callId);
    // Nobody told that he came, or went: he came, or whoever could have told, while nobody listened.
    const from = realCall.outside.find(({ dn }) => dn === number)?.states[0]?.from;
    return from === undefined || !isUnheard(from, from);
  };
  return truth.differences.filter((difference) => {
    const [, connId = "", guid] =
      /^call (\w+): (?:party (\S+?)(?::| is missing| was never there))?/.exec(difference) ?? [];
    const call = recorded.get(connId);
    const realCall = real.get(connId);
    if (realCall === undefined) return true;
    const [, number] = /^call \w+: outside (\S+?)(?::| is missing| was never there)/.exec(difference) ?? [];
    if (number !== undefined && call !== undefined) return isUnexplainedOutside(number, call, realCall);
    // It began and ended while nobody listened.
    if (call === undefined) return !isUnheard(realCall.createdAt, realCall.endedAt);
    const realParent = realCall.parties.find((each) => each.partyUuid === guid)?.parent;
    if (realParent != null && /PARENT(PARTYID|LINKTYPE)/.test(difference)) {
      // Whom it descends from was not seen, or not from its beginning.
      const parties = recorded.get(realParent.connId)?.parties ?? [];
      const parent = parties.find((each) => each.guid === realParent.partyUuid);
      if (parent === undefined || doubtful.has(parent.partyId)) return false;
    }
    const party = call.parties.find((each) => each.guid === guid);
    if (party !== undefined) return !doubtful.has(party.partyId) && !doubtful.has(call.callId);
    if (guid === undefined) return !doubtful.has(call.callId);
    const realParty = realCall.parties.find((each) => each.partyUuid === guid);
    return realParty === undefined || !isUnheard(realParty.states[0]?.from ?? 0, realParty.endedAt);
  });
}

/**
 * From what was last heard in one data source session to what was first heard in the next, or to its end where only its
 * snapshot told anything; milliseconds.
 */
export function unheardStretches(idbPath: string): { readonly from: number; readonly to: number }[] {
  const reading = openReading(idbPath);
  const sessions = reading.database
    .prepare("SELECT FEVENT_DSTIME, LEVENT_DSTIME, DSCONN_ETIME FROM G_DSS_GCC_PROVIDER ORDER BY DSS_ID")
    .all() as { FEVENT_DSTIME: string | null; LEVENT_DSTIME: string | null; DSCONN_ETIME: string }[];
  reading.close();
  const stretches: { from: number; to: number }[] = [];
  let heardUntil: string | null = null;
  for (const { FEVENT_DSTIME, LEVENT_DSTIME, DSCONN_ETIME } of sessions) {
    if (heardUntil !== null)
      stretches.push({ from: Date.parse(heardUntil), to: Date.parse(FEVENT_DSTIME ?? DSCONN_ETIME) });
    heardUntil = LEVENT_DSTIME ?? heardUntil;
  }
  return stretches;
}
