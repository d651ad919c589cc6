// R5: one damaged record costs that record and is counted. Every single bit of small segments is turned over.

import { expect, test } from "bun:test";
import { segmentStem } from "../../src/queue/segment.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { open, payload, readTexts, text } from "./setting.ts";

const directory = "/queue";
const headerBytes = 4096;
const recordBytes = 16 + 10;
// The zeros between head and records are covered by the same checksum as the head; one segment is enough to show it.
const isPadding = (offset: number) => offset >= 1024 + "head".length && offset < headerBytes;
const small = { segmentBytes: 4 * recordBytes, head: () => payload("head") };
const line = (position: number) => `${position} record ${String(position).padStart(3, "0")}`;
const lines = Array.from({ length: 12 }, (_, at) => line(at + 1));

/** Three sealed segments of four records; the last one open when the process is killed. */
async function twelveRecords(ending: "closed" | "killed", recordsInWrite: number): Promise<FakeDisk> {
  const disk = new FakeDisk(1);
  const queue = await open(directory, { ...small, disk });
  for (let at = 0; at < 12; at += recordsInWrite) {
    for (const each of lines.slice(at, at + recordsInWrite)) queue.append(payload(each.replace(/^\d+ /, "")));
    await queue.durable(BigInt(at + recordsInWrite));
  }
  await queue.trim({ appliedPosition: 0n, olderThanMs: 0, bytesMax: 0 }); // waits for the sealing
  if (ending === "closed") await queue.close();
  disk.kill();
  return disk;
}

/** What a start and a reader make of it; the process is killed again at the end. */
async function readBack(disk: FakeDisk) {
  const queue = await open(directory, { ...small, disk });
  const found = readTexts(directory, queue.durablePosition, disk);
  const { recovery, durablePosition } = queue;
  const recent = [...queue.readRecent()].length;
  const lastHead = text(queue.lastHead);
  disk.kill();
  return { found, recovery, durablePosition, recent, lastHead };
}

for (const [place, first] of [
  ["a sealed segment in the middle", 5],
  ["the newest sealed segment", 9],
] as const) {
  test(`every bit of ${place} is missed when it turns, and costs at most the record it is in`, async () => {
    const disk = await twelveRecords("closed", 4);
    const path = `${directory}/${segmentStem(BigInt(first))}.segment`;
    const bits = disk.open(path).size() * 8;
    for (let bit = 0; bit < bits; bit++) {
      if (first === 9 && isPadding(bit >> 3)) continue;
      disk.flipBit(path, bit);
      const { found, recovery, durablePosition } = await readBack(disk);
      const offset = bit >> 3;
      const hit = offset < headerBytes ? -1 : Math.floor((offset - headerBytes) / recordBytes);
      const expected = lines.slice();
      if (hit >= 0 && hit < 4) expected[first - 1 + hit] = `${first + hit}–${first + hit} checksum`;
      else if (recovery.damagedSegments[0] !== path) throw new Error(`Bit ${bit} turned and nobody saw it`);
      if (found.join() !== expected.join()) expect({ bit, found }).toEqual({ bit, found: expected });
      if (durablePosition !== 12n) expect({ bit, durablePosition }).toEqual({ bit, durablePosition: 12n });
      disk.flipBit(path, bit);
    }
  }, 30_000);
}

test("every bit of the records of an unsealed segment is missed, and nothing durable before a later write is cut", async () => {
  const path = `${directory}/${segmentStem(9n)}.open`;
  for (let bit = headerBytes * 8; bit < (headerBytes + 4 * recordBytes) * 8; bit++) {
    const disk = await twelveRecords("killed", 1);
    disk.flipBit(path, bit);
    const { found, recovery, durablePosition } = await readBack(disk);
    const hit = 9 + Math.floor((bit / 8 - headerBytes) / recordBytes);
    if (hit === 12) {
      // Nothing was written after it: it cannot be told from a torn write, and is kept as a torn tail.
      expect({ bit, durablePosition, torn: recovery.tornBytes }).toEqual({
        bit,
        durablePosition: 11n,
        torn: recordBytes,
      });
      expect(found).toEqual(lines.slice(0, 11));
    } else {
      const expected = lines.slice();
      expected[hit - 1] = `${hit}–${hit} checksum`;
      expect({ bit, found, count: recovery.damagedRecordCount }).toEqual({ bit, found: expected, count: 1 });
    }
  }
});

test("a damaged head falls back to the one before, with the records since then", async () => {
  const disk = await twelveRecords("closed", 4);
  disk.flipBit(`${directory}/${segmentStem(9n)}.segment`, 1024 * 8);
  expect(await readBack(disk)).toMatchObject({ recent: 8, lastHead: "head" });
});

test("damage at the end of the newest segment, its seal too, does not let a position be used twice", async () => {
  const disk = await twelveRecords("closed", 4);
  const path = `${directory}/${segmentStem(9n)}.segment`;
  const end = disk.open(path).size();
  disk.flipBit(path, (end - 1) * 8);
  disk.flipBit(path, (end - 64 - 1) * 8);
  const queue = await open(directory, { ...small, disk });
  expect(queue.append(payload("after"))).toBeGreaterThan(12n);
  await queue.close();
  const found = readTexts(directory, queue.durablePosition, disk);
  expect(found.slice(0, 11)).toEqual(lines.slice(0, 11));
  expect(found[11]).toMatch(/^12–\d+ checksum$/);
  expect(found[12]).toMatch(/^\d+ after$/);
  await (await open(directory, { ...small, disk })).close();
});

test("a segment whose header sectors are both damaged costs its records and no others", async () => {
  const disk = await twelveRecords("closed", 4);
  const path = `${directory}/${segmentStem(5n)}.segment`;
  for (const offset of [40, 512 + 40]) disk.flipBit(path, offset * 8);
  const { found, recovery } = await readBack(disk);
  expect(found).toEqual([...lines.slice(0, 4), "5–8 segment header", ...lines.slice(8)]);
  expect(recovery).toMatchObject({ damagedRecordCount: 4, damagedSegments: [path] });
});

test("a sector that was written to the wrong place costs the records that it lies over and no others", async () => {
  const disk = new FakeDisk(1);
  const queue = await open(directory, { segmentBytes: 64 * 1024, head: () => payload("head"), disk });
  const count = 1000;
  for (let at = 1; at <= count; at++) queue.append(payload(`record ${String(at).padStart(4, "0")}`));
  await queue.close();
  const path = `${directory}/${segmentStem(1n)}.segment`;
  const bytesEach = 16 + "record 0001".length;
  const sectorOf = (position: number) => Math.ceil((headerBytes + (position - 1) * bytesEach) / 512) * 512;
  const [from, to] = [sectorOf(700), sectorOf(100)];
  const sector = new Uint8Array(512);
  disk.open(path).read(sector, from);
  await disk.open(path).write(sector, to);
  const first = Math.floor((to - headerBytes) / bytesEach) + 1;
  const last = Math.floor((to + 511 - headerBytes) / bytesEach) + 1;
  const found = readTexts(directory, BigInt(count), disk);
  expect(found).toContain(`${first}–${last} checksum`);
  expect(found).toHaveLength(count - (last - first));
});
