// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { StatusReport } from "../report.ts";
import { countText, durationText, rateText, sizeText } from "../wording.ts";
import { Ago } from "./ago.tsx";

interface GlanceProps {
  readonly report: StatusReport;
  /** Milliseconds since 1970 by the instance's clock. */
  readonly now: number;
}

/** The five figures that tell how the instance does. */
export function Glance({ report, now }: GlanceProps) {
  const { sources, queue, idb } = report;
  const connected = sources.filter((each) => each.state === "connected").length;
  const rate = sources.reduce((sum, each) => sum + each.eventsPerSecond, 0);
  const behind = queue.oldestNotAppliedAgeMs;
  return (
    <dl class="glance">
      <div>
        <dt>Sources connected</dt>
        <dd class="figure">
          {connected} of {sources.length}
        </dd>
        <dd class="quiet">{rateText(rate)} events/s</dd>
      </div>
      <div>
        <dt>IDB behind</dt>
        <dd class="figure">
          {queue.recordsNotApplied === null ? "not known yet" : behind === null ? "nothing" : durationText(behind)}
        </dd>
        <dd class="quiet">
          {queue.recordsNotApplied === null ? "–" : countText(queue.recordsNotApplied)} records not applied
        </dd>
      </div>
      <div>
        <dt>Persistent queue on disk</dt>
        <dd class="figure">{sizeText(queue.bytes)}</dd>
        <dd class="quiet">
          of {sizeText(queue.retentionBytes)}
          {queue.diskFreeBytes === null ? "" : `, ${sizeText(queue.diskFreeBytes)} free`}
        </dd>
      </div>
      <div>
        <dt>Last row</dt>
        <dd class="figure">
          <Ago at={idb.lastRowAt} now={now} />
        </dd>
        <dd class="quiet">
          last commit <Ago at={idb.lastCommitAt} now={now} />
        </dd>
      </div>
      <div>
        <dt>Open calls</dt>
        <dd class="figure">{countText(report.openCalls)}</dd>
        <dd class="quiet">{countText(report.openParties)} parties</dd>
      </div>
    </dl>
  );
}
