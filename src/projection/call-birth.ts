// A call's beginning, and what is learnt of it as it goes on.

import { callChangeTypes, irChangeTypes } from "../../schema/dictionary.ts";
import { type CallFacts, type CallType, callTypes } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { writeActiveRows, writeCallHistory, writeCallRow, writeIrHistory, writeIrRow } from "./call-rows.ts";
import { hashedKey } from "./key.ts";
import { noteQuality } from "./quality.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** With its first rows. */
export function createCall(world: World, context: StepContext, facts: CallFacts, at: SourceInstant): Call {
  const irId = hashedKey("ir", facts.callId);
  const call: Call = {
    source: context.source.identity.name,
    callId: facts.callId,
    irId,
    rowId: world.nextRowId(),
    irRowId: world.nextRowId(),
    activeRowId: world.nextRowId(),
    irActiveRowId: world.nextRowId(),
    isKeyLocal: facts.isKeyLocal,
    connId: facts.connId,
    parentCallId: facts.parentCallId,
    switchCallId: facts.switchCallId,
    callType: facts.callType ?? callTypes.unknown,
    ani: facts.ani,
    dnis: facts.dnis,
    createdAt: at,
    isMonitored: false,
    partyChanges: 0,
    stays: 0,
    endedAt: null,
    parties: {},
    totals: {},
  };
  writeCallRow(world, context, call, null);
  writeIrRow(world, context, call, null);
  writeCallHistory(world, context, call, callChangeTypes.created, at);
  writeIrHistory(world, context, call, irChangeTypes.created, at);
  writeActiveRows(world, context, call);
  if (call.isKeyLocal) noteQuality(world, context, "G_CALL", call.callId, "key is local", null);
  return call;
}

/** What an event says of the call as a whole; null there says nothing. */
export function learnFacts(world: World, context: StepContext, call: Call, facts: CallFacts): Call {
  const learned: Call = {
    ...call,
    connId: facts.connId ?? call.connId,
    parentCallId: facts.parentCallId ?? call.parentCallId,
    switchCallId: facts.switchCallId ?? call.switchCallId,
    callType: learntCallType(call, facts),
    ani: call.ani ?? facts.ani,
    dnis: call.dnis ?? facts.dnis,
  };
  const isNews =
    learned.connId !== call.connId ||
    learned.parentCallId !== call.parentCallId ||
    learned.switchCallId !== call.switchCallId ||
    learned.callType !== call.callType ||
    learned.ani !== call.ani ||
    learned.dnis !== call.dnis;
  if (!isNews) return call;
  writeCallRow(world, context, learned, null);
  writeActiveRows(world, context, learned);
  world.put("call", learned.callId, learned);
  return learned;
}

/** A transfer may tell of a call that seemed to be any other that it was a consultation. */
function learntCallType({ callType }: Call, facts: CallFacts): CallType {
  if (facts.callType === null) return callType;
  return callType === callTypes.unknown || facts.callType === callTypes.consult ? facts.callType : callType;
}
