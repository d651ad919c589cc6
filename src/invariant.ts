// A broken promise of ours ends the process, loudly; the next start replays from the persistent queue.
// What can come from outside is never checked here: it is counted, kept, and passed over.

/** A promise this program made to itself does not hold. Never caught to go on: only to exit with 70. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

export function invariant(condition: unknown, promise: string): asserts condition {
  if (!condition) throw new InvariantError(`Broken promise: ${promise}`);
}

/** Ends a `switch` over a union, so that a new kind shows up in the compiler everywhere it matters. */
export function unreachable(value: never): never {
  throw new InvariantError(`Unexpected value ${JSON.stringify(value)}`);
}
