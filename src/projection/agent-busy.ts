// The calls that make an agent's DN busy: one more, one less. What that does to a state is agent-endpoint.ts's.

import type { SourceInstant } from "../event/instant.ts";
import { agentOptions, type Turn, turnEndpoints } from "./agent-endpoint.ts";
import type { Call } from "./call.ts";
import {
  type AgentCall,
  agentDn,
  type Endpoint,
  type LoginSession,
  putSession,
  sessionAt,
  withDn,
} from "./login-session.ts";
import { isInside, type Party } from "./party.ts";
import { type Doubt, noteQuality } from "./quality.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Whoever rings or waits is not busy yet. */
const busyStates: ReadonlySet<Party["state"]> = new Set(["dialing", "connected", "hold"]);

/** The party by which this call makes the DN busy; undefined: it does not. */
export function busyParty(call: Call, dn: string): Party | undefined {
  return Object.values(call.parties).find((party) => party.dn === dn && isBusy(party));
}

// Somebody outside may have the number of an agent's DN.
function isBusy(party: Party): boolean {
  return busyStates.has(party.state) && isInside(party);
}

/** All DNs that this call makes busy. */
export function busyDns(call: Call | undefined): ReadonlyMap<string, AgentCall> {
  const dns = new Map<string, AgentCall>();
  for (const party of Object.values(call?.parties ?? {})) {
    const { dn, partyId } = party;
    if (call !== undefined && isBusy(party) && !dns.has(dn)) dns.set(dn, { callId: call.callId, partyId });
  }
  return dns;
}

/** A change of the calls at a DN. `doubt`: nobody saw it. */
export interface CallChange {
  readonly dn: string;
  readonly call: AgentCall;
  readonly at: SourceInstant;
  readonly doubt: Doubt | null;
}

/** The DN is on one call more. */
export function connect(world: World, context: StepContext, { dn, call, at, doubt }: CallChange): void {
  const session = sessionAt(world, context.source.identity.name, dn);
  const desk = session && agentDn(session, dn);
  if (session === undefined || desk === undefined || isOn(desk.calls, call)) return;
  // With the rule of the first call, one that comes during after-call work does not take that over.
  const isWorking = ({ told }: Endpoint) => told.state === "afterCallWork";
  const isKept =
    agentOptions(context).isAcwOfFirstCall &&
    (desk.firstCall === null ? desk.endpoints.every(isWorking) : desk.endpoints.some(isWorking));
  const isFirst = desk.calls.length === 0 && !isKept;
  const next = withDn(session, dn, { calls: [...desk.calls, call], ...(isFirst && { firstCall: call }) });
  turnAll(world, context, next, dn, { at, call: { call, isConnected: true } });
  if (doubt !== null) noteQuality(world, context, "G_LOGIN_SESSION", session.sessionId, "change not seen", doubt);
}

/** The DN is on one call less. */
export function disconnect(world: World, context: StepContext, { dn, call, at, doubt }: CallChange): void {
  const session = sessionAt(world, context.source.identity.name, dn);
  const desk = session && agentDn(session, dn);
  if (session === undefined || desk === undefined || !isOn(desk.calls, call)) return;
  const calls = desk.calls.filter(({ callId }) => callId !== call.callId);
  const next = withDn(session, dn, { calls, lastCall: call });
  turnAll(world, context, next, dn, { at, call: { call, isConnected: false } });
  if (doubt !== null) noteQuality(world, context, "G_LOGIN_SESSION", session.sessionId, "change not seen", doubt);
}

/** Somebody has just logged in at a DN that is on calls. */
export function connectOpenCalls(world: World, context: StepContext, dn: string, at: SourceInstant): void {
  for (const call of world.callsOfDn(context.source.identity.name, dn)) {
    const party = busyParty(call, dn);
    if (party === undefined) continue;
    connect(world, context, { dn, call: { callId: call.callId, partyId: party.partyId }, at, doubt: null });
  }
}

function isOn(calls: readonly AgentCall[], call: AgentCall): boolean {
  return calls.some(({ callId }) => callId === call.callId);
}

function turnAll(world: World, context: StepContext, session: LoginSession, dn: string, turn: Turn): void {
  putSession(world, turnEndpoints(world, context, session, dn, agentDn(session, dn)?.endpoints ?? [], turn));
}
