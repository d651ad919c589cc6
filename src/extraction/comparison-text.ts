// A comparison in words, for whoever reads it on a terminal. Copies are called by the letters of `icon sql`: a, b, c, …

import { letterOf } from "../idb/letter.ts";
import type { Comparison, FamilyComparison } from "./comparison.ts";
import type { SubjectDifference } from "./subject-comparison.ts";
import type { RowDifference } from "./subject-difference.ts";
import type { DifferentWindow, NotCompared } from "./window-comparison.ts";

/** Lines without line ends. Names tables, columns, keys and times, and nothing that stands in a row. */
export function comparisonText(comparison: Comparison): string[] {
  const { copies, stretch, windows, calls, loginSessions, read } = comparison;
  return [
    ...copies.map(({ name, version }, index) => `${letterOf(index)}: ${name}, applied up to position ${version}`),
    stretch === null
      ? "No time: none of them knows anything yet"
      : `From ${time(stretch.from)} to ${time(stretch.until)}`,
    "",
    `Windows: ${count(windows.compared)} compared by digest, ${count(windows.compared - windows.different)} equal, ` +
      `${count(windows.different)} different; ${count(windows.notCompared)} not compared between all`,
    ...indented(windows.listed.map(windowText), windows.different),
    ...indented(windows.notComparedListed.map(notComparedText), windows.notComparedListed.length),
    ...familyLines(
      "Calls",
      calls,
      calls.listed.map(({ callId, ...difference }) => differenceText(`call ${callId}`, difference)),
    ),
    ...indented(
      calls.paired.map(({ copy, callId, other, otherCallId, columns }) => {
        const differing = columns.length === 0 ? "" : `; G_CALL differs in ${columns.join(", ")}`;
        return `call ${callId} of ${letterOf(copy)} is call ${otherCallId} of ${letterOf(other)}${differing}`;
      }),
      0,
    ),
    ...familyLines(
      "Login sessions",
      loginSessions,
      loginSessions.listed.map(({ loginSessionId, ...difference }) =>
        differenceText(`login session ${loginSessionId}`, difference),
      ),
    ),
    `Read: ${count(read.ledgerRows)} rows of ledgers, ${count(read.calls)} calls with ${count(read.callRows)} rows, ` +
      `${count(read.loginSessions)} login sessions with ${count(read.loginSessionRows)} rows`,
    "",
    resultText(comparison),
  ];
}

/** `differences`: in words; `what`: of which they are. */
function familyLines(what: string, told: FamilyComparison, differences: readonly string[]): string[] {
  const notCompared = Object.values(told.notCompared).reduce((sum, each) => sum + each, 0);
  return [
    `${what} read (${told.read}): ${count(told.compared)} compared, ${count(told.compared - told.different)} equal, ` +
      `${count(told.different)} different; ${count(notCompared)} not compared`,
    ...indented(differences, told.different),
    ...indented(
      Object.entries(told.notCompared).map(([reason, number]) => `not compared: ${count(number)}, ${reason}`),
      0,
    ),
  ];
}

function differenceText(what: string, { between: [one, other], rows, doubts }: Omit<SubjectDifference, "key">): string {
  const names = [letterOf(one), letterOf(other)] as const;
  const told = rows === null ? [`not in ${names[1]}`] : rows.map((row) => rowText(row, names));
  const why = doubts.map(({ copy, reason }) => `${letterOf(copy)} doubts it: ${reason}`);
  return `${what}, ${names.join(" and ")}: ${[...told, ...why].join("; ")}`;
}

function resultText({ result, calls }: Comparison): string {
  const unread =
    calls.read === "all"
      ? ""
      : " Rows of calls and login sessions with equal windows were not read: --rows finds equal events that became different rows.";
  switch (result) {
    case "different":
      return "They differ.";
    case "equal":
      return `What was compared is equal.${unread}`;
    case "nothing compared":
      return "Nothing was compared: there is no window of which two of them have all events.";
  }
}

function windowText({ cluster, switchDbid, windowTs, said }: DifferentWindow): string {
  const each = said.map(({ copy, run, events, digest }) => {
    if (run === null) return `${letterOf(copy)} no events`;
    return `${letterOf(copy)} ${events} events of run ${run}, digest ${digest}`;
  });
  return `different: ${time(windowTs)}, source ${cluster}, switch ${switchDbid}: ${each.join("; ")}`;
}

const reasons = {
  incomplete: "may lack events",
  unknown: "cannot tell yet",
  absent: "does not know this source",
  "no digest": "has no digest (an earlier version)",
  "own clock": "has the times of its own clock",
} as const;

function notComparedText({ cluster, switchDbid, from, until, because }: NotCompared): string {
  const why = because.map(({ copy, reason }) => `${letterOf(copy)} ${reasons[reason]}`).join(", ");
  return `not compared: ${time(from)} to ${time(until)}, source ${cluster}, switch ${switchDbid}: ${why}`;
}

function rowText(difference: RowDifference, [one, other]: readonly [string, string]): string {
  const row = `${difference.table} ${difference.key}`;
  if (difference.kind === "columns") return `${row} in ${difference.columns.join(", ")}`;
  return `${row} only in ${difference.onlyIn === "one" ? one : other}`;
}

/** `all`: how many there are, of which these are the first. */
function indented(lines: readonly string[], all: number): string[] {
  const more = all > lines.length ? [`… and ${count(all - lines.length)} more`] : [];
  return [...lines, ...more].map((line) => `  ${line}`);
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

function count(number: number): string {
  return number.toLocaleString("en");
}
