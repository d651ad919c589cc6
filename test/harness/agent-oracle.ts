// Holds an IDB's login sessions against what a simulated T-Server says that agents really did. Busy is worked out here
// from the calls' truth, by the rule of the documents and not by the program's: whoever dials, talks or holds.

import { readFileSync } from "node:fs";
import Database from "libsql";
import { agentStates } from "../../schema/dictionary.ts";
import type { SessionStory, StoryData } from "../../src/simulator/tserver/call-detail.ts";
import type { CallStory } from "../../src/simulator/tserver/truth.ts";
import { readSessionStories } from "./voice-truth.ts";

export interface AgentComparison {
  readonly sessions: number;
  /** Stretches of a state, of all endpoints. */
  readonly stretches: number;
  readonly busySeconds: number;
  readonly reasons: number;
  /** One line a difference; empty: equal. */
  readonly differences: readonly string[];
}

/** What one endpoint was: names of states with the millisecond of their beginning; "null": logged out. */
interface EndpointStory {
  readonly name: string;
  readonly stretches: readonly (readonly [state: string, from: number])[];
  /** Milliseconds by reason. */
  readonly reasons: ReadonlyMap<string, number>;
}

type Interval = readonly [from: number, to: number];

const stateNames = new Map<number, string>(Object.entries(agentStates).map(([name, number]) => [number, name]));
const busyStates = new Set(["dialing", "connected", "held"]);

/** `isJudged`: which of the sessions; null: all. */
export function compareAgents(
  idbPath: string,
  truthPath: string,
  isJudged: ((session: SessionStory) => boolean) | null = null,
): AgentComparison {
  const judged = readSessionStories(truthPath).filter((session) => isJudged?.(session) ?? true);
  const busy = readBusy(truthPath);
  const told = readIdb(idbPath);
  const differences: string[] = [];
  const differ = (name: string, what: string, real: unknown, ours: unknown) => {
    const [one, other] = [JSON.stringify(real), JSON.stringify(ours)];
    if (one !== other) differences.push(`${name}: ${what} was ${one}, is ${other}`);
  };
  const counted = { stretches: 0, busySeconds: 0, reasons: 0 };
  for (const session of judged) {
    const name = `${session.agentId} at ${session.dn} from ${Math.floor(session.loggedInAt)}`;
    const ours = told.get(name);
    if (ours === undefined) {
      differences.push(`${name} is not there`);
      continue;
    }
    differ(name, "end", floored(session.loggedOutAt), ours.endedAt);
    differ(name, "Do Not Disturb", dndOf(session), ours.dnd);
    const real = endpointsOf(session, busy.get(session.dn) ?? []);
    differ(name, "queues", real.map((each) => each.name).sort(), ours.endpoints.map((each) => each.name).sort());
    for (const endpoint of real) {
      const against = ours.endpoints.find((each) => each.name === endpoint.name);
      if (against === undefined) continue;
      const of = `${name}, ${endpoint.name}`;
      differ(of, "states", endpoint.stretches, against.stretches);
      // A reason has its row when it has ended.
      if (session.loggedOutAt !== null) differences.push(...reasonDifferences(of, endpoint, against));
      counted.stretches += endpoint.stretches.length;
      counted.reasons += endpoint.reasons.size;
      for (const [index, [state, from]] of endpoint.stretches.entries()) {
        if (state === "busy") counted.busySeconds += ((endpoint.stretches[index + 1]?.[1] ?? from) - from) / 1000;
      }
    }
    if (ours.endedAt !== null) differences.push(...totalDifferences(name, real, ours.totals));
  }
  if (isJudged === null) differ("IDB", "sessions", judged.length, told.size);
  return { sessions: judged.length, ...counted, differences };
}

function floored(ms: number | null): number | null {
  return ms === null ? null : Math.floor(ms);
}

/** By DN, as the calls' truth has them. */
function readBusy(truthPath: string): ReadonlyMap<string, readonly Interval[]> {
  const busy = new Map<string, Interval[]>();
  for (const line of readFileSync(truthPath, "utf8").split("\n")) {
    if (line === "") continue;
    const call: CallStory = JSON.parse(line);
    for (const { dn, states, endedAt } of call.parties) {
      const of = busy.get(dn) ?? [];
      for (const [index, { state, from }] of states.entries()) {
        const to = states[index + 1]?.from ?? endedAt ?? Number.POSITIVE_INFINITY;
        if (busyStates.has(state)) of.push([from, to]);
      }
      busy.set(dn, of);
    }
  }
  return busy;
}

function endpointsOf(session: SessionStory, busy: readonly Interval[]): EndpointStory[] {
  return session.queues.map(({ queue, from, to }) => {
    const until = to ?? Number.POSITIVE_INFINITY;
    const inIt = (at: number) => at > from && at < until;
    const cuts = [...session.states.map((each) => each.from), ...busy.flat()].filter(inIt);
    const borders = [from, ...new Set(cuts.sort((a, b) => a - b))];
    const stretches: [string, number][] = [];
    const reasons = new Map<string, number>();
    for (const [index, at] of borders.entries()) {
      const end = borders[index + 1] ?? until;
      const now = session.states.findLast((each) => each.from <= at) ?? session.states[0];
      if (now === undefined) continue;
      const isBusy = busy.some(([begun, over]) => begun <= at && at < over);
      const state = now.state === "not ready" ? (now.workMode === 3 ? "afterCallWork" : "notReady") : now.state;
      const known = state === "logged in" ? "login" : state;
      stretches.push([isBusy ? "busy" : known, at]);
      if ((isBusy && known === "login") || end === Number.POSITIVE_INFINITY) continue;
      for (const reason of reasonsOf(now.reasons, now.hardwareReason)) {
        reasons.set(reason, (reasons.get(reason) ?? 0) + end - at);
      }
    }
    if (to !== null) stretches.push(["null", to]);
    return { name: `${queue} from ${Math.floor(from)}`, stretches: joined(stretches), reasons };
  });
}

function reasonsOf(data: StoryData, hardware: string | number | null): readonly string[] {
  const software = Object.entries(data).flatMap(([key, value]): string[] =>
    typeof value === "object"
      ? reasonsOf(value, null).map((each) => each.replace("0 ", `0 ${key}/`))
      : [`0 ${key}=${value}`],
  );
  return hardware === null ? software : [`1 ReasonCode=${hardware}`, ...software];
}

/** In whole milliseconds, without what lasted none, and what goes on once. */
function joined(stretches: readonly (readonly [string, number])[]): (readonly [string, number])[] {
  const whole = stretches.map(([state, from]) => [state, Math.floor(from)] as const);
  const lasting = whole.filter(([, from], index) => index === whole.length - 1 || whole[index + 1]?.[1] !== from);
  return lasting.filter(([state], index) => index === 0 || lasting[index - 1]?.[0] !== state);
}

function dndOf({ dnd }: SessionStory): (readonly [number, number])[] {
  return dnd.flatMap(({ from, to }) => [
    [1, Math.floor(from)] as const,
    ...(to === null ? [] : [[0, Math.floor(to)] as const]),
  ]);
}

/** Each row's two times are cut to milliseconds. */
function reasonDifferences(name: string, real: EndpointStory, ours: EndpointStory): readonly string[] {
  const keys = new Set([...real.reasons.keys(), ...ours.reasons.keys()]);
  return [...keys].flatMap((key) => {
    const [was, is] = [real.reasons.get(key) ?? 0, ours.reasons.get(key) ?? 0];
    return Math.abs(was - is) < 50 ? [] : [`${name}: ${key} lasted ${was} ms, is ${is}`];
  });
}

function totalDifferences(name: string, real: readonly EndpointStory[], ours: ReadonlyMap<string, number>): string[] {
  const ms = new Map<string, number>();
  for (const { name: endpoint, stretches } of real) {
    const queue = endpoint.replace(/ from .*/, "");
    for (const [index, [state, from]] of stretches.entries()) {
      const next = stretches[index + 1];
      if (next === undefined || state === "null") continue;
      ms.set(`${queue} ${state}`, (ms.get(`${queue} ${state}`) ?? 0) + next[1] - from);
    }
  }
  return [...new Set([...ms.keys(), ...ours.keys()])].flatMap((key) => {
    const [was, is] = [(ms.get(key) ?? 0) / 1000, ours.get(key) ?? 0];
    return Math.abs(was - is) < 1.01 ? [] : [`${name}: total of ${key} was ${was} s, is ${is}`];
  });
}

interface IdbSession {
  readonly endedAt: number | null;
  readonly dnd: readonly (readonly [number, number])[];
  readonly endpoints: readonly EndpointStory[];
  readonly totals: ReadonlyMap<string, number>;
}

function readIdb(idbPath: string): ReadonlyMap<string, IdbSession> {
  const database = new Database(idbPath, { readonly: true });
  try {
    const all = (sql: string) => database.prepare(sql).all() as Record<string, string | number | null>[];
    const bySession = (sql: string) => Map.groupBy(all(sql), (row) => row["LOGINSESSIONID"]);
    const endpoints = bySession("SELECT * FROM GX_SESSION_ENDPOINT ORDER BY ID");
    const history = bySession("SELECT * FROM G_AGENT_STATE_HISTORY WHERE TYPE = 5 ORDER BY ID");
    const reasons = bySession("SELECT *, SESSIONID AS LOGINSESSIONID FROM G_AGENT_STATE_RC ORDER BY ID");
    const dnd = bySession("SELECT * FROM G_DND_HISTORY ORDER BY ID");
    const totals = bySession("SELECT * FROM GS_AGENT_STAT ORDER BY ID");
    const sessions = new Map<string, IdbSession>();
    for (const row of all("SELECT * FROM G_LOGIN_SESSION")) {
      const key = row["LOGINSESSIONID"] ?? null;
      const name = `${row["AGENTLOGIN"]} at ${row["PRIMARYDN"]} from ${Date.parse(String(row["CREATED"]))}`;
      sessions.set(name, {
        endedAt: timeOf(row["TERMINATED"]),
        dnd: (dnd.get(key) ?? []).map((each) => [Number(each["STATE"]), timeOf(each["ADDED"]) ?? 0]),
        endpoints: (endpoints.get(key) ?? []).map((endpoint) => {
          const [from, to] = [timeOf(endpoint["CREATED"]) ?? 0, timeOf(endpoint["TERMINATED"])];
          const isOf = (each: Record<string, string | number | null>, at: number) =>
            each["QUEUEDN"] === endpoint["QUEUEDN"] && at >= from && (to === null || at <= to);
          const of = (history.get(key) ?? []).filter((each) => isOf(each, timeOf(each["ADDED"]) ?? 0));
          const lasted = new Map<string, number>();
          for (const each of reasons.get(key) ?? []) {
            const begun = timeOf(each["CREATED"]) ?? 0;
            const reason = `${each["HWFLAG"]} ${each["KEYNAME"]}=${each["VALUE"]}`;
            const ms = (timeOf(each["TERMINATED"]) ?? begun) - begun;
            if (isOf(each, begun) && ms > 0) lasted.set(reason, (lasted.get(reason) ?? 0) + ms);
          }
          return {
            name: `${endpoint["QUEUEDN"]} from ${from}`,
            stretches: joined(
              of.map((each) => [stateNames.get(Number(each["STATE"])) ?? "?", timeOf(each["ADDED"]) ?? 0]),
            ),
            reasons: lasted,
          };
        }),
        totals: new Map(
          (totals.get(key) ?? []).map((each) => [
            `${each["QUEUEDN"]} ${stateNames.get(Number(each["AGENTSTATE"]))}`,
            Number(each["TT"]),
          ]),
        ),
      });
    }
    return sessions;
  } finally {
    database.close();
  }
}

function timeOf(text: string | number | null | undefined): number | null {
  return typeof text === "string" ? Date.parse(text) : null;
}
