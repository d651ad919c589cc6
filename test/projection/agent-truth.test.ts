// What a simulated contact centre tells of its agents, projected, is what it says was true, under each rule of after-call
// work.

import { expect, test } from "bun:test";
import { type AgentRules, documentedRules } from "../harness/agent-model.ts";
import { compareAgentRows } from "../harness/agent-oracle.ts";
import { playCentre } from "../harness/played-centre.ts";
import { Story } from "../harness/story.ts";
import { storyRows } from "../harness/story-rows.ts";

for (const [what, seed, rules] of [
  ["of the last call, interrupted by others", 31, documentedRules],
  ["of the last call, never interrupted", 32, { isAcwOfFirstCall: false, isBusyOverAcw: false }],
  ["of the first call, never interrupted", 33, { isAcwOfFirstCall: true, isBusyOverAcw: false }],
  ["of the first call, which keeps others from interrupting", 34, { isAcwOfFirstCall: true, isBusyOverAcw: true }],
] as const satisfies readonly (readonly [string, number, AgentRules])[]) {
  test(`with after-call work ${what}, states, calls, reasons and totals are the truth`, () => {
    const told = new Story({ role: ["gcc", "gls"], agents: { ...rules, writesActiveReasons: true } });
    const { story, calls, sessions } = playCentre({ seed, talkSeconds: 1 }, 12, told);
    const rows = storyRows(story);
    const judging = { rules, hasActiveReasons: true };
    const { differences, ...counted } = compareAgentRows(rows, { calls, sessions }, judging);
    expect(differences.slice(0, 10)).toEqual([]);
    expect(counted.sessions).toBeGreaterThan(100);
    expect(counted.pictures).toBeGreaterThan(1_000);
    expect(counted.busySeconds).toBeGreaterThan(100);
    expect(counted.reasons).toBeGreaterThan(100);
    expect(counted.openReasons).toBeGreaterThan(5);
    expect(rows("G_AGENT_STATE_RC").filter(({ KEYNAME }) => KEYNAME === "LogoutReason").length).toBeGreaterThan(10);
    expect(rows("G_AGENT_STATE_RC_A")).toHaveLength(counted.openReasons);
  }, 60_000);
}
