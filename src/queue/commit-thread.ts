// The main thread's side of the committing thread: hands it commits, and hears that they are done, either by a message
// that wakes the event loop or by looking.
//
// The ring holds a buffer's address instead of its bytes: they are written to disk from where they were encoded. They
// stay reachable here until their commit has ended, and are not moved meanwhile.

import { ptr } from "bun:ffi";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { invariant } from "../invariant.ts";
import { type CommitRing, counter, field, outcome, ringSlots, taskFields } from "./commit-ring.ts";

export interface Commit {
  /** Names the open file among all that this process has opened: descriptors are used again. */
  readonly file: number;
  readonly descriptor: number;
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly done: (error: Error | null) => void;
}

export class CommitThread {
  readonly #ring: CommitRing = {
    counters: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * Object.keys(counter).length)),
    tasks: new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT * ringSlots * taskFields)),
    outcomes: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * ringSlots)),
  };
  readonly #worker: Worker;
  /** Handed over or waiting for a slot, oldest first. */
  readonly #waiting: Commit[] = [];
  #submitted = 0;
  #ended = 0;

  constructor() {
    this.#worker = new Worker(new URL("./committer.ts", import.meta.url).href, { smol: true });
    this.#worker.onmessage = () => {
      Atomics.store(this.#ring.counters, counter.isTold, 0);
      this.settle();
    };
    this.#worker.onerror = (event) => {
      throw new Error(`Cannot make records durable: the committing thread has ended: ${event.message}`);
    };
    this.#worker.postMessage(this.#ring);
    this.#worker.unref();
  }

  submit(commit: Commit): void {
    if (this.#waiting.length === 0) this.#worker.ref();
    this.#waiting.push(commit);
    this.#handOver();
  }

  /** Calls `done` of every commit that has ended. */
  settle(): void {
    const ended = Atomics.load(this.#ring.counters, counter.ended);
    while (this.#ended !== ended) {
      const commit = this.#waiting.shift();
      invariant(commit !== undefined, "a commit that has ended was waited for");
      const result = this.#ring.outcomes[slotOf(this.#ended)] ?? outcome.unknown;
      this.#ended = (this.#ended + 1) | 0;
      this.#handOver();
      if (this.#waiting.length === 0) this.#worker.unref();
      commit.done(result === outcome.done ? null : failure(result, commit.offset));
    }
  }

  #handOver(): void {
    const { counters, tasks } = this.#ring;
    for (;;) {
      const handedOver = (this.#submitted - this.#ended) | 0;
      const commit = this.#waiting[handedOver];
      if (commit === undefined || handedOver === ringSlots) return;
      const at = slotOf(this.#submitted) * taskFields;
      tasks[at + field.file] = commit.file;
      tasks[at + field.descriptor] = commit.descriptor;
      tasks[at + field.address] = ptr(commit.bytes.buffer as ArrayBuffer) + commit.bytes.byteOffset;
      tasks[at + field.capacity] = commit.bytes.buffer.byteLength - commit.bytes.byteOffset;
      tasks[at + field.length] = commit.bytes.length;
      tasks[at + field.offset] = commit.offset;
      this.#submitted = (this.#submitted + 1) | 0;
      Atomics.store(counters, counter.submitted, this.#submitted);
      if (Atomics.load(counters, counter.sleeps) === 1) Atomics.notify(counters, counter.submitted);
    }
  }
}

function slotOf(count: number): number {
  return (count >>> 0) % ringSlots;
}

function failure(result: number, offset: number): Error {
  switch (result) {
    case outcome.noBytes:
      return new Error(`Cannot write at offset ${offset}: the disk took no bytes`);
    case outcome.notTried:
      return new Error(`Cannot write at offset ${offset}: a commit before it has failed`);
    case outcome.unknown:
      return new Error(`Cannot write at offset ${offset}: the system gave no reason`);
    default: {
      const code = getSystemErrorName(-result);
      const message = `Cannot write and sync at offset ${offset}: ${code}: ${getSystemErrorMessage(-result)}`;
      return Object.assign(new Error(message), { code, errno: -result });
    }
  }
}
