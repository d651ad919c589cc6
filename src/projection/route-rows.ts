// The rows of a routing: its result, and the virtual queues in which the call waited meanwhile.

import type { CallId } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import type { RouteKeys } from "../event/routing.ts";
import type { Call } from "./call.ts";
import { created, span, stamps } from "./call-rows.ts";
import type { Party } from "./party.ts";
import type { StepContext } from "./source.ts";
import type { VirtualStay } from "./virtual-queue.ts";
import type { World } from "./world.ts";

export function writeRouteResult(
  world: World,
  context: StepContext,
  call: Call,
  party: Party,
  outcome: { readonly result: number; readonly keys: RouteKeys | undefined; readonly at: SourceInstant },
): void {
  const id = world.nextRowId();
  const { keys } = outcome;
  world.write("G_ROUTE_RESULT", {
    ID: id,
    CALLID: call.callId,
    CONNID: call.connId ?? "",
    PARTYID: party.partyId,
    IRID: call.irId,
    ENDPOINTID: null,
    RTARGETRULESELECTED: keys?.rule ?? null,
    RTARGETOBJECTSELECTED: keys?.object ?? null,
    RTARGETTYPESELECTED: keys?.type ?? null,
    RTARGETAGENTSELECTED: keys?.agent ?? null,
    RTARGETPLACESELECTED: keys?.place ?? null,
    RSTRATEGYNAME: keys?.strategy ?? null,
    ENDPOINTDN: party.dn,
    RESULT: outcome.result,
    ...created(world, outcome.at),
    ...stamps(world, context, id),
  });
}

/** Once the stay is over: its times are then known, and the row is written once. */
export function writeWaitOfRouting(
  world: World,
  context: StepContext,
  callId: CallId,
  partyId: string,
  stay: VirtualStay,
): void {
  const id = world.nextRowId();
  world.write("G_ROUTE_RES_VQ_HIST", {
    ID: id,
    CALLID: callId,
    PARTYID: partyId,
    VQUEUEID: stay.key,
    VQID: stay.vqid,
    ENDPOINTDN: stay.dn,
    ...span(world, stay.since, stay.endedAt ?? null),
    ...stamps(world, context, id),
  });
}
