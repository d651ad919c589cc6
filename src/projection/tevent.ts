// The T-Event link: from one decoded line, in order, to what happened. Here live the sequence rules of a server run; what
// an event says of calls and agents is tevent-call.ts and tevent-agent.ts, what it means is their machines'.
//
// A sequence number at or below the applied one is a duplicate: counted, dropped. A jump is a hole: its range goes into the
// ledger, nothing waits for it.

import type { FrameEnvelope } from "../event/envelope.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { TEvent } from "../event/tevent.ts";
import { decodeLine, type TeventLine } from "../protocol/tevent/line.ts";
import { stepAgent } from "./agent.ts";
import { closeOverdueSessions } from "./agent-bounds.ts";
import { stepCallAndAgents } from "./agent-calls.ts";
import { authorOf, comesWithAnEnding, takeCallData } from "./call-data.ts";
import { writeDueEndings } from "./call-ending.ts";
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
import { eventData } from "./event-data.ts";
import { linkNewsOf, takeLinks } from "./inter-site-link.ts";
import { sessionAt } from "./login-session.ts";
import { writeMark } from "./mark.ts";
import { noteQuality } from "./quality.ts";
import { dropSnapshot, storeEvent } from "./session.ts";
import { estimatedSourceTime, followsCalls, hearClock, type StepContext, updateSource } from "./source.ts";
import { agentHappeningOf } from "./tevent-agent.ts";
import { happeningsOf, type NamedCall, nameCall } from "./tevent-call.ts";
import { collectSnapshotLine, damageSnapshot, takeSnapshot } from "./tevent-snapshot.ts";
import { takeUserEvent } from "./user-event.ts";
import { enterStretches, enterWindow, faultSinceDamage, isKept, sealWindows, takeDamage } from "./window.ts";
import type { World } from "./world.ts";

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
      closeOverdueSessions(world, context, line.at);
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
  if (hasUnknownName(event, members)) context.count("enumeration with an unknown name");
  coverEvent(world, context, at, sequence, isKept(context.source, windowSeconds, at));
  writeDueEndings(world, context, event.at);
  closeOverdueSessions(world, context, event.at);
  hearClock(world, context.source.identity.name, event.at, envelope.arrivedAt);
  const hash = hashEvent({ run: ledgerRun(context.source), id, sequence, at, members });
  enterWindow(world, context, windowSeconds, at, { event: { sequence, hash } });
  sealWindows(world, context, at);
  const session = world.get("session", String(context.session));
  if (session !== undefined) {
    storeEvent(world, session, { arrivedAt: envelope.arrivedAt, at: event.at, sequence: event.sequence });
  }
  if (!followsCalls(context.source)) return;
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
  stepLinks(world, context, event, members);
  // A logout ends states of the site's own that name the login session.
  takeUserEvent(world, context, event, members);
  const agent = context.source.writesAgents ? agentHappeningOf(context, event, members) : null;
  if (agent !== null) stepAgent(world, context, agent);
}

/** It is taken for not told. */
function hasUnknownName({ callType, callState, thisDnRole }: TEvent, members: EventLine["members"]): boolean {
  return (
    (callType === null && typeof members["CallType"] === "string") ||
    (callState === null && typeof members["CallState"] === "string") ||
    (thisDnRole === null && typeof members["ThisDNRole"] === "string")
  );
}

function stepLinks(world: World, context: StepContext, event: TEvent, members: EventLine["members"]): void {
  const news = linkNewsOf(context, event, members);
  const named = news && nameKnownCall(world, context, event);
  if (news === null || named === null) return;
  takeLinks(world, context, { callId: named.callId, news, at: event.at, sequence: event.sequence });
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
