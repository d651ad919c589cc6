// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Tone } from "../readiness.ts";
import type { QueueStatus } from "../report.ts";
import { countText, instantText, sizeText } from "../wording.ts";
import { Fact } from "./fact.tsx";
import { positionText } from "./position.ts";
import { State } from "./state.tsx";

const toneOfQueue: Readonly<Record<QueueStatus["state"], Tone>> = { open: "good", full: "bad", failed: "bad" };

export function QueueFacts({ queue }: { readonly queue: QueueStatus }) {
  return (
    <section aria-labelledby="queue">
      <h2 id="queue">Persistent queue</h2>
      <table class="facts">
        <tbody>
          <Fact name="State">
            <State tone={toneOfQueue[queue.state]} word={queue.state} />
          </Fact>
          <Fact name="On disk">
            {sizeText(queue.bytes)} in {countText(queue.segments)} {queue.segments === 1 ? "segment" : "segments"}
          </Fact>
          <Fact name="Retained at most">{sizeText(queue.retentionBytes)}</Fact>
          <Fact name="Disk free">{queue.diskFreeBytes === null ? "–" : sizeText(queue.diskFreeBytes)}</Fact>
          <Fact name="First position">{positionText(queue.firstPosition)}</Fact>
          <Fact name="Deleted early">{trimmedText(queue.trimmedEarly)}</Fact>
          <Fact name="Durable up to position">{positionText(queue.durablePosition)}</Fact>
          <Fact name="Applied up to position">{positionText(queue.appliedPosition)}</Fact>
          <Fact name="Records not applied">
            {queue.recordsNotApplied === null ? "–" : countText(queue.recordsNotApplied)}
          </Fact>
        </tbody>
      </table>
    </section>
  );
}

function trimmedText(trimmed: QueueStatus["trimmedEarly"]): string {
  if (trimmed === null) return "nothing";
  const { firstPosition, lastPosition, lastAt } = trimmed;
  return `positions ${countText(firstPosition)} to ${countText(lastPosition)}, written until ${instantText(lastAt)}: the disk was full`;
}
