// Agents' states, from rows written by hand: 2026-11-23 and 24 are known whole, of the 25th the server was heard until noon.

import { afterAll, beforeAll, expect, test } from "bun:test";
import Database from "libsql";
import { agentChangeTypes, agentStates } from "../../schema/dictionary.ts";
import { query, TemporaryDirectory } from "./temporary.ts";

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());

const day = Date.parse("2026-11-23T00:00:00Z") / 1000;
const hours = (count: number) => day + count * 3600;
const text = (seconds: number) => new Date(seconds * 1000).toISOString();

type State = keyof typeof agentStates;
interface Session {
  readonly id: string;
  readonly login: string;
  readonly dn: string;
  readonly from: number;
  readonly until: number | null;
  readonly states: readonly (readonly [hour: number, state: State, queue?: string])[];
}

const sessions: readonly Session[] = [
  {
    ...{ id: "s1", login: "anna", dn: "5101", from: 8, until: 12 },
    states: [
      ...([
        [8, "notReady"],
        [8.5, "ready"],
        [9, "busy"],
      ] as const),
      ...([
        [9.25, "afterCallWork"],
        [9.5, "ready"],
        [11, "login"],
        [12, "null"],
      ] as const),
    ],
  },
  // Over midnight, without a word at its end but the session's.
  {
    id: "s2",
    login: "ben",
    dn: "5102",
    from: 22,
    until: 30,
    states: [
      [22, "ready"],
      [25, "notReady"],
    ],
  },
  // Against two queues: a row each.
  {
    ...{ id: "s3", login: "carl", dn: "5103", from: 9, until: 10 },
    states: [
      [9, "ready", "8001"],
      [9, "notReady", "8002"],
      [9.5, "notReady", "8001"],
    ],
  },
  // Goes on since the 24th; of him the 25th is not known yet.
  {
    id: "s4",
    login: "dora",
    dn: "5104",
    from: 40,
    until: null,
    states: [
      [40, "ready"],
      [50, "busy"],
    ],
  },
  { id: "s5", login: "emil", dn: "5105", from: 26, until: 27, states: [[26, "ready"]] },
];

beforeAll(() => {
  directory.open().close();
  const database = new Database(directory.idb);
  database.exec(`
    INSERT INTO G_DSS_GLS_PROVIDER (DSS_ID, ICON_DBID, DS_DBID, DS_DBID_PRIM, DS2_DBID) VALUES (7, 9001, 102, 101, 1);
    INSERT INTO ICON_COVERAGE (ID, SOURCE, SOURCE_CLUSTER, SWITCH_DBID, RUN, FROM_TIME, FROM_SEQ, UNTIL_TIME, UNTIL_SEQ, LATENESS_MS,
      BEGAN_BECAUSE, VERSION) VALUES (1, 'north', 101, 1, 'r', '${text(hours(-1))}', 0, '${text(hours(60))}', 900, 0, 'first connection', 1);
    INSERT INTO ICON_ROW_QUALITY (ID, TABLE_NAME, ROW_KEY, REASON) VALUES (1, 'G_LOGIN_SESSION', 's5', 'end not seen')`);
  for (const { id, login, dn, from, until, states } of sessions) {
    const ended = until === null ? [null, null] : [text(hours(until)), hours(until)];
    database
      .prepare(
        `INSERT INTO G_LOGIN_SESSION (LOGINSESSIONID, STATE, AGENTLOGIN, CREATED, CREATED_TS, TERMINATED, TERMINATED_TS, GSYS_DOMAIN)
         VALUES (?, ?, ?, ?, ?, ?, ?, 7)`,
      )
      .run([id, until === null ? 1 : 0, login, text(hours(from)), hours(from), ...ended]);
    for (const [index, [hour, state, queue]] of states.entries()) {
      const insert = database.prepare(
        `INSERT INTO G_AGENT_STATE_HISTORY (TYPE, STATE, SEQ, LOGINSESSIONID, ENDPOINTDN, QUEUEDN, ADDED, ADDED_TS, GSYS_DOMAIN)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, 7)`,
      );
      const when = [text(hours(hour)), hours(hour)];
      insert.run([agentChangeTypes.state, agentStates[state], index * 2 + 1, id, dn, queue ?? null, ...when]);
      // A work mode and a call are no change of the state.
      insert.run([agentChangeTypes.workMode, agentStates.ready, index * 2 + 2, id, dn, queue ?? null, ...when]);
    }
  }
  database.close();
});

test("each stretch of a state ends with the next on the same DN and queue, or with the session", () => {
  const sql =
    "SELECT AGENTLOGIN, QUEUE, STATE, STATE_FROM, SECONDS FROM ICON_V_AGENT_STATE WHERE AGENTLOGIN IN ('ben', 'carl', 'dora')";
  expect(query(directory.idb, `${sql} ORDER BY AGENTLOGIN, STATE_FROM, QUEUE`)).toEqual([
    ["ben", null, "ready", text(hours(22)), 3 * 3600],
    ["ben", null, "not ready", text(hours(25)), 5 * 3600],
    ["carl", "8001", "ready", text(hours(9)), 1800],
    ["carl", "8002", "not ready", text(hours(9)), 3600],
    ["carl", "8001", "not ready", text(hours(9.5)), 1800],
    ["dora", null, "ready", text(hours(40)), 10 * 3600],
    ["dora", null, "busy", text(hours(50)), null],
  ]);
});

test("a day has the parts of the states that lie in it, and null where it is not known whole", () => {
  const measures =
    "LOGIN_SECONDS, READY_SECONDS, NOT_READY_SECONDS, AFTER_CALL_SECONDS, BUSY_SECONDS, UNKNOWN_SECONDS, OCCUPANCY";
  const sql = `SELECT AGENTLOGIN, QUEUE, date(INTERVAL_TS, 'unixepoch'), INCOMPLETE_BECAUSE, ${measures}
    FROM ICON_V_AGENT_QUEUE_DAY ORDER BY AGENTLOGIN, INTERVAL_TS, QUEUE`;
  const unknown = [null, null, null, null, null, null, null];
  expect(query(directory.idb, sql)).toEqual([
    ["anna", null, "2026-11-23", null, 14_400, 7200, 1800, 900, 900, 3600, 0.2],
    ["ben", null, "2026-11-23", null, 7200, 7200, 0, 0, 0, 0, 0],
    ["ben", null, "2026-11-24", null, 21_600, 3600, 18_000, 0, 0, 0, 0],
    ["carl", "8001", "2026-11-23", null, 3600, 1800, 1800, 0, 0, 0, 0],
    ["carl", "8002", "2026-11-23", null, 3600, 0, 3600, 0, 0, 0, null],
    ["dora", null, "2026-11-24", null, 28_800, 28_800, 0, 0, 0, 0, 0],
    ["dora", null, "2026-11-25", "not heard yet", ...unknown],
    ["emil", null, "2026-11-24", "session not seen", ...unknown],
  ]);
});
