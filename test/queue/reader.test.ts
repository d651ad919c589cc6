import { expect, test } from "bun:test";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { open, payload, TemporaryDirectory, text } from "./setting.ts";

const bounds = { recordsMax: 1000, bytesMax: 1024 * 1024 };

test("a reader follows the writer through rolls and sealing, and never past the durable position", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 4000 });
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  const read: string[] = [];
  const follow = (upTo: bigint) => {
    for (;;) {
      const outcomes = reader.read(upTo, bounds);
      if (outcomes.length === 0) return;
      for (const each of outcomes) {
        if (each.kind !== "record") throw new Error(`Lost ${each.from}–${each.to}: ${each.reason}`);
        expect(each.position).toBeLessThanOrEqual(upTo);
        read.push(text(each.payload));
      }
    }
  };
  queue.onDurable(follow);
  const written: string[] = [];
  for (let at = 0; at < 3000; at++) {
    const each = `record ${at} ${"x".repeat(at % 97)}`;
    written.push(each);
    queue.append(payload(each));
    if (at % 7 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await queue.durable(3000n);
  expect(read).toEqual(written);
  expect(reader.position).toBe(3001n);
});

test("reading begins where it is told to, in the middle of a segment too", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 100 });
  for (let at = 1; at <= 20; at++) queue.append(payload(`number ${at}`));
  await queue.durable(20n);
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  for (const from of [1n, 6n, 13n, 20n]) {
    reader.seek(from);
    const [first] = reader.read(20n, bounds);
    expect(first).toMatchObject({ kind: "record", position: from });
  }
  reader.seek(21n);
  expect(reader.read(20n, bounds)).toEqual([]);
});

test("one call returns no more records or bytes than asked for, but always one", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path);
  for (let at = 1; at <= 10; at++) queue.append(new Uint8Array(1000).fill(at));
  await queue.durable(10n);
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  expect(reader.read(10n, { recordsMax: 3, bytesMax: 100_000 })).toHaveLength(3);
  expect(reader.read(10n, { recordsMax: 100, bytesMax: 10 })).toHaveLength(1);
  expect(reader.read(10n, { recordsMax: 100, bytesMax: 2000 })).toHaveLength(2);
});

test("a queue that does not exist yet has nothing to read, and is read once it does", async () => {
  using directory = new TemporaryDirectory();
  const path = `${directory.path}/queue`;
  using reader = new QueueReader({ directory: path, disk: systemDisk });
  expect(reader.read(5n, bounds)).toEqual([]);
  expect(reader.describe()).toEqual({ queueId: undefined, firstPosition: undefined, segments: [] });
  expect(reader.lastWholePosition()).toBe(0n);
  await using queue = await open(path);
  await queue.durable(queue.append(payload("first")));
  expect(reader.read(1n, bounds)).toHaveLength(1);
  expect(reader.lastWholePosition()).toBe(1n);
});

test("a record of the largest size is read back whole", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 4 * 1024 * 1024 });
  const largest = new Uint8Array(1024 * 1024 + 64 * 1024).fill(7);
  queue.append(payload("before"));
  queue.append(largest);
  await queue.durable(2n);
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  const sizes: number[] = [];
  while (reader.position <= 2n) {
    for (const each of reader.read(2n, bounds)) sizes.push(each.kind === "record" ? each.payload.length : -1);
  }
  expect(sizes).toEqual([6, largest.length]);
  expect(() => queue.append(new Uint8Array(largest.length + 1))).toThrow("within its bound");
});
