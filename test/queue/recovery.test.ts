// The table of cases in FORMAT.md, row by row, and a power cut at every step that leads from one to another.

import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { DiskFullError } from "../../src/queue/disk-full.ts";
import { openWithRoom } from "../../src/queue/open-with-room.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { segmentStem } from "../../src/queue/segment.ts";
import { FakeDisk, PowerOffError } from "../harness/fake-disk.ts";
import { open, payload, readTexts, text } from "./setting.ts";

const directory = "/queue";
const small = { segmentBytes: 2 * 20 }; // two records of four bytes
const file = (first: bigint, extension: string) => `${segmentStem(first)}.${extension}`;
const filesOf = (disk: FakeDisk) => disk.list(directory).sort();

async function filled(disk: FakeDisk, count: number): Promise<Queue> {
  const queue = await open(directory, { ...small, disk, head: () => payload("head") });
  for (let at = 1; at <= count; at++) await queue.durable(queue.append(payload(String(1000 + at))));
  await queue.trim({ appliedPosition: 0n, olderThanMs: 0, bytesMax: 0 }); // waits for the sealing
  return queue;
}

test("nothing there: a new queue with a new id, and position 1 comes first", async () => {
  const queue = await open(directory, { disk: new FakeDisk(1) });
  expect(queue.state).toBe("new");
  expect(queue.queueId).toMatch(/^[0-9a-f]{32}$/);
  expect(queue.lastHead).toEqual(new Uint8Array(0));
  expect([...queue.readRecent()]).toEqual([]);
  expect(queue.append(payload("a"))).toBe(1n);
  const other = await open(directory, { disk: new FakeDisk(2) });
  expect(other.queueId).not.toBe(queue.queueId);
});

test("only sealed segments: an orderly stop, positions go on", async () => {
  const disk = new FakeDisk(1);
  await (await filled(disk, 3)).close();
  expect(filesOf(disk)).toEqual([file(1n, "segment"), file(3n, "segment")]);
  const queue = await open(directory, { ...small, disk });
  expect([queue.state, queue.append(payload("next"))]).toEqual(["clean", 4n]);
});

test("an open segment with records: it is copied, sealed, and the open one deleted", async () => {
  const disk = new FakeDisk(1);
  await filled(disk, 3);
  disk.kill();
  expect(filesOf(disk)).toEqual([file(1n, "segment"), file(3n, "open")]);
  const queue = await open(directory, { ...small, disk });
  expect(filesOf(disk)).toEqual([file(1n, "segment"), file(3n, "segment")]);
  expect([queue.state, text(queue.lastHead), queue.durablePosition]).toEqual(["recovered", "head", 3n]);
  expect(queue.recovery).toMatchObject({ tornBytes: 0, damagedRecordCount: 0, damagedSegments: [] });
});

test("an open segment without records: it is deleted, and the one before says where to go on", async () => {
  const disk = new FakeDisk(1);
  const queue = await filled(disk, 2);
  queue.append(payload("rolls over"));
  disk.failNext("write", /3.open$/, new Error("Input/output error"));
  await queue.failed;
  disk.kill();
  expect(filesOf(disk)).toContain(file(3n, "open"));
  const after = await open(directory, { ...small, disk });
  expect(filesOf(disk)).toEqual([file(1n, "segment")]);
  expect([after.state, after.durablePosition]).toEqual(["recovered", 2n]);
});

test("two open segments, the process having died before the first was sealed: both are recovered", async () => {
  const disk = new FakeDisk(1);
  const queue = await filled(disk, 2);
  disk.failNext("truncate", /open$/, new Error("Input/output error"));
  queue.append(payload("1003"));
  await queue.failed;
  disk.kill();
  expect(filesOf(disk)).toEqual([file(1n, "open"), file(3n, "open")]);
  const after = await open(directory, { ...small, disk });
  expect(after.recovery.tornBytes).toBe(0);
  expect(readTexts(directory, 2n, disk)).toEqual(["1 1001", "2 1002"]);
  expect(filesOf(disk).every((each) => each.endsWith(".segment"))).toBe(true);
});

test("an open segment beside its sealed copy: the copy is whole, the open one is deleted", async () => {
  const disk = new FakeDisk(1);
  await filled(disk, 1);
  disk.kill();
  disk.failNext("unlink", /open$/, new Error("Input/output error"));
  expect(open(directory, { ...small, disk })).rejects.toThrow("Input/output error");
  while (filesOf(disk).length < 2) await new Promise<void>((resolve) => setImmediate(resolve));
  disk.kill();
  expect(filesOf(disk)).toEqual([file(1n, "open"), file(1n, "segment")]);
  const queue = await open(directory, { ...small, disk });
  expect([queue.state, queue.durablePosition, filesOf(disk)]).toEqual(["recovered", 1n, [file(1n, "segment")]]);
});

test("files that were not finished, and what was kept beside segments now gone, are deleted", async () => {
  const disk = new FakeDisk(1);
  const queue = await filled(disk, 4);
  await queue.trim({ appliedPosition: 2n, olderThanMs: -1, bytesMax: 0 });
  await queue.close();
  for (const each of [file(9n, "new"), file(1n, "state"), file(3n, "state")]) disk.create(`${directory}/${each}`);
  await open(directory, { ...small, disk });
  expect(filesOf(disk)).toEqual([file(3n, "segment"), file(3n, "state")]);
});

test("a power cut at any step of appending, rolling, trimming, closing and recovering loses nothing durable", async () => {
  let isThrough = false;
  for (let call = 1; !isThrough; call++) {
    for (let second = 1; second <= 30; second += 3) {
      const disk = new FakeDisk(call * 1000 + second);
      disk.powerOffAfter(call);
      const durable = await scenario(disk);
      isThrough = durable === undefined;
      disk.powerCut();
      // The start after it is cut as well, a few calls on.
      disk.powerOffAfter(second);
      await open(directory, { ...small, disk }).catch((error: unknown) => {
        if (!(error instanceof PowerOffError)) throw error;
      });
      disk.powerCut();
      const queue = await open(directory, { ...small, disk });
      const found = readTexts(directory, queue.durablePosition, disk);
      expect(Number(queue.durablePosition)).toBeGreaterThanOrEqual(durable ?? 7);
      const first = Number(found[0]?.split(" ")[0] ?? 1);
      expect(found).toEqual(
        Array.from(
          { length: Number(queue.durablePosition) + 1 - first },
          (_, at) => `${first + at} ${1000 + first + at}`,
        ),
      );
    }
  }
});

/** Appends seven records, trims one segment and closes. Returns how many were durable if the power went off. */
async function scenario(disk: FakeDisk): Promise<number | undefined> {
  let queue: Queue | undefined;
  try {
    queue = await open(directory, { ...small, disk });
    for (let at = 1; at <= 7; at++) await queue.durable(queue.append(payload(String(1000 + at))));
    await queue.trim({ appliedPosition: 3n, olderThanMs: -1, bytesMax: 0 });
    await queue.close();
    return undefined;
  } catch {
    return Number(queue?.durablePosition ?? 0n);
  }
}

test("an open segment on a disk without room for its copy: the start waits, leaves nothing half, and is whole once there is", async () => {
  const disk = new FakeDisk(1);
  await filled(disk, 3);
  disk.kill();
  const full = () => disk.failNext("write", /3.new$/, Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  const told: string[] = [];
  const waiting = (reason: string) => {
    told.push(reason);
    expect(filesOf(disk)).toEqual([file(1n, "segment"), file(3n, "open")]);
    if (told.length < 2) full();
  };
  full();
  const stop = new AbortController();
  const queue = await openWithRoom(() => open(directory, { ...small, disk }), {
    clock: { ...systemClock, now: systemClock.now, after: (_delayMs, act) => systemClock.after(1, act) },
    log: silentLog,
    stop: stop.signal,
    waiting,
  });
  expect(told).toHaveLength(2);
  expect(told[0]).toContain(`${directory}/${file(3n, "open")}`);
  expect([queue.state, queue.durablePosition]).toEqual(["recovered", 3n]);
});

test("a start that waits for room gives up when it is stopped", async () => {
  const disk = new FakeDisk(1);
  await filled(disk, 3);
  disk.kill();
  disk.failNext("write", /3.new$/, Object.assign(new Error("no space left"), { code: "ENOSPC" }));
  const opening = openWithRoom(() => open(directory, { ...small, disk }), {
    clock: systemClock,
    log: silentLog,
    stop: AbortSignal.abort(),
    waiting: () => {},
  });
  expect(await opening.catch((error: unknown) => error)).toBeInstanceOf(DiskFullError);
});
