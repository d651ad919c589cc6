// The pair on one time line per source: what the two IDBs have together, what this instance's has, and what the peer's
// has. It is sent apart from the rest of the page, for it is read apart.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { PairKnowledge } from "../pair-reading.ts";
import type { PairReport, PeerAnswer } from "../pair-report.ts";
import { type PairSpan, pairSpans } from "../pair-span.ts";
import { instantText } from "../wording.ts";
import { LinePatterns, PairLegend } from "./pair-legend.tsx";
import { SourceLines } from "./pair-source.tsx";
import { State } from "./state.tsx";

export interface PairSectionProps {
  readonly instanceName: string;
  readonly span: PairSpan;
  readonly known: PairKnowledge;
  /** What is shown was to be read anew long ago. */
  readonly isOld: boolean;
}

export function PairSection({ instanceName, span, known: { report, failure }, isOld }: PairSectionProps) {
  const peer = report?.peer ?? null;
  return (
    <section class="pair" aria-labelledby="pair">
      <div class="pair-head">
        <h2 id="pair">{report !== null && peer === null ? "Time line" : "Time line of the pair"}</h2>
        <SpanChoice chosen={span} />
        {report === null ? null : (
          <span class="quiet push">
            as of <time dateTime={new Date(report.readAt).toISOString()}>{instantText(report.readAt)}</time>
          </span>
        )}
      </div>
      {failure === null ? null : (
        <p class="pair-note">
          <State tone="bad" word="The ledger cannot be read" />: {failure}
        </p>
      )}
      {failure === null && isOld ? (
        <p class="pair-note">
          <State tone="look" word="The ledger has not been read for a while" />: what stands here is old.
        </p>
      ) : null}
      {peer === null ? null : <PeerNote peer={peer} instanceName={instanceName} />}
      {report === null ? (
        failure === null ? (
          <p class="quiet">The ledger is being read.</p>
        ) : null
      ) : (
        <Lines report={report} instanceName={instanceName} span={span} />
      )}
    </section>
  );
}

interface PeerNoteProps {
  readonly peer: PeerAnswer;
  readonly instanceName: string;
}

function PeerNote({ peer: { name, silentSince, reason }, instanceName }: PeerNoteProps) {
  if (silentSince === null && reason === null) return null;
  const word =
    silentSince === null
      ? `The ledger of ${name} cannot be used`
      : `${name} does not answer since ${instantText(silentSince)}`;
  return (
    <p class="pair-note">
      <State tone="look" word={word} />
      {reason === null ? "." : `: ${reason}.`} The verdict is from {instanceName} alone.
    </p>
  );
}

function SpanChoice({ chosen }: { readonly chosen: PairSpan }) {
  return (
    <nav class="spans" aria-label="How far back">
      {pairSpans.map(({ key, label }) => (
        <a href={`/?span=${key}`} {...(key === chosen.key ? { "aria-current": "true" } : {})}>
          {label}
        </a>
      ))}
    </nav>
  );
}

interface LinesProps {
  readonly report: PairReport;
  readonly instanceName: string;
  readonly span: PairSpan;
}

function Lines({ report, instanceName, span }: LinesProps) {
  const { sources } = report;
  if (sources.length === 0) return <p class="quiet">No data source is configured.</p>;
  return (
    <>
      <LinePatterns />
      {sources.map((source, index) => (
        <SourceLines source={source} index={index} report={report} instanceName={instanceName} span={span} />
      ))}
      <PairLegend hasPeer={report.peer !== null} />
    </>
  );
}
