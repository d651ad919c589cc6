// The thread that writes and syncs, and does nothing else: while the disk works, the main thread takes in what arrives,
// and when the disk is done the next commit begins without waiting for the main thread's event loop.
//
// It is told what to do through shared memory (commit-thread.ts has the other side) and sleeps on a futex between.

import { type Pointer, toArrayBuffer } from "bun:ffi";
import * as fs from "node:fs";
import { type CommitRing, counter, outcome, ringSlots, taskFields } from "./commit-ring.ts";

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<CommitRing>) => serve(data);

function serve({ counters, tasks, outcomes }: CommitRing): never {
  // After a failed sync the kernel may forget what it did not write: nothing after it may be called durable.
  const failedFiles = new Set<number>();
  const memory = new Map<number, Uint8Array>();
  for (let ended = 0; ; ended = (ended + 1) | 0) {
    while (Atomics.load(counters, counter.submitted) === ended) {
      // Said before the wait looks at the counter again: whoever raises it after that look wakes this thread.
      Atomics.store(counters, counter.sleeps, 1);
      Atomics.wait(counters, counter.submitted, ended);
      Atomics.store(counters, counter.sleeps, 0);
    }
    const slot = (ended >>> 0) % ringSlots;
    const [file = 0, descriptor = 0, address = 0, capacity = 0, length = 0, offset = 0] = tasks.subarray(
      slot * taskFields,
      (slot + 1) * taskFields,
    );
    let buffer = memory.get(address);
    if (buffer?.length !== capacity) {
      buffer = new Uint8Array(toArrayBuffer(address as Pointer, 0, capacity));
      memory.set(address, buffer);
    }
    outcomes[slot] = failedFiles.has(file) ? outcome.notTried : commit(descriptor, buffer, length, offset);
    if (outcomes[slot] !== outcome.done) failedFiles.add(file);
    Atomics.store(counters, counter.ended, (ended + 1) | 0);
    // One message is enough until the main thread has looked.
    if (Atomics.exchange(counters, counter.isTold, 1) === 0) self.postMessage(null);
  }
}

function commit(descriptor: number, bytes: Uint8Array, length: number, offset: number): number {
  try {
    // A signal or a nearly full disk makes a write short; the next one says why.
    for (let done = 0; done < length; ) {
      const count = fs.writeSync(descriptor, bytes, done, length - done, offset + done);
      if (count === 0) return outcome.noBytes;
      done += count;
    }
    fs.fdatasyncSync(descriptor);
    return outcome.done;
  } catch (error) {
    const errno = error instanceof Error && "errno" in error ? Math.abs(Number(error.errno)) : 0;
    return errno > 0 ? errno : outcome.unknown;
  }
}
