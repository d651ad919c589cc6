// A disk without room for another segment. Nothing has been written when that shows, so nothing is in doubt: what was
// appended waits in memory, its bound holds the sockets back, and the segment is tried again until there is room.

import type { Disk } from "./disk.ts";

/** The next segment cannot be allocated, or would leave less than the reserve, which is the IDB's to drain with. */
export class DiskFullError extends Error {
  override readonly name = "DiskFullError";
  readonly code = "ENOSPC";
}

export interface RoomNeeded {
  readonly directory: string;
  /** Of the segment to come. */
  readonly segmentBytes: number;
  /** To be left free afterwards. */
  readonly reserveBytes: number;
}

export function checkRoom(disk: Disk, { directory, segmentBytes, reserveBytes }: RoomNeeded): void {
  const free = disk.freeBytes(directory);
  if (free >= segmentBytes + reserveBytes) return;
  throw new DiskFullError(
    `Cannot begin a segment in "${directory}": ${free} bytes are free; expected ${segmentBytes} for it and ${reserveBytes} in reserve`,
  );
}

// Of the device, and of the user's quota on it.
const errnoNoSpace = 28;
const errnoQuota = 122;

/** Of an allocation. A write or fsync that fails for this reason is final, as for any other. */
export function isDiskFull(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
  const number = typeof errno === "number" ? Math.abs(errno) : 0;
  return code === "ENOSPC" || code === "EDQUOT" || number === errnoNoSpace || number === errnoQuota;
}
