// From stretches of time to what is drawn of them: places in per cent of the line, and never more pieces than can be
// told apart. Where many fall together, the worst of them is what is seen.

import type { PairStretch, WindowState } from "./pair-report.ts";

export interface LinePiece {
  /** Both in per cent of the line's length. */
  readonly x: number;
  readonly width: number;
  readonly state: WindowState;
  readonly from: number;
  readonly until: number;
  readonly causes: readonly string[];
  /** The stretches that it stands for. */
  readonly stretches: readonly PairStretch[];
}

export interface Line {
  readonly from: number;
  readonly until: number;
}

// More would be narrower than three pixels of a wide screen.
const piecesMax = 360;
// As many as the list below the line has of a gap.
const causesMax = 6;

const fromWorst: readonly WindowState[] = ["divergent", "incomplete", "unknown", "complete", "silent"];

export function piecesOf(stretches: readonly PairStretch[], line: Line): LinePiece[] {
  const seen = stretches.filter(({ from, until }) => until > line.from && from < line.until && until > from);
  return seen.length <= piecesMax ? seen.map((each) => pieceOf([each], each, line)) : coarsePieces(seen, line);
}

/** Stretches that follow on one another without a gap, joined. */
export function joined(stretches: readonly PairStretch[]): PairStretch[] {
  const whole: PairStretch[] = [];
  for (const each of stretches) {
    const last = whole.at(-1);
    if (last?.until === each.from && last.state === each.state)
      whole[whole.length - 1] = { ...last, until: each.until };
    else whole.push(each);
  }
  return whole;
}

function coarsePieces(stretches: readonly PairStretch[], line: Line): LinePiece[] {
  const slotMs = (line.until - line.from) / piecesMax;
  const slots: PairStretch[][] = Array.from({ length: piecesMax }, () => []);
  for (const each of stretches) {
    const first = Math.max(0, Math.floor((each.from - line.from) / slotMs));
    const last = Math.min(piecesMax - 1, Math.ceil((each.until - line.from) / slotMs) - 1);
    for (let slot = first; slot <= last; slot++) slots[slot]?.push(each);
  }
  const runs: {
    readonly from: number;
    until: number;
    readonly state: WindowState;
    readonly stretches: PairStretch[];
  }[] = [];
  for (const [slot, within] of slots.entries()) {
    if (within.length === 0) continue;
    const [from, until, state] = [line.from + slot * slotMs, line.from + (slot + 1) * slotMs, worstOf(within)];
    const last = runs.at(-1);
    if (last?.state !== state || last.until !== from) runs.push({ from, until, state, stretches: within });
    else {
      last.until = until;
      last.stretches.push(...within.filter((each) => each !== last.stretches.at(-1)));
    }
  }
  return runs.map((run) => pieceOf(run.stretches, run, line));
}

function pieceOf(stretches: readonly PairStretch[], { from, until }: Line, line: Line): LinePiece {
  const start = Math.max(from, line.from);
  const end = Math.min(until, line.until);
  const state = worstOf(stretches);
  const causes = new Set(stretches.filter((each) => each.state === state).flatMap((each) => each.causes));
  return {
    x: percent(start - line.from, line),
    width: percent(end - start, line),
    state,
    from: start,
    until: end,
    causes: [...causes].slice(0, causesMax),
    stretches,
  };
}

function worstOf(stretches: readonly PairStretch[]): WindowState {
  return fromWorst.find((state) => stretches.some((each) => each.state === state)) ?? "unknown";
}

/** Where an instant lies on the line, in per cent. */
export function placeOf(at: number, line: Line): number {
  return percent(at - line.from, line);
}

function percent(ms: number, line: Line): number {
  return Math.round((ms / (line.until - line.from)) * 100_000) / 1000;
}
