// Parties outside of a T-Server's switch: the caller of a call that came in, whom a call goes out to, who was consulted or
// conferenced in out there. They have no events of their own; they are rebuilt from what the parties inside tell.
//
// 1. Whom a call that comes in or goes out is about is its one main party outside. Its key comes from the call alone, so
//    that every copy has the same, whatever of the call it heard first.
// 2. Who else is outside cannot be told from a DN of the switch by its number: an event has to say so. EventNetworkReached
//    does, and so does an answer, a conference or a transfer at a DN that has had no event of its own.
// 3. They keep no call going: it ends with what its source says, or its last party inside, and they end with it.
// 4. Whether someone out there hangs up, or is put on hold, is not told; a conference tells that he left.

import { parentLinkTypes, partyRoles } from "../../schema/dictionary.ts";
import {
  callTypes,
  type Happening,
  type PartyFacts,
  type PartyGuid,
  partyTypes,
  type Unseen,
} from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { tlibMessages } from "../event/tevent.ts";
import type { Call } from "./call.ts";
import { mergeInto } from "./call-merge.ts";
import type { EventCause } from "./call-rows.ts";
import { hashedKey } from "./key.ts";
import { sessionAt } from "./login-session.ts";
import {
  beginParty,
  endParty,
  findParty,
  isInside,
  moveParty,
  noteParty,
  type Party,
  type PartyState,
  parentLinks,
} from "./party.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** What happened at a party inside, once the call has taken it. */
interface Told {
  readonly at: SourceInstant;
  readonly party: PartyFacts;
  readonly cause: EventCause;
  /** Not null: how the party inside began was not seen. */
  readonly missed: "missed" | "found in snapshot" | null;
}

type PresentHappening = Extract<Happening, { kind: "party present" }>;

/** As followOutside; only once all lines of the snapshot are taken is it known who is inside. */
export function findOutside(world: World, context: StepContext, { at, call, party, ccEvent }: PresentHappening): void {
  const known = world.get("call", call.callId);
  if (known === undefined) return;
  const told: Told = { at, party, cause: { ccEvent, ccCause: null }, missed: "found in snapshot" };
  const next = followOutside(world, context, known, told);
  if (next !== known) world.put("call", known.callId, next);
}

/**
 * A snapshot after events were missed: of a call of which those inside are not as they were, or in which there are more
 * than two, nobody saw what became of those outside. `before`: the calls as they were before it.
 */
export function doubtOutside(
  world: World,
  context: StepContext,
  before: ReadonlyMap<string, Call>,
  unseen: Unseen,
): void {
  for (const [callId, was] of before) {
    const call = world.get("call", callId);
    if (call === undefined || call.source !== context.source.identity.name || call.endedAt !== null) continue;
    const known = Object.values(was.parties).filter((party) => !isInside(party));
    const isAsItWas =
      Object.keys(call.parties).length <= 2 &&
      Object.values({ ...was.parties, ...call.parties }).every(
        (party) => !isInside(party) || was.parties[party.guid] === call.parties[party.guid],
      );
    if (isAsItWas) continue;
    for (const { guid } of known) {
      const party = call.parties[guid];
      if (party !== undefined) noteParty(world, context, party, "change not seen", unseen);
    }
  }
}

type OutsideHappening = Extract<Happening, { kind: "outside" }>;

/** The call with what this tells of whoever is outside. */
export function followOutside(world: World, context: StepContext, call: Call, told: Told): Call {
  if (context.source.options.delivered === undefined || context.source.identity.kind !== "tevent") return call;
  switch (call.callType) {
    case callTypes.inbound:
    case callTypes.outbound:
      return followMain(world, context, call, told);
    case callTypes.consult:
      return followConsulted(world, context, call, told);
    default:
      return call;
  }
}

function followMain(world: World, context: StepContext, call: Call, told: Told): Call {
  const inside = findParty(call, told.party);
  if (call.outside === undefined) return beginMain(world, context, call, told, inside);
  const main = call.parties[call.outside];
  if (main === undefined || main.state === "connected") return call;
  if (!isReached(call, told, inside)) return call;
  return connect(world, context, call, main, told);
}

function connect(world: World, context: StepContext, call: Call, party: Party, { at, cause, missed }: Told): Call {
  const connected = moveParty(world, context, call, party, "connected", at, cause);
  if (missed !== null) {
    const unseen = {
      cause: missed === "missed" ? context.source.missedBecause : missed,
      earliest: party.since,
      latest: at,
    };
    noteParty(world, context, party, "change not seen", unseen);
  }
  return connected;
}

/** Whether both sides are connected: somebody inside talks, or what was called out there has answered and is passed on. */
function isReached(call: Call, { cause }: Told, inside: Party | undefined): boolean {
  if (inside?.state === "connected" || inside?.state === "hold") return true;
  if (call.callType !== callTypes.outbound) return false;
  // A call that is made for an agent who is not there yet waits for one once it is answered.
  return inside === undefined ? cause.ccEvent === tlibMessages.EventDiverted : inside.state !== "dialing";
}

function beginMain(world: World, context: StepContext, call: Call, told: Told, inside: Party | undefined): Call {
  // What is told of nobody inside any more began before anything was heard of it, and ends now.
  if (inside === undefined) return call;
  const isInbound = call.callType === callTypes.inbound;
  const other = told.party.other === undefined || isDnOfCall(call, told.party.other) ? null : told.party.other;
  const dn = isInbound ? (call.ani ?? other) : (other ?? call.dnis);
  if (dn === null) return call;
  const isConnected = isReached(call, told, inside);
  if (!isInbound && !isConnected && context.source.options.delivered !== "dialing") return call;
  const state = isConnected ? "connected" : isInbound ? "dialing" : "alerting";
  return beginOutside(world, context, call, told, { dn, state, isMain: true });
}

/** Who was consulted is outside if he answers without a word of his own. */
function followConsulted(world: World, context: StepContext, call: Call, told: Told): Call {
  const { other } = told.party;
  const inside = findParty(call, told.party);
  if (other === undefined || inside === undefined || inside.role !== partyRoles.origination) return call;
  if (inside.state !== "connected" && inside.state !== "hold") return call;
  const known = outsideAt(call, other);
  if (known !== undefined) {
    return known.state === "connected" ? call : connect(world, context, call, known, told);
  }
  // What was dialed may differ from the DN that was reached.
  if (Object.values(call.parties).some((party) => isInside(party) && party.guid !== inside.guid)) return call;
  if (isDnOfCall(call, other) || isDnOfSwitch(world, context, other)) return call;
  return beginOutside(world, context, call, told, { dn: other, state: "connected" });
}

/** The call with what an event says of somebody that it is not of. */
export function stepOutside(world: World, context: StepContext, call: Call, happening: OutsideHappening): Call {
  const { step, at, dn, by } = happening;
  const cause: EventCause = { ccEvent: happening.ccEvent, ccCause: happening.ccCause };
  if (context.source.identity.kind !== "tevent") return call;
  if (step === "added" && context.source.options.linksSingleStepConferences === true) {
    const member =
      dn === null ? undefined : Object.values(call.parties).find((each) => each.dn === dn && isInside(each));
    if (member !== undefined) return linkMember(call, member, by);
  }
  const { delivered } = context.source.options;
  if (delivered === undefined) return call;
  const told: Told = { at, party: noFacts, cause, missed: null };
  const known = dn === null ? undefined : outsideAt(call, dn);
  switch (step) {
    case "reached":
      return delivered === "established" ? call : reach(world, context, call, told, dn);
    case "deleted":
      return known === undefined ? call : endParty(world, context, call, known, at, cause);
    case "added":
    case "replaced": {
      if (dn === null || known !== undefined || isInsideOf(call, dn) || isDnOfSwitch(world, context, dn)) return call;
      if (step === "replaced" && isDnOfCall(call, dn)) return call;
      const parent = linkTo(call, by, step === "added" ? "conference" : "transfer");
      return beginOutside(world, context, call, told, { dn, state: "connected", parent });
    }
  }
}

function reach(world: World, context: StepContext, call: Call, told: Told, dn: string | null): Call {
  const isMain = call.callType === callTypes.outbound;
  if (!isMain && call.callType !== callTypes.consult) return call;
  const number = dn ?? call.dnis;
  if (number === null || (isMain ? call.outside !== undefined : outsideAt(call, number) !== undefined)) return call;
  if (isDnOfCall(call, number)) return call;
  return beginOutside(world, context, call, told, { dn: number, state: "alerting", isMain });
}

const noFacts: PartyFacts = {
  guid: null,
  guidIfNew: null,
  dn: "",
  type: partyTypes.internal,
  role: null,
  channels: [],
};

function beginOutside(
  world: World,
  context: StepContext,
  call: Call,
  { at, cause, missed }: Told,
  begins: {
    readonly dn: string;
    readonly state: PartyState;
    readonly isMain?: boolean;
    readonly parent?: Party["parent"] | undefined;
  },
): Call {
  const { dn, state, isMain = false, parent } = begins;
  const isCaller = isMain && call.callType === callTypes.inbound;
  const key = isMain ? hashedKey("outside", call.callId) : hashedKey("outside", call.callId, dn);
  const facts = outsideFacts(key as PartyGuid, dn, isCaller ? partyRoles.origination : partyRoles.destination);
  const isFound = missed === "found in snapshot";
  const stay = { state, createdAt: isFound ? call.createdAt : at, since: at, isRebuilt: true } as const;
  const begun = beginParty(world, context, call, facts, stay, cause, parent);
  const party = begun.parties[key];
  if (missed !== null && party !== undefined) {
    const unseen = isFound
      ? ({ cause: missed, earliest: at } as const)
      : { cause: context.source.missedBecause, earliest: null };
    noteParty(world, context, party, "beginning not seen", { ...unseen, latest: at });
  }
  return isMain ? { ...begun, outside: key } : begun;
}

function outsideFacts(guid: PartyGuid, dn: string, role: number): PartyFacts {
  return { guid, guidIfNew: null, dn, type: partyTypes.external, role, channels: [] };
}

/**
 * A consultation with somebody outside is transferred or conferenced: he goes on in the call that it came from, as those
 * inside do by EventPartyChanged. The call that he leaves, as it is then.
 */
export function carryOutside(
  world: World,
  context: StepContext,
  left: Call,
  by: "transfer" | "conference",
  at: SourceInstant,
  ccCause: number | null,
): Call {
  const carried = Object.values(left.parties).filter((party) => !isInside(party));
  const target = left.parentCallId === null ? undefined : world.get("call", left.parentCallId);
  if (target === undefined || carried.length === 0) return left;
  const cause: EventCause = { ccEvent: tlibMessages.EventPartyChanged, ccCause };
  let rest = left;
  let call = target;
  for (const party of carried) {
    rest = endParty(world, context, rest, party, at, cause);
    if (outsideAt(call, party.dn) !== undefined) continue;
    const stay = { state: party.state, createdAt: at, since: at, isRebuilt: true } as const;
    const parent = { partyId: party.partyId, type: parentLinks[by] };
    call = beginParty(world, context, call, outsideFacts(party.guid, party.dn, party.role), stay, cause, parent);
  }
  world.put("call", call.callId, call);
  return mergeInto(world, context, rest, call, by, at);
}

/** Those outside go when the call is over; nothing else tells of it. */
export function endOutside(world: World, context: StepContext, call: Call, at: SourceInstant): Call {
  let rest = call;
  for (const party of Object.values(call.parties)) {
    if (isInside(party)) continue;
    rest = endParty(world, context, rest, party, sourceInstant(Math.max(at, party.since)), call.endedBy ?? nothingTold);
  }
  return rest;
}

const nothingTold: EventCause = { ccEvent: 0, ccCause: null };

/** A DN turns out to be one of the switch: it has an event of its own, and whoever was taken to be outside there is it. */
export function dropMistaken(
  world: World,
  context: StepContext,
  call: Call,
  facts: PartyFacts,
  told: Omit<Told, "party" | "missed">,
): Call {
  const mistaken = outsideAt(call, facts.dn);
  // Who calls in may have the number of a DN.
  if (mistaken === undefined || mistaken.role === partyRoles.origination) return call;
  context.count("party outside that has events of its own");
  const unseen = { earliest: mistaken.since, latest: told.at, cause: context.source.missedBecause };
  noteParty(world, context, mistaken, "change not seen", unseen);
  return endParty(world, context, call, mistaken, told.at, told.cause);
}

/** A conference in one step: who came to it descends from whoever brought him. His row says so from its next change on. */
function linkMember(call: Call, member: Party, by: string | null): Call {
  const link = linkTo(call, by, "conference");
  if (member.parent !== undefined || link === undefined || link.partyId === member.partyId) return call;
  const conferences = (call.totals.conferences ?? 0) + 1;
  return {
    ...call,
    parties: { ...call.parties, [member.guid]: { ...member, parent: link } },
    totals: { ...call.totals, conferences },
  };
}

function linkTo(call: Call, dn: string | null, by: "transfer" | "conference"): Party["parent"] | undefined {
  if (dn === null) return undefined;
  const found =
    Object.values(call.parties).find((each) => each.dn === dn) ?? call.left?.findLast((each) => each.dn === dn);
  return (
    found && {
      partyId: found.partyId,
      type: by === "conference" ? parentLinkTypes.conferenced : parentLinkTypes.transferred,
    }
  );
}

function outsideAt(call: Call, dn: string): Party | undefined {
  return Object.values(call.parties).find((party) => party.dn === dn && !isInside(party));
}

/** On this call somebody inside is there, or was. */
function isInsideOf(call: Call, dn: string): boolean {
  return (
    Object.values(call.parties).some((party) => party.dn === dn && isInside(party)) ||
    call.left?.some((party) => party.dn === dn && party.isRebuilt !== true) === true
  );
}

function isDnOfCall(call: Call, dn: string): boolean {
  return (
    Object.values(call.parties).some((party) => party.dn === dn) || call.left?.some((party) => party.dn === dn) === true
  );
}

/** It has an agent, or is on another call that has events of it. */
function isDnOfSwitch(world: World, { source }: StepContext, dn: string): boolean {
  const { name } = source.identity;
  return sessionAt(world, name, dn) !== undefined || world.callsOfDn(name, dn).length > 0;
}
