// Random histories of appends, rolls, trims, kills, power cuts and failing syncs on a disk that keeps only what it
// promised, against a model that is an array.

import { expect, test } from "bun:test";
import { QueueFailedError } from "../../src/queue/error.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { FakeDisk, PowerOffError, seededRandom } from "../harness/fake-disk.ts";
import { open, readAll, text } from "./setting.ts";

const directory = "/queue";
const historyCount = 120;
const livesEach = 8;

// 1529043029: a rename that a process had in hand when it was killed reached the disk in the next life.
const seedsKept = [1529043029];

test("whatever was durable is there after any crash, once, in order and unchanged, and nothing else is", async () => {
  const firstSeed = Math.floor(Math.random() * 2 ** 31);
  console.log(`queue histories from seed ${firstSeed}`);
  const seeds = [...seedsKept, ...Array.from({ length: historyCount }, (_, index) => firstSeed + index)];
  for (const seed of seeds) {
    try {
      await liveThrough(seed);
    } catch (cause) {
      throw new Error(`Seed ${seed} broke a promise: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  }
}, 60_000);

async function liveThrough(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const disk = new FakeDisk(seed);
  /** Payload of position 1 at index 0. What a crash may take is cut off when the queue is opened again. */
  const model: Uint8Array[] = [];
  let promised = 0n;
  let wasClosed = false;
  for (let life = 0; life < livesEach; life++) {
    const head = () => new TextEncoder().encode(String(model.length));
    if (random() < 0.3) disk.powerOffAfter(1 + below(12));
    let queue: Queue;
    try {
      queue = await open(directory, { disk: disk.asProcess(), head, segmentBytes: 6000 });
    } catch (error) {
      if (!(error instanceof PowerOffError)) throw error;
      disk.powerCut();
      wasClosed = false;
      continue;
    }
    checkContents(queue, disk, model, promised);
    if (wasClosed && model.length > 0) expect(queue.state).toBe("clean");
    promised = queue.durablePosition;
    wasClosed = false;
    try {
      await work(queue, model, below);
      const ending = below(5);
      if (ending === 0) disk.failNext("syncData", /open$/, new Error("Input/output error"));
      if (ending === 1) disk.failNext("sync", /./, new Error("Input/output error"));
      if (ending === 2) disk.powerOffAfter(1 + below(25));
      if (ending <= 2) await work(queue, model, below);
      if (ending === 3) {
        await queue.close();
        wasClosed = true;
      }
    } catch (error) {
      if (!(error instanceof QueueFailedError || error instanceof PowerOffError)) throw error;
    }
    promised = queue.durablePosition;
    if (random() < 0.5) disk.powerCut();
    else disk.kill();
  }
}

async function work(queue: Queue, model: Uint8Array[], below: (bound: number) => number): Promise<void> {
  for (let step = below(25); step > 0; step--) {
    for (let count = below(8); count > 0; count--) {
      const bytes = new Uint8Array(1 + below(below(4) === 0 ? 3000 : 200)).fill(below(3));
      new DataView(bytes.buffer).setUint8(0, model.length);
      expect(queue.append(bytes)).toBe(BigInt(model.length + 1));
      model.push(bytes);
    }
    const turn = below(6);
    if (turn === 0) await queue.durable(BigInt(model.length));
    else if (turn === 1) {
      const appliedPosition = queue.durablePosition - BigInt(below(20));
      const { segments } = await queue.trim({
        appliedPosition,
        olderThanMs: Number.POSITIVE_INFINITY,
        bytesMax: 20_000,
      });
      for (const { lastPosition } of segments) expect(lastPosition).toBeLessThanOrEqual(appliedPosition);
    } else for (let turns = below(4); turns > 0; turns--) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function checkContents(queue: Queue, disk: FakeDisk, model: Uint8Array[], promised: bigint): void {
  const end = queue.durablePosition;
  expect(end).toBeGreaterThanOrEqual(promised);
  expect(end).toBeLessThanOrEqual(BigInt(model.length));
  model.length = Number(end);
  expect(queue.recovery.damagedRecordCount).toBe(0);

  const found = readAll(directory, end, disk);
  const first = found[0]?.kind === "record" ? found[0].position : 1n;
  expect(found.map((each) => (each.kind === "record" ? each.position : each))).toEqual(
    Array.from({ length: Number(end - first) + 1 }, (_, at) => first + BigInt(at)).filter(() => end > 0n),
  );
  for (const each of found) {
    if (each.kind === "record") expect(each.payload).toEqual(model[Number(each.position) - 1] ?? new Uint8Array(0));
  }

  const known = BigInt(text(queue.lastHead) || "0");
  const recent = [...queue.readRecent()].map(({ position }) => position);
  expect(recent).toEqual(Array.from({ length: Number(end - known) }, (_, at) => known + 1n + BigInt(at)));
}
