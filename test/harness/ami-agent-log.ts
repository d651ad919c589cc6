// What a queue_log says of agents: when they were members of which queue, paused for which reason, and talked.

import { readFileSync } from "node:fs";
import { type RecordingName, recordings } from "./ami-recording.ts";

export interface Span {
  readonly agent: string;
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

export interface LoggedAgents {
  readonly memberships: readonly Span[];
  readonly pauses: readonly Span[];
  readonly talks: readonly Span[];
  readonly counts: Readonly<Record<string, number>>;
}

/** Whole seconds, cut off, as the log has them. */
export function readAgentLog(name: RecordingName): LoggedAgents {
  const open = new Map<string, Span>();
  const spans = { memberships: [] as Span[], pauses: [] as Span[], talks: [] as Span[] };
  const counts: Record<string, number> = {};
  const end = (list: Span[], key: string, at: number) => {
    const span = open.get(key);
    if (span !== undefined) list.push({ ...span, to: at });
    open.delete(key);
  };
  for (const line of readFileSync(recordings[name].queueLog, "utf8").trim().split("\n")) {
    const [time = "", callId = "", queue = "", agent = "", event = "", data = ""] = line.split("|");
    const at = Number(time);
    counts[event] = (counts[event] ?? 0) + 1;
    const begun = { agent, from: at, to: Number.NaN };
    if (event === "ADDMEMBER") open.set(`member ${agent}`, { ...begun, what: queue });
    if (event === "REMOVEMEMBER") end(spans.memberships, `member ${agent}`, at);
    if (event === "PAUSE") open.set(`pause ${agent}`, { ...begun, what: data });
    if (event === "UNPAUSE" || event === "REMOVEMEMBER") end(spans.pauses, `pause ${agent}`, at);
    if (event === "CONNECT") open.set(`talk ${callId}`, { ...begun, what: callId });
    if (/^(COMPLETE|BLINDTRANSFER)/.test(event)) end(spans.talks, `talk ${callId}`, at);
  }
  return { ...spans, counts };
}

/** One agent may have several calls at once. */
export function unionSeconds(spans: readonly Span[]): number {
  let total = 0;
  let until = 0;
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    total += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return total;
}
