// An explanation in plain words, for a terminal.

import { causeClause, causeClauses } from "./cause-words.ts";
import type { Stretch } from "./copy.ts";
import type { Doubt } from "./coverage.ts";
import { type CopyExplanation, type Explanation, type Link, stretchAround } from "./explain.ts";
import { plainLine } from "./plain-line.ts";
import { isBeforeItsTime } from "./verdict.ts";

const sessionTypes: Readonly<Record<number, string>> = {
  1: "the first since the instance's start",
  2: "connected again",
  3: "the source had been started anew",
  4: "the CTI link is back",
  5: "another server of the pair",
};

/** `names` are the copies', in order. */
export function explanationLines(explanation: Explanation, names: readonly string[]): string[] {
  const { source, verdict, window, copies } = explanation;
  const called = explanation.names.length === 0 ? "" : `${explanation.names.join(", ")}, `;
  const lines = [
    `Source ${called}cluster ${source.cluster}, switch ${source.switchDbid}, window ${stretchText(window)}:`,
    `  ${verdictText(explanation, names)}`,
  ];
  const judged = stretchAround(window.from * 1000, window.until - window.from);
  for (const [place, copy] of copies.entries()) lines.push(...copyLines(copy, judged, names[place] ?? String(place)));
  if (verdict.state === "incomplete" && !verdict.copies.every(isBeforeItsTime))
    lines.push("  What no copy has is missing for good, unless one more copy is found.");
  return lines.map(plainLine);
}

function verdictText({ verdict, copies }: Explanation, names: readonly string[]): string {
  const { state, agreement, chosen } = verdict;
  if (agreement === "divergent") {
    const told = copies.flatMap(({ verdict: { state, events } }, place) => {
      return state === "complete" || state === "silent" ? [`${names[place]} has ${eventsText(events)}`] : [];
    });
    return `DIVERGENT: copies that vouch for all of it have different events: ${told.join(", ")}. See icon compare.`;
  }
  if (chosen === null) {
    return state === "unknown"
      ? "not yet known: no copy has it whole, and at least one may still tell."
      : verdict.copies.every(isBeforeItsTime)
        ? "incomplete: nobody had listened to the source yet."
        : "incomplete: no copy has all of it.";
  }
  const what =
    state === "silent" ? "silent: nothing happened" : `complete: ${eventsText(copies[chosen]?.verdict.events ?? 0)}`;
  const by = agreement === "confirmed" ? "; the copies that have it whole are equal" : "";
  return `${what}; take ${names[chosen]}${by}.`;
}

/** `judged`: as far as stretches were followed. */
function copyLines({ verdict, stretch, chain }: CopyExplanation, judged: Stretch, name: string): string[] {
  const { state, events, isProven, causes, faults } = verdict;
  const hasCauses = causes.length > 0;
  const proof = isProven || hasCauses ? "" : ", as far as it listened: the source has no numbers";
  const held = state === "silent" ? "" : `, ${eventsText(events)}`;
  const lines = [`  ${name}: ${state === "unknown" ? "not yet known" : state}${held}${proof}`];
  // Where it begins is said by the first word, below.
  if (hasCauses && !isBeforeItsTime(verdict)) {
    lines.push(`    ${state === "unknown" ? "not known" : "not whole"} ${openStretchText(stretch, judged)}`);
  }
  if (!hasCauses) for (const fault of faults) lines.push(`    whole all the same: ${causeClause(fault)}`);
  for (const clause of causeClauses(verdict)) lines.push(`    because ${clause}`);
  // A copy that is whole has nothing to account for: only what was noted around it is worth a line.
  const shown = chain.filter((each) =>
    hasCauses ? each.kind !== "last word" || !isOfAnInstant(each.doubt) : each.kind === "mark",
  );
  for (const link of shown)
    lines.push(`    ${timeText(link.atMs)}${link.clock === "ours" ? "*" : " "} ${linkText(link)}`);
  if (shown.some(({ clock }) => clock === "ours")) lines.push("    (* by the clock of the instance's host)");
  return lines;
}

function linkText(link: Link): string {
  switch (link.kind) {
    case "last word": {
      const { missing } = link.doubt;
      const known = missing === null || missing.from <= 1 ? "" : `, event ${missing.from - 1} or a heartbeat after it`;
      return `up to here everything is known${known}`;
    }
    case "first word": {
      const to = link.doubt.missing?.to ?? null;
      if (isOfAnInstant(link.doubt)) return "of this instant something may be missing";
      return `from here on everything is known${to === null ? "" : `, from event ${to + 1} on`}`;
    }
    case "session opened": {
      const type = link.type === null ? "" : sessionTypes[link.type];
      return `session ${link.session} opened${type ? `: ${type}` : ""}${link.address === null ? "" : ` (${link.address})`}`;
    }
    case "session ended": {
      const cause = link.cause ?? "its cause is not known";
      const found = link.isSeen ? "" : "; found at the next start, this is the last instant known to be good";
      return `session ${link.session} ended: ${cause}${link.detail === null ? "" : ` (${link.detail})`}${found}`;
    }
    case "instance down":
      return `the instance was down until ${timeText(link.untilMs)}, ${link.isCrash ? "without an orderly stop" : "stopped in order"}`;
    case "mark":
      return `${link.word}${link.detail === null ? "" : `: ${link.detail}`}`;
  }
}

/** An end of a span: what happened in the same millisecond may not have been told. */
function isOfAnInstant({ fromMs, untilMs }: Doubt): boolean {
  return fromMs === untilMs;
}

function eventsText(events: number): string {
  return events === 1 ? "1 event" : `${events} events`;
}

/** Beyond what was judged it may go on. */
function openStretchText(stretch: Stretch, judged: Stretch): string {
  const [isFromBefore, isOnAfter] = [stretch.from <= judged.from, stretch.until >= judged.until];
  return `${stretchText(stretch)}${isFromBefore ? ", from earlier on" : ""}${isOnAfter ? ", and further" : ""}`;
}

/** `2026-11-23T09:00:10Z to 09:00:15Z` */
export function stretchText({ from, until }: Stretch): string {
  const [begin, end] = [timeText(from * 1000, false), timeText(until * 1000, false)];
  const [day] = begin.split("T");
  return `${begin} to ${end.startsWith(`${day}T`) ? end.slice(11) : end}`;
}

export function timeText(ms: number, hasMs = true): string {
  const text = new Date(ms).toISOString();
  return hasMs ? text : `${text.slice(0, 19)}Z`;
}
