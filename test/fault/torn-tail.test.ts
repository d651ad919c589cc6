// R4: a torn tail is cut at the last whole record, and nothing before it is touched. The last segment of an instance that
// was killed is truncated, zeroed and garbled at every byte of its last three records.

import { expect, test } from "bun:test";
import { cpSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordHeaderBytes } from "../../src/queue/record.ts";
import { figure } from "../harness/figure.ts";
import { open, payload, readTexts, TemporaryDirectory } from "../queue/setting.ts";

const openFile = "00000000000000000001.open";
const sealedFile = "00000000000000000001.segment";
const headerBytes = 4096;
const texts = ["one", "two, a little longer", "three", "four four", "five"];
const recordBytes = texts.map((each) => recordHeaderBytes + each.length);
const offsets = recordBytes.map((_, at) => headerBytes + recordBytes.slice(0, at).reduce((sum, each) => sum + each, 0));
const end = headerBytes + recordBytes.reduce((sum, each) => sum + each, 0);
const wholeUpTo = (offset: number) => offsets.findLastIndex((each) => each <= offset);
const lines = texts.map((each, at) => `${at + 1} ${each}`);

/** A directory as a kill leaves it. `writes` says how many records went into each write. */
async function killed(writes: readonly number[]): Promise<TemporaryDirectory> {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 1000 });
  let at = 0;
  for (const count of writes) {
    for (const each of texts.slice(at, at + count)) queue.append(payload(each));
    at += count;
    await queue.durable(BigInt(at));
  }
  const copy = new TemporaryDirectory();
  cpSync(join(directory.path, openFile), join(copy.path, openFile));
  return copy;
}

async function recoverAfter(path: string, harm: () => void) {
  const original = readFileSync(join(path, openFile));
  harm();
  const queue = await open(path);
  const found = readTexts(path, queue.durablePosition);
  const { recovery, state } = queue;
  const torn = readdirSync(path).filter((file) => file.endsWith(".torn"));
  const sealed = readdirSync(path).includes(sealedFile) ? readFileSync(join(path, sealedFile)) : new Uint8Array(0);
  const tornContents = torn.map((file) => readFileSync(join(path, file)));
  await queue.close();
  for (const file of readdirSync(path)) if (file !== "lock") await Bun.file(join(path, file)).delete();
  writeFileSync(join(path, openFile), original);
  return {
    found,
    recovery,
    state,
    tornContents,
    keptBytes: original.subarray(0, sealed.length - 64).compare(sealed.subarray(0, -64)) === 0,
  };
}

const thirdLast = offsets[2] ?? 0;
const everyByte = Array.from({ length: end - thirdLast }, (_, at) => thirdLast + at);

test("truncated at any byte of the last three records, the segment recovers to the last whole one", async () => {
  using directory = await killed([5]);
  const file = join(directory.path, openFile);
  for (const offset of everyByte) {
    const { found, state, keptBytes, recovery } = await recoverAfter(directory.path, () => truncateSync(file, offset));
    const whole = wholeUpTo(offset);
    expect({ offset, state, found, keptBytes, damaged: recovery.damagedRecordCount }).toEqual({
      offset,
      state: "recovered",
      found: lines.slice(0, whole),
      keptBytes: true,
      damaged: 0,
    });
  }
  figure("R4", `truncated at each of ${everyByte.length} bytes`);
});

test("zeroed from any byte of the last three records on, it recovers to the last whole one", async () => {
  using directory = await killed([5]);
  const file = join(directory.path, openFile);
  for (const offset of everyByte) {
    const whole = wholeUpTo(offset);
    let isAnythingLeft = false;
    const { found, keptBytes, tornContents } = await recoverAfter(directory.path, () => {
      const bytes = readFileSync(file).fill(0, offset);
      isAnythingLeft = bytes.subarray(offsets[whole], offset).some((byte) => byte !== 0);
      writeFileSync(file, bytes);
    });
    expect({ offset, found, keptBytes }).toEqual({ offset, found: lines.slice(0, whole), keptBytes: true });
    // What was half there is kept beside it; a checksum may begin with zeros, which nobody can tell from nothing.
    expect(tornContents.length).toBe(isAnythingLeft ? 1 : 0);
  }
  figure("R4", `zeroed at each of ${everyByte.length} bytes`);
});

test("with any byte of the last three records garbled it recovers to the one before, and keeps the tail beside it", async () => {
  using directory = await killed([5]);
  const file = join(directory.path, openFile);
  for (const offset of everyByte) {
    const whole = wholeUpTo(offset);
    const { found, keptBytes, tornContents, recovery } = await recoverAfter(directory.path, () => garble(file, offset));
    expect({ offset, found, keptBytes }).toEqual({ offset, found: lines.slice(0, whole), keptBytes: true });
    const tail = readFileSync(file).subarray(offsets[whole], end);
    tail[offset - (offsets[whole] ?? 0)] = garbled(tail[offset - (offsets[whole] ?? 0)] ?? 0);
    expect(tornContents).toEqual([tail]);
    expect(recovery.tornBytes).toBe(tail.length);
  }
  figure("R4", `garbled at each of ${everyByte.length} bytes`);
});

test("a garbled record that a later write proves to have been durable is damage: it is passed over, nothing is cut", async () => {
  using directory = await killed([1, 1, 2, 1]);
  const file = join(directory.path, openFile);
  for (const offset of everyByte) {
    const hit = wholeUpTo(offset);
    const { found, recovery, tornContents } = await recoverAfter(directory.path, () => garble(file, offset));
    if (hit === 4) {
      expect({ offset, found }).toEqual({ offset, found: lines.slice(0, 4) });
      expect(recovery.damagedRecordCount).toBe(0);
    } else {
      const expected: string[] = lines.slice();
      expected[hit] = `${hit + 1}–${hit + 1} checksum`;
      expect({ offset, found }).toEqual({ offset, found: expected });
      expect(recovery).toMatchObject({ damagedRecordCount: 1, tornBytes: 0 });
      expect(tornContents).toEqual([]);
    }
  }
  figure("R4", `garbled below what is proved durable at each of ${everyByte.length} bytes`);
});

test("after a torn tail the next record gets the first position that was cut", async () => {
  using directory = await killed([5]);
  truncateSync(join(directory.path, openFile), end - 1);
  await using queue = await open(directory.path);
  expect(queue.append(payload("again"))).toBe(5n);
  await queue.durable(5n);
  expect(readTexts(directory.path, 5n)).toEqual([...lines.slice(0, 4), "5 again"]);
});

function garble(file: string, offset: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = garbled(bytes[offset] ?? 0);
  writeFileSync(file, bytes);
}

function garbled(byte: number): number {
  return byte ^ 0xa5;
}
