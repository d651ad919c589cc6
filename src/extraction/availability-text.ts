// Availability for a terminal.

import type { JudgedStretch, SourceAvailability } from "./availability.ts";
import type { SourceSummary } from "./availability-summary.ts";
import { causeClauses } from "./cause-words.ts";
import { stretchText } from "./explanation-text.ts";
import { plainLine } from "./plain-line.ts";

/** `names` are the copies', in order. */
export function summaryLines(summary: SourceSummary, names: readonly string[]): string[] {
  const { cluster, switchDbid, windows, isProven, longestIncomplete, troubles, troubleCount } = summary;
  const called = summary.names.length === 0 ? "" : `${summary.names.join(", ")}, `;
  const total = windows.complete + windows.silent + windows.incomplete + windows.unknown;
  const lines = [`Source ${called}cluster ${cluster}, switch ${switchDbid}: ${total} windows`];
  if (!isProven) lines.push("  the source has no numbers: complete means listened to without interruption");
  for (const state of ["complete", "silent", "incomplete", "unknown"] as const) {
    if (windows[state] === 0) continue;
    const word = state === "unknown" ? "not yet known" : state;
    lines.push(`  ${word.padEnd(13)} ${share(windows[state], total).padStart(10)}  ${windows[state]}`);
  }
  if (names.length > 1)
    lines.push(`  confirmed     ${share(summary.confirmed, total).padStart(10)}  ${summary.confirmed}`);
  const taken = summary.chosen.map((count, place) => `${count} from ${names[place]}`).join(", ");
  if (names.length > 1) lines.push(`  to be taken: ${taken}`);
  if (summary.divergent > 0)
    lines.push(`  DIVERGENT in ${summary.divergent} windows: IDBs that vouch for them contradict each other`);
  if (longestIncomplete !== null) lines.push(`  longest incomplete stretch: ${stretchText(longestIncomplete)}`);
  for (const { from, until, state, causes } of troubles) {
    lines.push(`  ${stretchText({ from, until })} ${state}`);
    for (const [place, clauses] of causes.entries()) lines.push(`    ${names[place]}: ${clauses.join("; ")}`);
  }
  if (troubleCount > troubles.length) lines.push(`  and ${troubleCount - troubles.length} more; --limit lists them`);
  return lines.map(plainLine);
}

/** `2026-11-23T09:00:00Z to 09:01:00Z  101/1  complete  42 events  a  confirmed` */
export function windowLine(
  { source }: SourceAvailability,
  { from, until, windowCount, verdict }: JudgedStretch,
  names: readonly string[],
): string {
  const { state, agreement, chosen, copies } = verdict;
  const events = chosen === null ? null : (copies[chosen]?.events ?? 0);
  const parts = [
    stretchText({ from, until }),
    `${source.cluster}/${source.switchDbid}`,
    state === "unknown" ? "not yet known" : state,
    events === null || state === "silent" ? countText(windowCount, "window") : countText(events, "event"),
  ];
  if (chosen !== null) parts.push(`take ${names[chosen]}`, agreement);
  else parts.push(copies.map((copy, place) => `${names[place]}: ${causeClauses(copy).join(", ")}`).join("; "));
  return parts.join("  ");
}

function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Never 100 % while one is missing. */
function share(part: number, total: number): string {
  if (total === 0) return "–";
  const percent = Math.floor((part / total) * 1_000_000) / 10_000;
  return `${percent.toFixed(4)} %`;
}
