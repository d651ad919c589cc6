// Agents: from what happened to login sessions, states and reasons (login-session.ts has the words).
//
// 1. One session per agent and source, from the first login to the last logout. Another DN or queue is another endpoint of
//    it. A login that is told twice changes nothing. DNs of one agent are one place of work: which they are is known from
//    configuration data only.
//    Whose it is may be told later; until then it is its DN's.
// 2. A DN has one agent at a time. Where another one logs in, the one before has gone without being seen.
// 3. What is said of a DN without a queue is said of all its queues. A queue that is added later has the state of the
//    others, if they agree.
// 4. What befalls an agent of whose login nothing is known begins a session with a local key.
// 5. A session's times never go back, whatever the source's clock does: what it tells as earlier than the last change of
//    the session is written as of that moment.
// 6. Busy comes from the DN's calls (agent-calls.ts), what it does to a state is agent-endpoint.ts's.

import type { AgentHappening, AgentPlace, AgentReason, LoginSessionId, Told } from "../event/agent-happening.ts";
import type { Unseen } from "../event/happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { connectOpenCalls } from "./agent-busy.ts";
import { beginEndpoint, endEndpoints, rewriteEndpoint, turnEndpoints } from "./agent-endpoint.ts";
import { hidesQueues, joinQueue, leaveQueue } from "./agent-queues.ts";
import { isSameTold } from "./agent-reasons.ts";
import { writeDnd, writeLoginSession, writeTotals } from "./agent-rows.ts";
import { closedAt, forgetClosedAt, leaveClosed, missedSince } from "./closed-agent.ts";
import { endStates } from "./custom-state.ts";
import { hashedKey } from "./key.ts";
import {
  type AgentDn,
  agentDn,
  type Endpoint,
  keyOf,
  type LoginSession,
  notBefore,
  putSession,
  sessionAt,
  sessionKey,
  withDn,
  withoutDn,
} from "./login-session.ts";
import { type Doubt, noteQuality, type QualityReason } from "./quality.ts";
import { remind } from "./session-bound.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

type Present = Extract<AgentHappening, { kind: "agent present" }>;

/** Takes one happening of a source into the live state and the rows; a snapshot's words are agent-snapshot.ts's. */
export function stepAgent(world: World, context: StepContext, happening: Exclude<AgentHappening, Present>): void {
  switch (happening.kind) {
    case "agent login":
      return logIn(world, context, happening);
    case "agent logout": {
      const { place, at, reasons } = happening;
      const session = holderOf(world, context, place, at);
      const endpoints = session && named(session, place);
      if (session === undefined || endpoints === undefined || endpoints.length === 0) {
        if (leaveClosed(world, context, place)) return;
        return context.count("logout of an unknown agent");
      }
      if (leaveQueue(world, session, place)) return;
      return leave(world, context, session, place.dn, endpoints, { at, reasons });
    }
    case "agent state":
      return say(world, context, happening.place, happening.at, happening.told);
    case "agent reasons": {
      const { place, at, reasons } = happening;
      const session = holderOf(world, context, place, at);
      const [endpoint] = (session && named(session, place)) ?? [];
      if (endpoint === undefined) return context.count("reason of an unknown agent");
      return say(world, context, place, at, { ...endpoint.told, reasons });
    }
    case "do not disturb": {
      const session = holderOf(world, context, happening.place, happening.at);
      if (session === undefined) return context.count("do not disturb of an unknown agent");
      switchDnd(world, context, session, happening.place.dn, happening);
      return;
    }
  }
}

function logIn(world: World, context: StepContext, happening: Extract<AgentHappening, { kind: "agent login" }>): void {
  const { place, at, told, key } = happening;
  const session = holderOf(world, context, place, at);
  const desk = session && agentDn(session, place.dn);
  if (desk?.endpoints.some(({ queue }) => queue === place.queue || place.queue === null)) return;
  if (session !== undefined && desk !== undefined && hidesQueues(context, desk)) {
    return putSession(world, joinQueue(session, place));
  }
  enter(world, context, place, { at, createdAt: at, sessionCreatedAt: at, key, told, missed: null });
  connectOpenCalls(world, context, place.dn, at);
}

/** Readiness was told: of the endpoints named, or of one whose login was not seen. */
export function say(world: World, context: StepContext, place: AgentPlace, at: SourceInstant, told: Told): void {
  const session = holderOf(world, context, place, at);
  const endpoints = session && named(session, place);
  if (session === undefined || endpoints === undefined || endpoints.length === 0) {
    const unheard = { earliest: null, latest: at, cause: context.source.missedBecause };
    const missed = missedSince(closedAt(world, context, place.dn), at) ?? unheard;
    enter(world, context, place, { at, createdAt: at, sessionCreatedAt: at, key: null, told, missed });
    return connectOpenCalls(world, context, place.dn, at);
  }
  const { dn } = place;
  const desk = agentDn(session, dn);
  const isForAnotherCall = told.state !== "afterCallWork" && desk?.calls.length === 0;
  const next = isForAnotherCall ? withDn(session, dn, { firstCall: null, lastCall: null }) : session;
  putSession(world, turnEndpoints(world, context, next, dn, endpoints, { at, told }));
}

/** How somebody comes to be logged in. */
export interface Entry {
  /** Since when it is as `told`. */
  readonly at: SourceInstant;
  readonly createdAt: SourceInstant;
  readonly sessionCreatedAt: SourceInstant;
  /** Of the login; null: it was not seen, and no copy can know the key that a session gets. */
  readonly key: LoginSessionId | null;
  readonly told: Told;
  /** Not null: the login was not seen. */
  readonly missed: Doubt | null;
}

/** One endpoint more, of the agent's session or of a new one. The calls of a new DN are not looked at. */
export function enter(world: World, context: StepContext, place: AgentPlace, entry: Entry): void {
  const { dn } = place;
  const source = context.source.identity.name;
  const there = sessionAt(world, source, dn) ?? world.get("login session", sessionKey(source, place.agent, dn));
  const session = there ?? beginSession(world, context, place, entry);
  if (entry.missed !== null) note(world, context, session, "beginning not seen", entry.missed);
  const known = agentDn(session, dn);
  if (known === undefined) world.put("agent dn", `${source}/${dn}`, { session: keyOf(session) });
  forgetClosedAt(world, source, dn);
  const told = entry.told.state === "login" ? (sharedBy(known) ?? entry.told) : entry.told;
  const { at, createdAt, key } = entry;
  const begin = { createdAt, at, told, cameBy: key };
  if (!hidesQueues(context, known)) return putSession(world, beginEndpoint(world, context, session, place, begin));
  putSession(world, joinQueue(beginEndpoint(world, context, session, { dn, queue: null }, begin), place));
}

function beginSession(world: World, context: StepContext, { agent, dn }: AgentPlace, entry: Entry): LoginSession {
  const { identity } = context.source;
  const { key, sessionCreatedAt: createdAt } = entry;
  const rowId = world.nextRowId();
  // Its own at all times: a source may tell the same beginning of two sessions.
  const local = () => hashedKey("local login", identity.primaryDbid, agent ?? "", dn, createdAt, rowId);
  const session: LoginSession = {
    ...{ source: identity.name, sessionId: key ?? (local() as LoginSessionId), rowId, agent },
    ...{ primaryDn: dn, createdAt, changedAt: createdAt, changes: 0, dndChanges: 0, dns: [], totals: [] },
  };
  writeLoginSession(world, context, session, null);
  remind(world, context.source, session);
  if (key === null) note(world, context, session, "key is local", null);
  return session;
}

/** What all of the DN's queues were told. */
function sharedBy(desk: AgentDn | undefined): Told | undefined {
  const [first, ...others] = desk?.endpoints ?? [];
  return first !== undefined && others.every(({ told }) => isSameTold(told, first.told)) ? first.told : undefined;
}

/** The session of this DN, unless it is another agent's: that one has gone without being seen. */
export function holderOf(
  world: World,
  context: StepContext,
  { agent, dn }: AgentPlace,
  at: SourceInstant,
): LoginSession | undefined {
  const session = sessionAt(world, context.source.identity.name, dn);
  if (session === undefined || agent === null || session.agent === agent) return session;
  if (session.agent === null) return learnAgent(world, context, session, agent);
  const unseen = { earliest: session.changedAt, latest: at, cause: context.source.missedBecause };
  leaveUnseen(world, context, session, dn, agentDn(session, dn)?.endpoints ?? [], unseen);
  return undefined;
}

/** Who it is may be told after the login only. An agent who has a session already keeps that one, and this one its DN's. */
function learnAgent(world: World, context: StepContext, session: LoginSession, agent: string): LoginSession {
  const { source, primaryDn } = session;
  if (world.get("login session", sessionKey(source, agent, primaryDn)) !== undefined) return session;
  const named = { ...session, agent };
  world.remove("login session", keyOf(session));
  putSession(world, named);
  for (const { dn } of named.dns) world.put("agent dn", `${source}/${dn}`, { session: keyOf(named) });
  writeLoginSession(world, context, named, null);
  remind(world, context.source, named);
  return named;
}

/** A queue that no endpoint has is an endpoint's that came without one. */
function named(session: LoginSession, { dn, queue }: AgentPlace): readonly Endpoint[] {
  const endpoints = agentDn(session, dn)?.endpoints ?? [];
  if (queue === null) return endpoints;
  const ofQueue = endpoints.filter((endpoint) => endpoint.queue === queue);
  return ofQueue.length > 0 ? ofQueue : endpoints.filter((endpoint) => endpoint.queue === null);
}

interface Leaving {
  /** Other endpoints take their place at once. */
  readonly keepsSession?: boolean;
  /** Nobody saw it. */
  readonly unseen?: Unseen;
}

/** These endpoints of a DN are left: with the last one the DN, with the last DN the session. */
export function leave(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoints: readonly Endpoint[],
  ending: { readonly at: SourceInstant; readonly reasons: readonly AgentReason[] },
  { keepsSession = false, unseen }: Leaving = {},
): void {
  let next = endEndpoints(world, context, session, dn, endpoints, ending);
  const at = next.changedAt;
  if (!keepsSession && agentDn(next, dn)?.endpoints.length === 0) {
    next = withoutDn(next, dn);
    world.remove("agent dn", `${session.source}/${dn}`);
    endStates(world, context, dn, at, unseen);
  }
  if (next.dns.length > 0) return putSession(world, next);
  writeLoginSession(world, context, next, at);
  writeTotals(world, context, next);
  world.remove("login session", keyOf(next));
}

/** They were left while nobody saw it, at the earliest as `bounds` says. */
export function leaveUnseen(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoints: readonly Endpoint[],
  bounds: Unseen,
  leaving: Leaving = {},
): void {
  const earliest = notBefore(session, bounds.earliest);
  const unseen = { ...bounds, earliest, latest: sourceInstant(Math.max(bounds.latest, earliest)) };
  const left = endpoints.length;
  const open = session.dns.reduce((sum, desk) => sum + desk.endpoints.length, 0);
  note(world, context, session, left === open && !leaving.keepsSession ? "end not seen" : "change not seen", unseen);
  leave(world, context, session, dn, endpoints, { at: unseen.earliest, reasons: [] }, { ...leaving, unseen });
}

/** Do Not Disturb is as told now; told twice, it changes nothing. True: it has changed. */
export function switchDnd(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  { isOn, at }: { readonly isOn: boolean; readonly at: SourceInstant },
): boolean {
  const desk = agentDn(session, dn);
  const [endpoint] = desk?.endpoints ?? [];
  if (desk === undefined || endpoint === undefined || desk.isDnd === isOn) return false;
  const changedAt = notBefore(session, at);
  const next = { ...withDn(session, dn, { isDnd: isOn }), dndChanges: session.dndChanges + 1, changedAt };
  writeDnd(world, context, next, { dn, state: endpoint.state, isOn, at: changedAt });
  putSession(world, next);
  return true;
}

export function note(
  world: World,
  context: StepContext,
  { sessionId }: LoginSession,
  reason: QualityReason,
  doubt: Doubt | null,
): void {
  noteQuality(world, context, "G_LOGIN_SESSION", sessionId, reason, doubt);
}

/** Writes the rows of a session that is open, in an IDB that has none of them; its past is not there. */
export function rewriteLoginSession(
  world: World,
  context: StepContext,
  session: LoginSession,
  now: SourceInstant,
): void {
  writeLoginSession(world, context, session, null);
  for (const { dn, endpoints } of session.dns) {
    for (const endpoint of endpoints) rewriteEndpoint(world, context, session, dn, endpoint);
  }
  const unseen = { earliest: session.createdAt, latest: now, cause: "history not kept" } as const;
  note(world, context, session, "earlier rows not kept", unseen);
}
