// Steps of clocks. Calls are timed by the source's clock alone, so no row's times move when ours steps; but arrivals
// before and after it cannot be compared any more, and the ledger says so.

import { type ArrivalInstant, arrivalInstant, timestampText } from "../event/instant.ts";
import { writeMark } from "./mark.ts";
import { stepContext, updateSource } from "./source.ts";
import { enterWindow } from "./window.ts";
import type { World } from "./world.ts";

/** Our own clock stepped: every source that is listened to has it in its present window. `arrivedAt` is by the new time. */
export function noteHostClockStep(
  world: World,
  windowSeconds: number,
  position: bigint,
  arrivedAt: ArrivalInstant,
  stepMs: number,
): void {
  const before = timestampText(arrivalInstant(arrivedAt - stepMs));
  writeMark(
    world,
    { position, source: null },
    arrivedAt,
    "host clock stepped",
    `${stepText(stepMs)}; it was ${before}`,
  );
  for (const [name, source] of world.all("source")) {
    const { openSession, clock } = source;
    if (clock === null) continue;
    if (openSession !== null) {
      const context = stepContext(world, source, openSession, position);
      enterWindow(world, context, windowSeconds, clock, { fault: "host clock stepped" });
    }
    // The source's own clock has not moved.
    updateSource(world, name, { clockDifferenceMs: source.clockDifferenceMs - stepMs });
  }
}

/** "3600.000 s forward" */
export function stepText(stepMs: number): string {
  return `${(Math.abs(stepMs) / 1000).toFixed(3)} s ${stepMs < 0 ? "back" : "forward"}`;
}
