// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Tone } from "../readiness.ts";
import type { IdbStatus, PurgeReport } from "../report.ts";
import { countText, durationText, sizeText } from "../wording.ts";
import { Ago } from "./ago.tsx";
import { Fact } from "./fact.tsx";
import { positionText } from "./position.ts";
import { State } from "./state.tsx";

const toneOfIdb: Readonly<Record<IdbStatus["state"], Tone>> = {
  open: "good",
  locked: "look",
  rebuilding: "look",
  unavailable: "bad",
};

interface IdbProps {
  readonly idb: IdbStatus;
  readonly undecodedTotal: number;
  readonly now: number;
}

export function IdbFacts({ idb, undecodedTotal, now }: IdbProps) {
  return (
    <section aria-labelledby="idb">
      <h2 id="idb">Interaction Database</h2>
      <table class="facts">
        <tbody>
          <Fact name="State">
            <State tone={toneOfIdb[idb.state]} word={idb.state} />
          </Fact>
          <Fact name="File">
            <code>{idb.path}</code>
          </Fact>
          <Fact name="Size">{sizeText(idb.bytes)}</Fact>
          <Fact name="Write-ahead log">
            {sizeText(idb.walBytes)}
            {idb.walBlock === null ? null : (
              <>
                {" "}
                <State tone="look" word={`blocked for ${durationText(now - idb.walBlock.since)}`} />
              </>
            )}
          </Fact>
          <Fact name="Applied position">{positionText(idb.appliedPosition)}</Fact>
          <Fact name="Commits since it was made">{countText(idb.commits)}</Fact>
          <Fact name="Last commit">
            <Ago at={idb.lastCommitAt} now={now} />
          </Fact>
          <Fact name="Purged">{purgeText(idb.purge)}</Fact>
          <Fact name="Frames kept undecoded">{countText(undecodedTotal)}</Fact>
        </tbody>
      </table>
    </section>
  );
}

function purgeText({ furthest, isUnderWay, calls }: PurgeReport): string {
  if (furthest === null) return "nothing";
  const what = `calls and login sessions that ended before ${new Date(furthest.before).toISOString().slice(0, 19)}Z`;
  return isUnderWay ? `${what}; ${countText(calls)} deleted so far` : what;
}
