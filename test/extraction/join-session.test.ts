// One login session from two copies that missed different parts of it, written by hand.

import { describe, expect, test } from "bun:test";
import { type AgentTableName, agentTableNames } from "../../schema/life.ts";
import type { Row, Subject } from "../../src/extraction/copy.ts";
import { planSubject, type SubjectPlan } from "../../src/extraction/plan.ts";
import type { SourceCoverage } from "../../src/extraction/source-coverage.ts";

const begin = Date.parse("2026-11-23T08:00:00.000Z");
const time = (seconds: number) => new Date(begin + seconds * 1000).toISOString();
const dated = (prefix: string, seconds: number | null): Row => ({
  [prefix]: seconds === null ? null : time(seconds),
  [`${prefix}_TS`]: seconds === null ? null : Math.floor(begin / 1000 + seconds),
  [`${prefix}_TCODE`]: seconds === null ? null : Math.floor(begin / 1000),
});

const [login, notReady, ready, busy] = [1, 2, 3, 5];
const place = { ENDPOINTDN: "5001", QUEUEDN: "8001" };

interface Told {
  readonly until: number | null;
  /** [second, state before, state] */
  readonly states: readonly (readonly [number, number, number])[];
  readonly reasons?: readonly {
    readonly value: string;
    readonly from: number;
    readonly until: number;
    readonly seq: number;
  }[];
  readonly primaryDn?: string;
  readonly hasTotals?: boolean;
  readonly doubts?: readonly (readonly [reason: string, earliest: number, latest: number])[];
}

/** As a copy has it whose data source session of that time is number 7. */
function session({ until, states, reasons = [], primaryDn = "5001", hasTotals = false, doubts = [] }: Told): Subject {
  const ends = { LOGINSESSIONID: "L1", GSYS_DOMAIN: 7, ...dated("CREATED", 0), ...dated("TERMINATED", until) };
  const rows: Partial<Record<AgentTableName, Row[]>> = {
    G_LOGIN_SESSION: [{ ID: 1, ...ends, AGENTLOGIN: "A1", PRIMARYDN: primaryDn, STATE: until === null ? 1 : 0 }],
    GX_SESSION_ENDPOINT: [{ ID: 2, ...ends, ...place, STATE: until === null ? 1 : 0 }],
    G_AGENT_STATE_HISTORY: states.map(([at, before, state], index) => ({
      ...{ ID: 10 + index, TYPE: 5, SEQ: index + 1, LOGINSESSIONID: "L1", GSYS_DOMAIN: 7, ...place },
      ...{ STATE: state, PREVSTATE: before, WORKMODE: state === 0 ? null : 0, PREVWORKMODE: before === 0 ? null : 0 },
      ...dated("ADDED", at),
    })),
    G_AGENT_STATE_RC: reasons.map(({ value, from, until: end, seq }, index) => ({
      ...{ ID: 50 + index, SESSIONID: "L1", HWFLAG: 0, KEYNAME: "Break", VALUE: value, LSEQ: seq, GSYS_DOMAIN: 7 },
      ...{ AGENTSTATE: notReady, WORKMODE: 0, ...place, ...dated("CREATED", from), ...dated("TERMINATED", end) },
    })),
    GS_AGENT_STAT: hasTotals ? [{ ID: 90, LOGINSESSIONID: "L1", ...place, AGENTSTATE: login, TT: 1, CNT: 1 }] : [],
  };
  return {
    family: "login session",
    ...{ key: "L1", isKeyLocal: false, sourceCluster: 101, switchDbid: 1 },
    rows: Object.fromEntries(agentTableNames.map((table) => [table, rows[table] ?? []])),
    quality: doubts.map(([REASON, earliest, latest], index) => ({
      ...{ ID: 100 + index, TABLE_NAME: "G_LOGIN_SESSION", ROW_KEY: "L1", REASON, CAUSE: null, SOURCE: "north" },
      ...{ EARLIEST: time(earliest), LATEST: time(latest), GSYS_DOMAIN: 7 },
    })),
  };
}

/** Windows of a second; of each copy the stretches in which it is not whole. */
function coverage(...deaf: readonly (readonly (readonly [number, number])[])[]): SourceCoverage {
  return {
    windowSeconds: 1,
    doubted: (copy, _source, from, until) =>
      (deaf[copy] ?? [])
        .map(([since, end]) => ({ from: begin / 1000 + since, until: begin / 1000 + end }))
        .filter((each) => each.from <= until && each.until > from)
        .map((each) => ({ ...each, isKnown: true, causes: ["gap reported"] })),
    isProven: () => true,
    isDivergent: () => false,
  };
}

function plan(found: readonly (Subject | undefined)[], covered: SourceCoverage): SubjectPlan {
  return planSubject({ found, coverage: covered, knownUntil: begin / 1000 + 1000 });
}

const told = ({ rows }: SubjectPlan) =>
  (rows.G_AGENT_STATE_HISTORY ?? []).map(({ values, copy }) => {
    const at = (Date.parse(String(values["ADDED"])) - begin) / 1000;
    return `${values["SEQ"]}: ${values["PREVSTATE"]}→${values["STATE"]} at ${at} of ${copy}`;
  });
const reasonsOf = ({ rows }: SubjectPlan) =>
  (rows.G_AGENT_STATE_RC ?? []).map(({ values }) => {
    const at = (column: string) => (Date.parse(String(values[column])) - begin) / 1000;
    return `${values["VALUE"]} ${at("CREATED")}–${at("TERMINATED")}, row ${values["LSEQ"]}`;
  });

describe("a session of which each copy missed a part", () => {
  // Deaf from 20 to 40: found ready again, with a state dated by its last word, and did not hear of the break.
  const first = session({
    until: 60,
    states: [
      [0, 0, login],
      [10, login, ready],
      [20, ready, busy],
      [45, ready, busy],
      [50, busy, ready],
      [60, ready, 0],
    ],
    doubts: [["change not seen", 20, 40]],
    hasTotals: true,
  });
  // Deaf up to 15, on another DN first as far as it knows.
  const second = session({
    until: 60,
    primaryDn: "5009",
    states: [
      [0, 0, login],
      [15, login, ready],
      [25, ready, notReady],
      [35, notReady, ready],
      [45, ready, busy],
      [50, busy, ready],
      [60, ready, 0],
    ],
    reasons: [{ value: "coffee", from: 25, until: 35, seq: 3 }],
    doubts: [["change not seen", 5, 15]],
    hasTotals: true,
  });
  const joined = plan([first, second], coverage([[20, 41]], [[0, 16]]));

  test("has each change from the copy that heard it, numbered anew, and none that was only concluded", () => {
    expect([joined.verdict, joined.reasons, joined.copies]).toEqual(["joined", [], [0, 1]]);
    expect(told(joined)).toEqual([
      "1: 0→1 at 0 of 0",
      "2: 1→3 at 10 of 0",
      "3: 3→2 at 25 of 1",
      "4: 2→3 at 35 of 1",
      "5: 3→5 at 45 of 1",
      "6: 5→3 at 50 of 1",
      "7: 3→0 at 60 of 1",
    ]);
  });

  test("has its reasons with the state that they are of, and its totals counted from the joined states", () => {
    expect(reasonsOf(joined)).toEqual(["coffee 25–35, row 3"]);
    const totals = joined.rows.GS_AGENT_STAT?.map(({ values: { AGENTSTATE, TT, CNT } }) => [AGENTSTATE, TT, CNT]);
    expect(totals).toEqual([
      [login, 10, 1],
      [ready, 15 + 10 + 10, 3],
      [notReady, 10, 1],
      [busy, 5, 1],
    ]);
  });

  test("is whose the copy says that saw the login", () => {
    expect(joined.rows.G_LOGIN_SESSION?.map(({ values }) => [values["PRIMARYDN"], values["TERMINATED"]])).toEqual([
      ["5001", time(60)],
    ]);
    expect(joined.rows.GX_SESSION_ENDPOINT?.length).toBe(1);
  });
});

test("states that do not follow on one another are no joined session", () => {
  const one = session({
    until: 40,
    states: [
      [0, 0, login],
      [10, login, ready],
      [40, busy, 0],
    ],
  });
  const other = session({
    until: 40,
    states: [
      [0, 0, login],
      [30, notReady, ready],
      [40, ready, 0],
    ],
  });
  const { verdict, reasons } = plan([one, other], coverage([[20, 41]], [[0, 20]]));
  expect([verdict, reasons.map(({ why }) => why)]).toEqual(["incomplete", ["rows do not fit"]]);
});

test("around what nobody heard there is what either heard, and the stretch is named", () => {
  const one = session({
    until: 60,
    states: [
      [0, 0, login],
      [10, login, ready],
      [22, ready, busy],
      [50, busy, ready],
      [60, ready, 0],
    ],
    doubts: [["change not seen", 12, 22]],
  });
  const other = session({
    until: 60,
    states: [
      [0, 0, login],
      [15, login, notReady],
      [30, notReady, busy],
      [45, busy, ready],
      [60, ready, 0],
    ],
    doubts: [["change not seen", 0, 14]],
  });
  const around = plan(
    [one, other],
    coverage(
      [
        [12, 16],
        [18, 23],
        [40, 61],
      ],
      [
        [0, 13],
        [20, 26],
      ],
    ),
  );
  expect(around.verdict).toBe("incomplete");
  expect(around.reasons.filter(({ why }) => why === "missing").map(({ from, until }) => [from, until])).toEqual([
    [begin / 1000 + 12, begin / 1000 + 13],
    [begin / 1000 + 20, begin / 1000 + 23],
  ]);
  expect(told(around)).toEqual([
    "1: 0→1 at 0 of 0",
    "2: 1→3 at 10 of 0",
    "3: 1→2 at 15 of 1",
    "4: 3→5 at 22 of 0",
    "5: 5→3 at 45 of 1",
    "6: 3→0 at 60 of 1",
  ]);
  // What it says of the gap is in doubt, and the doubt goes with it.
  expect(around.quality.map(({ doubt, copy }) => [doubt.REASON, copy])).toContainEqual(["change not seen", 0]);
});

test("a reason of which one copy saw the beginning and the other the end is one reason", () => {
  const states = [
    [0, 0, login],
    [10, login, notReady],
    [40, notReady, ready],
    [60, ready, 0],
  ] as const;
  const one = session({
    until: 60,
    states: [
      [0, 0, login],
      [10, login, notReady],
      [30, notReady, ready],
      [60, ready, 0],
    ],
    reasons: [{ value: "coffee", from: 10, until: 30, seq: 2 }],
    doubts: [["change not seen", 30, 50]],
  });
  const other = session({
    until: 60,
    states: [
      [0, 0, login],
      [20, login, notReady],
      [40, notReady, ready],
      [60, ready, 0],
    ],
    reasons: [{ value: "coffee", from: 20, until: 40, seq: 2 }],
    doubts: [["change not seen", 5, 20]],
  });
  const covered = coverage([[25, 51]], [[0, 21]]);
  const joined = plan([one, other], covered);
  expect([joined.verdict, told(joined).length, reasonsOf(joined)]).toEqual(["joined", 4, ["coffee 10–40, row 2"]]);

  // Where only one of the ends is known to anybody, the other is that of the state: a guess, and said to be one.
  const without = plan([one, session({ until: 60, states, doubts: [["change not seen", 5, 20]] })], covered);
  expect(reasonsOf(without)).toEqual(["coffee 10–40, row 2"]);
  expect([without.verdict, without.reasons.map(({ why, causes }) => [why, causes])]).toEqual([
    "incomplete",
    [["in doubt", ["reason not seen"]]],
  ]);
});

test("a copy that believes the agent to be logged in still gives way to the one that saw the logout", () => {
  const stale = session({
    until: null,
    states: [
      [0, 0, login],
      [10, login, ready],
    ],
  });
  const seen = session({
    until: 30,
    states: [
      [0, 0, login],
      [10, login, ready],
      [30, ready, 0],
    ],
  });
  const { verdict, copies, endedMs } = plan([stale, seen], coverage([[12, 100]], []));
  expect([verdict, copies, endedMs]).toEqual(["complete", [1], begin + 30_000]);
});

test("one copy alone is taken as it stands, with its doubts", () => {
  const doubts = [["change not seen", 10, 20]] as const;
  const only = session({
    until: 30,
    states: [
      [0, 0, login],
      [20, login, ready],
      [30, ready, 0],
    ],
    doubts,
  });
  const { verdict, quality, rows } = plan([only, undefined], coverage([[10, 21]], [[0, 100]]));
  expect([verdict, quality.length, rows.G_AGENT_STATE_HISTORY?.length]).toEqual(["incomplete", 1, 3]);
});
