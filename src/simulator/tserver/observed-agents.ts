// Of the oracle "observable" the part about agents: which login sessions one client could know of, folded from what was
// delivered to it. As for calls, only the events' own words count.
//
// 1. A session is named by the event that began it; where a snapshot does not say which that was, by agent and DN.
// 2. After a snapshot, a session that it does not name has ended unseen; so has a queue, or Do Not Disturb, of one that it
//    names. A state that it tells and that was not known began when it says; what was between is not known.

import { type SessionStory, storyData } from "./call-detail.ts";
import { deskOf, type LoginSession, openQueues } from "./login-session.ts";
import type { EndedUnseen } from "./observable.ts";
import type { StoryFile } from "./story-file.ts";
import type { Desk, EventNumber, SwitchEvent, Words } from "./switch-event.ts";

/** One login session of a snapshot, as it was sent. */
export interface PresentSession {
  readonly desk: Desk;
  /** Null: the server did not say. */
  readonly origin: LoginSession["origin"] | null;
  readonly queues: readonly { readonly queue: string | null; readonly from: number }[];
  /** Null: the agent has not said yet whether ready or not. */
  readonly state: SessionStory["states"][number] | null;
  /** Since when Do Not Disturb is on; null: off. */
  readonly dndFrom: number | null;
}

type SeenState = SessionStory["states"][number] & { readonly seen?: "snapshot" };
interface Span {
  readonly from: number;
  to: number | null;
  readonly seen?: "snapshot";
  endedUnseen?: EndedUnseen;
}

/** One line of the observable agents file: as in truth, with what is known only in part marked by the optional members. */
export interface ObservedSession
  extends Omit<SessionStory, "run" | "seq" | "queues" | "states" | "dnd" | "userEvents"> {
  /** Null with `seen`: the server did not say. */
  readonly run: string | null;
  readonly seq: number | null;
  /** With `seen` and without `run`: the earliest that the snapshot told of it. */
  readonly loggedInAt: number;
  loggedOutAt: number | null;
  readonly queues: (Span & { readonly queue: string | null })[];
  readonly states: SeenState[];
  readonly dnd: Span[];
  readonly userEvents: SessionStory["userEvents"][number][];
  readonly seen?: "snapshot";
  endedUnseen?: EndedUnseen;
}

export class ObservedAgents {
  readonly #file: StoryFile;
  /** By DN. */
  readonly #open = new Map<string, ObservedSession>();

  constructor(file: StoryFile) {
    this.#file = file;
  }

  event({ id, atUs, words }: SwitchEvent, number: EventNumber): void {
    const desk = words?.desk;
    if (words === null || desk === undefined) return;
    const at = atUs / 1000;
    const session = this.#open.get(desk.dn);
    if (id === "EventAgentLogin") {
      if (session === undefined) this.#begin(desk, words, at, number);
      else session.queues.push({ queue: desk.queue, from: at, to: null });
      return;
    }
    if (session === undefined) return;
    switch (id) {
      case "EventAgentReady":
        session.states.push(stateOf("ready", desk, words, at));
        return;
      case "EventAgentNotReady":
        session.states.push(stateOf("not ready", desk, words, at));
        return;
      case "EventDNDOn":
        session.dnd.push({ from: at, to: null });
        return;
      case "EventDNDOff":
        for (const span of openSpans(session.dnd)) span.to = at;
        return;
      case "EventUserEvent":
        session.userEvents.push({ at, userData: storyData(words.userData ?? []) });
        return;
      case "EventQueueLogout":
      case "EventAgentLogout": {
        const isOf = (queue: string | null) => desk.queue === null || queue === desk.queue;
        for (const span of openSpans(session.queues)) if (isOf(span.queue)) span.to = at;
        if (openSpans(session.queues).length > 0) return;
        session.loggedOutAt = at;
        this.#end(session);
        return;
      }
      default:
        return;
    }
  }

  snapshot(present: readonly PresentSession[], unseen: EndedUnseen): void {
    for (const session of [...this.#open.values()]) {
      const named = present.find((item) => isSame(session, item));
      if (named !== undefined) {
        reconcile(session, named, unseen);
        continue;
      }
      session.endedUnseen = unseen;
      this.#end(session);
    }
    for (const item of present) if (!this.#open.has(item.desk.dn)) this.#find(item);
  }

  /** Writes what is still open, too. */
  close(): void {
    for (const session of this.#open.values()) this.#file.write(session);
    this.#file.close();
  }

  #begin(desk: Desk, words: Words, at: number, { run, seq }: EventNumber): void {
    this.#open.set(desk.dn, {
      ...{ agentId: desk.agentId, dn: desk.dn, run, seq, loggedInAt: at, loggedOutAt: null },
      ...{ queues: [{ queue: desk.queue, from: at, to: null }], dnd: [], userEvents: [] },
      states: [stateOf("logged in", desk, words, at)],
    });
  }

  #find({ desk, origin, queues, state, dndFrom }: PresentSession): void {
    const seen = "snapshot";
    const froms = queues.map(({ from }) => from);
    this.#open.set(desk.dn, {
      ...{ agentId: desk.agentId, dn: desk.dn, run: origin?.run ?? null, seq: origin?.seq ?? null },
      loggedInAt: origin === null ? Math.min(...froms) : origin.atUs / 1000,
      loggedOutAt: null,
      queues: queues.map(({ queue, from }) => ({ queue, from, to: null, seen })),
      states: state === null ? [] : [{ ...state, seen }],
      dnd: dndFrom === null ? [] : [{ from: dndFrom, to: null, seen }],
      ...{ userEvents: [], seen },
    });
  }

  #end(session: ObservedSession): void {
    this.#open.delete(session.dn);
    this.#file.write(session);
  }
}

/** What a snapshot says of a session, taken now: the session goes on changing. */
export function presentSession(session: LoginSession, origin: PresentSession["origin"]): PresentSession {
  const state = session.states.at(-1);
  const dnd = session.dnd.at(-1);
  return {
    desk: deskOf(session),
    origin,
    queues: openQueues(session).map(({ queue, fromUs }) => ({ queue, from: fromUs / 1000 })),
    state:
      state === undefined || state.state === "logged in"
        ? null
        : {
            ...{ state: state.state, from: state.fromUs / 1000, workMode: state.workMode },
            ...{ reasons: storyData(state.reasons), hardwareReason: state.hardwareReason },
          },
    dndFrom: dnd === undefined || dnd.toUs !== null ? null : dnd.fromUs / 1000,
  };
}

function isSame(session: ObservedSession, { desk, origin }: PresentSession): boolean {
  if (session.dn !== desk.dn || session.agentId !== desk.agentId) return false;
  return session.run === null || origin === null || (session.run === origin.run && session.seq === origin.seq);
}

function reconcile(session: ObservedSession, { queues, state, dndFrom }: PresentSession, unseen: EndedUnseen): void {
  const seen = "snapshot";
  const isNamed = ({ queue, from }: ObservedSession["queues"][number]) =>
    queues.some((each) => each.queue === queue && each.from === from);
  for (const span of openSpans(session.queues)) if (!isNamed(span)) span.endedUnseen = unseen;
  for (const { queue, from } of queues) {
    const isKnown = openSpans(session.queues).some((span) => span.queue === queue && span.from === from);
    if (!isKnown) session.queues.push({ queue, from, to: null, seen });
  }
  for (const span of openSpans(session.dnd)) if (span.from !== dndFrom) span.endedUnseen = unseen;
  if (dndFrom !== null && openSpans(session.dnd).length === 0) session.dnd.push({ from: dndFrom, to: null, seen });
  // Without a state the agent has said nothing since the login, so nothing was missed.
  if (state !== null && session.states.at(-1)?.from !== state.from) session.states.push({ ...state, seen });
}

function openSpans<T extends Span>(spans: readonly T[]): readonly T[] {
  return spans.filter(({ to, endedUnseen }) => to === null && endedUnseen === undefined);
}

function stateOf(state: SeenState["state"], desk: Desk, words: Words, from: number): SeenState {
  const hardware = words.extensions?.find(([key]) => key === "ReasonCode")?.[1] ?? null;
  const hardwareReason = typeof hardware === "object" ? null : hardware;
  return { state, from, workMode: desk.workMode, reasons: storyData(words.reasons ?? []), hardwareReason };
}
