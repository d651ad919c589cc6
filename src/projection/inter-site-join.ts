// Interaction records of calls that links tie together, joined into one hierarchy.
//
//   North   C1 ──source──┐                        IR1
//   South                └─target── C2 ──source─┐   └─ IR2   PARENTIRID IR1, ROOTIRID of C2: IR1
//   West                                        └─    └─ IR3
//
// 1. The record of the call at the target's end gets that of the source's end as its parent, as soon as both ends are known
//    and whichever came first; also when it has ended meanwhile. Of several the first link counts. A parent by a transfer or
//    conference within the switch goes before. What would close a circle is left out.
// 2. All of it is complete when each of its calls' endings is written, and each link has both ends, has waited long enough
//    or leads to a switch whose calls are not recorded. MERGESTATE says so then, and what was remembered is let go: a link
//    told afterwards is another one.
// 3. A purge lets go of what it deletes, so that nothing is written of a call that may be gone.

import { linkMergeStates } from "../../schema/dictionary.ts";
import type { CallId } from "../event/happening.ts";
import { type SourceInstant, utcSeconds } from "../event/instant.ts";
import type { Call } from "./call.ts";
import {
  dueAt,
  endOf,
  type InterSiteLink,
  isExpected,
  joinedTo,
  type LinkEnd,
  linksOf,
  originOf,
  partnerOf,
  rememberedCall,
  rootIrOf,
} from "./inter-site.ts";
import { writeJoinedRows, writeLinkRow } from "./inter-site-rows.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** After a change of this call's links, or of itself. */
export function joinCalls(world: World, context: StepContext, callId: CallId): void {
  const links = linksOf(world, callId);
  if (links.length === 0) return;
  for (const link of links) expectPartner(world, context, link);
  findParent(world, context, callId);
  for (const link of links) {
    const [one, other] = link.ends;
    if (one !== undefined && other !== undefined)
      findParent(world, context, one.callId === callId ? other.callId : one.callId);
  }
  settle(world, context, callId);
}

/** A partner came after all. */
function expectPartner(world: World, context: StepContext, { linkId, ends }: InterSiteLink): void {
  if (ends.length < 2) return;
  const { timedOut, notExpected, waiting } = linkMergeStates;
  const next = ends.map((end): LinkEnd => {
    return end.mergeState === timedOut || end.mergeState === notExpected ? { ...end, mergeState: waiting } : end;
  });
  if (next.every((end, index) => end === ends[index])) return;
  world.put("inter-site link", linkId, { linkId, ends: next });
  for (const [index, end] of next.entries()) if (end !== ends[index]) writeLinkRow(world, context, linkId, end);
}

function findParent(world: World, context: StepContext, callId: CallId): void {
  const call = rememberedCall(world, callId);
  if (call === undefined) return;
  const origins = linksOf(world, callId).flatMap((link) => {
    const [own, origin] = [endOf(link, callId), originOf(link)];
    return own === undefined || origin === undefined || origin.callId === callId ? [] : [{ link, own, origin }];
  });
  origins.sort((a, b) => a.own.initiatedAt - b.own.initiatedAt || (a.link.linkId < b.link.linkId ? -1 : 1));
  const first = origins.find(({ origin }) => !leadsBackTo(world, origin.callId, callId));
  if (first === undefined) return;
  const joined = joinedTo(world, first.origin.callId);
  if (call.joined?.callId === joined.callId && call.joined.rootIrId === joined.rootIrId) return;
  putJoined(world, context, { ...call, joined }, first.own);
  tellRoot(world, context, callId);
}

function leadsBackTo(world: World, from: CallId, callId: CallId): boolean {
  const seen = new Set<CallId>();
  for (let at: CallId | undefined = from; at !== undefined && !seen.has(at); ) {
    if (at === callId) return true;
    seen.add(at);
    const call: Call | undefined = rememberedCall(world, at);
    at = call?.merged?.callId ?? call?.joined?.callId;
  }
  return false;
}

/** Calls that came from this one have another root now. There are no circles. */
function tellRoot(world: World, context: StepContext, callId: CallId): void {
  const call = rememberedCall(world, callId);
  if (call === undefined) return;
  const rootIrId = rootIrOf(call);
  for (const link of linksOf(world, callId)) {
    const own = endOf(link, callId);
    const partner = own && partnerOf(link, own);
    const other = partner && rememberedCall(world, partner.callId);
    if (partner === undefined || other?.joined?.callId !== callId || other.joined.rootIrId === rootIrId) continue;
    putJoined(world, context, { ...other, joined: { ...other.joined, rootIrId } }, partner);
    tellRoot(world, context, partner.callId);
  }
}

function putJoined(world: World, context: StepContext, call: Call, { session }: LinkEnd): void {
  if (world.get("call", call.callId) !== undefined) {
    world.put("call", call.callId, call);
    return writeJoinedRows(world, context, call, { session, endedAt: null });
  }
  const linked = world.get("linked call", call.callId);
  if (linked?.closed === undefined) return;
  const closed = { ...linked.closed, call };
  world.put("linked call", call.callId, { ...linked, closed });
  writeJoinedRows(world, context, call, closed);
}

/** Says that it is complete, and lets go of it, once it is. */
function settle(world: World, context: StepContext, callId: CallId): void {
  const calls = new Set([callId]);
  const links = new Map<string, InterSiteLink>();
  for (const each of calls) {
    if (world.get("call", each) !== undefined) return;
    for (const link of linksOf(world, each)) {
      if (link.ends.length < 2 && link.ends.some(({ mergeState }) => mergeState === linkMergeStates.waiting)) return;
      links.set(link.linkId, link);
      for (const end of link.ends) calls.add(end.callId);
    }
  }
  for (const [linkId, { ends }] of [...links].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (ends.length > 1) {
      for (const end of ends) writeLinkRow(world, context, linkId, { ...end, mergeState: linkMergeStates.merged });
    }
    world.remove("inter-site link", linkId);
  }
  for (const each of calls) world.remove("linked call", each);
}

/** The configuration may expect other switches now, or waits for another while. */
export function expectAnew(world: World, context: StepContext): void {
  const concerned = new Set<CallId>();
  for (const [linkId, { ends }] of world.all("inter-site link")) {
    const [end] = ends;
    if (ends.length !== 1 || end === undefined || end.source !== context.source.identity.name) continue;
    if (end.mergeState !== linkMergeStates.waiting || isExpected(world, end.location)) continue;
    const next = { ...end, mergeState: linkMergeStates.notExpected };
    world.put("inter-site link", linkId, { linkId, ends: [next] });
    writeLinkRow(world, context, linkId, next);
    concerned.add(end.callId);
  }
  for (const callId of concerned) settle(world, context, callId);
}

/** Reminds of the ends that wait, after live state was read back or the timeout was changed. */
export function rescheduleLinks(world: World, only?: string): void {
  for (const [, { ends }] of world.all("inter-site link")) {
    const [end] = ends;
    if (ends.length !== 1 || end?.mergeState !== linkMergeStates.waiting) continue;
    if (only === undefined || only === end.source) world.schedule(end.source, dueAt(world, end), end.callId);
  }
}

/** Writes the rows of the links that are remembered, of one source, in an IDB that has none of them. */
export function rewriteLinks(world: World, context: StepContext): void {
  for (const [linkId, { ends }] of world.all("inter-site link")) {
    for (const end of ends) {
      if (end.source === context.source.identity.name) writeLinkRow(world, context, linkId, end);
    }
  }
}

/** A purge deletes what ended before: it is not written any more. `before`: milliseconds since 1970, whole seconds. */
export function forgetPurgedLinks(world: World, before: number): void {
  const isGoing = (endedAt: SourceInstant) => utcSeconds(endedAt) < before / 1000;
  for (const [linkId, link] of world.all("inter-site link")) {
    const ends = link.ends.map((end): LinkEnd => {
      const closed = world.get("linked call", end.callId)?.closed;
      if (world.get("call", end.callId) !== undefined) return end;
      // Of a call that is not remembered nobody knows here when it ended.
      return closed === undefined || isGoing(closed.endedAt) ? { ...end, isPurged: true } : end;
    });
    if (ends.some((end, index) => end !== link.ends[index])) world.put("inter-site link", linkId, { ...link, ends });
  }
  for (const [callId, linked] of world.all("linked call")) {
    if (linked.closed === undefined || !isGoing(linked.closed.endedAt)) continue;
    const { closed: _closed, ...rest } = linked;
    world.put("linked call", callId, rest);
  }
}
