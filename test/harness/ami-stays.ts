// What an IDB says of the stays in Asterisk's queues, in the terms of queue_log: asked in SQL, of the program.

import type { LoggedStay } from "./ami-recording.ts";
import { iconBinary } from "./processes.ts";

/** One stay in a queue, and the talk that came of it. */
export interface RecordedStay {
  readonly uniqueId: string;
  readonly queue: string;
  readonly outcome: string;
  readonly waitSeconds: number;
  readonly member: string | null;
  readonly talkSeconds: number | null;
  readonly doubts: number;
}

// A stay is answered when it was diverted with CallStateOk; the talk that follows is the agent's party of the same call
// whose connected state begins where the stay ends.
export const staysSql = `
  WITH change AS (
    SELECT PARTYID, STATE, PREVSTATE, PSEQ, unixepoch(ADDED, 'subsec') AS AT FROM G_PARTY_HISTORY
  ),
  talk AS (
    SELECT party.CALLID, party.ENDPOINTDN AS DN, begun.AT AS BEGAN, ended.AT AS ENDED, party.PARTYID
    FROM G_PARTY party
    JOIN change begun ON begun.PARTYID = party.PARTYID AND begun.STATE = 3
    JOIN change ended ON ended.PARTYID = party.PARTYID AND ended.STATE = 1
    WHERE party.TYPE = 1
  )
  SELECT channel.UNIQUEID AS uniqueId, stay.ENDPOINTDN AS queue,
    CASE WHEN stay.CCEVENT = 59 THEN 'abandoned'
         WHEN stay.CCEVENT = 58 AND stay.CCEVENTCAUSE = 0 THEN 'answered'
         WHEN stay.CCEVENT = 58 THEN 'left' ELSE 'unknown' END AS outcome,
    left_at.AT - entered.AT AS waitSeconds, talk.DN AS member, talk.ENDED - talk.BEGAN AS talkSeconds,
    (SELECT COUNT(*) FROM ICON_ROW_QUALITY doubt WHERE doubt.ROW_KEY IN (stay.PARTYID, talk.PARTYID)) AS doubts
  FROM G_PARTY stay
  JOIN change entered ON entered.PARTYID = stay.PARTYID AND entered.PSEQ = 1 AND entered.STATE = 5
  JOIN ICON_PARTY_CHANNEL channel ON channel.PARTYID = stay.PARTYID
  LEFT JOIN change left_at ON left_at.PARTYID = stay.PARTYID AND left_at.STATE = 1
  LEFT JOIN talk ON talk.CALLID = stay.CALLID AND abs(talk.BEGAN - left_at.AT) < 0.01
    AND stay.CCEVENT = 58 AND stay.CCEVENTCAUSE = 0`;

/** `place`: an IDB file, or a data directory. */
export async function askIdb<T>(place: string, sql: string): Promise<T[]> {
  const words = ["sql", "--format", "json", sql, place];
  const child = Bun.spawn([await iconBinary(), ...words], { stdout: "pipe", stderr: "pipe" });
  const [answer, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`Cannot ask the IDB: ${errors}`);
  return JSON.parse(answer) as T[];
}

/** The Linkedid is the unique id of the caller's first half, the one before the waiting second half. */
export function linkedIdOf({ callId }: LoggedStay): string {
  return callId.replace(/\d+$/, (number) => String(Number(number) - 1));
}
