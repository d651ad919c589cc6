// Which sealed segments may go. Records that are not applied never do, whatever the bounds say.

/** One sealed segment as far as retention is concerned. */
export interface SealedSegment {
  readonly firstPosition: bigint;
  readonly lastPosition: bigint;
  /** Length of the file. */
  readonly bytes: number;
  /** When its last record was written, milliseconds since 1970 UTC. */
  readonly sealedMs: number;
}

export interface Retention {
  /** The position up to which rows are durably in the IDB: nothing above it is ever deleted. */
  readonly appliedPosition: bigint;
  /** Applied segments are kept this long … */
  readonly olderThanMs: number;
  /** … unless all segments together are larger than this. */
  readonly bytesMax: number;
}

/**
 * The segments to delete, oldest first: a run from the beginning, so that no hole appears. `segments` are those that a
 * start could do without, oldest first; `bytes` is the size of the whole queue.
 */
export function segmentsToTrim<Segment extends SealedSegment>(
  segments: readonly Segment[],
  {
    appliedPosition,
    olderThanMs,
    bytesMax,
    bytes,
    nowMs,
  }: Retention & { readonly bytes: number; readonly nowMs: number },
): Segment[] {
  const chosen: Segment[] = [];
  let bytesLeft = bytes;
  for (const segment of segments) {
    const isApplied = segment.lastPosition <= appliedPosition;
    const isOld = nowMs - segment.sealedMs > olderThanMs;
    if (!isApplied || !(isOld || bytesLeft > bytesMax)) break;
    chosen.push(segment);
    bytesLeft -= segment.bytes;
  }
  return chosen;
}
