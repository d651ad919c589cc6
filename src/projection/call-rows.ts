// How a call and its parties stand in the documented tables: whole rows, written again whenever something changed.

import { callChangeTypes, irChangeTypes, irStates, parentLinkTypes } from "../../schema/dictionary.ts";
import { type SourceInstant, timecode, timestampText, utcSeconds } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { rootIrOf } from "./inter-site.ts";
import { isHistoryStored, isPartyStored } from "./left-out.ts";
import { type Party, partyGuid } from "./party.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** The call control event behind a change: T-Lib message number (0: none was seen) and TCallState. */
export interface EventCause {
  readonly ccEvent: number;
  readonly ccCause: number | null;
}

// TMediaVoice [S: tlib-enums]
export const voice = 0;

/** While a call goes on it stands in the Active tables; a row left there says that its ending was never written. */
export function writeActiveRows(world: World, context: StepContext, call: Call): void {
  world.write("G_CALL_ACTIVE", {
    ID: call.activeRowId,
    CALLID: call.callId,
    PARENTCALLID: call.parentCallId,
    MERGECALLID: call.merged?.callId ?? null,
    MERGETYPE: call.merged?.type ?? null,
    CONNID: call.connId,
    CONNIDNUM: connIdNumber(call.connId),
    SWITCHCALLID: call.switchCallId,
    IRID: call.irId,
    ROOTIRID: rootIrOf(call),
    MEDIATYPE: voice,
    CALLTYPE: call.callType,
    CALLANI: call.ani,
    CALLDNIS: call.dnis,
    ...created(world, call.createdAt),
    ...stamps(world, context, call.activeRowId),
  });
  // An interaction record that was merged has ended, though the call goes on.
  if (call.merged !== undefined) return;
  world.write("G_IR_ACTIVE", {
    ID: call.irActiveRowId,
    IRID: call.irId,
    STATE: irStates.active,
    PARENTIRID: call.joined?.irId ?? null,
    PARENTLINKTYPE: parentLinkTypes.none,
    ROOTCALLID: call.callId,
    ...created(world, call.createdAt),
    ...stamps(world, context, call.irActiveRowId),
  });
}

export function eraseActiveRows(world: World, call: Call): void {
  world.erase("G_CALL_ACTIVE", call.activeRowId);
  world.erase("G_IR_ACTIVE", call.irActiveRowId);
}

export function writeCallRow(world: World, context: StepContext, call: Call, terminatedAt: SourceInstant | null): void {
  world.write("G_CALL", {
    ID: call.rowId,
    CALLID: call.callId,
    PARENTCALLID: call.parentCallId,
    MERGECALLID: call.merged?.callId ?? null,
    MERGETYPE: call.merged?.type ?? null,
    CONNID: call.connId,
    CONNIDNUM: connIdNumber(call.connId),
    SWITCHCALLID: call.switchCallId,
    IRID: call.irId,
    ROOTIRID: rootIrOf(call),
    MEDIATYPE: voice,
    CALLTYPE: call.callType,
    CALLANI: call.ani,
    CALLDNIS: call.dnis,
    ...span(world, call.createdAt, terminatedAt),
    ...stamps(world, context, call.rowId),
  });
}

/** `callEndedAt` null: the call goes on. One that was merged has ended with the merge. */
export function writeIrRow(world: World, context: StepContext, call: Call, callEndedAt: SourceInstant | null): void {
  const endedAt = call.merged?.at ?? callEndedAt;
  world.write("G_IR", {
    ID: call.irRowId,
    IRID: call.irId,
    STATE: endedAt === null ? irStates.active : irStates.terminated,
    PARENTIRID: call.merged?.irId ?? call.joined?.irId ?? null,
    PARENTLINKTYPE: parentLinkTypes.none,
    ROOTCALLID: call.callId,
    ...span(world, call.createdAt, endedAt),
    ...stamps(world, context, call.irRowId),
  });
}

export function writeCallHistory(
  world: World,
  context: StepContext,
  call: Call,
  change: number,
  at: SourceInstant,
): void {
  const id = world.nextRowId();
  world.write("G_CALL_HISTORY", {
    CHID: id,
    CALLID: call.callId,
    // A call is created, merged once at most, and terminated.
    CSEQ: change === callChangeTypes.created ? 1 : change === callChangeTypes.terminated && call.merged ? 3 : 2,
    CHANGETYPE: change,
    REFID: change === callChangeTypes.terminated ? (call.merged?.callId ?? null) : null,
    ...added(world, at),
    ...stamps(world, context, id),
  });
}

export function writeIrHistory(
  world: World,
  context: StepContext,
  call: Call,
  change: number,
  at: SourceInstant,
): void {
  const id = world.nextRowId();
  world.write("G_IR_HISTORY", {
    IRHID: id,
    IRID: call.irId,
    // It is created, and ends once: with its call, or when that is merged.
    XSEQ: change === irChangeTypes.created ? 1 : 2,
    CHANGETYPE: change,
    REFID: change === irChangeTypes.merged ? (call.merged?.irId ?? null) : null,
    ...added(world, at),
    ...stamps(world, context, id),
  });
}

export function writePartyRow(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  state: number,
  cause: EventCause,
  terminatedAt: SourceInstant | null,
  previousState: number | null = null,
): void {
  if (!isPartyStored(context.source.options, party)) return;
  world.write("G_PARTY", {
    ID: party.rowId,
    PARTYID: party.partyId,
    PARTYGUID: partyGuid(party),
    TYPE: party.type,
    PROLE: party.role,
    PARENTPARTYID: party.parent?.partyId ?? null,
    PARENTLINKTYPE: party.parent?.type ?? null,
    CALLID: call.callId,
    STATE: state,
    PREVSTATE: previousState,
    ENDPOINTDN: party.dn,
    AGENTID: null,
    CCEVENT: cause.ccEvent,
    CCEVENTCAUSE: cause.ccCause,
    ...span(world, party.createdAt, terminatedAt),
    ...stamps(world, context, party.rowId),
    ...(party.transferredFrom && {
      GSYS_EXT_VCH1: party.transferredFrom.location,
      GSYS_EXT_VCH2: party.transferredFrom.dn,
    }),
  });
}

export function writePartyHistory(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  row: {
    readonly change: number;
    readonly state: number;
    readonly previous: number | null;
    readonly at: SourceInstant;
    readonly cause: EventCause;
  },
): void {
  if (!isHistoryStored(context.source.options, party)) return;
  const id = world.nextRowId();
  world.write("G_PARTY_HISTORY", {
    PHID: id,
    PARTYID: party.partyId,
    PSEQ: party.changes,
    CSEQ: call.partyChanges,
    CHANGETYPE: row.change,
    CCEVENT: row.cause.ccEvent,
    CCEVENTCAUSE: row.cause.ccCause,
    STATE: row.state,
    PREVSTATE: row.previous,
    ...added(world, row.at),
    ...stamps(world, context, id),
  });
}

/** Columns that every row has: the session in which it was processed, and the insert and update sequences. */
export function stamps(world: World, context: StepContext, insertSequence?: number) {
  const update = world.nextRowId();
  return { GSYS_DOMAIN: context.session, GSYS_SEQ: insertSequence ?? update, GSYS_USEQ: update };
}

export function created(world: World, at: SourceInstant) {
  return { CREATED: timestampText(at), CREATED_TS: utcSeconds(at), CREATED_TCODE: timecodeOf(world, at) };
}

export function span(world: World, createdAt: SourceInstant, terminatedAt: SourceInstant | null) {
  return {
    ...created(world, createdAt),
    TERMINATED: terminatedAt === null ? null : timestampText(terminatedAt),
    TERMINATED_TS: terminatedAt === null ? null : utcSeconds(terminatedAt),
    TERMINATED_TCODE: terminatedAt === null ? null : timecodeOf(world, terminatedAt),
  };
}

export function added(world: World, at: SourceInstant) {
  return { ADDED: timestampText(at), ADDED_TS: utcSeconds(at), ADDED_TCODE: timecodeOf(world, at) };
}

/** The step of G_TIMECODE that a row refers to; it gets its row there with the first that does. */
export function timecodeOf(world: World, at: SourceInstant): number {
  const code = timecode(at);
  world.refer(code);
  return code;
}

/** CONNIDNUM is numeric(20): beyond what a double holds exactly, so it is written as decimal digits. */
function connIdNumber(connId: string | null): string | null {
  return connId !== null && /^[0-9a-fA-F]{1,16}$/.test(connId) ? BigInt(`0x${connId}`).toString() : null;
}
