import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeEnvelope, type SessionId } from "../../src/event/envelope.ts";
import { arrivalInstant } from "../../src/event/instant.ts";
import { dumpRecords, dumpSegments } from "../../src/maintenance/dump.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { open, payload, TemporaryDirectory } from "../queue/setting.ts";

const all = { isJson: false, from: undefined, to: undefined, limit: Number.POSITIVE_INFINITY };
const session = 7 as SessionId;
const arrivedAt = arrivalInstant(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
const frame = (bytes: Uint8Array, isCut = false) =>
  encodeEnvelope({ kind: "frame", session, arrivedAt, arrivalNumber: 1, isCut, frame: bytes });

/** A mark, a frame of two lines, a frame that is not text, one that was cut, and a record nobody can read. */
async function fiveRecords(queue: Queue): Promise<void> {
  queue.append(encodeEnvelope({ kind: "mark", session, arrivedAt, mark: { mark: "instance stopped" } }));
  queue.append(frame(payload("Event: Hangup\r\n\u001b[2J")));
  queue.append(frame(new Uint8Array([0xff, 0xfe])));
  queue.append(frame(payload("half"), true));
  queue.append(payload("?"));
  await queue.durable(5n);
}

function dump(directory: string, options: Partial<typeof all> | { from?: bigint; to?: bigint } = {}): string[] {
  using reader = new QueueReader({ directory, disk: systemDisk });
  return [...dumpRecords(reader, { ...all, ...options })];
}

const lines = [
  '1  2026-01-02T03:04:05.678Z  7  mark  {"mark":"instance stopped"}',
  "2  2026-01-02T03:04:05.678Z  7  frame  Event: Hangup\\r\\n\\u001b[2J",
  "3  2026-01-02T03:04:05.678Z  7  frame  base64 //4=",
  "4  2026-01-02T03:04:05.678Z  7  cut frame  half",
  "5  -  -  unknown  base64 Pw==",
];

test("each record is one line, also while the instance is running, and nothing in it reaches the terminal as a command", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path);
  await fiveRecords(queue);
  expect(dump(directory.path)).toEqual(lines);
  expect(dump(directory.path, { from: 2n, to: 3n })).toEqual(lines.slice(1, 3));
  expect(dump(directory.path, { limit: 1 })).toEqual(lines.slice(0, 1));
  expect(dump(directory.path, { isJson: true }).map((line) => JSON.parse(line))).toEqual([
    { position: 1, time: "2026-01-02T03:04:05.678Z", session: 7, kind: "mark", mark: { mark: "instance stopped" } },
    { position: 2, time: "2026-01-02T03:04:05.678Z", session: 7, kind: "frame", text: "Event: Hangup\r\n\u001b[2J" },
    { position: 3, time: "2026-01-02T03:04:05.678Z", session: 7, kind: "frame", base64: "//4=" },
    { position: 4, time: "2026-01-02T03:04:05.678Z", session: 7, kind: "cut frame", text: "half" },
    { position: 5, time: null, session: null, kind: "unknown", base64: "Pw==" },
  ]);
});

test("the unsealed tail ends with the last whole record, and damage before it is told and passed over", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 4096 });
  for (let at = 0; at < 4; at++) await queue.durable(queue.append(frame(payload(`frame ${at}`))));
  const file = join(directory.path, "00000000000000000001.open");
  const bytes = readFileSync(file);
  const recordBytes = 16 + 24 + "frame 0".length;
  for (const record of [1, 3]) bytes[4096 + record * recordBytes + 20] = 0xff;
  writeFileSync(file, bytes);
  const found = dump(directory.path);
  expect(found.map((line) => line.slice(0, 12))).toEqual(["1  2026-01-0", "2  damaged (", "3  2026-01-0"]);
  expect(found[1]).toBe(`2  damaged (checksum)  ${file} offset ${4096 + recordBytes}`);
});

test("segments are listed with their first position, state and size", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(directory.path, { segmentBytes: 100, head: () => payload("head") });
  await fiveRecords(queue);
  await queue.trim({ appliedPosition: 0n, olderThanMs: 0, bytesMax: 0 }); // waits for the sealing
  using reader = new QueueReader({ directory: directory.path, disk: systemDisk });
  const listed = [...dumpSegments(reader, { isJson: false })];
  expect(listed.at(-1)).toMatch(/^\d+ {2}open {2}4260 bytes {2}head 4 bytes {2}.*\.open$/);
  expect(listed.slice(0, -1).every((line) => line.includes("  sealed  "))).toBe(true);
  const [first] = [...dumpSegments(reader, { isJson: true })];
  expect(JSON.parse(first ?? "")).toMatchObject({
    queueId: queue.queueId,
    firstPosition: 1,
    isOpen: false,
    headBytes: 4,
  });
});
