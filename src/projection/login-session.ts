// What is remembered of an agent who is logged in: one login session per agent and source, over all DNs and queues. Plain
// JSON, replaced and never edited.
//
//   session   one agent's stay, from the first login to the logout from the last queue of the last DN
//   DN        a device of it; calls are the DN's, and so is Do Not Disturb
//   endpoint  a DN against one queue, or none: states, reasons and totals are the endpoint's

import type { AgentReason, LoginSessionId, Told } from "../event/agent-happening.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import type { World } from "./world.ts";

export type AgentState = Told["state"] | "busy";

/** A call that an agent's DN is on, and the party that it is there. */
export interface AgentCall {
  readonly callId: string;
  readonly partyId: string;
}

export interface LoginSession {
  readonly source: string;
  readonly sessionId: LoginSessionId;
  readonly rowId: number;
  readonly agent: string | null;
  readonly primaryDn: string;
  readonly createdAt: SourceInstant;
  /** When anything of it last changed: up to here the agent was surely there, and nothing more is written as earlier. */
  readonly changedAt: SourceInstant;
  /** Rows in G_AGENT_STATE_HISTORY so far: the SEQ of the last. */
  readonly changes: number;
  /** As `changes`, of G_DND_HISTORY. */
  readonly dndChanges: number;
  /** In the order in which the agent came to them; each once. An object would have to have numbers for keys: dear ones. */
  readonly dns: readonly AgentDn[];
  /** Of every endpoint that the session has had. */
  readonly totals: readonly EndpointTotals[];
}

export interface AgentDn {
  readonly dn: string;
  /** Null: not told. */
  readonly isDnd: boolean | null;
  /** Those that make the agent busy, in the order in which they came. */
  readonly calls: readonly AgentCall[];
  /** The call that took the agent from not busy to busy, of the present or last stretch; null: none since the last readiness. */
  readonly firstCall: AgentCall | null;
  /** The last that ended. */
  readonly lastCall: AgentCall | null;
  readonly endpoints: readonly Endpoint[];
  /** With gls-queue 1 since it began: the queues of its one endpoint, which rows do not name; absent: as they are told. */
  readonly queues?: readonly string[];
}

export interface Endpoint {
  readonly rowId: number;
  readonly queue: string | null;
  /** The key that its login would give to a session; null: that event was not seen. */
  readonly cameBy: LoginSessionId | null;
  readonly createdAt: SourceInstant;
  readonly told: Told;
  readonly state: AgentState;
  readonly workMode: number;
  /** While busy: the state that was told, and follows; null: not busy, or it is not known. */
  readonly pending: Told["state"] | null;
  readonly stateSince: SourceInstant;
  /** When the state or the work mode within it began. */
  readonly since: SourceInstant;
  /** SEQ of the row with which the state began. */
  readonly stateSeq: number;
  /** Of after-call work: the call that it belongs to. */
  readonly workedAfter: AgentCall | null;
  readonly reasons: readonly HeldReason[];
}

export interface HeldReason {
  readonly reason: AgentReason;
  readonly since: SourceInstant;
  readonly state: AgentState;
  readonly workMode: number;
  readonly stateSeq: number;
  /** Its row in G_AGENT_STATE_RC_A; null: it has none. */
  readonly activeRowId: number | null;
}

export interface EndpointTotals {
  readonly dn: string;
  readonly queue: string | null;
  readonly states: readonly StateTotal[];
  readonly modes: readonly (StateTotal & { readonly workMode: number })[];
}

export interface StateTotal {
  readonly state: AgentState;
  readonly ms: number;
  /** Stretches that lasted some time. */
  readonly count: number;
}

/** Key of a session: an agent has one, and where the source tells no login id its DN has. */
export function sessionKey(source: string, agent: string | null, dn: string): string {
  return agent === null ? `${source}/dn/${dn}` : `${source}/agent/${agent}`;
}

export function keyOf({ source, agent, primaryDn }: LoginSession): string {
  return sessionKey(source, agent, primaryDn);
}

/** Who is logged in at this DN. */
export function sessionAt(world: World, source: string, dn: string): LoginSession | undefined {
  const at = world.get("agent dn", `${source}/${dn}`);
  return at && world.get("login session", at.session);
}

export function putSession(world: World, session: LoginSession): void {
  world.put("login session", keyOf(session), session);
}

export function agentDn(session: LoginSession, dn: string): AgentDn | undefined {
  return session.dns.find((each) => each.dn === dn);
}

export function withDn(session: LoginSession, dn: string, change: Partial<AgentDn>): LoginSession {
  const known = session.dns.some((each) => each.dn === dn);
  const dns = known
    ? session.dns.map((each) => (each.dn === dn ? { ...each, ...change } : each))
    : [...session.dns, { ...newDn, dn, ...change }];
  return { ...session, dns };
}

export function withoutDn(session: LoginSession, dn: string): LoginSession {
  return { ...session, dns: session.dns.filter((each) => each.dn !== dn) };
}

/** A source's clock may step back: what it tells as earlier than what came before is taken to be of that same moment. */
export function notBefore({ changedAt }: Pick<LoginSession, "changedAt">, at: SourceInstant): SourceInstant {
  return sourceInstant(Math.max(at, changedAt));
}

const newDn: Omit<AgentDn, "dn"> = { isDnd: null, calls: [], firstCall: null, lastCall: null, endpoints: [] };
