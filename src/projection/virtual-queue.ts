// Stays of calls in virtual queues: G_VIRTUAL_QUEUE. They are no parties, for the call stands elsewhere meanwhile.
//
// 1. Stays are kept apart from calls, by source: a virtual queue often belongs to another switch than the call, and a row
//    must not depend on what another source says. So a stay may be of a call that its source knows nothing else of.
// 2. VQID, where the source gives it, names a stay from beginning to end; else there is one at a time for a call and a DN.
// 3. What is open when the call's ending is written ended with it, and nobody said how. What a snapshot does not name has
//    ended while nobody listened, and is marked in ICON_ROW_QUALITY.

import { virtualQueueCauses, virtualQueueStatuses } from "../../schema/dictionary.ts";
import type { CallId, Happening, Unseen } from "../event/happening.ts";
import { notSetBack, type SourceInstant, sourceInstant } from "../event/instant.ts";
import { span, stamps } from "./call-rows.ts";
import { hashedKey } from "./key.ts";
import { noteQuality } from "./quality.ts";
import { writeWaitOfRouting } from "./route-rows.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

export interface VirtualStay {
  readonly rowId: number;
  /** VQUEUEID */
  readonly key: string;
  readonly vqid: string | null;
  readonly dn: string;
  /** The call with which it began. */
  readonly callId: CallId;
  readonly since: SourceInstant;
  /** Absent: the call waits there. */
  readonly endedAt?: SourceInstant;
  /** PARTYIDs of routings that came to their end while it went on: their rows wait for this one's end. */
  readonly routings?: readonly string[];
}

/** A call's stays by one source: those that are open, and the last ones that are over, for the routing that follows. */
export interface CallStays {
  readonly source: string;
  readonly callId: CallId;
  readonly stays: readonly VirtualStay[];
}

// A strategy that tries target after target keeps a few queues open at a time, and leaves them in turn.
const endedStaysMax = 16;
// A server that never ends a stay must not make the live state grow; 64 queues at a time is more than any strategy uses.
const openStaysMax = 64;

type VirtualHappening = Extract<Happening, { kind: "virtual queue" }>;

export function staysKey(source: string, callId: CallId): string {
  return `${source}/${callId}`;
}

function staysOf(world: World, context: StepContext, callId: CallId): CallStays {
  const source = context.source.identity.name;
  return world.get("virtual queue", staysKey(source, callId)) ?? { source, callId, stays: [] };
}

export function stepVirtualQueue(world: World, context: StepContext, happening: VirtualHappening): void {
  const { step, at, call, stay: facts } = happening;
  const known = staysOf(world, context, call.callId);
  const open = known.stays.find((stay) => stay.endedAt === undefined && isSame(stay, facts));
  if (step === "queued") {
    if (open !== undefined) return;
    begin(world, context, known, happening);
    return;
  }
  if (open === undefined) return context.count("ending of an unknown stay in a virtual queue");
  const cause = step === "abandoned" ? virtualQueueCauses.abandoned : virtualQueueCauses.normal;
  // Where it names a target, the call was sent there out of this queue; else it only left.
  const distributed = step === "diverted" && happening.hasTarget ? call.callId : null;
  putStays(world, replaced(known, end(world, context, call.callId, open, at, cause, distributed)));
}

function isSame(stay: VirtualStay, { vqid, dn }: VirtualHappening["stay"]): boolean {
  // A server may leave out the VQID of an ending.
  return stay.dn === dn && (vqid === null || stay.vqid === null || stay.vqid === vqid);
}

function begin(world: World, context: StepContext, known: CallStays, happening: VirtualHappening): void {
  const { at, call, stay: facts, origin } = happening;
  if (known.stays.filter(({ endedAt }) => endedAt === undefined).length >= openStaysMax) {
    return context.count("stay in a virtual queue beyond the bound");
  }
  const since = origin ?? at;
  const given = facts.vqid !== null ? hashedKey("virtual queue", call.callId, facts.dn, facts.vqid) : facts.keyIfNew;
  const earlier = known.stays.findLast(({ key }) => key === given);
  const key =
    given === null
      ? hashedKey("local virtual queue", call.callId, facts.dn, since)
      : earlier === undefined
        ? given
        : hashedKey("virtual queue", given, since);
  const stay: VirtualStay = {
    rowId: world.nextRowId(),
    key,
    vqid: facts.vqid,
    dn: facts.dn,
    callId: call.callId,
    since,
  };
  writeStay(world, context, stay, null, null, null);
  if (given === null) noteQuality(world, context, "G_VIRTUAL_QUEUE", key, "key is local", null);
  if (happening.isFound) {
    const found = { earliest: since, latest: since, cause: "found in snapshot" } as const;
    noteQuality(world, context, "G_VIRTUAL_QUEUE", key, "beginning not seen", found);
  }
  putStays(world, { ...known, stays: [...known.stays, stay] });
}

function end(
  world: World,
  context: StepContext,
  callId: CallId,
  stay: VirtualStay,
  toldAt: SourceInstant,
  cause: number,
  distributed: CallId | null,
): VirtualStay {
  const { routings, ...rest } = stay;
  const at = notSetBack(stay.since, toldAt);
  const ended = { ...rest, endedAt: at };
  writeStay(world, context, ended, at, cause, distributed);
  for (const partyId of routings ?? []) writeWaitOfRouting(world, context, callId, partyId, ended);
  return ended;
}

function endUnseen(world: World, context: StepContext, callId: CallId, stay: VirtualStay, unseen: Unseen): VirtualStay {
  noteQuality(world, context, "G_VIRTUAL_QUEUE", stay.key, "end not seen", unseen);
  const at = sourceInstant(Math.max(unseen.earliest, stay.since));
  return end(world, context, callId, stay, at, virtualQueueCauses.notSeen, null);
}

/** The call's ending is written: what it still waited in ended with it. */
export function endStaysOfCall(
  world: World,
  context: StepContext,
  callId: CallId,
  at: SourceInstant,
  unseen: Unseen | null,
): void {
  const key = staysKey(context.source.identity.name, callId);
  const known = world.get("virtual queue", key);
  if (known === undefined) return;
  for (const stay of known.stays) {
    if (stay.endedAt !== undefined) continue;
    if (unseen !== null) endUnseen(world, context, callId, stay, unseen);
    else end(world, context, callId, stay, sourceInstant(Math.max(at, stay.since)), virtualQueueCauses.notSeen, null);
  }
  world.remove("virtual queue", key);
}

/** A consultation goes on as another call: what it waited in is waited in by that one. */
export function moveStays(world: World, context: StepContext, from: CallId, to: CallId): void {
  const known = world.get("virtual queue", staysKey(context.source.identity.name, from));
  const open = known?.stays.filter(({ endedAt }) => endedAt === undefined) ?? [];
  if (known === undefined || open.length === 0) return;
  putStays(world, { ...known, stays: known.stays.filter(({ endedAt }) => endedAt !== undefined) });
  const there = staysOf(world, context, to);
  putStays(world, { ...there, stays: [...there.stays, ...open] });
}

/** Ends what a complete snapshot of the source does not name. `named` holds keys of stays that are there. */
export function closeUnnamedStays(
  world: World,
  context: StepContext,
  named: ReadonlySet<string>,
  unseen: Unseen,
): void {
  for (const [, known] of world.all("virtual queue")) {
    if (known.source !== context.source.identity.name) continue;
    const isGone = (stay: VirtualStay) => stay.endedAt === undefined && !named.has(stay.key);
    if (!known.stays.some(isGone)) continue;
    const stays = known.stays.map((stay) =>
      isGone(stay) ? endUnseen(world, context, known.callId, stay, unseen) : stay,
    );
    putStays(world, { ...known, stays });
  }
}

/** The key of the stay that a line of a snapshot names, once it was taken in; undefined: none is known. */
export function openStayKey(world: World, context: StepContext, happening: VirtualHappening): string | undefined {
  const { stays } = staysOf(world, context, happening.call.callId);
  return stays.find((stay) => stay.endedAt === undefined && isSame(stay, happening.stay))?.key;
}

/**
 * A routing is over whose party has stood there since `since`: of the stays since then, the rows of G_ROUTE_RES_VQ_HIST,
 * now or as soon as the stay is over too. An extraction finds them by the same rule (src/extraction/join-waits.ts).
 */
export function noteRouting(
  world: World,
  context: StepContext,
  callId: CallId,
  partyId: string,
  since: SourceInstant,
): void {
  const known = world.get("virtual queue", staysKey(context.source.identity.name, callId));
  if (known === undefined) return;
  const stays = known.stays.map((stay) => {
    if (stay.endedAt === undefined) return { ...stay, routings: [...(stay.routings ?? []), partyId] };
    if (stay.endedAt >= since) writeWaitOfRouting(world, context, callId, partyId, stay);
    return stay;
  });
  putStays(world, { ...known, stays });
}

/** Writes the rows of stays that are open, in an IDB that has none of them. */
export function rewriteStays(world: World, context: StepContext): void {
  for (const [, { source, stays }] of world.all("virtual queue")) {
    if (source !== context.source.identity.name) continue;
    for (const stay of stays) if (stay.endedAt === undefined) writeStay(world, context, stay, null, null, null);
  }
}

function replaced(known: CallStays, stay: VirtualStay): CallStays {
  return { ...known, stays: known.stays.map((each) => (each.key === stay.key ? stay : each)) };
}

function putStays(world: World, known: CallStays): void {
  const key = staysKey(known.source, known.callId);
  const open = known.stays.filter(({ endedAt }) => endedAt === undefined);
  // With a call that this source tells of it goes when the call does; else with the last stay.
  const isOfKnownCall = world.get("call", known.callId)?.source === known.source;
  if (known.stays.length === 0 || (open.length === 0 && !isOfKnownCall)) return world.remove("virtual queue", key);
  const ended = known.stays.length - open.length;
  let dropped = ended - endedStaysMax;
  const stays =
    dropped <= 0 ? known.stays : known.stays.filter(({ endedAt }) => endedAt === undefined || dropped-- <= 0);
  world.put("virtual queue", key, { ...known, stays });
}

function writeStay(
  world: World,
  context: StepContext,
  stay: VirtualStay,
  endedAt: SourceInstant | null,
  cause: number | null,
  distributed: CallId | null,
): void {
  world.write("G_VIRTUAL_QUEUE", {
    ID: stay.rowId,
    VQUEUEID: stay.key,
    VQID: stay.vqid,
    CALLID: stay.callId,
    ENDPOINTID: null,
    ENDPOINTDN: stay.dn,
    STATUS: endedAt === null ? virtualQueueStatuses.waiting : virtualQueueStatuses.left,
    CAUSE: cause,
    DISTCALLID: distributed,
    ...span(world, stay.since, endedAt),
    ...stamps(world, context, stay.rowId),
  });
}
