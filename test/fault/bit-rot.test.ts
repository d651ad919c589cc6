// R5: one damaged record costs that record, is counted, and marks its window incomplete.
//
// A small segment between two others: every bit of it is turned over, one at a time, before a start and a reader, and
// some of them before a projector with a real IDB. Large segments: damage of all sizes at random places, before the real
// binary, which makes its IDB of them: it runs, and what is not damaged is there.
//
// ICON_ROT_BITS: every how many bits (1: all); ICON_ROT_ROUNDS: rounds with large segments, of 64 MiB when there is more
// than one. test/queue/bit-rot.test.ts has the segments that are open, and damage to headers and seals.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { decodeEnvelope } from "../../src/event/envelope.ts";
import { openIdb } from "../../src/idb/open.ts";
import { openReading } from "../../src/idb/reading.ts";
import { silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import type { Disk } from "../../src/queue/disk.ts";
import { openQueue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { RecordScanner } from "../../src/queue/scanner.ts";
import { readHeader, segmentsAmong } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { FakeDisk } from "../harness/fake-disk.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import { compare, readIdbCalls } from "../harness/oracle.ts";
import {
  fromEnvironment,
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  queueDirectoryOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { recordQueue } from "../harness/recorded-queue.ts";

const everyBits = fromEnvironment("ICON_ROT_BITS", 32);
const rounds = fromEnvironment("ICON_ROT_ROUNDS", 1);
const isLong = rounds > 1;
const projectedFlips = everyBits === 1 ? 1000 : 40;

const mib = 1024 * 1024;
const leadingSequence = /^\{"id":"[A-Za-z]+","EventSequenceNumber":(\d+),/;

/** One intact record of a segment, and the event in it; null: a mark or a control line. */
interface Place {
  readonly position: bigint;
  readonly offset: number;
  readonly endOffset: number;
  readonly seq: number | null;
}

function placesIn(disk: Disk, path: string): Place[] {
  const file = disk.open(path);
  const header = readHeader(file, path);
  if (header === undefined) throw new Error(`Cannot read the header of "${path}"`);
  const scanner = new RecordScanner(file, header.salt);
  const places: Place[] = [];
  let record = scanner.recordAt(header.headerBytes);
  while (record !== undefined) {
    const envelope = decodeEnvelope(record.payload);
    const text = envelope.kind === "frame" ? Buffer.from(envelope.frame.subarray(0, 96)).toString("latin1") : "";
    const [, digits] = leadingSequence.exec(text) ?? [];
    const { position, offset, endOffset } = record;
    places.push({ position, offset, endOffset, seq: digits === undefined ? null : Number(digits) });
    record = scanner.recordAt(record.endOffset);
  }
  file.close();
  return places;
}

interface Window {
  readonly events: number;
  readonly isMarked: boolean;
}

/** By UTC second, which is the windows' length here. */
function windowsOf(idbPath: string): Map<number, Window> {
  const reading = openReading(idbPath);
  try {
    const rows = reading.database.prepare("SELECT WINDOW_TS, EVENTS, HOLES, FAULTS FROM ICON_WINDOW").all() as {
      WINDOW_TS: number;
      EVENTS: number;
      HOLES: string;
      FAULTS: string;
    }[];
    return new Map(
      rows.map(({ WINDOW_TS, EVENTS, FAULTS }) => [
        WINDOW_TS,
        { events: EVENTS, isMarked: (JSON.parse(FAULTS) as string[]).includes("damaged record") },
      ]),
    );
  } finally {
    reading.close();
  }
}

/** What the windows must say when these events are lost: all others, and a mark wherever one is missing. */
function expectWindows(found: ReadonlyMap<number, Window>, load: Load, lost: ReadonlySet<number>): void {
  const expected = new Map<number, { events: number; lost: number }>();
  for (let seq = 1; seq <= load.producedSeq; seq++) {
    const second = Math.floor((Date.parse(load.run) + seq) / 1000);
    const window = expected.get(second) ?? { events: 0, lost: 0 };
    if (lost.has(seq)) window.lost += 1;
    else window.events += 1;
    expected.set(second, window);
  }
  for (const [second, window] of expected) {
    const { events, isMarked } = found.get(second) ?? { events: 0, isMarked: false };
    if (events !== window.events || (window.lost > 0 && !isMarked)) {
      throw new Error(
        `The window of second ${second} has ${events} events, marked: ${isMarked}; expected ${JSON.stringify(window)}`,
      );
    }
  }
}

const small = { name: "north", dbid: 101, seed: 1, eventsPerSecond: 1 };

test(`${everyBits === 1 ? "every bit" : `every ${everyBits}th bit`} of a small segment is missed when it turns, costs at most its record, and marks the window`, async () => {
  // A window begins in the middle of the segment.
  const run = new Date(Math.floor(Date.now() / 1000) * 1000 + 955).toISOString();
  await using load = await Load.start(small, { run, producedSeq: 90, ackedSeq: 90 });
  const disk = new FakeDisk(1);
  await recordQueue({ disk, directory: "/queue", segmentBytes: 8 * 1024, load });
  const [, middle, ...later] = segmentsAmong(disk.list("/queue"));
  if (middle === undefined || later.length === 0) throw new Error("Expected three segments or more");
  const path = join("/queue", middle.file);
  const places = placesIn(disk, path);
  const lastPosition = placesIn(disk, join("/queue", later.at(-1)?.file ?? "")).at(-1)?.position ?? 0n;
  const bits = disk.open(path).size() * 8;
  let [tried, detected, projected] = [0, 0, 0];
  const projectEvery = Math.floor(bits / everyBits / projectedFlips);
  for (let bit = 0; bit < bits; bit += everyBits) {
    tried += 1;
    disk.flipBit(path, bit);
    const hit = places.find(({ offset, endOffset }) => bit >> 3 >= offset && bit >> 3 < endOffset);
    const { damagedSegments, lost, count } = await startAndRead(disk, lastPosition);
    if (lost.length > 0 || damagedSegments.includes(path)) detected += 1;
    const expected = hit === undefined ? [] : [hit.position];
    if (lost.join() !== expected.join() || count !== Number(lastPosition) - expected.length) {
      expect({ bit, lost, count }).toEqual({ bit, lost: expected, count: Number(lastPosition) - expected.length });
    }
    if (tried % projectEvery === 0) {
      projected += 1;
      const { windows, damaged } = project(disk, lastPosition);
      if (damaged !== expected.length) expect({ bit, damaged }).toEqual({ bit, damaged: expected.length });
      expectWindows(windows, load, new Set(hit?.seq == null ? [] : [hit.seq]));
    }
    disk.flipBit(path, bit);
  }
  expect(detected).toBe(tried);
  expect(projected).toBeGreaterThanOrEqual(projectedFlips);
  figure(
    "R5",
    `${detected} of ${tried} turned bits detected, each cost at most its record; ${projected} projected, every window marked`,
  );
}, 600_000);

/** What a start finds, and what a reader gets of everything. */
async function startAndRead(disk: FakeDisk, lastPosition: bigint) {
  const queue = await openQueue({
    directory: "/queue",
    segmentBytes: 8 * 1024,
    reserveBytes: 0,
    pendingBytesMax: mib,
    disk,
    clock: systemClock,
    log: silentLog,
    head: () => new Uint8Array(0),
  });
  for (const _ of queue.readRecent()) {
  }
  const { damagedSegments } = queue.recovery;
  expect(queue.durablePosition).toBe(lastPosition);
  await queue.close();
  using reader = new QueueReader({ disk, directory: "/queue" });
  reader.seek(1n);
  const lost: bigint[] = [];
  let count = 0;
  for (;;) {
    const outcomes = reader.read(lastPosition, { recordsMax: 1000, bytesMax: mib });
    if (outcomes.length === 0) return { damagedSegments, lost, count };
    for (const outcome of outcomes) {
      if (outcome.kind === "record") count += 1;
      else for (let position = outcome.from; position <= outcome.to; position++) lost.push(position);
    }
  }
}

function project(disk: Disk, lastPosition: bigint) {
  using directory = new TemporaryDirectory("rot");
  const path = directory.at("idb.db");
  const idb = openIdb({ path, log: silentLog, clock: systemClock, windowSeconds: 1 });
  try {
    using reader = new QueueReader({ disk, directory: "/queue" });
    const projector = new Projector({ reader, idb, log: silentLog });
    while (projector.advance(lastPosition)) {} // batch after batch
    return { windows: windowsOf(path), damaged: projector.status().recordsDamaged };
  } finally {
    idb.close();
  }
}

const large = isLong
  ? { segment: "64MiB", segmentBytes: 64 * mib, events: 400_320, damages: 80 }
  : { segment: "2MiB", segmentBytes: 2 * mib, events: 15_120, damages: 25 };

test(
  `${large.damages} damages of a bit to 4 KiB in segments of ${large.segment}, ${rounds} times: the instance runs, and all that is not damaged is there`,
  async () => {
    await iconBinary();
    const { seed, next } = seededRandom("bit rot");
    let [damages, records] = [0, 0];
    for (let round = 1; round <= rounds; round++) {
      using directory = new TemporaryDirectory("rot");
      const run = new Date().toISOString();
      const options = { name: "north", dbid: 101, seed, eventsPerSecond: 1_000, paddingMax: 50 };
      await using load = await Load.start(options, { run, producedSeq: large.events, ackedSeq: large.events });
      const setting: InstanceSetting = {
        directory: directory.path,
        segmentBytes: large.segment,
        sources: [{ name: "north", address: load.address, dbid: 101 }],
      };
      const queueDirectory = queueDirectoryOf(setting);
      await recordQueue({ disk: systemDisk, directory: queueDirectory, segmentBytes: large.segmentBytes, load });
      const segments = segmentsAmong(readdirSync(queueDirectory)).map(({ file }) => join(queueDirectory, file));
      expect(segments.length).toBeGreaterThan(1);
      const damaged = segments.flatMap((path) => damage(path, Math.ceil(large.damages / segments.length), next));
      damages += large.damages;
      records += damaged.length;
      await expectIntact(setting, load, damaged);
    }
    figure(
      "R5",
      `${damages} damages in segments of ${large.segment} cost their ${records} records and no other, 0 crashes`,
    );
  },
  120_000 + rounds * 120_000,
);

/** Damages a sealed segment at random places between its header and its seal; returns the records that it hit. */
function damage(path: string, times: number, next: () => number): Place[] {
  const places = placesIn(systemDisk, path);
  const intact = readFileSync(path);
  const bytes = new Uint8Array(intact);
  const [from, to] = [places[0]?.offset ?? 0, places.at(-1)?.endOffset ?? 0];
  const below = (bound: number) => Math.floor(next() * bound);
  const sector = () => from + below((to - from - 4096) / 512) * 512;
  const zero = (at: number, length: number) => void bytes.fill(0, at, at + length);
  const kinds = [
    () => {
      const at = from + below(to - from);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    },
    () => {
      const at = from + below(to - from - 4096);
      for (let each = at + below(4096); each >= at; each--) bytes[each] = below(256);
    },
    () => zero(sector(), 512),
    () => zero(sector(), 4096),
    // A sector that was written to the wrong place: intact, and not from here.
    () => {
      const [at, other] = [sector(), sector()];
      bytes.copyWithin(at, other, other + 512);
    },
  ];
  for (let time = 0; time < times; time++) kinds[below(kinds.length)]?.();
  writeFileSync(path, bytes);
  return places.filter(({ offset, endOffset }) => intact.compare(bytes, offset, endOffset, offset, endOffset) !== 0);
}

/** The real binary makes an IDB of it, says nothing but the damage, and stops in order. */
async function expectIntact(setting: InstanceSetting, load: Load, damaged: readonly Place[]): Promise<void> {
  await using instance = await Instance.start(setting);
  await until("the source serves the instance", 120_000, () => load.isServed);
  const { queue: before } = await instance.status();
  load.linger(10_000);
  await until("everything is applied, and every call has got its ending", 120_000, async () => {
    const { queue, idb } = await instance.status();
    const durable = BigInt(queue.durablePosition);
    return durable > BigInt(before.durablePosition) && BigInt(idb.appliedPosition ?? 0) === durable;
  });
  expect(await instance.stop()).toBe(0);
  const lost = new Set(damaged.flatMap(({ seq }) => (seq === null ? [] : [seq])));
  // The instance resumes after the last event that is whole, and gets those at the very end once more.
  for (let seq = load.producedSeq; lost.has(seq); seq--) lost.delete(seq);
  expectWindows(windowsOf(idbPathOf(setting)), load, lost);
  const touched = new Set([...lost].map((seq) => (JSON.parse(load.line(seq)) as { ConnID: string }).ConnID));
  const untouched = load.truth(load.producedSeq).filter(({ connId }) => !touched.has(connId));
  const known = new Set(untouched.map(({ connId }) => connId));
  const calls = readIdbCalls(idbPathOf(setting)).filter(({ connId }) => known.has(connId ?? ""));
  expect(compare(calls, untouched).differences.slice(0, 5)).toEqual([]);
}
