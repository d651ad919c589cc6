// When a server was blind: it had lost its link to the switch, or to a server that it depends on. Whoever listened to it
// then has nothing of what happened, whether he heard of the loss or not.
//
// A copy tells of it by a span that ended, or did not begin, for it, and by the windows in which the server said so. It is
// over when the copy heard the server's words again, or any other copy did that had heard of it too.

import type { Selected } from "../../schema/tables.ts";
import type { CopyOfSource } from "./coverage.ts";
import { type BreakWord, isBlindServer } from "./coverage-break.ts";
import { firstAbove, type Span, type WindowRow } from "./evidence.ts";
import { readFaults } from "./window-row.ts";

export interface Blindness {
  readonly run: string;
  /** The last number that was known before; null: none was. */
  readonly sequence: number | null;
  readonly fromMs: number;
  /** The server lost the link no later; Infinity: nobody can tell. */
  readonly lostByMs: number;
  /** Infinity: nobody has heard that it ended. */
  readonly untilMs: number;
  readonly word: BreakWord;
}

interface Noted extends Omit<Blindness, "lostByMs"> {
  /** The server said that it lost the link; not that it had it back, whose loss nobody here had heard of. */
  readonly isLossTold: boolean;
  /** When it told, as far as windows say; Infinity: they do not. */
  readonly toldMs: number;
  /** The last word before a loss that was told; null: it is not known, or it was not told. */
  readonly wordMs: number | null;
}

/** Of all copies together. */
export function blindnesses(all: readonly CopyOfSource[], windowSeconds: number): readonly Blindness[] {
  const noted = all.flatMap((copy) => {
    const bySpans = [...notedBySpans(copy, windowSeconds)];
    const isNoted = (each: Noted) =>
      bySpans.some(({ run, toldMs, wordMs }) => wordMs !== null && run === each.run && toldMs === each.toldMs);
    return [...bySpans, ...[...notedByWindows(copy, windowSeconds)].filter((each) => !isNoted(each))];
  });
  const losses = noted.filter(({ isLossTold }) => isLossTold);
  return noted.map((each) => ({
    ...each,
    lostByMs: each.toldMs + windowSeconds * 1000 - 1,
    fromMs: each.isLossTold ? each.fromMs : lossMs(each, losses),
    untilMs: Math.min(each.untilMs, seenAgainMs(all, each)),
  }));
}

function* notedBySpans(copy: CopyOfSource, windowSeconds: number): Generator<Noted> {
  const { spans, windows, sessions } = copy;
  const told = windows.filter((row) => readFaults(row).some(isBlindServer)).map(({ WINDOW_TS }) => WINDOW_TS * 1000);
  told.sort((one, other) => one - other);
  for (const [index, { row, fromMs, untilMs }] of spans.entries()) {
    const { RUN: run, ENDED_BECAUSE, BEGAN_BECAUSE, FROM_SEQ, UNTIL_SEQ } = row;
    const before = spans[index - 1];
    if (isBlindServer(ENDED_BECAUSE)) {
      const nextMs = spans[index + 1]?.fromMs ?? Infinity;
      const isLossTold = tellsLoss(copy, row);
      const toldMs = told[firstAbove(told, untilMs - windowSeconds * 1000)] ?? Infinity;
      // A copy may hear long after its last word that the server is blind from now on.
      // Where the window that told of the loss was not read, the one that tells of the link's return would pass for it.
      const isRead = untilMs - windowSeconds * 1000 >= copy.windowsFromMs;
      const lossMs = isLossTold && isRead && toldMs <= nextMs ? Math.max(untilMs, toldMs) : untilMs;
      const word = ENDED_BECAUSE ?? "";
      yield {
        run,
        sequence: UNTIL_SEQ,
        fromMs: lossMs,
        untilMs: nextMs,
        word,
        isLossTold,
        toldMs,
        wordMs: isLossTold ? untilMs : null,
      };
    }
    if (!isBlindServer(BEGAN_BECAUSE) || isBlindServer(before?.row.ENDED_BECAUSE ?? null)) continue;
    const openedMs = Math.min(fromMs, ...sessions.map(({ DSCONN_SDSTS }) => (DSCONN_SDSTS ?? Infinity) * 1000));
    const sinceMs = before?.untilMs ?? openedMs;
    const toldMs = told[firstAbove(told, sinceMs - windowSeconds * 1000)] ?? Infinity;
    yield {
      run,
      sequence: FROM_SEQ,
      fromMs: sinceMs,
      untilMs: fromMs,
      word: BEGAN_BECAUSE,
      isLossTold: false,
      toldMs,
      wordMs: null,
    };
  }
}

function* notedByWindows(copy: CopyOfSource, windowSeconds: number): Generator<Noted> {
  for (const row of copy.windows) {
    const word = readFaults(row).find(isBlindServer);
    if (word === undefined) continue;
    const startMs = row.WINDOW_TS * 1000;
    const endMs = startMs + windowSeconds * 1000;
    const untilMs = Math.max(endOfTold(copy, row, [startMs, endMs]), endMs - 1);
    // Nothing else is known of when it was lost: from this window on; or from one on that was not read.
    const heardMs = copy.spans.findLast((span) => span.fromMs < endMs)?.untilMs ?? Number.NEGATIVE_INFINITY;
    yield {
      run: row.RUN,
      sequence: row.LAST_SEQ,
      fromMs: heardMs < copy.windowsFromMs ? heardMs : startMs,
      untilMs,
      word,
      isLossTold: true,
      toldMs: startMs,
      wordMs: null,
    };
  }
}

/** When the copy heard words again that vouch for something, after a window in which the server told of its blindness. */
function endOfTold({ spans, sessions }: CopyOfSource, { RUN }: WindowRow, [fromMs, endMs]: [number, number]): number {
  let lastSession = 0;
  for (const session of sessions) {
    const isBefore = (session.DSCONN_SDSTS ?? 0) * 1000 < endMs;
    if (session.RUN === RUN && isBefore) lastSession = Math.max(lastSession, session.DSS_ID);
  }
  for (const { row, fromMs: beginsMs, untilMs } of spans) {
    if (beginsMs >= endMs) return beginsMs;
    // One that began in this very window may have begun, and ended, before; but not one that goes on beyond it, or that
    // began for this, or that is of a run that came later.
    if (row.RUN !== RUN && beginsMs >= fromMs && lastSession > 0 && (row.GSYS_DOMAIN ?? 0) > lastSession)
      return beginsMs;
    if (row.RUN === RUN && untilMs >= endMs) return endMs - 1;
    if (row.RUN === RUN && beginsMs >= fromMs && isBlindServer(row.BEGAN_BECAUSE)) return beginsMs;
  }
  return Infinity;
}

/** The record that ended the span was the server's word that it lost a link. */
function tellsLoss({ marks }: CopyOfSource, { VERSION, SOURCE }: Span): boolean {
  return marks.some((mark: Selected<"ICON_MARK">) => {
    return mark.POSITION === VERSION && mark.SOURCE === SOURCE && mark.KIND.endsWith(" down");
  });
}

/**
 * Who only heard that the link is back knows that it was lost after his last word. Another one may have heard when: what
 * he heard before the link was back is the loss, or one before it.
 */
function lossMs({ run, fromMs, toldMs }: Noted, losses: readonly Noted[]): number {
  let latestMs = fromMs;
  for (const loss of losses) {
    if (loss.run === run && loss.fromMs < toldMs && loss.fromMs > latestMs) latestMs = loss.fromMs;
  }
  return Number.isFinite(toldMs) ? latestMs : fromMs;
}

/**
 * When some copy began to hear the server's words anew that had heard, after the loss, that the link was lost or is back.
 * Another one may begin for an earlier loss, in the middle of this one of which nobody told it.
 */
function seenAgainMs(all: readonly CopyOfSource[], { run, fromMs, wordMs }: Noted): number {
  let earliestMs = Infinity;
  for (const copy of all) {
    for (const [index, span] of copy.spans.entries()) {
      if (span.row.RUN !== run || span.fromMs <= fromMs || !isBlindServer(span.row.BEGAN_BECAUSE)) continue;
      if (span.fromMs >= earliestMs) continue;
      const before = copy.spans[index - 1];
      // Both heard the same word last, and then of the loss.
      const isSameLoss = before !== undefined && before.untilMs === wordMs && tellsLoss(copy, before.row);
      if (isSameLoss || isTold(copy.windows, run, fromMs, span.fromMs)) earliestMs = span.fromMs;
    }
  }
  return earliestMs;
}

function isTold(windows: readonly WindowRow[], run: string, fromMs: number, untilMs: number): boolean {
  return windows.some((row) => {
    const startMs = row.WINDOW_TS * 1000;
    return row.RUN === run && startMs >= fromMs && startMs <= untilMs && readFaults(row).some(isBlindServer);
  });
}

/**
 * When a copy that opened a session during a blindness, whose end nobody has heard, knows it to be over: at the first event
 * of that session. A server does not say to a new session that it is blind.
 */
export function seeingAgainMs(
  { windows, sessions }: CopyOfSource,
  { run, sequence, fromMs }: Blindness,
  windowSeconds: number,
): number {
  const opened = sessions.map(({ DSCONN_SDSTS }) => (DSCONN_SDSTS ?? 0) * 1000).filter((ms) => ms > fromMs);
  const openedMs = Math.min(...opened, Number.POSITIVE_INFINITY);
  let earliestMs = Number.POSITIVE_INFINITY;
  for (const { RUN, WINDOW_TS, FIRST_SEQ } of windows) {
    if (RUN !== run || FIRST_SEQ === null || FIRST_SEQ <= (sequence ?? 0) || WINDOW_TS * 1000 < openedMs) continue;
    earliestMs = Math.min(earliestMs, (WINDOW_TS + windowSeconds) * 1000 - 1);
  }
  return earliestMs;
}
