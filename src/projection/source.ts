// What is remembered of a data source between its frames, and what a step of a machine is given to work with.

import type { ProjectionOptions, SessionId, SourceIdentity } from "../event/envelope.ts";
import type { QualityCause } from "../event/happening.ts";
import type { SourceInstant } from "../event/instant.ts";
import { sourceInstant } from "../event/instant.ts";
import type { World } from "./world.ts";

export interface SourceState {
  readonly identity: SourceIdentity;
  readonly options: ProjectionOptions;
  /** Role gcc is on: calls, parties and stays in virtual queues are written. */
  readonly writesCalls: boolean;
  /** Role gls is on: login sessions and agent states are written. */
  readonly writesAgents: boolean;
  /** Role gud is on: attached data and what user events tell are written. */
  readonly writesUserData: boolean;
  readonly instance: {
    readonly dbid: number;
    /** When this run of the instance began, by its own clock: ICON_STIME. */
    readonly startedAt: number;
    /** Sessions of this source that this run of the instance has opened. */
    readonly sessions: number;
  };
  /** The server run that sequence numbers belong to; null: none yet, or the source has no runs. */
  readonly run: string | null;
  /** Highest sequence applied in `run`; null: nothing known of it yet. */
  readonly appliedSequence: number | null;
  /** The source's clock: the latest time heard in an event or a heartbeat. */
  readonly clock: SourceInstant | null;
  /** The source's clock minus ours when `clock` was last moved, ms. */
  readonly clockDifferenceMs: number;
  /** The source's clock when the present session began: up to here the earlier sessions had listened. */
  readonly heardUntil: SourceInstant | null;
  /** Why something may have been missed between `heardUntil` and the present session. */
  readonly missedBecause: QualityCause;
  readonly openSession: SessionId | null;
  /** DBID of the server of the last session: another one is a switchover. */
  readonly lastDbid: number | null;
  /** Where that server answered; absent: not known, an earlier version opened the session. */
  readonly lastAddress?: string;
  /** Lines of the snapshot that is under way; null: none is. */
  readonly snapshotLines: number | null;
  /** A line of that snapshot could not be taken in: what it does not name may be there all the same. */
  readonly isSnapshotDamaged: boolean;
  /** Start of the newest window of the ledger with an event, UTC seconds; null: none yet in this run. */
  readonly newestWindow: number | null;
  /** When, by the source's clock, the next window is to be sealed; null: none waits for it. */
  readonly sealDueAt: number | null;
  /**
   * Records were lost when the source's clock stood there, and nothing was heard of it since: to which windows they belong
   * is not known. Absent in what an earlier version kept.
   */
  readonly damagedSince?: SourceInstant | null;
  /**
   * When the source last said a number, in an event or a heartbeat, that nothing is missing below: what is missing next
   * happened after that. Null or absent (in what an earlier version kept): not known.
   */
  readonly wholeUntil?: SourceInstant | null;
  readonly counters: Readonly<Record<string, number>>;
}

/** What a machine's step knows besides the world: whose frame this is, and where to count what it leaves out. */
export interface StepContext {
  readonly source: SourceState;
  readonly session: SessionId;
  readonly position: bigint;
  count(name: string): void;
}

/** What is stored of calls, and of the agents on them, needs the calls themselves, whichever role stores it. */
export function followsCalls({ writesCalls, writesAgents, writesUserData }: SourceState): boolean {
  return writesCalls || writesAgents || writesUserData;
}

/** A call without CallUUID is named by run and ConnID; after a restart of the server its key is still that of its own run. */
export function aliasKey({ identity, run }: SourceState, connId: string): string {
  return `${identity.name}/${run ?? ""}/${connId}`;
}

/** A context for one record of one source. `source` is as it stood before the step. */
export function stepContext(world: World, source: SourceState, session: SessionId, position: bigint): StepContext {
  const name = source.identity.name;
  return {
    source,
    session,
    position,
    count(counter) {
      const now = world.get("source", name) ?? source;
      const value = (now.counters[counter] ?? 0) + 1;
      world.put("source", name, { ...now, counters: { ...now.counters, [counter]: value } });
      world.write("ICON_COUNTER", { SOURCE: name, NAME: counter, VALUE: value });
    },
  };
}

/** Changes what is remembered of the source; returns it as it is now. */
export function updateSource(world: World, name: string, change: Partial<SourceState>): SourceState | undefined {
  const now = world.get("source", name);
  if (now === undefined) return undefined;
  const next = { ...now, ...change };
  world.put("source", name, next);
  return next;
}

/** Moves the source's clock forward to `at`; it never goes back, though single events may be a little older. */
export function hearClock(world: World, name: string, at: SourceInstant, arrivedAt: number): void {
  const now = world.get("source", name);
  if (now === undefined || (now.clock !== null && now.clock >= at)) return;
  world.put("source", name, { ...now, clock: at, clockDifferenceMs: at - arrivedAt });
}

/** The source's time at an arrival of ours, as well as we can tell without a word from it; never before its clock. */
export function estimatedSourceTime(source: SourceState, arrivedAt: number): SourceInstant {
  const estimate = arrivedAt + source.clockDifferenceMs;
  return sourceInstant(Math.max(estimate, source.clock ?? estimate));
}
