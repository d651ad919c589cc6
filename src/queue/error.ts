// What can go wrong with the persistent queue, by what the operator or the owner must do about it.

/** Another process (or another Queue of this one) holds the directory. */
export class QueueLockedError extends Error {
  override readonly name = "QueueLockedError";
  constructor(
    readonly directory: string,
    /** What the holder wrote into the lock file: its process id, or "" when it had not yet. */
    readonly holder: string,
  ) {
    super(
      `Cannot open the queue directory "${directory}": process ${holder || "(not yet known)"} is using it; ` +
        "stop that one first, or give this instance a directory of its own",
    );
  }
}

/** A file is not a segment of ours, or was written by a newer program. Nothing was touched. */
export class QueueFormatError extends Error {
  override readonly name = "QueueFormatError";
  constructor(
    readonly segment: string,
    reason: string,
  ) {
    super(`Cannot read segment "${segment}": ${reason}`);
  }
}

/** The directory holds what this program never leaves behind, so that going on would mean guessing. */
export class QueueCorruptError extends Error {
  override readonly name = "QueueCorruptError";
  constructor(
    readonly segment: string,
    /** In bytes from the beginning of the segment. */
    readonly offset: number,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`Cannot use segment "${segment}" from offset ${offset}: ${reason}`, options);
  }
}

/**
 * A write or fsync failed. It is final: the kernel may have dropped the pages, so that a later fsync proves nothing.
 * The owner acknowledges nothing more and exits with 74; the next start recovers.
 */
export class QueueFailedError extends Error {
  override readonly name = "QueueFailedError";
  constructor(
    readonly directory: string,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`Cannot make records durable in "${directory}": ${reason}`, { cause });
  }
}

/** True for the error of opening, renaming or deleting a file that is not there. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
