// What a pair's time line may be told, for the tests of the status side: two sources, a cut link, a CTI outage that both
// saw, and two copies that differ.

import type { PairReport, PairStretch, VerdictStretch } from "../../src/status/pair-report.ts";
import { sampleNow } from "./sample-report.ts";

const minuteMs = 60_000;

/** From so many minutes before `sampleNow` to so many. */
export function stretch(
  fromMinutes: number,
  untilMinutes: number,
  state: PairStretch["state"],
  ...causes: string[]
): PairStretch {
  return { from: sampleNow - fromMinutes * minuteMs, until: sampleNow - untilMinutes * minuteMs, state, causes };
}

function verdict(each: PairStretch, chosen: VerdictStretch["chosen"], isConfirmed = false): VerdictStretch {
  return { ...each, chosen, isConfirmed };
}

export const samplePair: PairReport = {
  from: sampleNow - 60 * minuteMs,
  until: sampleNow,
  readAt: sampleNow - 2_000,
  peer: { name: "icon-b", silentSince: null, reason: null },
  sources: [
    {
      name: "north",
      isProven: true,
      verdict: [
        verdict(stretch(60, 41, "complete"), "own", true),
        verdict(stretch(41, 38, "complete"), "peer"),
        verdict(stretch(38, 20, "complete"), "own", true),
        verdict(stretch(20, 18, "incomplete", "the CTI link was down"), null),
        verdict(stretch(18, 9, "silent"), "own", true),
        verdict(stretch(9, 8, "divergent", "both call it complete: 41 events here, 40 there"), null),
        verdict(stretch(8, 1, "complete"), "own", true),
        verdict(stretch(1, 0, "unknown"), null),
      ],
      own: [
        stretch(60, 41, "complete"),
        stretch(41, 38, "incomplete", "connection lost", "events 118 202 to 118 961 are missing"),
        stretch(38, 20, "complete"),
        stretch(20, 18, "incomplete", "the CTI link was down"),
        stretch(18, 9, "silent"),
        stretch(9, 1, "complete"),
        stretch(1, 0, "unknown"),
      ],
      peer: [
        stretch(60, 20, "complete"),
        stretch(20, 18, "incomplete", "the CTI link was down"),
        stretch(18, 9, "silent"),
        stretch(9, 1, "complete"),
        stretch(1, 0, "unknown"),
      ],
    },
    {
      name: "asterisk",
      isProven: false,
      verdict: [verdict(stretch(52, 1, "complete"), "own", true)],
      own: [stretch(52, 1, "complete")],
      peer: [stretch(60, 1, "complete")],
    },
  ],
};

/** The peer is gone: only the own ledger speaks. */
export const lonelyPair: PairReport = {
  ...samplePair,
  peer: { name: "icon-b", silentSince: sampleNow - 8 * minuteMs, reason: "it refused the connection" },
  sources: samplePair.sources.map((source) => ({
    ...source,
    verdict: source.own.map((each) => {
      const isThere = each.state === "complete" || each.state === "silent";
      return verdict(each, isThere ? "own" : null);
    }),
    peer: null,
  })),
};
