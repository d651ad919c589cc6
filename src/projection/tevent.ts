// The T-Event link: from one decoded line, in order, to what happened. Here live the sequence rules of a server run and
// the reconciliation with a snapshot; what it means for calls is the call machine's.
//
// 1. A sequence number at or below the applied one is a duplicate: counted, dropped. A jump is a hole: its range goes
//    into the ledger, nothing waits for it.
// 2. A snapshot is collected and taken in at its end line, whole; cut short, it is discarded. What we believed open of
//    this source and it does not name has ended while we were not listening. One that names more parties than are
//    kept is taken in as far as they go, and ends nothing.

import { ccEventCauses, partyRoles } from "../../schema/dictionary.ts";
import type { FrameEnvelope } from "../event/envelope.ts";
import type { PartyFacts, PartyGuid, PartyParent, PartyStep, Unseen } from "../event/happening.ts";
import {
  type CallFacts,
  type CallId,
  type CallType,
  callTypes,
  type Happening,
  partyTypes,
} from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { type TEvent, tlibMessages } from "../event/tevent.ts";
import { decodeLine, type TeventLine } from "../protocol/tevent/line.ts";
import { stepAgent } from "./agent.ts";
import { stepCallAndAgents } from "./agent-calls.ts";
import { type AgentItem, takeAgents } from "./agent-snapshot.ts";
import { closeUnnamed, namedKey, stepCall, writeDueEndings } from "./call.ts";
import { authorOf, comesWithAnEnding, takeCallData, unknownAuthor } from "./call-data.ts";
import {
  breakCoverage,
  coverDuplicate,
  coverEvent,
  coverHeartbeat,
  coverHello,
  coverOrderlyEnd,
  ledgerRun,
  loseLink,
  noteAnswered,
  regainLink,
} from "./coverage.ts";
import { hashEvent } from "./digest.ts";
import { type EventData, eventData } from "./event-data.ts";
import { hashedKey } from "./key.ts";
import { sessionAt } from "./login-session.ts";
import { writeMark } from "./mark.ts";
import { noteQuality } from "./quality.ts";
import { dropSnapshot, storeEvent } from "./session.ts";
import { aliasKey, estimatedSourceTime, followsCalls, hearClock, type StepContext, updateSource } from "./source.ts";
import { agentHappeningOf, agentItemOf } from "./tevent-agent.ts";
import { routingOf } from "./tevent-routing.ts";
import { isVirtualQueue, virtualStay } from "./tevent-virtual-queue.ts";
import { rememberPresent, takeUserEvent } from "./user-event.ts";
import { closeUnnamedStays, openStayKey } from "./virtual-queue.ts";
import {
  enterStretches,
  enterWindow,
  faultSinceDamage,
  isKept,
  type Stretch,
  sealWindows,
  takeDamage,
} from "./window.ts";
import type { World } from "./world.ts";

/** One line of a snapshot under way: what it says, kept until the end line. */
export type SnapshotItem = SnapshotCall | { readonly agent: AgentItem };

interface SnapshotCall {
  readonly happening: Happening;
  /** Absent: nothing of attached data that is stored. */
  readonly data?: EventData;
  /** Under which run and ConnID the call's later events come, where its key is that of an earlier run. */
  readonly alias: string | null;
  /** ConnID of the call that this one is a consultation of. Absent: it is none. */
  readonly consultOf?: string;
}

// What a snapshot names lies in memory until its end line, and its rows until their one transaction: about 10 KiB a party.
// A site of 10,000 agents has about 20,000 parties at a time; a source that never comes to the end must not take it all.
const snapshotPartiesMax = 100_000;

/** What a server's CTI link is called among the links that it may lose. */
export const switchLink = "CTI link";

/** Takes one frame in. Returns why it could not be decoded, or null. */
export function stepTevent(
  world: World,
  context: StepContext,
  windowSeconds: number,
  envelope: FrameEnvelope,
): string | null {
  const name = context.source.identity.name;
  const line = decodeLine(envelope.frame, envelope.isCut);
  switch (line.kind) {
    case "event":
      if (line.event.isSnapshot) collectSnapshotLine(world, context, line);
      else stepEvent(world, context, windowSeconds, envelope, line);
      return null;
    case "undecodable":
      // When it happened is not known; what is missing before it happened before it came.
      if (line.sequence !== null) {
        takeSequence(world, context, windowSeconds, {
          sequence: line.sequence,
          at: null,
          until: estimatedSourceTime(context.source, envelope.arrivedAt),
        });
      } else damageSnapshot(world, context);
      breakCoverage(world, context.source, context.position, "undecodable frame");
      enterWindow(world, context, windowSeconds, estimatedSourceTime(context.source, envelope.arrivedAt), {
        fault: "undecodable frame",
      });
      return line.reason;
    case "heartbeat":
      writeDueEndings(world, context, line.at);
      faultSinceDamage(world, context, windowSeconds, line.at);
      if (line.lastSeq !== null && line.lastSeq <= (context.source.appliedSequence ?? -1)) {
        updateSource(world, name, { wholeUntil: later(context.source.wholeUntil, line.at) });
      }
      hearClock(world, name, line.at, envelope.arrivedAt);
      coverHeartbeat(world, context, line.at, line.lastSeq, context.source.appliedSequence);
      if (line.lastSeq !== null && line.lastSeq === context.source.appliedSequence) {
        sealWindows(world, context, line.at);
      }
      return null;
    case "gap": {
      breakCoverage(world, context.source, context.position, "gap reported");
      updateSource(world, name, { missedBecause: "gap" });
      const at = estimatedSourceTime(context.source, envelope.arrivedAt);
      enterWindow(world, context, windowSeconds, context.source.clock ?? at, { fault: "gap reported" });
      const detail = `events ${line.from} to ${line.to ?? "?"} cannot be resent`;
      writeMark(world, context, envelope.arrivedAt, "gap reported", detail);
      return null;
    }
    case "snapshot begin":
      dropSnapshot(world, context.source, context.session);
      updateSource(world, name, { snapshotLines: 0, isSnapshotDamaged: false });
      return null;
    case "snapshot end":
      takeSnapshot(world, context, windowSeconds, envelope, line.lastSeq);
      return null;
    case "cti":
    case "link": {
      const what = line.kind === "cti" ? "CTI link" : "link to another server";
      const detail = line.kind === "cti" ? null : `to ${line.to}`;
      writeMark(world, context, envelope.arrivedAt, `${what} ${line.isUp ? "up" : "down"}`, detail);
      const at = line.at ?? estimatedSourceTime(context.source, envelope.arrivedAt);
      const fault = line.kind === "cti" ? "cti link down" : "link to another server down";
      enterWindow(world, context, windowSeconds, at, { fault });
      (line.isUp ? regainLink : loseLink)(world, context, line.kind === "cti" ? switchLink : line.to, fault);
      return null;
    }
    case "unknown control":
      context.count("unknown control line");
      return null;
    case "hello":
      coverHello(world, context, line.lastSeq);
      return null;
    case "resumed":
      noteAnswered(world, context.source);
      return null;
    case "role":
      if (line.role === "backup") coverOrderlyEnd(world, context, line.at, context.source.appliedSequence);
      return null;
    case "bye":
      coverOrderlyEnd(world, context, line.at, context.source.appliedSequence);
      return null;
    case "pong":
    case "error":
      return null;
  }
}

type EventLine = Extract<TeventLine, { kind: "event" }>;

function stepEvent(
  world: World,
  context: StepContext,
  windowSeconds: number,
  envelope: FrameEnvelope,
  { event, members }: EventLine,
): void {
  const { id, sequence, at } = event;
  if (sequence === null) faultSinceDamage(world, context, windowSeconds, at);
  else if (!takeSequence(world, context, windowSeconds, { sequence, at, until: at })) return;
  coverEvent(world, context, at, sequence, isKept(context.source, windowSeconds, at));
  writeDueEndings(world, context, event.at);
  hearClock(world, context.source.identity.name, event.at, envelope.arrivedAt);
  const hash = hashEvent({ run: ledgerRun(context.source), id, sequence, at, members });
  enterWindow(world, context, windowSeconds, at, { event: { sequence, hash } });
  sealWindows(world, context, at);
  const session = world.get("session", String(context.session));
  if (session !== undefined) {
    storeEvent(world, session, { arrivedAt: envelope.arrivedAt, at: event.at, sequence: event.sequence });
  }
  if (!followsCalls(context.source)) return;
  const agent = context.source.writesAgents ? agentHappeningOf(context, event, members) : null;
  if (agent !== null) {
    stepAgent(world, context, agent);
    return takeUserEvent(world, context, event, members);
  }
  const data = eventData(world, context, event, members);
  const named = data && nameKnownCall(world, context, event);
  const take = (isFirst: boolean) => {
    if (data === null || named === null) return;
    takeCallData(world, context, named.callId, data, { at, by: authorOf(event, isFirst) });
  };
  const isFirst = named !== null && world.get("call", named.callId) === undefined;
  if (comesWithAnEnding(event)) take(false);
  for (const happening of happeningsOf(world, context, event, members["UserData"])) {
    stepCallAndAgents(world, context, happening);
  }
  if (!comesWithAnEnding(event)) take(isFirst);
  takeUserEvent(world, context, event, members);
}

/** As nameCall; a call that had a CallUUID is found by its ConnID too. */
function nameKnownCall(world: World, context: StepContext, event: TEvent): Pick<NamedCall, "callId"> | null {
  const named = nameCall(world, context, event);
  if (named === null || event.connId === null || world.get("call", named.callId) !== undefined) return named;
  return event.callUuid === null ? (world.callByConnId(context.source.identity.name, event.connId) ?? named) : named;
}

interface Numbered {
  readonly sequence: number;
  /** Null: it cannot be decoded. */
  readonly at: SourceInstant | null;
  /** It happened no later. */
  readonly until: SourceInstant;
}

/** Applies the sequence rules; false: a duplicate, to be dropped. */
function takeSequence(
  world: World,
  context: StepContext,
  windowSeconds: number,
  { sequence, at, until }: Numbered,
): boolean {
  const { appliedSequence: applied, identity, wholeUntil } = context.source;
  if (applied !== null && sequence <= applied) {
    context.count("duplicate event");
    coverDuplicate(world, context, at);
    return false;
  }
  // A run's events start at 1; what came before our first one of a run that we never saw is the snapshot's business.
  const isHole = applied !== null && sequence > applied + 1;
  if (isHole) {
    context.count("hole in the sequence");
    breakCoverage(world, context.source, context.position, "hole");
  }
  enterMissing(world, context, windowSeconds, until, isHole ? [applied + 1, sequence - 1] : null);
  updateSource(world, identity.name, {
    appliedSequence: sequence,
    wholeUntil: at === null ? (wholeUntil ?? null) : later(wholeUntil, at),
  });
  return true;
}

/**
 * What is missing before a word of the source belongs to any window from when it last told that nothing is up to this word.
 * Damage and hole at once, for windows are entered as time goes on; and before the word itself.
 */
function enterMissing(
  world: World,
  context: StepContext,
  windowSeconds: number,
  until: SourceInstant,
  hole: readonly [from: number, to: number] | null,
): void {
  const damage = takeDamage(world, context, until);
  if (damage === null && hole === null) return;
  const { wholeUntil, clock } = context.source;
  const missing = hole && { from: wholeUntil ?? clock ?? until, until, entry: { hole } };
  enterStretches(
    world,
    context,
    windowSeconds,
    [damage, missing].filter((each) => each !== null),
  );
}

function later(known: SourceInstant | null | undefined, at: SourceInstant): SourceInstant {
  return known == null || known < at ? at : known;
}

/**
 * The projection of a line failed, but it came: its number is taken, for else it would look like a hole; its call is
 * doubtful; and a snapshot that lacks it may not end anything.
 */
export function passOverLine(
  world: World,
  context: StepContext,
  windowSeconds: number,
  { frame, isCut }: FrameEnvelope,
): void {
  let line: TeventLine;
  try {
    line = decodeLine(frame, isCut);
  } catch {
    return damageSnapshot(world, context); // the decoder itself is what failed
  }
  if (line.kind !== "event") return damageSnapshot(world, context);
  const { event } = line;
  if (event.sequence === null) damageSnapshot(world, context);
  else takeSequence(world, context, windowSeconds, { sequence: event.sequence, at: event.at, until: event.at });
  const named = nameCall(world, context, event);
  if (named !== null && world.get("call", named.callId) !== undefined) {
    noteQuality(world, context, "G_CALL", named.callId, "event not projected", null);
  }
  const agent = event.thisDn === null ? undefined : sessionAt(world, context.source.identity.name, event.thisDn);
  if (agent !== undefined) {
    noteQuality(world, context, "G_LOGIN_SESSION", agent.sessionId, "event not projected", null);
  }
}

function damageSnapshot(world: World, context: StepContext): void {
  if (context.source.snapshotLines === null) return;
  updateSource(world, context.source.identity.name, { isSnapshotDamaged: true });
}

function collectSnapshotLine(world: World, context: StepContext, { event, members }: EventLine): void {
  const lines = context.source.snapshotLines;
  if (lines === null) return context.count("snapshot line outside of a snapshot");
  const item = agentLineOf(context, event, members) ?? callLineOf(world, context, event, members);
  if (item === null) return;
  if (lines >= snapshotPartiesMax) {
    context.count("snapshot line beyond the bound");
    return damageSnapshot(world, context);
  }
  world.put("snapshot item", `${context.session}/${lines}`, item);
  updateSource(world, context.source.identity.name, { snapshotLines: lines + 1 });
}

function agentLineOf(context: StepContext, event: TEvent, members: EventLine["members"]): SnapshotItem | null {
  const agent = context.source.writesAgents ? agentItemOf(context, event, members) : null;
  return agent && { agent };
}

function callLineOf(
  world: World,
  context: StepContext,
  event: TEvent,
  members: EventLine["members"],
): SnapshotItem | null {
  const named = nameCall(world, context, event);
  const happening = presentOf(world, context, event);
  if (named === null || happening === null) return null;
  const isConsultation = event.callType === callTypes.consult && event.previousConnId !== null;
  const consultOf = isConsultation ? event.previousConnId : null;
  const data = eventData(world, context, event, members);
  return {
    ...{ happening, alias: named.alias },
    ...(data && { data }),
    ...(consultOf !== null && { consultOf }),
  };
}

function takeSnapshot(
  world: World,
  context: StepContext,
  windowSeconds: number,
  envelope: FrameEnvelope,
  lastSeq: number,
): void {
  const { source } = context;
  const lines = source.snapshotLines;
  if (lines === null) return context.count("snapshot end without its begin");
  const taken: SnapshotCall[] = [];
  const agents: AgentItem[] = [];
  forgetAliases(world, source.identity.name);
  for (let line = 0; line < lines; line++) {
    const item = world.get("snapshot item", `${context.session}/${line}`);
    if (item === undefined) continue;
    if ("agent" in item) {
      agents.push(item.agent);
      continue;
    }
    taken.push(item);
    if (item.alias !== null) world.put("call alias", item.alias, { callId: item.happening.call.callId });
  }
  const items = withParents(taken);
  // A call that is found begins with the earliest of its parties.
  items.sort((a, b) => beganAt(a.happening) - beganAt(b.happening));
  dropSnapshot(world, source, context.session);
  const latestAt = Math.max(
    estimatedSourceTime(source, envelope.arrivedAt),
    ...items.map(({ happening }) => happening.at),
    ...agents.map(({ at }) => at),
  );
  const now = latestAt as SourceInstant;
  const applied = source.appliedSequence;
  const stretches: Stretch[] = [];
  noteAnswered(world, source);
  if (applied !== null && lastSeq < applied) breakCoverage(world, source, context.position, "numbers went back");
  if (applied !== null && lastSeq > applied) {
    context.count("hole in the sequence");
    breakCoverage(world, source, context.position, "hole");
    const from = source.wholeUntil ?? source.clock ?? now;
    stretches.push({ from, until: now, entry: { hole: [applied + 1, lastSeq] } });
  }
  updateSource(world, source.identity.name, { snapshotLines: null, appliedSequence: lastSeq });
  // Of a run that goes on, the numbers tell whether anything was missed; of the end of an earlier run, nothing does.
  const isEndOfRunUnknown = applied === null && source.heardUntil !== null;
  if (lastSeq > (applied ?? 0) || isEndOfRunUnknown) {
    const entry = { fault: "reconciled by snapshot" } as const;
    for (const each of [source.heardUntil, now]) if (each !== null) stretches.push({ from: each, until: each, entry });
  }
  enterStretches(world, context, windowSeconds, stretches);
  const damage = source.isSnapshotDamaged ? "; a line could not be taken in, so nothing was ended" : "";
  const detail = `${items.length} parties, as of event ${lastSeq}${damage}`;
  writeMark(world, context, envelope.arrivedAt, "snapshot taken in", detail);
  if (source.isSnapshotDamaged) enterWindow(world, context, windowSeconds, now, { fault: "snapshot damaged" });
  if (!followsCalls(source)) return;

  const named = new Set<string>();
  const namedStays = new Set<string>();
  for (const { happening, data } of items) {
    const { callId } = happening.call;
    stepCall(world, context, happening);
    const guid = happening.kind === "party present" ? openPartyGuid(world, happening) : undefined;
    if (guid !== undefined) named.add(namedKey(callId, guid));
    const stay = happening.kind === "virtual queue" ? openStayKey(world, context, happening) : undefined;
    if (stay !== undefined) namedStays.add(stay);
    if (happening.kind === "party present") rememberPresent(world, context, callId, happening.party.dn);
    if (data !== undefined) takeCallData(world, context, callId, data, { at: now, by: () => unknownAuthor });
  }
  const unseen: Unseen = { earliest: source.heardUntil ?? now, latest: now, cause: source.missedBecause };
  if (!source.isSnapshotDamaged) {
    closeUnnamedStays(world, context, namedStays, unseen);
    closeUnnamed(world, context, named, unseen);
  }
  if (source.writesAgents) takeAgents(world, context, agents, unseen, !source.isSnapshotDamaged);
}

/** A consultation may stand before its call in the snapshot, and both may be news: only all lines together name it. */
function withParents(items: readonly SnapshotCall[]): SnapshotCall[] {
  const named = new Map(items.map(({ happening: { call } }) => [call.connId, call.callId]));
  return items.map((item) => {
    const { happening, consultOf } = item;
    const parentCallId = consultOf === undefined ? undefined : named.get(consultOf);
    if (parentCallId === undefined || parentCallId === happening.call.callId) return item;
    return { ...item, happening: { ...happening, call: { ...happening.call, parentCallId } } };
  });
}

function beganAt(item: Happening): number {
  return item.kind === "party present" || item.kind === "virtual queue" ? (item.origin ?? item.at) : item.at;
}

function openPartyGuid(world: World, item: Extract<Happening, { kind: "party present" }>): string | undefined {
  if (item.party.guid !== null) return item.party.guid;
  const parties = world.get("call", item.call.callId)?.parties ?? {};
  return Object.values(parties).find((party) => party.dn === item.party.dn)?.guid;
}

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

function happeningsOf(world: World, context: StepContext, event: TEvent, userData: unknown): readonly Happening[] {
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
        },
      ];
    case "EventPartyChanged":
      return partyChanged(world, context, event, call);
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
  if (party === null || event.previousConnId === null || event.previousConnId === event.connId) return [];
  const { parent: _queue, ...moved } = party;
  return [
    {
      kind: "party moved",
      at: event.at,
      call,
      left: otherCall(world, context, event.previousConnId, call.callId),
      by: event.callState === ccEventCauses.conferenced ? "conference" : "transfer",
      party: moved,
      ccEvent: tlibMessages.EventPartyChanged,
      ccCause: event.callState,
    },
  ];
}

function presentOf(world: World, context: StepContext, event: TEvent): Happening | null {
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

interface NamedCall {
  readonly callId: CallId;
  readonly isKeyLocal: boolean;
  /** Where later events of this run have to look for it; null: they come to the same key by themselves. */
  readonly alias: string | null;
}

/** CallUUID names a call; without it the server run in which it was created, and its ConnID. Null: no call is meant. */
function nameCall(world: World, { source }: StepContext, event: TEvent): NamedCall | null {
  if (event.callUuid !== null) return { callId: event.callUuid as CallId, isKeyLocal: false, alias: null };
  if (event.connId === null) return null;
  const run = source.run ?? "";
  const here = aliasKey(source, event.connId);
  const known = world.get("call alias", here);
  if (known !== undefined) return { callId: known.callId, isKeyLocal: false, alias: here };
  const bornIn = event.origin?.run ?? run;
  const callId = hashedKey("call", source.identity.primaryDbid, bornIn, event.connId) as CallId;
  // In a snapshot, a call without its origin may be older than this run: another copy may know it by another key.
  const isKeyLocal = event.isSnapshot && event.origin === null && world.get("call", callId) === undefined;
  return { callId, isKeyLocal, alias: bornIn === run ? null : here };
}

function forgetAliases(world: World, sourceName: string): void {
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
    if (thirdPartyDnRole === partyRoles.conferencedBy) return { dn: thirdPartyDn, by: "conference" };
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
    ...((event.transferHome !== null || event.transferOrigDn !== null) && {
      transferredFrom: { location: event.transferHome, dn: event.transferOrigDn },
    }),
    channels: [],
  };
}
