// What the queue's tests have in common: a directory that removes itself, a queue with small bounds, and its contents.

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import type { Disk } from "../../src/queue/disk.ts";
import { openQueue, type Queue, type QueueOptions } from "../../src/queue/queue.ts";
import { QueueReader, type ReadOutcome } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";

export class TemporaryDirectory {
  readonly path = mkdtempSync(join(tmpdir(), "icon-queue-"));

  files(): string[] {
    return readdirSync(this.path)
      .filter((name) => name !== "lock")
      .sort();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function open(directory: string, options: Partial<QueueOptions> = {}): Promise<Queue> {
  return openQueue({
    directory,
    segmentBytes: 64 * 1024,
    reserveBytes: 0,
    pendingBytesMax: 1024 * 1024,
    disk: systemDisk,
    clock: systemClock,
    log: silentLog,
    head: () => new Uint8Array(0),
    ...options,
  });
}

export const payload = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Everything from the oldest position up to `upTo`; payloads are copies. */
export function readAll(directory: string, upTo: bigint, disk: Disk = systemDisk): ReadOutcome[] {
  using reader = new QueueReader({ directory, disk });
  reader.seek(reader.describe().firstPosition ?? 1n);
  const all: ReadOutcome[] = [];
  for (;;) {
    const outcomes = reader.read(upTo, { recordsMax: 1000, bytesMax: 1024 * 1024 });
    if (outcomes.length === 0) return all;
    for (const each of outcomes) {
      all.push(each.kind === "record" ? { ...each, payload: each.payload.slice() } : each);
    }
  }
}

/** Records as "position text", losses as "from–to damaged". */
export function readTexts(directory: string, upTo: bigint, disk: Disk = systemDisk): string[] {
  return readAll(directory, upTo, disk).map((each) =>
    each.kind === "record" ? `${each.position} ${text(each.payload)}` : `${each.from}–${each.to} ${each.reason}`,
  );
}
