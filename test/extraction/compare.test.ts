import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync } from "node:fs";
import { type CompareQuestion, compareCopies } from "../../src/extraction/compare.ts";
import type { Comparison } from "../../src/extraction/comparison.ts";
import { comparisonText } from "../../src/extraction/comparison-text.ts";
import { IdbCopy } from "../../src/extraction/idb-copy.ts";
import type { Judge } from "../../src/extraction/standing.ts";
import type { Standing } from "../../src/extraction/window-comparison.ts";
import { ServedIdb } from "../handing-out/served-idb.ts";
import { manyCalls } from "../harness/stored-story.ts";
import { startMs } from "../harness/story.ts";
import { TemporaryDirectory, tamper } from "../idb/temporary.ts";
import { storeCopy } from "./stored-copy.ts";

const source = { cluster: 101, switchDbid: 1 };
const begin = startMs / 1000;
const stretch = { from: begin, until: begin + 600 };

// 300 s of calls; the last three go on.
const calls = 150;
const ended = calls - 3;
const shared = new TemporaryDirectory();
afterAll(() => shared[Symbol.dispose]());
for (const name of ["a", "b"]) {
  mkdirSync(`${shared.path}/${name}`);
  await storeCopy({ directory: `${shared.path}/${name}`, payloads: manyCalls({ calls }).payloads });
  tamper(
    `${shared.path}/${name}/idb.db`,
    "UPDATE ICON_WINDOW SET DIGEST = printf('%032x', FIRST_SEQ), IS_SEALED = 1; PRAGMA wal_checkpoint(TRUNCATE)",
  );
}

/** Both vouch for everything, but for what is said otherwise of the second one, by minutes. */
function judged(exceptions: ReadonlyMap<number, Standing> = new Map()): Judge {
  return (_, { from, until }) => ({
    windowSeconds: 60,
    sources: [
      {
        source,
        stretches: Array.from({ length: (until - from) / 60 }, (_, index) => {
          const at = from + index * 60;
          return { from: at, until: at + 60, standings: ["whole", exceptions.get((at - begin) / 60) ?? "whole"] };
        }),
      },
    ],
  });
}

interface Case extends Partial<CompareQuestion> {
  /** What befell the second one. */
  readonly befell?: string;
  readonly judge?: Judge;
}

async function compared({ befell, judge = judged(), ...question }: Case = {}): Promise<Comparison> {
  using directory = new TemporaryDirectory();
  cpSync(`${shared.path}/b/idb.db`, directory.idb);
  if (befell !== undefined) tamper(directory.idb, befell);
  await using one = new IdbCopy(`${shared.path}/a`);
  await using other = new IdbCopy(directory.idb);
  return await compareCopies([one, other], judge, { stretch, allRows: false, listedMax: 20, ...question });
}

test("two IDBs that heard the same are equal, and no row of a call is read to know it", async () => {
  const { result, windows, calls, read } = await compared();
  expect({ result, windows, calls }).toEqual({
    result: "equal",
    windows: { compared: 10, different: 0, listed: [], notCompared: 0, notYetKnown: 0, notComparedListed: [] },
    calls: {
      read: "where windows differ or rows are in doubt",
      compared: 0,
      different: 0,
      listed: [],
      notCompared: {},
      paired: [],
    },
  });
  expect(read).toMatchObject({ calls: 0, callRows: 0 });
});

test("a column that differs is named with its table and key, and nothing of what stands in it", async () => {
  const comparison = await compared({
    befell: `UPDATE G_PARTY SET ENDPOINTDN = '4155550199' WHERE CALLID = 'C40';
      UPDATE ICON_WINDOW SET DIGEST = printf('%032x', 99) WHERE WINDOW_TS = ${begin + 60}`,
  });
  expect(comparison.result).toBe("different");
  expect(comparison.windows.listed.map(({ windowTs, said }) => [windowTs, said.map(({ copy }) => copy)])).toEqual([
    [begin + 60, [0, 1]],
  ]);
  expect(comparison.calls.different).toBe(1);
  const [call] = comparison.calls.listed;
  expect(call).toMatchObject({ callId: "C40", between: [0, 1], doubts: [] });
  expect(call?.rows).toMatchObject([{ kind: "columns", table: "G_PARTY", columns: ["ENDPOINTDN"] }]);
  // Only calls of that minute were read, from both.
  expect(comparison.read.calls).toBeLessThan(2 * 40);
  expect(comparisonText(comparison).join("\n")).not.toContain("4155550199");
});

test("a call that one lacks, a row that one lacks and a row that one has besides are told apart", async () => {
  const { calls } = await compared({
    befell: `DELETE FROM G_CALL WHERE CALLID = 'C33';
      DELETE FROM G_PARTY_HISTORY WHERE PSEQ = 2 AND PARTYID IN (SELECT PARTYID FROM G_PARTY WHERE CALLID = 'C34');
      INSERT INTO G_CALL_HISTORY (CHID, CALLID, CSEQ, ADDED) VALUES (9000000, 'C35', 9, '2026-11-23T08:01:13.000Z')`,
    allRows: true,
  });
  expect(calls.different).toBe(3);
  expect(calls.listed.map(({ callId, rows }) => [callId, rows])).toEqual([
    ["C33", null],
    ["C34", [{ kind: "row", table: "G_PARTY_HISTORY", key: expect.stringMatching(/ 2$/), onlyIn: "one" }]],
    ["C35", [{ kind: "row", table: "G_CALL_HISTORY", key: "C35 9", onlyIn: "other" }]],
  ]);
});

test("of a call's rows in another table, the one that is missing makes no difference of the others", async () => {
  const { calls } = await compared({
    befell: `DELETE FROM G_IR_HISTORY WHERE IRHID =
      (SELECT min(IRHID) FROM G_IR_HISTORY WHERE IRID = (SELECT IRID FROM G_CALL WHERE CALLID = 'C34'))`,
    allRows: true,
  });
  expect(calls.listed.map(({ callId, rows }) => [callId, rows])).toEqual([
    ["C34", [{ kind: "row", table: "G_IR_HISTORY", key: expect.stringMatching(/ 1$/), onlyIn: "one" }]],
  ]);
});

test("equal events that became different rows are found when all rows are read, and only then", async () => {
  const befell = "UPDATE G_CALL SET CALLTYPE = 3 WHERE CALLID = 'C77'";
  const quick = await compared({ befell });
  expect(quick.result).toBe("equal");
  expect(comparisonText(quick).at(-1)).toContain("Rows of calls and login sessions with equal windows were not read");
  const thorough = await compared({ befell, allRows: true });
  expect(thorough.result).toBe("different");
  expect(thorough.calls).toMatchObject({ read: "all", compared: ended, different: 1 });
  expect(thorough.calls.listed[0]?.rows).toEqual([
    { kind: "columns", table: "G_CALL", key: "C77", columns: ["CALLTYPE"] },
  ]);
  expect(thorough.calls.notCompared).toEqual({ "it goes on": 3 });
});

test("a call that one dates otherwise is one call with other times, and no two", async () => {
  const { calls } = await compared({
    befell: `UPDATE G_CALL SET CREATED = '2026-11-23T08:01:59.000Z', CREATED_TS = ${begin + 119} WHERE CALLID = 'C50'`,
    allRows: true,
  });
  expect(calls.different).toBe(1);
  expect(calls.listed[0]?.rows).toEqual([
    { kind: "columns", table: "G_CALL", key: "C50", columns: ["CREATED", "CREATED_TS"] },
  ]);
});

test("a call whose ending one has written and the other not yet is no difference before the other must have written it", async () => {
  const befell = "UPDATE G_CALL SET TERMINATED = NULL, TERMINATED_TS = NULL WHERE CALLID = 'C50'";
  const anHourLater = Array.from({ length: 10 }, (_, minute): [number, Standing] => [60 + minute, "unknown"]);
  const early = await compared({ befell, judge: judged(new Map(anHourLater)), allRows: true });
  expect(early.result).toBe("equal");
  expect(early.calls).toMatchObject({ compared: ended - 1, different: 0 });
  expect(early.calls.notCompared).toEqual({ "it goes on": 3, "its ending may still be written": 1 });

  const late = await compared({ befell, allRows: true });
  expect(late.calls).toMatchObject({ compared: ended, different: 1 });
  expect(late.calls.listed.map(({ callId, rows }) => [callId, rows])).toEqual([
    ["C50", [{ kind: "columns", table: "G_CALL", key: "C50", columns: ["TERMINATED", "TERMINATED_TS"] }]],
  ]);
});

test("a call is looked at once, although it lives in two windows that differ", async () => {
  const one = await compared({
    befell: `UPDATE ICON_WINDOW SET DIGEST = printf('%032x', 99) WHERE WINDOW_TS IN (${begin + 60}, ${begin + 180});
      UPDATE G_CALL SET TERMINATED = '2026-11-23T08:03:30.000Z', TERMINATED_TS = ${begin + 210} WHERE CALLID = 'C50'`,
  });
  expect(one.windows.different).toBe(2);
  expect(one.calls.listed.map(({ callId }) => callId)).toEqual(["C50"]);
  expect(one.calls.different).toBe(1);
});

test("what a copy does not vouch for is no difference: neither the window nor a call that lives in it", async () => {
  const { result, windows, calls } = await compared({
    befell: `DELETE FROM G_CALL WHERE CALLID = 'C33'; DELETE FROM ICON_WINDOW WHERE WINDOW_TS = ${begin + 60}`,
    judge: judged(new Map([[1, "incomplete"]])),
    allRows: true,
  });
  expect(result).toBe("equal");
  expect(windows).toMatchObject({ compared: 9, different: 0, notCompared: 1 });
  expect(calls.different).toBe(0);
  expect(calls.notCompared).toMatchObject({ "it goes on": 3 });
  expect(calls.notCompared["fewer than two copies have all of its life"]).toBeGreaterThanOrEqual(30);
});

test("where rows are in doubt calls are read although the digests are equal, and the doubt is named", async () => {
  const { result, calls } = await compared({
    befell: `UPDATE ICON_WINDOW SET FAULTS = '["reconciled by snapshot"]' WHERE WINDOW_TS = ${begin + 60};
      UPDATE G_CALL SET CALLTYPE = 3 WHERE CALLID = 'C40';
      INSERT INTO ICON_ROW_QUALITY (ID, TABLE_NAME, ROW_KEY, REASON) VALUES (1, 'G_CALL', 'C40', 'ended unseen')`,
  });
  expect(result).toBe("different");
  expect(calls.listed).toMatchObject([
    { callId: "C40", doubts: [{ copy: 1, reason: "ended unseen" }], rows: [{ table: "G_CALL" }] },
  ]);
});

test("a call under a key that one copy made up is not held against another, and is named with the call that it is", async () => {
  const { result, calls } = await compared({
    befell: `UPDATE G_CALL SET CALLID = 'made-up' WHERE CALLID = 'C40';
      INSERT INTO ICON_ROW_QUALITY (ID, TABLE_NAME, ROW_KEY, REASON) VALUES (1, 'G_CALL', 'made-up', 'key is local')`,
    judge: judged(new Map([[1, "incomplete"]])),
    allRows: true,
  });
  expect(result).toBe("equal");
  expect(calls.notCompared["key is local"]).toBe(1);
  expect(calls.paired).toEqual([{ copy: 1, callId: "made-up", other: 0, otherCallId: "C40", columns: [] }]);
});

test("without a time all that either knows is compared", async () => {
  const { stretch: all, windows } = await compared({ stretch: null });
  expect(all).toEqual({ from: begin, until: begin + 360 });
  expect(windows.compared).toBe(6);
});

test("what is listed has a bound, and what is counted has none", async () => {
  const comparison = await compared({ befell: "UPDATE G_CALL SET CALLTYPE = 3", allRows: true, listedMax: 5 });
  expect(comparison.calls.different).toBe(ended);
  expect(comparison.calls.listed.map(({ callId }) => callId)).toEqual(["C1", "C2", "C3", "C4", "C5"]);
  expect(comparisonText(comparison)).toContain(`  … and ${ended - 5} more`);
});

test("where no copy vouches nothing is compared, and that is no equality", async () => {
  const all = new Map(Array.from({ length: 10 }, (_, minute) => [minute, "unknown" as const]));
  const comparison = await compared({
    befell: "UPDATE ICON_WINDOW SET DIGEST = printf('%032x', 99)",
    judge: judged(all),
    allRows: true,
  });
  expect(comparison.result).toBe("nothing compared");
  expect(comparison.windows.notComparedListed).toMatchObject([
    { windows: 10, because: [{ copy: 1, reason: "unknown" }] },
  ]);
});

test("an IDB that its instance hands out over HTTP is compared as its file is", async () => {
  const befell = "UPDATE G_CALL SET CALLTYPE = 3 WHERE CALLID = 'C77'";
  using directory = new TemporaryDirectory();
  cpSync(`${shared.path}/b/idb.db`, directory.idb);
  tamper(directory.idb, befell);
  await using served = await ServedIdb.start({ idbPath: directory.idb });
  await using one = new IdbCopy(`${shared.path}/a`);
  await using other = served.copy();
  const question = { stretch: null, allRows: true, listedMax: 20 };
  const overHttp = await compareCopies([one, other], judged(), question);
  const { windows, calls, read } = await compared({ befell, stretch: null, allRows: true });
  expect({ windows: overHttp.windows, calls: overHttp.calls, read: overHttp.read }).toEqual({ windows, calls, read });
  expect(calls.different).toBe(1);
});

test("IDBs with windows of different lengths cannot be compared", async () => {
  const befell = "UPDATE ICON_APPLIED SET WINDOW_SECONDS = 1";
  await expect(compared({ befell })).rejects.toThrow(
    "its windows are 1 s long and the other's 60 s; expected the same",
  );
});
