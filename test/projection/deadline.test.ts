import { expect, test } from "bun:test";
import type { CallId } from "../../src/event/happening.ts";
import { sourceInstant } from "../../src/event/instant.ts";
import { DeadlineQueue } from "../../src/projection/deadline.ts";
import { seeded } from "../harness/fake-network.ts";

test("calls are taken when their time has come, the earliest first, each once, and per source", () => {
  const seed = 11;
  const random = seeded(seed);
  const deadlines = new DeadlineQueue();
  const all = Array.from({ length: 500 }, (_, index) => ({
    at: sourceInstant(Math.floor(random() * 1000)),
    callId: `call-${String(index).padStart(3, "0")}` as CallId,
  }));
  for (const { at, callId } of all) deadlines.add("north", at, callId);
  deadlines.add("south", sourceInstant(0), "other" as CallId);
  const inOrder = all.toSorted((a, b) => a.at - b.at || (a.callId < b.callId ? -1 : 1));
  const first = deadlines.take("north", sourceInstant(400));
  const rest = deadlines.take("north", sourceInstant(1000));
  expect(first, `seed ${seed}`).toEqual(inOrder.filter(({ at }) => at <= 400));
  expect([...first, ...rest], `seed ${seed}`).toEqual(inOrder);
  expect(deadlines.take("north", sourceInstant(9999))).toEqual([]);
  expect(deadlines.take("south", sourceInstant(0)).map(({ callId }) => callId as string)).toEqual(["other"]);
});
