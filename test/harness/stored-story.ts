// A persistent queue of many short segments, with the live state beside each as the recorder keeps it: for what begins at
// a segment, trims one or damages one.

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { openIdb } from "../../src/idb/open.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { Projector } from "../../src/projector.ts";
import { openQueue, type Queue } from "../../src/queue/queue.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { SegmentStates } from "../../src/segment-state.ts";
import { Story } from "./story.ts";

const segmentBytesDefault = 2048;

/** Calls that ring, are answered and end; each begins before the one before has ended. */
export function manyCalls({ calls = 60, callDeletionTimeoutSeconds = 1 } = {}): Story {
  const story = new Story({ callDeletionTimeoutSeconds });
  const on = (call: number) => ({
    ConnID: call.toString(16).padStart(16, "0"),
    ThisDN: `5${call}`,
    ThisDNRole: 2,
    PartyUUID: `P${call}`,
    CallUUID: `C${call}`,
  });
  for (let call = 1; call <= calls; call++) {
    story.events([call * 2, "EventRinging", on(call)]);
    story.events([call * 2 + 1, "EventEstablished", on(call)]);
    if (call > 2) story.events([call * 2 + 1, "EventReleased", on(call - 2)]);
  }
  return story;
}

/** Opens the queue of a story, or a new one. */
export function openStored(directory: string, segmentBytes = segmentBytesDefault): Promise<Queue> {
  return openQueue({
    directory,
    segmentBytes,
    reserveBytes: 0,
    pendingBytesMax: 1024 * 1024,
    disk: systemDisk,
    clock: systemClock,
    log: silentLog,
    head: () => new Uint8Array(0),
  });
}

/** Stores the payloads and closes the queue. */
export async function store(directory: string, payloads: readonly Uint8Array[], segmentBytes?: number): Promise<void> {
  await using queue = await openStored(directory, segmentBytes);
  let last = 0n;
  for (const payload of payloads) {
    last = queue.append(payload);
    if (segmentBytes === undefined) await queue.durable(last);
  }
  await queue.durable(last);
}

export interface Folding {
  readonly log?: Log;
  /** Ends after so many states, as a crash would: nothing is done after the last one was handed out. */
  readonly statesMax?: number;
}

/** Leads the IDB on to the queue's end, keeping states as the recorder does; true when it came to the end. */
export async function fold(
  queue: string,
  path: string,
  { log = silentLog, statesMax }: Folding = {},
): Promise<boolean> {
  const idb = openIdb({ path, log: silentLog, windowSeconds: 60 });
  using reader = new QueueReader({ disk: systemDisk, directory: queue });
  const states = new SegmentStates({ disk: systemDisk, directory: queue, log });
  const end = reader.lastWholePosition();
  const projector = new Projector({ reader, idb, log, states });
  let stateCount = 0;
  try {
    for (;;) {
      const hasMore = projector.advance(end);
      const state = projector.takeSegmentState();
      if (state !== null) {
        if (stateCount === statesMax) return false;
        await states.write(state.position, state.bytes);
        stateCount += 1;
      }
      if (!hasMore) return true;
    }
  } finally {
    idb.close();
  }
}

/** Names of the files in the queue's directory that end so, in order. */
export const filesOf = (queue: string, suffix: string) =>
  readdirSync(queue)
    .filter((file) => file.endsWith(suffix))
    .sort();

/** Deletes the oldest segments and what is beside them, as trimming does; returns the digits of the oldest one left. */
export function trim(queue: string, count: number): string {
  const segments = filesOf(queue, ".segment");
  for (const segment of segments.slice(0, count)) {
    for (const file of readdirSync(queue)) {
      if (file.startsWith(segment.slice(0, 21))) rmSync(join(queue, file));
    }
  }
  return (segments[count] ?? "").slice(0, 20);
}
