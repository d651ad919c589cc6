// How long an agent was in which state: kept in milliseconds while the session goes on, written in whole seconds.

import type { SourceInstant } from "../event/instant.ts";
import type { AgentState, EndpointTotals, LoginSession } from "./login-session.ts";

/** A stretch of one work mode within a state is over, and with it the state or not. */
export interface StretchOver {
  readonly dn: string;
  readonly queue: string | null;
  readonly state: AgentState;
  readonly workMode: number;
  /** How long the work mode lasted. */
  readonly ms: number;
  /** How long the state lasted that is over with it; null: it goes on. */
  readonly stateMs: number | null;
}

/** As the rows have it, in whole milliseconds: an extraction that counts anew from them must come to the same. */
export function lastedMs(since: SourceInstant, at: SourceInstant): number {
  return Math.floor(at) - Math.floor(since);
}

export function addStretch(session: LoginSession, over: StretchOver): LoginSession {
  const { state, workMode, ms, stateMs } = over;
  return changeTotals(session, over, (totals) => ({
    ...totals,
    states: added(
      totals.states,
      { state, ms, count: stateMs !== null && stateMs > 0 ? 1 : 0 },
      (each) => each.state === state,
    ),
    modes: added(
      totals.modes,
      { state, workMode, ms, count: ms > 0 ? 1 : 0 },
      (each) => each.state === state && each.workMode === workMode,
    ),
  }));
}

function changeTotals(
  session: LoginSession,
  { dn, queue }: Pick<EndpointTotals, "dn" | "queue">,
  change: (totals: EndpointTotals) => EndpointTotals,
): LoginSession {
  const isThis = (each: EndpointTotals) => each.dn === dn && each.queue === queue;
  const known = session.totals.some(isThis)
    ? session.totals
    : [...session.totals, { dn, queue, states: [], modes: [] }];
  return { ...session, totals: known.map((each) => (isThis(each) ? change(each) : each)) };
}

function added<T extends { readonly ms: number; readonly count: number }>(
  totals: readonly T[],
  more: T,
  isThis: (total: T) => boolean,
): readonly T[] {
  if (!totals.some(isThis)) return [...totals, more];
  return totals.map((each) =>
    isThis(each) ? { ...each, ms: each.ms + more.ms, count: each.count + more.count } : each,
  );
}
