// One step of one Asterisk call: its state as it becomes, and what happened.

import { ccEventCauses } from "../../schema/dictionary.ts";
import type { ProjectionOptions } from "../event/envelope.ts";
import {
  type CallFacts,
  type CallId,
  type CallType,
  callTypes,
  dnRoles,
  type Happening,
  type PartyFacts,
  type PartyGuid,
  type PartyParent,
  type PartyStep,
  partyTypes,
  type Unseen,
} from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { tlibMessages } from "../event/tevent.ts";
import type { AmiCallState, AmiChannel, AmiLeg, AmiLegState, AmiStay } from "./ami-state.ts";
import { hashedKey } from "./key.ts";

// Of a busy destination Asterisk tells with the end of the call to it.
type AmiPartyStep = Exclude<PartyStep, "destination busy">;

const events: Record<AmiPartyStep, number> = {
  queued: tlibMessages.EventQueued,
  dialing: tlibMessages.EventDialing,
  ringing: tlibMessages.EventRinging,
  established: tlibMessages.EventEstablished,
  held: tlibMessages.EventHeld,
  retrieved: tlibMessages.EventRetrieved,
  diverted: tlibMessages.EventDiverted,
  abandoned: tlibMessages.EventAbandoned,
  released: tlibMessages.EventReleased,
};

/** Holds the call while one message is worked in. The state within is replaced, never edited. */
export class AmiCallStep {
  call: AmiCallState;

  constructor(
    call: AmiCallState,
    readonly options: ProjectionOptions,
    /** The source's `eventCount` at this message. */
    readonly eventCount: number,
    /** Several calls in one step tell what happens in one order. */
    readonly happenings: Happening[] = [],
  ) {
    this.call = call;
  }

  channel(uniqueId: string | undefined): AmiChannel | undefined {
    return this.call.channels.find((channel) => channel.uniqueId === uniqueId);
  }

  leg(id: number | undefined): AmiLeg | undefined {
    return this.call.legs.find((leg) => leg.id === id);
  }

  legOf(uniqueId: string | undefined): AmiLeg | undefined {
    return this.leg(this.channel(uniqueId)?.leg);
  }

  openStay(waitingUniqueId: string | undefined): AmiStay | undefined {
    return this.call.stays.find((stay) => stay.isOpen && stay.waitingUniqueId === waitingUniqueId);
  }

  changeCall(change: Partial<AmiCallState>): void {
    this.call = { ...this.call, ...change };
  }

  changeChannel(uniqueId: string, change: Partial<AmiChannel>): void {
    const channels = this.call.channels.map((each) => (each.uniqueId === uniqueId ? { ...each, ...change } : each));
    this.changeCall({ channels });
  }

  changeLeg(id: number, change: Partial<AmiLeg>): void {
    this.changeCall({ legs: this.call.legs.map((each) => (each.id === id ? { ...each, ...change } : each)) });
  }

  changeStay(guid: PartyGuid, change: Partial<AmiStay>): void {
    this.changeCall({ stays: this.call.stays.map((each) => (each.guid === guid ? { ...each, ...change } : each)) });
  }

  /** Moves a leg to a state and tells it. A leg's times never step back, though the source's may, by a millisecond. */
  moveLeg(
    leg: AmiLeg,
    state: Exclude<AmiLegState, "unannounced">,
    step: AmiPartyStep,
    when: { readonly at: SourceInstant; readonly cause?: number; readonly unseen?: Unseen },
  ): void {
    const at = sourceInstant(Math.max(when.at, leg.since));
    this.changeLeg(leg.id, { state, since: at });
    this.#tell(step, at, legFacts(leg), when);
  }

  /** Tells that a leg was found as it is. */
  presentLeg(leg: AmiLeg, step: "dialing" | "ringing" | "established", at: SourceInstant, origin: SourceInstant): void {
    this.changeLeg(leg.id, { state: step, since: at });
    this.#tellPresent(step, at, origin, legFacts(leg));
  }

  /** Ends a stay and tells it. */
  endStay(
    stay: AmiStay,
    step: "diverted" | "abandoned" | "released",
    when: { readonly at: SourceInstant; readonly cause: number; readonly unseen?: Unseen },
  ): void {
    this.changeStay(stay.guid, { isOpen: false, heardAt: this.eventCount });
    const at = sourceInstant(Math.max(when.at, stay.joinedAt));
    this.#tell(step, at, stayFacts(stay), when);
  }

  /** Begins a stay and tells it: as an event that was seen, or as found in a list. */
  beginStay(stay: AmiStay, isFound: boolean): void {
    const earlier = this.call.stays.filter((each) => each.isOpen || !isSameWait(each, stay));
    this.changeCall({ stays: [...earlier, stay] });
    if (isFound) this.#tellPresent("queued", stay.joinedAt, stay.joinedAt, stayFacts(stay));
    else this.#tell("queued", stay.joinedAt, stayFacts(stay), {});
  }

  /** Tells that a leg or a stay, which is here now, goes on as what it was in another call. */
  tellMoved(
    each: AmiLeg | AmiStay,
    left: CallId,
    {
      by,
      at,
      unseen,
    }: { readonly by: "transfer" | "conference"; readonly at: SourceInstant; readonly unseen?: Unseen },
  ): void {
    const ccCause = by === "conference" ? ccEventCauses.conferenced : ccEventCauses.transferred;
    const { parent: _earlier, ...party } = "joinedAt" in each ? stayFacts(each) : legFacts(each);
    const ccEvent = tlibMessages.EventPartyChanged;
    this.happenings.push({
      ...{ kind: "party moved", at, call: this.facts(), left, by, party, ccEvent, ccCause },
      ...(unseen && { unseen }),
    });
  }

  /** Takes the parent of the next party: who transferred the call blindly. */
  takeTransferrer(): PartyParent | undefined {
    const { transferredBy } = this.call;
    if (transferredBy == null) return undefined;
    this.changeCall({ transferredBy: null });
    return { dn: transferredBy, by: "transfer" };
  }

  /** How often this channel has joined this queue, as far as was seen. */
  joinsOf(waitingUniqueId: string, queue: string): number {
    const joins = this.call.stays
      .filter((each) => each.waitingUniqueId === waitingUniqueId && each.queue === queue)
      .map((each) => each.join);
    return Math.max(0, ...joins);
  }

  facts(): CallFacts {
    const { linkedId, dnis, consultation } = this.call;
    const caller = this.call.legs.find((leg) => leg.isCaller);
    return {
      callId: linkedId as CallId,
      isKeyLocal: false,
      connId: null,
      parentCallId: (consultation?.of ?? null) as CallId | null,
      switchCallId: null,
      callType: this.callType(),
      ani: caller !== undefined && caller.type === partyTypes.external ? caller.number : null,
      dnis,
    };
  }

  /** Null: nothing says it. */
  callType(): CallType | null {
    const { context, consultation } = this.call;
    if (consultation !== undefined) return callTypes.consult;
    if (context !== null) {
      if (this.options.inboundContexts.includes(context)) return callTypes.inbound;
      if (this.options.internalContexts.includes(context)) return callTypes.internal;
      if (this.options.outboundContexts.includes(context)) return callTypes.outbound;
    }
    return this.call.isInbound ? callTypes.inbound : null;
  }

  /** Forgets legs that are over and have no channel left. */
  prune(): void {
    const used = new Set(this.call.channels.map((channel) => channel.leg));
    const legs = this.call.legs.filter((leg) => leg.state !== "gone" || used.has(leg.id));
    if (legs.length < this.call.legs.length) this.changeCall({ legs });
  }

  #tell(
    step: AmiPartyStep,
    at: SourceInstant,
    party: PartyFacts,
    { cause, unseen }: { readonly cause?: number; readonly unseen?: Unseen },
  ): void {
    this.happenings.push({
      kind: "party",
      step,
      at,
      call: this.facts(),
      party,
      ccEvent: events[step],
      ccCause: cause ?? null,
      unseen: unseen ?? null,
    });
  }

  #tellPresent(
    step: "queued" | "dialing" | "ringing" | "established",
    at: SourceInstant,
    origin: SourceInstant,
    party: PartyFacts,
  ): void {
    this.happenings.push({
      kind: "party present",
      step,
      at,
      origin,
      call: this.facts(),
      party,
      ccEvent: events[step],
    });
  }
}

/**
 * A leg is named by its first channel: unique ids are not used twice, and both instances of a pair see the same. Not by
 * its call: whoever comes after a transfer cannot know in which one it began.
 */
export function legGuid(uniqueId: string): PartyGuid {
  return hashedKey("ami", "leg", uniqueId) as PartyGuid;
}

/** The part in a consultation of a telephone that asks by feature codes, and has no channel there. */
export function askerGuid(callId: string, uniqueId: string): PartyGuid {
  return hashedKey("ami", "asker", callId, uniqueId) as PartyGuid;
}

/** A stay is named by the channel that waits, the queue, and how often it has joined it. */
export function stayGuid(waitingUniqueId: string, queue: string, join: number): PartyGuid {
  return hashedKey("ami", "stay", waitingUniqueId, queue, join) as PartyGuid;
}

function isSameWait(one: AmiStay, other: AmiStay): boolean {
  return one.waitingUniqueId === other.waitingUniqueId && one.queue === other.queue;
}

function legFacts(leg: AmiLeg): PartyFacts {
  return {
    guid: leg.guid,
    guidIfNew: leg.guid,
    dn: leg.dn,
    type: leg.type,
    role: leg.isCaller ? dnRoles.origination : dnRoles.destination,
    ...(leg.queueCall && { parent: { dn: leg.queueCall.queue, by: "queue" } }),
    ...(leg.parent && { parent: leg.parent }),
    channels: leg.channels,
  };
}

function stayFacts(stay: AmiStay): PartyFacts {
  return {
    guid: stay.guid,
    guidIfNew: stay.guid,
    dn: stay.queue,
    type: partyTypes.internal,
    role: dnRoles.destination,
    ...(stay.parent && { parent: stay.parent }),
    channels: [{ uniqueId: stay.waitingUniqueId, name: stay.waitingName }],
  };
}
