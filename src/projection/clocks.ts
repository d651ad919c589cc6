// The clocks: steps of ours, and how a source's stands to it. Calls are timed by the source's clock alone, so no row's
// times move when ours steps; but arrivals before and after it cannot be compared any more, and the ledger says so.

import type { MarkEnvelope } from "../event/envelope.ts";
import { type ArrivalInstant, arrivalInstant, sourceInstant, timestampText } from "../event/instant.ts";
import { setCoverageBack } from "./coverage.ts";
import { writeMark } from "./mark.ts";
import { measureClock } from "./session.ts";
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
    const ami = world.get("ami source", name);
    if (ami !== undefined) world.put("ami source", name, { ...ami, differenceMs: ami.differenceMs - stepMs });
  }
}

type Difference = Extract<MarkEnvelope["mark"], { mark: "clock difference" }>;

/** The source's clock was compared with ours. */
export function noteClockDifference(
  world: World,
  windowSeconds: number,
  position: bigint,
  { session: id, arrivedAt }: MarkEnvelope,
  mark: Difference,
): void {
  const source = world.get("source", mark.source);
  const session = world.get("session", String(id));
  if (source === undefined || session === undefined) return;
  const { differenceMs, uncertaintyMs, stepMs } = mark;
  measureClock(world, session, { differenceMs, uncertaintyMs });
  const apart = `${(Math.abs(differenceMs) / 1000).toFixed(3)} s ${differenceMs < 0 ? "behind" : "ahead of"} ours`;
  const detail = `source's clock is ${apart}, give or take ${(uncertaintyMs / 1000).toFixed(3)} s`;
  if (stepMs === null) return writeMark(world, { position, source }, arrivedAt, "clock difference", detail);
  writeMark(world, { position, source }, arrivedAt, "source clock stepped", `${stepText(stepMs)}; ${detail}`);
  // What it says next may be as old as the answer, at the earliest, that told us.
  setCoverageBack(world, source, position, sourceInstant(arrivedAt + differenceMs - 2 * uncertaintyMs));
  const context = stepContext(world, source, id, position);
  // The windows on both sides of the step: events of the same moment may stand in either.
  for (const at of [source.clock, sourceInstant(arrivedAt + differenceMs)]) {
    if (at !== null) enterWindow(world, context, windowSeconds, at, { fault: "source clock stepped" });
  }
}

/** "3600.000 s forward" */
export function stepText(stepMs: number): string {
  return `${(Math.abs(stepMs) / 1000).toFixed(3)} s ${stepMs < 0 ? "back" : "forward"}`;
}
