// An agent's state on one DN against one queue: what the source told of readiness, overlaid by the calls of the DN.
//
//   no call              what was told
//   call                 busy; what was told is pending, and takes effect when the last call ends
//   call, after-call     gls-acw-first 0 and gls-enable-acw-busy 1 (defaults): busy; after-call work goes on when the call ends
//   work in effect       gls-acw-first 1, or gls-enable-acw-busy 0: stays after-call work
//
// After-call work belongs to the last call that ended on the DN (gls-acw-first 0, default), or to the one that took the
// agent from not busy to busy (1): no later call interrupts that. Where a later call gets it, a stretch of its own begins, with a row that names the
// call. A stretch ends where the next begins: none overlap, and there is no gap.

import { agentChangeTypes } from "../../schema/dictionary.ts";
import type { AgentReason, LoginSessionId, Told } from "../event/agent-happening.ts";
import { type AgentOptions, defaultAgentOptions } from "../event/envelope.ts";
import { type SourceInstant, sourceInstant } from "../event/instant.ts";
import { isSameReason } from "./agent-reasons.ts";
import { writeActiveReason, writeEndpoint, writeLogoutReason, writeReason, writeStateChange } from "./agent-rows.ts";
import { addStretches, lastedMs, type StretchOver } from "./agent-totals.ts";
import {
  type AgentCall,
  agentDn,
  type Endpoint,
  type HeldReason,
  type LoginSession,
  notBefore,
  withDn,
} from "./login-session.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** What happens to an endpoint. Its DN's calls are as they are after it. */
export interface Turn {
  readonly at: SourceInstant;
  readonly told?: Told;
  readonly call?: { readonly call: AgentCall; readonly isConnected: boolean };
}

export function agentOptions({ source }: StepContext): AgentOptions {
  return source.options.agents ?? defaultAgentOptions;
}

/** Somebody logged in there; what the DN's calls make of it is in the state that it begins with. */
export function beginEndpoint(
  world: World,
  context: StepContext,
  session: LoginSession,
  { dn, queue }: { readonly dn: string; readonly queue: string | null },
  begin: {
    readonly createdAt: SourceInstant;
    readonly at: SourceInstant;
    readonly told: Told;
    readonly cameBy: LoginSessionId | null;
  },
): LoginSession {
  const { told, cameBy } = begin;
  const at = notBefore(session, begin.at);
  // The one before against this queue has lasted up to some change of the session.
  const isBack = session.totals.some((totals) => totals.dn === dn && totals.queue === queue);
  const earliest = isBack ? session.changedAt : session.createdAt;
  const createdAt = begin.createdAt < begin.at ? sourceInstant(Math.max(begin.createdAt, earliest)) : at;
  const changes = session.changes + 1;
  const endpoint: Endpoint = {
    rowId: world.nextRowId(),
    ...{ queue, cameBy, createdAt, told, pending: null, workedAfter: null, reasons: [] },
    ...{ state: told.state, workMode: told.workMode, stateSince: at, since: at, stateSeq: changes },
  };
  const others = agentDn(session, dn)?.endpoints ?? [];
  const next = withDn({ ...session, changes, changedAt: at }, dn, { endpoints: [...others, endpoint] });
  writeEndpoint(world, context, next, dn, endpoint, null);
  writeStateChange(world, context, next, {
    ...{ type: agentChangeTypes.state, dn, queue, from: null, to: endpoint, call: null, at },
  });
  return turnEndpoints(world, context, next, dn, [endpoint], { at });
}

/** The same happens to these endpoints of a DN: an agent may have thousands, so the list of them is made anew once. */
export function turnEndpoints(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoints: readonly Endpoint[],
  turn: Turn,
): LoginSession {
  const at = notBefore(session, turn.at);
  const turned = new Map<number, Endpoint>();
  const stretches: StretchOver[] = [];
  let { changes, changedAt } = session;
  for (const endpoint of endpoints) {
    const step = turnEndpoint(world, context, { ...session, changes }, dn, endpoint, { ...turn, at });
    turned.set(endpoint.rowId, step.endpoint);
    if (step.over !== null) stretches.push(step.over);
    changes = step.changes;
    if (step.isChanged) changedAt = at;
  }
  const next = { ...addStretches(session, dn, stretches), changes, changedAt };
  const all = agentDn(session, dn)?.endpoints ?? [];
  return withDn(next, dn, { endpoints: all.map((each) => turned.get(each.rowId) ?? each) });
}

interface Turned {
  readonly endpoint: Endpoint;
  /** Of the session, as LoginSession has it. */
  readonly changes: number;
  readonly over: StretchOver | null;
  /** Something of it is another than before, as rows tell it. */
  readonly isChanged: boolean;
}

function turnEndpoint(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoint: Endpoint,
  turn: Turn,
): Turned {
  const { at } = turn;
  const { queue, state, workMode, since, stateSince } = endpoint;
  const next = overlay(context, session, dn, endpoint, turn);
  const isOtherStretch = next.state !== state || next.workedAfter?.callId !== endpoint.workedAfter?.callId;
  const isOtherMode = isOtherStretch || next.workMode !== workMode;
  const type = isOtherStretch
    ? agentChangeTypes.state
    : next.pending !== endpoint.pending
      ? agentChangeTypes.pendingState
      : isOtherMode
        ? agentChangeTypes.workMode
        : turn.call === undefined
          ? null
          : turn.call.isConnected
            ? agentChangeTypes.callConnected
            : agentChangeTypes.callDisconnected;
  const changes = type === null ? session.changes : session.changes + 1;
  if (type !== null) {
    const { sessionId } = session;
    const call = next.workedAfter ?? turn.call?.call ?? (next.state === "busy" ? firstCallOf(session, dn) : null);
    const isOfCall = isOtherStretch || turn.call !== undefined;
    writeStateChange(
      world,
      context,
      { sessionId, changes },
      {
        ...{ type, dn, queue, from: endpoint, to: next, at },
        call: isOfCall ? (isOtherStretch ? call : (turn.call?.call ?? null)) : null,
      },
    );
  }
  const stateMs = isOtherStretch ? lastedMs(stateSince, at) : null;
  const moved: Endpoint = {
    ...{ ...endpoint, ...next },
    since: isOtherMode ? at : since,
    ...(isOtherStretch && { stateSince: at, stateSeq: changes }),
  };
  const reasons = changeReasons(world, context, session, dn, moved, isOtherStretch, at);
  return {
    endpoint: { ...moved, reasons },
    changes,
    over: isOtherMode ? { queue, state, workMode, ms: lastedMs(since, at), stateMs } : null,
    isChanged: type !== null || reasons !== endpoint.reasons,
  };
}

/** Nobody is logged in at these endpoints of a DN any more. `reasons`: why. */
export function endEndpoints(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoints: readonly Endpoint[],
  ending: { readonly at: SourceInstant; readonly reasons: readonly AgentReason[] },
): LoginSession {
  const at = notBefore(session, ending.at);
  const { sessionId } = session;
  const stretches: StretchOver[] = [];
  let { changes } = session;
  for (const endpoint of endpoints) {
    const { queue, state, workMode, since, stateSince } = endpoint;
    stretches.push({ queue, state, workMode, ms: lastedMs(since, at), stateMs: lastedMs(stateSince, at) });
    changes += 1;
    const name = { sessionId, dn, queue };
    for (const held of endpoint.reasons) endReason(world, context, name, held, at);
    writeStateChange(
      world,
      context,
      { sessionId, changes },
      { ...{ type: agentChangeTypes.state, dn, queue, from: endpoint, to: null, call: null, at } },
    );
    for (const reason of ending.reasons) {
      writeLogoutReason(world, context, name, { reason, workMode, stateSeq: changes }, at);
    }
    writeEndpoint(world, context, session, dn, endpoint, at);
  }
  const gone = new Set(endpoints.map(({ rowId }) => rowId));
  const rest = (agentDn(session, dn)?.endpoints ?? []).filter(({ rowId }) => !gone.has(rowId));
  return withDn({ ...addStretches(session, dn, stretches), changes, changedAt: at }, dn, { endpoints: rest });
}

/** Writes the rows of an endpoint that is open, in an IDB that has none of them. */
export function rewriteEndpoint(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoint: Endpoint,
): void {
  writeEndpoint(world, context, session, dn, endpoint, null);
  const name = { sessionId: session.sessionId, dn, queue: endpoint.queue };
  for (const held of endpoint.reasons) writeActiveReason(world, context, name, held);
}

type Shown = Pick<Endpoint, "told" | "state" | "workMode" | "pending" | "workedAfter">;

function overlay(
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoint: Endpoint,
  { told = endpoint.told }: Turn,
): Shown {
  const { isAcwOfFirstCall, isBusyOverAcw } = agentOptions(context);
  const desk = agentDn(session, dn);
  const isInterrupted = isBusyOverAcw && !isAcwOfFirstCall;
  const isWorkingOn = endpoint.state === "afterCallWork" && told.state === "afterCallWork" && !isInterrupted;
  if (desk !== undefined && desk.calls.length > 0 && !isWorkingOn) {
    // Of whoever logged in and said nothing more, nothing follows that is known.
    const pending = told.state === "login" ? null : told.state;
    return { told, state: "busy", workMode: endpoint.workMode, pending, workedAfter: null };
  }
  const workedAfter =
    told.state !== "afterCallWork" ? null : ((isAcwOfFirstCall ? desk?.firstCall : desk?.lastCall) ?? null);
  return { told, state: told.state, workMode: told.workMode, pending: null, workedAfter };
}

function firstCallOf(session: LoginSession, dn: string): AgentCall | null {
  return agentDn(session, dn)?.calls[0] ?? null;
}

/** Reasons hold as long as the state that was told for them is in effect, or pending; each such stretch has its own rows. */
function changeReasons(
  world: World,
  context: StepContext,
  session: LoginSession,
  dn: string,
  endpoint: Endpoint,
  isOtherStretch: boolean,
  at: SourceInstant,
): readonly HeldReason[] {
  const { told, state, workMode, stateSeq } = endpoint;
  const name = { sessionId: session.sessionId, dn, queue: endpoint.queue };
  const wanted = state === told.state || endpoint.pending === told.state ? told.reasons : [];
  const isKept = ({ reason }: HeldReason) => !isOtherStretch && wanted.some((each) => isSameReason(each, reason));
  const kept = endpoint.reasons.filter(isKept);
  for (const held of endpoint.reasons) if (!isKept(held)) endReason(world, context, name, held, at);
  const begun = wanted
    .filter((reason) => !kept.some((held) => isSameReason(held.reason, reason)))
    .map((reason): HeldReason => {
      const activeRowId = agentOptions(context).writesActiveReasons ? world.nextRowId() : null;
      return { reason, since: at, state, workMode, stateSeq, activeRowId };
    });
  for (const held of begun) writeActiveReason(world, context, name, held);
  const isSame = begun.length === 0 && kept.length === endpoint.reasons.length;
  return isSame ? endpoint.reasons : [...kept, ...begun];
}

function endReason(
  world: World,
  context: StepContext,
  name: Parameters<typeof writeReason>[2],
  held: HeldReason,
  at: SourceInstant,
): void {
  writeReason(world, context, name, held, at);
  if (held.activeRowId !== null) world.erase("G_AGENT_STATE_RC_A", held.activeRowId);
}
