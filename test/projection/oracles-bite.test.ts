// Rows that are wrong in one column, or one too many or too few, are noticed: an oracle that passes them proves nothing.

import { expect, test } from "bun:test";
import { agentStates } from "../../schema/dictionary.ts";
import { compareAgentRows } from "../harness/agent-oracle.ts";
import type { RowsOf } from "../harness/agent-rows.ts";
import { playCentre } from "../harness/played-centre.ts";
import { Story } from "../harness/story.ts";
import { storyRows } from "../harness/story-rows.ts";
import { compareVoiceStatistics } from "../harness/voice-statistics.ts";

type Row = ReturnType<RowsOf>[number];
type Falsify = (row: Row) => Row;

const agents: readonly (readonly [table: string, what: string, Falsify])[] = [
  ["G_AGENT_STATE_HISTORY", "no CALLID", (row) => ({ ...row, CALLID: null })],
  ["G_AGENT_STATE_HISTORY", "no PARTYID", (row) => ({ ...row, PARTYID: null })],
  ["G_AGENT_STATE_HISTORY", "neither", (row) => ({ ...row, CALLID: null, PARTYID: null })],
  ["G_AGENT_STATE_HISTORY", "no PENDINGSTATE", (row) => ({ ...row, PENDINGSTATE: null })],
  ["G_AGENT_STATE_HISTORY", "no WORKMODE", (row) => ({ ...row, WORKMODE: 0 })],
  ["G_AGENT_STATE_HISTORY", "no PREVSTATE", (row) => ({ ...row, PREVSTATE: 0 })],
  ["G_AGENT_STATE_HISTORY", "TYPE 5 alone", (row) => ({ ...row, TYPE: 5 })],
  ["G_AGENT_STATE_RC", "LSEQ of the first row", (row) => ({ ...row, LSEQ: 1 })],
  ["G_AGENT_STATE_RC", "another AGENTSTATE", (row) => ({ ...row, AGENTSTATE: agentStates.ready })],
  ["G_AGENT_STATE_RC", "no end", (row) => ({ ...row, TERMINATED: row["CREATED"] })],
  ["G_AGENT_STATE_RC_A", "another WORKMODE", (row) => ({ ...row, WORKMODE: 7 })],
  ["GS_AGENT_STAT", "TT 0", (row) => ({ ...row, TT: 0 })],
  ["GS_AGENT_STAT", "CNT 1", (row) => ({ ...row, CNT: 1 })],
  ["GS_AGENT_STAT_WM", "TT 0", (row) => ({ ...row, TT: 0 })],
  ["GS_AGENT_STAT_WM", "CNT 1", (row) => ({ ...row, CNT: 1 })],
  ["G_DND_HISTORY", "another AGENTSTATE", (row) => ({ ...row, AGENTSTATE: agentStates.busy })],
];

const plus = (row: Row, column: string, other: string) => Number(row[column]) + Number(row[other]);
const calls: typeof agents = [
  ["G_PARTY_STAT", "ringing is talking", (row) => ({ ...row, TT_CONNECTED: plus(row, "TT_CONNECTED", "TT_ALERTING") })],
  ["G_PARTY_STAT", "no TT_HOLD", (row) => ({ ...row, TT_HOLD: 0 })],
  ["G_PARTY_STAT", "no RELEASINGPARTY", (row) => ({ ...row, RELEASINGPARTY: null })],
  ["G_CALL_STAT", "no F_CONN_EXTN", (row) => ({ ...row, F_CONN_EXTN: 0 })],
  ["G_CALL_STAT", "no F_TE_ABND", (row) => ({ ...row, F_TE_ABND: 0 })],
  ["G_CALL_STAT", "no releasing party", (row) => ({ ...row, GSYS_EXT_VCH2: null })],
  ["G_ROUTE_RESULT", "no place", (row) => ({ ...row, RTARGETPLACESELECTED: null })],
  ["G_ROUTE_RESULT", "always routed", (row) => ({ ...row, RESULT: 1 })],
  ["G_ROUTE_RES_VQ_HIST", "an end where it began", (row) => ({ ...row, TERMINATED: row["CREATED"] })],
  ["G_ROUTE_RES_VQ_HIST", "no VQUEUEID", (row) => ({ ...row, VQUEUEID: "" })],
];

const story = new Story({
  role: ["gcc", "gls"],
  agents: { isAcwOfFirstCall: false, isBusyOverAcw: true, writesActiveReasons: true },
  options: {
    ...{ storesReleasingParty: true, extendsRouteResults: true },
    ...{ delivered: "dialing", linksSingleStepConferences: true },
  },
});
const { details, ...told } = playCentre({ seed: 41, talkSeconds: 1 }, 6, story);
const rows = storyRows(story);
const ofAgents = (given: RowsOf) => compareAgentRows(given, told, { hasActiveReasons: true }).differences.length;
const ofCalls = (given: RowsOf) =>
  compareVoiceStatistics(given, { calls: told.calls, details, tellsWhoReleased: true }).differences.length;

test("rows as they are differ in nothing", () => {
  expect([ofAgents(rows), ofCalls(rows)]).toEqual([0, 0]);
});

for (const [differences, falsified] of [
  [ofAgents, agents],
  [ofCalls, calls],
] as const) {
  for (const [table, what, falsify] of falsified) {
    test(`${table} with ${what} is noticed`, () => {
      expect(differences((each) => (each === table ? rows(each).map(falsify) : rows(each)))).toBeGreaterThan(0);
    });
  }
  for (const table of new Set(falsified.map(([each]) => each))) {
    test(`one row of ${table} too few, or twice, is noticed`, () => {
      const less: RowsOf = (each) => (each === table ? rows(each).slice(1) : rows(each));
      const more: RowsOf = (each) => (each === table ? [...rows(each), ...rows(each).slice(0, 1)] : rows(each));
      expect([differences(less) > 0, differences(more) > 0]).toEqual([true, true]);
    });
  }
}
