// One party's stay on a call: the states it can go through, and the rows each change writes.
//
// A party's times do not go back where the source's clock is set back (notSetBack), so that its states add up to its stay.
//
// What the transition table does not list changes nothing: a source may say the same thing twice, and after a hole it
// may say something that does not follow.

import { ccEventCauses, parentLinkTypes, partyChangeTypes, partyStates } from "../../schema/dictionary.ts";
import {
  dnRoles,
  type PartyFacts,
  type PartyGuid,
  type PartyParent,
  type PartyStep,
  type PartyType,
  type Unseen,
} from "../event/happening.ts";
import { notSetBack, type SourceInstant, sourceInstant } from "../event/instant.ts";
import type { PartyTotals } from "../event/statistics.ts";
import { tlibMessages } from "../event/tevent.ts";
import type { Call } from "./call.ts";
import { type EventCause, writePartyHistory, writePartyRow } from "./call-rows.ts";
import { hashedKey } from "./key.ts";
import { isHistoryStored, isPartyStored } from "./left-out.ts";
import { type Doubt, noteQuality, type QualityReason } from "./quality.ts";
import { finishRouting, type Routing } from "./route-result.ts";
import type { StepContext } from "./source.ts";
import { countParty, totalsUntil, writePartyStatistics } from "./statistics.ts";
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
  /** The party that it descends from. Absent: from none, or that is not known. */
  readonly parent?: ParentLink;
  /** Its key was made up here: no other copy has it. */
  readonly isKeyLocal?: true;
  /** The source did not name it when it began. */
  readonly isUnnamed?: true;
  /** What it spent in the states that it has left. */
  readonly totals: PartyTotals;
  /** From where it was transferred here from another switch, and which DN it had there. */
  readonly transferredFrom?: NonNullable<PartyFacts["transferredFrom"]>;
  /** Of a party that came from another call without a name of the source's. */
  readonly cameAs?: CameAs;
  /** It was there before anything was heard of it. */
  readonly isFound?: true;
  /** It is outside of the switch, and rebuilt from what is told inside. */
  readonly isRebuilt?: true;
  /** It stands at a routing point, and where to send the call was asked. */
  readonly route?: Routing;
}

/**
 * The PARTYGUID that a party had on the call that it came from, and keeps. Its PARTYID is made of what this call told of it:
 * a copy that did not hear the other one has the same.
 */
export interface CameAs {
  readonly guid: PartyGuid;
  /** Made up here. */
  readonly isLocal?: true;
}

export function partyGuid({ guid, cameAs }: Pick<Party, "guid" | "cameAs">): PartyGuid {
  return cameAs?.guid ?? guid;
}

/** A PARTYID, of this call or of the one that the party was on before, and its PARENTLINKTYPE. */
export interface ParentLink {
  readonly partyId: string;
  readonly type: (typeof parentLinkTypes)[keyof typeof parentLinkTypes];
}

/** A party that is gone, for those who descend from it. */
export interface LeftParty {
  readonly dn: string;
  readonly guid: PartyGuid;
  readonly partyId: string;
  readonly isKeyLocal?: true;
  readonly isRebuilt?: true;
  /** Whoever rang next was rung instead: the call was redirected or forwarded. What this party descended from. */
  readonly instead?: { readonly parent: ParentLink | null };
  readonly cameAs?: CameAs;
}

// A call goes through a few queues and agents; of those that it left longer ago nobody descends any more.
const leftPartiesMax = 8;

export const parentLinks = {
  queue: parentLinkTypes.answering,
  transfer: parentLinkTypes.transferred,
  conference: parentLinkTypes.conferenced,
} as const;

/** It has events of its own. */
export function isInside({ isRebuilt }: Party): boolean {
  return isRebuilt !== true;
}

export function hasPartyInside(call: Call): boolean {
  for (const guid in call.parties) if (call.parties[guid]?.isRebuilt !== true) return true;
  return false;
}

/** Who is still there comes first: a source may tell the new party's beginning before the old one's end. */
function findParent(call: Call, parent: PartyParent | undefined, isRung: boolean): ParentLink | undefined {
  // Whoever is rung instead of somebody is rung from the same queue.
  if (parent === undefined) return isRung ? (call.left?.at(-1)?.instead?.parent ?? undefined) : undefined;
  const open = Object.values(call.parties).find(
    // A queue may still dial as far as is known: that the call was answered and waits there was missed.
    ({ dn, state }) => dn === parent.dn && (parent.by !== "queue" || state === "queued" || state === "dialing"),
  );
  const found = open ?? call.left?.findLast(({ dn }) => dn === parent.dn);
  return found && { partyId: found.partyId, type: parentLinks[parent.by] };
}

/** The state in which a step leaves a party that was not there before. */
export const begins: Record<Exclude<PartyStep, Ending | "destination busy">, PartyState> = {
  queued: "queued",
  dialing: "dialing",
  ringing: "alerting",
  established: "connected",
  held: "hold",
  retrieved: "connected",
};

export type Ending = "diverted" | "abandoned" | "released";

const endings = { diverted: "gone", abandoned: "gone", released: "gone" } as const;
// Also where its answer was missed (isAnswerMissed).
const answered = { established: "connected", held: "hold", retrieved: "connected" } as const;

/** From a state, by a step, to the next; "gone" ends the party. */
export const goesOn: Record<PartyState, Partial<Record<PartyStep, PartyState | "gone">>> = {
  queued: { ringing: "alerting", ...answered, ...endings },
  // A call that is made for an agent who is not there yet waits for one once it is answered.
  dialing: { queued: "queued", "destination busy": "dialing", ...answered, ...endings },
  alerting: { ...answered, ...endings },
  connected: { held: "hold", ...endings },
  hold: { retrieved: "connected", ...endings },
};

/** Whoever is held or retrieved has answered before: that was missed. Whoever dials may be held without an answer. */
export function isAnswerMissed({ state }: Party, step: PartyStep): boolean {
  if (state === "dialing") return step === "retrieved";
  return (state === "queued" || state === "alerting") && (step === "held" || step === "retrieved");
}

export function isEnding(step: PartyStep): step is Ending {
  return step === "diverted" || step === "abandoned" || step === "released";
}

export function findParty(call: Call, facts: PartyFacts): Party | undefined {
  // A source may name a party "constructor": what every object inherits is no party.
  const { guid, dn } = facts;
  if (guid !== null && Object.hasOwn(call.parties, guid)) return call.parties[guid];
  const isThere = (party: Party) => party.dn === dn && isInside(party);
  // It may be named later than it began; whoever has a name is not another one's.
  return Object.values(call.parties).find((party) => isThere(party) && (guid === null || party.isUnnamed === true));
}

export function beginParty(
  world: World,
  context: StepContext,
  call: Call,
  facts: PartyFacts,
  stay: {
    readonly state: PartyState;
    readonly createdAt: SourceInstant;
    readonly since: SourceInstant;
    readonly isFound?: true;
    readonly isRebuilt?: true;
    readonly cameAs?: CameAs;
  },
  cause: EventCause,
  parent: ParentLink | undefined = findParent(call, facts.parent, stay.state === "alerting" && stay.isFound !== true),
): Call {
  const key = facts.guid ?? facts.guidIfNew;
  const guid = key ?? (hashedKey("local party", call.callId, facts.dn, call.stays + 1, stay.createdAt) as PartyGuid);
  const party: Party = {
    rowId: world.nextRowId(),
    partyId: partyIdOf(call, guid),
    guid,
    dn: facts.dn,
    type: facts.type,
    role: facts.role ?? dnRoles.unknown,
    changes: 1,
    totals: {},
    ...stay,
    ...(parent && { parent }),
    ...(key === null && { isKeyLocal: true }),
    ...(facts.guid === null && { isUnnamed: true }),
    ...(facts.transferredFrom && { transferredFrom: facts.transferredFrom }),
  };
  const next: Call = {
    ...call,
    partyChanges: afterChange(context, call, party),
    stays: call.stays + 1,
    parties: { ...call.parties, [guid]: party },
    latest: latestOf(call, stay.since),
    totals: countParty(call, party, { from: null, to: party.state, at: stay.since }, cause),
  };
  writePartyRow(world, context, next, party, partyStates[party.state], cause, null);
  writePartyHistory(world, context, next, party, {
    change: partyChangeTypes.created,
    state: partyStates[party.state],
    previous: null,
    at: stay.since,
    cause,
  });
  for (const channel of isPartyStored(context.source.options, party) ? facts.channels : []) {
    world.write("ICON_PARTY_CHANNEL", { PARTYID: party.partyId, UNIQUEID: channel.uniqueId, CHANNEL: channel.name });
  }
  if (key === null) noteParty(world, context, party, "key is local", null);
  return next;
}

/** A doubt about a party whose rows are left out is about nothing that is there. */
export function noteParty(
  world: World,
  context: StepContext,
  party: Party,
  reason: QualityReason,
  unseen: Doubt | null,
): void {
  if (!isPartyStored(context.source.options, party)) return;
  noteQuality(world, context, "G_PARTY", party.partyId, reason, unseen);
}

/** CSEQ numbers the rows that are written. */
function afterChange({ source }: StepContext, call: Call, party: Party): number {
  return isHistoryStored(source.options, party) ? call.partyChanges + 1 : call.partyChanges;
}

/** The association changes when a party moves to another call, and when it comes back to one; its guid does not. */
function partyIdOf(call: Call, guid: PartyGuid): string {
  const earlier = call.left?.findLast((each) => each.guid === guid);
  return earlier === undefined
    ? hashedKey("party", guid, call.callId)
    : hashedKey("party", guid, call.callId, earlier.partyId);
}

function latestOf({ latest, createdAt }: Call, at: SourceInstant): SourceInstant {
  return sourceInstant(Math.max(at, latest ?? createdAt));
}

export function moveParty(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  state: PartyState,
  toldAt: SourceInstant,
  cause: EventCause,
): Call {
  const at = notSetBack(party.since, toldAt);
  const moved: Party = { ...party, totals: totalsUntil(party, at), state, since: at, changes: party.changes + 1 };
  const next: Call = {
    ...call,
    partyChanges: afterChange(context, call, moved),
    parties: { ...call.parties, [party.guid]: moved },
    latest: latestOf(call, at),
    totals: countParty(call, party, { from: party.state, to: state, at }, cause),
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
  toldAt: SourceInstant,
  cause: EventCause,
  releasingParty: number | null = null,
): Call {
  const at = notSetBack(party.since, toldAt);
  const { [party.guid]: _gone, ...parties } = call.parties;
  const ended: Party = { ...party, totals: totalsUntil(party, at), changes: party.changes + 1 };
  const { dn, guid, partyId, isKeyLocal, isRebuilt, cameAs, parent } = party;
  // Who calls in may have the number of a DN: he is another one than whoever left there.
  const others = (call.left ?? []).filter((each) => each.dn !== dn || each.isRebuilt !== isRebuilt);
  const left = others.slice(1 - leftPartiesMax);
  left.push({
    ...{ dn, guid, partyId },
    ...(isKeyLocal && { isKeyLocal }),
    ...(isRebuilt && { isRebuilt }),
    ...(cameAs && { cameAs }),
    ...(isRedirected(party, cause) && { instead: { parent: parent ?? null } }),
  });
  const totals = countParty(call, party, { from: party.state, to: null, at }, cause);
  const latest = latestOf(call, at);
  const next: Call = { ...call, partyChanges: afterChange(context, call, ended), parties, left, latest, totals };
  writePartyRow(world, context, next, ended, partyStates.null, cause, at, partyStates[party.state]);
  writePartyHistory(world, context, next, ended, {
    change: partyChangeTypes.terminated,
    state: partyStates.null,
    previous: partyStates[party.state],
    at,
    cause,
  });
  writePartyStatistics(world, context, ended, releasingParty);
  finishRouting(world, context, next, ended, at, cause.ccEvent);
  return next;
}

function isRedirected({ state }: Party, { ccEvent, ccCause }: EventCause): boolean {
  if (state !== "alerting" || (ccEvent !== tlibMessages.EventReleased && ccEvent !== tlibMessages.EventDiverted))
    return false;
  return ccCause === ccEventCauses.redirected || ccCause === ccEventCauses.forwarded;
}

// Nobody saw how it ended: no call control event stands behind the row.
export function endUnseenParty(world: World, context: StepContext, call: Call, party: Party, unseen: Unseen): Call {
  noteParty(world, context, party, "end not seen", unseen);
  const at = sourceInstant(Math.max(unseen.earliest, party.since));
  return endParty(world, context, call, party, at, { ccEvent: 0, ccCause: null });
}
