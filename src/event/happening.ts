// What happened to calls and parties, told the same way whichever wire language it came in. The T-Server link says it
// almost in these words; for Asterisk the projection works it out from channels and queues. The call machine knows
// nothing else. Names are T-Lib's.

import type { SourceInstant } from "./instant.ts";
import type { RouteKeys } from "./routing.ts";

/** Names one call from its creation to its end: G_CALL.CALLID. The same on both instances of a pair, unless local. */
export type CallId = string & { readonly brand: "CallId" };

/** Names one party for its whole life: G_PARTY.PARTYGUID. The same on both instances of a pair, unless local. */
export type PartyGuid = string & { readonly brand: "PartyGuid" };

/** T-Lib TCallType, as G_CALL.CALLTYPE holds it. */
export const callTypes = { unknown: 0, internal: 1, inbound: 2, outbound: 3, consult: 4 } as const;
export type CallType = (typeof callTypes)[keyof typeof callTypes];

/** T-Lib TDNRole, as G_PARTY.PROLE holds it. */
export const dnRoles = {
  unknown: 0,
  origination: 1,
  destination: 2,
  conferenceMember: 3,
  newParty: 4,
  observer: 10,
} as const;

/** G_PARTY.TYPE, dictionary 9. */
export const partyTypes = { unknown: 0, internal: 1, external: 2 } as const;
export type PartyType = (typeof partyTypes)[keyof typeof partyTypes];

/** What is known of a call when something happens on it. Null: this event does not say. */
export interface CallFacts {
  readonly callId: CallId;
  /** The key was made up here, because neither a GUID nor the creating event is known; never join copies on it. */
  readonly isKeyLocal: boolean;
  readonly connId: string | null;
  readonly parentCallId: CallId | null;
  readonly switchCallId: number | null;
  readonly callType: CallType | null;
  readonly ani: string | null;
  readonly dnis: string | null;
}

/** By what a party descends from another one: it came from the queue `dn`, or `dn` transferred or conferenced it in. */
export interface PartyParent {
  readonly dn: string;
  readonly by: "queue" | "transfer" | "conference";
}

/** Which party an event is about. */
export interface PartyFacts {
  /** Null: the source has no party identifiers; then the open stay of `dn` is meant, or a new one begins. */
  readonly guid: PartyGuid | null;
  /** The key that a stay gets which begins here without a guid; null where it can only be local. */
  readonly guidIfNew: PartyGuid | null;
  readonly dn: string;
  readonly type: PartyType;
  /** T-Lib TDNRole; null: this event does not say. */
  readonly role: number | null;
  /** Absent: it descends from none, or the source does not say. */
  readonly parent?: PartyParent;
  /** T-Lib's OtherDN: the other side, as this event names it; absent: it does not, or the source tells of everybody. */
  readonly other?: string;
  /** From where it was transferred here from another switch; absent: it was not, or the source does not say. */
  readonly transferredFrom?: { readonly location: string | null; readonly dn: string | null };
  /** Asterisk: the channels behind the party (unique id and name); ICON_PARTY_CHANNEL. */
  readonly channels: readonly { readonly uniqueId: string; readonly name: string }[];
}

/**
 * What befalls a party. The first six begin or go on with a stretch of a state; whom it calls is busy changes nothing, and is
 * a row of its history; the last three end the party.
 */
export type PartyStep =
  | "queued"
  | "dialing"
  | "ringing"
  | "established"
  | "held"
  | "retrieved"
  | "destination busy"
  | "diverted"
  | "abandoned"
  | "released";

export type Happening =
  /** EventCallCreated: call monitoring tells the exact beginning. */
  | { readonly kind: "call created"; readonly at: SourceInstant; readonly call: CallFacts }
  /** EventCallDeleted, or the last channel gone: the call is over, whatever parties we still believe in. */
  | {
      readonly kind: "call deleted";
      readonly at: SourceInstant;
      readonly call: CallFacts;
      readonly unseen: Unseen | null;
      /** The DN that released the call, as the source writes it; absent: it does not say. */
      readonly releasedBy?: string;
      /** Into which call it was merged, and how; absent: the source does not say. */
      readonly mergedInto?: { readonly callId: CallId; readonly by: "transfer" | "conference" };
    }
  | {
      readonly kind: "party";
      readonly step: PartyStep;
      readonly at: SourceInstant;
      readonly call: CallFacts;
      readonly party: PartyFacts;
      /** T-Lib message number of the event, as CCEVENT holds it. */
      readonly ccEvent: number;
      /** T-Lib TCallState, as CCEVENTCAUSE holds it; null: not said. */
      readonly ccCause: number | null;
      /** Not null: nobody saw it; `at` is then the earliest bound, and the row gets a line in ICON_ROW_QUALITY. */
      readonly unseen: Unseen | null;
      /** Who released, seen from the party: G_PARTY_STAT.RELEASINGPARTY. Absent: the source does not say. */
      readonly releasingParty?: number;
    }
  /** A transfer or conference is completed: the party left one call and goes on in another, as what it was. */
  | {
      readonly kind: "party moved";
      readonly at: SourceInstant;
      /** Where it goes on. */
      readonly call: CallFacts;
      /** Where it was; null: no call is known by the name that the source gives. */
      readonly left: CallId | null;
      readonly by: "transfer" | "conference";
      readonly party: PartyFacts;
      readonly ccEvent: number;
      readonly ccCause: number | null;
      /** Nobody saw it; `at` is then the earliest bound. Absent: it was seen. */
      readonly unseen?: Unseen;
    }
  /** Another call was joined to this one, and no party of it goes on here as what it was. */
  | {
      readonly kind: "call merged";
      readonly at: SourceInstant;
      readonly call: CallFacts;
      readonly left: CallId;
      readonly by: "transfer" | "conference";
    }
  /** The call begins or ends to wait in a virtual queue; no party is concerned. */
  | {
      readonly kind: "virtual queue";
      readonly step: "queued" | "diverted" | "abandoned";
      readonly at: SourceInstant;
      readonly call: CallFacts;
      readonly stay: {
        readonly dn: string;
        /** The routing server's own name of the stay; null: not given. */
        readonly vqid: string | null;
        /** The key of a stay that begins here without a VQID; null where it can only be local. */
        readonly keyIfNew: string | null;
      };
      /** It left because it was sent to a target out of this queue. */
      readonly hasTarget: boolean;
      /** A snapshot's word: it is there now; it came at `origin`, where the source knows, else at `at`. */
      readonly isFound: boolean;
      readonly origin: SourceInstant | null;
    }
  /** A routing point asks where to send the call, is told, and sends it there. The party there is the routing's. */
  | {
      readonly kind: "routing";
      /** "attached": the decision, attached there just now; "told": what the call has attached. */
      readonly step: "requested" | "attached" | "told" | "used";
      readonly at: SourceInstant;
      readonly call: CallFacts;
      readonly party: PartyFacts;
      /** Null: the event carries none. */
      readonly keys: RouteKeys | null;
    }
  /** What a party inside the switch tells of somebody else, who may be outside and then has no events of his own. */
  | {
      readonly kind: "outside";
      /** "reached": what is called is outside; "replaced": he is the other side now, since somebody transferred. */
      readonly step: "reached" | "added" | "deleted" | "replaced";
      readonly at: SourceInstant;
      readonly call: CallFacts;
      /** Whom it is about; null: this event does not say. */
      readonly dn: string | null;
      /** Who brought him in. */
      readonly by: string | null;
      readonly ccEvent: number;
      readonly ccCause: number | null;
    }
  /** A fact about the call became known (number, type) without any party changing. */
  | { readonly kind: "call facts"; readonly at: SourceInstant; readonly call: CallFacts }
  /**
   * A snapshot's word on one party: this is its state now, and began at `at`. Not a transition that we saw.
   * `origin` is when the party came to be, where the source knows.
   */
  | {
      readonly kind: "party present";
      readonly step: "queued" | "dialing" | "ringing" | "established" | "held";
      readonly at: SourceInstant;
      readonly origin: SourceInstant | null;
      readonly call: CallFacts;
      readonly party: PartyFacts;
      readonly ccEvent: number;
    };

/** Why a row's times or states are not fully known: ICON_ROW_QUALITY.CAUSE. */
export type QualityCause =
  | "gap" // the source could not resend what we missed
  | "source restart"
  | "link down"
  | "queue lost"
  | "instance down"
  | "not recorded" // the role that records it was off
  | "history not kept" // the IDB was rebuilt, and the queue no longer has what came before
  | "gls-max-duration" // its login session was as old as that
  | "gls-max-inactivity" // of its login session nothing was heard for so long
  | "found in snapshot"; // it was there when we connected; its beginning was not seen

/** Bounds within which something happened that nobody saw. */
export interface Unseen {
  readonly earliest: SourceInstant;
  readonly latest: SourceInstant;
  readonly cause: QualityCause;
}
