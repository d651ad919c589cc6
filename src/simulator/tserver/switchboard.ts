// The simulated switch: which calls, parties and agents there are, changed only together with the event that tells of
// the change. So the state is exactly what the events up to the last one say, whenever somebody asks for a snapshot.

import type {
  Agent,
  AgentEventId,
  BeginningId,
  Call,
  CallFacts,
  CallState,
  EndingId,
  EventSink,
  Party,
  PartyFacts,
  RemarkId,
  SwitchEvent,
  ThirdParty,
  UserData,
} from "./switch-event.ts";
import { stateBegunBy } from "./switch-event.ts";

export class Switchboard {
  /** Calls of which something was told and that are not over, in the order in which they began. */
  readonly #liveCalls = new Set<Call>();
  readonly #sink: EventSink;
  readonly #hasCallMonitoring: boolean;
  readonly agents: readonly Agent[];
  /** Microseconds since 1970 by the switch's clock; moved on by whoever runs the schedule. */
  nowUs: number;

  constructor(setting: {
    readonly sink: EventSink;
    readonly hasCallMonitoring: boolean;
    readonly agents: readonly Agent[];
    readonly startUs: number;
  }) {
    this.#sink = setting.sink;
    this.#hasCallMonitoring = setting.hasCallMonitoring;
    this.agents = setting.agents;
    this.nowUs = setting.startUs;
  }

  get liveCalls(): Iterable<Call> {
    return this.#liveCalls;
  }

  createCall(facts: CallFacts, userData: UserData): Call {
    const call: Call = { ...facts, parties: [], created: null, endedAtUs: null, merged: null, userData, step: 0 };
    if (this.#hasCallMonitoring) this.#tell({ id: "EventCallCreated", call });
    return call;
  }

  /** A new party whose first state `event` begins. */
  enter(
    call: Call,
    facts: PartyFacts & Pick<Party, "queue" | "otherDn"> & { readonly thirdParty?: ThirdParty },
    event: "EventQueued" | "EventDialing" | "EventRinging",
  ): Party {
    const { thirdParty = null } = facts;
    const from = thirdParty?.dn ?? (facts.queue === facts.dn ? null : facts.queue);
    const parent = call.parties.findLast(({ dn }) => dn === from) ?? null;
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
    const number = this.#tell({ id: "EventPartyChanged", call, party: moved, left, callState });
    const state = left.stretches.at(-1)?.state;
    if (number === null || state === undefined) return moved;
    left.end = { atUs: this.nowUs, event: "EventPartyChanged", callState };
    left.call.merged ??= { into: call, by: callState };
    moved.origin = { ...number, atUs: this.nowUs };
    moved.stretches.push({ state, fromUs: this.nowUs, event: "EventPartyChanged" });
    call.parties.push(moved);
    return moved;
  }

  change(party: Party, event: BeginningId): void {
    const number = this.#tell({ id: event, call: party.call, party });
    if (number === null) return;
    if (party.origin === null) {
      party.origin = { ...number, atUs: this.nowUs };
      party.call.parties.push(party);
    }
    party.stretches.push({ state: stateBegunBy[event], fromUs: this.nowUs, event });
  }

  leave(party: Party, event: EndingId, callState: CallState): void {
    if (this.#tell({ id: event, call: party.call, party, callState }) === null) return;
    party.end = { atUs: this.nowUs, event, callState };
  }

  remark(party: Party, event: RemarkId): void {
    this.#tell({ id: event, call: party.call, party });
  }

  attach(party: Party, userData: UserData): void {
    party.call.userData = userData;
    this.remark(party, "EventAttachedDataChanged");
  }

  /** All parties have left; the call's end is told when call monitoring is on. */
  endCall(call: Call): void {
    if (call.parties.some((party) => party.end === null)) return; // The last event was told before the last party left.
    if (this.#hasCallMonitoring && this.#tell({ id: "EventCallDeleted", call }) === null) return;
    this.#finish(call);
  }

  tellAgent(agent: Agent, event: AgentEventId): void {
    if (this.#tell({ id: event, agent }) === null) return;
    if (event !== "EventAgentReady" && event !== "EventAgentNotReady") return;
    agent.isReady = event === "EventAgentReady";
    agent.sinceUs = this.nowUs;
  }

  /** The server restarted and the switch has lost its calls: they end here and nobody tells. */
  dropCalls(): void {
    for (const call of [...this.#liveCalls]) {
      for (const party of call.parties) party.end ??= { atUs: this.nowUs, event: null, callState: null };
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
    this.#liveCalls.delete(call);
    this.#sink.callOver(call);
  }

  #tell(about: Partial<SwitchEvent> & Pick<SwitchEvent, "id">) {
    const call = about.call ?? null;
    const number = this.#sink.emit({
      id: about.id,
      atUs: this.nowUs,
      call,
      party: about.party ?? null,
      agent: about.agent ?? null,
      callState: about.callState ?? null,
      left: about.left ?? null,
    });
    if (number !== null && call !== null && call.created === null) {
      call.created = { ...number, atUs: this.nowUs };
      this.#liveCalls.add(call);
    }
    return number;
  }
}
