// Which events of the T-Event link tell of a routing. EventRouteRequest asks for one; the decision is attached data, in
// an EventAttachedDataChanged at the routing point or with the events by which the call leaves it.

import type { CallFacts, Happening, PartyFacts } from "../event/happening.ts";
import type { TEvent } from "../event/tevent.ts";
import { routeKeysOf } from "../protocol/tevent/route-keys.ts";
import { findParty } from "./party.ts";
import type { World } from "./world.ts";

type RoutingHappening = Extract<Happening, { kind: "routing" }>;

/** Null: the event tells of no routing, or of none that is under way. */
export function routingOf(
  world: World,
  event: TEvent,
  userData: unknown,
  call: CallFacts,
  partyOf: () => PartyFacts | null,
): RoutingHappening | null {
  const { id, at, thisDn } = event;
  if (thisDn === null) return null;
  const isRequest = id === "EventRouteRequest";
  const isUse = id === "EventRouteUsed";
  const isAttached = id === "EventAttachedDataChanged";
  // Most calls are at no routing point: their attached data need not be looked at.
  if (!isRequest && !isUse && (userData === undefined || !isUnderWay(world, call, isAttached))) return null;
  const party = partyOf();
  if (party === null) return null;
  const keys = routeKeysOf(userData);
  if (isRequest) return { kind: "routing", step: "requested", at, call, party, keys };
  const known = world.get("call", call.callId);
  const open = known && findParty(known, party);
  // The asking is missed of whoever was there before us.
  if (open === undefined || (open.route === undefined && (open.isFound !== true || open.state !== "queued")))
    return null;
  if (isUse) return { kind: "routing", step: "used", at, call, party, keys };
  if (keys === null) return null;
  if (isAttached) return { kind: "routing", step: "attached", at, call, party, keys };
  return open.route === undefined ? null : { kind: "routing", step: "told", at, call, party, keys };
}

function isUnderWay(world: World, { callId }: CallFacts, isAttached: boolean): boolean {
  const parties = world.get("call", callId)?.parties;
  for (const guid in parties) {
    const party = parties[guid];
    if (party?.route !== undefined || (isAttached && party?.isFound === true)) return true;
  }
  return false;
}
