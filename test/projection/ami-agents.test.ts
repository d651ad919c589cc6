// The oracle of agents: what the projection makes of a recorded Asterisk's queue members, held against that server's own
// queue_log. Expectations are read from the log; nothing of them is written down here.

import { describe, expect, test } from "bun:test";
import { agentStates, ccEventCauses } from "../../schema/dictionary.ts";
import type { RowOf, TableName } from "../../schema/tables.ts";
import { stepRecord } from "../../src/projection/projection.ts";
import { readAgentLog, type Span, unionSeconds } from "../harness/ami-agent-log.ts";
import { noContexts } from "../harness/ami-fold.ts";
import { asteriskPayloads } from "../harness/ami-payloads.ts";
import { loadRecording, type RecordingName } from "../harness/ami-recording.ts";
import { batchedRows } from "../harness/batched-rows.ts";
import { MemoryWorld } from "../harness/memory-world.ts";

function rowsOf(name: RecordingName) {
  const world = new MemoryWorld();
  let position = 0n;
  for (const payload of payloadsOf(name)) stepRecord(world, { windowSeconds: 60 }, ++position, payload);
  const written = world.written;
  return <T extends TableName>(table: T): RowOf<T>[] => {
    const byId = new Map<unknown, RowOf<T>>();
    for (const each of written) {
      if (each.table === table) byId.set((each.row as { ID?: unknown }).ID, each.row as RowOf<T>);
    }
    return [...byId.values()];
  };
}

function payloadsOf(name: RecordingName): Uint8Array[] {
  return asteriskPayloads(noContexts, name, { role: ["gcc", "gls"], withLists: true });
}

const seconds = (text: string | null | undefined) => Date.parse(text ?? "") / 1000;

describe.each(["ami", "a", "b"] as const)("members of recording %s against its queue_log", (name) => {
  const logged = readAgentLog(name);
  const rows = rowsOf(name);
  const sessions = rows("G_LOGIN_SESSION");
  const agentOf = (sessionId: string | null | undefined) =>
    sessions.find(({ LOGINSESSIONID }) => LOGINSESSIONID === sessionId)?.AGENTLOGIN ?? "";
  const doubtful = new Set(
    rows("ICON_ROW_QUALITY").flatMap((row) => (row.TABLE_NAME === "G_LOGIN_SESSION" ? [agentOf(row.ROW_KEY)] : [])),
  );
  const { connections } = loadRecording(name);
  const isHeard = ({ from, to }: Span) =>
    connections.some(({ openedAt, closedAt }) => openedAt / 1000 <= from && to + 1 <= closedAt / 1000);

  test("each member's time in a queue is a login session of the same agent, to the second", () => {
    const told = rows("GX_SESSION_ENDPOINT").map((row): Span => {
      const [from, to] = [seconds(row.CREATED), seconds(row.TERMINATED)];
      return { agent: agentOf(row.LOGINSESSIONID), what: row.QUEUEDN ?? "", from, to };
    });
    expect(logged.memberships.length).toBeGreaterThan(0);
    expect(told.length).toBe(logged.memberships.length);
    for (const { agent, what, from, to } of logged.memberships) {
      const span = told.find((each) => each.agent === agent && each.what === what);
      expect(Math.abs((span?.from ?? 0) - from)).toBeLessThan(1);
      expect(Math.abs((span?.to ?? 0) - to)).toBeLessThan(1);
    }
  });

  test("paused seconds per agent and reason are the server's, also of pauses during a call", () => {
    const told = new Map<string, number>();
    for (const row of rows("G_AGENT_STATE_RC")) {
      const span = { agent: agentOf(row.SESSIONID), what: "", from: seconds(row.CREATED), to: seconds(row.TERMINATED) };
      if (!isHeard({ ...span, from: Math.floor(span.from), to: Math.floor(span.to) })) continue;
      const key = `${span.agent} ${row.VALUE}`;
      told.set(key, (told.get(key) ?? 0) + span.to - span.from);
    }
    const expected = new Map<string, { seconds: number; count: number }>();
    for (const pause of logged.pauses.filter(isHeard)) {
      const key = `${pause.agent} ${pause.what}`;
      const known = expected.get(key) ?? { seconds: 0, count: 0 };
      expected.set(key, { seconds: known.seconds + pause.to - pause.from, count: known.count + 1 });
    }
    expect(expected.size).toBeGreaterThan(2);
    expect([...told.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [key, { seconds: paused, count }] of expected) {
      expect(Math.abs((told.get(key) ?? Number.NaN) - paused)).toBeLessThan(count);
    }
  });

  test("an agent of whom everything was seen was busy as long as the server says that calls were answered", () => {
    const busy = new Map<string, number>();
    const history = rows("G_AGENT_STATE_HISTORY").filter(({ TYPE }) => TYPE === 5);
    for (const [index, row] of history.entries()) {
      if (row.STATE !== agentStates.busy) continue;
      const next = history.slice(index + 1).find(({ LOGINSESSIONID }) => LOGINSESSIONID === row.LOGINSESSIONID);
      const agent = agentOf(row.LOGINSESSIONID);
      busy.set(agent, (busy.get(agent) ?? 0) + seconds(next?.ADDED) - seconds(row.ADDED));
    }
    const agents = [...new Set(logged.talks.map(({ agent }) => agent))].filter((agent) => !doubtful.has(agent));
    expect(agents.length).toBeGreaterThan(0);
    for (const agent of agents) {
      const talks = logged.talks.filter((each) => each.agent === agent);
      expect(Math.abs((busy.get(agent) ?? 0) - unionSeconds(talks))).toBeLessThan(talks.length);
    }
  });

  test("calls that rang in vain, and that were transferred blindly, are as many as the server counted", () => {
    const parties = rows("G_PARTY");
    const count = (cause: number) => parties.filter(({ CCEVENTCAUSE }) => CCEVENTCAUSE === cause).length;
    expect(count(ccEventCauses.noAnswer)).toBe(logged.counts["RINGNOANSWER"] ?? 0);
    expect(count(ccEventCauses.transferred)).toBe(logged.counts["BLINDTRANSFER"] ?? 0);
  });

  test("batches and restarts of the instance change no row", () => {
    const payloads = payloadsOf(name);
    expect(batchedRows(payloads, 97)).toEqual(batchedRows(payloads, payloads.length));
  });
});

test("both observers of a pair give each session the same key", () => {
  const keys = (name: RecordingName) =>
    rowsOf(name)("G_LOGIN_SESSION").map((row) => [row.AGENTLOGIN, row.LOGINSESSIONID]);
  expect(keys("a").length).toBe(5);
  expect(keys("a")).toEqual(keys("b"));
});
