// Holds a persistent queue and an IDB against what a load sent and what was acknowledged to it: nothing acknowledged is
// missing, nothing stands there twice, nothing was never sent, every payload is what was sent, in the order sent.

import { decodeEnvelope } from "../../src/event/envelope.ts";
import { openReading } from "../../src/idb/reading.ts";
import { QueueReader } from "../../src/queue/reader.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import type { ObservedCall } from "../../src/simulator/tserver/observable.ts";
import { digestOf, type Load } from "./load.ts";
import { compare, readIdbCalls } from "./oracle.ts";

export interface QueueAudit {
  readonly records: number;
  /** Acknowledged events that are not in the queue. */
  readonly lost: number;
  /** Events that stand in the queue more than once. */
  readonly twice: number;
  /** Frames that look like events and were never sent, or whose bytes differ from what was sent. */
  readonly foreign: number;
  /** Events that come after one with a higher number of the same source. */
  readonly disordered: number;
  /** Positions that cannot be read. */
  readonly damaged: number;
  readonly lastPosition: bigint;
}

/** What an undisturbed and correct queue gives, whatever was killed when. */
export const flawless = { lost: 0, twice: 0, foreign: 0, disordered: 0, damaged: 0 } as const;

const leadingSequence = /^\{"id":"[A-Za-z]+","EventSequenceNumber":(\d+),/;
const bounds = { recordsMax: 10_000, bytesMax: 4 * 1024 * 1024 };

interface Found {
  readonly load: Load;
  readonly times: Uint8Array;
  last: number;
}

/**
 * Reads the whole queue of an instance that does not run. `acked`: by source, up to which number events must be there;
 * default all that were acknowledged.
 */
export function auditQueue(
  directory: string,
  loads: readonly Load[],
  acked: ReadonlyMap<string, number> = acknowledgedBy(loads),
): QueueAudit {
  using reader = new QueueReader({ directory, disk: systemDisk });
  const lastPosition = reader.lastWholePosition();
  reader.seek(reader.describe().firstPosition ?? 1n);
  const found = new Map(
    loads.map((load): [string, Found] => [
      load.options.name,
      { load, times: new Uint8Array(load.sentSeq + 1), last: 0 },
    ]),
  );
  const sources = new Map<number, Found>();
  const counts = { records: 0, lost: 0, twice: 0, foreign: 0, disordered: 0, damaged: 0 };
  for (;;) {
    const outcomes = reader.read(lastPosition, bounds);
    if (outcomes.length === 0) break;
    for (const outcome of outcomes) {
      if (outcome.kind === "damaged") {
        counts.damaged += Number(outcome.to - outcome.from) + 1;
        continue;
      }
      counts.records += 1;
      const envelope = decodeEnvelope(outcome.payload);
      if (envelope.kind === "mark") {
        const of = envelope.mark.mark === "session opened" ? found.get(envelope.mark.source) : undefined;
        if (of !== undefined) sources.set(envelope.session, of);
        continue;
      }
      const of = sources.get(envelope.session);
      if (of !== undefined) takeFrame(of, envelope.frame, counts);
    }
  }
  for (const [name, { times }] of found) {
    const until = Math.min(acked.get(name) ?? 0, times.length - 1);
    for (let seq = 1; seq <= until; seq++) if (times[seq] === 0) counts.lost += 1;
  }
  return { ...counts, lastPosition };
}

function takeFrame(of: Found, frame: Uint8Array, counts: { twice: number; foreign: number; disordered: number }): void {
  const lead = new TextDecoder("latin1").decode(frame.subarray(0, 96));
  const [, digits] = leadingSequence.exec(lead) ?? [];
  if (digits === undefined) return; // a control line
  const seq = Number(digits);
  const times = of.times[seq];
  if (times === undefined || of.load.digests[seq] !== digestOf(frame)) {
    counts.foreign += 1;
    return;
  }
  of.times[seq] = Math.min(255, times + 1);
  if (times > 0) counts.twice += 1;
  else if (seq < of.last) counts.disordered += 1;
  of.last = Math.max(of.last, seq);
}

export function acknowledgedBy(loads: readonly Load[]): Map<string, number> {
  return new Map(loads.map((load) => [load.options.name, load.ackedSeq]));
}

export interface IdbAudit {
  /** The first differences between the calls of the IDB and those that were sent; empty: equal. */
  readonly differences: readonly string[];
  readonly differenceCount: number;
  readonly calls: number;
  /** Events that the ledger's windows count, over all sources. */
  readonly windowEvents: number;
  /** Windows that say that something of theirs is missing or doubtful. */
  readonly faultyWindows: readonly string[];
  /** Marks that say that the persistent queue was lost or damaged. */
  readonly marksOfLoss: readonly string[];
  readonly duplicatesDropped: number;
}

const shownMax = 10;
/** Every first connection gets a snapshot, of nothing; that window says so. */
const harmless: ReadonlySet<string> = new Set(["reconciled by snapshot"]);

/**
 * Reads the IDB of an instance that does not run, as far as it is about these loads' sources. Every load has ended with a
 * complete round. `truth`: the calls that should be there, where that is not what the loads tell of.
 */
export function auditIdb(
  idbPath: string,
  loads: readonly Load[],
  truth: readonly ObservedCall[] = loads.flatMap((load) => load.truth(load.producedSeq)),
): IdbAudit {
  const clusters = loads.map(({ options }) => options.dbid).join(", ");
  const sources = loads.map(({ options }) => `'${options.name}'`).join(", ");
  const { differences, calls } = compare(readIdbCalls(idbPath), truth);
  const reading = openReading(idbPath);
  try {
    const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
    const windows = rows<{ EVENTS: number; HOLES: string; FAULTS: string; WINDOW_TS: number }>(
      `SELECT WINDOW_TS, EVENTS, HOLES, FAULTS FROM ICON_WINDOW WHERE SOURCE_CLUSTER IN (${clusters}) ORDER BY WINDOW_TS`,
    );
    const faulty = windows.filter(
      ({ HOLES, FAULTS }) => HOLES !== "[]" || (JSON.parse(FAULTS) as string[]).some((fault) => !harmless.has(fault)),
    );
    return {
      differences: differences.slice(0, shownMax),
      differenceCount: differences.length,
      calls,
      windowEvents: windows.reduce((sum, { EVENTS }) => sum + EVENTS, 0),
      faultyWindows: faulty.slice(0, shownMax).map(({ WINDOW_TS, HOLES, FAULTS }) => `${WINDOW_TS} ${HOLES} ${FAULTS}`),
      marksOfLoss: rows<{ KIND: string; DETAIL: string | null }>(
        `SELECT KIND, DETAIL FROM ICON_MARK WHERE KIND IN ('queue lost', 'damaged record', 'gap reported')
           AND (SOURCE IS NULL OR SOURCE IN (${sources})) ORDER BY ID`,
      ).map(({ KIND, DETAIL }) => `${KIND}: ${DETAIL ?? ""}`),
      duplicatesDropped: rows<{ VALUE: number }>(
        `SELECT VALUE FROM ICON_COUNTER WHERE NAME = 'duplicate event' AND SOURCE IN (${sources})`,
      ).reduce((sum, { VALUE }) => sum + VALUE, 0),
    };
  } finally {
    reading.close();
  }
}

/** What `auditIdb` gives for an instance that has everything once. */
export function flawlessIdb(loads: readonly Load[]): Omit<IdbAudit, "calls"> {
  return {
    differences: [],
    differenceCount: 0,
    windowEvents: loads.reduce((sum, load) => sum + load.producedSeq, 0),
    faultyWindows: [],
    marksOfLoss: [],
    duplicatesDropped: 0,
  };
}
