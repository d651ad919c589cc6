// The loop in the middle: reads records back from the persistent queue, steps the machines, and commits rows, live
// state and applied position as one transaction.
//
// 1. It reads up to the durable position only. What is written but not synced may vanish in a power cut, and rows made
//    of it would stand for events that new ones then replace.
// 2. A record is projected whole or not at all; a batch is committed whole or not at all. There is no other cursor.
// 3. A machine that fails on a record costs that record: it is kept in ICON_UNDECODED and passed over. A row that the
//    IDB rejects is searched for by stepping one record at a time; three failures, and it is passed over as well.
// 4. An IDB that is locked, full or away is waited for. No batch is made while it is locked: its rows would be in memory
//    for as long as that lasts. One that was made before is kept.
// 5. Between two segments all is committed. What is live then is handed to whoever runs this (`takeSegmentState`), to be
//    kept beside the later segment before anything of it is projected.
// 6. An IDB that is being built (`isBuilding`) is thrown away when the building does not come to its end. So its batches
//    are larger, and live state is written once, by `finish`.

import type { ProjectionConfiguration } from "./event/envelope.ts";
import { IdbRejectedError } from "./idb/error.ts";
import type { Idb } from "./idb/idb.ts";
import { invariant } from "./invariant.ts";
import type { Log } from "./log.ts";
import { type BatchChanges, LiveState } from "./projection/live-state.ts";
import {
  type ProjectionSettings,
  passOver,
  stepDamage,
  stepRecord,
  writeSequenceCounter,
} from "./projection/projection.ts";
import { rescheduleEndings } from "./projection/put-in-force.ts";
import { endedUnseenCounters } from "./projection/quality.ts";
import { type Beginning, findStart } from "./projector-start.ts";
import type { QueueReader, ReadBounds, ReadOutcome } from "./queue/reader.ts";
import { encodeState, type SegmentStates, type StatePlace } from "./segment-state.ts";

// A batch is as large as what waits, up to this: under load the cost of a commit is shared, at rest nothing waits.
const batchRecordsMax = 8000;
const batchRecordsFew = 64;
// What one batch takes in; a read returns less, for its payloads share the reader's memory. A call that comes and goes
// within a batch is written once, and the rows of a batch are in memory until they are committed.
const batchBytesMax = 2 * 1024 * 1024;
// In an IDB that is being built nobody waits for rows, and a call that comes and goes within a batch is written once.
const buildingRecordsMax = 20_000;
const buildingBytesMax = 16 * 1024 * 1024;
// A position that failed so often is passed over.
const failuresMax = 3;

export interface ProjectorStatus {
  readonly appliedPosition: bigint;
  readonly openCalls: number;
  readonly openParties: number;
  readonly openSessions: number;
  /** By source: events dropped because their sequence number had been applied. */
  readonly duplicates: Readonly<Record<string, number>>;
  /** By source: frames kept in ICON_UNDECODED since the IDB was made. */
  readonly undecoded: Readonly<Record<string, number>>;
  /** By source: how often numbers were missing, since the IDB was made. */
  readonly holes: Readonly<Record<string, number>>;
  /** By source: calls and parties that were closed because the source no longer had them, since the IDB was made. */
  readonly endedUnseen: Readonly<Record<string, { readonly calls: number; readonly parties: number }>>;
  /** By source: its last word in the ledger, by its own clock; null: none yet. See src/projection/coverage.ts. */
  readonly lastWord: Readonly<Record<string, number | null>>;
  readonly recordsProjected: number;
  readonly recordsPassedOver: number;
  readonly recordsDamaged: number;
}

/** How often in a row whoever projected died at this applied position, before anything more was applied. */
export interface Deaths {
  readonly position: bigint;
  readonly count: number;
}

/** Live state at the beginning of a segment, as it is kept beside it. */
export interface DueState {
  /** First position of the segment. */
  readonly position: bigint;
  readonly bytes: Uint8Array;
}

interface PendingBatch {
  readonly changes: BatchChanges;
  readonly applied: { readonly queueId: string; readonly segmentSalt: number; readonly position: bigint };
}

export class Projector {
  readonly #reader: QueueReader;
  readonly #log: Log;
  readonly #configuration: ProjectionConfiguration | null;
  readonly #states: SegmentStates | null;
  readonly #keepsStates: boolean;
  readonly #isBuilding: boolean;
  readonly #beginAt: bigint | null;
  #idb: Idb;
  #settings: ProjectionSettings = { windowSeconds: 60 };
  #live = new LiveState();
  #queueId = "";
  #applied = 0n;
  #segmentSalt = 0;
  #pending: PendingBatch | null = null;
  /** Up to this position batches are smaller, so that the record that fails is found. */
  #careful = { recordsMax: 1, upTo: 0n };
  #rejections = { position: 0n, count: 0 };
  #isNextPassedOver = false;
  // Read, and kept back until what was live before is beside the segment.
  #held: readonly ReadOutcome[] | null = null;
  #dueState: DueState | null = null;
  #lastBorder = 0n;
  #beginning: Beginning | null = null;
  #counts = { projected: 0, passedOver: 0, damaged: 0 };

  constructor(parts: {
    readonly reader: QueueReader;
    readonly idb: Idb;
    readonly log: Log;
    readonly deaths?: Deaths;
    /** Maps the records with this configuration instead of the ones that the marks put in force: a rebuild only. */
    readonly configuration?: ProjectionConfiguration | null;
    /** Where live state is kept at the segments' borders; left out: nowhere. */
    readonly states?: SegmentStates;
    /** False: states are begun with, and none is to be written. */
    readonly keepsStates?: boolean;
    /** The IDB is thrown away unless `finish` is called in the end; see 6. */
    readonly isBuilding?: boolean;
    /** First position of the segment to begin an IDB without rows with; left out: the oldest that will do. */
    readonly beginAt?: bigint;
  }) {
    this.#reader = parts.reader;
    this.#idb = parts.idb;
    this.#log = parts.log;
    this.#configuration = parts.configuration ?? null;
    this.#states = parts.states ?? null;
    this.#keepsStates = (parts.keepsStates ?? true) && this.#configuration === null;
    this.#isBuilding = parts.isBuilding ?? false;
    this.#beginAt = parts.beginAt ?? null;
    this.restart(parts.idb);
    const deaths = parts.deaths?.position === this.#applied ? parts.deaths.count : 0;
    // First a few at a time, then one: the record that did it is within the first batch, and what is before it gets on.
    if (deaths === 1) this.#careful = { recordsMax: batchRecordsFew, upTo: this.#applied + BigInt(batchRecordsMax) };
    if (deaths > 1) this.#careful = { recordsMax: 1, upTo: this.#applied + BigInt(batchRecordsFew) };
    if (deaths >= failuresMax) this.#isNextPassedOver = true;
  }

  /** Goes on from what this IDB holds, and forgets everything that was not committed to it. */
  restart(idb: Idb): void {
    this.#idb = idb;
    this.#pending = null;
    this.#held = null;
    this.#dueState = null;
    const applied = idb.readApplied();
    this.#settings = { windowSeconds: applied.windowSeconds, configuration: this.#configuration };
    this.#live = new LiveState();
    this.#live.restore(idb.readLive(), applied.rowSeq);
    this.#live.step((world) => rescheduleEndings(world));
    const start = findStart({
      reader: this.#reader,
      idbPath: idb.path,
      applied,
      live: this.#live,
      settings: this.#settings,
      configuration: this.#configuration,
      states: this.#states,
      beginAt: this.#beginAt,
      log: this.#log,
    });
    this.#queueId = start.queueId;
    this.#beginning = start.beginning ?? this.#beginning;
    this.#applied = start.after;
    this.#segmentSalt = start.salt;
    this.#reader.seek(start.after + 1n);
  }

  /**
   * Projects and commits what is durable but not applied, at most one batch. Returns whether more waits. Throws
   * IdbUnavailableError when the IDB cannot be written now: nothing is lost, call `advance` again after a while.
   */
  advance(durable: bigint): boolean {
    if (this.#pending !== null) this.#commit(this.#pending);
    if (this.#applied >= durable) return false;
    if (!this.#isBuilding) this.#idb.requireWritable();
    const { recordsMax, bytesMax } = this.#bounds();
    let taken = 0;
    let bytes = 0;
    do {
      const outcomes = this.#held ?? this.#reader.read(durable, { recordsMax: recordsMax - taken, bytesMax });
      this.#held = null;
      if (outcomes.length === 0) break;
      const due = taken > 0 || this.#idb.lastPosition === this.#applied ? this.#dueAt(outcomes) : null;
      if (due !== null) {
        this.#held = outcomes;
        if (taken > 0) break; // committed first
        this.#keepState(due);
        return true;
      }
      for (const outcome of outcomes) {
        this.#take(outcome);
        if (outcome.kind === "record") bytes += outcome.payload.length;
      }
      taken += outcomes.length;
    } while (taken < recordsMax && bytes < bytesMax);
    if (taken === 0) return false;
    this.#commit(this.#takeBatch());
    return this.#applied < durable;
  }

  /** The IDB that was being built has all that was asked for: commits what is live. */
  finish(): void {
    invariant(this.#isBuilding && this.#pending === null, "an IDB is finished once, with all batches committed");
    this.#commit(this.#takeBatch(true));
  }

  /** Where an IDB without rows was begun with; null: this one had rows. */
  get beginning(): Beginning | null {
    return this.#beginning;
  }

  /** What is to be kept beside the segment that comes next, before `advance` is called again; once for each segment. */
  takeSegmentState(): DueState | null {
    const due = this.#dueState;
    this.#dueState = null;
    return due;
  }

  status(): ProjectorStatus {
    const sources = this.#live.all("source");
    const counted = (...names: string[]) =>
      Object.fromEntries(
        sources.map(([source, { counters }]) => [source, names.reduce((sum, name) => sum + (counters[name] ?? 0), 0)]),
      );
    return {
      appliedPosition: this.#pending === null ? this.#applied : this.#idb.lastPosition,
      openCalls: this.#live.count("call"),
      openParties: this.#live.openParties(),
      openSessions: this.#live.count("session"),
      duplicates: counted("duplicate event"),
      undecoded: counted("undecodable frame", "projection failed"),
      holes: counted("hole in the sequence"),
      endedUnseen: Object.fromEntries(
        sources.map(([source, { counters }]) => [
          source,
          { calls: counters[endedUnseenCounters.G_CALL] ?? 0, parties: counters[endedUnseenCounters.G_PARTY] ?? 0 },
        ]),
      ),
      lastWord: Object.fromEntries(sources.map(([source]) => [source, this.#lastWord(source)])),
      recordsProjected: this.#counts.projected,
      recordsPassedOver: this.#counts.passedOver,
      recordsDamaged: this.#counts.damaged,
    };
  }

  #lastWord(source: string): number | null {
    return this.#live.get("span", source)?.word ?? this.#live.get("coverage", source)?.latestWord ?? null;
  }

  #bounds(): ReadBounds {
    if (this.#isBuilding) return { recordsMax: buildingRecordsMax, bytesMax: buildingBytesMax };
    const isCareful = this.#applied < this.#careful.upTo;
    return { recordsMax: isCareful ? this.#careful.recordsMax : batchRecordsMax, bytesMax: batchBytesMax };
  }

  /** Where live state is still to be kept, when these are the first records of a segment. */
  #dueAt(outcomes: readonly ReadOutcome[]): StatePlace | null {
    const [first] = outcomes;
    const position = this.#applied + 1n;
    // A mapping that was given is not what the marks say, and a state must be a function of the queue. Before the first
    // record there is nothing.
    if (this.#states === null || !this.#keepsStates || first === undefined || position === 1n) return null;
    if (position === this.#lastBorder) return null;
    const segment =
      first.kind === "record"
        ? { firstPosition: first.segmentFirstPosition, salt: first.segmentSalt }
        : this.#reader.segmentAt(position);
    if (segment?.firstPosition !== position) return null;
    const { windowSeconds } = this.#settings;
    const place = { queueId: this.#queueId, segmentSalt: segment.salt, position, windowSeconds };
    if (!this.#states.has(place)) return place;
    this.#lastBorder = position;
    return null;
  }

  /** All before the place is committed. */
  #keepState(place: StatePlace): void {
    this.#lastBorder = place.position;
    const bytes = encodeState(place, this.#live.rowSequence, this.#live.entries());
    this.#dueState = { position: place.position, bytes };
  }

  #take(outcome: ReadOutcome): void {
    if (outcome.kind === "damaged") {
      this.#log.error("records of the persistent queue are damaged", {
        segment: outcome.segment,
        offset: outcome.offset,
        fromPosition: outcome.from,
        toPosition: outcome.to,
        reason: outcome.reason,
      });
      this.#live.step((world) => stepDamage(world, this.#settings, outcome.from, outcome.to, outcome.reason));
      this.#counts.damaged += Number(outcome.to - outcome.from) + 1;
      this.#applied = outcome.to;
      this.#segmentSalt = this.#reader.segmentAt(outcome.to)?.salt ?? this.#segmentSalt;
      return;
    }
    const { position, payload } = outcome;
    if (this.#isNextPassedOver) {
      this.#isNextPassedOver = false;
      this.#careful = { recordsMax: 1, upTo: 0n };
      this.#passOver(position, payload, new Error("the recorder died on it"));
      this.#applied = position;
      this.#segmentSalt = outcome.segmentSalt;
      return;
    }
    try {
      this.#live.step((world) => stepRecord(world, this.#settings, position, payload));
      this.#counts.projected += 1;
    } catch (error) {
      this.#passOver(position, payload, error);
    }
    this.#applied = position;
    this.#segmentSalt = outcome.segmentSalt;
  }

  #passOver(position: bigint, payload: Uint8Array, error: unknown): void {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    this.#log.error("projection of a record failed and it was passed over", { position, reason });
    this.#live.step((world) => passOver(world, this.#settings, position, payload, reason));
    this.#counts.passedOver += 1;
  }

  #takeBatch(isLast = false): PendingBatch {
    this.#live.step((world) => writeSequenceCounter(world, this.#live.rowSequence));
    const applied = { queueId: this.#queueId, segmentSalt: this.#segmentSalt, position: this.#applied };
    const live = !this.#isBuilding ? "changed" : isLast ? "all" : "none";
    this.#pending = { changes: this.#live.takeBatch(live), applied };
    return this.#pending;
  }

  #commit(batch: PendingBatch): void {
    const { changes, applied } = batch;
    try {
      this.#idb.commit({
        rows: changes.rows,
        live: changes.live,
        late: changes.late,
        applied: { ...applied, rowSeq: changes.rowSequence },
      });
      this.#pending = null;
    } catch (error) {
      // What is being built has no live state to go back to: it is begun anew, the slow way.
      if (!(error instanceof IdbRejectedError) || this.#isBuilding) throw error;
      this.#searchRejected(applied.position, error);
    }
  }

  // Takes the batch back and goes through it one record at a time, until the one that the IDB rejects stands alone.
  #searchRejected(batchEnd: bigint, error: IdbRejectedError): void {
    this.#log.error("IDB rejected a batch", { upToPosition: batchEnd, reason: error.message });
    this.restart(this.#idb);
    if (batchEnd > this.#applied + 1n) {
      this.#careful = { recordsMax: 1, upTo: batchEnd };
      return;
    }
    const isSame = this.#rejections.position === batchEnd;
    this.#rejections = { position: batchEnd, count: isSame ? this.#rejections.count + 1 : 1 };
    // What the IDB rejects is then not the record's: passing more over would not help.
    invariant(this.#rejections.count <= failuresMax, "the IDB takes a batch that has no record's rows");
    if (this.#rejections.count < failuresMax) return;
    const [outcome] = this.#reader.read(batchEnd, { recordsMax: 1, bytesMax: batchBytesMax });
    if (outcome?.kind !== "record") return;
    this.#passOver(outcome.position, outcome.payload, error);
    this.#applied = outcome.position;
    this.#segmentSalt = outcome.segmentSalt;
    this.#commit(this.#takeBatch());
  }
}
