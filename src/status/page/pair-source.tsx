// One data source on the time line: a row of the pair, one of each copy, a scale, and what is missing in words.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { gapOf, gapsOf, isGap, type LineGap, type LineOwner, summaryOf, withWholeGaps } from "../line-gap.ts";
import { joined, type Line, placeOf } from "../line-piece.ts";
import type { PairReport, PairSource, PairStretch, PeerAnswer } from "../pair-report.ts";
import type { PairSpan } from "../pair-span.ts";
import { durationText, minuteText, timeText } from "../wording.ts";
import { PairGaps } from "./pair-gaps.tsx";
import { PairLine } from "./pair-line.tsx";
import { State } from "./state.tsx";

// Of each source; `icon availability` has all.
const gapsMax = 10;

export interface SourceLinesProps {
  readonly report: PairReport;
  readonly instanceName: string;
  readonly span: PairSpan;
  readonly source: PairSource;
  /** Among the report's sources. */
  readonly index: number;
}

export function SourceLines({ source, index, report, instanceName, span }: SourceLinesProps) {
  const { name, isProven } = source;
  const verdict = withWholeGaps(source.verdict);
  const own = withWholeGaps(source.own);
  const peer = source.peer === null ? null : withWholeGaps(source.peer);
  const peerName = report.peer?.name ?? "peer";
  const nameOf = (owner: LineOwner) => (owner === "pair" ? "both" : owner === "own" ? instanceName : peerName);
  const line: Line = report;
  const ticks = ticksOf(line, span);
  const gaps = gapsOf({ ...source, verdict, own, peer });
  const listed = gaps.slice(0, gapsMax);
  const idOf = ({ owner, stretch }: LineGap) => `gap-${index}-${owner}-${stretch.from}`;
  const linkFor = (owner: LineOwner) => (stretches: readonly PairStretch[]) => {
    const gap = stretches
      .filter(isGap)
      .map((each) => gapOf(listed, owner, each))
      .find((each) => each !== null);
    if (gap !== undefined) return `#${idOf(gap)}`;
    return stretches.some(isGap) ? `#gaps-${index}` : null;
  };
  const rowOf = (owner: LineOwner, stretches: readonly PairStretch[]) => ({
    label: `${nameOf(owner)}, ${name}`,
    stretches,
    chosen: owner === "pair" ? [] : joined(verdict.filter(({ chosen }) => chosen === owner).map(asOne)),
    line,
    ticks,
    linkOf: linkFor(owner),
  });
  return (
    <article class="pair-source" aria-labelledby={`pair-${index}`}>
      <h3 id={`pair-${index}`}>
        {name} <Summary source={source} line={line} />
      </h3>
      <div class="lines">
        {report.peer === null ? null : (
          <>
            <div class="who">Pair</div>
            <PairLine {...rowOf("pair", verdict)} label={`Pair, ${name}`} />
          </>
        )}
        <div class="who" title={instanceName}>
          {instanceName} <span class="quiet">here</span>
        </div>
        <PairLine {...rowOf("own", own)} chosen={report.peer === null ? [] : rowOf("own", own).chosen} />
        {report.peer === null ? null : (
          <>
            <div class="who" title={peerName}>
              {peerName}
            </div>
            {peer === null ? (
              <div class="absent quiet">{absenceText(report.peer)}</div>
            ) : (
              <PairLine {...rowOf("peer", peer)} />
            )}
          </>
        )}
        <div class="who" />
        <Scale line={line} ticks={ticks} />
      </div>
      {isProven ? null : (
        <p class="quiet">
          Without sequence numbers: complete says that the source was listened to without interruption.
        </p>
      )}
      {listed.length === 0 ? null : (
        <div class="gap-list" id={`gaps-${index}`}>
          <PairGaps
            gaps={listed}
            more={gaps.length - listed.length}
            hasPeer={report.peer !== null}
            nameOf={nameOf}
            idOf={idOf}
          />
        </div>
      )}
    </article>
  );
}

function absenceText({ silentSince, reason }: PeerAnswer): string {
  if (silentSince !== null) return `does not answer since ${timeText(silentSince)} UTC`;
  return reason === null ? "does not have this source" : "cannot be used";
}

/** As stretches that are all alike, for what matters is only where they are. */
function asOne({ from, until }: PairStretch): PairStretch {
  return { from, until, state: "complete", causes: [] };
}

function Summary({ source, line }: { readonly source: PairSource; readonly line: Line }) {
  const { tone, missingMs, differingMs, unknownMs } = summaryOf(source, line);
  const sentences: string[] = [];
  if (missingMs > 0) sentences.push(`${durationText(missingMs)} missing`);
  if (differingMs > 0) sentences.push(`the copies differ in ${durationText(differingMs)}`);
  if (sentences.length === 0 && unknownMs !== null) sentences.push("nothing missing");
  if (unknownMs === null) sentences.push("not yet known");
  else if (unknownMs > 0) sentences.push(`${durationText(unknownMs)} not known`);
  return <State tone={tone} word={sentences.join(", ")} />;
}

function Scale({ line, ticks }: { readonly line: Line; readonly ticks: readonly number[] }) {
  return (
    <svg class="scale" width="100%" height="14" aria-hidden="true">
      {ticks.map((at) => (
        <text x={`${placeOf(at, line)}%`} y="11" text-anchor="middle">
          {minuteText(at)}
        </text>
      ))}
    </svg>
  );
}

// A mark nearer to an end than this has no room for its text.
const tickMarginMin = 0.03;

function ticksOf({ from, until }: Line, { tickMs }: PairSpan): number[] {
  const margin = (until - from) * tickMarginMin;
  const ticks: number[] = [];
  for (let at = Math.ceil((from + margin) / tickMs) * tickMs; at <= until - margin; at += tickMs) ticks.push(at);
  return ticks;
}
