// Which PARENTLINKTYPE of a party statistics count, and as what (src/event/statistics.ts).

import { parentLinkTypes } from "./dictionary.ts";

export const countedLinks: ReadonlyMap<unknown, "transfer" | "conference"> = new Map([
  [parentLinkTypes.transferred, "transfer"],
  [parentLinkTypes.conferenced, "conference"],
] as const);
