// What is remembered of Asterisk between its messages: per source, per call. Plain JSON, replaced and never edited.
//
// A call is everything that began with one Linkedid, and what was joined to it since; a consultation by feature codes has
// the Linkedid of the call that it was begun from, and is a call of its own, under its first channel's unique id. Parties
// are legs and stays:
//
//   leg   one end of the call: a channel, or the two halves of a Local pair, and whatever those dialed on their own
//         account. The first leg is who called; the others are rung.
//   stay  one wait in a queue or in a parking space, on the channel that waits.

import type { SessionId } from "../event/envelope.ts";
import type { PartyGuid, PartyParent, PartyType, QualityCause } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";

export interface AmiSourceState {
  /** The latest Timestamp heard: lines of lists have none, and this is their time. Null: none heard yet. */
  readonly sourceTime: SourceInstant | null;
  /** The source's clock minus ours when `sourceTime` was last moved, ms. */
  readonly differenceMs: number;
  /** Events taken in so far; what a list answer may contradict is decided by it. */
  readonly eventCount: number;
  readonly session: SessionId | null;
  /** Up to here, by the source's time, nothing was missed before the present session. */
  readonly heardUntil: SourceInstant | null;
  readonly missedBecause: QualityCause;
  /** A complete list of channels was worked in: this session knows all that is there. */
  readonly isReconciled: boolean;
  /** How long this run of Asterisk had lasted when the session began, whole seconds; null: it did not say. */
  readonly uptimeSeconds: number | null;
  readonly lists: readonly AmiList[];
}

/** An answer to an action of ours, from the request until it has been worked in. */
export interface AmiList {
  readonly action: "CoreShowChannels" | "QueueStatus";
  readonly actionId: string;
  /** `eventCount` when we asked: what had an event since is newer than the answer may be. */
  readonly askedAt: number;
  readonly isComplete: boolean;
  /** Lines so far; the Complete line says how many there should be. */
  readonly lineCount: number;
  /** QueueStatus: who waits. Channels are noted at their calls, for there are many more. */
  readonly entries: readonly AmiListedEntry[];
  /** Unique ids of channels that hung up, and of those that left a queue, while the answer was on its way. */
  readonly gone: readonly string[];
}

export interface AmiListedEntry {
  readonly uniqueId: string;
  readonly queue: string;
  readonly waitSeconds: number | null;
}

export interface AmiListedChannel {
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly name: string;
  readonly isUp: boolean;
  /** Empty: it is in none. */
  readonly bridgeId: string;
  readonly number: string | null;
  readonly context: string;
  readonly application: string;
  readonly applicationData: string;
  readonly durationSeconds: number | null;
}

export interface AmiCallState {
  readonly source: string;
  readonly linkedId: string;
  /** The first channel's beginning was seen, or a complete list has named the channels: none is unknown to us. */
  readonly isComplete: boolean;
  readonly isInbound: boolean;
  /** Where the call entered the dialplan; null: not seen. */
  readonly context: string | null;
  /** What was dialed there; null: not seen, or the start of a context. */
  readonly dnis: string | null;
  readonly lastAt: SourceInstant;
  readonly channels: readonly AmiChannel[];
  /** Those that go on, or still have a channel. */
  readonly legs: readonly AmiLeg[];
  readonly nextLeg: number;
  readonly stays: readonly AmiStay[];
  /** Lines of the list answer with this action id, until it is complete; null: none is under way. */
  readonly listed: { readonly actionId: string; readonly channels: readonly AmiListedChannel[] } | null;
  /** Absent: it is no consultation, as far as is known. */
  readonly consultation?: AmiConsultation;
  /** The consultation that a channel of this call has begun by feature codes; absent or null: none goes on. */
  readonly asks?: string | null;
  /** Its end has been told, though channels of it may not have hung up yet. */
  readonly isEnded?: true;
  /** The DN that transferred the call blindly, until the next party begins; absent or null: none. */
  readonly transferredBy?: string | null;
}

export interface AmiConsultation {
  /** The call that it was begun from. */
  readonly of: string;
  /** Begun by feature codes: the channel that asks, which stays with the other call. Absent: it has a channel here. */
  readonly askedBy?: string;
}

/** A channel that has not hung up. */
export interface AmiChannel {
  readonly uniqueId: string;
  readonly name: string;
  readonly leg: number;
  /** The leg stands and falls with it; false: a channel that the leg dialed further. */
  readonly isOuter: boolean;
  /** `eventCount` at the last event that named it. */
  readonly heardAt: number;
  /** Timeout of the Queue application that it runs, seconds. */
  readonly queueTimeoutSeconds: number | null;
  /** The conference that it is in; absent or null: none. */
  readonly conference?: string | null;
}

export type AmiLegState = "unannounced" | "dialing" | "ringing" | "established" | "held" | "gone";

export interface AmiLeg {
  readonly id: number;
  readonly isCaller: boolean;
  readonly guid: PartyGuid;
  readonly state: AmiLegState;
  /** When its state began; while unannounced, when its first channel came to be. */
  readonly since: SourceInstant;
  /** Unannounced, and a channel is up already: when that was. */
  readonly upAt: SourceInstant | null;
  readonly dn: string;
  readonly type: PartyType;
  readonly number: string | null;
  readonly channels: readonly { readonly uniqueId: string; readonly name: string }[];
  /** Rung by a queue for this waiting channel; null: not by a queue. */
  readonly queueCall: {
    readonly queue: string;
    readonly interface: string;
    readonly waitingUniqueId: string;
    readonly holdSeconds: number | null;
  } | null;
  /** The channel that rang it; null: not seen. */
  readonly dialedBy: string | null;
  /** It picked up, or its channel is up. */
  readonly hasAnswered: boolean;
  /** A list found it talking, or it went on through a cut: it may be on hold, for no list says. */
  readonly isHoldUnknown?: boolean;
  /** It asks somebody else by feature codes, and holds this call meanwhile. */
  readonly isAsking?: boolean;
  /** By whom it was brought in; absent: by the queue that rang it, or by nobody. */
  readonly parent?: PartyParent;
}

export interface AmiStay {
  readonly guid: PartyGuid;
  readonly queue: string;
  readonly waitingUniqueId: string;
  readonly waitingName: string;
  readonly joinedAt: SourceInstant;
  /** Counts the joins of this channel to this queue from 1. */
  readonly join: number;
  readonly isOpen: boolean;
  /** QueueCallerAbandon: the caller gave up, or the time was up. */
  readonly abandonedAt: SourceInstant | null;
  /** QueueCallerLeave */
  readonly leftAt: SourceInstant | null;
  /** The channel was asked to hang up while it waited: the caller went, whatever the time. */
  readonly isHangingUp: boolean;
  /** It runs the dialplan's `h` extension: no longer steps of a call that goes on. */
  readonly isClearingUp: boolean;
  readonly timeoutSeconds: number | null;
  /** `eventCount` at the last queue event of this stay. */
  readonly heardAt: number;
  /** `queue` is a parking space. */
  readonly isParked?: true;
  /** Who transferred the call there; absent: nobody. */
  readonly parent?: PartyParent;
}

export const newAmiSource: AmiSourceState = {
  sourceTime: null,
  differenceMs: 0,
  eventCount: 0,
  session: null,
  heardUntil: null,
  missedBecause: "link down",
  isReconciled: false,
  uptimeSeconds: null,
  lists: [],
};

export function newAmiCall(source: string, linkedId: string, at: SourceInstant): AmiCallState {
  return {
    source,
    linkedId,
    isComplete: false,
    isInbound: false,
    context: null,
    dnis: null,
    lastAt: at,
    channels: [],
    legs: [],
    nextLeg: 1,
    stays: [],
    listed: null,
  };
}
