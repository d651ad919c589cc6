// The simulated switch: which calls, parties and agents there are, changed only together with the event that tells of
// the change. So the state is exactly what the events up to the last one say, whenever somebody asks for a snapshot.

import { attachmentsFrom } from "./attachment.ts";
import type { CallLink } from "./journey.ts";
import { AgentDesks } from "./login-session.ts";
import { followInside, leaveOutside } from "./outside.ts";
import type {
  Agent,
  AgentEventId,
  BeginningId,
  Call,
  CallFacts,
  CallState,
  EndingId,
  EventId,
  EventNumber,
  EventSink,
  Party,
  PartyFacts,
  RemarkId,
  SwitchEvent,
  ThirdParty,
  UserData,
  Words,
} from "./switch-event.ts";
import { stateBegunBy } from "./switch-event.ts";

/** What an event says of its own accord beside what the script wants it to say. */
export type Embellish = (event: EventId, party: Party) => Words | null;

export class Switchboard {
  /** Calls of which something was told and that are not over, in the order in which they began. */
  readonly #liveCalls = new Set<Call>();
  readonly #sink: EventSink;
  readonly #hasCallMonitoring: boolean;
  readonly #embellish: Embellish | null;
  readonly agents: readonly Agent[];
  /** Null: agents are there all the time, and never log in. */
  readonly desks: AgentDesks | null;
  /** Microseconds since 1970 by the switch's clock; moved on by whoever runs the schedule. */
  nowUs: number;

  constructor(setting: {
    readonly sink: EventSink;
    readonly hasCallMonitoring: boolean;
    readonly agents: readonly Agent[];
    readonly startUs: number;
    readonly hasLogins?: boolean;
    readonly embellish?: Embellish;
  }) {
    this.#sink = setting.sink;
    this.#hasCallMonitoring = setting.hasCallMonitoring;
    this.#embellish = setting.embellish ?? null;
    this.agents = setting.agents;
    this.desks = setting.hasLogins === true ? new AgentDesks(this, setting.sink) : null;
    this.nowUs = setting.startUs;
  }

  get liveCalls(): Iterable<Call> {
    return this.#liveCalls;
  }

  createCall(facts: CallFacts, userData: UserData, links: readonly CallLink[] = []): Call {
    const call: Call = {
      ...facts,
      links: [...links],
      parties: [],
      outside: [],
      attachments: [],
      virtualStays: [],
      routes: [],
      remarks: [],
      created: null,
      endedAtUs: null,
      merged: null,
      releasedBy: null,
      userData,
      step: 0,
    };
    const number = this.#hasCallMonitoring ? this.tell({ id: "EventCallCreated", call }) : null;
    if (number !== null) for (const link of links) this.#sink.linkTold?.(call, link);
    return call;
  }

  /** A new party whose first state `event` begins. */
  enter(
    call: Call,
    facts: PartyFacts &
      Pick<Party, "queue" | "otherDn"> & { readonly thirdParty?: ThirdParty; readonly parent?: Party | null },
    event: "EventQueued" | "EventDialing" | "EventRinging",
  ): Party {
    const { thirdParty = null } = facts;
    const from = thirdParty?.dn ?? (facts.queue === facts.dn ? null : facts.queue);
    const parent = facts.parent ?? call.parties.findLast(({ dn }) => dn === from) ?? null;
    const party: Party = { ...facts, call, thirdParty, parent, stretches: [], end: null, origin: null };
    this.change(party, event);
    return party;
  }

  /** The party leaves its call and goes on in `call`, as what it was; whoever brought it there is `thirdParty`. */
  move(left: Party, call: Call, thirdParty: ThirdParty): Party {
    const callState = thirdParty.role === 7 ? 1 : 2;
    const { uuid, dn, role, queue, otherDn } = left;
    const moved: Party = {
      ...{ uuid, dn, role, queue, otherDn, call, thirdParty },
      parent: left,
      stretches: [],
      end: null,
      origin: null,
    };
    const number = this.tell({ id: "EventPartyChanged", call, party: moved, left, callState });
    const state = left.stretches.at(-1)?.state;
    if (number === null || state === undefined) return moved;
    left.end = { atUs: this.nowUs, event: "EventPartyChanged", callState, releasingParty: null };
    left.call.merged ??= { into: call, by: callState };
    moved.origin = { ...number, atUs: this.nowUs };
    moved.stretches.push({ state, fromUs: this.nowUs, event: "EventPartyChanged" });
    call.parties.push(moved);
    return moved;
  }

  /** A link to a call at another site; of a call that is over it is told as what became of the transaction. */
  link(call: Call, link: CallLink): void {
    call.links.push(link);
    const isOver = call.endedAtUs !== null;
    const words: Words | null = isOver ? { extensions: [["iscc.is-link-creation", "completed"]] } : null;
    const id = isOver ? "EventTransactionStatus" : "EventCallDataChanged";
    if (this.tell({ id, call, words }) === null) call.links.pop();
    else this.#sink.linkTold?.(call, link);
  }

  change(party: Party, event: BeginningId): void {
    const number = this.tell({ id: event, call: party.call, party });
    if (number === null) return;
    if (party.origin === null) {
      party.origin = { ...number, atUs: this.nowUs };
      party.call.parties.push(party);
    }
    party.stretches.push({ state: stateBegunBy[event], fromUs: this.nowUs, event });
    followInside(party, event, this.nowUs);
  }

  /** `releasingParty`: 1 this party hung up, 2 the other side; left out: not told. */
  leave(party: Party, event: EndingId, callState: CallState, releasingParty?: 1 | 2): void {
    const words: Words | null =
      releasingParty === undefined ? null : { extensions: [["ReleasingParty", releasingParty]] };
    if (this.tell({ id: event, call: party.call, party, callState, words }) === null) return;
    party.end = { atUs: this.nowUs, event, callState, releasingParty: releasingParty ?? null };
  }

  remark(party: Party, event: RemarkId, words: Words | null = null): boolean {
    return this.tell({ id: event, call: party.call, party, words }) !== null;
  }

  /** Every other member of the conference is told who came or went, and who made him; false: nobody was told. */
  tellMembers(
    call: Call,
    event: "EventPartyAdded" | "EventPartyDeleted",
    { dn }: { readonly dn: string },
    byDn: string,
  ): boolean {
    const words: Words = { otherDn: dn, thirdParty: { dn: byDn, role: event === "EventPartyAdded" ? 9 : null } };
    let isTold = false;
    for (const party of call.parties) {
      if (party.end === null && party.dn !== dn) isTold = this.remark(party, event, words) || isTold;
    }
    return isTold;
  }

  /** `thirdPartyDn` did it from elsewhere; null: the party itself. */
  attach(party: Party, userData: UserData, thirdPartyDn: string | null = null): void {
    const { call } = party;
    const before = call.userData;
    call.userData = userData;
    // Without `voiceInFull`, who brought a party into the call stays on all of its events.
    const thirdParty = thirdPartyDn === null ? null : { dn: thirdPartyDn, role: null };
    const words = this.desks === null ? null : { thirdParty };
    if (!this.remark(party, "EventAttachedDataChanged", words)) {
      call.userData = before;
      return;
    }
    if (this.desks === null) return;
    const facts = { atUs: this.nowUs, dn: party.dn, thirdPartyDn };
    call.attachments.push(...attachmentsFrom(before, userData, facts));
  }

  /** All parties have left; the call's end is told when call monitoring is on. `releasedBy`: DN of whoever hung up. */
  endCall(call: Call, releasedBy: string | null = null): void {
    if (call.parties.some((party) => party.end === null)) return; // The last event was told before the last party left.
    const words = releasedBy === null ? null : { ctrlParty: releasedBy };
    if (this.#hasCallMonitoring && this.tell({ id: "EventCallDeleted", call, words }) === null) return;
    call.releasedBy = releasedBy;
    this.#finish(call);
  }

  tellAgent(agent: Agent, event: AgentEventId): void {
    if (this.tell({ id: event, agent }) === null) return;
    if (event !== "EventAgentReady" && event !== "EventAgentNotReady") return;
    agent.isReady = event === "EventAgentReady";
    agent.sinceUs = this.nowUs;
  }

  /** The server restarted and the switch has lost its calls: they end here and nobody tells. */
  dropCalls(): void {
    for (const call of [...this.#liveCalls]) {
      for (const party of call.parties)
        party.end ??= { atUs: this.nowUs, event: null, callState: null, releasingParty: null };
      this.#finish(call);
    }
    for (const agent of this.agents) {
      agent.isReady = true;
      agent.sinceUs = this.nowUs;
    }
  }

  #finish(call: Call): void {
    call.endedAtUs = this.nowUs;
    call.step++;
    leaveOutside(call, null, this.nowUs);
    for (const stay of call.virtualStays) stay.end ??= { atUs: this.nowUs, event: null, target: null };
    for (const route of call.routes) route.end ??= { atUs: this.nowUs, outcome: "lost", target: null, keys: [] };
    this.#liveCalls.delete(call);
    this.#sink.callOver(call);
  }

  /** Null when nothing is told any more: then whoever asked must not change anything either. */
  tell(about: Partial<SwitchEvent> & Pick<SwitchEvent, "id">): EventNumber | null {
    const call = about.call ?? null;
    const party = about.party ?? null;
    const words = this.#wordsOf(about.id, party, about.words ?? null);
    const number = this.#sink.emit({
      id: about.id,
      atUs: this.nowUs,
      call,
      party,
      agent: about.agent ?? null,
      callState: about.callState ?? null,
      left: about.left ?? null,
      words,
      userData: call?.userData ?? [],
    });
    if (number === null || call === null) return number;
    if (call.created === null) {
      call.created = { ...number, atUs: this.nowUs };
      this.#liveCalls.add(call);
      if (this.desks !== null) {
        const by = { atUs: this.nowUs, dn: null, thirdPartyDn: null };
        call.attachments.push(...attachmentsFrom([], call.userData, by));
      }
    }
    if (words !== null) this.#noteRemark(call, about.id, party, words);
    return number;
  }

  #noteRemark(call: Call, event: EventId, party: Party | null, words: Words): void {
    const { reasons = [], extensions = [], virtual } = words;
    const dn = virtual?.dn ?? party?.dn;
    if (dn === undefined || reasons.length + extensions.length === 0) return;
    call.remarks.push({ atUs: this.nowUs, event, dn, reasons, extensions });
  }

  #wordsOf(event: EventId, party: Party | null, words: Words | null): Words | null {
    if (this.#embellish === null) return words;
    const more = party === null ? null : this.#embellish(event, party);
    if (more === null || words === null) return words ?? more;
    const extensions = [...(words.extensions ?? []), ...(more.extensions ?? [])];
    return { ...more, ...words, extensions, reasons: words.reasons ?? more.reasons ?? [] };
  }
}
