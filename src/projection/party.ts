// One party's stay on a call: the states it can go through, and the rows each change writes.
//
// What the transition table does not list changes nothing: a source may say the same thing twice, and after a hole it
// may say something that does not follow.

import { partyChangeTypes, partyStates } from "../../schema/dictionary.ts";
import {
  dnRoles,
  type PartyFacts,
  type PartyGuid,
  type PartyStep,
  type PartyType,
  type Unseen,
} from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { type EventCause, writePartyHistory, writePartyRow } from "./call-rows.ts";
import { hashedKey } from "./key.ts";
import { noteQuality } from "./quality.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

export type PartyState = "queued" | "dialing" | "alerting" | "connected" | "hold";

export interface Party {
  readonly rowId: number;
  readonly partyId: string;
  readonly guid: PartyGuid;
  readonly dn: string;
  readonly type: PartyType;
  readonly role: number;
  readonly state: PartyState;
  readonly since: SourceInstant;
  readonly createdAt: SourceInstant;
  /** Changes so far: the PSEQ of the last history row. */
  readonly changes: number;
}

/** The state in which a step leaves a party that was not there before. */
export const begins: Record<Exclude<PartyStep, Ending>, PartyState> = {
  queued: "queued",
  dialing: "dialing",
  ringing: "alerting",
  established: "connected",
  held: "hold",
  retrieved: "connected",
};

export type Ending = "diverted" | "abandoned" | "released";

/** From a state, by a step, to the next; "gone" ends the party. */
export const goesOn: Record<PartyState, Partial<Record<PartyStep, PartyState | "gone">>> = {
  queued: { ringing: "alerting", established: "connected", diverted: "gone", abandoned: "gone", released: "gone" },
  dialing: { established: "connected", held: "hold", diverted: "gone", abandoned: "gone", released: "gone" },
  alerting: { established: "connected", diverted: "gone", abandoned: "gone", released: "gone" },
  connected: { held: "hold", diverted: "gone", abandoned: "gone", released: "gone" },
  hold: { retrieved: "connected", diverted: "gone", abandoned: "gone", released: "gone" },
};

export function isEnding(step: PartyStep): step is Ending {
  return step === "diverted" || step === "abandoned" || step === "released";
}

export function findParty(call: Call, facts: PartyFacts): Party | undefined {
  // A source may name a party "constructor": what every object inherits is no party.
  if (facts.guid !== null) return Object.hasOwn(call.parties, facts.guid) ? call.parties[facts.guid] : undefined;
  return Object.values(call.parties).find((party) => party.dn === facts.dn);
}

export function beginParty(
  world: World,
  context: StepContext,
  call: Call,
  facts: PartyFacts,
  stay: { readonly state: PartyState; readonly createdAt: SourceInstant; readonly since: SourceInstant },
  cause: EventCause,
): Call {
  const key = facts.guid ?? facts.guidIfNew;
  const guid = key ?? (hashedKey("local party", call.callId, facts.dn, call.stays + 1, stay.createdAt) as PartyGuid);
  const party: Party = {
    rowId: world.nextRowId(),
    // The association changes when a party moves to another call; its guid does not.
    partyId: hashedKey("party", guid, call.callId),
    guid,
    dn: facts.dn,
    type: facts.type,
    role: facts.role ?? dnRoles.unknown,
    changes: 1,
    ...stay,
  };
  const next: Call = {
    ...call,
    partyChanges: call.partyChanges + 1,
    stays: call.stays + 1,
    parties: { ...call.parties, [guid]: party },
  };
  writePartyRow(world, context, next, party, partyStates[party.state], cause, null);
  writePartyHistory(world, context, next, party, {
    change: partyChangeTypes.created,
    state: partyStates[party.state],
    previous: null,
    at: stay.since,
    cause,
  });
  for (const channel of facts.channels) {
    world.write("ICON_PARTY_CHANNEL", { PARTYID: party.partyId, UNIQUEID: channel.uniqueId, CHANNEL: channel.name });
  }
  if (key === null) noteQuality(world, context, "G_PARTY", party.partyId, "key is local", null);
  return next;
}

export function moveParty(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  state: PartyState,
  at: SourceInstant,
  cause: EventCause,
): Call {
  const moved: Party = { ...party, state, since: at, changes: party.changes + 1 };
  const next: Call = {
    ...call,
    partyChanges: call.partyChanges + 1,
    parties: { ...call.parties, [party.guid]: moved },
  };
  writePartyRow(world, context, next, moved, partyStates[state], cause, null, partyStates[party.state]);
  writePartyHistory(world, context, next, moved, {
    change: partyChangeTypes.changed,
    state: partyStates[state],
    previous: partyStates[party.state],
    at,
    cause,
  });
  return next;
}

export function endParty(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  at: SourceInstant,
  cause: EventCause,
): Call {
  const { [party.guid]: _gone, ...parties } = call.parties;
  const ended: Party = { ...party, changes: party.changes + 1 };
  const next: Call = { ...call, partyChanges: call.partyChanges + 1, parties };
  writePartyRow(world, context, next, ended, partyStates.null, cause, at, partyStates[party.state]);
  writePartyHistory(world, context, next, ended, {
    change: partyChangeTypes.terminated,
    state: partyStates.null,
    previous: partyStates[party.state],
    at,
    cause,
  });
  return next;
}

// Nobody saw how it ended: no call control event stands behind the row.
export function endUnseenParty(world: World, context: StepContext, call: Call, party: Party, unseen: Unseen): Call {
  noteQuality(world, context, "G_PARTY", party.partyId, "end not seen", unseen);
  const at = sourceInstant(Math.max(unseen.earliest, party.since));
  return endParty(world, context, call, party, at, { ccEvent: 0, ccCause: null });
}
