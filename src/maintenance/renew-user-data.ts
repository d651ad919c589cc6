// Applies a changed attached data specification to the past: the persistent queue is taken in anew with the mapping of
// the configuration at hand, into a file of its own, and of that the attached data is taken over (idb/renew-user-data.ts).
//
// Whole calls are renewed, those that began at the given time or later: half a call's rows by one mapping and half by
// another would say something that no mapping says. The marks in the queue stay: a later rebuild of the whole IDB has
// the mappings that were in force, unless it is told otherwise.

import type { Clock } from "../clock.ts";
import type { ProjectionConfiguration } from "../event/envelope.ts";
import { deleteIdb } from "../idb/building.ts";
import { openIdb } from "../idb/open.ts";
import { type Renewed, renewUserData } from "../idb/renew-user-data.ts";
import type { Log } from "../log.ts";
import type { Disk } from "../queue/disk.ts";
import { programVersion } from "../version.ts";
import { type RebuildProgress, rebuild } from "./rebuild.ts";

export interface UserDataOptions {
  readonly queueDirectory: string;
  /** Of the queue that is there; the IDB must follow it. */
  readonly queueId: string;
  /** Of the IDB that is there; its lock is held. */
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly configuration: ProjectionConfiguration;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly stop: AbortSignal;
  readonly onProgress: (progress: RebuildProgress) => void;
}

export interface UserDataRenewed extends Renewed {
  /** Records taken in. */
  readonly records: number;
}

/** The attached data of that time cannot be had from this queue; nothing was changed. */
export class UserDataUnknownError extends Error {
  override readonly name = "UserDataUnknownError";
}

/** Throws UserDataUnknownError, and what rebuild and the IDB throw; then the IDB is as it was. */
export async function rebuildUserData(options: UserDataOptions): Promise<UserDataRenewed> {
  const { path, configuration, clock, log, sinceMs } = options;
  const since = new Date(sinceMs).toISOString();
  // What the IDB has is renewed, and no more: what it lacks comes with the next start, by the mapping that is in force then.
  const { position, windowSeconds, queueId } = appliedOf(path, log, clock);
  if (queueId !== options.queueId || position === 0n) {
    throw new UserDataUnknownError(
      `Cannot rebuild the attached data in "${path}": it does not follow the persistent queue in "${options.queueDirectory}"; expected the IDB of this data directory, or a rebuild of all of it`,
    );
  }
  const building = `${path}.rebuilding-userdata`;
  try {
    const { knownFromSeconds, records } = await rebuild({
      ...options,
      // Which calls there are, and when they began, says G_CALL, though this instance may not store it.
      configuration: { ...configuration, role: [...new Set([...configuration.role, "gcc"])] },
      path: building,
      upTo: position,
      beginAt: null,
      windowSeconds,
      // Live state as these marks never had it must not come beside the segments.
      isQueueOurs: false,
    });
    if (knownFromSeconds !== null && sinceMs < knownFromSeconds * 1000) {
      const known = new Date(knownFromSeconds * 1000).toISOString();
      throw new UserDataUnknownError(
        `Cannot rebuild the attached data from ${since} on: the persistent queue tells all only from ${known} on; expected --from ${known} or later`,
      );
    }
    const text = JSON.stringify(configuration);
    const hash = new Bun.CryptoHasher("sha256").update(text).digest("hex");
    const added = new Date(clock.now()).toISOString();
    return {
      records,
      ...renewUserData({ path, from: building, since, configuration: { added, programVersion, hash, text } }),
    };
  } finally {
    deleteIdb(building);
  }
}

function appliedOf(path: string, log: Log, clock: Clock) {
  const idb = openIdb({ path, log, clock, windowSeconds: 60 });
  try {
    return idb.readApplied();
  } finally {
    idb.close();
  }
}
