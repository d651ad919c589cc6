// Whether an instance may be stopped: from what the two ledgers and the peer's status say.

import { describe, expect, test } from "bun:test";
import { judge } from "../../src/extraction/availability.ts";
import type { Ledger } from "../../src/extraction/copy.ts";
import type { PeerStatus } from "../../src/handing-out/peer-status.ts";
import { judgeStop, type StopVerdict } from "../../src/handing-out/stop-safe.ts";
import {
  beginningSeconds,
  cluster,
  ledger,
  runA,
  runB,
  type SpanStory,
  spans,
  switchDbid,
  windows,
} from "../extraction/ledger-story.ts";

const sources = [{ name: "north", cluster, switchDbid }];
const stretch = { from: beginningSeconds, until: beginningSeconds + 100 };
const numbers = { at: 50, numbers: [4, 6] } as const;
const whole = { from: [-10, 0], until: [100, 9] } as const;
const own = ledger({ spans: spans(whole), windows: windows(numbers) });
const same = ledger({ spans: spans(whole), windows: windows(numbers) });

const north = { name: "north", state: "connected", run: runA, isHeldBack: false, alarms: [] } as const;
const healthy: PeerStatus = {
  ...{ instanceName: "icon-b", state: "running", queueState: "open", idbState: "open", oldestNotAppliedAgeMs: 3 },
  sources: [north],
};

function asked(peer: Ledger | null, peerStatus: PeerStatus | null = healthy): StopVerdict {
  const ledgers = peer === null ? [own] : [own, peer];
  const judged = {
    ...{ availability: judge(ledgers, stretch), ledgers, read: stretch, names: ["own", "https://b"], copies: [] },
    peerTrouble: peer === null ? { isSilent: true, reason: "it refuses the connection" } : null,
    peerName: peer === null ? null : "icon-b",
  };
  return judgeStop({ sources, judged, peerStatus, statusTrouble: null });
}

const reasonsOf = (...given: Parameters<typeof asked>) => asked(...given).reasons;

describe("an instance whose peer", () => {
  test("hears and has all that it does may be stopped", () => {
    expect(asked(same)).toEqual({
      ...{ isSafe: true, peer: "icon-b", reasons: [] },
      sources: [
        {
          name: "north",
          heardUntil: "2026-11-23T09:01:40.000Z",
          peerHeardUntil: "2026-11-23T09:01:40.000Z",
        },
      ],
    });
    // Seconds behind is how far apart two commits may be, and an empty backlog has no age.
    const behind = ledger({ spans: spans({ from: [-10, 0], until: [90, 8] }), windows: windows(numbers) });
    expect(reasonsOf(behind, { ...healthy, oldestNotAppliedAgeMs: null })).toEqual([]);
  });

  test("does not answer must not, whichever of the two questions it does not answer", () => {
    const reason = "The other instance cannot be asked: it refuses the connection.";
    expect(reasonsOf(null, null)).toEqual([reason]);
    expect(reasonsOf(null, healthy)).toEqual([reason]);
    expect(asked(same, null).isSafe).toBe(false);
  });

  test("is not well must not, and the reason names what it is", () => {
    for (const [change, reason] of [
      [{ state: "starting" }, "icon-b is starting."],
      [{ queueState: "full" }, "The persistent queue of icon-b is full."],
      [{ idbState: "rebuilding" }, "The IDB of icon-b is rebuilding."],
      [{ oldestNotAppliedAgeMs: 61_000 }, "icon-b is behind: its oldest record without rows is 61 s old."],
      [{ sources: [] }, "icon-b does not record north."],
      [{ sources: [{ ...north, state: "waiting" }] }, "icon-b is not connected to north."],
      [
        { sources: [{ ...north, isHeldBack: true }] },
        "icon-b does not read north at the moment: too much waits for its disk.",
      ],
      [
        { sources: [{ ...north, alarms: ["two servers are primary"] }] },
        "icon-b says of north: two servers are primary",
      ],
    ] as const) {
      expect(reasonsOf(same, { ...healthy, ...change })).toEqual([reason]);
    }
  });

  test("hears another run, nothing, or nothing any more of a source must not", () => {
    const of = (...stories: readonly SpanStory[]) =>
      reasonsOf(ledger({ spans: spans(...stories), windows: windows(numbers) }));
    expect(of({ ...whole, run: runB })).toContain("icon-b hears another run of north than this instance.");
    expect(of({ ...whole, ended: "hole" })).toContain(
      "icon-b has not heard of north since 2026-11-23T09:01:40.000Z (hole).",
    );
    expect(of({ from: [-10, 0], until: [60, 6] })).toContain(
      "icon-b is 40 s behind this instance in what it has heard of north.",
    );
    expect(reasonsOf(ledger({}))).toContain("icon-b has not heard anything of north yet.");
  });

  test("lacks what this instance has of the last minutes must not, and neither when the two contradict each other", () => {
    const lacking = ledger({
      spans: spans(
        { from: [-10, 0], until: [40, 3], ended: "hole" },
        { from: [60, 6], until: [100, 9], began: "hole" },
      ),
    });
    expect(reasonsOf(lacking)).toEqual([
      expect.stringMatching(
        /^Only this instance has north whole, 2026-11-23T09:00:50Z to 2026-11-23T09:00:51Z \(icon-b: .*events 4 to 6 are missing\)\.$/,
      ),
    ]);
    const lying = ledger({ spans: spans(whole), windows: windows({ ...numbers, digest: "f".repeat(32) }) });
    expect(reasonsOf(lying)).toEqual([
      "The two contradict each other about north, 2026-11-23T09:00:50Z to 2026-11-23T09:00:51Z.",
    ]);
  });

  test("has more than this instance may go on alone, and a source that is no longer recorded here does not count", () => {
    const more = judge([own, same], stretch);
    expect(more.sources.length).toBe(1);
    const lackingOwn = ledger({
      spans: spans(
        { from: [-10, 0], until: [40, 3], ended: "hole" },
        { from: [60, 6], until: [100, 9], began: "hole" },
      ),
    });
    const ledgers = [lackingOwn, same];
    const judged = {
      ...{ availability: judge(ledgers, stretch), ledgers, read: stretch, names: ["own", "https://b"], copies: [] },
      ...{ peerTrouble: null, peerName: "icon-b" },
    };
    const facts = { judged, peerStatus: healthy, statusTrouble: null };
    expect(judgeStop({ ...facts, sources }).reasons).toEqual([]);
    expect(judgeStop({ ...facts, sources: [] }).isSafe).toBe(true);
  });
});
