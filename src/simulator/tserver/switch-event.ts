// The words of the simulated switch: calls, parties, agents, and the events that tell of them under their T-Lib names.
// Times are whole microseconds since 1970 by the switch's clock, because that is what T-Server's `time` carries.

import type { CallLink } from "./journey.ts";
import type { LoginSession } from "./login-session.ts";
import type { Outside } from "./outside.ts";

export type PartyState = "queued" | "dialing" | "alerting" | "connected" | "held";

/** Events that begin a stretch of a party's state, and the state that they begin. */
export const stateBegunBy = {
  EventQueued: "queued",
  EventDialing: "dialing",
  EventRinging: "alerting",
  EventEstablished: "connected",
  EventHeld: "held",
  EventRetrieved: "connected",
} as const satisfies Record<string, PartyState>;
export type BeginningId = keyof typeof stateBegunBy;

export type EndingId = "EventReleased" | "EventDiverted" | "EventAbandoned";

/** Ends a party's stay on one call and begins one on another, in the same state. */
export type MoveId = "EventPartyChanged";

/** Told with a call, but changing no party. */
export type RemarkId =
  | "EventAttachedDataChanged"
  | "EventDestinationBusy"
  | "EventNetworkReached"
  | "EventPartyAdded"
  | "EventPartyDeleted"
  | "EventRouteRequest"
  | "EventRouteUsed";

export type AgentEventId =
  | "EventAgentLogin"
  | "EventAgentLogout"
  | "EventQueueLogout"
  | "EventAgentReady"
  | "EventAgentNotReady"
  | "EventDNDOn"
  | "EventDNDOff";

export type EventId =
  | BeginningId
  | EndingId
  | MoveId
  | RemarkId
  | AgentEventId
  | "EventUserEvent"
  | "EventCallCreated"
  | "EventCallDataChanged"
  | "EventTransactionStatus"
  | "EventCallDeleted";

/** T-Lib numbers with their names, as far as the simulated switch uses them [tlib-enums.json]. */
export const callTypeNames = {
  1: "CallTypeInternal",
  2: "CallTypeInbound",
  3: "CallTypeOutbound",
  4: "CallTypeConsult",
} as const;
export type CallType = keyof typeof callTypeNames;

export const dnRoleNames = { 1: "RoleOrigination", 2: "RoleDestination" } as const;
export type DnRole = keyof typeof dnRoleNames;

/** Of whoever caused what another party's event tells. */
export const thirdPartyRoleNames = { 7: "RoleTransferredBy", 9: "RoleConferencedBy" } as const;
export type ThirdPartyRole = keyof typeof thirdPartyRoleNames;

export const callStateNames = {
  0: "CallStateOk",
  1: "CallStateTransferred",
  2: "CallStateConferenced",
  6: "CallStateBusy",
  7: "CallStateNoAnswer",
  9: "CallStateAnsweringMachineDetected",
  22: "CallStateRedirected",
} as const;
export type CallState = keyof typeof callStateNames;

export const agentWorkModeNames = {
  1: "AgentManualIn",
  2: "AgentAutoIn",
  3: "AgentAfterCallWork",
  4: "AgentAuxWork",
} as const;
export type AgentWorkMode = keyof typeof agentWorkModeNames;

/** Where in which server run an event stands. */
export interface EventNumber {
  /** startTime of the server run. */
  readonly run: string;
  readonly seq: number;
}

/** What names a call and never changes; the whole of what the observable oracle may look at. */
export interface CallFacts {
  readonly uuid: string;
  /** 16 hexadecimal digits. */
  readonly connId: string;
  readonly switchCallId: number;
  readonly callType: CallType;
  readonly ani: string | null;
  readonly dnis: string | null;
  /** ConnID of the call that a consultation came from. */
  readonly consultOf: string | null;
}

export interface PartyFacts {
  readonly uuid: string;
  readonly dn: string;
  readonly role: DnRole;
}

export interface Stretch {
  readonly state: PartyState;
  readonly fromUs: number;
  readonly event: BeginningId | MoveId;
}

export interface PartyEnd {
  readonly atUs: number;
  /** Null: nobody told; the call was lost when the server restarted. */
  readonly event: EndingId | MoveId | null;
  readonly callState: CallState | null;
  /** 1: this party hung up; 2: the other side; null: not told. */
  readonly releasingParty: 1 | 2 | null;
}

export interface ThirdParty {
  readonly dn: string;
  readonly role: ThirdPartyRole;
}

/** One participant's stay on a call, as it really was: the truth grows here, event by event. */
export interface Party extends PartyFacts {
  readonly call: Call;
  /** The queue that it was routed from or stands in. */
  readonly queue: string | null;
  readonly otherDn: string | null;
  /** Who transferred or conferenced it in. */
  readonly thirdParty: ThirdParty | null;
  /** The party that it descends from: its queue, whoever transferred it, or itself on the call that it came from. */
  readonly parent: Party | null;
  readonly stretches: Stretch[];
  end: PartyEnd | null;
  /** The event that created it; null until that was told. */
  origin: (EventNumber & { readonly atUs: number }) | null;
}

export interface Call extends CallFacts {
  readonly parties: Party[];
  /** Whoever it came from or went to outside is the first. */
  readonly outside: Outside[];
  /** The event that was told first; null until then. */
  created: (EventNumber & { readonly atUs: number }) | null;
  endedAtUs: number | null;
  /** The call into which it was merged when a party first went there. */
  merged: { readonly into: Call; readonly by: 1 | 2 } | null;
  userData: UserData;
  /** With `voiceInFull`: what was attached, changed and deleted, from the first event on. */
  readonly attachments: Attachment[];
  readonly virtualStays: VirtualStay[];
  readonly routes: Route[];
  /** Reasons and Extensions of its events, as they were told. */
  readonly remarks: Remark[];
  /** To calls at other sites, as far as they were told. */
  readonly links: CallLink[];
  /** DN or number of whoever hung up; null: not told. */
  releasedBy: string | null;
  /** Rises with each step of the call's script, so that a timer of an earlier step finds itself outdated. */
  step: number;
}

export type UserDataValue = string | number | UserData;

/** Key-value pairs in order; a key may stand there twice. */
export type UserData = readonly (readonly [key: string, value: UserDataValue])[];

/** One key of a call's attached data from then on. */
export interface Attachment {
  readonly atUs: number;
  readonly key: string;
  /** Null: deleted. */
  readonly value: UserDataValue | null;
  /** ThisDN and ThirdPartyDN of the event; null with what the call came with. */
  readonly dn: string | null;
  readonly thirdPartyDn: string | null;
}

/** A call waits for a target in a virtual queue. It is no party of the call. */
export interface VirtualStay {
  readonly call: Call;
  readonly dn: string;
  readonly vqid: string;
  readonly fromUs: number;
  readonly origin: EventNumber & { readonly atUs: number };
  end: VirtualEnd | null;
}

export interface VirtualEnd {
  readonly atUs: number;
  /** Null: nobody told; the call was lost when the server restarted. */
  readonly event: "EventDiverted" | "EventAbandoned" | null;
  /** Where it was routed to, if out of this queue; null: it left the queue only. */
  readonly target: string | null;
}

/** What a routing point did with a call. */
export interface Route {
  readonly dn: string;
  readonly fromUs: number;
  /** Null: under way. */
  end: {
    readonly atUs: number;
    readonly outcome: "routed" | "default" | "abandoned" | "lost";
    readonly target: string | null;
    /** What the router attached to the call, by its own names. */
    readonly keys: UserData;
  } | null;
}

export interface Remark {
  readonly atUs: number;
  readonly event: EventId;
  readonly dn: string;
  readonly reasons: UserData;
  readonly extensions: UserData;
}

/** What an event says beside its call and party. */
export interface Words {
  /** Null: nobody, not even whoever brought the party into the call. */
  readonly thirdParty?: { readonly dn: string; readonly role: DnRole | ThirdPartyRole | null } | null;
  /** The other side, where it is not the party's. */
  readonly otherDn?: string;
  readonly reasons?: UserData;
  readonly extensions?: UserData;
  /** Of EventUserEvent: its own, not the call's. */
  readonly userData?: UserData;
  /** Of EventCallDeleted. */
  readonly ctrlParty?: string;
  /** ThisDN is this virtual queue. */
  readonly virtual?: { readonly dn: string; readonly vqid: string };
  /** The agent as of this event. */
  readonly desk?: Desk;
}

export interface Desk {
  readonly dn: string;
  readonly agentId: string;
  readonly queue: string | null;
  readonly workMode: AgentWorkMode | null;
}

export interface Agent {
  /** Where the agent sits; with `voiceInFull` another one after some logins. */
  dn: string;
  readonly id: string;
  isReady: boolean;
  sinceUs: number;
}

export interface SwitchEvent {
  readonly id: EventId;
  readonly atUs: number;
  readonly call: Call | null;
  readonly party: Party | null;
  readonly agent: Agent | null;
  readonly callState: CallState | null;
  /** EventPartyChanged: the party as it was on the call that it left. */
  readonly left: Party | null;
  readonly words: Words | null;
  /** The call's attached data as of this event, whether it tells of them or not. */
  readonly userData: UserData;
}

/** Numbers and sends what the switch tells. */
export interface EventSink {
  /** Null when the run's last event has been told: then nothing has happened, and the switch must not change either. */
  emit(event: SwitchEvent): EventNumber | null;
  /** The call is over and nothing more will be told of it. */
  callOver(call: Call): void;
  /** Of a call's link to another site something was told for the first time. */
  linkTold?(call: Call, link: CallLink): void;
  /** An agent has logged out. */
  sessionOver(session: LoginSession): void;
}
