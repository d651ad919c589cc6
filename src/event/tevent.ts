// One T-Lib event as the T-Event link carries it, decoded. Attribute names are T-Lib's; what this program does not read
// yet stays in the frame, which the persistent queue keeps.

import type { SourceInstant } from "./instant.ts";

/** Where a thing that a snapshot names came from: the event that created it. */
export interface EventOrigin {
  readonly run: string;
  readonly sequence: number;
  readonly at: SourceInstant;
}

export interface TEvent {
  /** T-Lib event name, such as EventRinging. */
  readonly id: string;
  /** Rises by one per event of a server run; null on the lines of a snapshot. */
  readonly sequence: number | null;
  readonly at: SourceInstant;
  readonly isSnapshot: boolean;
  readonly origin: EventOrigin | null;
  readonly connId: string | null;
  readonly previousConnId: string | null;
  readonly callUuid: string | null;
  readonly partyUuid: string | null;
  /** The switch's own number of the call: AttributeCallID. */
  readonly switchCallId: number | null;
  /** TCallType */
  readonly callType: number | null;
  /** TCallState */
  readonly callState: number | null;
  readonly thisDn: string | null;
  /** TDNRole */
  readonly thisDnRole: number | null;
  /** The queue that the party stands in or was routed from. */
  readonly thisQueue: string | null;
  /** The other side, as seen from ThisDN; who comes to a conference or leaves it. */
  readonly otherDn: string | null;
  /** Who caused it, and in which role (TDNRole): of a transfer, who transferred. */
  readonly thirdPartyDn: string | null;
  readonly thirdPartyDnRole: number | null;
  /** Where the call was before it was transferred here from another switch: AttributeLastTransferHomeLocation, -OrigDN. */
  readonly transferHome: string | null;
  readonly transferOrigDn: string | null;
  readonly ani: string | null;
  readonly dnis: string | null;
  /** Extensions carry VQID: ThisDN is a virtual queue. */
  readonly isVirtualQueue: boolean;
  /** VQID itself; null: not given, or it is no text. */
  readonly vqid: string | null;
  /** Of an ending: who released, as seen from ThisDN (class 1006); null: the event does not say. */
  readonly releasingParty: number | null;
  /** Of EventCallDeleted: the device that released the call, as the server writes it; null: it does not say. */
  readonly ctrlParty: string | null;
  /** Of EventCallDeleted: CallUUID of the call into which it was merged; null: into none. */
  readonly refCallUuid: string | null;
}

/** T-Lib message numbers of the call events, for CCEVENT [S: tlib-messages]. */
export const tlibMessages = {
  EventQueued: 57,
  EventDiverted: 58,
  EventAbandoned: 59,
  EventRinging: 60,
  EventDialing: 61,
  EventNetworkReached: 62,
  EventDestinationBusy: 63,
  EventEstablished: 64,
  EventReleased: 65,
  EventHeld: 66,
  EventRetrieved: 67,
  EventPartyChanged: 68,
  EventPartyAdded: 69,
  EventPartyDeleted: 70,
  EventRouteRequest: 71,
  EventCallCreated: 160,
  EventCallDeleted: 162,
} as const;

/** TCallState, as far as what happened to a call is read from it [S: tlib-enums]. */
export const ccCauses = { transferred: 1, conferenced: 2 } as const;
