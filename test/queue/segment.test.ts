import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QueueCorruptError, QueueFormatError, QueueLockedError } from "../../src/queue/error.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { encodeHeader, sectorsOfQueue, segmentStem } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { open, payload, readAll, readTexts, TemporaryDirectory, text } from "./setting.ts";

const small = { segmentBytes: 200 };
const fifty = (letter: string) => payload(letter.repeat(50)); // 66 bytes as a record: three to a segment

test("a full segment is sealed at its length and the next begins with the next position and a salt of its own", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, small);
  for (const letter of "abcdefg") queue.append(fifty(letter));
  await queue.durable(7n);
  await queue.close();
  expect(directory.files()).toEqual([1n, 4n, 7n].map((first) => `${segmentStem(first)}.segment`));
  expect(statSync(join(directory.path, `${segmentStem(1n)}.segment`)).size).toBe(4096 + 3 * 66 + 64);
  const records = readAll(directory.path, 7n);
  expect(records.map((each) => each.kind === "record" && text(each.payload)[0])).toEqual([..."abcdefg"]);
  expect(records.map((each) => each.kind === "record" && each.segmentFirstPosition)).toEqual([
    1n,
    1n,
    1n,
    4n,
    4n,
    4n,
    7n,
  ]);
  expect(new Set(records.map((each) => each.kind === "record" && each.segmentSalt)).size).toBe(3);
});

test("a segment's header for another queue differs in the queue's id alone, and heals a damaged copy of the sector", () => {
  const start = { firstPosition: 7n, salt: 99, head: payload("head") };
  const [one, other] = ["0", "f"].map((digit) => encodeHeader({ ...start, queueId: digit.repeat(32) })) as [
    Uint8Array,
    Uint8Array,
  ];
  const expected = other.subarray(0, 1024).toHex();
  expect(sectorsOfQueue(one, "f".repeat(32))?.toHex()).toBe(expected);
  for (const offset of [40, 512 + 40]) {
    const damaged = one.slice();
    damaged[offset] = 0;
    expect(sectorsOfQueue(damaged, "f".repeat(32))?.toHex()).toBe(expected);
  }
  expect(sectorsOfQueue(new Uint8Array(1024), "f".repeat(32))).toBeUndefined();
});

test("the head of a segment knows everything before its first record and nothing of it", async () => {
  using directory = new TemporaryDirectory();
  const appended: string[] = [];
  const head = () => payload(appended.join(""));
  const queue = await open(directory.path, { ...small, head });
  for (const letter of "abcde") {
    queue.append(fifty(letter));
    appended.push(letter);
  }
  await queue.close();
  await using after = await open(directory.path, { ...small, head });
  expect(text(after.lastHead)).toBe("abc");
  expect([...after.readRecent()].map(({ position, payload: each }) => `${position} ${text(each)[0]}`)).toEqual([
    "4 d",
    "5 e",
  ]);
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  expect(reader.segmentAt(3n)?.firstPosition).toBe(1n);
  expect(text(reader.segmentAt(4n)?.head ?? payload("none"))).toBe("abc");
  expect(reader.describe()).toMatchObject({ queueId: after.queueId, firstPosition: 1n });
});

test("a start writes nothing until something is appended, and then begins a segment with a new salt", async () => {
  using directory = new TemporaryDirectory();
  const first = await open(directory.path);
  expect(first.state).toBe("new");
  first.append(payload("a"));
  await first.close();
  await (await open(directory.path)).close();
  expect(directory.files()).toEqual(["00000000000000000001.segment"]);
  const second = await open(directory.path);
  expect(second.queueId).toBe(first.queueId);
  second.append(payload("b"));
  await second.durable(2n);
  expect(directory.files()).toEqual(["00000000000000000001.segment", "00000000000000000002.open"]);
  await second.close();
  expect(readTexts(directory.path, 2n)).toEqual(["1 a", "2 b"]);
});

test("a second opener of the directory is refused with the process id of the first", async () => {
  using directory = new TemporaryDirectory();
  const queue = await open(directory.path);
  const refused = await open(directory.path).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(QueueLockedError);
  expect(refused).toMatchObject({ holder: String(process.pid), directory: directory.path });
  await queue.close();
  await (await open(directory.path)).close();
});

test("the lock keeps another process out, and ends with the process that held it", async () => {
  using directory = new TemporaryDirectory();
  const holder = Bun.spawn(
    [
      process.execPath,
      "-e",
      `const { systemDisk } = await import(${JSON.stringify(join(import.meta.dir, "../../src/queue/system-disk.ts"))});
       console.log(systemDisk.lock(${JSON.stringify(join(directory.path, "lock"))}, String(process.pid)).kind);
       setInterval(() => {}, 1000);`,
    ],
    { stdout: "pipe" },
  );
  const { value } = await holder.stdout.getReader().read();
  expect(text(value ?? payload("")).trim()).toBe("held");
  expect(await open(directory.path).catch((error: unknown) => error)).toMatchObject({ holder: String(holder.pid) });
  holder.kill("SIGKILL");
  await holder.exited;
  await (await open(directory.path)).close();
});

test("a segment of a newer format is refused and left as it is", async () => {
  using directory = new TemporaryDirectory();
  const header = encodeHeader({ queueId: "00".repeat(16), firstPosition: 1n, salt: 1, head: payload("") });
  for (const sector of [0, 512]) {
    new DataView(header.buffer, header.byteOffset).setUint32(sector + 8, 2, true);
    const sum = Bun.hash.crc32(header.subarray(sector, sector + 508));
    new DataView(header.buffer, header.byteOffset).setUint32(sector + 508, sum, true);
  }
  const path = join(directory.path, `${segmentStem(1n)}.open`);
  writeFileSync(path, header);
  const refused = await open(directory.path).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(QueueFormatError);
  expect((refused as Error).message).toContain("version 2, too new");
  expect(readFileSync(path).equals(header)).toBe(true);
});

test("a file that is no segment is refused by name", async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, `${segmentStem(1n)}.segment`);
  writeFileSync(path, "a letter to a friend");
  const refused = await open(directory.path).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(QueueFormatError);
  expect((refused as QueueFormatError).segment).toBe(path);
});

test("a segment of another queue, or a hole between segments, is corruption and not guessed at", async () => {
  using directory = new TemporaryDirectory();
  using other = new TemporaryDirectory();
  for (const path of [directory.path, other.path]) {
    const queue = await open(path, small);
    for (const letter of "abcdefghi") queue.append(fifty(letter));
    await queue.close();
  }
  const names = directory.files();
  const middle = join(directory.path, names[1] ?? "");
  const original = readFileSync(middle);
  await systemDisk.unlink(middle);
  const hole = await open(directory.path, small).catch((error: unknown) => error);
  expect(hole).toBeInstanceOf(QueueCorruptError);
  expect((hole as Error).message).toContain("it ends with position 3, and the next segment begins with 7");
  writeFileSync(middle, readFileSync(join(other.path, names[1] ?? "")));
  const foreign = await open(directory.path, small).catch((error: unknown) => error);
  expect(foreign).toBeInstanceOf(QueueCorruptError);
  expect(foreign).toMatchObject({ segment: middle, offset: 0 });
  writeFileSync(middle, original);
  await (await open(directory.path, small)).close();
});
