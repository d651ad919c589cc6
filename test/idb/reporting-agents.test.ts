// Agents, virtual queues and attached data of a T-Server's morning, through the projection, in the views: held against the
// plan of that morning, moment by moment.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { ExtractionSetting } from "../extraction/extraction-setting.ts";
import { ScriptedAgents } from "../extraction/scripted-agents.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { plannedSessions, secondsOf } from "../harness/reporting-agents.ts";
import {
  daySeconds,
  dayStartTs,
  isForgotten,
  plan,
  reportingDay,
  toldOfDay,
  virtualQueuesOf,
} from "../harness/reporting-day.ts";
import { query, TemporaryDirectory, tamper } from "./temporary.ts";

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());
let idb = "";

beforeAll(async () => {
  mkdirSync(`${directory.path}/day`);
  idb = await storeCopy({ directory: `${directory.path}/day`, payloads: reportingDay() });
});

const round = (seconds: number) => Math.round(seconds * 1000) / 1000;
const text = (seconds: number) => new Date((dayStartTs + seconds) * 1000).toISOString().replace(".000Z", "Z");

/** Why nobody knows an interval of the morning whole. */
function whyUnknown(from: number, length: number): string | null {
  const words = [
    [0, 900, "not listened yet"],
    [3600, 4500, "gap reported"],
    [6300, daySeconds + 1, "not heard yet"],
  ] as const;
  return words.find(([begin, end]) => from < end && from + length > begin)?.[2] ?? null;
}

test.each([
  [15, 900],
  [30, 1800],
])("an agent at several desks and queues counts once at a time, per %d minutes", (minutes, length) => {
  const told = toldOfDay();
  const logins = [...new Set(plannedSessions.map(({ login }) => login))];
  const expected = logins.flatMap((login) =>
    Array.from({ length: daySeconds / length }, (_, index) => index * length).flatMap((from) => {
      const here = plannedSessions.filter(
        (each) => each.login === login && each.from < from + length && (each.until ?? daySeconds) > from,
      );
      // Nobody saw when this one ended: when the connection was lost at the earliest. Before that all was seen.
      const isEndUnseen = here.some(({ isEndSeen }) => !isEndSeen);
      if (here.length === 0 || (isEndUnseen && from > 3720)) return [];
      const isUnseen = isEndUnseen && from + length > 3720;
      const why = [whyUnknown(from, length), isUnseen ? "session not seen" : null].filter((each) => each !== null);
      if (why.length > 0) return [[login, text(from), why.join(","), ...Array.from({ length: 7 }, () => null)]];
      const seconds = secondsOf(login, told, [from, from + length]);
      const of = (state: Parameters<typeof seconds.get>[0]) => round(seconds.get(state) ?? 0);
      const [busy, after, ready] = [of("busy"), of("after-call work"), of("ready")];
      const all = round([...seconds.values()].reduce((sum, each) => sum + each, 0));
      const occupancy = Number(((busy + after) / (busy + after + ready)).toFixed(4));
      return [[login, text(from), null, all, ready, of("not ready"), after, busy, of("login"), occupancy]];
    }),
  );
  const rows = query(
    idb,
    `SELECT AGENTLOGIN, INTERVAL_START, INCOMPLETE_BECAUSE, LOGIN_SECONDS, READY_SECONDS, NOT_READY_SECONDS,
       AFTER_CALL_SECONDS, BUSY_SECONDS, UNKNOWN_SECONDS, OCCUPANCY
     FROM ICON_V_AGENT_${minutes} ORDER BY AGENTLOGIN, INTERVAL_TS`,
  );
  expect(rows).toEqual(expected);
  expect(rows.filter(([, , why]) => why === null).length).toBeGreaterThan(2);
});

test("per desk and queue the same time stands once for each", () => {
  const [from, until] = [1800, 2700];
  const rows = query(
    idb,
    `SELECT AGENTLOGIN, DN, QUEUE, LOGIN_SECONDS FROM ICON_V_AGENT_QUEUE_15
     WHERE INTERVAL_TS = ${dayStartTs + from} AND IS_COMPLETE ORDER BY AGENTLOGIN, DN, QUEUE`,
  );
  const expected = plannedSessions
    .filter((each) => each.from < until && (each.until ?? until) > from)
    .flatMap(({ login, dn, queues, until: end, ...each }) =>
      queues.map((queue) => [login, dn, queue, Math.min(end ?? until, until) - Math.max(each.from, from)]),
    );
  expect(rows).toEqual(expected.sort((one, other) => (String(one) < String(other) ? -1 : 1)));
  const [together] = query(
    idb,
    `SELECT DNS, LOGIN_SECONDS FROM ICON_V_AGENT_15 WHERE INTERVAL_TS = ${dayStartTs + from} AND AGENTLOGIN = '1003'`,
  );
  expect(together).toEqual(["5103,5105", 900]);
});

interface Wait {
  readonly queue: string;
  readonly at: number;
  readonly outcome: string;
  readonly seconds: number | null;
}

/** What each call's waits in virtual queues come to. */
const waits: readonly Wait[] = plan.flatMap((call) =>
  virtualQueuesOf(call).map((queue): Wait => {
    const { enteredAt: at, queueSeconds, fate } = call.stay;
    const wait = { queue, at, seconds: queueSeconds };
    if (fate.kind === "waiting") return { ...wait, outcome: "waiting", seconds: null };
    if (fate.kind === "not seen") return { ...wait, outcome: "not seen" };
    if (fate.kind === "abandoned") return { ...wait, outcome: "abandoned" };
    if (queue === "VQ_Gold" && isForgotten(call) && fate.kind === "answered") {
      const rest = fate.ringSeconds + fate.talkSeconds + fate.holdSeconds;
      return { ...wait, outcome: "cleared", seconds: queueSeconds + rest };
    }
    return { ...wait, outcome: queue === "VQ_Gold" && "agent" in fate ? "distributed" : "left" };
  }),
);

test("each stay in a virtual queue has its outcome and its seconds", () => {
  const rows = query(idb, "SELECT QUEUE, ENTERED, OUTCOME, SECONDS FROM ICON_V_VIRTUAL_STAY ORDER BY ENTERED, QUEUE");
  const expected = waits
    .toSorted((one, other) => one.at - other.at || (one.queue < other.queue ? -1 : 1))
    .map(({ queue, at, outcome, seconds }) => {
      const bound = outcome === "not seen" ? expect.any(Number) : seconds;
      return [queue, new Date((dayStartTs + at) * 1000).toISOString(), outcome, bound];
    });
  expect(rows).toEqual(expected);
  expect(new Set(rows.map(([, , outcome]) => outcome)).size).toBe(6);
});

test.each([
  [15, 900],
  [30, 1800],
])("stays in virtual queues per %d minutes: null where it is not known, 0 where nobody came", (minutes, length) => {
  const expected = ["VQ_Gold", "VQ_Spare"].flatMap((queue) =>
    Array.from({ length: daySeconds / length + 1 }, (_, index) => index * length).flatMap((from) => {
      if (from === daySeconds) return [];
      const here = waits.filter((each) => each.queue === queue && each.at >= from && each.at < from + length);
      const isUnseen = here.some(({ outcome }) => outcome === "not seen");
      const why = [whyUnknown(from, length), isUnseen ? "call not seen" : null].filter((each) => each !== null);
      if (why.length > 0) return [[queue, text(from), why.join(","), ...Array.from({ length: 10 }, () => null)]];
      const of = (...outcomes: readonly string[]) => here.filter(({ outcome }) => outcomes.includes(outcome));
      const sum = (of: readonly Wait[]) => round(of.reduce((all, { seconds }) => all + (seconds ?? 0), 0));
      const over = here.flatMap(({ seconds }) => seconds ?? []);
      const distributed = of("distributed");
      return [
        [
          ...[queue, text(from), null, here.length, distributed.length, of("abandoned").length],
          ...[of("left", "cleared").length, of("waiting").length, sum(distributed), sum(of("abandoned"))],
          ...[sum(of("left", "cleared")), over.length === 0 ? null : Math.max(...over)],
          distributed.length === 0 ? null : round(sum(distributed) / distributed.length),
        ],
      ];
    }),
  );
  const rows = query(
    idb,
    `SELECT QUEUE, INTERVAL_START, INCOMPLETE_BECAUSE, ENTERED, DISTRIBUTED, ABANDONED, ENDED_OTHERWISE, STILL_THERE,
       DISTRIBUTED_SECONDS, ABANDON_SECONDS, OTHER_SECONDS, LONGEST_SECONDS, AVERAGE_DISTRIBUTED_SECONDS
     FROM ICON_V_VIRTUAL_QUEUE_${minutes} ORDER BY QUEUE, INTERVAL_TS`,
  );
  expect(rows).toEqual(expected);
  expect(rows.filter(([, , why]) => why === null).length).toBeGreaterThan(0);
});

test.each([
  ["SELECT * FROM ICON_V_AGENT_15 WHERE INTERVAL_TS >= 1 AND INTERVAL_TS < 2", "IDX_G_LOGIN_SESSION_TERMINATED_TS"],
  [
    "SELECT * FROM ICON_V_AGENT_QUEUE_15 WHERE INTERVAL_TS >= 1 AND INTERVAL_TS < 2",
    "IDX_G_LOGIN_SESSION_TERMINATED_TS",
  ],
  [
    "SELECT * FROM ICON_V_AGENT_STATE WHERE SESSION_FROM_TS >= 1 AND SESSION_FROM_TS < 2",
    "IDX_G_LOGIN_SESSION_CREATED_TS",
  ],
  [
    "SELECT * FROM ICON_V_VIRTUAL_QUEUE_15 WHERE INTERVAL_TS >= 1 AND INTERVAL_TS < 2",
    "ENDPOINTDN=? AND CREATED_TS>? AND CREATED_TS<?",
  ],
  [
    "SELECT * FROM ICON_V_VIRTUAL_STAY WHERE ENTERED_TS >= 1 AND ENTERED_TS < 2",
    "ENDPOINTDN=? AND CREATED_TS>? AND CREATED_TS<?",
  ],
])("nobody is looked at who was not asked for: %s", (sql, index) => {
  const steps = query(idb, `EXPLAIN QUERY PLAN ${sql}`).map(([, , , step]) => String(step));
  expect(steps.some((step) => step.includes(index))).toBe(true);
  const scanned = steps.flatMap((step) => /^SCAN (\w+)(?! VIRTUAL)/.exec(step)?.[1] ?? []);
  expect(scanned.filter((name) => ["l", "h", "v", "n"].includes(name) || name.startsWith("G_"))).toEqual([]);
  expect(steps.filter((step) => /AUTOMATIC.*\b[hlnv]\b|\b[hlnv] USING AUTOMATIC/.test(step))).toEqual([]);
});

test("an extraction's output takes agents by how their sessions were extracted, whatever else has the same DSS_ID", async () => {
  using setting = new ExtractionSetting(
    new ScriptedAgents({ seed: 5, agents: 4, steps: 12, pauseSeconds: 3, hasOrigins: true }),
  );
  await setting.truth();
  await setting.extract(["truth"], "out.db");
  const out = setting.at("out.db");
  const states = "SELECT LOGINSESSIONID, DN, QUEUE, STATE, STATE_FROM, STATE_UNTIL FROM ICON_V_AGENT_STATE";
  const sources = "SELECT DISTINCT SOURCE_CLUSTER, SWITCH_DBID FROM ICON_V_AGENT_STATE";
  const before = query(out, `${states} ORDER BY 1, 5, 2, 3`);
  expect(before).toEqual(query(setting.idb("truth"), `${states} ORDER BY 1, 5, 2, 3`));
  expect(before.length).toBeGreaterThan(20);
  // Another instance's session with another server has the same number, and stands first.
  tamper(
    out,
    ["G_DSS_GLS_PROVIDER", "G_DSS_GCC_PROVIDER"]
      .map(
        (table) => `INSERT INTO ${table} (DSS_ID, ICON_DBID, DS_DBID, DS_DBID_PRIM, DS2_DBID)
          SELECT DISTINCT GSYS_DOMAIN, 1, 999, 999, 9 FROM G_LOGIN_SESSION;`,
      )
      .join("\n"),
  );
  expect(query(out, sources)).toEqual([[101, 1]]);
  const intervals = "SELECT DISTINCT SOURCE_CLUSTER, count(*) OVER () > 0 FROM ICON_V_AGENT_15";
  expect(query(out, intervals)).toEqual([[101, 1]]);
});
