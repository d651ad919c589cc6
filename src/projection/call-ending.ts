// A call's end: noted when it is told, or nobody is left; written once late events can no longer come.

import { callChangeTypes, ccEventCauses, irChangeTypes } from "../../schema/dictionary.ts";
import type { CallId, Unseen } from "../event/happening.ts";
import { notSetBack, type SourceInstant, sourceInstant } from "../event/instant.ts";
import { tlibMessages } from "../event/tevent.ts";
import type { Call } from "./call.ts";
import { endCallData } from "./call-data.ts";
import {
  type EventCause,
  eraseActiveRows,
  writeCallHistory,
  writeCallRow,
  writeIrHistory,
  writeIrRow,
} from "./call-rows.ts";
import { joinCalls } from "./inter-site-join.ts";
import { closeLinks, noteLinksDue } from "./inter-site-link.ts";
import { endOutside } from "./outside.ts";
import { endParty, endUnseenParty } from "./party.ts";
import { noteQuality } from "./quality.ts";
import { aliasKey, type StepContext } from "./source.ts";
import { writeCallStatistics } from "./statistics.ts";
import { endStaysOfCall } from "./virtual-queue.ts";
import type { World } from "./world.ts";

/** Writes the endings whose time has come by the source's clock. Called before each event and heartbeat of a source. */
export function writeDueEndings(world: World, context: StepContext, now: SourceInstant): void {
  const due = new Map<CallId, { readonly call: Call; readonly at: SourceInstant }>();
  // Under a source's own name only calls are reminded of.
  const reminded = world.takeDue(context.source.identity.name, now) as readonly CallId[];
  for (const callId of reminded) {
    const call = world.get("call", callId);
    if (call?.endedAt == null) continue;
    const at = sourceInstant(call.endedAt + context.source.options.callDeletionTimeoutSeconds * 1000);
    if (at <= now) due.set(callId, { call, at });
    else world.schedule(call.source, at, callId); // it went on and ended again, or the timeout was raised meanwhile
  }
  // In the order of what the calls say and not of the reminders: a call that had ended before has an older one too, but
  // not after a restart, and the rows must be the same.
  const inOrder = [...due.values()].sort((a, b) => a.at - b.at || (a.call.callId < b.call.callId ? -1 : 1));
  for (const { call } of inOrder) if (call.endedAt !== null) writeEnding(world, context, call, call.endedAt);
  for (const callId of noteLinksDue(world, context, reminded, now)) joinCalls(world, context, callId);
}

/** It has ended. `unseen`: nobody saw it, and it is written at once. */
export function endCall(
  world: World,
  context: StepContext,
  call: Call,
  at: SourceInstant,
  unseen: Unseen | null,
): void {
  let rest = call;
  for (const party of Object.values(call.parties)) {
    rest =
      unseen === null
        ? endParty(world, context, rest, party, at, { ccEvent: tlibMessages.EventCallDeleted, ccCause: null })
        : endUnseenParty(world, context, rest, party, unseen);
  }
  if (unseen === null) return settle(world, context, { ...rest, endedAt: at });
  noteQuality(world, context, "G_CALL", call.callId, "end not seen", unseen);
  const since = Object.values(call.parties).map((party) => party.since);
  endStaysOfCall(world, context, call.callId, at, unseen);
  writeEnding(world, context, rest, sourceInstant(Math.max(at, call.createdAt, ...since)));
}

/** Its last party inside has gone. That somebody transferred the call is said of that party alone. */
export function overBy(call: Call, at: SourceInstant, { ccEvent, ccCause }: EventCause): Call {
  const endedBy = { ccEvent, ccCause: ccCause === ccEventCauses.transferred ? null : ccCause };
  return { ...call, endedAt: call.endedAt ?? at, endedBy };
}

/**
 * A party has begun. Where the source had told the call's end already, it will not tell it a second time: then the call
 * ends with its last party.
 */
export function goingOn(call: Call): Call {
  if (call.endedAt === null) return call;
  const { endedBy: _before, ...goes } = call;
  return { ...goes, endedAt: null, isMonitored: false };
}

/** Keeps the call, and looks again when its ending may be written. */
export function settle(world: World, context: StepContext, call: Call): void {
  const timeoutMs = context.source.options.callDeletionTimeoutSeconds * 1000;
  if (call.endedAt !== null && timeoutMs === 0) return writeEnding(world, context, call, call.endedAt);
  world.put("call", call.callId, call);
  if (call.endedAt !== null) world.schedule(call.source, sourceInstant(call.endedAt + timeoutMs), call.callId);
}

function writeEnding(world: World, context: StepContext, over: Call, toldAt: SourceInstant): void {
  // Neither before it began nor before the last of its parties, though the source's clock was set back meanwhile.
  const at = notSetBack(over.latest ?? over.createdAt, notSetBack(over.createdAt, toldAt));
  const call = endOutside(world, context, over, at);
  writeCallRow(world, context, call, at);
  writeIrRow(world, context, call, at);
  writeCallHistory(world, context, call, callChangeTypes.terminated, at);
  // That of a merged call has ended with the merge.
  if (call.merged === undefined) writeIrHistory(world, context, call, irChangeTypes.terminated, at);
  endStaysOfCall(world, context, call.callId, at, null);
  writeCallStatistics(world, context, call);
  eraseActiveRows(world, call);
  endCallData(world, context, call);
  closeLinks(world, context, call, at);
  if (call.connId !== null) world.remove("call alias", aliasKey(context.source, call.connId));
  world.remove("call", call.callId);
  joinCalls(world, context, call.callId);
}
