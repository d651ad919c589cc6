import { expect, test } from "bun:test";
import { QueueFailedError } from "../../src/queue/error.ts";
import { recordHeaderBytes } from "../../src/queue/record.ts";
import { FakeClock, settle } from "../harness/fake-clock.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { open, payload, readTexts, TemporaryDirectory } from "./setting.ts";

test("what is appended in one turn of the event loop is made durable by one write", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path);
  const positions = ["a", "b", "c"].map((each) => queue.append(payload(each)));
  expect(positions).toEqual([1n, 2n, 3n]);
  expect(queue.durablePosition).toBe(0n);
  await queue.durable(3n);
  expect(queue.status()).toMatchObject({ commitCount: 1, durablePosition: 3, pendingBytes: 0, recordCount: 3 });
  expect(readTexts(directory.path, 3n)).toEqual(["1 a", "2 b", "3 c"]);
});

test("what arrives while an fdatasync runs goes into the next write, all of it", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path);
  await queue.durable(queue.append(payload("begins the segment")));
  const commits: bigint[] = [];
  queue.onDurable((position) => commits.push(position));
  queue.append(payload("first"));
  await new Promise<void>((resolve) => setImmediate(resolve)); // the first write is on its way now
  for (let count = 0; count < 100; count++) queue.append(payload("later"));
  await queue.durable(102n);
  expect(commits).toEqual([2n, 102n]);
});

test("a record is not called durable before the fdatasync that covers it has returned", async () => {
  const disk = new FakeDisk(1);
  const queue = await open("/queue", { disk });
  queue.append(payload("one"));
  let isDurable = false;
  void queue.durable(1n).then(() => {
    isDurable = true;
  });
  while (!isDurable) {
    expect(queue.durablePosition).toBe(0n);
    await Promise.resolve();
    if (queue.durablePosition === 1n) break;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  disk.powerCut();
  const after = await open("/queue", { disk });
  expect(readTexts("/queue", after.durablePosition, disk)).toEqual(["1 one"]);
});

test("room holds callers back while too much is pending, and lets them go once it is written", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { pendingBytesMax: 1000 });
  await queue.room();
  queue.append(new Uint8Array(1000).fill(1));
  expect(queue.pendingBytes).toBe(1000 + recordHeaderBytes);
  await queue.room();
  expect(queue.pendingBytes).toBe(0);
  expect(queue.durablePosition).toBe(1n);
});

for (const call of ["write", "syncData"] as const) {
  test(`a failed ${call} is final: who waits is told, and nothing is taken any more`, async () => {
    const disk = new FakeDisk(2);
    const queue = await open("/queue", { disk, pendingBytesMax: 10 });
    await queue.durable(queue.append(payload("kept")));
    disk.failNext(call, /open$/, new Error("Input/output error"));
    const lost = queue.append(payload("lost for now"));
    const waiting = [queue.durable(lost), queue.room()].map((each) => each.catch((error: unknown) => error));
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(QueueFailedError);
    expect(() => queue.append(payload("never"))).toThrow(QueueFailedError);
    expect(queue.durable(lost)).rejects.toThrow("Input/output error");
    expect(queue.durablePosition).toBe(1n);
    expect((await queue.failed).message).toContain('Cannot make records durable in "/queue"');
    expect(queue.close()).rejects.toThrow(QueueFailedError);

    // The process ends and starts again; then the power goes. What the start found has to be there still.
    disk.kill();
    const second = await open("/queue", { disk });
    const found = readTexts("/queue", second.durablePosition, disk);
    expect(found[0]).toBe("1 kept");
    disk.powerCut();
    const third = await open("/queue", { disk });
    expect(readTexts("/queue", third.durablePosition, disk)).toEqual(found);
  });
}

test("a segment that cannot be allocated fails the queue before anything is written to it", async () => {
  const disk = new FakeDisk(3);
  const queue = await open("/queue", { disk });
  disk.failNext("allocate", /new$/, new Error("no space left on device"));
  const position = queue.append(payload("no room"));
  expect(queue.durable(position)).rejects.toThrow("no space left on device");
  await queue.failed;
  disk.kill();
  const after = await open("/queue", { disk });
  expect(after.durablePosition).toBe(0n);
  expect(after.state).toBe("new");
});

test("closing makes durable what was appended last", async () => {
  using directory = new TemporaryDirectory();
  const queue = await open(directory.path);
  queue.append(payload("last words"));
  await queue.close();
  expect(directory.files()).toEqual(["00000000000000000001.segment"]);
  await using after = await open(directory.path);
  expect(after.state).toBe("clean");
  expect(readTexts(directory.path, after.durablePosition)).toEqual(["1 last words"]);
});

test("a segment for which the disk has no room is tried again, and what waits for it is durable once there is", async () => {
  const disk = new FakeDisk(4);
  const clock = new FakeClock();
  const queue = await open("/queue", { disk, clock });
  disk.failNext("allocate", /new$/, Object.assign(new Error("no space left on device"), { errno: 28 }));
  const position = queue.append(payload("waits"));
  await settle();
  expect([queue.status().isFull, queue.status().isFailed, queue.durablePosition]).toEqual([true, false, 0n]);
  expect(disk.list("/queue")).toEqual([]);
  await clock.advance(1_000);
  await queue.durable(position);
  expect(queue.status().isFull).toBe(false);
  expect(readTexts("/queue", queue.durablePosition, disk)).toEqual(["1 waits"]);
});

test("a queue that waits for room when the instance stops fails, and has acknowledged nothing of it", async () => {
  const disk = new FakeDisk(5);
  const queue = await open("/queue", { disk, clock: new FakeClock() });
  disk.failNext("allocate", /new$/, Object.assign(new Error("no space left on device"), { errno: 28 }));
  const durable = queue.durable(queue.append(payload("waits"))).catch((error: unknown) => error);
  await settle();
  queue.stopWaitingForRoom();
  expect(await durable).toBeInstanceOf(QueueFailedError);
  expect(queue.durablePosition).toBe(0n);
});
