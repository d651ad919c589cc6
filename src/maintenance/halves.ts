// Whether an IDB and a persistent queue belong together: the one follows the other, and nothing between is missing.

export interface IdbHalf {
  /** Null: no batch was ever committed to it. */
  readonly queueId: string | null;
  readonly appliedPosition: bigint;
}

export interface QueueHalf {
  readonly queueId: string;
  readonly firstPosition: bigint;
  readonly lastPosition: bigint;
}

/** Why not, in words that name both; null: they do. */
export function disagreement(idb: IdbHalf, queue: QueueHalf): string | null {
  if (idb.queueId === null) return null;
  if (idb.queueId !== queue.queueId) {
    return `IDB and persistent queue do not belong together: the IDB follows queue ${idb.queueId}, the segments are of queue ${queue.queueId}`;
  }
  const range = `the persistent queue ${queue.queueId} holds positions ${queue.firstPosition} to ${queue.lastPosition}`;
  if (idb.appliedPosition > queue.lastPosition) {
    return `IDB and persistent queue do not belong together: the IDB has rows up to position ${idb.appliedPosition}, and ${range}`;
  }
  if (idb.appliedPosition + 1n < queue.firstPosition) {
    return `IDB and persistent queue do not meet: the IDB has rows up to position ${idb.appliedPosition}, and ${range}`;
  }
  return null;
}
