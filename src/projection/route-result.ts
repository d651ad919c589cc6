// What becomes of a call at a routing point: G_ROUTE_RESULT, when the party that stood there is gone.
//
// The result is what the routing server has attached to the call since it was asked. Attached data stay with a call, so
// what was there before is an earlier routing's, unless it is attached again through this routing point.

import { routeResults } from "../../schema/dictionary.ts";
import type { SourceInstant } from "../event/instant.ts";
import { isSameDecision, type RouteKeys } from "../event/routing.ts";
import { tlibMessages } from "../event/tevent.ts";
import type { Call } from "./call.ts";
import type { Party } from "./party.ts";
import { writeRouteResult } from "./route-rows.ts";
import type { StepContext } from "./source.ts";
import { noteRouting } from "./virtual-queue.ts";
import type { World } from "./world.ts";

/** A routing that goes on at a party. */
export interface Routing {
  /** What an earlier routing had attached. */
  readonly earlier?: RouteKeys;
  /** The decision. */
  readonly keys?: RouteKeys;
  /** EventRouteUsed: the switch has sent the call on. */
  readonly isUsed?: true;
}

/** `isFresh`: attached just now, through this routing point. */
export function withKeys(routing: Routing, keys: RouteKeys | null, isFresh: boolean): Routing {
  if (keys === null) return routing;
  const isEarlier = !isFresh && routing.earlier !== undefined && isSameDecision(keys, routing.earlier);
  return isEarlier ? routing : { ...routing, keys };
}

/** The party is gone at `at`, by this event. */
export function finishRouting(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  at: SourceInstant,
  ccEvent: number,
): void {
  const { route } = party;
  if (route === undefined) return;
  // What nobody saw has no result: whoever listened then has one.
  if (ccEvent === 0) return;
  const result = resultOf(route, ccEvent);
  if (result !== routeResults.routed && context.source.options.extendsRouteResults !== true) return;
  writeRouteResult(world, context, call, party, { result, keys: route.keys, at });
  noteRouting(world, context, call.callId, party.partyId, party.createdAt);
}

function resultOf(route: Routing, ccEvent: number): number {
  if (ccEvent === tlibMessages.EventAbandoned) return routeResults.abandoned;
  const isSentOn = ccEvent === tlibMessages.EventDiverted || route.isUsed === true;
  return isSentOn ? routeResults.routed : routeResults.other;
}
