// The oracle "truth" of what goes with a call and with agents, beside the calls themselves: attached data, virtual queues,
// routing, who hung up, how long each party was what; login sessions with their states. Written from the switch's own
// state, as truth.ts is. Times and lengths are milliseconds with the microseconds as fraction.

import type { LoginSession } from "./login-session.ts";
import type { Call, EventId, Party, PartyState, UserData, UserDataValue } from "./switch-event.ts";

/** Attached data as JSON: a list of pairs is an object. */
export type StoryValue = string | number | { readonly [key: string]: StoryValue };
export type StoryData = { readonly [key: string]: StoryValue };

/** One line of the details file. */
export interface CallDetail {
  readonly callUuid: string | null;
  readonly connId: string;
  readonly run: string;
  /** Key by key, in order; `value` null: deleted. `dn` null: the call came with it. */
  readonly attached: readonly {
    readonly at: number;
    readonly key: string;
    readonly value: StoryValue | null;
    readonly dn: string | null;
    readonly thirdPartyDn: string | null;
  }[];
  /** The attached data as they were at the end. */
  readonly userData: StoryData;
  /** Reasons and Extensions of the call's events, without VQID. */
  readonly remarks: readonly {
    readonly at: number;
    readonly event: EventId;
    readonly dn: string;
    readonly reasons: StoryData;
    readonly extensions: StoryData;
  }[];
  readonly virtualStays: readonly {
    readonly dn: string;
    readonly vqid: string;
    readonly from: number;
    /** Null: the call waits there still. */
    readonly to: number | null;
    /** Null with a `to`: the call was lost. */
    readonly endEvent: "EventDiverted" | "EventAbandoned" | null;
    /** Where the call was routed out of this queue; null: it only left. */
    readonly target: string | null;
  }[];
  readonly routes: readonly {
    readonly dn: string;
    readonly from: number;
    readonly to: number | null;
    readonly outcome: "routed" | "default" | "abandoned" | "lost" | null;
    readonly target: string | null;
    readonly keys: StoryData;
  }[];
  /** DN or number of whoever hung up; null: the switch did not tell. */
  readonly releasedBy: string | null;
  readonly counts: {
    /** Stretches on hold. */
    readonly held: number;
    /** Parties that somebody transferred, or conferenced, into the call. */
    readonly transferredIn: number;
    readonly conferencedIn: number;
    readonly diverted: number;
    readonly abandoned: number;
  };
  readonly parties: readonly {
    readonly partyUuid: string | null;
    readonly dn: string;
    readonly from: number;
    /** 1 this party hung up, 2 the other side; null: not told. */
    readonly releasingParty: 1 | 2 | null;
    /** How long it was what, in all; of what goes on the part that is over. */
    readonly spent: Readonly<Record<PartyState, number>>;
  }[];
}

/** One line of the agents file. */
export interface SessionStory {
  readonly agentId: string;
  readonly dn: string;
  /** The EventAgentLogin that began it. */
  readonly run: string;
  readonly seq: number;
  readonly loggedInAt: number;
  /** Null: logged in when the simulation ended. */
  readonly loggedOutAt: number | null;
  readonly queues: readonly { readonly queue: string | null; readonly from: number; readonly to: number | null }[];
  readonly states: readonly {
    readonly state: "logged in" | "ready" | "not ready";
    readonly from: number;
    readonly workMode: number | null;
    readonly reasons: StoryData;
    readonly hardwareReason: string | number | null;
  }[];
  readonly dnd: readonly { readonly from: number; readonly to: number | null }[];
  readonly userEvents: readonly { readonly at: number; readonly userData: StoryData }[];
}

interface Names {
  readonly hasCallUuid: boolean;
  readonly hasPartyUuid: boolean;
}

export function callDetail(call: Call, run: string, { hasCallUuid, hasPartyUuid }: Names): CallDetail {
  const { connId, parties } = call;
  const stretches = parties.flatMap((party) => party.stretches);
  const ended = (event: string) => parties.filter(({ end }) => end?.event === event).length;
  const brought = (role: number) => parties.filter(({ thirdParty }) => thirdParty?.role === role).length;
  return {
    ...{ callUuid: hasCallUuid ? call.uuid : null, connId, run },
    attached: call.attachments.map(({ atUs, key, value, dn, thirdPartyDn }) => {
      return { at: ms(atUs), key, value: value === null ? null : storyValue(value), dn, thirdPartyDn };
    }),
    userData: storyData(call.userData),
    remarks: call.remarks.map(({ atUs, event, dn, reasons, extensions }) => {
      return { at: ms(atUs), event, dn, reasons: storyData(reasons), extensions: storyData(extensions) };
    }),
    virtualStays: call.virtualStays.map(({ dn, vqid, fromUs, end }) => {
      const { atUs = null, event = null, target = null } = end ?? {};
      return { dn, vqid, from: ms(fromUs), to: msOf(atUs), endEvent: event, target };
    }),
    routes: call.routes.map(({ dn, fromUs, end }) => {
      const { atUs = null, outcome = null, target = null, keys = [] } = end ?? {};
      return { dn, from: ms(fromUs), to: msOf(atUs), outcome, target, keys: storyData(keys) };
    }),
    releasedBy: call.releasedBy,
    counts: {
      held: stretches.filter(({ state }) => state === "held").length,
      ...{ transferredIn: brought(7), conferencedIn: brought(9) },
      ...{ diverted: ended("EventDiverted"), abandoned: ended("EventAbandoned") },
    },
    parties: parties.map((party) => ({
      ...{ partyUuid: hasPartyUuid ? party.uuid : null, dn: party.dn, from: ms(party.stretches[0]?.fromUs ?? 0) },
      releasingParty: party.end?.releasingParty ?? null,
      spent: timeSpent(party),
    })),
  };
}

export function sessionStory(session: LoginSession): SessionStory {
  const { agentId, dn, origin } = session;
  return {
    ...{ agentId, dn, run: origin.run, seq: origin.seq },
    loggedInAt: ms(origin.atUs),
    loggedOutAt: msOf(session.loggedOutUs),
    queues: session.queues.map(({ queue, fromUs, toUs }) => ({ queue, from: ms(fromUs), to: msOf(toUs) })),
    states: session.states.map(({ state, fromUs, workMode, reasons, hardwareReason }) => {
      return { state, from: ms(fromUs), workMode, reasons: storyData(reasons), hardwareReason };
    }),
    dnd: session.dnd.map(({ fromUs, toUs }) => ({ from: ms(fromUs), to: msOf(toUs) })),
    userEvents: session.userEvents.map(({ atUs, userData }) => ({ at: ms(atUs), userData: storyData(userData) })),
  };
}

function timeSpent({ stretches, end }: Party): Record<PartyState, number> {
  const us = { queued: 0, dialing: 0, alerting: 0, connected: 0, held: 0 };
  for (const [index, { state, fromUs }] of stretches.entries()) {
    const toUs = stretches[index + 1]?.fromUs ?? end?.atUs ?? fromUs;
    us[state] += toUs - fromUs;
  }
  return {
    ...{ queued: ms(us.queued), dialing: ms(us.dialing), alerting: ms(us.alerting) },
    ...{ connected: ms(us.connected), held: ms(us.held) },
  };
}

export function storyData(data: UserData): StoryData {
  return Object.fromEntries(data.map(([key, value]) => [key, storyValue(value)]));
}

export function storyValue(value: UserDataValue): StoryValue {
  return typeof value === "object" ? storyData(value) : value;
}

function ms(us: number): number {
  return us / 1000;
}

function msOf(us: number | null): number | null {
  return us === null ? null : us / 1000;
}
