// Makes an IDB anew from the persistent queue: every record goes through the same projector as in the instance, into a
// file that nobody reads before it is whole. What the queue no longer holds is not in it, and it says so.

import { type Clock, nextTurn } from "../clock.ts";
import type { ProjectionConfiguration } from "../event/envelope.ts";
import { buildIdb } from "../idb/building.ts";
import { IdbRejectedError } from "../idb/error.ts";
import { type IdbExtent, readExtent } from "../idb/read-extent.ts";
import type { Log } from "../log.ts";
import { Projector } from "../projector.ts";
import type { Beginning } from "../projector-start.ts";
import type { Disk } from "../queue/disk.ts";
import { QueueReader } from "../queue/reader.ts";
import { SegmentStates } from "../segment-state.ts";

export interface RebuildOptions {
  readonly queueDirectory: string;
  /** Of the file that is made; one that is there is deleted. */
  readonly path: string;
  /** The last position to take in: durable, and not 0. */
  readonly upTo: bigint;
  /** First position of the segment to begin with; null: the oldest one that will do. */
  readonly beginAt: bigint | null;
  /** Length of a window of the ledger; null: as the live state beside the segments has it, else 60. */
  readonly windowSeconds: number | null;
  /** Records are mapped with this one instead of those that were in force; null: with those. */
  readonly configuration: ProjectionConfiguration | null;
  /** Live state is written beside the segments where it is missing: only for who holds the queue's lock. */
  readonly isQueueOurs: boolean;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly stop: AbortSignal;
  readonly onProgress: (progress: RebuildProgress) => void;
}

export interface RebuildProgress {
  /** Positions done and to be done. */
  readonly done: number;
  readonly all: number;
}

export interface Rebuilt extends IdbExtent {
  readonly beginning: Beginning;
  readonly lastPosition: bigint;
  /** Records taken in, those that could not be projected among them. */
  readonly records: number;
  /** Positions whose records are damaged. */
  readonly damaged: number;
  /** Records that could not be projected; they are in ICON_UNDECODED. */
  readonly passedOver: number;
  readonly windowSeconds: number;
}

/** The signal came; nothing is left of what was made. */
export class RebuildStoppedError extends Error {
  override readonly name = "RebuildStoppedError";
}

const windowSecondsDefault = 60;

/**
 * When it resolves the file is whole and on disk. Throws RebuildStoppedError, IdbUnavailableError (disk full among
 * them), QueueFormatError; then there is no file.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  try {
    return await build(options, true);
  } catch (error) {
    if (!(error instanceof IdbRejectedError)) throw error;
    // A row that the IDB never takes: its record is searched for, as in the instance.
    options.log.warn("IDB is rebuilt with every batch kept", { reason: error.message });
    return build(options, false);
  }
}

async function build(options: RebuildOptions, isBuilding: boolean): Promise<Rebuilt> {
  const { queueDirectory, path, upTo, beginAt, configuration, disk, clock, log, stop, onProgress } = options;
  using reader = new QueueReader({ disk, directory: queueDirectory });
  const states = new SegmentStates({ disk, directory: queueDirectory, log });
  const windowSeconds =
    options.windowSeconds ?? states.windowSeconds(reader.describe().segments) ?? windowSecondsDefault;
  const making = buildIdb({ path, clock, windowSeconds, canRollBack: !isBuilding });
  try {
    const projector = new Projector({
      reader,
      idb: making.idb,
      log,
      configuration,
      states,
      keepsStates: options.isQueueOurs,
      isBuilding,
      ...(beginAt === null ? {} : { beginAt }),
    });
    const { beginning } = projector;
    if (beginning === null) throw new Error(`Cannot rebuild into "${path}": it has rows`);
    const before = beginning.position - 1n;
    for (let hasMore = true; hasMore; ) {
      hasMore = projector.advance(upTo);
      const state = projector.takeSegmentState();
      if (state !== null) await states.write(state.position, state.bytes);
      const { appliedPosition } = projector.status();
      onProgress({ done: Number(appliedPosition - before), all: Number(upTo - before) });
      await nextTurn();
      if (stop.aborted) throw new RebuildStoppedError(`Stopped at position ${appliedPosition} of ${upTo}`);
    }
    if (isBuilding) projector.finish();
    while (!making.purge()) {
      await nextTurn();
      if (stop.aborted) throw new RebuildStoppedError("Stopped while what had been purged was deleted again");
    }
    making.finish();
    const { appliedPosition, recordsProjected, recordsPassedOver, recordsDamaged } = projector.status();
    return {
      ...readExtent(path),
      beginning,
      lastPosition: appliedPosition,
      records: recordsProjected + recordsPassedOver,
      damaged: recordsDamaged,
      passedOver: recordsPassedOver,
      windowSeconds,
    };
  } catch (error) {
    making.discard();
    throw error;
  }
}
