// What an event of the T-Event link says of calls, their parties, and stays in virtual queues: which call is meant, and
// what happened to it.

import { ccEventCauses, partyRoles } from "../../schema/dictionary.ts";
import {
  type CallFacts,
  type CallId,
  type CallType,
  callTypes,
  type Happening,
  type PartyFacts,
  type PartyGuid,
  type PartyParent,
  type PartyStep,
  partyTypes,
} from "../event/happening.ts";
import { type TEvent, tlibMessages } from "../event/tevent.ts";
import { hashedKey } from "./key.ts";
import { isInside } from "./party.ts";
import { aliasKey, type SourceState, type StepContext } from "./source.ts";
import { routingOf } from "./tevent-routing.ts";
import { isVirtualQueue, virtualStay } from "./tevent-virtual-queue.ts";
import type { World } from "./world.ts";

const steps: Readonly<Record<string, { readonly step: PartyStep; readonly ccEvent: number }>> = {
  EventQueued: { step: "queued", ccEvent: tlibMessages.EventQueued },
  EventDialing: { step: "dialing", ccEvent: tlibMessages.EventDialing },
  EventRinging: { step: "ringing", ccEvent: tlibMessages.EventRinging },
  EventDestinationBusy: { step: "destination busy", ccEvent: tlibMessages.EventDestinationBusy },
  EventEstablished: { step: "established", ccEvent: tlibMessages.EventEstablished },
  EventHeld: { step: "held", ccEvent: tlibMessages.EventHeld },
  EventRetrieved: { step: "retrieved", ccEvent: tlibMessages.EventRetrieved },
  EventDiverted: { step: "diverted", ccEvent: tlibMessages.EventDiverted },
  EventAbandoned: { step: "abandoned", ccEvent: tlibMessages.EventAbandoned },
  EventReleased: { step: "released", ccEvent: tlibMessages.EventReleased },
};

export function happeningsOf(
  world: World,
  context: StepContext,
  event: TEvent,
  userData: unknown,
): readonly Happening[] {
  const call = callFacts(world, context, event);
  if (call === null) return [];
  switch (event.id) {
    case "EventCallCreated":
      return [{ kind: "call created", at: event.at, call }];
    case "EventCallDeleted":
      return [
        {
          kind: "call deleted",
          at: event.at,
          call,
          unseen: null,
          ...(event.ctrlParty !== null && { releasedBy: event.ctrlParty }),
          ...(event.refCallUuid !== null && {
            mergedInto: { callId: event.refCallUuid as CallId, by: mergeOf(event) },
          }),
        },
      ];
    case "EventPartyChanged":
      return partyChanged(world, context, event, call);
    case "EventNetworkReached":
    case "EventPartyAdded":
    case "EventPartyDeleted":
      return isVirtualQueue(context, event) ? [] : [outsideOf(event, call, event.id)];
  }
  const known = Object.hasOwn(steps, event.id) ? steps[event.id] : undefined;
  const isOfRouting = known === undefined ? routingEvents.has(event.id) : userData !== undefined;
  const routing = isOfRouting ? routingOf(world, event, userData, call, () => partyFacts(context, event, call)) : null;
  if (known === undefined) return routing === null ? [] : [routing];
  if (isVirtualQueue(context, event)) return virtualStay(context, event, call, known.step);
  if (known.step === "destination busy" && context.source.options.storesBusyDestinations !== true) return [];
  const party = partyFacts(context, event, call);
  if (party === null) return [];
  const { releasingParty } = event;
  const happening: Happening = {
    kind: "party",
    ...known,
    at: event.at,
    call,
    party,
    ccCause: event.callState,
    unseen: null,
    ...(releasingParty !== null && { releasingParty }),
  };
  return routing === null ? [happening] : [routing, happening];
}

const routingEvents: ReadonlySet<string> = new Set(["EventRouteRequest", "EventRouteUsed", "EventAttachedDataChanged"]);

/** A transfer or conference is completed: a party goes on in another call. */
function partyChanged(world: World, context: StepContext, event: TEvent, call: CallFacts): readonly Happening[] {
  const party = partyFacts(context, event, call);
  if (party === null) return [];
  if (event.previousConnId === null || event.previousConnId === event.connId) {
    return [outsideOf(event, call, "EventPartyChanged")];
  }
  const { parent: _queue, ...moved } = party;
  return [
    {
      kind: "party moved",
      at: event.at,
      call,
      left: otherCall(world, context, event.previousConnId, call.callId),
      by: mergeOf(event),
      party: moved,
      ccEvent: tlibMessages.EventPartyChanged,
      ccCause: event.callState,
    },
  ];
}

function mergeOf({ callState }: TEvent): "transfer" | "conference" {
  return callState === ccEventCauses.conferenced ? "conference" : "transfer";
}

const outsideSteps = {
  EventNetworkReached: "reached",
  EventPartyAdded: "added",
  EventPartyDeleted: "deleted",
  EventPartyChanged: "replaced",
} as const;

function outsideOf(event: TEvent, call: CallFacts, id: keyof typeof outsideSteps): Happening {
  const { at, otherDn: dn, thirdPartyDn: by, callState: ccCause } = event;
  return { kind: "outside", step: outsideSteps[id], at, call, dn, by, ccEvent: tlibMessages[id], ccCause };
}

export function presentOf(world: World, context: StepContext, event: TEvent): Happening | null {
  const call = callFacts(world, context, event);
  const known = Object.hasOwn(steps, event.id) ? steps[event.id] : undefined;
  if (call === null || known === undefined) return null;
  if (isVirtualQueue(context, event)) return virtualStay(context, event, call, known.step)[0] ?? null;
  const party = partyFacts(context, event, call);
  const { step } = known;
  if (party === null || step === "diverted" || step === "abandoned" || step === "released") return null;
  if (step === "destination busy") return null;
  const origin = event.origin?.at ?? null;
  const state = step === "retrieved" ? "established" : step;
  return { kind: "party present", step: state, at: event.at, origin, call, party, ccEvent: known.ccEvent };
}

const callTypeNumbers: ReadonlySet<number> = new Set(Object.values(callTypes));

export interface NamedCall {
  readonly callId: CallId;
  readonly isKeyLocal: boolean;
  /** Where later events of this run have to look for it; null: they come to the same key by themselves. */
  readonly alias: string | null;
}

/** CallUUID names a call; without it the server run in which it was created, and its ConnID. Null: no call is meant. */
export function nameCall(world: World, { source }: StepContext, event: TEvent): NamedCall | null {
  if (event.callUuid !== null) return { callId: event.callUuid as CallId, isKeyLocal: false, alias: null };
  if (event.connId === null) return null;
  const run = source.run ?? "";
  const here = aliasKey(source, event.connId);
  const known = world.get("call alias", here);
  if (known !== undefined) return { callId: known.callId, isKeyLocal: false, alias: here };
  const bornIn = event.origin?.run ?? run;
  const callId = hashedKey("call", source.identity.primaryDbid, bornIn, event.connId) as CallId;
  const named = world.get("call", callId) === undefined ? openCallAt(world, source, event) : undefined;
  if (named !== undefined) return { callId: named.callId, isKeyLocal: named.isKeyLocal, alias: null };
  // In a snapshot, a call without its origin may be older than this run: another copy may know it by another key.
  const isKeyLocal = event.isSnapshot && event.origin === null && world.get("call", callId) === undefined;
  return { callId, isKeyLocal, alias: bornIn === run ? null : here };
}

/**
 * A server may leave CallUUID out of some events: the DN is on a call with this ConnID, which had one. A snapshot's line may
 * be of another run, where that ConnID is another call's.
 */
function openCallAt(world: World, { identity }: SourceState, { connId, thisDn, isSnapshot }: TEvent) {
  const call = isSnapshot || connId === null ? undefined : world.callByConnId(identity.name, connId);
  if (call === undefined || call.endedAt !== null) return undefined;
  return Object.values(call.parties).some((party) => party.dn === thisDn && isInside(party)) ? call : undefined;
}

export function forgetAliases(world: World, sourceName: string): void {
  for (const [key, { callId }] of world.all("call alias")) {
    if (world.get("call", callId)?.source === sourceName || !key.startsWith(`${sourceName}/`)) continue;
    world.remove("call alias", key);
  }
}

function callFacts(world: World, context: StepContext, event: TEvent): CallFacts | null {
  const named = nameCall(world, context, event);
  if (named === null) return null;
  return {
    callId: named.callId,
    isKeyLocal: named.isKeyLocal,
    connId: event.connId,
    parentCallId: consultationOf(world, context, event, named.callId),
    switchCallId: event.switchCallId,
    callType: event.callType !== null && callTypeNumbers.has(event.callType) ? (event.callType as CallType) : null,
    ani: event.ani,
    dnis: event.dnis,
  };
}

/** A consultation names the call that it came from. */
function consultationOf(world: World, context: StepContext, event: TEvent, callId: CallId): CallId | null {
  const { previousConnId } = event;
  if (event.callType !== callTypes.consult || previousConnId === null) return null;
  return otherCall(world, context, previousConnId, callId);
}

/** Null: none is known by this ConnID, or this very call, which got another ConnID. */
function otherCall(world: World, { source }: StepContext, connId: string, callId: CallId): CallId | null {
  const known = world.callByConnId(source.identity.name, connId)?.callId;
  return known === undefined || known === callId ? null : known;
}

/** Null: a snapshot does not say which event began the stay. */
function stayGuid({ source }: StepContext, event: TEvent, call: CallFacts, dn: string): PartyGuid | null {
  const creator = event.isSnapshot ? event.origin : { run: source.run ?? "", sequence: event.sequence ?? 0 };
  return creator && (hashedKey("stay", call.callId, dn, creator.run, creator.sequence) as PartyGuid);
}

/** Who caused it comes before where it was routed from: both are said of a party that was transferred from a queue. */
function parentOf(event: TEvent): PartyParent | undefined {
  const { thirdPartyDn, thirdPartyDnRole, thisQueue, thisDn, isSnapshot } = event;
  // In a snapshot nothing tells a party that was transferred in one step from one that moved here from a consultation.
  if (!isSnapshot && thirdPartyDn !== null && thirdPartyDn !== thisDn) {
    if (thirdPartyDnRole === partyRoles.transferredBy) return { dn: thirdPartyDn, by: "transfer" };
    const isConferenced = thirdPartyDnRole === partyRoles.conferencedBy || thirdPartyDnRole === partyRoles.addedBy;
    if (isConferenced) return { dn: thirdPartyDn, by: "conference" };
  }
  return thisQueue !== null && thisQueue !== thisDn ? { dn: thisQueue, by: "queue" } : undefined;
}

function partyFacts(context: StepContext, event: TEvent, call: CallFacts): PartyFacts | null {
  if (event.thisDn === null) {
    context.count("party event without a DN");
    return null;
  }
  const parent = parentOf(event);
  return {
    guid: event.partyUuid as PartyGuid | null,
    // A hash is dear, and most servers name their parties.
    guidIfNew: event.partyUuid === null ? stayGuid(context, event, call, event.thisDn) : null,
    dn: event.thisDn,
    // Only DNs of the switch have events of their own.
    type: partyTypes.internal,
    role: event.thisDnRole,
    ...(parent && { parent }),
    ...(event.otherDn !== null && { other: event.otherDn }),
    ...((event.transferHome !== null || event.transferOrigDn !== null) && {
      transferredFrom: { location: event.transferHome, dn: event.transferOrigDn },
    }),
    channels: [],
  };
}
