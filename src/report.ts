// Puts together what the stages say of themselves, for the status page, its metrics and its API.

import type { Config } from "./config.ts";
import type { Queue } from "./queue/queue.ts";
import type { RecorderReport } from "./recorder-messages.ts";
import type { DataSource } from "./source/data-source.ts";
import type { InstanceReport, SourceStatus, StatusReport, TrimmedEarly } from "./status/report.ts";
import type { TroubleLog } from "./trouble.ts";

export interface ReportParts {
  readonly config: Config;
  readonly version: string;
  readonly startedAt: number;
  readonly state: StatusReport["instance"]["state"];
  readonly sources: readonly DataSource[];
  readonly queue: Queue;
  readonly recorder: RecorderReport | null;
  readonly trouble: TroubleLog;
  readonly backlog: BacklogAge;
  readonly rates: EventRates;
  /** Of the file system that holds the queue; null before it was looked at. */
  readonly diskFreeBytes: number | null;
  readonly trimmedEarly: TrimmedEarly | null;
  readonly now: number;
}

export function statusReport(parts: ReportParts): InstanceReport {
  const { config, queue, recorder, now } = parts;
  const queueStatus = queue.status();
  const applied = recorder?.appliedPosition ?? null;
  const notApplied = applied === null ? null : Math.max(0, Number(queue.durablePosition - applied));
  return {
    instance: {
      name: config.instance.name,
      dbid: config.instance.dbid,
      version: parts.version,
      startedAt: parts.startedAt,
      state: parts.state,
    },
    sources: parts.sources.map((source) => sourceStatus(source, recorder, parts.rates)),
    queue: {
      state: queueStatus.isFailed ? "failed" : queueStatus.isFull ? "full" : "open",
      bytes: queueStatus.bytes,
      retentionBytes: config.queue.retentionBytes,
      diskFreeBytes: parts.diskFreeBytes,
      segments: queueStatus.segmentCount,
      firstPosition: BigInt(queueStatus.firstPosition),
      trimmedEarly: parts.trimmedEarly,
      durablePosition: queue.durablePosition,
      appliedPosition: applied,
      recordsNotApplied: notApplied,
      oldestNotAppliedAgeMs: applied === null ? null : parts.backlog.ageMs(applied, now),
    },
    idb: {
      path: config.idb.path,
      state: idbState(recorder, notApplied),
      bytes: recorder?.idbBytes ?? 0,
      walBytes: recorder?.walBytes ?? 0,
      walBlock: recorder?.walBlock ?? null,
      appliedPosition: applied,
      commits: recorder?.commits ?? 0,
      lastCommitAt: recorder?.lastCommitAt ?? null,
      lastRowAt: recorder?.lastRowAt ?? null,
      purge: recorder?.purge ?? { furthest: null, isUnderWay: false, calls: 0, rows: 0 },
    },
    openCalls: recorder?.openCalls ?? 0,
    openParties: recorder?.openParties ?? 0,
    undecodedTotal: Object.values(recorder?.undecoded ?? {}).reduce((sum, count) => sum + count, 0),
    trouble: parts.trouble.recent,
  };
}

function idbState(recorder: RecorderReport | null, notApplied: number | null): InstanceReport["idb"]["state"] {
  if (recorder === null) return "unavailable";
  if (recorder.state === "unavailable") return recorder.isBusy ? "locked" : "unavailable";
  return recorder.isRebuilding && notApplied !== null && notApplied > 0 ? "rebuilding" : "open";
}

function sourceStatus(source: DataSource, recorder: RecorderReport | null, rates: EventRates): SourceStatus {
  const status = source.status();
  return {
    name: status.name,
    kind: status.kind,
    address: status.address,
    state: status.state,
    connectedSince: status.connectedSince,
    lastEventAt: status.lastEventAt,
    eventsPerSecond: rates.of(status.name),
    framesTotal: status.frames,
    undecodable: recorder?.undecoded[status.name] ?? 0,
    duplicates: recorder?.duplicates[status.name] ?? 0,
    holes: recorder?.holes[status.name] ?? 0,
    endedUnseen: recorder?.endedUnseen[status.name] ?? { calls: 0, parties: 0 },
    lastWordAt: recorder?.lastWord[status.name] ?? null,
    reconnects: status.reconnects,
    lastTrouble: status.lastTrouble,
    lastEnd: status.lastEnd,
    sessionEnds: status.ends,
    alarms: status.alarms,
    clock: status.clock,
    isHeldBack: status.isHeldBack,
    notDurableBytes: status.notDurableBytes,
    allowanceBytes: status.allowanceBytes,
    run: status.run,
    lastSequence: status.lastSequence,
    ackedSequence: status.acknowledged,
  };
}

// One sample a tenth of a second tells the age well enough; an hour of backlog is 36,000 of them.
const sampleEveryMs = 100;
const samplesMax = 36_000;

/** Since when the oldest record that is not applied has waited. */
export class BacklogAge {
  #samples: { readonly position: bigint; readonly at: number }[] = [];

  /** Everything up to `position` is durable since `at`. */
  durable(position: bigint, at: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && at - last.at < sampleEveryMs) return;
    this.#samples.push({ position, at });
    if (this.#samples.length > samplesMax) this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
  }

  ageMs(applied: bigint, now: number): number | null {
    const firstWaiting = this.#samples.findIndex(({ position }) => position > applied);
    if (firstWaiting === -1) {
      this.#samples = [];
      return null;
    }
    this.#samples = this.#samples.slice(firstWaiting);
    return now - (this.#samples[0]?.at ?? now);
  }
}

/** Events per second of each source over the last few seconds. */
export class EventRates {
  readonly #samples = new Map<string, { events: number; at: number; perSecond: number }>();

  /** Called every second or so. */
  sample(sources: readonly DataSource[], monotonicMs: number): void {
    for (const source of sources) {
      const { name, events } = source.status();
      const before = this.#samples.get(name);
      const seconds = before === undefined ? 0 : (monotonicMs - before.at) / 1000;
      const now = before === undefined || seconds <= 0 ? 0 : (events - before.events) / seconds;
      // Half of it is news, so that the figure can be read while it moves.
      this.#samples.set(name, { events, at: monotonicMs, perSecond: ((before?.perSecond ?? now) + now) / 2 });
    }
  }

  of(name: string): number {
    return this.#samples.get(name)?.perSecond ?? 0;
  }
}
