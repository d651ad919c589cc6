import { countText } from "../wording.ts";

/** A place in the persistent queue. */
export function positionText(position: bigint | null): string {
  return position === null ? "–" : countText(position);
}
