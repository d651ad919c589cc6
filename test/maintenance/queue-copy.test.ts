import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { QueueCopy } from "../../src/maintenance/queue-copy.ts";
import { segmentStem } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { open, payload, readTexts, TemporaryDirectory } from "../queue/setting.ts";

// Four records fit into a segment.
const recordBytes = 16 + "record 01".length;
const segmentBytes = 4 * recordBytes;
const textOf = (position: number) => `record ${String(position).padStart(2, "0")}`;
const texts = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `${from + at} ${textOf(from + at)}`);

/** A queue that is open, with so many records. */
async function queueWith(recordCount: number) {
  const directory = new TemporaryDirectory();
  const queue = await open(directory.path, { segmentBytes });
  for (let position = 1; position <= recordCount; position += 1) {
    await queue.durable(queue.append(payload(textOf(position))));
  }
  return {
    queue,
    path: directory.path,
    async [Symbol.asyncDispose]() {
      await queue.close();
      directory[Symbol.dispose]();
    },
  };
}

function copyOf(from: string, neededFrom: bigint | null) {
  const directory = new TemporaryDirectory();
  const to = join(directory.path, "copy");
  mkdirSync(to);
  const copy = new QueueCopy({ disk: systemDisk, clock: systemClock, from, to, neededFrom });
  return { copy, to, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

function trimOldest(path: string, first: bigint): void {
  rmSync(join(path, `${segmentStem(first)}.segment`));
}

test("the copy of a queue that is open holds everything durable, is all sealed, and a start takes it for stopped in order", async () => {
  await using source = await queueWith(10);
  using target = copyOf(source.path, 1n);
  const files = await target.copy.finish();
  expect(readTexts(target.to, 10n)).toEqual(texts(1, 10));
  expect(files.map(({ name }) => name).sort()).toEqual([1n, 5n, 9n].map((first) => `${segmentStem(first)}.segment`));
  for (const { name, bytes, sha256 } of files) {
    const content = readFileSync(join(target.to, name));
    expect([bytes, sha256]).toEqual([content.length, new Bun.CryptoHasher("sha256").update(content).digest("hex")]);
    expect(statSync(join(target.to, name)).mode & 0o777).toBe(0o600);
  }
  await using copied = await open(target.to, { segmentBytes });
  expect([copied.state, copied.queueId, copied.durablePosition]).toEqual(["clean", source.queue.queueId, 10n]);
});

test("of a write that is half there the copy has the whole records before it, and the original is not touched", async () => {
  await using source = await queueWith(6);
  const path = join(source.path, `${segmentStem(5n)}.open`);
  const bytes = readFileSync(path);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  // A record's header, and the payload that did not come to its end.
  bytes.set([1, 2, 3, 4, 9, 0, 0, 0x80, 7, 0, 0, 0, 0, 0, 0, 0, 114, 101], end);
  using other = new TemporaryDirectory();
  for (const name of readdirSync(source.path)) copyFileSync(join(source.path, name), join(other.path, name));
  writeFileSync(join(other.path, `${segmentStem(5n)}.open`), bytes);
  using target = copyOf(other.path, 1n);
  await target.copy.finish();
  expect(readTexts(target.to, 6n)).toEqual(texts(1, 6));
  expect(readdirSync(target.to).some((name) => name.endsWith(".torn"))).toBe(false);
  expect(readFileSync(join(other.path, `${segmentStem(5n)}.open`)).equals(bytes)).toBe(true);
});

test("what the IDB's copy lacks is copied first, oldest first, then what came before, newest first", async () => {
  await using source = await queueWith(22);
  using target = copyOf(source.path, 10n);
  const order: string[] = [];
  const note = () => {
    for (const name of readdirSync(target.to)) if (!order.includes(name)) order.push(name);
  };
  while (await target.copy.advance({ onlyNeeded: true })) note();
  expect(order.map((name) => Number(name.slice(0, 20)))).toEqual([9, 13, 17]);
  while (await target.copy.advance()) note();
  expect(order.map((name) => Number(name.slice(0, 20)))).toEqual([9, 13, 17, 5, 1]);
});

test("segments that retention deletes meanwhile leave no hole: the copy begins later", async () => {
  await using source = await queueWith(18);
  using target = copyOf(source.path, 14n);
  while (await target.copy.advance({ onlyNeeded: true })) {} // 13
  await target.copy.advance(); // 9
  const { segments } = await source.queue.trim({ appliedPosition: 8n, olderThanMs: 0, bytesMax: 0 });
  expect(segments.length).toBe(2);
  await target.copy.finish();
  expect(readTexts(target.to, 18n)).toEqual(texts(9, 18));
});

test("a segment that goes between being listed and being opened is passed over when the IDB has its rows", async () => {
  await using source = await queueWith(14);
  const disk = {
    ...systemDisk,
    list: (directory: string) => [...systemDisk.list(directory), ...(directory === source.path ? gone : [])],
  };
  const gone = [`${segmentStem(1n)}.segment`];
  trimOldest(source.path, 1n);
  using directory = new TemporaryDirectory();
  const copy = new QueueCopy({ disk, clock: systemClock, from: source.path, to: directory.path, neededFrom: 13n });
  await copy.finish();
  expect(readTexts(directory.path, 14n)).toEqual(texts(5, 14));
});

test("one that goes before it was copied, and whose rows the IDB's copy may lack, ends the backup with what to do", async () => {
  await using source = await queueWith(14);
  const disk = {
    ...systemDisk,
    list: (directory: string) => [...systemDisk.list(directory), ...(directory === source.path ? gone : [])],
  };
  const gone = [`${segmentStem(1n)}.segment`];
  trimOldest(source.path, 1n);
  using directory = new TemporaryDirectory();
  const copy = new QueueCopy({ disk, clock: systemClock, from: source.path, to: directory.path, neededFrom: 3n });
  const finished = copy.finish();
  expect(finished).rejects.toThrow("retention deleted the segment of position 1 before it was copied");
  await finished.catch(() => {});
});

test("live state beside a segment comes along; tails, files on their way and the lock do not", async () => {
  await using source = await queueWith(6);
  const beside = ["state", "state.new", "0badcafe.torn"].map((suffix) => `${segmentStem(5n)}.${suffix}`);
  for (const name of [...beside, `${segmentStem(99n)}.state`]) writeFileSync(join(source.path, name), name);
  using target = copyOf(source.path, 1n);
  await target.copy.finish();
  expect(readdirSync(target.to).sort()).toEqual([
    `${segmentStem(1n)}.segment`,
    `${segmentStem(5n)}.segment`,
    `${segmentStem(5n)}.state`,
  ]);
});

test("a damaged record is copied as it is, and the records around it can be read", async () => {
  await using source = await queueWith(10);
  const path = join(source.path, `${segmentStem(1n)}.segment`);
  const bytes = readFileSync(path);
  bytes[4096 + recordBytes + 20] = 0xff;
  writeFileSync(path, bytes);
  using target = copyOf(source.path, 1n);
  await target.copy.finish();
  expect(readTexts(target.to, 10n)).toEqual([...texts(1, 1), "2–2 checksum", ...texts(3, 10)]);
});
