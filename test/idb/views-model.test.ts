// What the views say of one IDB's own completeness, held against what truly happened, in stories made up by chance, and
// against the judgement that commands and page make (src/extraction/availability.ts): the views may be more careful, and
// never less.
//
// ICON_MODEL_RUNS=20000 ICON_MODEL_SEED=7 bun test test/idb/views-model.test.ts looks further.

import { expect, test } from "bun:test";
import { getTableColumns } from "drizzle-orm";
import fc from "fast-check";
import Database from "libsql";
import { migrations } from "../../schema/migrations.ts";
import { type TableName, tables } from "../../schema/tables.ts";
import { views } from "../../schema/views.ts";
import { judge } from "../../src/extraction/availability.ts";
import type { Ledger } from "../../src/extraction/copy.ts";
import { isWhole } from "../../src/extraction/verdict.ts";
import { beginningSeconds } from "../extraction/ledger-story.ts";
import { type Story, type Stretch, story, tell } from "../extraction/pair-model.ts";

const seed = Number(process.env["ICON_MODEL_SEED"] ?? 20261130);
const numRuns = Number(process.env["ICON_MODEL_RUNS"] ?? 250);

const database = new Database(":memory:");
for (const { sql } of migrations) database.exec(sql);
for (const { sql } of views) database.exec(sql);
database.exec(
  "INSERT INTO ICON_APPLIED (ID, IDB_ID, POSITION, ROW_SEQ, COMMITS, WINDOW_SECONDS) VALUES (1, 'x', 0, 0, 0, 1)",
);

function put(table: TableName, rows: readonly object[]): void {
  database.exec(`DELETE FROM ${table}`);
  const columns = Object.keys(getTableColumns(tables[table]));
  const insert = database.prepare(`INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => "?")})`);
  for (const row of rows) insert.run(columns.map((column) => (row as Record<string, unknown>)[column] ?? null));
}

/** Seconds since the story's beginning of the windows that the views vouch for. */
function vouchedFor({ spans, windows, sessions }: Ledger): ReadonlySet<number> {
  put("ICON_COVERAGE", spans);
  put("ICON_WINDOW", windows);
  const named = sessions.map((each) => ({ ...each, ICON_DBID: 9001, SOURCE: "north" }));
  put("G_DSS_GCC_PROVIDER", named);
  put("ICON_DSS", named);
  const sql = `WITH RECURSIVE w (TS, LAST) AS (
      SELECT KNOWN_FROM_TS, KNOWN_UNTIL_TS FROM ICON_V_SOURCE UNION ALL SELECT TS + 1, LAST FROM w WHERE TS + 1 < LAST
    ) SELECT TS FROM w WHERE TS < LAST AND NOT EXISTS (SELECT 1 FROM ICON_V_GAP g WHERE g.FROM_TS <= TS AND g.UNTIL_TS > TS)`;
  const rows = database.prepare(sql).raw().all() as [number][];
  return new Set(rows.map(([ts]) => ts - beginningSeconds));
}

function wholeByJudgement(ledger: Ledger, lengthMs: number): ReadonlySet<number> {
  const until = beginningSeconds + Math.ceil(lengthMs / 1000);
  const [source] = judge([ledger], { from: beginningSeconds, until }).sources;
  return new Set(
    (source?.stretches ?? []).flatMap(({ from, windowCount, verdict }) =>
      verdict.copies.some(isWhole) ? Array.from({ length: windowCount }, (_, at) => from - beginningSeconds + at) : [],
    ),
  );
}

const touches = (stretches: readonly Stretch[], second: number) =>
  stretches.some(([from, until]) => from < (second + 1) * 1000 && until >= second * 1000);

test(
  "the views vouch for no window of which an event is missing, and for nearly all of which none is",
  () => {
    let [vouched, judgedWhole, judgedOnly] = [0, 0, 0];
    const check = (each: Story) => {
      const truth = tell(each);
      for (const [place, ledger] of truth.ledgers.entries()) {
        const here = vouchedFor(ledger);
        const judged = wholeByJudgement(ledger, truth.lengthMs);
        for (const second of here) {
          if (touches(truth.untold, second)) continue;
          vouched += 1;
          const lacking = truth.events.filter(
            ({ atMs, run, sequence }) =>
              Math.floor(atMs / 1000) === second && !truth.has[place]?.has(`${run}/${sequence}`),
          );
          const isBlind = touches(truth.blind, second);
          // What only another copy can have heard, no judgement of this one knows either.
          if ((lacking.length > 0 || isBlind) && !judged.has(second)) {
            throw new Error(`second ${second} of copy ${place}: ${JSON.stringify({ lacking, isBlind, ledger })}`);
          }
        }
        judgedWhole += judged.size;
        for (const second of judged) if (!here.has(second)) judgedOnly += 1;
      }
    };
    fc.assert(fc.property(story, check), { seed, numRuns });
    expect(vouched).toBeGreaterThan(numRuns * 10);
    expect(judgedOnly / judgedWhole).toBeLessThan(0.15);
    console.info(`${vouched} windows vouched for; of ${judgedWhole} judged whole the views leave out ${judgedOnly}`);
  },
  60_000 + numRuns * 100,
);
