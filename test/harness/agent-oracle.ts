// Holds an IDB's login sessions against what a simulated T-Server says that agents really did: each picture that a state's
// rows give, with its call, what is pending and the work mode, reasons, and how long and how often it was.

import type { SessionStory } from "../../src/simulator/tserver/call-detail.ts";
import type { CallStory } from "../../src/simulator/tserver/truth.ts";
import { type AgentRules, deskCallsOf, documentedRules, modelSession, type SessionModel } from "./agent-model.ts";
import { type RowsOf, readIdbRows, type SessionWords, sessionsOf } from "./agent-rows.ts";
import { readCallStories, readSessionStories } from "./voice-truth.ts";

export interface AgentComparison {
  readonly sessions: number;
  /** Pictures of all endpoints. */
  readonly pictures: number;
  readonly busySeconds: number;
  readonly reasons: number;
  readonly openReasons: number;
  /** One line a difference; empty: equal. */
  readonly differences: readonly string[];
}

interface Judging {
  /** Which of the sessions; absent: all. */
  readonly isJudged?: (session: SessionStory) => boolean;
  readonly rules?: AgentRules;
  /** Whether gls-active-reason-codes is on. */
  readonly hasActiveReasons?: boolean;
  /** Whether all of their calls are in the IDB too; else calls are not compared. */
  readonly hasCalls?: boolean;
}

export function compareAgents(idbPath: string, truthPath: string, judging: Judging = {}): AgentComparison {
  const truth = { sessions: readSessionStories(truthPath), calls: readCallStories(truthPath) };
  return readIdbRows(idbPath, (rows) => compareAgentRows(rows, truth, judging));
}

export function compareAgentRows(
  rows: RowsOf,
  truth: { readonly sessions: readonly SessionStory[]; readonly calls: readonly CallStory[] },
  { isJudged, rules = documentedRules, hasActiveReasons = false, hasCalls = true }: Judging,
): AgentComparison {
  const judged = truth.sessions.filter((session) => isJudged?.(session) ?? true);
  const desks = deskCallsOf(truth.calls);
  const told = sessionsOf(rows);
  const differences: string[] = [];
  const counted = { pictures: 0, busySeconds: 0, reasons: 0, openReasons: 0 };
  for (const session of judged) {
    const name = `${session.agentId} at ${session.dn} from ${Math.floor(session.loggedInAt)}`;
    const ours = told.get(name);
    if (ours === undefined) {
      differences.push(`${name} is not there`);
      continue;
    }
    const real = modelSession(session, desks, rules);
    differences.push(
      ...differencesOf(session, real, ours, { hasActiveReasons, hasCalls }).map((each) => `${name}: ${each}`),
    );
    for (const { pictures, reasons, openReasons, busyMs } of real.endpoints) {
      counted.pictures += pictures.length;
      counted.busySeconds += busyMs / 1000;
      counted.reasons += reasons.length;
      counted.openReasons += openReasons.length;
    }
  }
  if (isJudged === undefined && told.size !== judged.length) {
    differences.push(`${told.size} sessions are there, and ${judged.length} were`);
  }
  return { sessions: judged.length, ...counted, differences };
}

// As callText has it; null where there is none.
const callPattern = /(?<= of | on | off )\S+?(?=,| while)/;

function differencesOf(
  session: SessionStory,
  real: SessionModel,
  ours: SessionWords,
  { hasActiveReasons, hasCalls }: Required<Pick<Judging, "hasActiveReasons" | "hasCalls">>,
): readonly string[] {
  const differences = ours.problems.filter((problem) => hasCalls || !problem.startsWith("PARTYID"));
  const shown = (texts: readonly string[]) => (hasCalls ? texts : texts.map((each) => each.replace(callPattern, "?")));
  const differ = (what: string, was: readonly string[], is: readonly string[]) => {
    const index = [...was, ...is].findIndex((_, each) => was[each] !== is[each]);
    if (index >= 0) differences.push(`${what}: was "${was[index]}", is "${is[index]}"`);
  };
  const ended = session.loggedOutAt === null ? null : Math.floor(session.loggedOutAt);
  differ("end", [String(ended)], [String(ours.endedAt)]);
  const dnd = session.dnd.flatMap(({ from, to }) => [[1, from] as const, ...(to === null ? [] : [[0, to] as const])]);
  differ(
    "Do Not Disturb",
    dnd.map(([state, at]) => `${state} from ${Math.floor(at)} in ${real.stateAt(Math.floor(at))}`),
    ours.dnd,
  );
  const names = (endpoints: SessionModel["endpoints"]) => endpoints.map(({ name }) => name).sort();
  differ("queues", names(real.endpoints), names(ours.endpoints));
  for (const endpoint of real.endpoints) {
    const against = ours.endpoints.find(({ name }) => name === endpoint.name);
    if (against === undefined) continue;
    for (const what of ["pictures", "calls", "reasons"] as const) {
      differ(`${endpoint.name}, ${what}`, shown(endpoint[what]), shown(against[what]));
    }
    differ(`${endpoint.name}, open reasons`, hasActiveReasons ? endpoint.openReasons : [], against.openReasons);
  }
  return [...differences, ...totalDifferences(ended === null ? new Map() : real.totals, ours.totals)];
}

/**
 * Whole seconds of parts add up to those of the whole, each is rounded down or up, and of two parts not the one is rounded
 * up that lost less. Work modes are parts of a state, states of the endpoint.
 */
function totalDifferences(real: SessionModel["totals"], ours: SessionWords["totals"]): readonly string[] {
  const differences: string[] = [];
  for (const key of new Set([...real.keys(), ...ours.keys()])) {
    const [was, is] = [real.get(key), ours.get(key)];
    if (was?.count !== is?.count) differences.push(`CNT of ${key} was ${was?.count}, is ${is?.count}`);
  }
  if (differences.length > 0) return differences;
  const wholes = Map.groupBy(real, ([key]) => {
    const [queue, state, mode] = key.split(" ");
    return mode === undefined ? `${queue}` : `${queue} ${state}`;
  });
  for (const [whole, parts] of wholes) {
    const sumMs = parts.reduce((sum, [, { ms }]) => sum + ms, 0);
    const should = ours.get(whole)?.seconds ?? Math.floor(sumMs / 1000);
    const each = parts.map(([key, { ms }]) => ({ key, ms, seconds: ours.get(key)?.seconds ?? 0 }));
    const sum = each.reduce((total, { seconds }) => total + seconds, 0);
    const up = each.filter(({ ms, seconds }) => seconds > Math.floor(ms / 1000));
    const down = each.filter((part) => !up.includes(part));
    const isNear = each.every(({ ms, seconds }) => seconds >= Math.floor(ms / 1000) && seconds * 1000 - ms < 1000);
    const lost = ({ ms }: { readonly ms: number }) => ms % 1000;
    const isFair = up.length === 0 || Math.min(...up.map(lost)) >= Math.max(0, ...down.map(lost));
    if (isNear && isFair && sum === should) continue;
    const text = each.map(({ key, ms, seconds }) => `${key} ${seconds} for ${ms} ms`).join(", ");
    differences.push(`TT of ${whole}: ${text}; ${should} in all`);
  }
  return differences;
}
