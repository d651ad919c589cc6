// The recorded Asterisk, served to the running program, and asked of its IDB in SQL: per queue the entered, answered and
// abandoned counts, and each call's wait and talk, against that server's own queue_log. Expectations are read from the
// log; nothing of them is written down here.

import { afterAll, describe, expect, test } from "bun:test";
import {
  type LoggedStay,
  loadRecording,
  type RecordingName,
  readQueueLog,
  recordings,
} from "../harness/ami-recording.ts";
import { countByQueue, sawWhole } from "../harness/ami-whole.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  Simulator,
  TemporaryDirectory,
} from "../harness/processes.ts";

interface Row {
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
const staysSql = `
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

/** Serves the recording until its end; what is in the data directory then is asked. */
async function record(name: RecordingName, directory: string): Promise<string> {
  await using manager = await Simulator.start("ami", [
    "--recording",
    recordings[name].file,
    "--pace",
    "fast",
    "--once",
  ]);
  const lines = ['inbound_contexts = ["callers"]', 'internal_contexts = ["internal"]'];
  const setting: InstanceSetting = {
    directory,
    callDeletionTimeoutSeconds: 0,
    sources: [{ name: "pbx1", kind: "ami", address: manager.address, dbid: 301, lines }],
  };
  await using icon = await Instance.start(setting);
  await icon.ready();
  expect(await manager.ended()).toBe(0);
  expect(await icon.stop()).toBe(0);
  return dataDirectoryOf(setting);
}

async function ask<T>(dataDirectory: string, sql: string): Promise<T[]> {
  const words = ["sql", "--data-dir", dataDirectory, "--format", "json", sql];
  const child = Bun.spawn([await iconBinary(), ...words], { stdout: "pipe", stderr: "pipe" });
  const [answer, errors] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`Cannot ask the IDB: ${errors}`);
  return JSON.parse(answer) as T[];
}

describe.each(["ami", "a", "b"] as const)("recording %s, served to the running program", (name) => {
  const folder = new TemporaryDirectory("asterisk");
  afterAll(() => folder[Symbol.dispose]());
  const logged = readQueueLog(name);
  const whole = logged.filter(sawWhole(name));
  let dataDir = "";
  let told: Row[] = [];

  test("is taken in to its end, and everything in it can be decoded", async () => {
    dataDir = await record(name, folder.path);
    told = await ask<Row>(dataDir, staysSql);
    expect(await ask(dataDir, "SELECT COUNT(*) AS undecoded FROM ICON_UNDECODED")).toEqual([{ undecoded: 0 }]);
    expect(told.length).toBeGreaterThanOrEqual(whole.length);
  }, 60_000);

  test("per queue, entered, answered and abandoned of the calls seen whole are exactly the server's", () => {
    const ids = new Set(whole.map(({ callId }) => callId));
    expect(whole.length).toBeGreaterThan(0);
    expect(countByQueue(told.filter(({ uniqueId }) => ids.has(uniqueId)))).toEqual(countByQueue(whole));
  });

  test("each call seen whole waited and talked as long as the server says, within one second, and is not doubted", () => {
    for (const stay of whole) {
      const rows = told.filter((row) => row.uniqueId === stay.callId && row.queue === stay.queue);
      expect([stay.callId, rows.length]).toEqual([stay.callId, 1]);
      const [row] = rows;
      if (row === undefined) continue;
      expect([stay.callId, row.outcome, row.doubts]).toEqual([stay.callId, stay.outcome, 0]);
      expect(Math.abs(row.waitSeconds - (stay.endedAt - stay.enteredAt))).toBeLessThan(1);
      expect(row.member === null).toBe(stay.talk === null);
      if (stay.talk === null) continue;
      expect(stay.talk.member).toEndWith(row.member ?? "nobody");
      expect(Math.abs((row.talkSeconds ?? Number.NaN) - (stay.talk.endedAt - stay.talk.startedAt))).toBeLessThan(1);
    }
  });

  test("each cut-off stretch lies between two rows of G_DSS_GCC_PROVIDER", async () => {
    const { connections } = loadRecording(name);
    const sessions = await ask<{ type: number; first: number; last: number; closed: number }>(
      dataDir,
      `SELECT DSCONN_TYPE AS type, unixepoch(FEVENT_DSTIME, 'subsec') AS first,
         unixepoch(LEVENT_DSTIME, 'subsec') AS last, DSCONN_ETIME IS NOT NULL AS closed
       FROM G_DSS_GCC_PROVIDER WHERE FEVENT_DSTIME IS NOT NULL ORDER BY DSS_ID`,
    );
    expect(sessions.map(({ type, closed }) => [type, closed])).toEqual(
      connections.map((_, index) => [index === 0 ? 1 : 2, 1]),
    );
    for (const [index, { openedAt, closedAt }] of connections.entries()) {
      const session = sessions[index];
      expect(session?.first ?? 0).toBeGreaterThanOrEqual(openedAt / 1000 - 1);
      expect(session?.last ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(closedAt / 1000 + 1);
    }
  });

  test("calls seen in part are there, bounded and marked, and no call is left open", async () => {
    expect(await ask(dataDir, "SELECT COUNT(*) AS open FROM G_CALL WHERE TERMINATED IS NULL")).toEqual([{ open: 0 }]);
    const { connections } = loadRecording(name);
    const partial = logged.filter((stay) => !sawWhole(name)(stay) && wasThere(stay, connections));
    for (const stay of partial) {
      const calls = await ask<{ doubts: number; bounded: number }>(
        dataDir,
        `SELECT (SELECT COUNT(*) FROM ICON_ROW_QUALITY WHERE ROW_KEY = call.CALLID OR ROW_KEY IN
             (SELECT PARTYID FROM G_PARTY WHERE CALLID = call.CALLID)) AS doubts,
           (SELECT COUNT(*) FROM ICON_ROW_QUALITY WHERE EARLIEST > LATEST) = 0 AS bounded
         FROM G_CALL call WHERE CALLID = '${linkedIdOf(stay)}'`,
      );
      expect([stay.callId, calls.length]).toEqual([stay.callId, 1]);
      expect([stay.callId, calls[0]?.bounded]).toEqual([stay.callId, 1]);
      // A call may go on through a cut without changing; then everything about it was seen.
      if (missedAChange(stay, connections))
        expect([stay.callId, (calls[0]?.doubts ?? 0) > 0]).toEqual([stay.callId, true]);
    }
  });
});

interface Connected {
  readonly openedAt: number;
  readonly closedAt: number;
}

/** Whether one of the logged changes surely fell into a cut; the log has whole seconds. */
function missedAChange(stay: LoggedStay, connections: readonly Connected[]): boolean {
  const changes = [stay.enteredAt, stay.endedAt, ...(stay.talk === null ? [] : [stay.talk.endedAt])];
  return changes.some((at) =>
    connections.every(({ openedAt, closedAt }) => at + 1 < openedAt / 1000 || at > closedAt / 1000),
  );
}

/** Whether an observer that was connected at those times must have seen something of it. */
function wasThere(stay: LoggedStay, connections: readonly Connected[]) {
  const end = Math.max(stay.endedAt, stay.talk?.endedAt ?? 0);
  return connections.some(({ openedAt, closedAt }) => {
    const from = Math.max(stay.enteredAt + 1, openedAt / 1000 + 1);
    return from < Math.min(end, closedAt / 1000);
  });
}

/** The Linkedid is the unique id of the caller's first half, the one before the waiting second half. */
function linkedIdOf({ callId }: LoggedStay): string {
  return callId.replace(/\d+$/, (number) => String(Number(number) - 1));
}
