// Browsers that showed a token. A cookie holds a random number, this table its hash and the token it stands for; both
// are forgotten with the process. A visit ends with its token, by signing out, or after half a day.

import { createHash, randomBytes } from "node:crypto";
import type { Token } from "../access/token.ts";
import type { Clock } from "../clock.ts";

const visitsMax = 100;
export const visitSecondsMax = 12 * 3600;

interface Visit {
  readonly token: Token;
  readonly endsAtMs: number;
}

export class Visits {
  readonly #clock: Clock;
  readonly #byHash = new Map<string, Visit>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get count(): number {
    return this.#byHash.size;
  }

  /** Begins one; the oldest ends when there are too many. Returns what the cookie holds. */
  begin(token: Token): string {
    this.#forgetEnded();
    const [oldest] = this.#byHash.keys();
    if (this.#byHash.size >= visitsMax && oldest !== undefined) this.#byHash.delete(oldest);
    const id = randomBytes(32).toString("base64url");
    this.#byHash.set(hashOf(id), { token, endsAtMs: this.#clock.monotonic() + visitSecondsMax * 1000 });
    return id;
  }

  /** The token that the visit with this cookie began with; null when there is no such visit. */
  tokenOf(id: string): Token | null {
    this.#forgetEnded();
    return this.#byHash.get(hashOf(id))?.token ?? null;
  }

  end(id: string): void {
    this.#byHash.delete(hashOf(id));
  }

  #forgetEnded(): void {
    const now = this.#clock.monotonic();
    for (const [hash, { endsAtMs }] of this.#byHash) {
      if (endsAtMs > now) return; // in the order in which they end
      this.#byHash.delete(hash);
    }
  }
}

// Looked up by its hash, so that the time it takes says nothing of the ids there are.
function hashOf(id: string): string {
  return createHash("sha256").update(id, "utf8").digest("base64");
}
