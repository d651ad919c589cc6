// A role is switched off or on while calls and login sessions go on. What was recorded ends where recording does, and what
// is recorded begins where it begins: no row stays open that nobody would close.
//
// 1. With its role a call's or a session's record ends, at the source's time of that moment, and ICON_ROW_QUALITY says
//    "end not seen", cause "not recorded", from then on (EARLIEST; nobody knows until when).
// 2. Where agents or attached data are still stored, calls are followed further, without rows. When gcc is switched on they
//    get theirs, with word that what came before is not there. A call that was recorded before has two records then: the
//    second begins where the first ended, so nothing of it is counted twice. Where no role needs them any more, calls are
//    forgotten, and their attached data ends with what was known.
// 3. The second record's rows have new ids, of attached data too. A purge asked for in between judges the first by itself,
//    and it makes no difference when it is done.

import { callChangeTypes, irChangeTypes } from "../../schema/dictionary.ts";
import type { ColumnTable } from "../event/attached-data.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { leave, note } from "./agent.ts";
import { type Call, rewriteCall } from "./call.ts";
import { endCallData } from "./call-data.ts";
import { writeDueEndings } from "./call-ending.ts";
import { eraseActiveRows, writeCallHistory, writeCallRow, writeIrHistory, writeIrRow } from "./call-rows.ts";
import { forgetClosed } from "./closed-agent.ts";
import { rewriteLinks } from "./inter-site-join.ts";
import { closeLinks } from "./inter-site-link.ts";
import { agentDn, type LoginSession, notBefore, sessionAt } from "./login-session.ts";
import { endParty, type Party } from "./party.ts";
import { noteQuality } from "./quality.ts";
import { aliasKey, followsCalls, type SourceState, type StepContext, stepContext, updateSource } from "./source.ts";
import { writeCallStatistics } from "./statistics.ts";
import { endStaysOfCall, rewriteStays } from "./virtual-queue.ts";
import type { World } from "./world.ts";

type Roles = Pick<SourceState, "writesCalls" | "writesAgents" | "writesUserData">;

export function rolesOf(role: readonly string[]): Roles {
  return {
    writesCalls: role.includes("gcc"),
    writesAgents: role.includes("gls"),
    writesUserData: role.includes("gud"),
  };
}

/** Ends the records of roles that are on and will not be. Before the new roles are in force, for rows of theirs are left out then. */
export function endRoles(world: World, position: bigint, roles: Roles): void {
  for (const [, source] of world.all("source")) {
    const context = contextOf(world, source, position);
    const now = nowOf(source);
    if (source.writesAgents && !roles.writesAgents) endSessions(world, context, now);
    const isRecordEnding = source.writesCalls && !roles.writesCalls;
    const isFollowed = followsCalls({ ...source, ...roles });
    if (!isRecordEnding && (isFollowed || !followsCalls(source))) continue;
    // Nothing that comes late can be stored any more.
    const timeoutMs = source.options.callDeletionTimeoutSeconds * 1000;
    writeDueEndings(world, context, sourceInstant(now + timeoutMs));
    for (const [, call] of world.all("call")) {
      if (call.source !== source.identity.name) continue;
      const next = isRecordEnding ? endRecord(world, context, call, now) : call;
      if (isFollowed) world.put("call", call.callId, next);
      else forget(world, context, call, now);
    }
    for (const [, { source: name, callId }] of world.all("virtual queue")) {
      if (name === source.identity.name) endStaysOfCall(world, context, callId, now, null);
    }
  }
}

/** Begins what a role that was off until now has of what goes on. `source` is as it is from here on. */
export function beginRoles(world: World, position: bigint, before: SourceState, source: SourceState): void {
  if (!source.writesCalls || before.writesCalls) return;
  const context = contextOf(world, source, position);
  if (!followsCalls(before)) {
    // What is heard of next may have begun before.
    updateSource(world, source.identity.name, { missedBecause: "not recorded" });
    return;
  }
  const now = nowOf(source);
  for (const [, call] of world.all("call")) {
    if (call.source !== source.identity.name) continue;
    const anew = withNewIds(world, call);
    for (const table of Object.keys(world.get("call data", call.callId)?.columns ?? {})) {
      world.erase(table as ColumnTable, call.rowId);
    }
    world.put("call", call.callId, anew);
    rewriteCall(world, context, anew, now, "not recorded");
  }
  for (const [key, known] of world.all("virtual queue")) {
    if (known.source !== source.identity.name) continue;
    world.put("virtual queue", key, {
      ...known,
      stays: known.stays.map((stay) => ({ ...stay, rowId: world.nextRowId() })),
    });
  }
  rewriteStays(world, context);
  rewriteLinks(world, context);
}

function contextOf(world: World, source: SourceState, position: bigint): StepContext {
  return stepContext(world, source, source.openSession ?? (0 as never), position);
}

function nowOf({ clock, instance }: SourceState): SourceInstant {
  return clock ?? sourceInstant(instance.startedAt);
}

/** Returns the call as it goes on without rows. */
function endRecord(world: World, context: StepContext, call: Call, now: SourceInstant): Call {
  const parties = Object.values(call.parties);
  const at = sourceInstant(Math.max(now, call.createdAt, ...parties.map(({ since }) => since)));
  let ended = call;
  for (const party of parties) ended = endParty(world, context, ended, party, at, { ccEvent: 0, ccCause: null });
  const doubt = { earliest: at, latest: null, cause: "not recorded" } as const;
  noteQuality(world, context, "G_CALL", call.callId, "end not seen", doubt);
  writeCallRow(world, context, ended, at);
  writeIrRow(world, context, ended, at);
  writeCallHistory(world, context, ended, callChangeTypes.terminated, at);
  if (ended.merged === undefined) writeIrHistory(world, context, ended, irChangeTypes.terminated, at);
  writeCallStatistics(world, context, ended);
  eraseActiveRows(world, call);
  return withNewIds(world, goingOnFrom(at, call, ended.partyChanges));
}

/** Nobody will hear how it goes on. */
function forget(world: World, context: StepContext, call: Call, now: SourceInstant): void {
  closeLinks(world, context, call, sourceInstant(Math.max(now, call.createdAt)));
  endCallData(world, context, call);
  if (call.connId !== null) world.remove("call alias", aliasKey(context.source, call.connId));
  world.remove("call", call.callId);
}

/** What is counted of it from here on is a record of its own. */
function goingOnFrom(at: SourceInstant, call: Call, partyChanges: number): Call {
  const parties = Object.values(call.parties).map((party): [string, Party] => {
    const { route: _route, ...bare } = party;
    return [party.guid, { ...bare, createdAt: at, since: at, changes: party.changes + 1, totals: {} }];
  });
  return { ...call, createdAt: at, partyChanges, totals: {}, parties: Object.fromEntries(parties) };
}

function withNewIds(world: World, call: Call): Call {
  const parties = Object.values(call.parties).map((party) => [party.guid, { ...party, rowId: world.nextRowId() }]);
  return {
    ...call,
    ...{ rowId: world.nextRowId(), irRowId: world.nextRowId() },
    ...{ activeRowId: world.nextRowId(), irActiveRowId: world.nextRowId() },
    parties: Object.fromEntries(parties) as Call["parties"],
  };
}

function endSessions(world: World, context: StepContext, now: SourceInstant): void {
  forgetClosed(world, context);
  for (const [, session] of world.all("login session")) {
    if (session.source === context.source.identity.name) endSession(world, context, session, now);
  }
}

function endSession(world: World, context: StepContext, session: LoginSession, now: SourceInstant): void {
  const at = notBefore(session, now);
  note(world, context, session, "end not seen", { earliest: at, latest: null, cause: "not recorded" });
  for (const { dn } of session.dns) {
    const current = sessionAt(world, session.source, dn);
    const open = current && agentDn(current, dn)?.endpoints;
    if (current !== undefined && open !== undefined) leave(world, context, current, dn, open, { at, reasons: [] });
  }
}
