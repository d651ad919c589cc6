// ICON_MARK: what a reader of the IDB should know of the persistent queue's marks and of what sources said of themselves.

import { arrivalInstant, timestampText } from "../event/instant.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

/** Notes one thing that happened to the data flow, by our clock. */
export function writeMark(
  world: World,
  context: Pick<StepContext, "position"> & { readonly source: StepContext["source"] | null },
  arrivedAt: number,
  kind: string,
  detail: string | null,
): void {
  world.write("ICON_MARK", {
    ID: world.nextRowId(),
    POSITION: Number(context.position),
    ADDED: timestampText(arrivalInstant(arrivedAt)),
    SOURCE: context.source?.identity.name ?? null,
    KIND: kind,
    DETAIL: detail,
  });
}
