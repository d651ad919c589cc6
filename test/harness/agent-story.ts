// A story of agents, told in few words, and its rows in few.

import { agentStates } from "../../schema/dictionary.ts";
import { type AgentOptions, defaultAgentOptions } from "../../src/event/envelope.ts";
import { Story, startMs } from "./story.ts";

export const stateNames = new Map<number | null, string>(
  Object.entries(agentStates).map(([name, number]) => [number, name]),
);

export function agentStory(
  given: { readonly role?: readonly string[]; readonly options?: Partial<AgentOptions> } = {},
): Story {
  const { role = ["gcc", "gls"], options = {} } = given;
  return new Story({ role, agents: { ...defaultAgentOptions, ...options } });
}

export const at5001 = { AgentID: "A7", ThisDN: "5001" };
export const party5001 = { ThisDN: "5001", ThisDNRole: 2, PartyUUID: "P1", ConnID: "01", CallUUID: "C1" };
export const other5001 = { ThisDN: "5001", ThisDNRole: 1, PartyUUID: "P2", ConnID: "02", CallUUID: "C2" };
export const acw = { ...at5001, AgentWorkMode: "AgentAfterCallWork" };

/**
 * Each endpoint as "DN/queue: state from, …", from its history: a state with its pending one behind an arrow, the call
 * behind it in brackets, and what is no change of state with its own word.
 */
export function stretches(story: Story): string[] {
  const lines = new Map<string, string[]>();
  for (const row of story.rows("G_AGENT_STATE_HISTORY", "ID")) {
    const key = row.QUEUEDN == null ? row.ENDPOINTDN : `${row.ENDPOINTDN}/${row.QUEUEDN}`;
    const kind = { 5: "", 6: "pending ", 7: `mode ${row.WORKMODE} in `, 8: "joined in ", 9: "left in " }[row.TYPE];
    const pending = row.PENDINGSTATE == null ? "" : `→${stateNames.get(row.PENDINGSTATE)}`;
    const call = row.CALLID == null ? "" : ` (${row.CALLID})`;
    const word = `${kind}${stateNames.get(row.STATE)}${pending}${call} ${secondsOf(row.ADDED)}`;
    lines.set(key, [...(lines.get(key) ?? []), word]);
  }
  return [...lines].map(([key, words]) => `${key}: ${words.join(", ")}`);
}

/** Each reason that is over as "key=value in state, from–to", hardware with a star. */
export function reasons(story: Story): string[] {
  return story.rows("G_AGENT_STATE_RC", "ID").map((row) => {
    const name = `${row.HWFLAG === 1 ? "*" : ""}${row.KEYNAME}=${row.VALUE}`;
    return `${name} in ${stateNames.get(row.AGENTSTATE)}, ${secondsOf(row.CREATED)}–${secondsOf(row.TERMINATED)}`;
  });
}

/** Each session as "agent from–to: DN/queue from–to, …". */
export function sessions(story: Story): string[] {
  const endpoints = story.rows("GX_SESSION_ENDPOINT", "ID");
  return story.rows("G_LOGIN_SESSION", "ID").map((row) => {
    const of = endpoints.filter(({ LOGINSESSIONID }) => LOGINSESSIONID === row.LOGINSESSIONID);
    const words = of.map((each) => {
      const where = each.QUEUEDN == null ? each.ENDPOINTDN : `${each.ENDPOINTDN}/${each.QUEUEDN}`;
      return `${where} ${secondsOf(each.CREATED)}–${secondsOf(each.TERMINATED)}`;
    });
    return `${row.AGENTLOGIN} ${secondsOf(row.CREATED)}–${secondsOf(row.TERMINATED)}: ${words.join(", ")}`;
  });
}

export function secondsOf(timestamp: string | null | undefined): string {
  return timestamp == null ? "…" : String((Date.parse(timestamp) - startMs) / 1000);
}
