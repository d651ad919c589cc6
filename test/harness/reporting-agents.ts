// Who sat where in the morning of reporting-day.ts, what they told of themselves, and so how long each was in which state,
// moment by moment and without a look into the IDB. Most sit at several queues at a time.
//
// All but one log out before the connection is lost; of that one nobody saw the end.

import type { Told } from "./reporting-day.ts";

export type AgentState = "ready" | "not ready" | "after-call work" | "busy" | "login";

/** A change that an agent told; `queue` null: of all his queues. */
interface PlannedChange {
  readonly at: number;
  readonly state: Exclude<AgentState, "busy">;
  readonly queue: string | null;
  readonly reason: string | null;
}

export interface PlannedSession {
  readonly login: string;
  readonly dn: string;
  readonly queues: readonly string[];
  readonly from: number;
  /** Null: it goes on when the morning ends. */
  readonly until: number | null;
  readonly isEndSeen: boolean;
  readonly changes: readonly PlannedChange[];
}

const sessionOf = (
  [login, dn, ...queues]: readonly [login: string, dn: string, ...queues: string[]],
  from: number,
  until: number | null,
): PlannedSession => ({ login, dn, queues, from, until, isEndSeen: true, changes: changesOf(from, until, queues) });

/** Every six minutes a pause, after-call work, and not ready for the second of his queues alone. */
function changesOf(from: number, until: number | null, queues: readonly string[]): readonly PlannedChange[] {
  const changes: PlannedChange[] = [{ at: from + 7.5, state: "ready", queue: null, reason: null }];
  for (let at = from + 100, round = 0; at + 300 < (until ?? 7100); at += 360, round += 1) {
    const reason = round % 3 === 2 ? null : round % 3 === 0 ? "coffee" : "meeting";
    changes.push(
      { at, state: "not ready", queue: null, reason },
      { at: at + 95.25, state: "ready", queue: null, reason: null },
      { at: at + 150, state: "after-call work", queue: null, reason: null },
      { at: at + 171.5, state: "ready", queue: null, reason: null },
      { at: at + 200, state: "not ready", queue: queues[1] ?? queues[0] ?? "", reason: null },
      { at: at + 260, state: "ready", queue: null, reason: null },
    );
  }
  return changes;
}

export const plannedSessions: readonly PlannedSession[] = [
  sessionOf(["1001", "5101", "8001", "8002"], 620, 3650),
  sessionOf(["1001", "5101", "8001", "8002"], 4110, 6900),
  sessionOf(["1002", "5102", "8001"], 630, 3660),
  sessionOf(["1002", "5102", "8001"], 4120, null),
  sessionOf(["1003", "5103", "8002", "8001", "8009"], 640, 3670),
  // The same agent at a second desk for a quarter of an hour.
  sessionOf(["1003", "5105", "8002"], 1300, 2200),
  { ...sessionOf(["1004", "5104", "8001"], 650, 3600), until: null, isEndSeen: false },
];

const events: Readonly<Record<PlannedChange["state"], string>> = {
  login: "EventAgentLogin",
  ready: "EventAgentReady",
  "not ready": "EventAgentNotReady",
  "after-call work": "EventAgentNotReady",
};

/** What the server tells of a session. */
export function toldOfSession({ login, dn, queues, from, until, changes }: PlannedSession): readonly Told[] {
  const about = { AgentID: login, ThisDN: dn };
  return [
    ...queues.map((queue): Told => [from, "EventAgentLogin", { ...about, ThisQueue: queue }]),
    ...changes.map(({ at, state, queue, reason }): Told => {
      const mode = { AgentWorkMode: state === "after-call work" ? "AgentAfterCallWork" : "AgentManualIn" };
      const where = queue === null ? {} : { ThisQueue: queue };
      const why = reason === null ? {} : { Reasons: { Break: reason } };
      return [at, events[state], { ...about, ...mode, ...where, ...why }];
    }),
    ...(until === null ? [] : [[until, "EventAgentLogout", about] as const]),
  ];
}

/** From when to when somebody at the DN dials or talks, of what the server tells of calls. */
export function busyAt(dn: string, told: readonly Told[]): readonly (readonly [from: number, until: number])[] {
  const begun = new Map<unknown, number>();
  const busy: (readonly [number, number])[] = [];
  for (const [at, id, { ThisDN, PartyUUID }] of told) {
    if (ThisDN !== dn) continue;
    if ((id === "EventEstablished" || id === "EventDialing") && !begun.has(PartyUUID)) begun.set(PartyUUID, at);
    if (id !== "EventReleased") continue;
    busy.push([begun.get(PartyUUID) ?? at, at]);
    begun.delete(PartyUUID);
  }
  return [...busy, ...[...begun.values()].map((from) => [from, Number.POSITIVE_INFINITY] as const)];
}

/** Seconds of each state of one agent between two moments, each moment once. */
export function secondsOf(
  login: string,
  told: readonly Told[],
  [from, until]: readonly [from: number, until: number],
): ReadonlyMap<AgentState, number> {
  const own = plannedSessions.filter((session) => session.login === login);
  const busy = new Map(own.map(({ dn }) => [dn, busyAt(dn, told)]));
  const cuts = [
    ...own.flatMap((session) => [session.from, session.until ?? until, ...session.changes.map(({ at }) => at)]),
    ...[...busy.values()].flat(2),
  ];
  const borders = [from, ...cuts.filter((at) => at > from && at < until), until].sort((a, b) => a - b);
  const seconds = new Map<AgentState, number>();
  for (const [index, border] of borders.entries()) {
    const next = borders[index + 1];
    if (next === undefined || next === border) continue;
    const middle = (border + next) / 2;
    const states = new Set(
      own
        .filter((session) => session.from < middle && middle < (session.until ?? Number.POSITIVE_INFINITY))
        .flatMap((session) =>
          session.queues.map((queue): AgentState => {
            if (busy.get(session.dn)?.some(([begun, over]) => begun < middle && middle < over)) return "busy";
            const now = session.changes.findLast(
              (change) => change.at < middle && (change.queue === null || change.queue === queue),
            );
            return now?.state ?? "login";
          }),
        ),
    );
    const order = ["busy", "after-call work", "ready", "not ready", "login"] as const;
    const state = order.find((each) => states.has(each));
    if (state !== undefined) seconds.set(state, (seconds.get(state) ?? 0) + next - border);
  }
  return seconds;
}
