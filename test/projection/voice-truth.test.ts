// What a simulated contact centre tells of virtual queues, routing, holds, transfers and who released, projected, is what
// it says was true.

import { expect, test } from "bun:test";
import { routeResults, virtualQueueCauses } from "../../schema/dictionary.ts";
import { sourceInstant, timestampText } from "../../src/event/instant.ts";
import type { CallDetail } from "../../src/simulator/tserver/call-detail.ts";
import type { readOracle } from "../harness/oracle.ts";
import { playCentre } from "../harness/played-centre.ts";

const text = (ms: number | null) => (ms === null ? null : timestampText(sourceInstant(ms)));

function toldStays(details: readonly CallDetail[]): string[] {
  return details.flatMap(({ connId, virtualStays }) =>
    virtualStays.map(({ dn, vqid, from, to, endEvent, target }) => {
      const cause = endEvent === null ? null : endEvent === "EventAbandoned" ? "abandoned" : "normal";
      return [connId, dn, vqid, text(from), text(to), cause, target !== null].join(" ");
    }),
  );
}

function toldRoutes(details: readonly CallDetail[]): string[] {
  const results = { routed: routeResults.routed, default: routeResults.routed, abandoned: routeResults.abandoned };
  return details.flatMap(({ connId, routes }) =>
    routes.flatMap(({ dn, to, outcome, keys }) => {
      if (outcome === null || outcome === "lost") return [];
      const names = ["RTargetAgentSelected", "RTargetObjectSelected", "RTargetTypeSelected", "RStrategyName"];
      return [connId, dn, text(to), results[outcome], ...names.map((name) => keys[name] ?? null)].join(" ");
    }),
  );
}

/** Who was transferred outside has no events of its own: only that somebody was released for it tells. */
function transferredOutside(call: ReturnType<typeof readOracle>[number] | undefined): boolean {
  const isReleased = call?.parties.some(({ endEvent, callState }) => endEvent === "EventReleased" && callState === 1);
  return isReleased === true && call?.merged === null;
}

function conferencedOutside(call: ReturnType<typeof readOracle>[number] | undefined): number {
  return call?.outside.filter(({ broughtBy }) => broughtBy === 2).length ?? 0;
}

for (const [seed, options] of [
  [21, {}],
  [22, { hasCallMonitoring: false, hasPartyUuid: false }],
] as const) {
  test(`virtual queues, route results and statistics are the truth, seed ${seed}`, () => {
    const { story, details, calls } = playCentre({ seed, ...options }, 30);
    const connIds = new Map(story.rows("G_CALL", "ID").map((row) => [row.CALLID, row.CONNID]));
    const word = (row: { CAUSE?: number | null }) =>
      row.CAUSE == null ? null : row.CAUSE === virtualQueueCauses.abandoned ? "abandoned" : "normal";

    const stays = story.rows("G_VIRTUAL_QUEUE", "ID");
    const stayTexts = stays.map((row) =>
      [
        ...[connIds.get(row.CALLID), row.ENDPOINTDN, row.VQID, row.CREATED, row.TERMINATED, word(row)],
        row.DISTCALLID != null,
      ].join(" "),
    );
    expect(stayTexts.sort()).toEqual(toldStays(details).sort());
    expect(stays.length).toBeGreaterThan(100);

    const routes = story.rows("G_ROUTE_RESULT", "ID");
    const routeTexts = routes.map((row) =>
      [
        ...[row.CONNID, row.ENDPOINTDN, row.CREATED, row.RESULT, row.RTARGETAGENTSELECTED, row.RTARGETOBJECTSELECTED],
        ...[row.RTARGETTYPESELECTED, row.RSTRATEGYNAME],
      ].join(" "),
    );
    expect(routeTexts.sort()).toEqual(toldRoutes(details).sort());
    expect(routes.length).toBeGreaterThan(100);
    const waits = story.rows("G_ROUTE_RES_VQ_HIST", "ID");
    expect(waits.length).toBeGreaterThan(100);
    const routed = new Set(routes.map(({ PARTYID }) => PARTYID));
    for (const { PARTYID, TERMINATED } of waits)
      expect([routed.has(PARTYID), TERMINATED != null]).toEqual([true, true]);

    const statistics = new Map(story.rows("G_CALL_STAT", "ID").map((row) => [connIds.get(row.CALLID), row]));
    const isOver = new Set(calls.filter(({ endedAt }) => endedAt !== null).map(({ connId }) => connId));
    const real = new Map(calls.map((call) => [call.connId, call]));
    let compared = 0;
    for (const { connId, counts, releasedBy } of details) {
      const row = statistics.get(connId);
      expect(row !== undefined).toBe(isOver.has(connId));
      if (row === undefined) continue;
      compared += 1;
      expect({
        connId,
        held: row.CNT_HOLD,
        diverted: row.CNT_DIVERT,
        abandoned: row.F_TE_ABND,
        releasedBy: row.GSYS_EXT_VCH1,
        transferred: row.CNT_TRANSFER,
        conferenced: row.CNT_CONFERENCE,
      }).toEqual({
        connId,
        held: counts.held,
        diverted: counts.diverted,
        abandoned: counts.abandoned > 0 ? 1 : 0,
        releasedBy: "hasCallMonitoring" in options ? "" : (releasedBy ?? ""),
        transferred: Math.max(counts.transferredIn, transferredOutside(real.get(connId)) ? 1 : 0),
        conferenced: counts.conferencedIn + conferencedOutside(real.get(connId)),
      });
    }
    expect(compared).toBeGreaterThan(300);
    expect(calls.filter(transferredOutside).length).toBeGreaterThan(3);

    const parties = new Map(story.rows("G_PARTY", "ID").map((row) => [row.PARTYID, row]));
    const told = new Map(
      details.flatMap(({ connId, parties: own }) =>
        own.map((each) => [`${connId} ${each.dn} ${text(each.from)}`, each]),
      ),
    );
    const words = { TT_QUEUED: "queued", TT_DIALING: "dialing", TT_ALERTING: "alerting" } as const;
    for (const row of story.rows("G_PARTY_STAT", "ID")) {
      const party = parties.get(row.PARTYID);
      const truth = told.get(`${connIds.get(party?.CALLID ?? "")} ${party?.ENDPOINTDN} ${party?.CREATED}`);
      expect(row.RELEASINGPARTY).toBe(truth?.releasingParty ?? null);
      for (const [column, state] of Object.entries({ ...words, TT_CONNECTED: "connected", TT_HOLD: "held" } as const)) {
        const seconds = Number(row[column as keyof typeof words]);
        const spent = (truth?.spent[state] ?? Number.NaN) / 1000;
        // Of each stretch the part of a second at its ends, and there are a few.
        expect(Math.abs(seconds - spent)).toBeLessThan(5);
        if (spent === 0) expect(seconds).toBe(0);
      }
      const inAll = [row.TT_QUEUED, row.TT_DIALING, row.TT_ALERTING, row.TT_CONNECTED, row.TT_HOLD];
      const lifetime = (party?.TERMINATED_TS ?? 0) - (party?.CREATED_TS ?? 0);
      expect(inAll.reduce<number>((sum, each) => sum + (each ?? 0), 0)).toBe(lifetime);
    }
  }, 60_000);
}
