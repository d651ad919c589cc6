// A call is merged into another one: its parties go on there, and so do its links to other sites. Its interaction record ends
// with that, though the call itself may go on for a while.

import { callChangeTypes, irChangeTypes, mergeTypes } from "../../schema/dictionary.ts";
import { notSetBack, type SourceInstant } from "../event/instant.ts";
import type { Call } from "./call.ts";
import { writeActiveRows, writeCallHistory, writeCallRow, writeIrHistory, writeIrRow } from "./call-rows.ts";
import { rootIrOf } from "./inter-site.ts";
import { moveLinks } from "./inter-site-link.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

const mergeTypesBy = { transfer: mergeTypes.transferred, conference: mergeTypes.conferenced } as const;

/** The call as it is then. The caller joins the other one by its links (joinCalls) once both are kept. */
export function mergeInto(
  world: World,
  context: StepContext,
  left: Call,
  call: Call,
  by: "transfer" | "conference",
  toldAt: SourceInstant,
): Call {
  // A call to which a party comes back is not merged into what was merged into it: who follows the merges would not end.
  if (left.merged !== undefined || isMergedInto(world, call, left)) return left;
  const { callId, irId } = call;
  const at = notSetBack(left.createdAt, toldAt);
  const merged = { ...left, merged: { callId, irId, rootIrId: rootIrOf(call), type: mergeTypesBy[by], at } };
  writeCallHistory(world, context, merged, callChangeTypes.merged, at);
  writeIrHistory(world, context, merged, irChangeTypes.merged, at);
  writeCallRow(world, context, merged, null);
  writeIrRow(world, context, merged, null);
  writeActiveRows(world, context, merged);
  world.erase("G_IR_ACTIVE", merged.irActiveRowId);
  moveLinks(world, context, left.callId, callId, at);
  return merged;
}

function isMergedInto(world: World, call: Call, other: Call): boolean {
  for (let at: Call | undefined = call; at?.merged !== undefined; at = world.get("call", at.merged.callId)) {
    if (at.merged.callId === other.callId || at.merged.rootIrId === other.irId) return true;
  }
  return false;
}
