// The oracle "observable": what one client could know, folded from nothing but what was delivered to it. It looks at
// the events' own members and never at the switch's state, and shares no code with the program under test.
//
// 1. An event or snapshot is folded once the client has said that it is durable, by an acknowledgement or by what it
//    asks to resume after. See client.ts.
// 2. After a snapshot, what was believed open and is not named has ended unseen, between the last source time surely
//    delivered before and the snapshot's.
// 3. A stay is named by its PartyUUID; without it by call, DN and, in a snapshot, the event that created it.

import { ObservedAgents, type PresentSession } from "./observed-agents.ts";
import { ObservedDetails, type PresentDetail } from "./observed-details.ts";
import { carryObserved, endObserved, followObserved, type ObservedOutside, observeMember } from "./observed-outside.ts";
import { StoryFile } from "./story-file.ts";
import type {
  CallFacts,
  CallType,
  DnRole,
  EndingId,
  EventNumber,
  MoveId,
  Party,
  PartyFacts,
  PartyState,
  SwitchEvent,
  ThirdParty,
} from "./switch-event.ts";
import { stateBegunBy } from "./switch-event.ts";
import { milliseconds, type ParentStory } from "./truth.ts";

/** One party of a snapshot, as it was sent. */
export interface PresentParty {
  readonly call: CallFacts;
  readonly party: PartyFacts & Pick<Party, "queue" | "otherDn">;
  readonly state: PartyState;
  readonly event: string;
  readonly sinceUs: number;
  /** Null: the server did not say. */
  readonly origin: (EventNumber & { readonly atUs: number }) | null;
}

/** What a snapshot names. */
export interface Present {
  readonly parties: readonly PresentParty[];
  readonly sessions: readonly PresentSession[];
  readonly details: readonly PresentDetail[];
}

/** Bounds of an end that nobody saw. Milliseconds since 1970 by the source's clock. */
export interface EndedUnseen {
  /** The last source time that was surely delivered before. */
  readonly earliest: number;
  /** The last source time that was sent before and may have been heard; not below `earliest`. */
  readonly earliestMax: number;
  /** The source time at which the snapshot was taken. */
  readonly latest: number;
}

/** One line of an observable file: as in truth, with what is known only in part marked by the optional members. */
export interface ObservedCall {
  readonly callUuid: string | null;
  readonly connId: string;
  readonly callType: CallType;
  readonly ani: string | null;
  readonly dnis: string | null;
  /** With `seen`: not known; the earliest that the snapshot told of the call's parties. */
  createdAt: number;
  endedAt: number | null;
  readonly run: string;
  readonly parties: ObservedParty[];
  readonly outside: ObservedOutside[];
  /** As in truth, as far as the calls that are named were known. */
  consultOf?: string | null;
  merged?: { readonly into: string; readonly by: 1 | 2 } | null;
  readonly seen?: "snapshot";
  endedUnseen?: EndedUnseen;
}

export interface ObservedParty {
  readonly partyUuid: string | null;
  readonly dn: string;
  readonly role: DnRole;
  /** With `seen`: what was before it, if anything, was not delivered; `from` is what the snapshot said. */
  readonly states: { state: PartyState; from: number; event: string; seen?: "snapshot" }[];
  endedAt: number | null;
  endEvent: EndingId | MoveId | null;
  callState: number | null;
  /** As in truth, as far as the parent was known. */
  parent?: ParentStory | null;
  /** The party was first heard of in a snapshot. */
  readonly seen?: "snapshot";
  /** When it came to be, as the snapshot said. */
  readonly originAt?: number;
  endedUnseen?: EndedUnseen;
}

interface OpenCall {
  readonly story: ObservedCall;
  readonly parties: OpenParty[];
  /** The beginning was told by call monitoring, so the end will be too. */
  readonly isMonitored: boolean;
  /** Since when no party is open; null while one is. */
  quietSinceUs: number | null;
  /** The last party that went was redirected: whoever rings next does so instead, for whom that one had rung. */
  instead: ParentStory | null;
}

interface OpenParty {
  readonly story: ObservedParty;
  readonly facts: PartyFacts;
  readonly origin: EventNumber | null;
}

// A call without parties goes on when the next party comes at the same instant, so any later time would do; this also
// covers a call that stands between two deliveries.
const quietUs = 30_000_000;

export class Observable {
  readonly #file: StoryFile;
  readonly #names: { readonly hasCallUuid: boolean; readonly hasPartyUuid: boolean };
  /** Null without `voiceInFull`. */
  readonly #agents: ObservedAgents | null;
  readonly #details: ObservedDetails | null;
  readonly #calls = new Map<string, OpenCall>();
  // Calls whose last party has ended, in the order of that; some may have gone on since.
  #quiet: { readonly key: string; readonly sinceUs: number }[] = [];
  #heardUs = 0;

  /** Writes calls to `path`; with `voiceInFull` also login sessions, and what goes with calls: see `observedPaths`. */
  constructor(
    path: string,
    names: { readonly hasCallUuid: boolean; readonly hasPartyUuid: boolean; readonly voiceInFull: boolean },
  ) {
    this.#file = new StoryFile(path);
    const beside = observedPaths(path);
    this.#agents = names.voiceInFull ? new ObservedAgents(new StoryFile(beside.agents)) : null;
    this.#details = names.voiceInFull ? new ObservedDetails(new StoryFile(beside.details)) : null;
    this.#names = names;
  }

  /** A source time was surely delivered. */
  heard(atUs: number): void {
    this.#heardUs = Math.max(this.#heardUs, atUs);
  }

  /** An event of server run `run` with number `seq` was delivered, for the first time. */
  event(event: SwitchEvent, run: string, seq: number): void {
    this.heard(event.atUs);
    this.#agents?.event(event, { run, seq });
    this.#details?.event(event);
    // Of a call that may be over: no event of its own.
    const facts = event.id === "EventTransactionStatus" ? null : event.call;
    if (facts !== null) {
      const key = this.#callKey(facts, run);
      if (event.id === "EventCallDeleted") this.#endCall(key, milliseconds(event.atUs));
      else {
        const call = this.#calls.get(key) ?? this.#beginCall(key, facts, event, run);
        this.#learnOrigin(call, facts);
        this.#callEvent(call, key, event, { run, seq });
      }
    }
    this.#writeQuiet(event.atUs - quietUs);
  }

  /** A whole snapshot was delivered: taken at `atUs`; on the wire before it, at most `sentUs` was to be heard. */
  snapshot(run: string, { parties, sessions, details }: Present, atUs: number, sentUs: number): void {
    const unseen: EndedUnseen = {
      earliest: milliseconds(this.#heardUs),
      earliestMax: milliseconds(Math.max(this.#heardUs, sentUs)),
      latest: milliseconds(atUs),
    };
    const named = new Map<string, PresentParty[]>();
    this.#agents?.snapshot(sessions, unseen);
    this.#details?.snapshot(details, unseen);
    for (const item of parties) {
      const key = this.#callKey(item.call, run);
      const items = named.get(key);
      if (items === undefined) named.set(key, [item]);
      else items.push(item);
    }
    for (const [key, call] of [...this.#calls]) this.#reconcile(key, call, named.get(key) ?? [], unseen);
    for (const [key, items] of named) {
      const call = this.#calls.get(key) ?? this.#findCall(key, items, run);
      for (const item of items) {
        this.#learnOrigin(call, item.call);
        this.#present(call, item);
      }
      // Only all lines together tell who is inside.
      const inOrder = items.toSorted((a, b) => (a.origin?.atUs ?? a.sinceUs) - (b.origin?.atUs ?? b.sinceUs));
      for (const { party, state, sinceUs } of inOrder) {
        followObserved(call.story, party, state, milliseconds(sinceUs), true);
      }
    }
    this.heard(atUs);
  }

  /** Writes what is still open, too. */
  close(): void {
    this.#writeQuiet(Number.POSITIVE_INFINITY);
    for (const { story } of this.#calls.values()) this.#file.write(story);
    this.#calls.clear();
    this.#file.close();
    this.#agents?.close();
    this.#details?.close();
  }

  // ---- events

  #callEvent(call: OpenCall, key: string, event: SwitchEvent, number: EventNumber): void {
    const facts = event.party;
    if (facts === null) return;
    const at = milliseconds(event.atUs);
    switch (event.id) {
      case "EventPartyChanged": {
        const was = event.left === null ? undefined : this.#leave(event.left, event, number.run, call);
        if (this.#openParty(call, facts) !== undefined) return;
        const story = this.#partyStory(facts, was && event.left ? parentStory(event.left.call.connId, was) : null);
        const party = this.#addParty(call, facts, number, story);
        const state = was?.states.at(-1)?.state ?? "connected";
        party.story.states.push({ state, from: at, event: event.id });
        followObserved(call.story, facts, state, at, false);
        call.quietSinceUs = null;
        return;
      }
      case "EventQueued":
      case "EventDialing":
      case "EventRinging":
      case "EventEstablished":
      case "EventHeld":
      case "EventRetrieved": {
        const party = this.#openParty(call, facts) ?? this.#beginParty(call, facts, event, number);
        party.story.states.push({ state: stateBegunBy[event.id], from: at, event: event.id });
        followObserved(call.story, facts, stateBegunBy[event.id], at, false);
        call.quietSinceUs = null;
        return;
      }
      case "EventReleased":
      case "EventDiverted":
      case "EventAbandoned": {
        const party = this.#openParty(call, facts);
        if (party === undefined) return;
        party.story.endedAt = at;
        party.story.endEvent = event.id;
        party.story.callState = event.callState;
        call.instead = event.callState === 22 ? (party.story.parent ?? null) : null;
        const { callState } = event;
        const origin = call.story.callType === 4 ? this.#byConnId(facts.call.consultOf) : undefined;
        if (origin !== undefined && event.id === "EventReleased" && (callState === 1 || callState === 2)) {
          carryObserved(call.story, origin.story, callState, at);
        }
        this.#forgetParty(call, party, key, event.atUs);
        return;
      }
      case "EventPartyAdded":
      case "EventPartyDeleted":
        observeMember(call.story, event);
        return;
      default:
        return;
    }
  }

  /** What the party was on the call that it left for `next`; undefined: it was not known there. */
  #leave(left: Party, event: SwitchEvent, run: string, next: OpenCall): ObservedParty | undefined {
    const key = this.#callKey(left.call, run);
    const call = this.#calls.get(key);
    if (call === undefined) return undefined;
    call.story.merged ??= { into: next.story.connId, by: event.callState === 2 ? 2 : 1 };
    const party = this.#openParty(call, left);
    if (party === undefined) return undefined;
    party.story.endedAt = milliseconds(event.atUs);
    party.story.endEvent = "EventPartyChanged";
    call.instead = null;
    party.story.callState = event.callState;
    this.#forgetParty(call, party, key, event.atUs);
    return party.story;
  }

  #beginCall(key: string, facts: CallFacts, event: SwitchEvent, run: string): OpenCall {
    return this.#openCall(key, event.id === "EventCallCreated", {
      ...this.#callMembers(facts),
      createdAt: milliseconds(event.atUs),
      endedAt: null,
      run,
      parties: [],
      outside: [],
    });
  }

  #beginParty(call: OpenCall, facts: Party, { id }: SwitchEvent, origin: EventNumber): OpenParty {
    const isFromNowhere = facts.queue === null && facts.thirdParty === null;
    const instead = id === "EventRinging" && isFromNowhere ? call.instead : null;
    return this.#addParty(
      call,
      facts,
      origin,
      this.#partyStory(facts, instead ?? parentOn(call, facts, facts.thirdParty)),
    );
  }

  #partyStory(facts: PartyFacts, parent: ParentStory | null): ObservedParty {
    return { ...this.#partyMembers(facts), ...stillThere(), parent };
  }

  /** A consultation names the call that it came from in each of its events. */
  #learnOrigin(call: OpenCall, { consultOf }: CallFacts): void {
    if (consultOf === null || call.story.consultOf != null) return;
    const isKnown = this.#calls.values().some(({ story }) => story.connId === consultOf);
    if (isKnown) call.story.consultOf = consultOf;
  }

  // ---- snapshots

  /** Ends what the snapshot does not name. */
  #reconcile(key: string, call: OpenCall, items: readonly PresentParty[], unseen: EndedUnseen): void {
    if (items.length === 0 && call.quietSinceUs !== null && !call.isMonitored) {
      this.#writeCall(key, call);
      return;
    }
    for (const party of [...call.parties]) {
      if (items.some((item) => this.#isSame(party, item))) continue;
      party.story.endedUnseen = unseen;
      call.instead = null;
      call.parties.splice(call.parties.indexOf(party), 1);
    }
    if (items.length > 0) return;
    call.story.endedUnseen = unseen;
    endObserved(call.story, unseen);
    this.#file.write(call.story);
    this.#calls.delete(key);
  }

  #findCall(key: string, items: readonly PresentParty[], run: string): OpenCall {
    const first = items[0];
    if (first === undefined) throw new RangeError(`Cannot find call "${key}" in a snapshot: expected a party of it`);
    const beginnings = items.map((item) => item.origin?.atUs ?? item.sinceUs);
    return this.#openCall(key, false, {
      ...this.#callMembers(first.call),
      createdAt: milliseconds(Math.min(...beginnings)),
      endedAt: null,
      run: first.origin?.run ?? run,
      parties: [],
      outside: [],
      seen: "snapshot",
    });
  }

  #present(call: OpenCall, item: PresentParty): void {
    const from = milliseconds(item.sinceUs);
    let party = call.parties.find((open) => this.#isSame(open, item));
    party ??= this.#addParty(call, item.party, item.origin, {
      // Who transferred it cannot be told there from who consulted it.
      ...this.#partyStory(item.party, parentOn(call, item.party, null)),
      seen: "snapshot",
      ...(item.origin === null ? {} : { originAt: milliseconds(item.origin.atUs) }),
    });
    const last = party.story.states.at(-1);
    call.quietSinceUs = null;
    if (last?.state === item.state && last.from === from) return;
    party.story.states.push({ state: item.state, from, event: item.event, seen: "snapshot" });
  }

  #isSame(party: OpenParty, item: PresentParty): boolean {
    if (this.#names.hasPartyUuid) return party.facts.uuid === item.party.uuid;
    if (party.facts.dn !== item.party.dn) return false;
    if (party.origin === null || item.origin === null) return true;
    return party.origin.run === item.origin.run && party.origin.seq === item.origin.seq;
  }

  // ---- what both do

  #openCall(key: string, isMonitored: boolean, story: ObservedCall): OpenCall {
    const call: OpenCall = { story, parties: [], isMonitored, quietSinceUs: null, instead: null };
    this.#calls.set(key, call);
    return call;
  }

  #addParty(call: OpenCall, facts: PartyFacts, origin: EventNumber | null, story: ObservedParty): OpenParty {
    const party = { story, facts, origin };
    call.story.parties.push(story);
    call.parties.push(party);
    return party;
  }

  #openParty(call: OpenCall, facts: PartyFacts): OpenParty | undefined {
    return this.#names.hasPartyUuid
      ? call.parties.find((party) => party.facts.uuid === facts.uuid)
      : call.parties.find((party) => party.facts.dn === facts.dn);
  }

  #forgetParty(call: OpenCall, party: OpenParty, key: string, atUs: number): void {
    call.parties.splice(call.parties.indexOf(party), 1);
    if (call.parties.length > 0) return;
    call.quietSinceUs = atUs;
    if (!call.isMonitored) this.#quiet.push({ key, sinceUs: atUs });
  }

  #endCall(key: string, endedAt: number): void {
    const call = this.#calls.get(key);
    if (call === undefined) return;
    call.story.endedAt = endedAt;
    endObserved(call.story, endedAt);
    this.#file.write(call.story);
    this.#calls.delete(key);
  }

  #byConnId(connId: string | null): OpenCall | undefined {
    return connId === null ? undefined : this.#calls.values().find(({ story }) => story.connId === connId);
  }

  #writeQuiet(untilUs: number): void {
    let taken = 0;
    for (const { key, sinceUs } of this.#quiet) {
      if (sinceUs > untilUs) break;
      taken++;
      const call = this.#calls.get(key);
      if (call?.quietSinceUs === sinceUs) this.#writeCall(key, call);
    }
    if (taken > 0) this.#quiet.splice(0, taken);
  }

  /** A call that ended with its last party. */
  #writeCall(key: string, call: OpenCall): void {
    if (call.quietSinceUs !== null) {
      call.story.endedAt = milliseconds(call.quietSinceUs);
      endObserved(call.story, call.story.endedAt);
    }
    this.#file.write(call.story);
    this.#calls.delete(key);
  }

  #callKey(facts: CallFacts, run: string): string {
    return this.#names.hasCallUuid ? facts.uuid : `${run}/${facts.connId}`;
  }

  #callMembers(facts: CallFacts) {
    return {
      callUuid: this.#names.hasCallUuid ? facts.uuid : null,
      connId: facts.connId,
      callType: facts.callType,
      ani: facts.ani,
      dnis: facts.dnis,
      consultOf: null,
      merged: null,
    };
  }

  #partyMembers(facts: PartyFacts) {
    return { partyUuid: this.#names.hasPartyUuid ? facts.uuid : null, dn: facts.dn, role: facts.role };
  }
}

/** Files beside the one of the calls: an ObservedDetail, an ObservedSession a line. */
export function observedPaths(path: string): { readonly details: string; readonly agents: string } {
  return { details: `${path}.details.ndjson`, agents: `${path}.agents.ndjson` };
}

type Descent = PartyFacts & Pick<Party, "queue">;

/** Whoever brought the party in, or the queue that it was reached from, as far as it was heard of on this call. */
function parentOn({ story }: OpenCall, { dn, queue }: Descent, thirdParty: ThirdParty | null): ParentStory | null {
  const from = thirdParty?.dn ?? (queue === dn ? null : queue);
  const parent = story.parties.findLast((each) => each.dn === from);
  return parent === undefined ? null : parentStory(story.connId, parent);
}

export function parentStory(connId: string, { dn, partyUuid, states }: ObservedParty): ParentStory {
  return { connId, dn, partyUuid, from: states[0]?.from ?? 0 };
}

function stillThere(): Pick<ObservedParty, "states" | "endedAt" | "endEvent" | "callState"> {
  return { states: [], endedAt: null, endEvent: null, callState: null };
}
