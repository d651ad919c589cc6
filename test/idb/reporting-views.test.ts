// What the views say, held against who knows better: the plan of a T-Server's morning, and an Asterisk's own queue_log.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { ExtractionSetting } from "../extraction/extraction-setting.ts";
import { ScriptedServer, secondOf } from "../extraction/scripted-server.ts";
import { storeCopy } from "../extraction/stored-copy.ts";
import { asteriskPayloads } from "../harness/ami-payloads.ts";
import { readQueueLog } from "../harness/ami-recording.ts";
import { countByQueue, sawWhole } from "../harness/ami-whole.ts";
import { daySeconds, dayStartTs, type Fate, plan, plannedStays, reportingDay } from "../harness/reporting-day.ts";
import { query, TemporaryDirectory, tamper } from "./temporary.ts";

const directory = new TemporaryDirectory();
afterAll(() => directory[Symbol.dispose]());

/** Rows as objects by column. */
function ask(path: string, columns: readonly string[], rest: string): Record<string, unknown>[] {
  return query(path, `SELECT ${columns.join(", ")} ${rest}`).map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, row[index]])),
  );
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000;

/** Of a call that is over: what the ledger does not vouch for. */
function whyNotKnown(enteredAt: number, fate: Fate): string | null {
  if (fate.kind === "not seen") return "gap reported,call not seen";
  if (enteredAt < 360) return "not listened yet";
  // From the connection's loss to the first word of the next one, in whole windows.
  return enteredAt > 3600 && enteredAt < 4140 ? "gap reported" : null;
}

describe("a T-Server's morning", () => {
  let idb = "";
  const stays = plannedStays();

  beforeAll(async () => {
    mkdirSync(`${directory.path}/day`);
    idb = await storeCopy({ directory: `${directory.path}/day`, payloads: reportingDay() });
  });

  test("each stay in a queue has its outcome, its waits, and who answered it", () => {
    const columns = ["QUEUE", "ENTERED_TS", "OUTCOME", "QUEUE_SECONDS", "ANSWER_SECONDS", "ANSWERED_BY"];
    const told = ask(idb, [...columns, "HANDLE_SECONDS"], "FROM ICON_V_QUEUE_STAY ORDER BY ENTERED, QUEUE");
    const planned = stays
      .toSorted((one, other) => one.enteredAt - other.enteredAt || (one.queue < other.queue ? -1 : 1))
      .map(({ queue, enteredAt, queueSeconds, fate }) => {
        const isThere = fate.kind === "waiting";
        const answer = fate.kind === "answered" ? fate : null;
        return {
          QUEUE: queue,
          ENTERED_TS: dayStartTs + Math.floor(enteredAt),
          OUTCOME: fate.kind,
          // The end that nobody saw has a bound, which is not asked for here.
          QUEUE_SECONDS: isThere ? null : fate.kind === "not seen" ? expect.any(Number) : round(queueSeconds),
          ANSWER_SECONDS: answer && round(queueSeconds + answer.ringSeconds),
          ANSWERED_BY: answer?.agent ?? null,
          HANDLE_SECONDS: answer === null || answer.isOpen ? null : round(answer.talkSeconds + answer.holdSeconds),
        };
      });
    expect(told).toEqual(planned);
    expect(new Set(told.map(({ OUTCOME }) => OUTCOME)).size).toBe(6);
  });

  test.each([
    [15, 900],
    [30, 1800],
  ])(
    "every interval of %i minutes of every queue is there, and counted as it was planned, or says why not",
    (minutes, length) => {
      const columns = ["QUEUE", "INTERVAL_TS", "IS_COMPLETE", "INCOMPLETE_BECAUSE", "ENTERED", "ANSWERED", "ABANDONED"];
      columns.push("ABANDONED_RINGING", "PASSED_ON", "CLEARED", "STILL_THERE", "ANSWERED_IN_20", "SERVICE_LEVEL_20");
      columns.push("ANSWER_SECONDS", "LONGEST_QUEUE_SECONDS", "HANDLED", "HANDLE_SECONDS", "AVERAGE_HANDLE_SECONDS");
      const told = ask(idb, columns, `FROM ICON_V_QUEUE_${minutes} ORDER BY QUEUE, INTERVAL_TS`);
      const expected = ["8001", "8002", "8009"].flatMap((queue) =>
        Array.from({ length: daySeconds / length }, (_, index) => {
          const [from, until] = [index * length, (index + 1) * length];
          const here = stays.filter((each) => each.queue === queue && each.enteredAt >= from && each.enteredAt < until);
          const why = [
            ...(from === 0 ? ["not listened yet"] : until === daySeconds ? ["not heard yet"] : []),
            ...(from <= 3720 && until > 4020 ? ["gap reported"] : []),
            ...(here.some(({ fate }) => fate.kind === "not seen") ? ["call not seen"] : []),
          ].join(",");
          const of = (kind: Fate["kind"]) => here.filter(({ fate }) => fate.kind === kind);
          const answers = here.flatMap(({ fate, queueSeconds }) =>
            fate.kind === "answered" ? [{ ...fate, seconds: queueSeconds + fate.ringSeconds }] : [],
          );
          const handled = answers.filter(({ isOpen }) => !isOpen);
          const handle = round(handled.reduce((sum, each) => sum + each.talkSeconds + each.holdSeconds, 0));
          const within = answers.filter(({ seconds }) => seconds <= 20).length;
          const left = here
            .filter(({ fate }) => fate.kind !== "waiting")
            .map(({ queueSeconds }) => round(queueSeconds));
          const measures = {
            ENTERED: here.length,
            ANSWERED: answers.length,
            ABANDONED: of("abandoned").length,
            ABANDONED_RINGING: of("abandoned ringing").length,
            PASSED_ON: of("passed on").length,
            CLEARED: 0,
            STILL_THERE: of("waiting").length,
            ANSWERED_IN_20: within,
            SERVICE_LEVEL_20: here.length === 0 ? null : Number((within / here.length).toFixed(4)),
            ANSWER_SECONDS: round(answers.reduce((sum, each) => sum + each.seconds, 0)),
            LONGEST_QUEUE_SECONDS: left.length === 0 ? null : Math.max(...left),
            HANDLED: handled.length,
            HANDLE_SECONDS: handle,
            AVERAGE_HANDLE_SECONDS: handled.length === 0 ? null : round(handle / handled.length),
          };
          const unknown = Object.fromEntries(Object.keys(measures).map((column) => [column, null]));
          return {
            QUEUE: queue,
            INTERVAL_TS: dayStartTs + from,
            IS_COMPLETE: why === "" ? 1 : 0,
            INCOMPLETE_BECAUSE: why === "" ? null : why,
            ...(why === "" ? measures : unknown),
          };
        }),
      );
      expect(told).toEqual(expected);
      expect(told.some(({ ENTERED }) => ENTERED === 0)).toBe(minutes === 15);
    },
  );

  test("what a DN did is the sum of its parts in calls", () => {
    const [row] = ask(
      idb,
      [
        "sum(CALLS) AS CALLS",
        "sum(RANG) AS RANG",
        "sum(ANSWERED) AS ANSWERED",
        "sum(DIALED) AS DIALED",
        "sum(HOLD_SECONDS) AS HOLD",
      ],
      `FROM ICON_V_DN_15 WHERE DN = '5103' AND INTERVAL_TS >= ${dayStartTs + 900} AND INTERVAL_TS < ${dayStartTs + 3600}`,
    );
    const until = 3600;
    const answers = stays.flatMap(({ fate, enteredAt, queueSeconds }) => {
      const ringsAt = enteredAt + queueSeconds;
      return "agent" in fate && ringsAt < until ? [{ ...fate, ringsAt }] : [];
    });
    const own = answers.filter(({ agent }) => agent === "5103");
    const answered = own.filter(({ kind }) => kind === "answered");
    const asks = (each: (typeof answers)[number]) => each.kind === "answered" && each.transferTo !== null;
    const endOf = (each: (typeof answers)[number]) =>
      each.ringsAt + each.ringSeconds + (each.kind === "answered" ? each.talkSeconds + each.holdSeconds : 0);
    const asked = answers.filter((each) => each.kind === "answered" && each.transferTo === "5103");
    const [asking, askedFor] = [own, asked].map((each) => each.filter((one) => asks(one) && endOf(one) - 8 < until));
    const handedOver = asked.filter((each) => endOf(each) < until);
    expect(Object.values(row ?? {})).toEqual([
      own.length + (asking?.length ?? 0) + (askedFor?.length ?? 0) + handedOver.length,
      // Who is handed a call has rung in the consultation.
      own.length + (askedFor?.length ?? 0),
      answered.length + (askedFor?.length ?? 0),
      asking?.length ?? 0,
      answered.reduce((sum, each) => sum + (each.kind === "answered" ? each.holdSeconds : 0), 0),
    ]);
  });

  test("each call has one row: where it waited, who had it, how long, and what became of it", () => {
    const columns = ["CALLID", "CALLTYPE", "OUTCOME", "INCOMPLETE_BECAUSE", "QUEUES", "FIRST_DN", "LAST_DN"];
    columns.push("ANSWER_SECONDS", "QUEUE_SECONDS", "TALK_SECONDS", "HOLD_SECONDS", "TRANSFERS", "SECONDS");
    const told = ask(idb, columns, "FROM ICON_V_CALL WHERE CALLTYPE <> 'consult' ORDER BY CALLID");
    const expected = plan.map(({ number, stay }) => {
      const last = stay.fate.kind === "passed on" ? stay.fate.to : stay;
      const { fate } = last;
      const row = {
        CALLID: `C${number}`,
        CALLTYPE: "inbound",
        QUEUES: stay === last ? stay.queue : `${stay.queue}, ${last.queue}`,
      };
      const answer = fate.kind === "answered" ? fate : null;
      const isOpen = fate.kind === "waiting" || answer?.isOpen === true;
      const why = isOpen ? "goes on" : whyNotKnown(stay.enteredAt, fate);
      const queueSeconds = stay.queueSeconds + (stay === last ? 0 : last.queueSeconds);
      const rings = "ringSeconds" in fate ? fate.ringSeconds : 0;
      const talk = answer === null ? 0 : answer.talkSeconds + (answer.transferTo === null ? 0 : 30);
      const seconds = queueSeconds + rings + talk + (answer?.holdSeconds ?? 0);
      const measures = {
        ANSWER_SECONDS: answer && round(queueSeconds + answer.ringSeconds),
        QUEUE_SECONDS: round(queueSeconds),
        TALK_SECONDS: round(talk),
        HOLD_SECONDS: answer?.holdSeconds ?? 0,
        TRANSFERS: answer?.transferTo == null ? 0 : 1,
      };
      const unknown = Object.fromEntries(Object.keys(measures).map((column) => [column, null]));
      const outcome = answer === null ? "abandoned" : "answered";
      return {
        ...row,
        OUTCOME: why === null ? outcome : why === "goes on" ? why : "not seen",
        INCOMPLETE_BECAUSE: why,
        FIRST_DN: answer?.agent ?? null,
        LAST_DN: why !== null || answer === null ? null : (answer.transferTo ?? answer.agent),
        ...(why === null ? measures : unknown),
        SECONDS: why === null ? round(seconds) : null,
      };
    });
    expect(told).toEqual(expected.sort((one, other) => (one.CALLID < other.CALLID ? -1 : 1)));
    expect(new Set(told.map(({ OUTCOME }) => OUTCOME)).size).toBe(4);
    const consultations = ask(
      idb,
      ["PARENTCALLID", "MERGECALLID", "TALK_SECONDS"],
      "FROM ICON_V_CALL WHERE CALLTYPE = 'consult' AND IS_COMPLETE = 1",
    );
    expect(consultations.length).toBeGreaterThan(5);
    for (const { PARENTCALLID, MERGECALLID, TALK_SECONDS } of consultations) {
      expect([PARENTCALLID === MERGECALLID, TALK_SECONDS]).toEqual([true, 10]);
    }
  });

  test("calls that go on are told with where they are", () => {
    const open = ask(idb, ["CALLID", "CALLTYPE", "WAITING_IN", "TALKING"], "FROM ICON_V_OPEN_CALL ORDER BY CREATED_TS");
    const planned = stays.filter(({ fate }) => fate.kind === "waiting" || (fate.kind === "answered" && fate.isOpen));
    expect(open).toEqual(
      planned.map(({ call, queue, fate }) => ({
        CALLID: `C${call.number}`,
        CALLTYPE: "inbound",
        WAITING_IN: fate.kind === "waiting" ? queue : null,
        TALKING: fate.kind === "answered" ? fate.agent : null,
      })),
    );
    expect(open.length).toBe(4);
  });

  test.each([
    "SELECT * FROM ICON_V_QUEUE_15 WHERE INTERVAL_TS >= 1 AND INTERVAL_TS < 2",
    "SELECT * FROM ICON_V_QUEUE_30 WHERE QUEUE = '8001' AND INTERVAL_TS >= 1 AND INTERVAL_TS < 2",
    "SELECT * FROM ICON_V_DN_15 WHERE INTERVAL_TS >= 1 AND INTERVAL_TS < 2",
    "SELECT * FROM ICON_V_QUEUE_STAY WHERE ENTERED_TS >= 1 AND ENTERED_TS < 2",
    "SELECT * FROM ICON_V_PARTY WHERE CREATED_TS >= 1 AND CREATED_TS < 2",
    "SELECT * FROM ICON_V_PARTY WHERE CALLID = 'C1'",
    "SELECT * FROM ICON_V_CALL WHERE CALLID = 'C1'",
    "SELECT * FROM ICON_V_CALL WHERE CREATED_TS >= 1 AND CREATED_TS < 2",
    "SELECT * FROM ICON_V_QUEUE",
  ])("no call is looked at that was not asked for: %s", (sql) => {
    const plan = query(idb, `EXPLAIN QUERY PLAN ${sql}`).map(([, , , step]) => String(step));
    const isOfCalls = (step: string) => /\bIDX_G_(PARTY|CALL)/.test(step);
    expect(plan.filter(isOfCalls).length).toBeGreaterThan(0);
    // What is scanned is what the views made themselves, and tables that are small.
    const scanned = plan.flatMap((step) => /^SCAN (\w+)(?! VIRTUAL)/.exec(step)?.[1] ?? []);
    const tables = query(idb, "SELECT name FROM sqlite_schema WHERE type = 'table'").flat();
    expect(scanned.filter((name) => ["p", "h", "r", "o", "a", "t"].includes(name) || tables.includes(name))).toEqual(
      [],
    );
    if (sql.includes("_TS")) {
      expect(plan.some((step) => /IDX_G_(PARTY|CALL)_CREATED_TS \(CREATED_TS>\? AND CREATED_TS<\?\)/.test(step))).toBe(
        true,
      );
    }
  });

  test("the views of an IDB are made anew when they are not this program's, and left alone when they are", () => {
    using changed = new TemporaryDirectory();
    changed.open().close();
    const stored = () =>
      query(changed.idb, "SELECT rowid, name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY 2");
    const right = stored();
    tamper(
      changed.idb,
      "DROP VIEW ICON_V_QUEUE; CREATE VIEW ICON_V_QUEUE AS SELECT 1; DROP VIEW ICON_V_GAP; CREATE VIEW ICON_V_OLD AS SELECT 2",
    );
    changed.open().close();
    const withoutRowId = (rows: unknown[][]) => rows.map(([, ...rest]) => rest);
    expect(withoutRowId(stored())).toEqual(withoutRowId(right));
    const again = stored();
    changed.open().close();
    expect(stored()).toEqual(again);
  });
});

describe.each(["ami", "a"] as const)("the recorded Asterisk %s", (name) => {
  const whole = readQueueLog(name).filter(sawWhole(name));
  let told: Record<string, unknown>[] = [];

  beforeAll(async () => {
    mkdirSync(`${directory.path}/${name}`);
    const options = { callDeletionTimeoutSeconds: 30, internalContexts: [], outboundContexts: [] };
    const payloads = asteriskPayloads({ ...options, inboundContexts: ["callers"] }, name);
    const idb = await storeCopy({ directory: `${directory.path}/${name}`, payloads });
    told = ask(
      idb,
      ["c.UNIQUEID", "s.QUEUE", "s.OUTCOME", "s.QUEUE_SECONDS", "s.ANSWERED_BY", "s.HANDLE_SECONDS"],
      "FROM ICON_V_QUEUE_STAY s JOIN ICON_PARTY_CHANNEL c ON c.PARTYID = s.PARTYID",
    );
  });

  test("has each stay that was seen whole as the server's own log has it", () => {
    const here = whole.map(({ callId, queue }) =>
      told.filter((row) => row["c.UNIQUEID"] === callId && row["s.QUEUE"] === queue),
    );
    expect(here.map(({ length }) => length)).toEqual(whole.map(() => 1));
    const outcomes = here.flat().map((row) => ({
      queue: String(row["s.QUEUE"]),
      outcome: row["s.OUTCOME"] === "passed on" ? "left" : String(row["s.OUTCOME"]),
    }));
    expect(countByQueue(outcomes)).toEqual(countByQueue(whole));
    for (const [index, stay] of whole.entries()) {
      const row = here[index]?.[0] ?? {};
      // The log has whole seconds.
      expect(Math.abs(Number(row["s.QUEUE_SECONDS"]) - (stay.endedAt - stay.enteredAt))).toBeLessThan(1);
      expect(row["s.ANSWERED_BY"] === null).toBe(stay.talk === null);
      if (stay.talk === null) continue;
      expect(stay.talk.member).toEndWith(String(row["s.ANSWERED_BY"]));
      const talk = stay.talk.endedAt - stay.talk.startedAt;
      expect(Math.abs(Number(row["s.HANDLE_SECONDS"]) - talk)).toBeLessThan(1);
    }
  });
});

describe("an extraction's output", () => {
  test("judges intervals by all copies: what one missed and another has is whole, what both missed is null", async () => {
    using setting = new ExtractionSetting(new ScriptedServer({ calls: 250, everySeconds: 12, ...script }));
    const end = setting.server.endSeconds;
    // A misses a minute that B has; both miss one in the third quarter of an hour.
    await setting.copy("a", [0, 1000], [1060, 2000], [2060, end]);
    await setting.copy("b", [0, 2000], [2060, end]);
    await setting.extract(["a", "b"], "out.db");
    const sql = `SELECT INTERVAL_TS, IS_COMPLETE, INCOMPLETE_BECAUSE IS NULL, ENTERED FROM ICON_V_QUEUE_15 ORDER BY 1`;
    const { from, until } = setting.stretch;
    const rows = query(setting.at("out.db"), sql);
    const starts = rows.map(([ts]) => Number(ts));
    expect([starts[0], starts.at(-1)]).toEqual([from - (from % 900), until - (until % 900)]);
    const whole = starts.map(
      (ts) => ts >= from && ts + 900 <= until && !(ts < secondOf(2060) && ts + 900 > secondOf(2000)),
    );
    expect(rows.map(([, isComplete]) => isComplete === 1)).toEqual(whole);
    expect(rows.map(([, , isNull]) => isNull === 1)).toEqual(whole);
    const entered = starts.map((ts, index) =>
      whole[index]
        ? setting.server.events.filter(
            ({ at, members }) => members["id"] === "EventQueued" && secondOf(at) >= ts && secondOf(at) < ts + 900,
          ).length
        : null,
    );
    expect(rows.map(([, , , count]) => count)).toEqual(entered);
    expect(whole).toContain(true);
    // Of A alone the minute is missing.
    const alone = query(setting.idb("a"), "SELECT INTERVAL_TS, ENTERED FROM ICON_V_QUEUE_15 ORDER BY 1");
    const missed = alone.find(([ts]) => Number(ts) <= secondOf(1000) && Number(ts) + 900 > secondOf(1000));
    expect(missed?.[1]).toBeNull();
  }, 120_000);
});

const script = { lifeSeconds: 6, hasIds: true, transfersEvery: 7 };
