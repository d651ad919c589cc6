// What agents' rows must say, worked out from what a simulated T-Server says that agents and calls really were, by the
// rules of the documents [S: Agent States] and not by the program's code.
//
// 1. Who dials, talks or holds is busy; what was told then is pending. After-call work belongs to the last call, or with
//    gls-acw-first to the one that made the agent busy.
// 2. A picture is how an endpoint stands after all that happened within one millisecond: rows have whole milliseconds, cut
//    off, and totals are of these.

import { type AgentOptions, defaultAgentOptions } from "../../src/event/envelope.ts";
import type { SessionStory, StoryData } from "../../src/simulator/tserver/call-detail.ts";
import type { CallStory } from "../../src/simulator/tserver/truth.ts";

export type AgentRules = Pick<AgentOptions, "isAcwOfFirstCall" | "isBusyOverAcw">;
export const documentedRules: AgentRules = defaultAgentOptions;

/** One DN against one queue; what truth and rows both can tell of it. */
export interface EndpointWords {
  /** "queue from ms". */
  readonly name: string;
  /** "ms: state since ms of call, pending state, mode n". */
  readonly pictures: readonly string[];
  /** Calls that came and went without a change of the state. */
  readonly calls: readonly string[];
  /** Reasons that are over and lasted, and those that go on. */
  readonly reasons: readonly string[];
  readonly openReasons: readonly string[];
  readonly busyMs: number;
}

/** Milliseconds and stretches in a state, or in a work mode within it. */
export interface Total {
  readonly ms: number;
  readonly count: number;
}

export interface SessionModel {
  readonly endpoints: readonly EndpointWords[];
  /** By "queue state" and by "queue state mode". */
  readonly totals: ReadonlyMap<string, Total>;
  /** State of the DN at a time. */
  readonly stateAt: (ms: number) => string;
}

export interface Picture {
  readonly at: number;
  readonly state: string;
  /** When this stretch of the state began, and the call that its row names. */
  readonly since: number;
  readonly call: string | null;
  readonly pending: string | null;
  readonly mode: number | null;
}

export function pictureText({ at, state, since, call, pending, mode }: Picture): string {
  return `${Math.floor(at)}: ${state} since ${Math.floor(since)} of ${call}, pending ${pending}, mode ${mode}`;
}

/** A call with the party that the agent is on it, by when that came; sources need not name parties. */
export function callText(connId: string | null, partyFrom: number | null): string {
  return `${connId}/${partyFrom === null ? null : Math.floor(partyFrom)}`;
}

export function callChangeText(at: number, isConnected: boolean, call: string, state: string): string {
  return `${Math.floor(at)}: ${isConnected ? "on" : "off"} ${call} while ${state}`;
}

export interface ReasonWords {
  readonly name: string;
  readonly state: string;
  readonly mode: number;
  /** When the stretch began that its LSEQ names. */
  readonly since: number;
  readonly from: number;
}

export function reasonText({ name, state, mode, since, from }: ReasonWords, to: number | null): string {
  const span = `${Math.floor(from)}–${to === null ? "…" : Math.floor(to)}`;
  return `${name} in ${state} since ${Math.floor(since)}, mode ${mode}, ${span}`;
}

/** The last of each millisecond, without what says the same as the one before. */
export function lasting(pictures: readonly Picture[]): Picture[] {
  const isLast = ({ at }: Picture, next: Picture | undefined) =>
    next === undefined || Math.floor(next.at) > Math.floor(at);
  const last = pictures.filter((picture, index) => isLast(picture, pictures[index + 1]));
  const isNew = (picture: Picture, before: Picture | undefined) =>
    before === undefined || pictureText({ ...picture, at: 0 }) !== pictureText({ ...before, at: 0 });
  return last.filter((picture, index) => isNew(picture, last[index - 1]));
}

// ---- what happened at a DN

interface Told {
  readonly state: string;
  readonly mode: number;
  readonly reasons: readonly string[];
}

type Happening = { readonly at: number; readonly order: number } & (
  | { readonly kind: "told"; readonly told: Told }
  | { readonly kind: "on" | "off"; readonly call: string }
);

export type DeskCalls = ReadonlyMap<string, readonly Happening[]>;

// Of one instant: whoever goes on in another call comes before going, a consultation ends before the call that it came
// from, and agents say something of themselves when they have left.
const orders = { moved: 0, consultation: 1, left: 2, told: 3, came: 4 } as const;
const busyStates = new Set(["dialing", "connected", "held"]);

/** By DN. */
export function deskCallsOf(stories: readonly CallStory[]): DeskCalls {
  const desks = new Map<string, Happening[]>();
  for (const story of stories) {
    for (const { dn, states, endedAt } of story.parties) {
      const first = states.find(({ state }) => busyStates.has(state));
      if (first === undefined) continue;
      const call = callText(story.connId, states[0]?.from ?? null);
      const order = first.event === "EventPartyChanged" ? orders.moved : orders.came;
      const of: Happening[] = [{ kind: "on", at: first.from, order, call }];
      const leaving = story.callType === 4 ? orders.consultation : orders.left;
      if (endedAt !== null) of.push({ kind: "off", at: endedAt, order: leaving, call });
      desks.set(dn, [...(desks.get(dn) ?? []), ...of]);
    }
  }
  return desks;
}

function toldOf({ state, workMode, reasons, hardwareReason }: SessionStory["states"][number]): Told {
  const isAfterCallWork = state === "not ready" && workMode === 3;
  const names = { "logged in": "login", ready: "ready", "not ready": isAfterCallWork ? "afterCallWork" : "notReady" };
  return { state: names[state], mode: workMode ?? 0, reasons: reasonsOf(reasons, hardwareReason) };
}

function reasonsOf(data: StoryData, hardware: string | number | null): readonly string[] {
  const software = Object.entries(data).flatMap(([key, value]): string[] =>
    typeof value === "object"
      ? reasonsOf(value, null).map((each) => each.replace("0 ", `0 ${key}/`))
      : [`0 ${key}=${value}`],
  );
  return hardware === null ? software : [`1 ReasonCode=${hardware}`, ...software];
}

// ---- what an endpoint makes of it

/** The DN, as all of its queues see it. */
class Desk {
  readonly #rules: AgentRules;
  calls: readonly string[] = [];
  told: Told;
  /** To which after-call work may belong. */
  #first: string | null = null;
  #last: string | null = null;

  constructor(rules: AgentRules, told: Told) {
    this.#rules = rules;
    this.told = told;
  }

  step(happening: Happening): void {
    switch (happening.kind) {
      case "told":
        this.told = happening.told;
        // It is not after-call work, and no call goes on of which it could come: what follows is of another.
        if (this.told.state !== "afterCallWork" && this.calls.length === 0) [this.#first, this.#last] = [null, null];
        return;
      case "on":
        // During after-call work nobody gets busy by it in the sense of the first call.
        if (this.calls.length === 0 && this.told.state !== "afterCallWork") {
          this.#first = happening.call;
        }
        if (this.calls.length === 0 && !this.#rules.isAcwOfFirstCall) this.#first = happening.call;
        this.calls = [...this.calls, happening.call];
        return;
      case "off":
        this.calls = this.calls.filter((call) => call !== happening.call);
        this.#last = happening.call;
        return;
    }
  }

  get workedAfter(): string | null {
    return this.#rules.isAcwOfFirstCall ? this.#first : this.#last;
  }

  /** A call does not make busy who goes on working after another one. */
  isInterrupted(state: string): boolean {
    if (this.calls.length === 0) return false;
    if (state !== "afterCallWork" || this.told.state !== "afterCallWork") return true;
    return this.#rules.isBusyOverAcw && !this.#rules.isAcwOfFirstCall;
  }
}

interface Held extends ReasonWords {
  readonly text: string;
}

class EndpointModel {
  readonly pictures: Picture[] = [];
  readonly calls: string[] = [];
  readonly reasons: string[] = [];
  held: readonly Held[] = [];
  #now: Picture | null = null;
  #workedAfter: string | null = null;

  /** `happening` null: somebody logs in there. */
  turn(desk: Desk, at: number, happening: Happening | null): void {
    const before = this.#now;
    const { told } = desk;
    const isBusy = desk.isInterrupted(before?.state ?? told.state);
    const state = isBusy ? "busy" : told.state;
    const workedAfter = !isBusy && state === "afterCallWork" ? desk.workedAfter : null;
    const isOther = before === null || before.state !== state || this.#workedAfter !== workedAfter;
    const moved = happening === null || happening.kind === "told" ? null : happening.call;
    const call = workedAfter ?? moved ?? (isBusy ? (desk.calls[0] ?? null) : null);
    const picture: Picture = {
      ...{ at, state, since: isOther ? at : before.since, call: isOther ? call : before.call },
      pending: isBusy && told.state !== "login" ? told.state : null,
      mode: isBusy && before !== null ? before.mode : told.mode,
    };
    const isSame = before !== null && pictureText({ ...picture, at: 0 }) === pictureText({ ...before, at: 0 });
    if (isSame && moved !== null) {
      this.calls.push(callChangeText(at, happening?.kind === "on", moved, state));
    }
    this.#now = picture;
    this.#workedAfter = workedAfter;
    this.pictures.push(picture);
    const hold = state === told.state || picture.pending === told.state ? told.reasons : [];
    const isKept = ({ text }: Held) => !isOther && hold.includes(text);
    for (const each of this.held) if (!isKept(each)) this.#end(each, at);
    const kept = this.held.filter(isKept);
    const begun = [...new Set(hold)].filter((text) => !kept.some((each) => each.text === text));
    const words = { state, mode: picture.mode ?? 0, since: picture.since, from: at };
    this.held = [...kept, ...begun.map((text) => ({ text, name: text, ...words }))];
  }

  leave(at: number): void {
    for (const each of this.held) this.#end(each, at);
    this.held = [];
    this.pictures.push({ at, state: "null", since: at, call: null, pending: null, mode: null });
  }

  #end(held: Held, to: number): void {
    if (Math.floor(to) > Math.floor(held.from)) this.reasons.push(reasonText(held, to));
  }
}

export function modelSession(session: SessionStory, desks: DeskCalls, rules: AgentRules): SessionModel {
  const isOver = (at: number) => session.loggedOutAt !== null && at >= session.loggedOutAt;
  const [login, ...states] = session.states;
  const happenings = [
    ...states.map((state): Happening => ({ kind: "told", at: state.from, order: orders.told, told: toldOf(state) })),
    ...(desks.get(session.dn) ?? []),
  ].sort((one, other) => one.at - other.at || one.order - other.order);
  const desk = new Desk(rules, login === undefined ? { state: "login", mode: 0, reasons: [] } : toldOf(login));
  const open = callsAt(happenings, session.loggedInAt);
  const joins = session.queues.map((each) => ({ each, model: new EndpointModel() }));
  const began = (from: number) => {
    for (const { each, model } of joins) if (each.from === from) model.turn(desk, from, null);
  };
  began(session.loggedInAt);
  for (const happening of [...open, ...happenings]) {
    const isEarlier = happening.at <= session.loggedInAt && !open.includes(happening);
    if (isEarlier || isOver(happening.at)) continue;
    // Queues that came or went before this.
    const froms = session.queues.map(({ from }) => from).filter((from) => from > session.loggedInAt);
    for (const from of froms) if (from < happening.at) beginOnce(joins, desk, from);
    leaveUntil(joins, happening.at);
    desk.step(happening);
    const at = Math.max(happening.at, session.loggedInAt);
    for (const { model } of joins) if (model.pictures.length > 0 && !isLeft(model)) model.turn(desk, at, happening);
  }
  for (const { from } of session.queues) beginOnce(joins, desk, from);
  leaveUntil(joins, Number.POSITIVE_INFINITY);
  const lastAt = (ms: number) =>
    joins.map(({ model }) => model.pictures.findLast(({ at }) => at <= ms)?.state ?? "null");
  const endpoints = joins.map(({ each, model }) => ({
    name: `${each.queue} from ${Math.floor(each.from)}`,
    pictures: lasting(model.pictures).map(pictureText),
    ...{ calls: model.calls.sort(), reasons: model.reasons.sort() },
    openReasons: model.held.map((held) => reasonText(held, null)).sort(),
    busyMs: totalsOf([["", model.pictures]]).get(" busy")?.ms ?? 0,
  }));
  return {
    endpoints,
    totals: totalsOf(joins.map(({ each, model }) => [String(each.queue), model.pictures] as const)),
    stateAt: (ms) => lastAt(ms).find((state) => state !== "null") ?? "null",
  };
}

interface Join {
  readonly each: SessionStory["queues"][number];
  readonly model: EndpointModel;
}

function isLeft(model: EndpointModel): boolean {
  return model.pictures.at(-1)?.state === "null";
}

function beginOnce(joins: readonly Join[], desk: Desk, from: number): void {
  for (const { each, model } of joins) {
    if (each.from === from && model.pictures.length === 0) model.turn(desk, from, null);
  }
}

function leaveUntil(joins: readonly Join[], at: number): void {
  for (const { each, model } of joins) {
    const isGone = each.to !== null && each.to < at;
    if (isGone && model.pictures.length > 0 && !isLeft(model)) model.leave(each.to ?? 0);
  }
}

/** Calls that go on when somebody logs in; they make busy at once. */
function callsAt(happenings: readonly Happening[], at: number): readonly Happening[] {
  const gone = new Set(happenings.flatMap((each) => (each.kind === "off" && each.at <= at ? [each.call] : [])));
  return happenings.filter((each) => each.kind === "on" && each.at <= at && !gone.has(each.call));
}

function totalsOf(endpoints: readonly (readonly [queue: string, pictures: readonly Picture[]])[]) {
  const totals = new Map<string, Total>();
  const add = (key: string, ms: number) => {
    const { ms: sum, count } = totals.get(key) ?? { ms: 0, count: 0 };
    if (ms > 0) totals.set(key, { ms: sum + ms, count: count + 1 });
  };
  for (const [queue, pictures] of endpoints) {
    let [stateFrom, modeFrom] = [0, 0];
    for (const [index, { at: exactly, state, mode, since, call }] of pictures.entries()) {
      const before = pictures[index - 1];
      const at = Math.floor(exactly);
      const isOther = before === undefined || isOtherStretch(before, { state, since, call });
      if (isOther && before !== undefined) add(`${queue} ${before.state}`, at - stateFrom);
      if ((isOther || before?.mode !== mode) && before !== undefined) {
        add(`${queue} ${before.state} ${before.mode}`, at - modeFrom);
      }
      if (isOther) stateFrom = at;
      if (isOther || before?.mode !== mode) modeFrom = at;
    }
  }
  return totals;
}

function isOtherStretch(one: Picture, other: Pick<Picture, "state" | "since" | "call">): boolean {
  return one.state !== other.state || one.since !== other.since || one.call !== other.call;
}
