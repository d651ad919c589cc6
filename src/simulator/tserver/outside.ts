// Whoever takes part in a call from outside of the simulated switch. They have no events of their own; the switch knows
// them all the same, and what it tells of those inside says when they came, were connected and went.

import type { BeginningId, Call, CallFacts, DnRole, Party, PartyState } from "./switch-event.ts";

export interface Outside {
  readonly dn: string;
  /** 1: the call comes from there. */
  readonly role: DnRole;
  readonly stretches: { readonly state: PartyState; readonly fromUs: number }[];
  endUs: number | null;
  /** Who brought it into the call did so by a transfer (1) or a conference (2). */
  readonly broughtBy: 1 | 2 | null;
}

/** The number outside that the call comes from or goes to; null: it does neither. */
export function numberOutside({ callType, ani, dnis }: CallFacts): string | null {
  return callType === 2 ? ani : callType === 3 ? dnis : null;
}

/** A party inside began a stretch of its state: does that connect whoever is outside, or is it the first of the call? */
export function followInside(party: Party, event: BeginningId, nowUs: number): void {
  const { call } = party;
  const dn = numberOutside(call);
  if (dn === null) return;
  const main = call.outside[0];
  const isAnswered = call.callType === 2 ? event === "EventEstablished" : event !== "EventDialing";
  if (main === undefined) {
    const state = isAnswered ? "connected" : call.callType === 2 ? "dialing" : "alerting";
    call.outside.push(newcomer(dn, call.callType === 2 ? 1 : 2, state, nowUs, null));
  } else if (isAnswered && main.stretches.length === 1 && main.endUs === null) {
    main.stretches.push({ state: "connected", fromUs: nowUs });
  }
}

export function comeFromOutside(call: Call, dn: string, nowUs: number, broughtBy: Outside["broughtBy"] = null): void {
  call.outside.push(newcomer(dn, 2, "connected", nowUs, broughtBy));
}

export function leaveOutside(call: Call, dn: string | null, nowUs: number): void {
  for (const each of call.outside) if (dn === null || each.dn === dn) each.endUs ??= nowUs;
}

/** Who was consulted outside goes on in the call that the consultation came from. */
export function carryOutside(consult: Call, call: Call, by: 1 | 2, nowUs: number): void {
  for (const each of consult.outside.filter(({ endUs }) => endUs === null)) {
    each.endUs = nowUs;
    call.outside.push(newcomer(each.dn, each.role, "connected", nowUs, by));
  }
  consult.merged ??= { into: call, by };
}

function newcomer(
  dn: string,
  role: DnRole,
  state: PartyState,
  fromUs: number,
  broughtBy: Outside["broughtBy"],
): Outside {
  return { dn, role, stretches: [{ state, fromUs }], endUs: null, broughtBy };
}
