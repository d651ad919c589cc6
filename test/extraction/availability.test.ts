import { describe, expect, test } from "bun:test";
import { type JudgedStretch, judge, LedgersDifferError } from "../../src/extraction/availability.ts";
import type { Ledger } from "../../src/extraction/copy.ts";
import { beginningSeconds, ledger, runB, spans, windows } from "./ledger-story.ts";

/** What the copies say together, in seconds from the beginning: `0-10 silent a confirmed`. */
function together(ledgers: readonly Ledger[], from: number, until: number): string[] {
  return stretches(ledgers, from, until).map(({ from, until, verdict: { state, chosen, agreement } }) => {
    const letter = chosen === null ? "-" : "abc"[chosen];
    return `${from - beginningSeconds}-${until - beginningSeconds} ${state} ${letter} ${agreement}`;
  });
}

/** What one copy says of itself: `0-10 incomplete: hole [101-105]`. */
function alone(ledgers: readonly Ledger[], place: number, from: number, until: number): string[] {
  const said: { text: string; from: number; until: number }[] = [];
  for (const each of stretches(ledgers, from, until)) {
    const copy = each.verdict.copies[place];
    if (copy === undefined) continue;
    const missing = copy.missing.map(({ from, to }) => `${from}-${to ?? ""}`).join(" ");
    const text = `${copy.state}${copy.causes.length > 0 ? `: ${copy.causes.join(", ")}` : ""}${missing === "" ? "" : ` [${missing}]`}`;
    const last = said.at(-1);
    if (last?.text === text) last.until = each.until;
    else said.push({ text, from: each.from, until: each.until });
  }
  return said.map(({ from, until, text }) => `${from - beginningSeconds}-${until - beginningSeconds} ${text}`);
}

function stretches(ledgers: readonly Ledger[], from: number, until: number): readonly JudgedStretch[] {
  const { sources } = judge(ledgers, { from: beginningSeconds + from, until: beginningSeconds + until });
  return sources[0]?.stretches ?? [];
}

describe("one copy", () => {
  test("without a gap is silent where nothing happened, complete where something did, and not judged near its last word", () => {
    const copy = ledger({
      spans: spans({ from: [0, 0], until: [60, 12] }),
      windows: windows({ at: 10, numbers: [1, 7] }, { at: 11, numbers: [8, 12] }),
    });
    expect(alone([copy], 0, 0, 100)).toEqual([
      "0-1 incomplete: not listened yet",
      "1-10 silent",
      "10-12 complete",
      "12-55 silent",
      "55-100 unknown: not heard yet",
    ]);
  });

  test("costs as little for eight thousand years as for a minute", () => {
    const copy = ledger({ spans: spans({ from: [0, 0], until: [60, 0] }) });
    const { sources } = judge([copy], { from: 0, until: 253_402_300_799 });
    expect(sources[0]?.stretches.map(({ verdict, windowCount }) => [verdict.state, windowCount])).toEqual([
      ["incomplete", beginningSeconds + 1],
      ["silent", 54],
      ["unknown", 253_402_300_799 - beginningSeconds - 55],
    ]);
  });

  test("lacks what a hole in the numbers lacks, between the words around it", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "hole" },
        { from: [14.2, 105], until: [60, 105], began: "hole" },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual(["1-10 silent", "10-15 incomplete: hole [101-105]", "15-50 silent"]);
  });

  test("is in doubt about the instants at a hole's ends: events of the same time may be among the missing", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10, 100], ended: "hole" },
        { from: [14, 105], until: [60, 105], began: "hole" },
      ),
    });
    expect(alone([copy], 0, 5, 50)).toEqual(["5-10 silent", "10-15 incomplete: hole [101-105]", "15-50 silent"]);
  });

  test("has everything of a silence that numbers prove, however long it was away", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10, 100], ended: "queue lost" },
        { from: [500, 100], until: [600, 100], began: "queue lost" },
      ),
    });
    expect(alone([copy], 0, 1, 590)).toEqual(["1-590 silent"]);
  });

  test("widens a doubt by as much as the source tells events out of order", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "hole" },
        { from: [14.2, 105], until: [60, 105], began: "hole", latenessMs: 900 },
      ),
    });
    expect(alone([copy], 0, 2, 50)).toEqual(["2-9 silent", "9-16 incomplete: hole [101-105]", "16-50 silent"]);
  });

  test("does not have the end of a server's run that was not an orderly one", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "new run" },
        { from: [14.2, 0], until: [60, 0], run: runB, began: "new run" },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual(["1-10 silent", "10-15 incomplete: new run [101-]", "15-50 silent"]);
  });

  test("has everything where a server ended in order and the next was heard from its first event", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "orderly end" },
        { from: [14.2, 0], until: [60, 0], run: runB, began: "new run" },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual(["1-50 silent"]);
  });

  test("lacks what the next server had numbered before it was heard, though the one before ended in order", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "orderly end" },
        { from: [14.2, 7], until: [60, 7], run: runB, began: "new run" },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual(["1-10 silent", "10-15 incomplete: new run [1-7]", "15-50 silent"]);
  });

  test("has everything of a server that gave its role to another one and took it back", () => {
    const copy = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 100], ended: "orderly end" },
        { from: [14.2, 0], until: [30, 9], run: runB, began: "new run", ended: "orderly end" },
        { from: [32, 100], until: [60, 100], began: "new run" },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual(["1-50 silent"]);
  });

  test("is condemned by a damaged record, and not by a snapshot that put things right", () => {
    const copy = ledger({
      spans: spans({ from: [0, 0], until: [60, 5] }),
      windows: windows(
        { at: 10, faults: ["damaged record"] },
        { at: 20, faults: ["reconciled by snapshot", "late event"] },
        { at: 30, numbers: [1, 5], faults: ["a word of a newer version"] },
      ),
    });
    expect(alone([copy], 0, 1, 50)).toEqual([
      "1-10 silent",
      "10-11 incomplete: damaged record",
      "11-30 silent",
      "30-31 incomplete: a word of a newer version",
      "31-50 silent",
    ]);
  });

  test("without numbers says no more than that it listened, session by session", () => {
    const copy = ledger({
      spans: spans(
        { run: "", from: [0, null], until: [10.5, null], ended: "session ended" },
        { run: "", from: [14.2, null], until: [60, null], began: "session ended" },
      ),
      windows: windows({ run: "", at: 20, events: 3 }),
    });
    expect(alone([copy], 0, 1, 50)).toEqual([
      "1-10 silent",
      "10-15 incomplete: session ended",
      "15-20 silent",
      "20-21 complete",
      "21-50 silent",
    ]);
    expect(stretches([copy], 20, 21)[0]?.verdict.copies[0]?.isProven).toBe(false);
  });
});

describe("several copies", () => {
  const whole = () =>
    ledger({
      spans: spans({ from: [0, 0], until: [60, 110] }),
      windows: windows({ at: 5, numbers: [1, 100] }, { at: 12, numbers: [101, 105] }, { at: 40, numbers: [106, 110] }),
    });

  test("narrow a hole down to the window in which its events happened", () => {
    const holed = ledger({
      spans: spans(
        { from: [0, 0], until: [5.5, 100], ended: "hole" },
        { from: [40.5, 105], until: [60, 110], began: "hole" },
      ),
      windows: windows({ at: 5, numbers: [1, 100] }, { at: 40, numbers: [106, 110] }),
    });
    expect(alone([holed, whole()], 0, 1, 50)).toEqual([
      "1-5 silent",
      "5-6 complete",
      "6-12 silent",
      "12-13 incomplete: hole, another copy has more [101-105]",
      "13-40 silent",
      "40-41 complete",
      "41-50 silent",
    ]);
    expect(together([holed, whole()], 1, 50)).toEqual([
      "1-5 silent a confirmed",
      "5-6 complete a confirmed",
      "6-12 silent a confirmed",
      "12-13 complete b alone",
      "13-40 silent a confirmed",
      "40-41 complete a confirmed",
      "41-50 silent a confirmed",
    ]);
  });

  test("that lack the same numbers do not point at one another", () => {
    const cut = (firstAgain: number) =>
      ledger({
        spans: spans(
          { from: [0, 0], until: [5.5, 100], ended: "gap reported" },
          { from: [5.8, firstAgain - 1], until: [60, 110], began: "gap reported" },
        ),
        windows: windows({ at: 5, numbers: [99, 110], events: 113 - firstAgain, holes: [[101, firstAgain - 1]] }),
      });
    expect(alone([cut(105), cut(106)], 0, 5, 6)).toEqual(["5-6 incomplete: gap reported [101-104]"]);
    expect(alone([cut(105), cut(106)], 1, 5, 6)).toEqual([
      "5-6 incomplete: gap reported, another copy has more [101-105]",
    ]);
  });

  test("say that nobody knows yet, when all that is missing may still come to the one that is behind", () => {
    const behind = ledger({ spans: spans({ from: [0, 0], until: [4, 0] }) });
    const holed = ledger({
      spans: spans(
        { from: [0, 0], until: [5.5, 100], ended: "hole" },
        { from: [8.5, 105], until: [60, 110], began: "hole" },
      ),
      windows: windows({ at: 5, numbers: [1, 100] }, { at: 8, numbers: [106, 110] }),
    });
    expect(alone([behind, holed], 0, 1, 50)).toEqual(["1-50 unknown: not heard yet"]);
    expect(together([behind, holed], 1, 10)).toEqual([
      "1-5 silent b alone",
      "5-6 unknown - none",
      "6-8 unknown - none",
      "8-9 unknown - none",
      "9-10 silent b alone",
    ]);
  });

  test("that both call a window complete and have other events in it diverge", () => {
    const other = ledger({
      spans: spans({ from: [0, 0], until: [60, 110] }),
      windows: windows(
        { at: 5, numbers: [1, 100], events: 99 },
        { at: 12, numbers: [101, 105], digest: "f".repeat(32) },
        { at: 40, numbers: [106, 110] },
      ),
    });
    expect(together([other, whole()], 1, 50)).toEqual([
      "1-5 silent a confirmed",
      "5-6 complete b divergent",
      "6-12 silent a confirmed",
      "12-13 complete a divergent",
      "13-40 silent a confirmed",
      "40-41 complete a confirmed",
      "41-50 silent a confirmed",
    ]);
  });

  test("are all blind where one of them heard that the server had lost its CTI link", () => {
    const away = ledger({ spans: spans({ from: [0, 0], until: [60, 0] }) });
    const there = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 0], ended: "cti link down" },
        { from: [14.2, 0], until: [60, 0], began: "cti link down" },
      ),
    });
    expect(together([away, there], 1, 50)).toEqual([
      "1-10 silent a confirmed",
      "10-15 incomplete - none",
      "15-50 silent a confirmed",
    ]);
    expect(alone([away, there], 0, 1, 50)).toEqual(["1-10 silent", "10-15 incomplete: cti link down", "15-50 silent"]);
  });

  test("are not said to lack what a blind server told to both", () => {
    const heard = () =>
      ledger({
        spans: spans(
          { from: [0, 0], until: [10.5, 3], ended: "cti link down" },
          { from: [12.2, 5], until: [60, 5], began: "cti link down" },
        ),
        windows: windows({ at: 11, numbers: [4, 5] }),
      });
    expect(alone([heard(), heard()], 0, 1, 50)).toEqual([
      "1-10 silent",
      "10-13 incomplete: cti link down",
      "13-50 silent",
    ]);
  });

  test("do not vouch for the time of a server that only another one heard", () => {
    const missedIt = ledger({ spans: spans({ from: [0, 0], until: [60, 0] }) });
    const heardIt = ledger({
      spans: spans(
        { from: [0, 0], until: [10.5, 0], ended: "orderly end" },
        { from: [20, 3], until: [30, 3], run: runB, began: "new run", ended: "orderly end" },
        { from: [40, 0], until: [60, 0], began: "new run" },
      ),
    });
    expect(alone([missedIt, heardIt], 0, 1, 50)).toEqual([
      "1-10 silent",
      "10-41 incomplete: role given up, run not heard",
      "41-50 silent",
    ]);
    expect(alone([missedIt, heardIt], 1, 1, 50)).toEqual([
      "1-10 silent",
      "10-21 incomplete: new run [1-3]",
      "21-50 silent",
    ]);
  });

  test("of which one has nothing of the source leave the choice to the other", () => {
    const never = ledger({});
    expect(together([never, whole()], 5, 6)).toEqual(["5-6 complete b alone"]);
    expect(alone([never, whole()], 0, 1, 5)).toEqual(["1-5 incomplete: never listened"]);
  });

  test("three of them: the window is confirmed by the two that have it", () => {
    const late = ledger({
      spans: spans({ from: [30, 105], until: [60, 110] }),
      windows: windows({ at: 40, numbers: [106, 110] }),
    });
    expect(together([late, whole(), whole()], 5, 6)).toEqual(["5-6 complete b confirmed"]);
  });

  test("with windows of different length cannot be compared", () => {
    const other = ledger({ windowSeconds: 60 });
    expect(() => judge([whole(), other], { from: 0, until: 1 })).toThrow(
      new LedgersDifferError(
        "Cannot compare copies whose ledgers have windows of 1 s and of 60 s: expected the same length, which is chosen when an IDB is made",
      ),
    );
  });

  test("that are one and the same IDB cannot be compared", () => {
    const one = whole();
    expect(() => judge([one, one], { from: 0, until: 1 })).toThrow("Cannot compare an IDB with itself");
  });

  test("that one instance recorded do not confirm each other, and contradict each other all the same", () => {
    const [one, other] = [whole(), whole()];
    const rebuilt = { ...other, identity: { ...other.identity, queueId: one.identity.queueId } };
    const restored = { ...other, identity: { ...other.identity, iconDbids: one.identity.iconDbids } };
    const expected = { both: ["5-6 complete a alone"], third: ["5-6 complete a confirmed"] };
    for (const again of [rebuilt, restored]) {
      expect({ both: together([one, again], 5, 6), third: together([one, again, whole()], 5, 6) }).toEqual(expected);
    }
    const different = { ...rebuilt, windows: windows({ at: 5, numbers: [1, 2], digest: "f".repeat(32) }) };
    expect(together([one, different], 5, 6)[0]).toContain("divergent");
    // Nothing was committed to either: that is no queue they have in common.
    const fresh = [one, other].map((each) => ({ ...each, identity: { ...each.identity, queueId: null } }));
    expect(together(fresh, 5, 6)).toEqual(["5-6 complete a confirmed"]);
  });

  test("with a window of two server runs are compared by the digests of both", () => {
    const restarted = (second: string) =>
      ledger({
        spans: spans(
          { from: [0, 0], until: [10.2, 2], ended: "orderly end" },
          { from: [10.6, 0], until: [60, 1], run: runB, began: "new run" },
        ),
        windows: windows(
          { at: 10, numbers: [1, 2], digest: "f".repeat(32) },
          { at: 10, run: runB, numbers: [1, 1], digest: second },
        ),
      });
    const two = "2".padStart(32, "0");
    const [same] = stretches([restarted(two), restarted(two)], 10, 11);
    expect([same?.verdict.agreement, same?.verdict.copies[0]?.events, same?.verdict.copies[0]?.digest]).toEqual([
      "confirmed",
      3,
      "1".padStart(32, "0"),
    ]);
    const [other] = stretches([restarted(two), restarted("3".padStart(32, "0"))], 10, 11);
    expect(other?.verdict.agreement).toBe("divergent");
  });

  test("name their sources by cluster and switch", () => {
    const { sources } = judge([whole()], { from: beginningSeconds, until: beginningSeconds + 1 });
    expect(sources.map(({ source, names }) => ({ source, names }))).toEqual([
      { source: { cluster: 101, switchDbid: 1 }, names: ["north"] },
    ]);
  });
});
