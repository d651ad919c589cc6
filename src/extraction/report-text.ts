// The report in a few lines, for whoever ran the command; docs/extraction.md explains the words.

import type { ExtractReport, SubjectCounts } from "./report.ts";

// More of them are in the JSON report.
const listedMax = 20;

export function reportText(report: ExtractReport): readonly string[] {
  const { windows, calls, loginSessions, run } = report;
  return [
    `${report.from} to ${report.to}: ${report.verdict}`,
    `windows of ${report.windowSeconds} s: ${counted({
      complete: windows.complete,
      silent: windows.silent,
      incomplete: windows.incomplete,
      "not yet known": windows.unknown,
      divergent: windows.divergent,
    })}`,
    `calls: ${countedSubjects(calls)}`,
    `login sessions: ${countedSubjects(loginSessions)}`,
    `this run: ${run.written} written, ${run.unchanged} as they were, ${run.withdrawn} withdrawn, ${run.knownUnderAnotherKey} known under another key`,
    ...report.idbs.map(
      ({ name, problem, callsTakenWhole, callsJoinedFrom, loginSessionsTakenWhole, loginSessionsJoinedFrom }) =>
        problem === null
          ? `${name}: ${callsTakenWhole} calls whole, part of ${callsJoinedFrom}; ` +
            `${loginSessionsTakenWhole} login sessions whole, part of ${loginSessionsJoinedFrom}`
          : `${name}: could not be read`,
    ),
    ...stretchLines(report),
  ];
}

function stretchLines({ sources }: ExtractReport): string[] {
  const lines = sources.flatMap(({ cluster, switchDbid, stretches }) =>
    stretches
      .filter(({ state, agreement }) => state === "incomplete" || state === "unknown" || agreement === "divergent")
      .map(({ from, until, state, agreement, causes }) => {
        const what = agreement === "divergent" ? "divergent" : state === "unknown" ? "not yet known" : state;
        const why = causes.length === 0 ? "" : ` (${causes.join(", ")})`;
        return `cluster ${cluster}, switch ${switchDbid}: ${from} to ${until} ${what}${why}`;
      }),
  );
  if (lines.length <= listedMax) return lines;
  return [...lines.slice(0, listedMax), `and ${lines.length - listedMax} more stretches: see --json or --report`];
}

function countedSubjects(counts: SubjectCounts): string {
  return counted({
    complete: counts.complete,
    joined: counts.joined,
    incomplete: counts.incomplete,
    "not yet known": counts.notYetKnown,
    "not proven": counts.notProven,
    divergent: counts.divergent,
    open: counts.open,
    withdrawn: counts.withdrawn,
  });
}

/** Nothing is said of what there is none of. */
function counted(counts: Readonly<Record<string, number>>): string {
  const said = Object.entries(counts).filter(([, count]) => count > 0);
  return said.length === 0 ? "none" : said.map(([word, count]) => `${count} ${word}`).join(", ");
}
