// How long an agent was in which state: kept in milliseconds while the session goes on, written in whole seconds.

import type { SourceInstant } from "../event/instant.ts";
import type { AgentState, EndpointTotals, LoginSession } from "./login-session.ts";

/** A stretch of one work mode within a state is over, and with it the state or not. */
export interface StretchOver {
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

/** Of a DN, one for each queue: an agent may have thousands, so all are added in one pass. */
export function addStretches(session: LoginSession, dn: string, stretches: readonly StretchOver[]): LoginSession {
  if (stretches.length === 0) return session;
  const rest = new Map(stretches.map((over) => [over.queue, over]));
  const known = session.totals.map((totals) => {
    const over = totals.dn === dn ? rest.get(totals.queue) : undefined;
    if (over === undefined) return totals;
    rest.delete(over.queue);
    return withStretch(totals, over);
  });
  const first = [...rest.values()].map((over) => withStretch({ dn, queue: over.queue, states: [], modes: [] }, over));
  return { ...session, totals: [...known, ...first] };
}

function withStretch(totals: EndpointTotals, { state, workMode, ms, stateMs }: StretchOver): EndpointTotals {
  return {
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
  };
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
