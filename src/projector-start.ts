// Where the projector begins: what an IDB and a persistent queue have in common, and what of the time before is known.

import type { ProjectionConfiguration } from "./event/envelope.ts";
import { continueFromHead, instanceOfHead, instanceOfRecord } from "./event/intake-state.ts";
import { IdbDamagedError } from "./idb/error.ts";
import type { Applied } from "./idb/idb.ts";
import { invariant } from "./invariant.ts";
import type { Log } from "./log.ts";
import type { LiveState } from "./projection/live-state.ts";
import {
  obeyConfiguration,
  type ProjectionSettings,
  stepBegunFromState,
  stepHistoryTrimmed,
  stepQueueLost,
  stepRecord,
} from "./projection/projection.ts";
import { rescheduleEndings } from "./projection/put-in-force.ts";
import type { EntityKind } from "./projection/world.ts";
import type { QueueReader, SegmentDescription } from "./queue/reader.ts";
import type { SegmentState, SegmentStates } from "./segment-state.ts";

/** Where an IDB without rows was begun with. */
export interface Beginning {
  /** The first position whose rows it has. */
  readonly position: bigint;
  /** What of the time before is known: there was none; all that was open; the sessions that were open. */
  readonly with: "first record" | "segment state" | "segment head";
}

/** What the projector goes on from. */
export interface Start {
  readonly queueId: string;
  /** The position that is applied, or taken for applied. */
  readonly after: bigint;
  /** Of the segment that holds `after`; 0: not known, or there is none. */
  readonly salt: number;
  /** Null: the IDB had rows. */
  readonly beginning: Beginning | null;
}

export interface StartParts {
  readonly reader: QueueReader;
  readonly idbPath: string;
  readonly applied: Applied;
  /** As the IDB holds it; what is missed is stepped into it. */
  readonly live: LiveState;
  readonly settings: ProjectionSettings;
  readonly configuration: ProjectionConfiguration | null;
  readonly states: SegmentStates | null;
  /** First position of the segment to begin an IDB without rows with; null: the oldest that will do. */
  readonly beginAt: bigint | null;
  readonly log: Log;
}

/** Queue and IDB know each other, or nothing about the time between is guessed. Throws IdbDamagedError for another's IDB. */
export function findStart(parts: StartParts): Start {
  const { reader, applied } = parts;
  const { queueId, firstPosition, segments } = reader.describe();
  invariant(queueId !== undefined && firstPosition !== undefined, "the queue has a segment before it is read");
  const beforeOldest = firstPosition - 1n;
  const goOn = (after: bigint, salt = 0): Start => ({ queueId, after, salt, beginning: null });
  if (applied.queueId === null) {
    const beginning = begin(parts, queueId, segments, firstPosition);
    return { ...goOn(beginning.position - 1n), beginning };
  }
  if (applied.queueId !== queueId) {
    refuseForeign(parts, segments);
    lose(parts, firstPosition, "the persistent queue was lost or replaced: it has another id than the IDB followed");
    continueFromOldest(parts, firstPosition);
    return goOn(beforeOldest);
  }
  if (applied.position < beforeOldest) {
    lose(parts, firstPosition, "the IDB is older than what the persistent queue still holds");
    continueFromOldest(parts, firstPosition);
    return goOn(beforeOldest);
  }
  const salt = applied.segmentSalt ?? 0;
  const segment = reader.segmentAt(applied.position);
  // A segment without a readable header cannot contradict.
  if (segment === undefined || segment.salt === salt) return goOn(applied.position, salt);
  // The IDB is ahead: the queue was put back from an older copy, and gives out positions anew since then. What the two
  // have in common ends with the segment that the IDB last read from.
  lose(parts, applied.position, "the persistent queue is older than the IDB that followed it");
  const common = segments.findIndex((each) => each.salt === salt);
  const next = common === -1 ? segment : segments[common + 1];
  return goOn((next ?? segment).firstPosition - 1n);
}

/** Another queue is one that was lost, and is followed; an IDB of another instance is none of ours. */
function refuseForeign(parts: StartParts, segments: readonly SegmentDescription[]): void {
  const [first] = parts.live.all("source");
  const writtenBy = first?.[1].instance.dbid;
  const recordedBy = instanceOfQueue(parts.reader, segments);
  if (writtenBy === undefined || recordedBy === undefined || writtenBy === recordedBy) return;
  throw new IdbDamagedError(
    `Cannot follow the persistent queue with IDB "${parts.idbPath}": the instance with DBID ${writtenBy} wrote it, ` +
      `and the queue is that of ${recordedBy}`,
  );
}

/** DBID of the instance, as the oldest segment's head or the first record says; undefined where they cannot be read. */
function instanceOfQueue(reader: QueueReader, [oldest]: readonly SegmentDescription[]): number | undefined {
  if (oldest === undefined) return undefined;
  if (oldest.head !== undefined && oldest.firstPosition > 1n) return instanceOfHead(oldest.head)?.dbid;
  reader.seek(oldest.firstPosition);
  const [outcome] = reader.read(oldest.firstPosition, { recordsMax: 1, bytesMax: 1 });
  return outcome?.kind === "record" ? instanceOfRecord(outcome.payload)?.dbid : undefined;
}

function lose({ live, log, settings }: StartParts, position: bigint, detail: string): void {
  log.error("queue lost", { position, detail });
  live.step((world) => stepQueueLost(world, settings, position, detail));
}

/** An IDB without rows: where the queue does not reach back to its first record, the first state is gone on from. */
function begin(
  parts: StartParts,
  queueId: string,
  segments: readonly SegmentDescription[],
  firstPosition: bigint,
): Beginning {
  const { beginAt, states, settings } = parts;
  const place = { queueId, windowSeconds: settings.windowSeconds };
  const chosen = beginAt === null ? segments : segments.filter((each) => each.firstPosition === beginAt);
  const oldest = chosen[0]?.firstPosition ?? firstPosition;
  const state = oldest === 1n ? undefined : states?.oldestUsable(chosen, place);
  if (state === undefined) {
    continueFromOldest(parts, oldest);
    return { position: oldest, with: oldest === 1n ? "first record" : "segment head" };
  }
  continueFromState(parts, state);
  return { position: state.position, with: "segment state" };
}

function continueFromState(
  { live, log, settings, configuration }: StartParts,
  { position, rowSequence, entries }: SegmentState,
): void {
  log.warn("what the persistent queue no longer holds is not known here; what was open is", {
    oldestPosition: position,
  });
  live.restore([], rowSequence);
  live.step((world) => {
    // The entities are the world's own JSON, read back.
    for (const [kind, key, entity] of entries) world.put(kind as EntityKind, key, entity as never);
    if (configuration !== null) obeyConfiguration(world, configuration);
    rescheduleEndings(world);
    stepBegunFromState(world, settings, position);
  });
}

/** Without a state it begins with what the oldest segment's head says was open. */
function continueFromOldest({ reader, live, log, settings }: StartParts, oldest: bigint): void {
  const head = reader.segmentAt(oldest)?.head;
  if (oldest === 1n || head === undefined) return;
  log.warn("what the persistent queue no longer holds is not known here", { oldestPosition: oldest });
  for (const payload of continueFromHead(head)) {
    live.step((world) => stepRecord(world, settings, oldest - 1n, payload));
  }
  live.step((world) => stepHistoryTrimmed(world, oldest));
}
