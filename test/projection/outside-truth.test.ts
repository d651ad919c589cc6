// Everybody whom a simulated contact centre says took part in its calls, inside its switch and outside, is a party of the
// rows that its events are projected to, and nobody else is.

import { expect, test } from "bun:test";
import { compare, idbCallsOf } from "../harness/oracle.ts";
import { playCentre } from "../harness/played-centre.ts";

for (const [seed, options] of [
  [31, {}],
  [32, { hasCallMonitoring: false }],
  [33, { hasCallMonitoring: false, hasPartyUuid: false, hasCallUuid: false }],
] as const) {
  test(`who takes part inside and outside is the truth, seed ${seed}`, () => {
    const { story, calls } = playCentre({ seed, ...options }, 40);
    const history = story.rows("G_PARTY_HISTORY", "PHID").toSorted((a, b) => a.PSEQ - b.PSEQ);
    const recorded = idbCallsOf(story.rows("G_CALL", "ID"), story.rows("G_PARTY", "ID"), history);
    const { differences } = compare(recorded, calls);
    expect(differences.slice(0, 10)).toEqual([]);
    expect(story.rows("ICON_ROW_QUALITY", "ID")).toEqual([]);

    const outside = calls.flatMap((call) => call.outside.map((each) => ({ ...each, callType: call.callType })));
    const kinds = {
      callers: outside.filter(({ role }) => role === 1),
      called: outside.filter(({ role, callType }) => role === 2 && callType === 3),
      consulted: outside.filter(({ callType }) => callType === 4),
      transferred: outside.filter(({ broughtBy }) => broughtBy === 1),
      conferenced: outside.filter(({ broughtBy }) => broughtBy === 2),
    };
    expect(kinds.callers.length).toBeGreaterThan(100);
    for (const [kind, each] of Object.entries(kinds)) expect([kind, each.length >= 3]).toEqual([kind, true]);
  }, 60_000);
}
