// A snapshot of the T-Event link: collected line by line, and taken in at its end line, whole; cut short, it is discarded.
// What we believed open of this source and it does not name has ended while we were not listening. One that names more
// parties than are kept is taken in as far as they go, and ends nothing.

import type { FrameEnvelope } from "../event/envelope.ts";
import { callTypes, type Happening, type Unseen } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { TEvent } from "../event/tevent.ts";
import type { TeventLine } from "../protocol/tevent/line.ts";
import { type AgentItem, takeAgents } from "./agent-snapshot.ts";
import { closeUnnamed, namedKey, stepCall } from "./call.ts";
import { takeCallData, unknownAuthor } from "./call-data.ts";
import { configurationInForce } from "./configuration.ts";
import { breakCoverage, noteAnswered } from "./coverage.ts";
import { closeUnnamedStates } from "./custom-state.ts";
import { type EventData, eventData } from "./event-data.ts";
import { type LinkNews, linkNewsOf, takeLinks } from "./inter-site-link.ts";
import { writeMark } from "./mark.ts";
import { doubtOutside, findOutside } from "./outside.ts";
import { findParty } from "./party.ts";
import { dropSnapshot } from "./session.ts";
import { estimatedSourceTime, followsCalls, type StepContext, updateSource } from "./source.ts";
import { agentItemOf } from "./tevent-agent.ts";
import { forgetAliases, nameCall, presentOf } from "./tevent-call.ts";
import { rememberPresent } from "./user-event.ts";
import { closeUnnamedStays, openStayKey } from "./virtual-queue.ts";
import { enterStretches, enterWindow, type Stretch } from "./window.ts";
import type { World } from "./world.ts";

type EventLine = Extract<TeventLine, { kind: "event" }>;

/** One line of a snapshot under way: what it says, kept until the end line. */
export type SnapshotItem = SnapshotCall | { readonly agent: AgentItem };

interface SnapshotCall {
  readonly happening: Happening;
  /** Absent: nothing of attached data that is stored. */
  readonly data?: EventData;
  /** Under which run and ConnID the call's later events come, where its key is that of an earlier run. */
  readonly alias: string | null;
  /** Absent: it says nothing of links between sites. */
  readonly links?: LinkNews;
  /** ConnID of the call that this one is a consultation of. Absent: it is none. */
  readonly consultOf?: string;
}

// What a snapshot names lies in memory until its end line, and its rows until their one transaction: about 10 KiB a party.
// A site of 10,000 agents has about 20,000 parties at a time; a source that never comes to the end must not take it all.
const snapshotPartiesMax = 100_000;

export function damageSnapshot(world: World, context: StepContext): void {
  if (context.source.snapshotLines === null) return;
  updateSource(world, context.source.identity.name, { isSnapshotDamaged: true });
}

export function collectSnapshotLine(world: World, context: StepContext, { event, members }: EventLine): void {
  const lines = context.source.snapshotLines;
  if (lines === null) return context.count("snapshot line outside of a snapshot");
  const item = agentLineOf(world, context, event, members) ?? callLineOf(world, context, event, members);
  if (item === null) return;
  if (lines >= snapshotPartiesMax) {
    context.count("snapshot line beyond the bound");
    return damageSnapshot(world, context);
  }
  world.put("snapshot item", `${context.session}/${lines}`, item);
  updateSource(world, context.source.identity.name, { snapshotLines: lines + 1 });
}

function agentLineOf(
  world: World,
  context: StepContext,
  event: TEvent,
  members: EventLine["members"],
): SnapshotItem | null {
  // Without role gls they tell which states of the site's own may go on.
  const { writesAgents, writesUserData } = context.source;
  const isAsked = writesAgents || (writesUserData && (configurationInForce(world)?.userEvents?.states.length ?? 0) > 0);
  const agent = isAsked ? agentItemOf(context, event, members) : null;
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
  const links = linkNewsOf(context, event, members);
  return {
    ...{ happening, alias: named.alias },
    ...(links && { links }),
    ...(data && { data }),
    ...(consultOf !== null && { consultOf }),
  };
}

export function takeSnapshot(
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

  const before = source.options.delivered === undefined ? null : new Map(world.all("call"));
  const named = new Set<string>();
  const namedStays = new Set<string>();
  for (const { happening, data, links } of items) {
    const { callId } = happening.call;
    stepCall(world, context, happening);
    const guid = happening.kind === "party present" ? openPartyGuid(world, happening) : undefined;
    if (guid !== undefined) named.add(namedKey(callId, guid));
    const stay = happening.kind === "virtual queue" ? openStayKey(world, context, happening) : undefined;
    if (stay !== undefined) namedStays.add(stay);
    if (happening.kind === "party present") rememberPresent(world, context, callId, happening.party.dn);
    if (data !== undefined) takeCallData(world, context, callId, data, { at: now, by: () => unknownAuthor });
    if (links !== undefined) takeLinks(world, context, { callId, news: links, at: now, sequence: null });
  }
  for (const { happening } of items) if (happening.kind === "party present") findOutside(world, context, happening);
  const unseen: Unseen = { earliest: source.heardUntil ?? now, latest: now, cause: source.missedBecause };
  if (!source.isSnapshotDamaged) {
    closeUnnamedStays(world, context, namedStays, unseen);
    closeUnnamed(world, context, named, unseen);
  }
  if (before !== null && (lastSeq > (applied ?? 0) || isEndOfRunUnknown)) doubtOutside(world, context, before, unseen);
  if (source.writesAgents) takeAgents(world, context, agents, unseen, !source.isSnapshotDamaged);
  if (!source.isSnapshotDamaged) closeUnnamedStates(world, context, agents, unseen);
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
  const call = world.get("call", item.call.callId);
  return call && findParty(call, item.party)?.guid;
}
