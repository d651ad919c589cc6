// What a purge would delete from an IDB file, counted by what deletes it, in short statements beside whoever writes the file.

import { IdbNotOursError, IdbUnavailableError, idbError } from "./error.ts";
import { readIdentity, versionKnown } from "./migrate.ts";
import { SubjectPurge } from "./purge-subjects.ts";
import { openReading } from "./reading.ts";

export interface PurgeCount {
  readonly calls: number;
  readonly loginSessions: number;
  /** Of every table that has any, in the order of the names. */
  readonly rows: Readonly<Record<string, number>>;
}

const subjectsPerStep = 200;

/**
 * Of what ended before this time, milliseconds since 1970, as far as its ending is written now. Throws IdbUnavailableError,
 * IdbDamagedError, IdbNotOursError, IdbTooNewError.
 */
export function countPurge(path: string, before: number): PurgeCount {
  const doing = `Cannot read IDB "${path}"`;
  const reading = openReading(path);
  try {
    const { version } = readIdentity(reading.database, path);
    if (version < versionKnown) {
      throw new IdbNotOursError(
        `${doing}: its schema version is ${version}, expected ${versionKnown}; icon run brings it up to date`,
      );
    }
    const counts = new Map<string, number>();
    const tally = (table: string, rows: number) => counts.set(table, (counts.get(table) ?? 0) + rows);
    // As if its mark came now: whatever was written until then has a smaller id.
    const purge = { sequence: Number.MAX_SAFE_INTEGER, before: Math.floor(before / 1000) };
    const counted = new SubjectPurge(reading.database, { purge, tally });
    let [roots, calls] = [0, 0];
    for (;;) {
      const step = counted.step(subjectsPerStep);
      roots += step.roots;
      calls += step.calls;
      if (step.isDone) break;
    }
    if (!reading.isStill()) throw new IdbUnavailableError(`${doing}: somebody began to write it meanwhile; ask again`);
    const rows = [...counts].filter(([, count]) => count > 0).sort(([one], [other]) => (one < other ? -1 : 1));
    return { calls, loginSessions: roots - calls, rows: Object.fromEntries(rows) };
  } catch (error) {
    throw idbError(error, doing);
  } finally {
    reading.close();
  }
}
