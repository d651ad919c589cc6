// What changes of a call after its end. Whoever follows the IDB has read the call by then, and reads again what has a window
// of a later version: so the window of its end counts as changed. One that is still kept has its version in the live
// state, and would be written over with the earlier one otherwise.

import type { CallId } from "../event/happening.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** After rows of this call were written; it changes nothing while the call goes on. `name`: the call's source. */
export function noteIfLate(world: World, { position }: StepContext, name: string, callId: CallId): void {
  if (world.get("call", callId) !== undefined) return;
  const identity = world.get("source", name)?.identity;
  if (identity === undefined) return;
  const { primaryDbid: cluster, switchDbid } = identity;
  const version = Number(position);
  world.noteLateChange({ callId, cluster, switchDbid, version });
  for (const [key, window] of world.all("window")) {
    if (window.source === name && window.version < version) world.put("window", key, { ...window, version });
  }
}
