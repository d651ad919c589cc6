// Rows that change with almost every event are written once a batch, from what is live: an event that is followed by
// another one within the batch need not have its window, span and session written. What stops being live before the
// batch is over is written where it does.

import { writeSpanRow } from "./coverage.ts";
import { rewriteSession } from "./session.ts";
import { writeWindowRow } from "./window.ts";
import type { World } from "./world.ts";

/** Called once, after the last record of a batch. */
export function writeLedgerRows(world: World): void {
  for (const [, window] of world.changed("window")) writeWindowRow(world, window);
  for (const [name, span] of world.changed("span")) writeSpanRow(world, name, span, null);
  for (const [, session] of world.changed("session")) rewriteSession(world, session);
}
