// What a call and a party came to, counted from the changes of its parties, in the order in which they happened. There is
// one way of counting for two who count: the projection as it goes, and an extraction that puts a call together from
// several copies and counts it anew from its party history.
//
// 1. Times are differences of whole UTC seconds, as the *_TS columns have them: what a party spent in all its states is
//    then exactly what lies between its first history row and its last.
// 2. Whatever the order of the events of one happening, and whether their times agree or not, the counts are the same.

import { ccCauses, tlibMessages } from "./tevent.ts";

export type CountedState = "queued" | "dialing" | "alerting" | "connected" | "hold";

/** Whole seconds spent in each state; absent: it was never in it. */
export type PartyTotals = { readonly [state in CountedState]?: number };

/** Absent: none. */
export interface CallTotals {
  /** A party got connected by EventEstablished. */
  readonly isConnected?: true;
  /** An internal one at which no calls are queued. */
  readonly isConnectedAtExtension?: true;
  readonly isAbandoned?: true;
  readonly holds?: number;
  readonly diverts?: number;
  /** Happenings by which parties came here transferred, and when the last of them was, ms. */
  readonly transfersIn?: number;
  readonly transferredInAt?: number;
  /** Parties that were released because they had transferred the call. */
  readonly transfersOut?: number;
  /** A party went from here to the call that this one, a consultation, was transferred into. */
  readonly isTransferredAway?: true;
  readonly conferences?: number;
}

/** One row of G_PARTY_HISTORY, in these words. */
export interface PartyChange {
  readonly isInternal: boolean;
  /** Null: it began; the other way round, it ended. */
  readonly from: CountedState | null;
  readonly to: CountedState | null;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly ccEvent: number;
  readonly ccCause: number | null;
  /** How it descends from another party, if by one of these; only looked at where it begins. */
  readonly linkedBy: "transfer" | "conference" | null;
}

/** Adds a stretch of one state, from `since` to `at` in milliseconds. Clocks step back: that is no time, and not less. */
export function countStretch(totals: PartyTotals, state: CountedState, since: number, at: number): PartyTotals {
  const seconds = Math.max(0, Math.floor(at / 1000) - Math.floor(since / 1000));
  return { ...totals, [state]: (totals[state] ?? 0) + seconds };
}

/** Counts one change of a party with these totals. What says nothing new gives back what was there. */
export function countChange(call: CallTotals, party: PartyTotals, change: PartyChange): CallTotals {
  const { from, to, isInternal, ccEvent, ccCause } = change;
  if (from === null) return countComing(countConnected(call, party, change), change);
  if (to === "connected") return countConnected(call, party, change);
  if (to === "hold") {
    if (!isInternal || ccEvent !== tlibMessages.EventHeld) return call;
    return { ...call, holds: (call.holds ?? 0) + 1 };
  }
  if (to !== null) return call;
  switch (ccEvent) {
    case tlibMessages.EventAbandoned:
      return { ...call, isAbandoned: true };
    case tlibMessages.EventDiverted:
      return isInternal ? { ...call, diverts: (call.diverts ?? 0) + 1 } : call;
    case tlibMessages.EventReleased:
      if (ccCause !== ccCauses.transferred) return call;
      return { ...call, transfersOut: (call.transfersOut ?? 0) + 1 };
    case tlibMessages.EventPartyChanged:
      return ccCause === ccCauses.conferenced ? call : { ...call, isTransferredAway: true };
    default:
      return call;
  }
}

function countConnected(
  call: CallTotals,
  party: PartyTotals,
  { isInternal, from, to, ccEvent }: PartyChange,
): CallTotals {
  if (to !== "connected" || ccEvent !== tlibMessages.EventEstablished) return call;
  // A DN at which calls are queued is no extension, though a call may be answered there.
  const isAtExtension = isInternal && from !== "queued" && party.queued === undefined;
  if (call.isConnected === true && (call.isConnectedAtExtension === true || !isAtExtension)) return call;
  return { ...call, isConnected: true, ...(isAtExtension && { isConnectedAtExtension: true }) };
}

/** A party that moves here from another call says so itself, whatever it descends from. */
function cameTo({ linkedBy, ccEvent, ccCause }: PartyChange): PartyChange["linkedBy"] {
  if (ccEvent !== tlibMessages.EventPartyChanged) return linkedBy;
  return ccCause === ccCauses.conferenced ? "conference" : "transfer";
}

function countComing(call: CallTotals, change: PartyChange): CallTotals {
  const { at, to, isInternal, ccEvent } = change;
  // Found in a snapshot, or the first that is heard of it.
  const isHeld = to === "hold" && isInternal && ccEvent === tlibMessages.EventHeld;
  const held = isHeld ? { ...call, holds: (call.holds ?? 0) + 1 } : call;
  const cameBy = cameTo(change);
  if (cameBy === null) return held;
  if (cameBy === "conference") return { ...held, conferences: (held.conferences ?? 0) + 1 };
  const ms = Math.floor(at);
  // Several parties of a consultation come together.
  if (held.transferredInAt === ms) return held;
  return { ...held, transfersIn: (held.transfersIn ?? 0) + 1, transferredInAt: ms };
}

/**
 * Transfers of the call, in one step or two. Each is told by who came and by who went because of it, or by one of them
 * only: outside of the switch nobody's coming is told. A consultation that was transferred into another call is no
 * transfer of its own: it is counted where it went.
 */
function transfersOf(call: CallTotals): number {
  const own = (call.transfersOut ?? 0) - (call.isTransferredAway === true ? 1 : 0);
  return Math.max(call.transfersIn ?? 0, own, 0);
}

/** The counted columns of G_CALL_STAT. */
export function callStatistics(call: CallTotals) {
  return {
    F_CONN: call.isConnected === true ? 1 : 0,
    F_CONN_EXTN: call.isConnectedAtExtension === true ? 1 : 0,
    F_TE_ABND: call.isAbandoned === true ? 1 : 0,
    CNT_HOLD: call.holds ?? 0,
    CNT_DIVERT: call.diverts ?? 0,
    CNT_TRANSFER: transfersOf(call),
    CNT_CONFERENCE: call.conferences ?? 0,
  };
}

/** The counted columns of G_PARTY_STAT. */
export function partyStatistics(party: PartyTotals) {
  return {
    TT_ALERTING: party.alerting ?? 0,
    TT_CONNECTED: party.connected ?? 0,
    TT_HOLD: party.hold ?? 0,
    TT_QUEUED: party.queued ?? 0,
    TT_DIALING: party.dialing ?? 0,
  };
}
