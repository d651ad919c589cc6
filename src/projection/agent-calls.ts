// Calls and the agents on them: what a happening does to a call, and what that does to the state of whoever is logged in
// at its DNs. Told by the difference of the call before and after, so that every way in which a party comes or goes is
// the same.

import type { Happening } from "../event/happening.ts";
import { reopenClosed } from "./agent-bounds.ts";
import { busyDns, connect, disconnect } from "./agent-busy.ts";
import { stepCall } from "./call.ts";
import { followsCalls, type StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Takes one happening of a source in: what it does to its calls, and to agents. */
export function stepCallAndAgents(world: World, context: StepContext, happening: Happening): void {
  if (!followsCalls(context.source)) return;
  if (!context.source.writesAgents) return stepCall(world, context, happening);
  const { at } = happening;
  const { callId } = happening.call;
  const left = happening.kind === "party moved" ? happening.left : null;
  const callIds = left === null ? [callId] : [callId, left];
  const before = callIds.map((id) => busyDns(world.get("call", id)));
  stepCall(world, context, happening);
  const after = callIds.map((id) => busyDns(world.get("call", id)));
  // Who goes on in another call is busy without a break.
  for (const [index, dns] of after.entries()) {
    for (const [dn, call] of dns) {
      if (before[index]?.has(dn)) continue;
      reopenClosed(world, context, dn, at);
      connect(world, context, { dn, call, at, doubt: null });
    }
  }
  const doubt = "unseen" in happening ? (happening.unseen ?? null) : null;
  for (const [index, dns] of before.entries()) {
    for (const [dn, call] of dns) if (!after[index]?.has(dn)) disconnect(world, context, { dn, call, at, doubt });
  }
}
