// What the main thread and the committing thread share: counters, and a ring of commits.

export interface CommitRing {
  /** See `counter`. */
  readonly counters: Int32Array;
  /** `taskFields` numbers for each of `ringSlots` commits. */
  readonly tasks: Float64Array;
  /** For each slot 0, or the errno of the call that failed. */
  readonly outcomes: Int32Array;
}

export const ringSlots = 8;
export const taskFields = 6;
export const field = { file: 0, descriptor: 1, address: 2, capacity: 3, length: 4, offset: 5 } as const;
export const counter = { submitted: 0, ended: 1, isTold: 2, sleeps: 3 } as const;
/** Not an errno: the disk took no bytes and gave no reason, or a commit before it on the same file has failed. */
export const outcome = { done: 0, noBytes: -1, notTried: -2, unknown: -3 } as const;
