// Calls and their parties: from what happened to the rows of G_CALL, G_IR, G_PARTY, their histories and Active tables.
//
// 1. A call begins with the first thing that happens on it. It ends when its source says so (call monitoring, last
//    channel gone), else with its last party; the ending is written once call-deletion-timeout has passed in source
//    time, with the ending's own time, so that late events still find the call.
// 2. A party is one stay of one DN on the call (party.ts).
// 3. A snapshot's word (`party present`) is a state, not a transition that we saw. Where it contradicts what we
//    believed, the row says since when, and ICON_ROW_QUALITY says that nobody saw the change.
// 4. A transfer or conference moves a party from one call to another: its stay here ends and one there begins, in the
//    same state and descending from it. With the first that moves, the call that it left is merged into the other.

import { ccEventCauses, type mergeTypes, partyStates } from "../../schema/dictionary.ts";
import {
  type CallId,
  type CallType,
  callTypes,
  type Happening,
  type PartyStep,
  type QualityCause,
  type Unseen,
} from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { CallTotals } from "../event/statistics.ts";
import { tlibMessages } from "../event/tevent.ts";
import { createCall, learnFacts } from "./call-birth.ts";
import { rewriteCallData } from "./call-data.ts";
import { endCall, goingOn, overBy, settle } from "./call-ending.ts";
import { mergeInto } from "./call-merge.ts";
import { type EventCause, writeActiveRows, writeCallRow, writeIrRow, writePartyRow } from "./call-rows.ts";
import type { JoinedTo } from "./inter-site.ts";
import { joinCalls } from "./inter-site-join.ts";
import { carryOutside, dropMistaken, followOutside, stepOutside } from "./outside.ts";
import {
  beginParty,
  begins,
  endParty,
  endUnseenParty,
  findParty,
  goesOn,
  hasPartyInside,
  isAnswerMissed,
  isEnding,
  isInside,
  type LeftParty,
  moveParty,
  noteParty,
  type Party,
  parentLinks,
  partyGuid,
} from "./party.ts";
import { noteQuality } from "./quality.ts";
import { type Routing, withKeys } from "./route-result.ts";
import type { StepContext } from "./source.ts";
import { releaserOf } from "./statistics.ts";
import { moveStays, stepVirtualQueue } from "./virtual-queue.ts";
import type { World } from "./world.ts";

export interface Call {
  readonly source: string;
  readonly callId: CallId;
  readonly irId: string;
  readonly rowId: number;
  readonly irRowId: number;
  readonly activeRowId: number;
  readonly irActiveRowId: number;
  readonly isKeyLocal: boolean;
  readonly connId: string | null;
  readonly parentCallId: CallId | null;
  readonly switchCallId: number | null;
  readonly callType: CallType;
  readonly ani: string | null;
  readonly dnis: string | null;
  readonly createdAt: SourceInstant;
  /** The source tells the call's own beginning and end; then its last party's going does not end it. */
  readonly isMonitored: boolean;
  /** Party creations, changes and ends so far: the CSEQ of the last party history row. */
  readonly partyChanges: number;
  /** Stays begun on this call so far; numbers those that only get a local key. */
  readonly stays: number;
  /** The latest time of a change of its parties: it does not end before. Absent: it has had none. */
  readonly latest?: SourceInstant;
  /** When it ended, while the ending waits to be written; null: it goes on. */
  readonly endedAt: SourceInstant | null;
  readonly parties: Readonly<Record<string, Party>>;
  /** The parties that are gone, the last ones of each DN, in the order in which they went. */
  readonly left?: readonly LeftParty[];
  /** The PARTYGUID of whoever it came from or went to outside, once somebody was there. */
  readonly outside?: string;
  /** By what the last party inside went, while `endedAt` is not null. */
  readonly endedBy?: EventCause;
  /** What its parties came to so far. */
  readonly totals: CallTotals;
  /** Who released it, as the source says, and which party that is. Absent: it does not say. */
  readonly releasedBy?: { readonly dn: string; readonly partyId?: string };
  /** Into which call it was merged, when a party went there. */
  readonly merged?: {
    readonly callId: CallId;
    readonly irId: string;
    /** Where that one's own merges had led by then. */
    readonly rootIrId: string;
    readonly type: (typeof mergeTypes)[keyof typeof mergeTypes];
    readonly at: SourceInstant;
  };
  /** Which call it came from, when a link between sites tells; see inter-site-join.ts. */
  readonly joined?: JoinedTo;
}

/** Takes one happening of a source into the live state and the rows. What does not fit is left out and counted. */
export function stepCall(world: World, context: StepContext, happening: Happening): void {
  const known = world.get("call", happening.call.callId);
  switch (happening.kind) {
    case "call created": {
      const call = known ?? createCall(world, context, happening.call, happening.at);
      world.put("call", call.callId, { ...call, isMonitored: true });
      return;
    }
    case "call facts":
      if (known !== undefined) learnFacts(world, context, known, happening.call);
      return;
    case "call deleted": {
      if (known === undefined) return context.count("ending of an unknown call");
      const { releasedBy, mergedInto } = happening;
      const call = releasedBy === undefined ? known : { ...known, releasedBy: releaserOf(context, known, releasedBy) };
      // Known by its CALLID alone it may be another source's.
      const target = mergedInto && world.get("call", mergedInto.callId);
      const isHere = target?.source === known.source && target.callId !== known.callId;
      const merged = isHere
        ? mergeInto(world, context, call, target, mergedInto?.by ?? "transfer", happening.at)
        : call;
      endCall(world, context, merged, happening.at, happening.unseen);
      if (isHere) joinCalls(world, context, target.callId);
      return;
    }
    case "party":
      return stepParty(world, context, known, happening);
    case "party moved":
      return transplantParty(world, context, known, happening);
    case "call merged": {
      const { left, by, at } = happening;
      const other = world.get("call", left);
      const cause = { ccEvent: tlibMessages.EventPartyChanged, ccCause: null };
      if (known !== undefined && other !== undefined) leaveFor(world, context, other, undefined, known, by, at, cause);
      return;
    }
    case "party present":
      return confirmParty(world, context, known, happening);
    case "outside":
      if (known !== undefined) world.put("call", known.callId, stepOutside(world, context, known, happening));
      return;
    case "routing":
      return stepRouting(world, context, known, happening);
    case "virtual queue":
      return stepVirtualQueue(world, context, happening);
  }
}

/**
 * Closes what a complete snapshot of the source did not name: it ended while we were not listening. Everything goes on
 * that `named` holds (see namedKey); calls that wait for their ending are left to it.
 */
export function closeUnnamed(world: World, context: StepContext, named: ReadonlySet<string>, unseen: Unseen): void {
  for (const [, call] of [...world.all("call")]) {
    if (call.source !== context.source.identity.name || call.endedAt !== null) continue;
    // Whoever is outside has no line of his own.
    const inside = Object.values(call.parties).filter(isInside);
    const gone = inside.filter((party) => !named.has(namedKey(call.callId, party.guid)));
    if (gone.length === inside.length) {
      endCall(world, context, call, unseen.earliest, unseen);
    } else {
      let rest = call;
      for (const party of gone) rest = endUnseenParty(world, context, rest, party, unseen);
      world.put("call", rest.callId, rest);
    }
  }
}

/** A party that moved is on another call under the same guid: only both together name a stay. */
export function namedKey(callId: CallId, guid: string): string {
  return `${callId}/${guid}`;
}

/** Writes the rows of a call that is open, in an IDB that has none of them; its past is not there. */
export function rewriteCall(
  world: World,
  context: StepContext,
  call: Call,
  now: SourceInstant,
  cause: QualityCause = "history not kept",
): void {
  writeCallRow(world, context, call, null);
  writeIrRow(world, context, call, null);
  writeActiveRows(world, context, call);
  for (const party of Object.values(call.parties)) {
    writePartyRow(world, context, call, party, partyStates[party.state], { ccEvent: 0, ccCause: null }, null);
  }
  rewriteCallData(world, context, call);
  const unseen = { earliest: call.createdAt, latest: now, cause };
  noteQuality(world, context, "G_CALL", call.callId, "earlier rows not kept", unseen);
}

const midLifeSteps: ReadonlySet<PartyStep> = new Set(["established", "held", "retrieved"]);

// Asterisk's channels tell their own beginnings; a party that changed calls begins as what it was.
function isMidLifeStep({ source }: StepContext, { step, ccEvent, party }: PartyHappening): boolean {
  // A member of a conference may be there at once.
  if (party.parent?.by === "conference") return false;
  return source.identity.kind === "tevent" && midLifeSteps.has(step) && ccEvent !== tlibMessages.EventPartyChanged;
}

function noteBeginningMissed(
  world: World,
  context: StepContext,
  call: Call,
  party: Party | undefined,
  isNewCall: boolean,
  at: SourceInstant,
): void {
  const unseen = { earliest: null, latest: at, cause: context.source.missedBecause };
  if (party !== undefined) noteParty(world, context, party, "beginning not seen", unseen);
  if (isNewCall) noteQuality(world, context, "G_CALL", call.callId, "beginning not seen", unseen);
}

type PartyHappening = Extract<Happening, { kind: "party" }>;
type RoutingHappening = Extract<Happening, { kind: "routing" }>;
type MovedHappening = Extract<Happening, { kind: "party moved" }>;
type PresentHappening = Extract<Happening, { kind: "party present" }>;

function stepParty(world: World, context: StepContext, known: Call | undefined, happening: PartyHappening): void {
  const { step, at } = happening;
  const party = known && findParty(known, happening.party);
  if (isEnding(step) && (known === undefined || party === undefined)) {
    return context.count("ending of an unknown party");
  }
  if (step === "destination busy" && party?.state !== "dialing") return;
  let call = known ? learnFacts(world, context, known, happening.call) : createCall(world, context, happening.call, at);
  const cause: EventCause = { ccEvent: happening.ccEvent, ccCause: happening.ccCause };
  if (party === undefined) {
    if (isEnding(step) || step === "destination busy") return;
    // What answers or is held was queued, dialing or ringing before: its beginning, and so its key, was missed.
    const isMidLife = isMidLifeStep(context, happening);
    call = dropMistaken(world, context, call, happening.party, { at, cause });
    const facts = isMidLife ? { ...happening.party, guidIfNew: null } : happening.party;
    call = beginParty(world, context, call, facts, { state: begins[step], createdAt: at, since: at }, cause);
    call = goingOn(call);
    if (isMidLife) noteBeginningMissed(world, context, call, findParty(call, happening.party), known === undefined, at);
  } else {
    const target = goesOn[party.state][step];
    if (target === undefined) {
      if (step in begins && begins[step as keyof typeof begins] !== party.state)
        context.count("transition that does not follow");
      return;
    }
    call =
      target === "gone"
        ? endParty(world, context, call, party, at, cause, happening.releasingParty)
        : moveParty(world, context, call, party, target, at, cause);
    const reason = target === "gone" ? "end not seen" : "change not seen";
    if (happening.unseen !== null) noteParty(world, context, party, reason, happening.unseen);
    else if (isAnswerMissed(party, step)) {
      const unseen = { earliest: party.since, latest: at, cause: context.source.missedBecause };
      noteParty(world, context, party, reason, unseen);
    }
  }
  const missed = party === undefined && isMidLifeStep(context, happening) ? "missed" : null;
  call = followOutside(world, context, call, { at, party: happening.party, cause, missed });
  if (step === "released") call = carriedOn(world, context, call, happening);
  if (!hasPartyInside(call) && !call.isMonitored) call = overBy(call, at, cause);
  settle(world, context, call);
}

/** Who transfers or conferences a consultation leaves it; whoever is outside there goes on in the call that it came from. */
function carriedOn(world: World, context: StepContext, call: Call, { at, ccCause }: PartyHappening): Call {
  if (call.callType !== callTypes.consult) return call;
  if (ccCause === ccEventCauses.transferred) return carryOutside(world, context, call, "transfer", at, ccCause);
  if (ccCause === ccEventCauses.conferenced) return carryOutside(world, context, call, "conference", at, ccCause);
  return call;
}

/** A routing point may tell of a call for the first time by asking where to send it. */
function stepRouting(world: World, context: StepContext, known: Call | undefined, happening: RoutingHappening): void {
  const { step, at, keys } = happening;
  let call = known;
  let party = known && findParty(known, happening.party);
  if (step === "requested") {
    call = known ? learnFacts(world, context, known, happening.call) : createCall(world, context, happening.call, at);
    if (party === undefined) {
      const cause: EventCause = { ccEvent: tlibMessages.EventRouteRequest, ccCause: null };
      const stay = { state: "queued", createdAt: at, since: at } as const;
      call = goingOn(beginParty(world, context, call, happening.party, stay, cause));
      call = followOutside(world, context, call, { at, party: happening.party, cause, missed: null });
      party = findParty(call, happening.party);
    }
  }
  if (call === undefined || party === undefined) return;
  // Of a party that was there before us the asking was missed.
  const route: Routing | undefined =
    step === "requested"
      ? keys === null
        ? {}
        : { earlier: keys }
      : (party.route ?? (party.isFound === true ? {} : undefined));
  if (route === undefined) return;
  const told = step === "requested" ? route : withKeys(route, keys, step === "attached");
  const next: Party = { ...party, route: step === "used" ? { ...told, isUsed: true } : told };
  world.put("call", call.callId, { ...call, parties: { ...call.parties, [party.guid]: next } });
}

function transplantParty(world: World, context: StepContext, known: Call | undefined, happening: MovedHappening): void {
  const { at, by } = happening;
  const cause: EventCause = { ccEvent: happening.ccEvent, ccCause: happening.ccCause };
  const left = happening.left === null ? undefined : world.get("call", happening.left);
  const before = left && findParty(left, happening.party);
  let call = known ? learnFacts(world, context, known, happening.call) : createCall(world, context, happening.call, at);
  if (left !== undefined) leaveFor(world, context, left, before, call, by, at, cause);
  if (findParty(call, happening.party) !== undefined) {
    context.count("transition that does not follow");
    return settle(world, context, call);
  }
  // The end of the call that it left may be told before.
  const was = before ?? left?.left?.findLast(({ dn }) => dn === happening.party.dn);
  const isLocal = left?.isKeyLocal === true || was?.isKeyLocal === true || was?.cameAs?.isLocal === true;
  // Where the source does not name the party, it stays what it was.
  const isUnnamed = was !== undefined && happening.party.guid === null;
  const cameAs = isUnnamed && { guid: partyGuid(was), ...(isLocal && { isLocal }) };
  const stay = { state: before?.state ?? "connected", createdAt: at, since: at, ...(cameAs && { cameAs }) } as const;
  const parent = was && { partyId: was.partyId, type: parentLinks[by] };
  call = beginParty(world, context, call, happening.party, stay, cause, parent);
  let begun = findParty(call, happening.party);
  if (begun !== undefined && before?.route !== undefined) {
    begun = { ...begun, route: before.route };
    call = { ...call, parties: { ...call.parties, [begun.guid]: begun } };
  }
  if (was === undefined) noteBeginningMissed(world, context, call, begun, known === undefined, at);
  // It names a party that no other copy knows by this name.
  else if (begun !== undefined && isLocal) {
    noteParty(world, context, begun, "key is local", null);
  }
  if (happening.unseen !== undefined && begun !== undefined) {
    if (before !== undefined) noteParty(world, context, before, "end not seen", happening.unseen);
    noteParty(world, context, begun, "beginning not seen", happening.unseen);
  }
  const missed = was === undefined ? "missed" : null;
  call = followOutside(world, context, call, { at, party: happening.party, cause, missed });
  settle(world, context, goingOn(call));
  joinCalls(world, context, call.callId);
}

/** A party goes from `left` to `call`; undefined: which one it was there is not known. */
function leaveFor(
  world: World,
  context: StepContext,
  left: Call,
  party: Party | undefined,
  call: Call,
  by: MovedHappening["by"],
  at: SourceInstant,
  cause: EventCause,
): void {
  // What is asked at a routing point goes on where the party does.
  const { route: _route, ...bare } = party ?? {};
  let rest = party === undefined ? left : endParty(world, context, left, bare as Party, at, cause);
  rest = mergeInto(world, context, rest, call, by, at);
  const isEmpty = !hasPartyInside(rest);
  if (isEmpty) moveStays(world, context, left.callId, call.callId);
  const isOver = isEmpty && !rest.isMonitored;
  settle(world, context, isOver ? overBy(rest, at, cause) : rest);
}

function confirmParty(world: World, context: StepContext, known: Call | undefined, happening: PresentHappening): void {
  const state = begins[happening.step];
  const beganAt = happening.origin ?? happening.at;
  let call = known
    ? learnFacts(world, context, known, happening.call)
    : createCall(world, context, happening.call, beganAt);
  if (known === undefined) {
    noteQuality(world, context, "G_CALL", call.callId, "beginning not seen", foundInSnapshot(beganAt));
  }
  const cause: EventCause = { ccEvent: happening.ccEvent, ccCause: null };
  const open = findParty(call, happening.party);
  // Without identifiers from the source, a stay of another origin on the same DN is another stay.
  const isSameStay =
    open !== undefined &&
    (happening.party.guid !== null || happening.party.guidIfNew === null || happening.party.guidIfNew === open.guid);
  if (open !== undefined && !isSameStay) {
    // It was there for as long as we listened.
    const earliest = context.source.heardUntil ?? open.since;
    call = endUnseenParty(world, context, call, open, { ...foundInSnapshot(happening.at), earliest });
  }
  if (open === undefined || !isSameStay) {
    const stay = { state, createdAt: beganAt, since: happening.at, isFound: true } as const;
    call = beginParty(world, context, call, happening.party, stay, cause);
    const begun = findParty(call, happening.party);
    if (begun !== undefined) {
      noteParty(world, context, begun, "beginning not seen", foundInSnapshot(beganAt));
    }
    call = goingOn(call);
  } else if (open.state !== state || open.since !== happening.at) {
    call = moveParty(world, context, call, open, state, happening.at, cause);
    const unseen = { ...foundInSnapshot(happening.at), earliest: open.since };
    noteParty(world, context, open, "change not seen", unseen);
  }
  world.put("call", call.callId, call);
}

function foundInSnapshot(at: SourceInstant): Unseen {
  return { earliest: at, latest: at, cause: "found in snapshot" };
}
