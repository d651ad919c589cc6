// How login sessions, their endpoints, states and reasons stand in the documented tables: whole rows, written again
// whenever something changed. DBIDs are not known until configuration data is recorded: see schema/agent.ts.

import { type agentChangeTypes, agentStates, loginStates, reasonKinds } from "../../schema/dictionary.ts";
import type { AgentReason } from "../event/agent-happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { wholeSeconds } from "../event/whole-seconds.ts";
import { added, created, span, stamps, voice } from "./call-rows.ts";
import type { AgentCall, AgentState, Endpoint, HeldReason, LoginSession, StateTotal } from "./login-session.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

const noDbid = 0;
// What the reference has in the tables of reasons; which queue it is, only configuration data could tell.
const noQueue = 0;

export function writeLoginSession(
  world: World,
  context: StepContext,
  session: LoginSession,
  terminatedAt: SourceInstant | null,
): void {
  world.write("G_LOGIN_SESSION", {
    ID: session.rowId,
    LOGINSESSIONID: session.sessionId,
    AGENTID: null,
    LOGINID: null,
    PLACEID: null,
    STATE: terminatedAt === null ? loginStates.active : loginStates.over,
    PRIMARYDEVICEID: null,
    AGENTLOGIN: session.agent,
    PRIMARYDN: session.primaryDn,
    ...span(world, session.createdAt, terminatedAt),
    ...stamps(world, context, session.rowId),
  });
}

export function writeEndpoint(
  world: World,
  context: StepContext,
  { sessionId }: LoginSession,
  dn: string,
  endpoint: Endpoint,
  terminatedAt: SourceInstant | null,
): void {
  world.write("GX_SESSION_ENDPOINT", {
    ID: endpoint.rowId,
    AGENTID: noDbid,
    ENDPOINTID: noDbid,
    ENDPOINTTYPE: null,
    QUEUEID: null,
    QUEUETYPE: null,
    PLACEID: null,
    LOGINSESSIONID: sessionId,
    STATE: terminatedAt === null ? loginStates.active : loginStates.over,
    ENDPOINTDN: dn,
    QUEUEDN: endpoint.queue,
    MEDIATYPE: voice,
    ...span(world, endpoint.createdAt, terminatedAt),
    ...stamps(world, context, endpoint.rowId),
  });
}

/** One change of an endpoint; `session.changes` is its number. */
export interface StateChange {
  readonly type: (typeof agentChangeTypes)[keyof typeof agentChangeTypes];
  readonly dn: string;
  readonly queue: string | null;
  /** Null: logged off. */
  readonly from: Pick<Endpoint, "state" | "workMode"> | null;
  readonly to: Pick<Endpoint, "state" | "workMode" | "pending"> | null;
  readonly call: AgentCall | null;
  readonly at: SourceInstant;
}

export function writeStateChange(
  world: World,
  context: StepContext,
  session: Pick<LoginSession, "sessionId" | "changes">,
  change: StateChange,
): void {
  const { from, to, call } = change;
  const id = world.nextRowId();
  world.write("G_AGENT_STATE_HISTORY", {
    ID: id,
    TYPE: change.type,
    STATE: to === null ? agentStates.null : agentStates[to.state],
    PENDINGSTATE: to === null || to.pending === null ? null : agentStates[to.pending],
    SEQ: session.changes,
    LOGINSESSIONID: session.sessionId,
    LOGINID: null,
    PREVSTATE: from === null ? agentStates.null : agentStates[from.state],
    WORKMODE: to?.workMode ?? null,
    PREVWORKMODE: from?.workMode ?? null,
    ENDPOINTID: null,
    ENDPOINTDN: change.dn,
    QUEUEID: null,
    QUEUEDN: change.queue,
    MEDIATYPE: voice,
    CALLID: call?.callId ?? null,
    PARTYID: call?.partyId ?? null,
    ...added(world, change.at),
    ...stamps(world, context, id),
  });
}

/** Where an endpoint is: what every row of it says. */
export interface EndpointName {
  readonly sessionId: string;
  readonly dn: string;
  readonly queue: string | null;
}

function reasonRow(
  { sessionId, dn, queue }: EndpointName,
  state: AgentState | null,
  held: Omit<HeldReason, "activeRowId" | "since" | "state">,
) {
  const { reason } = held;
  return {
    SESSIONID: sessionId,
    ENDPOINTID: noDbid,
    QUEUEID: queue === null ? noQueue : null,
    AGENTSTATE: state === null ? agentStates.null : agentStates[state],
    WORKMODE: held.workMode,
    HWFLAG: reason.isHardware ? reasonKinds.hardware : reasonKinds.software,
    KEYNAME: reason.key,
    VALUE: reason.value,
    LSEQ: held.stateSeq,
    ENDPOINTDN: dn,
    QUEUEDN: queue,
  };
}

/** A reason has ended. */
export function writeReason(
  world: World,
  context: StepContext,
  name: EndpointName,
  held: HeldReason,
  at: SourceInstant,
): void {
  const id = world.nextRowId();
  world.write("G_AGENT_STATE_RC", {
    ID: id,
    ...reasonRow(name, held.state, held),
    ...span(world, held.since, at),
    ...stamps(world, context, id),
  });
}

/** Why somebody logged out: a reason of no state, that ends where it begins. */
export function writeLogoutReason(
  world: World,
  context: StepContext,
  name: EndpointName,
  given: { readonly reason: AgentReason; readonly workMode: number; readonly stateSeq: number },
  at: SourceInstant,
): void {
  const id = world.nextRowId();
  world.write("G_AGENT_STATE_RC", {
    ID: id,
    ...reasonRow(name, null, given),
    ...span(world, at, at),
    ...stamps(world, context, id),
  });
}

export function writeActiveReason(world: World, context: StepContext, name: EndpointName, held: HeldReason): void {
  if (held.activeRowId === null) return;
  world.write("G_AGENT_STATE_RC_A", {
    ID: held.activeRowId,
    ...reasonRow(name, held.state, held),
    ...created(world, held.since),
    ...stamps(world, context, held.activeRowId),
  });
}

export function writeDnd(
  world: World,
  context: StepContext,
  { sessionId, dndChanges }: LoginSession,
  change: { readonly dn: string; readonly state: AgentState; readonly isOn: boolean; readonly at: SourceInstant },
): void {
  const id = world.nextRowId();
  world.write("G_DND_HISTORY", {
    ID: id,
    LOGINSESSIONID: sessionId,
    AGENTSTATE: agentStates[change.state],
    ENDPOINTID: noDbid,
    ENDPOINTDN: change.dn,
    STATE: change.isOn ? 1 : 0,
    SEQ: dndChanges,
    ...added(world, change.at),
    ...stamps(world, context, id),
  });
}

/** The session is over: how long and how often the agent was in which state, by endpoint. */
export function writeTotals(world: World, context: StepContext, { sessionId, totals }: LoginSession): void {
  const hasLasted = ({ ms }: StateTotal) => ms > 0;
  for (const { dn, queue, ...all } of totals) {
    const states = all.states.filter(hasLasted);
    const modes = all.modes.filter(hasLasted);
    const where = { LOGINSESSIONID: sessionId, ENDPOINTID: null, ENDPOINTDN: dn, QUEUEID: null, QUEUEDN: queue };
    const seconds = wholeSeconds(states.map(({ ms }) => ms));
    for (const [index, { state, count }] of states.entries()) {
      const inState = seconds[index] ?? 0;
      const id = world.nextRowId();
      const about = { ...where, AGENTSTATE: agentStates[state] };
      world.write("GS_AGENT_STAT", { ID: id, ...about, TT: inState, CNT: count, ...stamps(world, context, id) });
      const ofState = modes.filter((mode) => mode.state === state);
      const bySeconds = wholeSeconds(
        ofState.map(({ ms }) => ms),
        inState,
      );
      for (const [modeIndex, mode] of ofState.entries()) {
        const modeId = world.nextRowId();
        world.write("GS_AGENT_STAT_WM", {
          ID: modeId,
          ...about,
          WORKMODE: mode.workMode,
          TT: bySeconds[modeIndex] ?? 0,
          CNT: mode.count,
          ...stamps(world, context, modeId),
        });
      }
    }
  }
}
