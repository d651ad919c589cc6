// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { LineGap, LineOwner } from "../line-gap.ts";
import { countText, durationText, instantText } from "../wording.ts";
import { stateWord } from "./pair-line.tsx";
import { State } from "./state.tsx";

interface PairGapsProps {
  /** The newest first. */
  readonly gaps: readonly LineGap[];
  /** How many more there are. */
  readonly more: number;
  /** False: there is no pair to hold them against. */
  readonly hasPeer: boolean;
  readonly nameOf: (owner: LineOwner) => string;
  readonly idOf: (gap: LineGap) => string;
}

/** The gaps in words. */
export function PairGaps({ gaps, more, hasPeer, nameOf, idOf }: PairGapsProps) {
  return (
    <table class="gaps stacking">
      <thead>
        <tr>
          <th scope="col">From</th>
          <th scope="col" class="number">
            For
          </th>
          <th scope="col">Whose</th>
          {hasPeer ? <th scope="col">In the pair</th> : null}
          <th scope="col" class="rest">
            What
          </th>
        </tr>
      </thead>
      <tbody>
        {gaps.map((gap) => (
          <tr id={idOf(gap)} tabindex={-1}>
            <td class="close">
              <time dateTime={new Date(gap.stretch.from).toISOString()}>{instantText(gap.stretch.from)}</time>
            </td>
            <td class="number">{durationText(gap.stretch.until - gap.stretch.from)}</td>
            <td class="close">{nameOf(gap.owner)}</td>
            {hasPeer ? (
              <td class="close">
                <State tone={toneOf(gap)} word={gap.inPair} />
              </td>
            ) : null}
            <td>{gapText(gap)}</td>
          </tr>
        ))}
        {more === 0 ? null : (
          <tr>
            <td colSpan={5} class="quiet">
              {countText(more)} more before them: <code>icon availability</code> has all.
            </td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

function toneOf({ inPair }: LineGap) {
  if (inPair === "whole") return "good";
  return inPair === "not yet known" ? "look" : "bad";
}

function gapText({ stretch: { state, causes } }: LineGap): string {
  return causes.length === 0 ? stateWord[state] : causes.join("; ");
}
