// Holds a data directory's persistent queue and IDB against each other and puts the findings into words.

import type { InspectionOutcome } from "../idb/inspect.ts";
import type { QueueDamage, QueueVerification } from "./verify-queue.ts";

export interface Verification {
  readonly isSound: boolean;
  /** Length of a window of the ledger, seconds; null where no IDB tells it. */
  readonly windowSeconds: number | null;
  /** Null: there is none. */
  readonly queue: QueueVerification | null;
  readonly idb: IdbVerification | null;
}

export interface IdbVerification {
  readonly path: string;
  readonly schemaVersion: number | null;
  readonly queueId: string | null;
  readonly appliedPosition: string | null;
  /** Sentences; empty when it is sound and belongs to the queue. */
  readonly damage: readonly string[];
}

export interface Findings {
  readonly queue: QueueVerification | null;
  /** The queue's oldest position as it was before the IDB was read; null when it had none. */
  readonly firstPosition: bigint | null;
  readonly idb: { readonly path: string; readonly outcome: Exclude<InspectionOutcome, { kind: "unavailable" }> } | null;
}

/** The IDB must have been read before the queue: beside a running instance both grow. */
export function judge({ queue, firstPosition, idb }: Findings): Verification {
  const idbVerification = idb && judgeIdb(idb, queue, firstPosition);
  // A segment that retention took while it was read is told, but nothing is wrong with it.
  const isQueueSound = queue?.damage.every(({ what }) => what === "trimmed") ?? true;
  const isSound = isQueueSound && (idbVerification?.damage.length ?? 0) === 0;
  const windowSeconds =
    idb?.outcome.kind === "inspected" ? (idb.outcome.inspection.applied?.windowSeconds ?? null) : null;
  return { isSound, windowSeconds, queue, idb: idbVerification };
}

function judgeIdb(
  { path, outcome }: NonNullable<Findings["idb"]>,
  queue: QueueVerification | null,
  firstPosition: bigint | null,
): IdbVerification {
  if (outcome.kind === "refused") {
    return { path, schemaVersion: null, queueId: null, appliedPosition: null, damage: [outcome.message] };
  }
  const { complaints, schemaVersion, applied } = outcome.inspection;
  const damage = complaints.map((complaint) => `integrity check: ${complaint}`);
  if (applied === undefined && schemaVersion > 0) damage.push("its row in ICON_APPLIED is gone");
  const queueId = applied?.queueId ?? null;
  if (applied !== undefined && queueId !== null && queue !== null && queue.queueId !== null) {
    damage.push(...againstQueue({ queueId, position: BigInt(applied.position) }, queue, firstPosition));
  }
  return { path, schemaVersion, queueId, appliedPosition: applied?.position ?? null, damage };
}

function againstQueue(
  applied: { readonly queueId: string; readonly position: bigint },
  queue: QueueVerification,
  firstPosition: bigint | null,
): string[] {
  if (applied.queueId !== queue.queueId) {
    return [`it was written from queue ${applied.queueId}; the queue here is ${queue.queueId}`];
  }
  const { position } = applied;
  // Where files do not belong to the queue the last position is not known.
  const isEndKnown = !queue.damage.some(({ what }) => what === "format");
  if (isEndKnown && position > BigInt(queue.lastPosition)) {
    return [`its applied position ${position} is beyond the queue's last, ${queue.lastPosition}`];
  }
  if (firstPosition !== null && position > 0n && position + 1n < firstPosition) {
    return [`its applied position is ${position}, and the queue begins with ${firstPosition}: what is between is lost`];
  }
  return [];
}

const meaning: Record<QueueDamage["what"], string> = {
  records: "records damaged",
  gap: "gap after this segment: records are in no file",
  trimmed: "deleted by retention while they were read",
  header: "both copies of the header damaged: nothing in the segment can be read",
  "header copy": "one copy of the header damaged; no record is lost",
  head: "head damaged; no record is lost",
  seal: "seal damaged or missing",
  state: "live state beside the segment damaged; no record is lost, and a rebuild cannot begin there",
  "queue id": "segment of another queue",
  format: "no segment that this program can read, or not the one that its name says",
};

/** The lines for a person: one for each part, one for each finding, and the verdict. */
export function verificationLines({ isSound, windowSeconds, queue, idb }: Verification): string[] {
  const lines = [...queueLines(queue, windowSeconds), ...idbLines(idb)];
  return [...lines, isSound ? "Sound." : "Damage found. Nothing was changed."];
}

function queueLines(queue: QueueVerification | null, windowSeconds: number | null): string[] {
  if (queue === null) return ["queue: there is none"];
  const { queueId, segmentCount, recordCount, firstPosition, lastPosition, damage, tornFiles } = queue;
  return [
    `queue: ${queueId ?? "id unknown"}, segments ${segmentCount}, records ${recordCount}, positions ${firstPosition}–${lastPosition}`,
    ...tornFiles.map((file) => `  torn tail put aside by a start, no damage: ${file}`),
    ...damage.map((each) => `  ${damageLine(each, windowSeconds)}`),
  ];
}

/** One finding in words. */
export function damageLine(
  { what, segment, offset, positions, arrivedAfter, arrivedBefore }: QueueDamage,
  windowSeconds: number | null = null,
): string {
  const place = `${segment} offset ${offset}: ${meaning[what]}`;
  if (positions === null) return place;
  const { from, to } = positions;
  const range = from === to ? `position ${from}` : `positions ${from}–${to}`;
  const windows = windowSeconds === null ? "" : windowsText({ arrivedAfter, arrivedBefore, windowSeconds });
  return `${place}; ${range}, arrived between ${arrivedAfter ?? "the beginning"} and ${arrivedBefore ?? "the end"}${windows}`;
}

/** The windows of the ledger concerned, as far as arrivals tell the sources' time. */
function windowsText(of: {
  readonly arrivedAfter: string | null;
  readonly arrivedBefore: string | null;
  readonly windowSeconds: number;
}): string {
  const startOf = (time: string) => {
    const windowMs = of.windowSeconds * 1000;
    return new Date(Math.floor(Date.parse(time) / windowMs) * windowMs).toISOString();
  };
  const [from, to] = [of.arrivedAfter, of.arrivedBefore].map((time) => (time === null ? null : startOf(time)));
  if (from == null || to == null) return "";
  return from === to ? `; window ${from}` : `; windows ${from} to ${to}`;
}

function idbLines(idb: IdbVerification | null): string[] {
  if (idb === null) return ["IDB: there is none"];
  const { path, schemaVersion, appliedPosition, damage } = idb;
  return [
    `IDB: ${path}, schema ${schemaVersion ?? "unknown"}, applied position ${appliedPosition ?? "unknown"}`,
    ...damage.map((sentence) => `  ${sentence}`),
  ];
}
