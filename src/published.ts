// How the main thread says up to where the persistent queue is durable: in memory that it shares with the recorder. A
// message only wakes, and one on its way is enough: a slow recorder is not followed by a heap of them. The other way, the
// recorder counts its steps there, so that one that hangs in a system call can be told from one that waits.

const slot = { position: 0, isTold: 1, steps: 2, isLong: 3, isWriting: 4, applied: 5 } as const;
const slotCount = 6;

export class PublishedPosition {
  /** What is handed to the recorder, which makes its own side of it. */
  readonly memory: BigInt64Array;

  constructor(
    memory: BigInt64Array = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT * slotCount)),
  ) {
    this.memory = memory;
  }

  /** True: the recorder has to be told. */
  publish(position: bigint): boolean {
    Atomics.store(this.memory, slot.position, position);
    return Atomics.exchange(this.memory, slot.isTold, 1n) === 0n;
  }

  /** The recorder has been told and looks; later positions are told anew. */
  take(): bigint {
    Atomics.store(this.memory, slot.isTold, 0n);
    return Atomics.load(this.memory, slot.position);
  }

  /** The recorder begins another step, which may rightly take minutes when `isLong`. */
  step({ isLong }: { readonly isLong: boolean }): void {
    Atomics.store(this.memory, slot.isLong, isLong ? 1n : 0n);
    Atomics.add(this.memory, slot.steps, 1n);
  }

  /** Its present step may rightly take minutes. */
  get isLong(): boolean {
    return Atomics.load(this.memory, slot.isLong) === 1n;
  }

  /** Runs `act`, which may open a transaction and ends it, unless its thread is gone in the middle of it. */
  writing<Result>(act: () => Result): Result {
    Atomics.store(this.memory, slot.isWriting, 1n);
    try {
      return act();
    } finally {
      Atomics.store(this.memory, slot.isWriting, 0n);
    }
  }

  /** A recorder that is gone now may have left a transaction open, with its locks, for as long as the process lives. */
  get isWriting(): boolean {
    return Atomics.load(this.memory, slot.isWriting) === 1n;
  }

  /** The recorder has applied everything up to this position, and committed it. */
  noteApplied(position: bigint): void {
    Atomics.store(this.memory, slot.applied, position);
  }

  /** 0 before the recorder has opened the IDB. */
  get applied(): bigint {
    return Atomics.load(this.memory, slot.applied);
  }

  get steps(): bigint {
    return Atomics.load(this.memory, slot.steps);
  }
}
