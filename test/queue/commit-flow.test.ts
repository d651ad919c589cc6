import { expect, test } from "bun:test";
import { silentLog } from "../../src/log.ts";
import { CommitFlow } from "../../src/queue/commit-flow.ts";
import { QueueFailedError } from "../../src/queue/error.ts";
import type { SegmentChain } from "../../src/queue/segment-chain.ts";
import { FakeClock } from "../harness/fake-clock.ts";

test("whoever waits for the last write is let go when a failure comes before the write was begun", async () => {
  const options = { directory: "/queue", pendingBytesMax: 1000, clock: new FakeClock(), log: silentLog };
  // Not asked for anything: the failure comes in the same turn of the event loop.
  const flow = new CommitFlow(options, {} as SegmentChain, () => {});
  const plan = { queueId: "0".repeat(32), firstPosition: 1n, salt: 7, head: new Uint8Array(), recordBytes: 0 };
  flow.put(plan, 1n, new Uint8Array(1), new Uint8Array(1));
  const durable = flow.durable(1n).catch((error: unknown) => error);
  const idle = flow.idle();
  flow.fail(new Error("Input/output error"));
  await idle;
  expect(await durable).toBeInstanceOf(QueueFailedError);
});
