// What was said of a pair's windows, held against the simulated server's own log of every event. The log is the truth;
// a copy has a window whole when it counted as many events there as were told, from the same first to the same last number.

import { openReading } from "../../src/idb/reading.ts";
import type { EventLog, ToldWindow } from "../harness/event-log.ts";

export type Said = "complete" | "silent" | "incomplete" | "unknown";

/** One window as `icon availability` judged it. */
export interface JudgedWindow {
  readonly windowTs: number;
  readonly said: Said;
  /** Index of the copy to take; null: none is whole. */
  readonly chosen: number | null;
  readonly isDivergent: boolean;
  /** In the order in which the IDBs were named. */
  readonly copies: readonly Said[];
  /** Why each copy is not whole. */
  readonly causes: readonly string[];
}

/** A row of ICON_WINDOW, as far as it is compared. */
export interface CountedWindow {
  readonly RUN: string;
  readonly WINDOW_TS: number;
  readonly EVENTS: number;
  readonly FIRST_SEQ: number | null;
  readonly LAST_SEQ: number | null;
}

export interface WindowAudit {
  /** Windows that were told, those without an event too. */
  readonly windows: number;
  /** By what the pair was said to be. */
  readonly said: Readonly<Record<Said, number>>;
  /** By copy, how many windows it has whole. */
  readonly whole: readonly number[];
  /** Windows that no copy has whole. */
  readonly lost: number;
  /** One line each: a copy, or the pair, was said to be whole and is not. Must be empty. */
  readonly falseComplete: readonly string[];
  /** A copy was said to be whole and no whole one was chosen. Must be empty. */
  readonly notChosen: readonly string[];
  readonly divergent: readonly string[];
  /** A copy counted more events than were told. Must be empty. */
  readonly neverTold: readonly string[];
  /** A window that was told and that nothing was said of. Must be empty. */
  readonly unsaid: readonly string[];
  /** A copy has all events of the window, one at least, and the pair was not said to be whole. Honest only up to a bound. */
  readonly falseIncomplete: readonly string[];
}

export function readCountedWindows(idbPath: string): CountedWindow[] {
  const reading = openReading(idbPath);
  try {
    return reading.database
      .prepare("SELECT RUN, WINDOW_TS, EVENTS, FIRST_SEQ, LAST_SEQ FROM ICON_WINDOW")
      .all() as CountedWindow[];
  } finally {
    reading.close();
  }
}

/** Of windows of 1 s, from `fromSeconds` to the log's end. */
export function auditWindows(
  log: EventLog,
  fromSeconds: number,
  judged: readonly JudgedWindow[],
  counted: readonly (readonly CountedWindow[])[],
): WindowAudit {
  const judgedByTs = new Map(judged.map((each) => [each.windowTs, each]));
  const countedByKey = counted.map((rows) => new Map(rows.map((row) => [keyOf(row.RUN, row.WINDOW_TS), row] as const)));
  const lists = {
    falseComplete: [] as string[],
    notChosen: [] as string[],
    divergent: [] as string[],
    neverTold: [] as string[],
    unsaid: [] as string[],
    falseIncomplete: [] as string[],
  };
  const said: Record<Said, number> = { complete: 0, silent: 0, incomplete: 0, unknown: 0 };
  const wholeCounts = counted.map(() => 0);
  let lost = 0;
  const all = log.windows(1).filter(({ windowTs }) => windowTs >= fromSeconds);
  const told = Map.groupBy(all, (window) => window.windowTs);
  for (const [windowTs, ofRuns] of told) {
    const rows = countedByKey.map((each) => ofRuns.map((window) => each.get(keyOf(window.run, windowTs))));
    const whole = rows.map((each) => each.every((row, at) => isWhole(row, ofRuns[at])));
    const counts = rows.map((each) => each.map((row) => row?.EVENTS ?? 0).join("+")).join(" and ");
    const events = ofRuns.reduce((sum, window) => sum + window.events, 0);
    for (const [copy, isSo] of whole.entries()) if (isSo) wholeCounts[copy] = (wholeCounts[copy] ?? 0) + 1;
    if (!whole.includes(true)) lost += 1;
    const verdict = judgedByTs.get(windowTs);
    const say = (list: keyof typeof lists, what: string) => {
      const causes = verdict?.causes.map((each) => each || "–").join(" | ");
      lists[list].push(`window ${windowTs}, ${ofRuns.map(textOf).join(", ")}: ${what}; counted ${counts}; ${causes}`);
    };
    for (const [copy, each] of rows.entries()) {
      if (each.some((row, at) => (row?.EVENTS ?? 0) > (ofRuns[at]?.events ?? 0))) say("neverTold", `copy ${copy}`);
    }
    if (verdict === undefined) {
      say("unsaid", "nothing was said of it");
      continue;
    }
    said[verdict.said] += 1;
    for (const [copy, word] of verdict.copies.entries()) {
      if (isSaidWhole(word) && !isTrue(word, whole[copy], events)) say("falseComplete", `copy ${copy} "${word}"`);
    }
    if (isSaidWhole(verdict.said)) {
      if (!isTrue(verdict.said, whole[verdict.chosen ?? -1], events)) {
        say("falseComplete", `the pair "${verdict.said}", chosen ${verdict.chosen}`);
      }
    } else {
      const words = `the pair "${verdict.said}", the copies "${verdict.copies.join('" and "')}"`;
      if (verdict.copies.some(isSaidWhole)) say("notChosen", words);
      if (events > 0 && whole.includes(true)) say("falseIncomplete", words);
    }
    if (verdict.isDivergent) say("divergent", "the copies contradict each other");
  }
  return { windows: told.size, said, whole: wholeCounts, lost, ...lists };
}

/** A run of the ledger is "DBID@startTime"; the server's log names it by its startTime alone. */
function keyOf(run: string, windowTs: number): string {
  return `${run.slice(run.indexOf("@") + 1)}/${windowTs}`;
}

function isWhole(row: CountedWindow | undefined, told: ToldWindow | undefined): boolean {
  if (told === undefined) return false;
  if (row === undefined) return told.events === 0;
  return row.EVENTS === told.events && row.FIRST_SEQ === told.firstSeq && row.LAST_SEQ === told.lastSeq;
}

function isSaidWhole(word: Said): boolean {
  return word === "complete" || word === "silent";
}

function isTrue(word: Said, isCopyWhole: boolean | undefined, events: number): boolean {
  return isCopyWhole === true && (word === "silent") === (events === 0);
}

function textOf({ run, events, firstSeq, lastSeq }: ToldWindow): string {
  return events === 0 ? `no event of run ${run}` : `${events} events of run ${run}, ${firstSeq} to ${lastSeq}`;
}

/** The sum of several pairs' audits. */
export function sumOf(audits: readonly WindowAudit[]): WindowAudit {
  const all = (list: (audit: WindowAudit) => readonly string[]) => audits.flatMap(list);
  const count = (number: (audit: WindowAudit) => number) => audits.reduce((sum, audit) => sum + number(audit), 0);
  return {
    windows: count(({ windows }) => windows),
    said: {
      complete: count(({ said }) => said.complete),
      silent: count(({ said }) => said.silent),
      incomplete: count(({ said }) => said.incomplete),
      unknown: count(({ said }) => said.unknown),
    },
    whole: (audits[0]?.whole ?? []).map((_, copy) => count(({ whole }) => whole[copy] ?? 0)),
    lost: count(({ lost }) => lost),
    falseComplete: all(({ falseComplete }) => falseComplete),
    notChosen: all(({ notChosen }) => notChosen),
    divergent: all(({ divergent }) => divergent),
    neverTold: all(({ neverTold }) => neverTold),
    unsaid: all(({ unsaid }) => unsaid),
    falseIncomplete: all(({ falseIncomplete }) => falseIncomplete),
  };
}
