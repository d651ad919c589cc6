// What the counting (src/event/statistics.ts) is told of the live state, and the rows that it ends in.

import { countedLinks } from "../../schema/counted-links.ts";
import { partyTypes } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import {
  type CallTotals,
  callStatistics,
  countChange,
  countStretch,
  type PartyTotals,
  partyStatistics,
} from "../event/statistics.ts";
import type { Call } from "./call.ts";
import { type EventCause, stamps } from "./call-rows.ts";
import { isPartyStored, isStatisticStored } from "./left-out.ts";
import { isInside, type Party, type PartyState } from "./party.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** With the stretch that ends at `at`. */
export function totalsUntil({ totals, state, since }: Party, at: SourceInstant): PartyTotals {
  return countStretch(totals, state, since, at);
}

/** `from` null: it begins; `to` null: it ends. `party` as it was before the change, or with which it began. */
export function countParty(
  call: Call,
  party: Party,
  change: { readonly from: PartyState | null; readonly to: PartyState | null; readonly at: SourceInstant },
  { ccEvent, ccCause }: EventCause,
): CallTotals {
  const isInternal = party.type === partyTypes.internal;
  const linkedBy = countedLinks.get(party.parent?.type) ?? null;
  return countChange(call.totals, party.totals, { ...change, isInternal, ccEvent, ccCause, linkedBy });
}

export function writePartyStatistics(
  world: World,
  context: StepContext,
  party: Party,
  releasingParty: number | null,
): void {
  if (!isStatisticStored(context.source.options, party)) return;
  world.write("G_PARTY_STAT", {
    ID: party.rowId,
    PARTYID: party.partyId,
    ...partyStatistics(party.totals),
    RELEASINGPARTY: context.source.options.storesReleasingParty === true ? releasingParty : null,
    ...stamps(world, context),
  });
}

export function writeCallStatistics(world: World, context: StepContext, call: Call): void {
  const { leavesOut, storesReleasingParty } = context.source.options;
  if (leavesOut?.includes("call-metrics") === true) return;
  world.write("G_CALL_STAT", {
    ID: call.rowId,
    CALLID: call.callId,
    ...callStatistics(call.totals),
    ...stamps(world, context),
    ...(storesReleasingParty === true && {
      GSYS_EXT_VCH1: call.releasedBy?.dn ?? "",
      GSYS_EXT_VCH2: call.releasedBy?.partyId ?? null,
    }),
  });
}

/** Of several stays of that DN the one that is there, else the last. */
export function releaserOf(
  { source: { options } }: StepContext,
  call: Call,
  dn: string,
): NonNullable<Call["releasedBy"]> {
  const open = Object.values(call.parties).filter((party) => party.dn === dn);
  const inside = open.findLast(isInside) ?? call.left?.findLast((party) => party.dn === dn && party.isRebuilt !== true);
  // One whose rows are left out is not named.
  const outside = open.find((party) => !isInside(party) && isPartyStored(options, party));
  const partyId = (inside ?? outside)?.partyId;
  return { dn, ...(partyId !== undefined && { partyId }) };
}
