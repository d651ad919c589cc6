// What GS_AGENT_STAT and GS_AGENT_STAT_WM say of a login session, counted from its states as an instance counts while they
// last: a stretch ends with the row of the next state, a work mode's within it with the row that names another one.

import { agentChangeTypes, agentStates } from "../../schema/dictionary.ts";
import { wholeSeconds } from "../event/whole-seconds.ts";
import type { Row } from "./copy.ts";
import { placeOf } from "./session-reasons.ts";
import { msOf } from "./subject-version.ts";
import type { TakenRow } from "./taken-row.ts";

export interface StateTotals {
  readonly GS_AGENT_STAT: readonly Row[];
  readonly GS_AGENT_STAT_WM: readonly Row[];
}

interface Total {
  readonly state: unknown;
  readonly mode: unknown;
  ms: number;
  /** Stretches that lasted some time. */
  count: number;
}

/** `history`: rows of G_AGENT_STATE_HISTORY, in order; `endMs`: when the session ended. */
export function stateTotals(history: readonly TakenRow[], endMs: number): StateTotals {
  const totals: { readonly GS_AGENT_STAT: Row[]; readonly GS_AGENT_STAT_WM: Row[] } = {
    GS_AGENT_STAT: [],
    GS_AGENT_STAT_WM: [],
  };
  for (const rows of Map.groupBy(history, ({ values }) => placeOf(values)).values()) {
    const [first] = rows as [TakenRow];
    const { ENDPOINTID, ENDPOINTDN, QUEUEID, QUEUEDN } = first.values;
    const where = { ENDPOINTID, ENDPOINTDN, QUEUEID, QUEUEDN };
    const { states, modes } = lasted(rows, endMs);
    const seconds = wholeSeconds(states.map(({ ms }) => ms));
    for (const [index, { state, count }] of states.entries()) {
      const TT = seconds[index] ?? 0;
      totals.GS_AGENT_STAT.push({ ...where, AGENTSTATE: state, TT, CNT: count });
      const ofState = modes.filter((mode) => mode.state === state);
      const bySeconds = wholeSeconds(
        ofState.map(({ ms }) => ms),
        TT,
      );
      for (const [modeIndex, { mode, count: often }] of ofState.entries()) {
        const own = { AGENTSTATE: state, WORKMODE: mode, TT: bySeconds[modeIndex] ?? 0, CNT: often };
        totals.GS_AGENT_STAT_WM.push({ ...where, ...own });
      }
    }
  }
  return totals;
}

/** Of one DN and queue, those that lasted some time, in the order in which they were over first. */
function lasted(rows: readonly TakenRow[], endMs: number): { readonly states: Total[]; readonly modes: Total[] } {
  const states: Total[] = [];
  const modes: Total[] = [];
  let stateSince = 0;
  let since = 0;
  for (const [index, { values }] of rows.entries()) {
    const next = rows[index + 1]?.values;
    const at = msOf(values["ADDED"]) ?? 0;
    const isBegun = index === 0 || values["TYPE"] === agentChangeTypes.state;
    if (isBegun) stateSince = at;
    if (isBegun || values["WORKMODE"] !== rows[index - 1]?.values["WORKMODE"]) since = at;
    if (values["STATE"] === agentStates.null) continue;
    const isStateOver = next === undefined || next["TYPE"] === agentChangeTypes.state;
    if (!isStateOver && next["WORKMODE"] === values["WORKMODE"]) continue;
    const until = next === undefined ? Math.max(at, endMs) : (msOf(next["ADDED"]) ?? at);
    const { STATE: state, WORKMODE: mode } = values;
    const ms = until - since;
    add(states, { state, mode: null, ms, count: isStateOver && until > stateSince ? 1 : 0 });
    add(modes, { state, mode: mode ?? 0, ms, count: ms > 0 ? 1 : 0 });
  }
  const hasLasted = ({ ms }: Total) => ms > 0;
  return { states: states.filter(hasLasted), modes: modes.filter(hasLasted) };
}

function add(totals: Total[], more: Total): void {
  const known = totals.find(({ state, mode }) => state === more.state && mode === more.mode);
  if (known === undefined) totals.push(more);
  else {
    known.ms += more.ms;
    known.count += more.count;
  }
}
