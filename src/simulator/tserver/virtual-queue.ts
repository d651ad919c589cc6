// What a router makes the switch tell: stays in virtual queues, and what became of a call at a routing point. All of it
// is changed together with the event that tells of it.

import type { Call, Party, Route, UserData, VirtualEnd, VirtualStay } from "./switch-event.ts";
import type { Switchboard } from "./switchboard.ts";

/** The router begins to look for a target for the call that stands at the routing point. */
export function requestRoute(board: Switchboard, party: Party): void {
  if (!board.remark(party, "EventRouteRequest")) return;
  party.call.routes.push({ dn: party.dn, fromUs: board.nowUs, end: null });
}

/** The routing point is done with the call; it leaves for `target` at the same moment. */
export function useRoute(
  board: Switchboard,
  party: Party,
  route: Pick<NonNullable<Route["end"]>, "outcome" | "keys"> & { readonly target: string },
): void {
  if (!board.remark(party, "EventRouteUsed", { thirdParty: { dn: route.target, role: 2 } })) return;
  const open = openRoute(party.call);
  if (open !== undefined) open.end = { atUs: board.nowUs, ...route };
}

export function enterVirtualQueue(
  board: Switchboard,
  call: Call,
  virtual: { readonly dn: string; readonly vqid: string },
): void {
  const number = board.tell({ id: "EventQueued", call, words: { virtual } });
  if (number === null) return;
  const fromUs = board.nowUs;
  call.virtualStays.push({ call, ...virtual, fromUs, origin: { ...number, atUs: fromUs }, end: null });
}

// The router's word for "routed to the target" [recorded log of a T-Lib client].
const routedReason: UserData = [["RTR", 115]];

/** `target`: the call was routed there out of this queue; null: it only leaves the queue. */
export function leaveVirtualQueue(
  board: Switchboard,
  stay: VirtualStay,
  event: NonNullable<VirtualEnd["event"]>,
  target: string | null,
): void {
  const virtual = { dn: stay.dn, vqid: stay.vqid };
  const words =
    target === null ? { virtual } : { virtual, thirdParty: { dn: target, role: 2 as const }, reasons: routedReason };
  if (board.tell({ id: event, call: stay.call, words }) === null) return;
  stay.end = { atUs: board.nowUs, event, target };
}

/** The caller has hung up while the router was looking for a target. */
export function abandonRoute(board: Switchboard, call: Call): void {
  for (const stay of openStays(call)) leaveVirtualQueue(board, stay, "EventAbandoned", null);
  const route = openRoute(call);
  if (route !== undefined) route.end = { atUs: board.nowUs, outcome: "abandoned", target: null, keys: [] };
}

export function openStays(call: Call): readonly VirtualStay[] {
  return call.virtualStays.filter(({ end }) => end === null);
}

function openRoute(call: Call): Route | undefined {
  return call.routes.findLast(({ end }) => end === null);
}
