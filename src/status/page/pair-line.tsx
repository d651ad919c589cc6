// One row of the time line. Drawn with places in per cent, which need no style attribute and fit every screen; what a
// colour says, a pattern or a height says too. A gap is a link to its line in the list below, so that it can be reached
// without a mouse.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { type Line, type LinePiece, piecesOf, placeOf } from "../line-piece.ts";
import type { PairStretch, VerdictStretch, WindowState } from "../pair-report.ts";
import { durationText, timeText } from "../wording.ts";

export const lineHeight = 18;
const chosenHeight = 3;
const silentHeight = 4;

interface PairLineProps {
  /** Whose row it is, as a reader hears it. */
  readonly label: string;
  readonly stretches: readonly (PairStretch | VerdictStretch)[];
  /** Where this copy is the one to take. */
  readonly chosen: readonly PairStretch[];
  readonly line: Line;
  readonly ticks: readonly number[];
  /** Where in the list a stretch stands. */
  readonly linkOf: (stretches: readonly PairStretch[]) => string | null;
}

export function PairLine({ label, stretches, chosen, line, ticks, linkOf }: PairLineProps) {
  return (
    <svg class="line" width="100%" height={lineHeight + chosenHeight} aria-label={label}>
      <rect class="unknown" width="100%" height={lineHeight} fill="url(#line-unknown)" />
      {piecesOf(stretches, line).map((piece) => (
        <Piece piece={piece} label={label} link={linkOf(piece.stretches)} />
      ))}
      {ticks.map((at) => (
        <line class="tick" x1={`${placeOf(at, line)}%`} x2={`${placeOf(at, line)}%`} y1="0" y2={lineHeight} />
      ))}
      {piecesOf(chosen, line).map(({ x, width }) => (
        <rect class="chosen" x={`${x}%`} width={`${width}%`} y={lineHeight + 1} height={chosenHeight - 1} />
      ))}
    </svg>
  );
}

interface PieceProps {
  readonly piece: LinePiece;
  readonly label: string;
  readonly link: string | null;
}

function Piece({ piece, label, link }: PieceProps) {
  const words = pieceText(piece, label);
  if (link === null) {
    return (
      <g>
        <title>{words}</title>
        <Shape piece={piece} />
      </g>
    );
  }
  return (
    <a href={link} aria-label={words}>
      <title>{words}</title>
      <Shape piece={piece} />
    </a>
  );
}

const patternOf: Readonly<Partial<Record<WindowState, string>>> = {
  incomplete: "url(#line-incomplete)",
  divergent: "url(#line-divergent)",
  unknown: "url(#line-unknown)",
};

function Shape({ piece: { x, width, state } }: { readonly piece: LinePiece }) {
  const height = state === "silent" ? silentHeight : lineHeight;
  const fill = patternOf[state];
  return (
    <>
      {state === "silent" ? <rect class="ground" x={`${x}%`} width={`${width}%`} height={lineHeight} /> : null}
      <rect
        class={state}
        x={`${x}%`}
        width={`${width}%`}
        y={(lineHeight - height) / 2}
        height={height}
        {...(fill === undefined ? {} : { fill })}
      />
    </>
  );
}

export const stateWord: Readonly<Record<WindowState, string>> = {
  complete: "complete",
  silent: "silent",
  incomplete: "incomplete",
  unknown: "not yet known",
  divergent: "the copies differ",
};

function pieceText({ state, from, until, causes, stretches }: LinePiece, label: string): string {
  const isConfirmed = stretches.every((each) => "isConfirmed" in each && each.isConfirmed === true);
  const why = causes.length === 0 ? "" : `: ${causes.join("; ")}`;
  const span = `${timeText(from)} to ${timeText(until)} UTC (${durationText(until - from)})`;
  return `${label}, ${span}: ${stateWord[state]}${isConfirmed ? ", confirmed by both" : ""}${why}`;
}
