// Login sessions at the simulated switch: who sits where, for which queues, in which state. As with calls, a session
// changes only together with the event that tells of the change.
//
// 1. A session is (agent, DN) from the first EventAgentLogin to the logout of its last queue. Further queues of the same
//    agent on the same DN come by further EventAgentLogin, and leave by EventQueueLogout while the session goes on.
// 2. Ready, not ready and Do Not Disturb are the DN's, whatever the queues: `ThisQueue` is told where there is one alone.
// 3. Do Not Disturb is off before a logout.

import type { Agent, AgentEventId, AgentWorkMode, Desk, EventNumber, EventSink, UserData } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

export interface AgentStretch {
  /** logged in: the agent has not said yet whether ready or not. */
  readonly state: "logged in" | "ready" | "not ready";
  readonly fromUs: number;
  readonly workMode: AgentWorkMode | null;
  readonly reasons: UserData;
  /** ReasonCode of the telephone set; null: none. */
  readonly hardwareReason: string | number | null;
}

export interface LoginSession {
  readonly agent: Agent;
  readonly agentId: string;
  readonly dn: string;
  /** The EventAgentLogin that began it. */
  readonly origin: EventNumber & { readonly atUs: number };
  /** `queue` null: a login without one. */
  readonly queues: { readonly queue: string | null; readonly fromUs: number; toUs: number | null }[];
  readonly states: AgentStretch[];
  readonly dnd: { readonly fromUs: number; toUs: number | null }[];
  readonly userEvents: { readonly atUs: number; readonly userData: UserData }[];
  loggedOutUs: number | null;
}

export type Stance = Partial<Pick<AgentStretch, "workMode" | "reasons" | "hardwareReason">>;

export class AgentDesks {
  readonly #board: Pick<Switchboard, "tell" | "nowUs">;
  readonly #sink: Pick<EventSink, "sessionOver">;
  readonly #sessions = new Map<Agent, LoginSession>();

  constructor(board: Pick<Switchboard, "tell" | "nowUs">, sink: Pick<EventSink, "sessionOver">) {
    this.#board = board;
    this.#sink = sink;
  }

  /** Of all who are logged in. */
  get sessions(): Iterable<LoginSession> {
    return this.#sessions.values();
  }

  at(dn: string): LoginSession | undefined {
    return this.#sessions.values().find((session) => session.dn === dn);
  }

  /** Null when nothing is told any more. `queues` must not be empty. */
  login(agent: Agent, queues: readonly (string | null)[], stance: Stance): LoginSession | null {
    const desk = { dn: agent.dn, agentId: agent.id, workMode: stance.workMode ?? null };
    let session: LoginSession | null = null;
    const atUs = this.#board.nowUs;
    for (const queue of queues) {
      const number = this.#tell("EventAgentLogin", { ...desk, queue }, stance);
      if (number === null) return session;
      session ??= {
        ...{ agent, agentId: agent.id, dn: agent.dn, origin: { ...number, atUs } },
        ...{ queues: [], states: [stretch("logged in", atUs, stance)], dnd: [], userEvents: [], loggedOutUs: null },
      };
      session.queues.push({ queue, fromUs: atUs, toUs: null });
      this.#sessions.set(agent, session);
    }
    return session;
  }

  /** One more queue, or one less; the last one is left by `logout`. */
  changeQueue(session: LoginSession, queue: string): void {
    const atUs = this.#board.nowUs;
    // Who came without a queue stays without.
    if (session.queues[0]?.queue == null) return;
    const open = session.queues.find((each) => each.queue === queue && each.toUs === null);
    const id = open === undefined ? "EventAgentLogin" : "EventQueueLogout";
    if (open !== undefined && openQueues(session).length === 1) return;
    if (this.#tell(id, { ...deskOf(session), queue }, {}) === null) return;
    if (open === undefined) session.queues.push({ queue, fromUs: atUs, toUs: null });
    else open.toUs = atUs;
  }

  ready(session: LoginSession, stance: Stance): void {
    this.#enter(session, "ready", "EventAgentReady", stance);
  }

  /** Also when not ready already: for another reason, or in another work mode. */
  notReady(session: LoginSession, stance: Stance): void {
    this.#enter(session, "not ready", "EventAgentNotReady", stance);
  }

  switchDnd(session: LoginSession): void {
    const open = session.dnd.find(({ toUs }) => toUs === null);
    const id = open === undefined ? "EventDNDOn" : "EventDNDOff";
    if (this.#tell(id, deskOf(session), {}) === null) return;
    if (open === undefined) session.dnd.push({ fromUs: this.#board.nowUs, toUs: null });
    else open.toUs = this.#board.nowUs;
  }

  /** The agent's desktop tells something of its own. */
  userEvent(session: LoginSession, userData: UserData): void {
    const desk = { ...deskOf(session), queue: null };
    if (this.#board.tell({ id: "EventUserEvent", words: { desk, userData } }) === null) return;
    session.userEvents.push({ atUs: this.#board.nowUs, userData });
  }

  /** Told once for each queue or, `isWhole`, once for the DN, without a queue unless there is one alone. */
  logout(session: LoginSession, reasons: UserData, isWhole: boolean): void {
    const atUs = this.#board.nowUs;
    const open = openQueues(session);
    const desk = deskOf(session);
    const queues = isWhole ? [desk.queue] : open.map(({ queue }) => queue);
    for (const queue of queues) {
      if (this.#tell("EventAgentLogout", { ...desk, queue }, { reasons }) === null) return;
    }
    for (const each of open) each.toUs = atUs;
    session.loggedOutUs = atUs;
    this.#sessions.delete(session.agent);
    this.#sink.sessionOver(session);
  }

  #enter(
    session: LoginSession,
    state: AgentStretch["state"],
    id: "EventAgentReady" | "EventAgentNotReady",
    stance: Stance,
  ): void {
    const desk = { ...deskOf(session), workMode: stance.workMode ?? null };
    if (this.#tell(id, desk, stance) === null) return;
    session.states.push(stretch(state, this.#board.nowUs, stance));
  }

  #tell(id: AgentEventId, desk: Desk, stance: Stance): EventNumber | null {
    return this.#board.tell({ id, words: { desk, ...told(stance) } });
  }
}

/** Reasons and Extensions of an agent's event. */
export function told({ reasons = [], hardwareReason = null }: Stance): { reasons: UserData; extensions: UserData } {
  return { reasons, extensions: hardwareReason === null ? [] : [["ReasonCode", hardwareReason]] };
}

/** What an event without a queue of its own says of the agent. */
export function deskOf(session: LoginSession): Desk {
  const open = openQueues(session);
  const queue = open.length === 1 ? (open[0]?.queue ?? null) : null;
  return { dn: session.dn, agentId: session.agentId, queue, workMode: null };
}

export function openQueues(session: LoginSession): LoginSession["queues"] {
  return session.queues.filter(({ toUs }) => toUs === null);
}

function stretch(state: AgentStretch["state"], fromUs: number, stance: Stance): AgentStretch {
  const { workMode = null, reasons = [], hardwareReason = null } = stance;
  return { state, fromUs, workMode, reasons, hardwareReason };
}
