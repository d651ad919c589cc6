// Wrong tokens are answered late and few at a time, so that trying them costs whoever tries more than it costs us. Nobody
// is locked out by it: a right token is never delayed. The log has the first of a minute at once, and the count after it.

import { type Clock, sleep } from "../clock.ts";
import type { Log } from "../log.ts";

const answerAfterMs = 500;
const waitingMax = 32;
const waitingPerAddressMax = 4;
const logEveryMs = 60_000;

export interface WrongTokensOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Ends every wait. */
  readonly signal: AbortSignal;
}

export class WrongTokens {
  readonly #options: WrongTokensOptions;
  readonly #waiting = new Map<string, number>();
  #total = 0;
  #totalLogged = 0;
  #isLogDue = true;

  constructor(options: WrongTokensOptions) {
    this.#options = options;
  }

  /** Wrong tokens since the start. */
  get total(): number {
    return this.#total;
  }

  /** Counts one from `address`. Resolves when it may be answered; false: at once, because too many wait. */
  async shown(address: string): Promise<boolean> {
    this.#total += 1;
    this.#report(address);
    const fromHere = this.#waiting.get(address) ?? 0;
    const inAll = [...this.#waiting.values()].reduce((sum, each) => sum + each, 0);
    if (fromHere >= waitingPerAddressMax || inAll >= waitingMax) return false;
    this.#waiting.set(address, fromHere + 1);
    await sleep(this.#options.clock, answerAfterMs, this.#options.signal);
    const left = (this.#waiting.get(address) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(address);
    else this.#waiting.set(address, left);
    return true;
  }

  #report(address: string): void {
    if (!this.#isLogDue) return;
    this.#isLogDue = false;
    this.#totalLogged = this.#total;
    const { clock, log } = this.#options;
    log.warn("wrong token refused", { address, total: this.#total });
    clock.after(logEveryMs, () => {
      this.#isLogDue = true;
      if (this.#total > this.#totalLogged) this.#report("several");
    });
  }
}
