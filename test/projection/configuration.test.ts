// The configuration that rows depend on comes through the queue: it holds from its mark on, and not before.

import { expect, test } from "bun:test";
import { decodeEnvelope, EnvelopeError, encodeMark, type Mark, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { MemoryWorld } from "../harness/memory-world.ts";
import { at, Story } from "../harness/story.ts";

const agent = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "A1" };

function released(): Story {
  return new Story({ callDeletionTimeoutSeconds: 30 }).events([0, "EventRinging", agent], [10, "EventReleased", agent]);
}

test("a call-deletion-timeout that was shortened holds from the mark on, also for a call that waits already", () => {
  const story = released();
  story.heartbeat(20);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBeNull();
  story.reload({ callDeletionTimeoutSeconds: 5 }).heartbeat(21);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBe(at(10));
});

test("a call-deletion-timeout that was raised holds from the mark on", () => {
  const story = released().reload({ callDeletionTimeoutSeconds: 60 });
  story.heartbeat(69);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBeNull();
  story.heartbeat(70);
  expect(story.rows("G_CALL", "ID")[0]?.TERMINATED).toBe(at(10));
});

test("without role gcc no calls are written from the mark on; what was written stays", () => {
  const story = released().reload({ role: ["gud"] });
  story.events([30, "EventRinging", { ...agent, ConnID: "0000000000000077", CallUUID: "C77" }]);
  expect(story.rows("G_CALL", "ID").length).toBe(1);
});

test("ICON_CONFIGURATION tells from when on which configuration was in force", () => {
  const story = released().reload({ callDeletionTimeoutSeconds: 5 });
  const rows = story.rows("ICON_CONFIGURATION", "ID");
  expect(rows.map(({ POSITION, CAUSE, HASH }) => [POSITION, CAUSE, HASH[0]])).toEqual([
    [1, "start", "0"],
    [5, "reload", "1"],
  ]);
  expect(rows.map(({ CONFIGURATION }) => /"callDeletionTimeoutSeconds":(\d+)/.exec(CONFIGURATION)?.[1])).toEqual([
    "30",
    "5",
  ]);
});

test("records mapped with a given configuration obey it from the first one, and say so", () => {
  const story = released();
  story.heartbeat(16);
  const world = new MemoryWorld();
  const [first] = story.payloads;
  const envelope = decodeEnvelope(first ?? new Uint8Array(0));
  if (envelope.kind !== "mark" || envelope.mark.mark !== "instance started") throw new Error("A story begins so");
  const sources = envelope.mark.sources.map((source) => ({
    ...source,
    options: { ...source.options, callDeletionTimeoutSeconds: 5 },
  }));
  const settings = { windowSeconds: 60, configuration: { role: ["gcc"], sources } };
  story.payloads.forEach((payload, index) => {
    stepRecord(world, settings, BigInt(index + 1), payload);
  });
  const written = world.written.filter(({ table }) => table === "G_CALL").at(-1);
  expect(written?.row).toMatchObject({ TERMINATED: at(10) });
  const configured = world.written.find(({ table }) => table === "ICON_CONFIGURATION");
  expect(configured?.row).toMatchObject({ IS_OVERRIDDEN: 1, HASH: "0".repeat(64) });
});

test("a mark of a kind that this version does not know is kept, and the rest goes on", () => {
  const unknown = encodeMark({
    kind: "mark",
    session: 0 as SessionId,
    arrivedAt: arrivalInstant(0),
    mark: { mark: "from the future" } as unknown as Mark,
  });
  expect(() => decodeEnvelope(unknown)).toThrow(EnvelopeError);
  const world = new MemoryWorld();
  stepRecord(world, { windowSeconds: 60 }, 1n, unknown);
  expect(world.written).toMatchObject([
    { table: "ICON_UNDECODED", row: { REASON: expect.stringContaining("from the future") } },
  ]);
});
