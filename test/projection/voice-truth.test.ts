// What a simulated contact centre tells of virtual queues, routing, holds, transfers and who released, projected, is what
// it says was true.

import { expect, test } from "bun:test";
import { virtualQueueCauses } from "../../schema/dictionary.ts";
import { sourceInstant, timestampText } from "../../src/event/instant.ts";
import type { CallDetail } from "../../src/simulator/tserver/call-detail.ts";
import { playCentre } from "../harness/played-centre.ts";
import { storyRows } from "../harness/story-rows.ts";
import { compareVoiceStatistics, isTransferredOutside } from "../harness/voice-statistics.ts";

const text = (ms: number | null) => (ms === null ? null : timestampText(sourceInstant(ms)));

function toldStays(details: readonly CallDetail[]): string[] {
  return details.flatMap(({ connId, virtualStays }) =>
    virtualStays.map(({ dn, vqid, from, to, endEvent, target }) => {
      const cause = endEvent === null ? null : endEvent === "EventAbandoned" ? "abandoned" : "normal";
      return [connId, dn, vqid, text(from), text(to), cause, target === null ? null : connId].join(" ");
    }),
  );
}

for (const [seed, options] of [
  [21, {}],
  [22, { hasCallMonitoring: false, hasPartyUuid: false }],
] as const) {
  test(`virtual queues, route results and statistics are the truth, seed ${seed}`, () => {
    const { story, details, calls } = playCentre({ seed, ...options }, 20);
    const connIds = new Map(story.rows("G_CALL", "ID").map((row) => [row.CALLID, row.CONNID]));
    const word = (row: { CAUSE?: number | null }) =>
      row.CAUSE == null ? null : row.CAUSE === virtualQueueCauses.abandoned ? "abandoned" : "normal";

    const stays = story.rows("G_VIRTUAL_QUEUE", "ID");
    const stayTexts = stays.map((row) =>
      [
        ...[connIds.get(row.CALLID), row.ENDPOINTDN, row.VQID, row.CREATED, row.TERMINATED, word(row)],
        row.DISTCALLID == null ? null : connIds.get(row.DISTCALLID),
      ].join(" "),
    );
    expect(stayTexts.sort()).toEqual(toldStays(details).sort());
    expect(stays.length).toBeGreaterThan(100);

    const tellsWhoReleased = !("hasCallMonitoring" in options);
    const statistics = compareVoiceStatistics(storyRows(story), { calls, details, tellsWhoReleased });
    expect(statistics.differences.slice(0, 10)).toEqual([]);
    expect(statistics.calls).toBeGreaterThan(200);
    expect(statistics.parties).toBeGreaterThan(400);
    expect(statistics.routes).toBeGreaterThan(60);
    expect(statistics.waits).toBeGreaterThan(60);
    expect(calls.filter(isTransferredOutside).length).toBeGreaterThan(3);
  }, 60_000);
}
