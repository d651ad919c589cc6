// How links between sites stand in the documented tables.

import { linkMergeStates, linkStates } from "../../schema/dictionary.ts";
import type { SessionId } from "../event/envelope.ts";
import type { CallId } from "../event/happening.ts";
import { type SourceInstant, timestampText, utcSeconds } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { added, stamps, timecodeOf, writeActiveRows, writeCallRow, writeIrRow } from "./call-rows.ts";
import type { LinkEnd } from "./inter-site.ts";
import { noteIfLate } from "./late-change.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Whatever happens to a row of another source's call, it stays one of the session in which its source told of it. */
function inSession(context: StepContext, session: SessionId): StepContext {
  return { ...context, session };
}

export function writeLinkRow(world: World, context: StepContext, linkId: string, end: LinkEnd): void {
  if (end.isPurged) return;
  noteIfLate(world, context, end.source, end.callId);
  world.write("G_IS_LINK", {
    ID: end.rowId,
    LINKID: linkId,
    CALLID: end.callId,
    ISLINKTYPE: end.kind,
    REMOTELOCATION: end.location,
    STATE: end.mergeState === linkMergeStates.notExpected ? linkStates.failed : linkStates.active,
    MERGESTATE: end.mergeState,
    INITIATED: timestampText(end.initiatedAt),
    INITIATED_TS: utcSeconds(end.initiatedAt),
    INITIATED_TCODE: timecodeOf(world, end.initiatedAt),
    TERMINATED: end.endedAt === null ? null : timestampText(end.endedAt),
    TERMINATED_TS: end.endedAt === null ? null : utcSeconds(end.endedAt),
    TERMINATED_TCODE: end.endedAt === null ? null : timecodeOf(world, end.endedAt),
    LASTCHANGE: timestampText(end.changedAt),
    LASTCHANGE_TS: utcSeconds(end.changedAt),
    LASTCHANGE_TCODE: timecodeOf(world, end.changedAt),
    ...stamps(world, inSession(context, end.session), end.rowId),
    GSYS_EXT_VCH1: end.sequence === null ? null : String(end.sequence),
  });
}

export function writeLinkHistory(
  world: World,
  context: StepContext,
  linkId: string,
  end: LinkEnd,
  row: {
    readonly change: number;
    readonly state: number;
    readonly previous: CallId | null;
    readonly at: SourceInstant;
  },
): void {
  const id = world.nextRowId();
  world.write("G_IS_LINK_HISTORY", {
    ID: id,
    LINKID: linkId,
    SEQ: end.changes,
    CHANGETYPE: row.change,
    STATE: row.state,
    CALLID: end.callId,
    PREVCALLID: row.previous,
    ...added(world, row.at),
    ...stamps(world, inSession(context, end.session), id),
  });
}

/** The rows that say what a call belongs to. `endedAt` null: it goes on. */
export function writeJoinedRows(
  world: World,
  context: StepContext,
  call: Call,
  { session, endedAt }: { readonly session: SessionId; readonly endedAt: SourceInstant | null },
): void {
  const own = inSession(context, session);
  writeCallRow(world, own, call, endedAt);
  writeIrRow(world, own, call, endedAt);
  if (endedAt === null) writeActiveRows(world, own, call);
  else noteIfLate(world, context, call.source, call.callId);
}
