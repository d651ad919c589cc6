// Doubts about a row live in ICON_ROW_QUALITY and nowhere else; no documented column gets a second meaning.

import type { Unseen } from "../event/happening.ts";
import { type SourceInstant, timestampText } from "../event/instant.ts";
import type { StepContext } from "./source.ts";
import type { World } from "./world.ts";

export type QualityReason =
  | "end not seen"
  | "beginning not seen"
  | "change not seen"
  | "key is local"
  | "earlier rows not kept" // the IDB begins in the middle of its life: the call's history up to LATEST is not here
  | "event not projected"; // one of its events is in ICON_UNDECODED

/** Counts of rows whose end nobody saw: closed because the source no longer had them. */
export const endedUnseenCounters = {
  G_CALL: "call ended unseen",
  G_PARTY: "party ended unseen",
  G_VIRTUAL_QUEUE: "stay in a virtual queue ended unseen",
  G_CUSTOM_STATES: "custom state ended unseen",
  G_LOGIN_SESSION: "login session ended unseen",
} as const;

/** Bounds and cause; where nothing tells the earliest or the latest, it is null. */
export type Doubt = Pick<Unseen, "cause"> & {
  readonly earliest: SourceInstant | null;
  readonly latest: SourceInstant | null;
};

/** Notes that nobody saw what a row says, and between which instants it must have happened. */
export function noteQuality(
  world: World,
  context: StepContext,
  table: keyof typeof endedUnseenCounters,
  rowKey: string,
  reason: QualityReason,
  unseen: Doubt | null,
): void {
  world.write("ICON_ROW_QUALITY", {
    ID: world.nextRowId(),
    TABLE_NAME: table,
    ROW_KEY: rowKey,
    REASON: reason,
    EARLIEST: unseen?.earliest == null ? null : timestampText(unseen.earliest),
    LATEST: unseen?.latest == null ? null : timestampText(unseen.latest),
    CAUSE: unseen?.cause ?? null,
    SOURCE: context.source.identity.name,
    GSYS_DOMAIN: context.session,
  });
  if (reason === "end not seen") context.count(endedUnseenCounters[table]);
}
