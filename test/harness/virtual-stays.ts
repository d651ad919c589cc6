// Stays in virtual queues as an IDB has them, held against what a simulated T-Server says of them.

import { virtualQueueCauses } from "../../schema/dictionary.ts";
import { sourceInstant, timestampText } from "../../src/event/instant.ts";
import { openReading } from "../../src/idb/reading.ts";
import type { ObservedDetail } from "../../src/simulator/tserver/observed-details.ts";

interface StoredStay {
  readonly VQID: string;
  readonly ENDPOINTDN: string;
  readonly CREATED: string;
  readonly TERMINATED: string | null;
  readonly CAUSE: number | null;
  readonly DISTCALLID: string | null;
  readonly isEndDoubtful: 0 | 1;
}

type ToldStay = ObservedDetail["virtualStays"][number];

/** One line a difference; `told` of any oracle: of a truth nothing has ended unseen. */
export function virtualStayDifferences(
  idbPath: string,
  told: readonly { readonly virtualStays: readonly ToldStay[] }[],
): { readonly stays: number; readonly differences: readonly string[] } {
  const stored = new Map(readStays(idbPath).map((stay) => [stay.VQID, stay]));
  const differences: string[] = [];
  const stays = told.flatMap(({ virtualStays }) => virtualStays);
  for (const stay of stays) {
    const row = stored.get(stay.vqid);
    stored.delete(stay.vqid);
    const problem = row === undefined ? "is missing" : differenceOf(row, stay);
    if (problem !== null) differences.push(`stay ${stay.vqid} in ${stay.dn}: ${problem}`);
  }
  for (const vqid of stored.keys()) differences.push(`stay ${vqid} was never there`);
  return { stays: stays.length, differences };
}

function differenceOf(row: StoredStay, stay: ToldStay): string | null {
  if (row.ENDPOINTDN !== stay.dn) return `is in ${row.ENDPOINTDN}`;
  if (row.CREATED !== text(stay.from)) return `CREATED is ${row.CREATED}, should be ${text(stay.from)}`;
  if (stay.endedUnseen !== undefined) {
    if (row.CAUSE !== virtualQueueCauses.notSeen) return `CAUSE is ${row.CAUSE}, though nobody saw its end`;
    if (!row.isEndDoubtful) return "its end is not marked, though nobody saw it";
    const { earliest, earliestMax } = stay.endedUnseen;
    const [from, until] = [text(Math.max(earliest, stay.from)), text(Math.max(earliestMax, stay.from))];
    const isBetween = row.TERMINATED !== null && row.TERMINATED >= from && row.TERMINATED <= until;
    return isBetween ? null : `TERMINATED is ${row.TERMINATED}, should be between ${from} and ${until}`;
  }
  if (stay.to === null || stay.endEvent === null) {
    // It goes on, or went with its call.
    return row.TERMINATED === null || row.CAUSE === virtualQueueCauses.notSeen
      ? null
      : `TERMINATED is ${row.TERMINATED}`;
  }
  const cause = stay.endEvent === "EventAbandoned" ? virtualQueueCauses.abandoned : virtualQueueCauses.normal;
  if (row.TERMINATED !== text(stay.to)) return `TERMINATED is ${row.TERMINATED}, should be ${text(stay.to)}`;
  if (row.CAUSE !== cause) return `CAUSE is ${row.CAUSE}, should be ${cause}`;
  return (row.DISTCALLID !== null) === (stay.target !== null) ? null : `DISTCALLID is ${row.DISTCALLID}`;
}

function text(ms: number): string {
  return timestampText(sourceInstant(ms));
}

function readStays(idbPath: string): StoredStay[] {
  const reading = openReading(idbPath);
  try {
    return reading.database
      .prepare(
        `SELECT v.VQID, v.ENDPOINTDN, v.CREATED, v.TERMINATED, v.CAUSE, v.DISTCALLID,
           EXISTS (SELECT 1 FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = v.VQUEUEID AND q.REASON = 'end not seen') AS isEndDoubtful
         FROM G_VIRTUAL_QUEUE v`,
      )
      .all() as StoredStay[];
  } finally {
    reading.close();
  }
}
