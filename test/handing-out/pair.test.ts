// The page's time line from ledgers made by hand.

import { expect, test } from "bun:test";
import { judge } from "../../src/extraction/availability.ts";
import type { Ledger, SessionRow } from "../../src/extraction/copy.ts";
import { pairLines } from "../../src/handing-out/pair.ts";
import {
  beginningMs,
  beginningSeconds,
  cluster,
  ledger,
  spans,
  switchDbid,
  windows,
} from "../extraction/ledger-story.ts";

const stretch = { from: beginningSeconds, until: beginningSeconds + 60 };
const sources = [{ name: "north", cluster, switchDbid }];
const ms = (seconds: number) => beginningMs + seconds * 1000;

function linesOf(...ledgers: readonly Ledger[]) {
  const names = ["own", "peer"].slice(0, ledgers.length);
  const judged = {
    availability: judge(ledgers, stretch),
    names,
    copies: [],
    ledgers,
    read: stretch,
    peerTrouble: null,
    peerName: null,
  };
  const [north] = pairLines(judged, stretch, sources).sources;
  if (north === undefined) throw new Error("the source was asked for");
  return north;
}

/** A session from its first event to its last, in seconds from the beginning; `until` null: it is open. */
function session(from: number, until: number | null, cause: string | null): SessionRow {
  const text = (seconds: number) => new Date(ms(seconds)).toISOString();
  const row: Partial<SessionRow> = {
    ...{ DSS_ID: 1000 + from, ICON_DBID: 9001, DS_DBID: cluster, DS_DBID_PRIM: cluster, DS2_DBID: switchDbid },
    ...{ FEVENT_DSTIME: text(from), LEVENT_DSTIME: until === null ? null : text(until), END_CAUSE: cause },
  };
  return row as SessionRow; // what else a session has is not asked for here
}

const whole = spans({ from: [-100, 0], until: [100, 9] });
// Numbers 4 to 6 are missing, between seconds 20 and 40.
const cut = spans(
  { from: [-100, 0], until: [20, 3], ended: "gap reported" },
  { from: [40, 6], until: [100, 9], began: "gap reported" },
);

// Away from second 19 to 39, and once more before and after.
const sessions = [
  session(-90, -50, "server gone"),
  session(-49, 19, "silence"),
  session(39, 50, "instance stopped"),
  session(51, null, null),
];

test("a gap says first why the source was not connected, then what is missing, and which copy is taken instead", () => {
  const own = ledger({ spans: cut, sessions });
  const lines = linesOf(own, ledger({ spans: whole }));
  const [before, gap, after] = lines.own;
  expect(before).toEqual({ from: ms(0), until: ms(20), state: "silent", causes: [] });
  expect(gap).toEqual({
    ...{ from: ms(20), until: ms(41), state: "incomplete" },
    causes: ["session ended: silence", "the server could not send again what was missed", "events 4 to 6 are missing"],
  });
  expect(after).toEqual({ from: ms(41), until: ms(60), state: "silent", causes: [] });
  expect(lines.verdict.map(({ state, chosen }) => [state, chosen])).toEqual([
    ["silent", "own"],
    ["silent", "peer"],
    ["silent", "own"],
  ]);
});

// Heard up to second 20, and not since.
const running = spans({ from: [-100, 0], until: [20, 3] });
const notHeard = "the source was not heard far enough beyond it yet";

test("while a cut goes on, what is not yet known says why the source is not heard", () => {
  const own = ledger({ spans: running, sessions: [session(-90, -50, "server gone"), session(-49, 19, "silence")] });
  const causes = ["session ended: silence", notHeard];
  const alone = linesOf(own);
  expect(alone.own.map((each) => [each.state, each.causes])).toEqual([
    ["silent", []],
    ["unknown", causes],
  ]);
  expect(alone.verdict.at(-1)).toMatchObject({ state: "unknown", causes, chosen: null });

  const covered = linesOf(own, ledger({ spans: whole }));
  expect(covered.own.at(-1)).toMatchObject({ state: "unknown", causes });
  expect(covered.verdict.at(-1)).toMatchObject({ state: "silent", causes: [], chosen: "peer" });
});

test("what neither copy has heard yet says why of both, and what neither can tell any more too", () => {
  const own = ledger({ spans: running, sessions: [session(-90, 19, "silence")] });
  const peer = ledger({ spans: running, sessions: [session(-90, 18, "server gone")] });
  const ended = ["session ended: silence", "session ended: server gone"];
  expect(linesOf(own, peer).verdict.at(-1)).toMatchObject({ state: "unknown", causes: [...ended, notHeard] });

  // One that never listened will not tell either: it is not what one waits for.
  expect(linesOf(own, ledger({})).verdict.at(-1)?.causes).toEqual(["session ended: silence", notHeard]);

  const lost = ledger({ spans: cut, sessions });
  const gap = linesOf(lost).verdict.find(({ state }) => state === "incomplete");
  expect(gap?.causes).toEqual([
    ...["session ended: silence", "the server could not send again what was missed", "events 4 to 6 are missing"],
  ]);
});

test("a source that is heard again is not said to have been lost before", () => {
  const again = [session(-90, -50, "server gone"), session(-49, null, null)];
  expect(linesOf(ledger({ spans: running, sessions: again })).own.at(-1)).toMatchObject({
    ...{ state: "unknown", causes: [notHeard] },
  });
});

test("a session whose end an earlier version did not explain adds nothing", () => {
  const own = ledger({ spans: cut, sessions: [session(-90, 21, null)] });
  expect(linesOf(own).own[1]?.causes).toEqual([
    "the server could not send again what was missed",
    "events 4 to 6 are missing",
  ]);
});

test("what lies before anybody listened is not known, and no gap; a gap of one copy only if the other has it", () => {
  const late = ledger({ spans: spans({ from: [30, 5], until: [100, 9] }) });
  const later = ledger({ spans: spans({ from: [40, 6], until: [100, 9] }) });
  const { own, peer, verdict } = linesOf(late, later);
  const notListened = "this copy did not listen yet";
  expect(own[0]).toEqual({ from: ms(0), until: ms(31), state: "unknown", causes: [notListened] });
  expect(peer?.[0]).toEqual({ from: ms(0), until: ms(41), state: "unknown", causes: [notListened] });
  expect(verdict[0]).toEqual({
    ...{ from: ms(0), until: ms(31), state: "unknown", chosen: null, isConfirmed: false },
    causes: ["nobody had listened to the source yet"],
  });
  expect(verdict[1]).toMatchObject({ state: "silent", chosen: "own" });
});

test("copies that contradict each other are told with what each has", () => {
  const one = ledger({ spans: whole, windows: windows({ at: 10, numbers: [1, 3] }) });
  const other = ledger({ spans: whole, windows: windows({ at: 10, numbers: [1, 2] }) });
  const found = linesOf(one, other).verdict.find(({ state }) => state === "divergent");
  expect(found).toMatchObject({ from: ms(10), until: ms(11), chosen: null, isConfirmed: false });
  expect(found?.causes.join()).toContain("3 events here, 2 events there");
});
