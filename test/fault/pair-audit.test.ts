import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { EventLog } from "../harness/event-log.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { auditWindows, type CountedWindow, type JudgedWindow, type Said } from "./pair-audit.ts";

const run = "2026-11-23T08:00:00.000Z";

/** Events 1 to 3 in window 100, none in 101, 4 in 102. */
function log(): EventLog {
  using directory = new TemporaryDirectory("audit");
  const told = [100_100, 100_500, 100_999.5, 102_000].map((at, index) => ({ run, seq: index + 1, at, sha: "" }));
  writeFileSync(directory.at("truth.events.ndjson"), told.map((each) => `${JSON.stringify(each)}\n`).join(""));
  return EventLog.read(directory.at("truth"));
}

const counts = (windowTs: number, events: number, first: number | null, last: number | null): CountedWindow => ({
  ...{ RUN: `101@${run}`, WINDOW_TS: windowTs, EVENTS: events },
  ...{ FIRST_SEQ: first, LAST_SEQ: last },
});
const judge = (windowTs: number, said: Said, copies: readonly Said[], chosen: number | null): JudgedWindow => ({
  ...{ windowTs, said, chosen, isDivergent: false, copies, causes: copies.map(() => "") },
});

const wholeRows = [counts(100, 3, 1, 3), counts(102, 1, 4, 4)];
const holedRows = [counts(100, 2, 1, 3), counts(102, 1, 4, 4)];

test("true verdicts pass: whole where a copy is, silent where nothing happened, incomplete where none is whole", () => {
  const judged = [
    judge(100, "complete", ["complete", "incomplete"], 0),
    judge(101, "silent", ["silent", "unknown"], 0),
    judge(102, "complete", ["incomplete", "complete"], 1),
  ];
  expect(auditWindows(log(), 100, judged, [wholeRows, holedRows])).toEqual({
    windows: 3,
    said: { complete: 2, silent: 1, incomplete: 0, unknown: 0 },
    whole: [3, 2],
    lost: 0,
    falseComplete: [],
    notChosen: [],
    divergent: [],
    neverTold: [],
    unsaid: [],
    falseIncomplete: [],
  });
});

test("a copy that lacks an event and is said to be complete is found, and so is the choice of it", () => {
  const judged = [judge(100, "complete", ["complete", "complete"], 1), judge(101, "silent", ["silent", "silent"], 0)];
  const audit = auditWindows(log(), 100, judged, [wholeRows, holedRows]);
  expect(audit.falseComplete).toEqual([
    `window 100, 3 events of run ${run}, 1 to 3: copy 1 "complete"; counted 3 and 2; – | –`,
    `window 100, 3 events of run ${run}, 1 to 3: the pair "complete", chosen 1; counted 3 and 2; – | –`,
  ]);
  expect(audit.unsaid).toHaveLength(1);
});

test("silence is false where something happened; what was never told is found in the counts", () => {
  const judged = [judge(100, "silent", ["silent", "incomplete"], 0)];
  const audit = auditWindows(log(), 100, judged, [[counts(100, 4, 1, 4)], wholeRows]);
  expect(audit.falseComplete).toHaveLength(2);
  expect(audit.neverTold).toHaveLength(1);
});

test("a whole copy that is not taken, and a whole window that is called incomplete, are told apart", () => {
  const judged = [
    judge(100, "incomplete", ["complete", "incomplete"], null),
    judge(102, "incomplete", ["incomplete", "unknown"], null),
  ];
  const audit = auditWindows(log(), 100, judged, [wholeRows, wholeRows]);
  expect(audit.notChosen).toHaveLength(1);
  expect(audit.falseIncomplete).toHaveLength(2);
  expect(audit.falseComplete).toEqual([]);
});
