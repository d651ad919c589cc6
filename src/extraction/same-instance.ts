// Which copies one and the same instance recorded: an IDB and what was rebuilt, restored or copied from its persistent
// queue. Such copies heard everything once and through the same ears, so that they are equal proves nothing.

import type { CopyIdentity } from "./copy.ts";

/**
 * For each copy the place of the first one that its instance wrote. The queue tells, where one was rebuilt from it; a
 * restored one has a queue id of its own, but the sessions in it are still those of the instance.
 */
export function instancesOf(identities: readonly CopyIdentity[]): readonly number[] {
  return identities.map((identity, place) => {
    const first = identities.findIndex((each, other) => other < place && areOfOneInstance(each, identity));
    return first < 0 ? place : first;
  });
}

function areOfOneInstance(one: CopyIdentity, other: CopyIdentity): boolean {
  if (one.queueId !== null && one.queueId === other.queueId) return true;
  return one.iconDbids.some((dbid) => other.iconDbids.includes(dbid));
}
