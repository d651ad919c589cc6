// What icon explain tells around a gap, from ledgers made by hand.

import { describe, expect, test } from "bun:test";
import type { Selected } from "../../schema/tables.ts";
import type { SessionRow } from "../../src/extraction/copy.ts";
import { explain, type Link } from "../../src/extraction/explain.ts";
import { explanationLines } from "../../src/extraction/explanation-text.ts";
import { beginningMs, beginningSeconds, cluster, ledger, mark, spans, switchDbid, windows } from "./ledger-story.ts";

const ms = (seconds: number) => beginningMs + seconds * 1000;
const text = (seconds: number) => new Date(ms(seconds)).toISOString();

interface SessionStory {
  readonly from: number;
  readonly until: number | null;
  readonly cause: string | null;
  /** Of the instance. */
  readonly started: number;
}

function session({ from, until, cause, started }: SessionStory): SessionRow {
  const row: Partial<SessionRow> = {
    ...{ DSS_ID: 1000 + from, ICON_DBID: 9001, DS_DBID: cluster, DS_DBID_PRIM: cluster, DS2_DBID: switchDbid },
    ...{ DSCONN_STIME: text(from), DSCONN_ETIME: until === null ? null : text(until), DSCONN_TYPE: 2 },
    ...{ ICON_STIME: text(started), END_CAUSE: cause, END_DETAIL: null, IS_END_SEEN: 1 },
  };
  return row as SessionRow; // what else a session has is not asked for here
}

/** A mark of the instance itself. */
function ofInstance(position: number, kind: string, seconds: number): Selected<"ICON_MARK"> {
  return { ...mark(position, kind, seconds), SOURCE: null };
}

/** The only copy of the only source, at a second of the story. */
function explained(story: Parameters<typeof ledger>[0], seconds: number) {
  const read = { from: beginningSeconds - 1500, until: beginningSeconds + 1500 };
  const [found] = explain({ ledgers: [ledger(story)], read }, ms(seconds));
  if (found === undefined) throw new Error("the ledger tells of a source");
  return { chain: found.copies[0]?.chain ?? [], lines: explanationLines(found, ["a"]) };
}

describe("an instance that was started again while its source was away", () => {
  // Numbers 4 to 6 are missing, between seconds 10 and 70.
  const cut = spans(
    { from: [-100, 0], until: [10, 3], ended: "gap reported" },
    { from: [70, 6], until: [200, 9], began: "gap reported" },
  );

  function downs(cause: string, ...marks: Selected<"ICON_MARK">[]) {
    const sessions = [
      session({ from: -100, until: 10, cause, started: -101 }),
      session({ from: 65, until: null, cause: null, started: 60 }),
    ];
    const { chain } = explained({ spans: cut, sessions, marks }, 30);
    const isDown = (link: Link) => link.kind === "instance down";
    return chain.filter(isDown).map((link) => "untilMs" in link && [link.atMs, link.untilMs, link.isCrash]);
  }

  test("was down from its own stop on, and stopped in order, though the link was lost long before", () => {
    const marks = [ofInstance(1, "instance stopped", 58), ofInstance(2, "instance started", 60)];
    expect(downs("connection lost", ...marks)).toEqual([[ms(58), ms(60), false]]);
  });

  test("is not said to be down from when the link was lost, where nobody knows when it ended", () => {
    expect(downs("connection lost", ofInstance(2, "instance started", 60))).toEqual([]);
    // A stop of before, or one that a source's mark tells of, is not the one that is asked for.
    expect(downs("connection lost", ofInstance(1, "instance stopped", 9))).toEqual([]);
    expect(downs("connection lost", mark(1, "instance stopped", 58))).toEqual([]);
  });

  test("was down from its last word on, without an orderly stop, where the session was left open", () => {
    expect(downs("our crash", ofInstance(2, "instance started", 60))).toEqual([[ms(10), ms(60), true]]);
  });

  test("was down from the session's end on where that is its own stop", () => {
    expect(downs("our stop")).toEqual([[ms(10), ms(60), false]]);
  });

  test("was down more than once, each time told with its own stop", () => {
    const marks = [
      ofInstance(1, "instance started", 20),
      ofInstance(2, "instance stopped", 40),
      ofInstance(3, "instance started", 42),
      ofInstance(4, "instance started", 60),
    ];
    expect(downs("our crash", ...marks)).toEqual([
      [ms(10), ms(20), true],
      [ms(40), ms(42), false],
    ]);
  });

  test("is told of in words that agree with its own marks", () => {
    const sessions = [
      session({ from: -100, until: 10, cause: "connection lost", started: -101 }),
      session({ from: 65, until: null, cause: null, started: 60 }),
    ];
    const marks = [ofInstance(1, "instance stopped", 58), ofInstance(2, "instance started", 60)];
    const { lines } = explained({ spans: cut, sessions, marks }, 30);
    expect(lines.filter((line) => line.includes("Z* "))).toEqual([
      "    2026-11-23T09:00:10.000Z* session 900 ended: connection lost",
      "    2026-11-23T09:00:58.000Z* the instance was down until 2026-11-23T09:01:00.000Z, stopped in order",
      "    2026-11-23T09:00:58.000Z* instance stopped",
      "    2026-11-23T09:01:00.000Z* instance started",
      "    2026-11-23T09:01:05.000Z* session 1065 opened: connected again",
    ]);
  });
});

describe("the text of an explanation", () => {
  test("says of a time before the first word that nobody had listened, and from when on somebody did", () => {
    const { lines } = explained({ spans: spans({ from: [0.5, 0], until: [100, 9] }) }, -50);
    expect(lines.slice(1)).toEqual([
      "  incomplete: nobody had listened to the source yet.",
      "  a: incomplete, 0 events",
      "    because this copy did not listen yet",
      "    2026-11-23T09:00:00.500Z  from here on everything is known",
    ]);
  });

  test("says where a stretch goes on beyond what was looked at", () => {
    const { lines } = explained({ spans: spans({ from: [0.5, 0], until: [100, 9] }) }, 110);
    expect(lines).toContain("    not known 2026-11-23T09:01:35Z to 09:26:50Z, and further");
    const away = spans(
      { from: [-5000, 0], until: [-4000, 3], ended: "gap reported" },
      { from: [4000, 6], until: [5000, 9], began: "gap reported" },
    );
    expect(explained({ spans: away }, 0).lines).toContain(
      "    not whole 2026-11-23T08:35:00Z to 09:25:00Z, from earlier on, and further",
    );
  });

  test("has one line for an instant of which something may be missing", () => {
    const meeting = spans(
      { from: [-100, 0], until: [10, 3], ended: "damaged record" },
      { from: [10, 3], until: [100, 9], began: "damaged record" },
    );
    const lines = explained({ spans: meeting }, 10).lines.filter((line) => /Z {2}/.test(line));
    expect(lines).toEqual(["    2026-11-23T09:00:10.000Z  of this instant something may be missing"]);
  });
});

describe("a copy that is whole", () => {
  const whole = spans({ from: [-100, 0], until: [400, 9] });
  const linesOf = (story: Parameters<typeof ledger>[0], seconds: number) =>
    explained({ spans: whole, ...story }, seconds).lines.slice(2);

  test("tells the marks around the moment, and what was noted of its window", () => {
    const row = windows({ at: 30, numbers: [1, 3], faults: ["host clock stepped", "gap reported"] });
    const marks = [{ ...ofInstance(1, "host clock stepped", 32), DETAIL: "by 2 s" }, ofInstance(2, "idb back", 99)];
    const sessions = [session({ from: 29, until: null, cause: null, started: -101 })];
    expect(linesOf({ windows: row, marks, sessions }, 30)).toEqual([
      "  a: complete, 3 events",
      "    whole all the same: host clock stepped",
      "    whole all the same: the server could not send again what was missed",
      "    2026-11-23T09:00:32.000Z* host clock stepped: by 2 s",
      "    (* by the clock of the instance's host)",
    ]);
  });

  test("tells that its IDB was lost at that time, however long it took to come back", () => {
    const lost = { ...ofInstance(1, "idb lost", 10), DETAIL: "disk I/O error" };
    const told = "    2026-11-23T09:00:10.000Z* idb lost: disk I/O error";
    const clock = "    (* by the clock of the instance's host)";
    const marks = [lost, ofInstance(2, "idb back", 200)];
    expect(linesOf({ marks }, 100)).toEqual([
      ...["  a: silent", told, "    2026-11-23T09:03:20.000Z* idb back", clock],
    ]);
    expect(linesOf({ marks: [lost] }, 100)).toEqual(["  a: silent", told, clock]);
    expect(linesOf({ marks }, 300)).toEqual(["  a: silent"]);
    expect(linesOf({ marks }, 2)).toEqual(["  a: silent"]);
  });

  test("of which nothing was noted has one line", () => {
    expect(linesOf({ sessions: [session({ from: 29, until: null, cause: null, started: -101 })] }, 30)).toEqual([
      "  a: silent",
    ]);
  });
});
