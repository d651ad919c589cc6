// What one client could know of whoever is outside of the switch, folded from what the events and snapshots delivered to
// it say of parties inside: the words of outside.ts, without a look at the switch's state.

import { type EndedUnseen, type ObservedCall, parentStory } from "./observable.ts";
import type { Party, PartyState, SwitchEvent } from "./switch-event.ts";
import { milliseconds, type OutsideStory } from "./truth.ts";

/** As in truth, with what is known only in part marked by the optional members. */
export interface ObservedOutside extends OutsideStory {
  readonly states: { readonly state: PartyState; readonly from: number; readonly seen?: "snapshot" }[];
  endedAt: number | null;
  /** First heard of in a snapshot; it came to be when the call did, as far as that is known. */
  readonly originAt?: number;
  endedUnseen?: EndedUnseen;
}

type Inside = Pick<Party, "dn" | "role" | "otherDn">;

/** A party inside is in this state now. */
export function followObserved(
  call: ObservedCall,
  { role, otherDn }: Inside,
  state: PartyState,
  at: number,
  isFound: boolean,
): void {
  const seen = isFound ? ({ seen: "snapshot" } as const) : {};
  const talks = state === "connected" || state === "held";
  const come = (dn: string, own: 1 | 2, first: PartyState) => {
    call.outside.push({
      ...{ dn, role: own, states: [{ state: first, from: at, ...seen }], endedAt: null, broughtBy: null },
      ...(isFound && { originAt: call.createdAt }),
    });
  };
  if (call.callType === 4) {
    const isKnown = call.parties.some(({ dn }) => dn === otherDn) || call.outside.some(({ dn }) => dn === otherDn);
    if (talks && role === 1 && otherDn !== null && !isKnown) come(otherDn, 2, "connected");
    return;
  }
  if (call.callType === 1) return;
  const isInbound = call.callType === 2;
  const number = isInbound ? call.ani : call.dnis;
  const isAnswered = talks || (!isInbound && state !== "dialing");
  const main = call.outside[0];
  if (main === undefined) {
    if (number !== null) come(number, isInbound ? 1 : 2, isAnswered ? "connected" : isInbound ? "dialing" : "alerting");
  } else if (isAnswered && main.endedAt === null && main.states.at(-1)?.state !== "connected") {
    main.states.push({ state: "connected", from: at, ...seen });
  }
}

/** A conference tells its members who came or went. */
export function observeMember(call: ObservedCall, { id, words, atUs }: SwitchEvent): void {
  const dn = words?.otherDn;
  if (dn === undefined) return;
  const member = call.parties.find((each) => each.dn === dn && each.endedAt === null && each.endedUnseen === undefined);
  const by = call.parties.findLast((each) => each.dn === words?.thirdParty?.dn);
  if (id === "EventPartyAdded" && member?.parent === null && by !== undefined && by !== member) {
    member.parent = parentStory(call.connId, by);
  }
  const open = call.outside.find((each) => each.dn === dn && each.endedAt === null);
  if (id === "EventPartyDeleted") {
    if (open !== undefined) open.endedAt = milliseconds(atUs);
    return;
  }
  if (id !== "EventPartyAdded" || open !== undefined || call.parties.some((party) => party.dn === dn)) return;
  const states = [{ state: "connected", from: milliseconds(atUs) } as const];
  call.outside.push({ dn, role: 2, states, endedAt: null, broughtBy: 2 });
}

/** Whoever leaves a consultation because it is transferred or conferenced takes those outside along. */
export function carryObserved(consult: ObservedCall, call: ObservedCall, by: 1 | 2, at: number): void {
  const open = consult.outside.filter(({ endedAt }) => endedAt === null);
  for (const each of open) {
    each.endedAt = at;
    const state = each.states.at(-1)?.state ?? "connected";
    call.outside.push({
      ...{ dn: each.dn, role: each.role },
      states: [{ state, from: at }],
      endedAt: null,
      broughtBy: by,
    });
  }
  if (open.length > 0) consult.merged ??= { into: call.connId, by };
}

/** The call is over: at a time that was told, or nobody saw when. */
export function endObserved(call: ObservedCall, end: number | EndedUnseen): void {
  for (const each of call.outside) {
    if (each.endedAt !== null) continue;
    if (typeof end === "number") each.endedAt = end;
    else each.endedUnseen = end;
  }
}
