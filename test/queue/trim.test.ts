import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../src/clock.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { segmentStem } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { open, payload, readTexts, TemporaryDirectory } from "./setting.ts";

const hourMs = 3_600_000;
const keepAll = { olderThanMs: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY };

class HandClock implements Clock {
  nowMs = 1_000_000_000_000;
  now = () => this.nowMs;
  monotonic = () => this.nowMs;
  after = () => () => undefined;
}

/** Six records in three segments: 1–2, 3–4 sealed an hour apart, 5–6 open. */
async function threeSegments(directory: string, clock = new HandClock()) {
  const queue = await open(directory, { segmentBytes: 40, clock });
  for (let segment = 0; segment < 3; segment++) {
    queue.append(payload("a"));
    await queue.durable(queue.append(payload("b")));
    clock.nowMs += hourMs;
  }
  await queue.trim({ ...keepAll, appliedPosition: 0n }); // which waits for the sealing
  return { queue, clock };
}

test("records that are not applied are kept, whatever the bounds say", async () => {
  using directory = new TemporaryDirectory();
  const { queue } = await threeSegments(directory.path);
  const greedy = { olderThanMs: 0, bytesMax: 0 };
  expect((await queue.trim({ appliedPosition: 1n, ...greedy })).segments).toEqual([]);
  expect(
    (await queue.trim({ appliedPosition: 3n, ...greedy })).segments.map(({ lastPosition }) => lastPosition),
  ).toEqual([2n]);
  expect(readTexts(directory.path, 6n)).toEqual(["3 a", "4 b", "5 a", "6 b"]);
  await queue.close();
});

test("applied segments are kept for their time, and go oldest first", async () => {
  using directory = new TemporaryDirectory();
  const { queue, clock } = await threeSegments(directory.path);
  expect((await queue.trim({ appliedPosition: 6n, ...keepAll })).segments).toEqual([]);
  const oldestSealedMs = queue.status().oldestSealedMs ?? 0;
  const olderThanMs = clock.nowMs - oldestSealedMs - 1;
  const report = await queue.trim({ ...keepAll, appliedPosition: 6n, olderThanMs });
  expect(report.segments.map(({ firstPosition }) => firstPosition)).toEqual([1n]);
  expect(queue.status()).toMatchObject({ firstPosition: 3, segmentCount: 2 });
  await queue.close();
});

test("above the bound in bytes the oldest applied segments go, until it is kept", async () => {
  using directory = new TemporaryDirectory();
  const { queue } = await threeSegments(directory.path);
  const { bytes } = queue.status();
  await queue.trim({ ...keepAll, appliedPosition: 6n, bytesMax: bytes - 1 });
  expect(queue.status().firstPosition).toBe(3);
  await queue.close();
});

test("the segment that a start would begin with stays, and so does the queue's id", async () => {
  using directory = new TemporaryDirectory();
  const { queue } = await threeSegments(directory.path);
  await queue.close();
  const after = await open(directory.path, { segmentBytes: 40 });
  await after.trim({ appliedPosition: 6n, olderThanMs: -1, bytesMax: 0 });
  expect(directory.files()).toEqual([`${segmentStem(5n)}.segment`]);
  await after.close();
  const last = await open(directory.path);
  expect([last.queueId, last.durablePosition]).toEqual([queue.queueId, 6n]);
  await last.close();
});

test("what is kept beside a segment goes with it", async () => {
  using directory = new TemporaryDirectory();
  const { queue } = await threeSegments(directory.path);
  for (const first of [1n, 3n]) writeFileSync(join(directory.path, `${segmentStem(first)}.state`), "live state");
  await queue.trim({ ...keepAll, appliedPosition: 2n, bytesMax: 0 });
  expect(directory.files().map((file) => file.slice(-8))).toEqual([
    "03.segment".slice(-8),
    "03.state".slice(-8),
    "005.open",
  ]);
  await queue.close();
});

test("a reader that comes too late for a trimmed position is told which ones it missed", async () => {
  using directory = new TemporaryDirectory();
  const { queue } = await threeSegments(directory.path);
  using late = new QueueReader({ directory: directory.path, disk: systemDisk });
  await queue.trim({ ...keepAll, appliedPosition: 4n, bytesMax: 0 });
  const [first] = late.read(6n, { recordsMax: 10, bytesMax: 1000 });
  expect(first).toMatchObject({ kind: "damaged", from: 1n, to: 4n, reason: "trimmed" });
  expect(late.read(6n, { recordsMax: 10, bytesMax: 1000 }).map((each) => each.kind)).toEqual(["record", "record"]);
  await queue.close();
});
