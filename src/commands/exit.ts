// How the program ends: the codes of sysexits.h, so that systemd and scripts can tell a wrong file from a full disk; and
// below them what commands that judge copies have found, which is an answer and no failure.

export const exitCodes = {
  ok: 0,
  /** Something failed that has no code of its own. */
  failed: 1,
  /** Something that was asked about is missing in every copy that was named; the answer says what. */
  incomplete: 3,
  /** Two copies contradict each other about what both vouch for. */
  divergence: 4,
  /** No copy can tell yet; later one may. */
  notYetKnown: 5,
  /** The command line is wrong. */
  usage: 64,
  /** What is on disk cannot be read: damaged, not ours, or of a newer version. */
  dataFormat: 65,
  /** There is no such file. */
  noInput: 66,
  /** An address cannot be listened on, or what is needed is not there. */
  unavailable: 69,
  /** A broken promise of ours. */
  internal: 70,
  /** A file that was asked for cannot be made. */
  cannotCreate: 73,
  /** A write or fsync failed; nothing more may be acknowledged. */
  inputOutput: 74,
  /** A bound was reached; the user may try again with another. */
  tryAgain: 75,
  /** The configuration is wrong. */
  configuration: 78,
} as const;

/** Ends a command with a code and a message that needs no stack trace. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  constructor(
    readonly exitCode: number,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
