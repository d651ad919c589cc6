// The recorded Asterisk, served to the running program, and asked of its IDB in SQL: per queue the entered, answered and
// abandoned counts, and each call's wait and talk, against that server's own queue_log. Expectations are read from the
// log; nothing of them is written down here.

import { afterAll, describe, expect, test } from "bun:test";
import { readAgentLog } from "../harness/ami-agent-log.ts";
import {
  type LoggedStay,
  loadRecording,
  type RecordingName,
  readQueueLog,
  recordings,
} from "../harness/ami-recording.ts";
import { askIdb as ask, linkedIdOf, type RecordedStay as Row, staysSql } from "../harness/ami-stays.ts";
import { countByQueue, sawWhole } from "../harness/ami-whole.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  Simulator,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

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
  await until("all that was served is recorded", 30_000, async () => {
    const { sources, queue } = await icon.status();
    return sources[0]?.state !== "connected" && queue.recordsNotApplied === 0;
  });
  expect(await icon.stop()).toBe(0);
  return dataDirectoryOf(setting);
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
  }, 180_000);

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

  test("members' times in queues, and paused seconds per reason of those of whom all was seen, are the server's", async () => {
    const { memberships, pauses } = readAgentLog(name);
    const told = await ask<{ agent: string; queue: string; begun: number; over: number; doubts: number }>(
      dataDir,
      `SELECT s.AGENTLOGIN AS agent, e.QUEUEDN AS queue, unixepoch(e.CREATED, 'subsec') AS begun,
         unixepoch(e.TERMINATED, 'subsec') AS over,
         (SELECT COUNT(*) FROM ICON_ROW_QUALITY q WHERE q.ROW_KEY = s.LOGINSESSIONID) AS doubts
       FROM G_LOGIN_SESSION s JOIN GX_SESSION_ENDPOINT e ON e.LOGINSESSIONID = s.LOGINSESSIONID`,
    );
    const reasons = await ask<{ agent: string; reason: string; seconds: number }>(
      dataDir,
      `SELECT s.AGENTLOGIN AS agent, r.VALUE AS reason,
         SUM(unixepoch(r.TERMINATED, 'subsec') - unixepoch(r.CREATED, 'subsec')) AS seconds
       FROM G_LOGIN_SESSION s JOIN G_AGENT_STATE_RC r ON r.SESSIONID = s.LOGINSESSIONID GROUP BY 1, 2`,
    );
    expect(told.length).toBe(memberships.length);
    for (const { agent, what, from, to } of memberships) {
      const row = told.find((each) => each.agent === agent && each.queue === what);
      expect(Math.abs((row?.begun ?? 0) - from)).toBeLessThan(1);
      expect(Math.abs((row?.over ?? 0) - to)).toBeLessThan(1);
      if (row?.doubts !== 0) continue;
      for (const { reason, seconds } of reasons.filter((each) => each.agent === agent)) {
        const logged = pauses.filter((pause) => pause.agent === agent && pause.what === reason);
        const paused = logged.reduce((sum, pause) => sum + pause.to - pause.from, 0);
        expect(Math.abs(seconds - paused)).toBeLessThan(logged.length);
      }
    }
    expect(told.some(({ doubts }) => doubts === 0)).toBe(true);
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
