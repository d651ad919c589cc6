// Login sessions of an IDB over stretches in which nobody listened: each is one that a simulated T-Server had, with its end
// or the bounds of that, and in the states that one client was told.

import { agentStates } from "../../schema/dictionary.ts";
import type { SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import type { ObservedSession } from "../../src/simulator/tserver/observed-agents.ts";
import { readIdbRows } from "./agent-rows.ts";

export interface StoredSessions {
  readonly sessions: number;
  /** Of which a snapshot told what nobody had heard. */
  readonly over: number;
  readonly differences: readonly string[];
}

const ms = (text: unknown) => (typeof text === "string" ? Date.parse(text) : null);
const floored = (at: number | null) => (at === null ? null : Math.floor(at));

export function auditStoredSessions(
  idbPath: string,
  truth: readonly SessionStory[],
  observed: readonly ObservedSession[],
  keyOf: (origin: { readonly run: string; readonly seq: number }) => string,
): StoredSessions {
  const real = new Map(truth.map((story) => [keyOf(story), story]));
  const known = new Map(
    observed.flatMap((each) =>
      each.run === null || each.seq === null ? [] : [[keyOf({ run: each.run, seq: each.seq }), each] as const],
    ),
  );
  const differences: string[] = [];
  let over = 0;
  const sessions = readIdbRows(idbPath, (rows) => {
    const history = Map.groupBy(rows("G_AGENT_STATE_HISTORY"), (row) => row["LOGINSESSIONID"]);
    const doubts = Map.groupBy(rows("ICON_ROW_QUALITY"), (row) => row["ROW_KEY"]);
    const all = rows("G_LOGIN_SESSION");
    for (const row of all) {
      const key = String(row["LOGINSESSIONID"]);
      const [story, told] = [real.get(key), known.get(key)];
      known.delete(key);
      const name = `session ${key} of ${row["AGENTLOGIN"]} at ${row["PRIMARYDN"]}`;
      if (story === undefined || told === undefined) {
        differences.push(`${name} was ${story === undefined ? "never there" : "never told"}`);
        continue;
      }
      if (ms(row["CREATED"]) !== floored(story.loggedInAt)) differences.push(`${name}: CREATED is ${row["CREATED"]}`);
      const unseen = doubts.get(key)?.find(({ REASON }) => REASON === "end not seen");
      const [from, to] = [ms(unseen?.["EARLIEST"]), ms(unseen?.["LATEST"])];
      const ended = floored(story.loggedOutAt);
      const isEnded = told.endedUnseen === undefined ? ms(row["TERMINATED"]) === ended : unseen !== undefined;
      const isBetween = unseen === undefined || ((from ?? 0) <= (ended ?? -1) && (ended ?? 0) <= (to ?? 0));
      if (!isEnded || !isBetween) {
        differences.push(`${name}: TERMINATED is ${row["TERMINATED"]} (${from}–${to}), it was left at ${ended}`);
      }
      if (told.seen !== undefined || told.states.some(({ seen }) => seen !== undefined)) over += 1;
      differences.push(
        ...stateProblems(told, history.get(key) ?? [], ms(row["TERMINATED"])).map((each) => `${name}: ${each}`),
      );
    }
    return all.length;
  });
  for (const { agentId, dn } of known.values()) differences.push(`a session of ${agentId} at ${dn} is missing`);
  return { sessions, over, differences };
}

type Row = Readonly<Record<string, string | number | null | undefined>>;

/** What was told is in effect, or pending, until the next is told. */
function stateProblems(told: ObservedSession, history: readonly Row[], endedAt: number | null): string[] {
  return told.states.flatMap(({ state, from, workMode }, index) => {
    const next = told.states[index + 1]?.from ?? endedAt ?? Number.POSITIVE_INFINITY;
    // Nothing is pending behind a call of who said nothing after the login.
    if (state === "logged in" || Math.floor(next) === Math.floor(from)) return [];
    const row = history.findLast((each) => {
      const at = ms(each["ADDED"]) ?? 0;
      return at < Math.floor(next) && each["STATE"] !== agentStates.null;
    });
    const should = state === "ready" ? "ready" : workMode === 3 ? "afterCallWork" : "notReady";
    const is = row?.["PENDINGSTATE"] ?? row?.["STATE"];
    return is === agentStates[should] ? [] : [`${should} since ${Math.floor(from)} is ${is}`];
  });
}
