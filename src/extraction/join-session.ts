// Puts one login session together from several copies that are whole in turn, as join-call.ts does a call: the states of its
// agent, where he was logged in and why he was in a state by rules of their own, the rest as declared.
//
// 1. The histories are those of whoever listened at the time; SEQ counts anew, and LSEQ goes along.
// 2. On each DN, for each queue, states must follow on one another, unless nobody listened in between. A copy that had missed
//    the state before says that there was none: this much is put right. Otherwise the rows do not fit.
// 3. A stay at a DN or in a queue begins and ends as whoever listened then says (session-stays.ts), and so do reasons
//    (session-reasons.ts). Totals are counted anew (state-totals.ts).

import { loginStates } from "../../schema/dictionary.ts";
import { agentTableNames } from "../../schema/life.ts";
import { isConcludedAt } from "./concluded-rows.ts";
import { type Row, rowsOf } from "./copy.ts";
import { joinDeclared } from "./join-declared.ts";
import { activeReasons, joinReasons, placeOf, type StateHistory } from "./session-reasons.ts";
import { joinEndpoints } from "./session-stays.ts";
import { type StateTotals, stateTotals } from "./state-totals.ts";
import { msOf } from "./subject-version.ts";
import { isWithin, type Segment, type TakenRow, type TakenRows, takenRow, takenWithin } from "./taken-row.ts";

export interface JoinedSession {
  readonly rows: TakenRows;
  /** A reason's end or beginning stands there that no copy saw. */
  readonly isGuessed: boolean;
}

/** Null: the rows do not fit together. `isOver`: the session has ended. */
export function joinSession(segments: readonly Segment[], isOver: boolean): JoinedSession | null {
  const declared = joinDeclared(segments, agentTableNames);
  const session = joinOwnRow(segments, isOver);
  const history = joinStates(segments);
  if (session === null || history === null) return null;
  const endpoints = joinEndpoints(segments, history.rows, isOver);
  if (endpoints === null) return null;
  const { rows: reasons, isGuessed } = joinReasons(segments, history, isOver ? session : null);
  return {
    rows: {
      ...declared,
      G_LOGIN_SESSION: [session],
      GX_SESSION_ENDPOINT: endpoints,
      G_AGENT_STATE_HISTORY: history.rows,
      G_AGENT_STATE_RC: reasons,
      G_AGENT_STATE_RC_A: isOver ? [] : activeReasons(segments, history),
      ...(isOver ? countedTotals(segments, history, session) : {}),
    },
    isGuessed,
  };
}

/** Begun as the copy says that saw it (another one took the first DN that it heard of for the primary one), ended alike. */
function joinOwnRow(segments: readonly Segment[], isOver: boolean): TakenRow | null {
  const known = segments.flatMap((segment) => {
    const { version, isGap } = segment;
    const row = rowsOf(version.subject, "G_LOGIN_SESSION")[0];
    if (row === undefined) return [];
    const isSeen = isGap || !isConcludedAt(version.subject, row, "TERMINATED");
    const isEndSeen = isSeen && isWithin(segment, msOf(row["TERMINATED"]));
    return [{ row: takenRow(version, "G_LOGIN_SESSION", row), isEndSeen }];
  });
  const beginning = known[0]?.row;
  const saw =
    known.findLast(({ isEndSeen }) => isEndSeen) ?? known.findLast(({ row }) => row.values["TERMINATED"] != null);
  const last = isOver ? saw?.row : known.at(-1)?.row;
  if (beginning === undefined || last === undefined) return null;
  const { AGENTLOGIN, PRIMARYDN, CREATED, CREATED_TS, CREATED_TCODE } = beginning.values;
  // A copy that had missed the end knew of it afterwards.
  const end: Row = isOver
    ? {}
    : { STATE: loginStates.active, TERMINATED: null, TERMINATED_TS: null, TERMINATED_TCODE: null };
  const values = { ...last.values, AGENTLOGIN, PRIMARYDN, CREATED, CREATED_TS, CREATED_TCODE, ...end };
  return { ...last, values };
}

/** Null: states do not follow on one another. */
function joinStates(segments: readonly Segment[]): StateHistory | null {
  const rows: TakenRow[] = [];
  const numbers = new Map<string, number>();
  const last = new Map<string, { readonly values: Row; readonly at: number }>();
  for (const [at, segment] of segments.entries()) {
    for (const row of takenWithin(segment, "G_AGENT_STATE_HISTORY")) {
      const place = placeOf(row.values);
      const before = last.get(place);
      const isUnheard = segments.slice(before?.at ?? 0, at + 1).some(({ isGap }) => isGap);
      const linked = isUnheard ? row.values : following(row.values, before?.values ?? null);
      if (linked === null) return null;
      const values = { ...linked, SEQ: rows.length + 1 };
      numbers.set(`${row.copy}/${row.values["SEQ"]}`, values.SEQ);
      rows.push({ ...row, values });
      last.set(place, { values, at });
    }
  }
  return { rows, numberOf: (copy, seq) => numbers.get(`${copy}/${seq}`) ?? null };
}

/** `before`: null: nothing was there. Null: it does not follow. */
function following(values: Row, before: Row | null): Row | null {
  const isNone = (state: unknown) => state == null || state === 0;
  const links = [
    ["PREVSTATE", before?.["STATE"] ?? null],
    ["PREVWORKMODE", before?.["WORKMODE"] ?? null],
  ] as const;
  let linked = values;
  for (const [column, expected] of links) {
    if (values[column] === expected || (isNone(values[column]) && isNone(expected))) continue;
    if (!isNone(values[column])) return null;
    linked = { ...linked, [column]: expected };
  }
  return linked;
}

/** Where no copy counts, nothing is counted. */
function countedTotals(
  segments: readonly Segment[],
  { rows }: StateHistory,
  session: TakenRow,
): Pick<TakenRows, keyof StateTotals> {
  const { LOGINSESSIONID, GSYS_DOMAIN } = session.values;
  const counted = stateTotals(rows, msOf(session.values["TERMINATED"]) ?? 0);
  const of = (table: keyof StateTotals) => {
    const isThere = segments.some(({ version }) => rowsOf(version.subject, table).length > 0);
    return (isThere ? counted[table] : []).map((values) => ({
      values: { LOGINSESSIONID, ...values, GSYS_DOMAIN },
      ...{ copy: session.copy, rowId: null },
    }));
  };
  return { GS_AGENT_STAT: of("GS_AGENT_STAT"), GS_AGENT_STAT_WM: of("GS_AGENT_STAT_WM") };
}
