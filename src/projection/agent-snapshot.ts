// Agents against a snapshot: who is there goes on, changed where the source says so; who is not named has left while nobody
// listened. What nobody saw is in ICON_ROW_QUALITY, with its bounds.
//
// 1. The calls were reconciled before. What became of them meanwhile and what was told meanwhile is taken in in the order
//    of its times, so that a call that had ended long before is not in the way.
// 2. A session whose login is another one than the source names has ended, and another one of the agent has begun. So has
//    an endpoint whose login is told to have been while nobody listened.
// 3. Do Not Disturb that no line names is off.

import { agentWorkModes } from "../../schema/dictionary.ts";
import type { AgentHappening } from "../event/agent-happening.ts";
import type { Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { enter, holderOf, leaveUnseen, note, say, switchDnd } from "./agent.ts";
import { busyParty, connect, disconnect } from "./agent-busy.ts";
import { confirmQueues, hidesQueues } from "./agent-queues.ts";
import { isSameTold } from "./agent-reasons.ts";
import { backSince, closedAt, forgetClosed, missedSince } from "./closed-agent.ts";
import { agentDn, type Endpoint, type LoginSession, sessionAt, sessionKey } from "./login-session.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

type Present = Extract<AgentHappening, { kind: "agent present" }>;
export type AgentItem = Extract<AgentHappening, { kind: "agent present" | "do not disturb" }>;

interface Due {
  readonly at: SourceInstant;
  readonly act: () => void;
}

/** Takes a complete snapshot's words on agents in. `isWhole` false: a line is missing, and nobody has left for that. */
export function takeAgents(
  world: World,
  context: StepContext,
  told: readonly AgentItem[],
  unseen: Unseen,
  isWhole: boolean,
): void {
  const items = withoutContradictions(context, told);
  const lines = new Map<string, Present[]>();
  for (const item of items) {
    if (item.kind === "agent present") lines.set(item.place.dn, [...(lines.get(item.place.dn) ?? []), item]);
  }
  for (const [dn, ofDn] of lines) endOther(world, context, dn, ofDn, unseen);
  if (isWhole) leaveUnnamed(world, context, lines, unseen);
  if (isWhole) forgetClosed(world, context, lines);
  if (isWhole) endUnnamedDnd(world, context, items, unseen);
  const dns = new Set(items.map(({ place }) => place.dn));
  for (const [, session] of world.all("login session")) {
    if (session.source === context.source.identity.name) for (const { dn } of session.dns) dns.add(dn);
  }
  const due: Due[] = [...dns].flatMap((dn) => callChanges(world, context, dn, unseen));
  for (const item of items) {
    const isSinceUnknown = item.kind === "agent present" && item.told !== null && item.toldAt === null;
    const at = isSinceUnknown ? sourceInstant(Math.max(item.at, unseen.earliest)) : item.at;
    due.push({ at, act: () => confirmWithCalls(world, context, item, items, unseen, at) });
  }
  const inOrder = due.map((each, index) => ({ ...each, index })).sort((a, b) => a.at - b.at || a.index - b.index);
  for (const { act } of inOrder) act();
  for (const [dn, ofDn] of lines) confirmQueues(world, context, dn, ofDn, isWhole);
}

/** A DN has one agent: the one whom it is told of last. */
function withoutContradictions(context: StepContext, lines: readonly AgentItem[]): readonly AgentItem[] {
  const agents = new Map<string, string>();
  for (const { kind, place } of lines) {
    if (kind === "agent present" && place.agent !== null) agents.set(place.dn, place.agent);
  }
  const items = lines.filter(({ place: { agent, dn } }) => agent === null || (agents.get(dn) ?? agent) === agent);
  for (let left = items.length; left < lines.length; left += 1) context.count("snapshot line of another agent at a DN");
  return items;
}

/** The DN is another agent's now, or the agent logged out and in again. */
function endOther(world: World, context: StepContext, dn: string, lines: readonly Present[], unseen: Unseen): void {
  const source = context.source.identity.name;
  const at = sessionAt(world, source, dn);
  const agent = lines.find(({ place }) => place.agent !== null)?.place.agent ?? null;
  if (at !== undefined && agent !== null && at.agent !== null && at.agent !== agent) {
    return leaveUnseen(world, context, at, dn, agentDn(at, dn)?.endpoints ?? [], unseen);
  }
  const own = at ?? world.get("login session", sessionKey(source, agent, dn));
  if (own === undefined) return;
  const isAnother = ({ origin }: Present) =>
    origin !== null && !isOf(own, origin.key) && origin.at > own.createdAt && origin.at > unseen.earliest;
  if (!lines.every(isAnother)) return;
  for (const { dn: ownDn } of own.dns) {
    const now = sessionAt(world, source, ownDn);
    const endpoints = now && agentDn(now, ownDn)?.endpoints;
    if (now !== undefined && endpoints !== undefined) leaveUnseen(world, context, now, ownDn, endpoints, unseen);
  }
}

/** The login is the session's, or that of one of its endpoints. A session that was found midway has none of its own. */
function isOf(session: LoginSession, key: string): boolean {
  const endpoints = session.dns.flatMap((desk) => desk.endpoints);
  return session.sessionId === key || endpoints.some(({ cameBy }) => cameBy === key || cameBy === null);
}

function leaveUnnamed(
  world: World,
  context: StepContext,
  named: ReadonlyMap<string, readonly Present[]>,
  unseen: Unseen,
): void {
  for (const [, { source, dns }] of world.all("login session")) {
    if (source !== context.source.identity.name) continue;
    for (const { dn } of dns) {
      const session = sessionAt(world, source, dn);
      const endpoints = (session && agentDn(session, dn)?.endpoints) ?? [];
      const lines = named.get(dn) ?? [];
      const gone = endpoints.filter((endpoint) => lines.length === 0 || isGone(endpoint, lines, unseen));
      if (session === undefined || gone.length === 0) continue;
      // Who has left the one queue for another has not logged out.
      leaveUnseen(world, context, session, dn, gone, unseen, { keepsSession: lines.length > 0 });
    }
  }
}

/** Of a DN that is named. A line without a queue is of the whole DN, where no other line tells them one by one. */
function isGone({ queue, createdAt }: Endpoint, lines: readonly Present[], unseen: Unseen): boolean {
  if (queue === null || lines.every(({ place }) => place.queue === null)) return false;
  const own = lines.filter(({ place }) => place.queue === queue);
  const isAnotherLogin = own.some(({ told, at, origin }) => {
    const loginAt = told === null ? at : (origin?.at ?? createdAt);
    return loginAt > createdAt && loginAt > unseen.earliest;
  });
  return own.length === 0 || isAnotherLogin;
}

function endUnnamedDnd(world: World, context: StepContext, items: readonly AgentItem[], unseen: Unseen): void {
  const named = new Set(items.flatMap(({ kind, place }) => (kind === "do not disturb" ? [place.dn] : [])));
  for (const [, { source, dns }] of world.all("login session")) {
    if (source !== context.source.identity.name) continue;
    for (const { dn, isDnd } of dns) {
      const session = sessionAt(world, source, dn);
      if (isDnd !== true || named.has(dn) || session === undefined) continue;
      switchDnd(world, context, session, dn, { isOn: false, at: unseen.earliest });
      note(world, context, session, "change not seen", unseen);
    }
  }
}

/** What the DN's calls are now against what they were. */
function callChanges(world: World, context: StepContext, dn: string, unseen: Unseen): readonly Due[] {
  const source = context.source.identity.name;
  const session = sessionAt(world, source, dn);
  const known = (session && agentDn(session, dn)?.calls) ?? [];
  const due: Due[] = [];
  const open = new Set<string>();
  for (const call of world.callsOfDn(source, dn)) {
    const party = busyParty(call, dn);
    if (party === undefined) continue;
    const { callId } = call;
    open.add(callId);
    if (known.some((each) => each.callId === callId)) continue;
    const at = party.since;
    const doubt = at > unseen.earliest ? { ...unseen, latest: at } : null;
    const change = { dn, call: { callId, partyId: party.partyId }, at, doubt };
    due.push({ at, act: () => connect(world, context, change) });
  }
  for (const call of known) {
    if (open.has(call.callId)) continue;
    const at = unseen.earliest;
    due.push({ at, act: () => disconnect(world, context, { dn, call, at, doubt: unseen }) });
  }
  return due;
}

/** A call that is older than the login makes the DN busy with it. */
function confirmWithCalls(
  world: World,
  context: StepContext,
  item: AgentItem,
  items: readonly AgentItem[],
  unseen: Unseen,
  at: SourceInstant,
): void {
  confirm(world, context, item, items, unseen);
  for (const change of callChanges(world, context, item.place.dn, unseen)) if (change.at <= at) change.act();
}

function confirm(
  world: World,
  context: StepContext,
  item: AgentItem,
  items: readonly AgentItem[],
  unseen: Unseen,
): void {
  const { place, at } = item;
  const session = holderOf(world, context, place, at);
  if (item.kind === "do not disturb") {
    const isChanged = session !== undefined && switchDnd(world, context, session, place.dn, item);
    if (isChanged) note(world, context, session, "change not seen", boundsUntil(at, unseen));
    return;
  }
  const { told, toldAt, origin } = item;
  const endpoints = (session && agentDn(session, place.dn)?.endpoints) ?? [];
  const isOfDn = place.queue === null || hidesQueues(context, session && agentDn(session, place.dn));
  const meant = isOfDn ? endpoints : endpoints.filter(({ queue }) => queue === place.queue);
  const since = session === undefined ? backSince(world, context, item) : undefined;
  if (since === null) return;
  if (since !== undefined) {
    const missed = missedSince(closedAt(world, context, place.dn), since);
    const back = told ?? { state: "login", workMode: agentWorkModes.unknown, reasons: [] };
    return enter(world, context, place, {
      ...{ at: since, createdAt: since, sessionCreatedAt: since, key: null, told: back, missed },
    });
  }
  if (session === undefined || meant.length === 0) {
    const others = items.filter((each): each is Present => each.kind === "agent present" && isOfOne(each, item));
    // What has been told of the DN before it was logged in to this queue is what it is there, from the first.
    if (told !== null && others.some((each) => each.told === null && each.at >= at)) return;
    const sessionCreatedAt = origin?.at ?? at;
    const latest = session === undefined ? sessionCreatedAt : at;
    const missed = { earliest: latest, latest, cause: "found in snapshot" } as const;
    const toldBefore = others.find((each) => each.told !== null && each.at <= at)?.told;
    const entered = told ?? toldBefore ?? { state: "login", workMode: agentWorkModes.unknown, reasons: [] };
    const createdAt = told === null ? at : sessionCreatedAt;
    const key = origin?.key ?? null;
    return enter(world, context, place, { at: toldAt ?? at, createdAt, sessionCreatedAt, key, told: entered, missed });
  }
  if (told === null) return;
  const isOther = meant.some((endpoint) => !isSameTold(endpoint.told, told));
  // It began when nobody listened: between the two it was something else.
  const isBegunAnew = toldAt !== null && toldAt > unseen.earliest && meant.every(({ since }) => since < toldAt);
  if (!isOther && !isBegunAnew) return;
  // A login that was found a line before has no past that could be in doubt.
  if (meant.some(({ createdAt, told: was }) => createdAt < at || was.state !== "login")) {
    note(world, context, session, "change not seen", toldAt === null ? unseen : boundsUntil(toldAt, unseen));
  }
  if (isOther) say(world, context, place, toldAt ?? unseen.earliest, told);
}

/** Lines of the same DN, of queues that do not exclude one another. */
function isOfOne({ place: one }: Present, { place: other }: Present): boolean {
  return one.dn === other.dn && (one.queue === null || other.queue === null || one.queue === other.queue);
}

function boundsUntil(at: SourceInstant, { earliest }: Unseen): Unseen {
  return { earliest: sourceInstant(Math.min(earliest, at)), latest: at, cause: "found in snapshot" };
}
