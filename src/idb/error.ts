// What can go wrong with the IDB, sorted by what the caller can do about it: wait and try again, put the one record
// aside, put the whole file aside, or stop and ask the operator.

/** Not reachable now: locked, disk full, I/O error. Nothing was changed; trying again later is right. */
export class IdbUnavailableError extends Error {
  override readonly name: string = "IdbUnavailableError";
}

/** Somebody else holds the file's lock. Nothing was changed; trying again soon is right. */
export class IdbBusyError extends IdbUnavailableError {
  override readonly name = "IdbBusyError";
}

/** A row cannot be stored: it breaks a constraint or has a value of a wrong type. Trying again gives the same. */
export class IdbRejectedError extends Error {
  override readonly name = "IdbRejectedError";
}

/** The file cannot be trusted any more: no SQLite file, cut short, malformed, or replaced under our hands. */
export class IdbDamagedError extends Error {
  override readonly name = "IdbDamagedError";
}

/** A sound SQLite file that some other program made. */
export class IdbNotOursError extends Error {
  override readonly name = "IdbNotOursError";
}

/** Several IDBs that cannot be asked together: their tables differ, or one was named twice. */
export class IdbUnlikeError extends Error {
  override readonly name = "IdbUnlikeError";
}

/** Made by a newer version of this program. Refused untouched. */
export class IdbTooNewError extends Error {
  override readonly name = "IdbTooNewError";
  constructor(
    path: string,
    readonly version: number,
    readonly versionKnown: number,
  ) {
    super(
      `Cannot open IDB "${path}": its schema version is ${version} and this program knows versions up to ` +
        `${versionKnown}. Nothing was changed; use the program version that made it, or a newer one`,
    );
  }
}

// Result codes of SQLite (the low byte of an extended code) by what they mean to us. libSQL puts its own failure to
// open a file into words only.
const unavailable = new Set([7, 8, 10, 13, 14, 15]); // NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
const busy = new Set([5, 6]); // BUSY, LOCKED
const damaged = new Set([11, 26]); // CORRUPT, NOTADB
const rejected = new Set([18, 19, 20, 25]); // TOOBIG, CONSTRAINT, MISMATCH, RANGE

/**
 * Turns what libSQL threw into one of ours, with `doing` ("Cannot …") in front. SQLite's own text names tables and
 * columns but never a value. What is none of the known failures comes back as it is: a fault of ours.
 */
export function idbError(thrown: unknown, doing: string): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const message = `${doing}: ${thrown.message}`;
  // What the file system says before SQLite is asked: no such directory, no permission, no space.
  if ("syscall" in thrown) return new IdbUnavailableError(message, { cause: thrown });
  const code = resultCode(thrown);
  if (busy.has(code)) return new IdbBusyError(message, { cause: thrown });
  if (unavailable.has(code)) return new IdbUnavailableError(message, { cause: thrown });
  if (damaged.has(code)) return new IdbDamagedError(message, { cause: thrown });
  if (rejected.has(code)) return new IdbRejectedError(message, { cause: thrown });
  return thrown;
}

/** SQLite's primary result code of what libSQL threw; 0 when it has none. */
export function resultCode(thrown: Error): number {
  if ("rawCode" in thrown && typeof thrown.rawCode === "number") return thrown.rawCode & 0xff;
  // «ConnectionFailed("Unable to open connection to local database /x/idb.db: 14")»
  const opening = /^ConnectionFailed\(.*: (\d+)"\)$/s.exec(thrown.message);
  return opening?.[1] === undefined ? 0 : Number(opening[1]) & 0xff;
}
