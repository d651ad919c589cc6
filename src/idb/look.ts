// Looks whether a file is an IDB that this program may write, and changes nothing of it.

import { idbError } from "./error.ts";
import { readIdentity } from "./migrate.ts";
import { openReading } from "./reading.ts";

/**
 * Without a trace: not even the -shm, which holds no data, is changed; an IDB whose WAL has lost its -shm cannot be looked
 * at so. Throws IdbTooNewError and IdbNotOursError, and IdbDamagedError or IdbUnavailableError when it cannot be read.
 */
export function lookAtIdb(path: string, options: { readonly leavesNoTrace: boolean }): void {
  const reading = openReading(path, options);
  try {
    readIdentity(reading.database, path);
  } catch (error) {
    throw idbError(error, `Cannot read IDB "${path}"`);
  } finally {
    reading.close();
  }
}
