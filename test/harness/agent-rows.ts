// An IDB's rows of login sessions in the words of agent-model.ts, with what contradicts within them.

import Database from "libsql";
import { agentChangeTypes, agentStates } from "../../schema/dictionary.ts";
import {
  callChangeText,
  callText,
  type EndpointWords,
  lasting,
  type Picture,
  pictureText,
  reasonText,
} from "./agent-model.ts";

type Row = Readonly<Record<string, string | number | null | undefined>>;

/** All rows of a table in the order of their IDs. */
export type RowsOf = (table: string) => readonly Row[];

export interface SessionWords {
  readonly endedAt: number | null;
  /** "1 from ms in state". */
  readonly dnd: readonly string[];
  readonly endpoints: readonly EndpointWords[];
  readonly totals: ReadonlyMap<string, { readonly seconds: number; readonly count: number }>;
  readonly problems: readonly string[];
}

const stateNames = new Map<unknown, string>(Object.entries(agentStates).map(([name, number]) => [number, name]));
const word = (state: unknown) => stateNames.get(state) ?? `state ${state}`;
const ms = (text: unknown) => (typeof text === "string" ? Date.parse(text) : null);

export function readIdbRows<T>(idbPath: string, use: (rows: RowsOf) => T): T {
  const database = new Database(idbPath, { readonly: true });
  try {
    return use((table) => database.prepare(`SELECT * FROM ${table} ORDER BY ROWID`).all() as Row[]);
  } finally {
    database.close();
  }
}

/** By "agent at DN from ms". */
export function sessionsOf(rows: RowsOf): ReadonlyMap<string, SessionWords> {
  const bySession = (table: string, key = "LOGINSESSIONID") => Map.groupBy(rows(table), (row) => row[key]);
  const connIds = new Map(rows("G_CALL").map((row) => [row["CALLID"], String(row["CONNID"])]));
  const parties = new Map(rows("G_PARTY").map((row) => [row["PARTYID"], row]));
  const endpoints = bySession("GX_SESSION_ENDPOINT");
  const history = bySession("G_AGENT_STATE_HISTORY");
  const ended = bySession("G_AGENT_STATE_RC", "SESSIONID");
  const active = bySession("G_AGENT_STATE_RC_A", "SESSIONID");
  const dnd = bySession("G_DND_HISTORY");
  const totals = [...rows("GS_AGENT_STAT"), ...rows("GS_AGENT_STAT_WM")];
  const totalsBySession = Map.groupBy(totals, (row) => row["LOGINSESSIONID"]);
  const sessions = new Map<string, SessionWords>();
  for (const row of rows("G_LOGIN_SESSION")) {
    const key = row["LOGINSESSIONID"];
    const changes = inOrder(history.get(key));
    const problems = numberProblems(changes, "state change");
    const callOf = (change: Row): string | null => {
      const { CALLID: call, PARTYID: party } = change as { CALLID?: string | null; PARTYID?: string | null };
      if (call == null && party == null) return null;
      const of = parties.get(party);
      if (of?.["CALLID"] !== call) problems.push(`PARTYID ${party} is none of CALLID ${call}`);
      return callText(connIds.get(call) ?? null, ms(of?.["CREATED"]));
    };
    const where = (given: Row) => `${given["ENDPOINTDN"]}/${given["QUEUEDN"] ?? null}`;
    const words = (endpoints.get(key) ?? []).map((endpoint): EndpointWords => {
      const [from, to] = [ms(endpoint["CREATED"]) ?? 0, ms(endpoint["TERMINATED"])];
      const isOf = (each: Row, at: number) =>
        where(each) === where(endpoint) && at >= from && (to === null || at <= to);
      const own = changes.filter((each) => isOf(each, ms(each["ADDED"]) ?? 0));
      const reasons = (ended.get(key) ?? []).filter((each) => isOf(each, ms(each["CREATED"]) ?? 0));
      const going = (active.get(key) ?? []).filter((each) => isOf(each, ms(each["CREATED"]) ?? 0));
      const { pictures, calls } = picturesOf(own, callOf, problems);
      problems.push(...logoutProblems(reasons, own.at(-1), to));
      const text = (each: Row) => reasonOf(each, changes);
      return {
        ...{ name: `${endpoint["QUEUEDN"] ?? null} from ${from}`, calls: calls.sort() },
        pictures: lasting(pictures).map(pictureText),
        reasons: reasons
          .filter((each) => each["AGENTSTATE"] !== agentStates.null && each["CREATED"] !== each["TERMINATED"])
          .map(text)
          .sort(),
        openReasons: going.map(text).sort(),
        busyMs: 0,
      };
    });
    const told = inOrder(dnd.get(key));
    problems.push(...numberProblems(told, "change of Do Not Disturb"));
    sessions.set(`${row["AGENTLOGIN"]} at ${row["PRIMARYDN"]} from ${ms(row["CREATED"])}`, {
      ...{ endedAt: ms(row["TERMINATED"]), endpoints: words },
      dnd: told.map((each) => `${each["STATE"]} from ${ms(each["ADDED"])} in ${word(each["AGENTSTATE"])}`),
      totals: totalsIn(totalsBySession.get(key) ?? [], problems),
      problems,
    });
  }
  return sessions;
}

function totalsIn(rows: readonly Row[], problems: string[]): SessionWords["totals"] {
  const totals = new Map<string, { readonly seconds: number; readonly count: number }>();
  for (const row of rows) {
    const mode = row["WORKMODE"] === undefined ? "" : ` ${row["WORKMODE"]}`;
    const name = `${row["QUEUEDN"] ?? null} ${word(row["AGENTSTATE"])}${mode}`;
    if (totals.has(name)) problems.push(`the total of ${name} is there twice`);
    totals.set(name, { seconds: Number(row["TT"]), count: Number(row["CNT"]) });
  }
  return totals;
}

function inOrder(rows: readonly Row[] = []): readonly Row[] {
  return rows.toSorted((one, other) => Number(one["SEQ"]) - Number(other["SEQ"]));
}

function numberProblems(rows: readonly Row[], what: string): string[] {
  const wrong = rows.filter((row, index) => row["SEQ"] !== index + 1);
  return wrong.slice(0, 1).map((row) => `SEQ ${row["SEQ"]} of a ${what} is not the next`);
}

/** Of one endpoint; that each row goes on from the one before it, and is of the type that says what is different. */
function picturesOf(rows: readonly Row[], callOf: (row: Row) => string | null, problems: string[]) {
  const pictures: Picture[] = [];
  const calls: string[] = [];
  for (const row of rows) {
    const at = ms(row["ADDED"]) ?? 0;
    const before = pictures.at(-1);
    const isStretch = row["TYPE"] === agentChangeTypes.state;
    const call = callOf(row);
    const state = word(row["STATE"]);
    const picture: Picture = {
      ...{ at, state, since: isStretch ? at : (before?.since ?? 0), call: isStretch ? call : (before?.call ?? null) },
      pending: row["PENDINGSTATE"] == null ? null : word(row["PENDINGSTATE"]),
      mode: (row["WORKMODE"] ?? null) as number | null,
    };
    const type = typeOf(before, picture, call, row);
    if (row["TYPE"] !== type) problems.push(`TYPE ${row["TYPE"]} at ${at}, where ${type} would be right`);
    const [was, mode] = [word(row["PREVSTATE"]), row["PREVWORKMODE"] ?? null];
    if (was !== (before?.state ?? "null")) problems.push(`PREVSTATE ${was} at ${at} after ${before?.state}`);
    if (mode !== (before?.mode ?? null)) problems.push(`PREVWORKMODE ${mode} at ${at} after ${before?.mode}`);
    const isCallChange = type === agentChangeTypes.callConnected || type === agentChangeTypes.callDisconnected;
    if (isCallChange && call !== null)
      calls.push(callChangeText(at, type === agentChangeTypes.callConnected, call, state));
    else if (!isStretch && call !== null) problems.push(`TYPE ${row["TYPE"]} at ${at} names a call`);
    pictures.push(picture);
  }
  return { pictures, calls };
}

function typeOf(before: Picture | undefined, now: Picture, call: string | null, row: Row): unknown {
  if (before === undefined || before.state !== now.state) return agentChangeTypes.state;
  // The same state again: after-call work of another call.
  if (row["TYPE"] === agentChangeTypes.state && now.state === "afterCallWork" && call !== before.call)
    return row["TYPE"];
  if (before.pending !== now.pending) return agentChangeTypes.pendingState;
  if (before.mode !== now.mode) return agentChangeTypes.workMode;
  return row["TYPE"] === agentChangeTypes.callDisconnected
    ? agentChangeTypes.callDisconnected
    : agentChangeTypes.callConnected;
}

function reasonOf(row: Row, changes: readonly Row[]): string {
  const named = changes.find((each) => each["SEQ"] === row["LSEQ"]);
  const isNamed =
    named?.["TYPE"] === agentChangeTypes.state &&
    named["QUEUEDN"] === row["QUEUEDN"] &&
    named["STATE"] === row["AGENTSTATE"];
  const words = {
    ...{ name: `${row["HWFLAG"]} ${row["KEYNAME"]}=${row["VALUE"]}`, state: word(row["AGENTSTATE"]) },
    ...{ mode: Number(row["WORKMODE"]), from: ms(row["CREATED"]) ?? 0 },
    since: isNamed ? (ms(named["ADDED"]) ?? 0) : Number.NaN,
  };
  return reasonText(words, ms(row["TERMINATED"]));
}

/** Why somebody logged out: of no state, at the endpoint's end, of the row that ends it. */
function logoutProblems(reasons: readonly Row[], last: Row | undefined, endedAt: number | null): string[] {
  const ofLogout = reasons.filter((each) => each["AGENTSTATE"] === agentStates.null);
  return ofLogout.flatMap((each) => {
    const isRight =
      ms(each["CREATED"]) === endedAt && each["CREATED"] === each["TERMINATED"] && each["LSEQ"] === last?.["SEQ"];
    return isRight ? [] : [`reason of the logout at ${endedAt} is of ${each["CREATED"]}, LSEQ ${each["LSEQ"]}`];
  });
}
