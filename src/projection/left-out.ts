// What [filter-data] leaves out. The live state has it all the same, so that the rest is recorded as if nothing were left
// out; only the rows are not written.
//
// Which DN is a queue is known from configuration data only; a party that begins as queued is taken for a stay at one.

import { partyRoles } from "../../schema/dictionary.ts";
import type { ProjectionOptions } from "../event/envelope.ts";
import { partyTypes } from "../event/happening.ts";
import type { Party } from "./party.ts";

/** Its row in G_PARTY. */
export function isPartyStored({ leavesOut }: ProjectionOptions, { role, type }: Party): boolean {
  if (leavesOut === undefined) return true;
  if (role === partyRoles.observer && leavesOut.includes("observer-party")) return false;
  return !(type === partyTypes.external && leavesOut.includes("external-party"));
}

/** Its rows in G_PARTY_HISTORY. */
export function isHistoryStored(options: ProjectionOptions, party: Party): boolean {
  if (options.leavesOut === undefined) return true;
  return isPartyStored(options, party) && !(isQueueStay(party) && options.leavesOut.includes("acd-party-history"));
}

/** Its row in G_PARTY_STAT. */
export function isStatisticStored(options: ProjectionOptions, party: Party): boolean {
  if (party.type !== partyTypes.internal) return false;
  if (options.leavesOut === undefined) return true;
  return isHistoryStored(options, party) && !(isQueueStay(party) && options.leavesOut.includes("acd-party-metrics"));
}

function isQueueStay({ state, totals }: Party): boolean {
  return state === "queued" || totals.queued !== undefined;
}
