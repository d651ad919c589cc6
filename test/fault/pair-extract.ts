// `icon extract` of a pair, and what it handed out held against the calls as they really were.

import { openReading } from "../../src/idb/reading.ts";
import { hashedKey } from "../../src/projection/key.ts";
import type { ObservedCall } from "../../src/simulator/tserver/observable.ts";
import { compareAgents } from "../harness/agent-oracle.ts";
import { compare, readIdbCalls } from "../harness/oracle.ts";
import { type CommandEnding, runCommand } from "../harness/run-command.ts";
import type { JudgedWindow } from "./pair-audit.ts";

/** Seconds by the server's clock. */
export interface Extracted {
  readonly from: number;
  readonly until: number;
}

export function extractWords(idbPaths: readonly string[], { from, until }: Extracted, out: string): string[] {
  const time = (seconds: number) => new Date(seconds * 1000).toISOString();
  const idbs = idbPaths.flatMap((path) => ["--idb", path]);
  return ["extract", ...idbs, "--from", time(from), "--to", time(until), "--out", out, "--json"];
}

/** Runs one extraction to its end. Throws when it ended with anything but a verdict. */
export async function extract(idbPaths: readonly string[], stretch: Extracted, out: string): Promise<ExtractReport> {
  return reportOf(await runCommand(extractWords(idbPaths, stretch, out)));
}

/** What is looked at of the report. */
export interface ExtractReport {
  readonly verdict: string;
  readonly windows: { readonly complete: number; readonly silent: number; readonly incomplete: number };
  readonly calls: { readonly complete: number; readonly joined: number; readonly incomplete: number };
  readonly run: { readonly written: number; readonly unchanged: number; readonly withdrawn: number };
}

const verdictCodes: ReadonlySet<number> = new Set([0, 3, 4, 5]);

export function reportOf({ exitCode, stdout, stderr }: CommandEnding): ExtractReport {
  if (!verdictCodes.has(exitCode)) throw new Error(`icon extract ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout) as ExtractReport;
}

export interface CallAudit {
  /** Calls that were really there, began in the stretch and ended in it. */
  readonly calls: number;
  readonly saidComplete: number;
  /** Of these, taken from several copies. */
  readonly joined: number;
  /** One line a difference from the truth, of calls that were said to be complete. Must be empty. */
  readonly falseComplete: readonly string[];
  /** All windows of its life are whole in the pair, and it was not handed out as complete. Honest only up to a bound. */
  readonly falseIncomplete: readonly string[];
}

/** Of an extraction into an IDB file. */
export function auditCalls(
  out: string,
  { from, until }: Extracted,
  truth: readonly ObservedCall[],
  judged: readonly JudgedWindow[],
): CallAudit {
  const verdicts = readVerdicts(out, "CALL", "CALLID");
  const isComplete = (callId: string) => ["complete", "joined"].includes(verdicts.get(callId) ?? "");
  const handedOut = readIdbCalls(out);
  const complete = handedOut.filter(({ callId }) => isComplete(callId));
  const connIds = new Set(complete.map(({ connId }) => connId));
  const { differences } = compare(
    complete,
    truth.filter(({ connId }) => connIds.has(connId)),
  );
  const saidOf = new Map(handedOut.map(({ connId, callId }) => [connId, verdicts.get(callId) ?? "no verdict"]));
  const whole = new Set(
    judged.filter(({ said }) => said === "complete" || said === "silent").map((each) => each.windowTs),
  );
  const falseIncomplete: string[] = [];
  let calls = 0;
  for (const { connId, createdAt, endedAt, parties } of truth) {
    // Of a call that was dropped by a restart nobody told the end.
    if (endedAt === null || parties.some((party) => party.endEvent === null)) continue;
    if (createdAt / 1000 < from || endedAt / 1000 >= until) continue;
    calls += 1;
    if (connIds.has(connId)) continue;
    const life = windowsOf(createdAt, endedAt);
    if (!life.every((windowTs) => whole.has(windowTs))) continue;
    falseIncomplete.push(`call ${connId}, windows ${life.join(" ")}: ${saidOf.get(connId) ?? "was not handed out"}`);
  }
  const joined = complete.filter(({ callId }) => verdicts.get(callId) === "joined").length;
  return { calls, saidComplete: complete.length, joined, falseComplete: differences, falseIncomplete };
}

export interface SessionAudit {
  /** Login sessions that were said to be complete. */
  readonly saidComplete: number;
  /** Of these, taken from several copies. */
  readonly joined: number;
  /** One line a difference from the truth. Must be empty. */
  readonly falseComplete: readonly string[];
}

/** Of the login sessions in it. `primaryDbid`: of the server; `truthPath`: of one that tells of its agents. */
export function auditSessions(out: string, primaryDbid: number, truthPath: string): SessionAudit {
  const verdicts = readVerdicts(out, "LOGIN_SESSION", "LOGINSESSIONID");
  const complete = new Set(
    [...verdicts].filter(([, said]) => said === "complete" || said === "joined").map(([key]) => key),
  );
  const { sessions, differences } = compareAgents(out, truthPath, {
    hasCalls: false,
    isJudged: ({ run, seq }) => complete.has(hashedKey("login", primaryDbid, run, seq)),
  });
  const joined = [...verdicts.values()].filter((said) => said === "joined").length;
  const unknown =
    sessions === complete.size ? [] : [`${complete.size} sessions are complete, the server knows ${sessions}`];
  return { saidComplete: sessions, joined, falseComplete: [...differences, ...unknown] };
}

function windowsOf(createdAt: number, endedAt: number): number[] {
  const [first, last] = [Math.floor(createdAt / 1000), Math.floor(endedAt / 1000)];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function readVerdicts(out: string, what: string, key: string): Map<string, string> {
  const reading = openReading(out);
  try {
    const rows = reading.database
      .prepare(`SELECT ${key} AS KEY, VERDICT FROM ICON_EXTRACT_${what} WHERE WITHDRAWN IS NULL`)
      .all() as { KEY: string; VERDICT: string }[];
    return new Map(rows.map((row) => [row.KEY, row.VERDICT]));
  } finally {
    reading.close();
  }
}
