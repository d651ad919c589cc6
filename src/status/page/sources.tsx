// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Tone } from "../readiness.ts";
import type { SourceStatus } from "../report.ts";
import { clockText, countText, durationText, rateText, sizeText } from "../wording.ts";
import { Ago } from "./ago.tsx";
import { State } from "./state.tsx";

const toneOfSource: Readonly<Record<SourceStatus["state"], Tone>> = {
  connected: "good",
  connecting: "look",
  waiting: "bad",
};

/** One row a data source, and a line below it for what has no column. */
export function Sources({ sources, now }: { readonly sources: readonly SourceStatus[]; readonly now: number }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">State</th>
          <th scope="col">Address</th>
          <th scope="col" class="number">
            Connected for
          </th>
          <th scope="col" class="number">
            Last event
          </th>
          <th scope="col" class="number">
            Events/s
          </th>
          <th scope="col" class="number">
            Frames
          </th>
          <th scope="col" class="number">
            Undecodable
          </th>
          <th scope="col" class="number">
            Duplicates
          </th>
          <th scope="col" class="number">
            Reconnects
          </th>
          <th scope="col" class="number">
            Sequence
          </th>
          <th scope="col" class="number">
            Acknowledged
          </th>
        </tr>
      </thead>
      <tbody>
        {sources.map((source) => (
          <>
            <tr>
              <th scope="row">
                {source.name} <span class="quiet">{source.kind}</span>
              </th>
              <td class="close">
                <State tone={toneOfSource[source.state]} word={source.state} />
              </td>
              <td class="close">{source.address}</td>
              <td class="number">{source.connectedSince === null ? "–" : durationText(now - source.connectedSince)}</td>
              <td class="number">
                <Ago at={source.lastEventAt} now={now} />
              </td>
              <td class="number">{rateText(source.eventsPerSecond)}</td>
              <td class="number">{countText(source.framesTotal)}</td>
              <td class="number">{countText(source.undecodable)}</td>
              <td class="number">{countText(source.duplicates)}</td>
              <td class="number">{countText(source.reconnects)}</td>
              <td class="number">{source.lastSequence === null ? "–" : countText(source.lastSequence)}</td>
              <td class="number">{source.ackedSequence === null ? "–" : countText(source.ackedSequence)}</td>
            </tr>
            <SourceNote source={source} now={now} />
          </>
        ))}
      </tbody>
    </table>
  );
}

/** What a row of the table has no column for. */
function SourceNote({ source, now }: { readonly source: SourceStatus; readonly now: number }) {
  const { run, clock, isHeldBack, notDurableBytes, lastEnd, lastTrouble, alarms } = source;
  const losses = lossesText(source);
  if (
    run === null &&
    clock === null &&
    losses === null &&
    lastEnd === null &&
    lastTrouble === null &&
    alarms.length === 0
  )
    return null;
  return (
    <tr class="note">
      <td colSpan={12}>
        {alarms.map(({ sentence }) => (
          <>
            <State tone="bad" word={`${sentence}.`} />{" "}
          </>
        ))}
        {run === null ? null : <span class="quiet">Server run {run}. </span>}
        {clock === null ? null : <span class="quiet">Its clock is {clockText(clock)}. </span>}
        {losses === null ? null : <>{losses} </>}
        {isHeldBack ? <>Not read at the moment: {sizeText(notDurableBytes)} of it are not durable yet. </> : null}
        {lastEnd === null ? null : (
          <>
            Last session ended {lastEnd.at === null ? null : <Ago at={lastEnd.at} now={now} />}: {lastEnd.cause}
            {lastEnd.detail === null ? "" : ` (${lastEnd.detail})`}.{" "}
          </>
        )}
        {lastTrouble === null ? null : <>Last trouble: {lastTrouble}</>}
      </td>
    </tr>
  );
}

/** What was missed of it, and what had to be closed for it; null: nothing. */
function lossesText({ holes, endedUnseen: { calls, parties } }: SourceStatus): string | null {
  const losses: string[] = [];
  if (holes > 0) losses.push(`${numberOf(holes, "hole", "holes")} in its numbers`);
  if (calls + parties > 0) {
    const closed = `${numberOf(calls, "call", "calls")} and ${numberOf(parties, "party", "parties")}`;
    losses.push(`${closed} closed that it no longer had when we came back`);
  }
  return losses.length === 0 ? null : `Since the IDB was made: ${losses.join("; ")}.`;
}

function numberOf(count: number, one: string, more: string): string {
  return `${countText(count)} ${count === 1 ? one : more}`;
}
