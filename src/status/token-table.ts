// The tokens in force. The file is read again when a request comes and the last look is a second old, so that a token
// that was taken out of it lets nobody in a second later. A file that became unusable changes nothing, and is said once.

import { findToken, type Token } from "../access/token.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";

const rereadAfterMs = 1000;

export interface TokenTableOptions {
  /** The file as it is now. Throws with a sentence for the log when it cannot be used. */
  readonly read: () => readonly Token[];
  readonly clock: Clock;
  readonly log: Log;
}

export class TokenTable {
  readonly #options: TokenTableOptions;
  #tokens: readonly Token[];
  #readAtMs: number;
  #problem: string | null = null;

  /** Throws what reading the file throws. */
  constructor(options: TokenTableOptions) {
    this.#options = options;
    this.#tokens = options.read();
    this.#readAtMs = options.clock.monotonic();
  }

  /** What is wrong with the file, while the tokens it held before are in force. */
  get problem(): string | null {
    return this.#problem;
  }

  find(presented: string): Token | null {
    this.#reread();
    return findToken(this.#tokens, presented);
  }

  /** Whether `token` is in the file still, the same in every respect. */
  holds(token: Token): boolean {
    this.#reread();
    return this.#tokens.some((each) => isSame(each, token));
  }

  #reread(): void {
    const { clock, log, read } = this.#options;
    if (clock.monotonic() - this.#readAtMs < rereadAfterMs) return;
    this.#readAtMs = clock.monotonic();
    let next: readonly Token[];
    try {
      next = read();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.#problem) log.error("token file is wrong and the tokens stay as they were", { problem });
      this.#problem = problem;
      return;
    }
    const isChanged =
      next.length !== this.#tokens.length || !next.every((each) => this.#tokens.some((old) => isSame(old, each)));
    if (isChanged || this.#problem !== null) log.info("tokens in force", { tokens: next.length });
    this.#tokens = next;
    this.#problem = null;
  }
}

function isSame(a: Token, b: Token): boolean {
  return a.name === b.name && a.role === b.role && Buffer.compare(a.hash, b.hash) === 0;
}
