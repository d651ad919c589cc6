// What may be purged: only what the other copy holds, from what the two ledgers say.

import { expect, test } from "bun:test";
import { judge } from "../../src/extraction/availability.ts";
import type { Ledger } from "../../src/extraction/copy.ts";
import { firstNotHeld } from "../../src/handing-out/purge-held.ts";
import { beginningMs, beginningSeconds, ledger, spans, type WindowStory, windows } from "../extraction/ledger-story.ts";

const stretch = { from: beginningSeconds, until: beginningSeconds + 100 };
const rows: readonly WindowStory[] = [
  { at: 20, numbers: [1, 3] },
  { at: 50, numbers: [4, 6] },
];
const whole = { from: [-10, 0], until: [120, 9] } as const;
const own = ledger({ spans: spans(whole), windows: windows(...rows) });

function asked(peer: Ledger | null, mine = own, by: "command" | "schedule" = "command") {
  const ledgers = peer === null ? [mine] : [mine, peer];
  return firstNotHeld(
    {
      ...{ availability: judge(ledgers, stretch), ledgers, read: stretch, names: ["own", "https://b"] },
      copies: ledgers.map(({ identity }, place) => ({ name: `${place}`, identity, problem: null })),
      peerTrouble: peer === null ? { isSilent: true, reason: "it refuses the connection" } : null,
      peerName: peer === null ? null : "icon-b",
    },
    stretch,
    by,
  );
}

const at = (seconds: number) => beginningMs + seconds * 1000;
const purge = { ID: 9, POSITION: 9, ADDED: "2026-11-24T09:00:00.000Z", SOURCE: null, KIND: "purge" };

test("what the peer has whole may go", () => {
  expect(asked(ledger({ spans: spans(whole), windows: windows(...rows) }))).toBeNull();
});

test("a window that the peer lacks may not, and it is named", () => {
  const later = ledger({ spans: spans({ ...whole, from: [40, 3] }), windows: windows(...rows.slice(1)) });
  const missed = asked(later);
  expect(missed?.fromMs).toBe(at(20));
  expect(missed?.reason).toStartWith(
    "No other copy is known to hold north from 2026-11-23T09:00:20Z to 2026-11-23T09:00:21Z (icon-b: ",
  );
});

test("a window without events has nothing to lose", () => {
  const later = ledger({ spans: spans({ ...whole, from: [15, 0] }), windows: windows(...rows) });
  expect(asked(later)).toBeNull();
});

const purgedByPeer = [{ ...purge, DETAIL: `before ${new Date(at(40)).toISOString()}, by schedule` }];

test("what the peer has purged itself may not by a command: this is the last copy", () => {
  const missed = asked(ledger({ spans: spans(whole), windows: windows(...rows), marks: purgedByPeer }));
  expect(missed?.fromMs).toBe(at(20));
  expect(missed?.reason).toContain("its calls were purged from this copy");
});

test("with a schedule on both instances the one that comes second goes on", () => {
  const peer = ledger({ spans: spans(whole), windows: windows(...rows), marks: purgedByPeer });
  expect(asked(peer, own, "schedule")).toBeNull();
});

test("what the peer lacked before it purged keeps the schedule from it", () => {
  const later = ledger({
    spans: spans({ ...whole, from: [10, 3] }),
    windows: windows({ at: 20, numbers: [3, 3] }, ...rows.slice(1)),
    marks: purgedByPeer,
  });
  const faulty = [{ at: 20, numbers: [1, 3], faults: ["projection failed"] } as const, ...rows.slice(1)];
  const other = [{ at: 20, numbers: [1, 3], digest: "f".repeat(32) } as const, ...rows.slice(1)];
  expect(asked(later, own, "schedule")).toMatchObject({ fromMs: at(20) });
  // The same events, though each has its own fault: nothing is here that was not there.
  expect(
    asked(ledger({ spans: spans(whole), windows: windows(...faulty), marks: purgedByPeer }), own, "schedule"),
  ).toBe(null);
  expect(
    asked(ledger({ spans: spans(whole), windows: windows(...other), marks: purgedByPeer }), own, "schedule"),
  ).toMatchObject({ fromMs: at(20) });
});

test("what this IDB has purged already is not asked about", () => {
  const marks = [{ ...purge, DETAIL: `before ${new Date(at(40)).toISOString()}, by command` }];
  const mine = ledger({ spans: spans(whole), windows: windows(...rows), marks });
  const later = ledger({ spans: spans({ ...whole, from: [45, 3] }), windows: windows(...rows.slice(1)) });
  expect(asked(later, mine)).toBeNull();
});

test("both may lack something and hold the same: then what is here is there too", () => {
  const faulty = rows.map((row) => ({ ...row, faults: ["cti link down"] }));
  const both = () => ledger({ spans: spans(whole), windows: windows(...faulty) });
  expect(asked(both(), both())).toBeNull();
});

test("two that contradict each other hold not the same", () => {
  const others = [{ at: 20, numbers: [1, 3], digest: "f".repeat(32) } as const, ...rows.slice(1)];
  const missed = asked(ledger({ spans: spans(whole), windows: windows(...others) }));
  expect(missed).toMatchObject({ fromMs: at(20), reason: expect.stringContaining("the two contradict each other") });
});

test("a peer that does not answer is not known to hold anything", () => {
  expect(asked(null)).toEqual({
    fromMs: at(0),
    reason: "the other instance cannot be asked: it refuses the connection.",
  });
});
