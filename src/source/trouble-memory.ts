// What repeats is counted, not logged each time; two troubles that take turns are no news either.

import type { Log, LogFields } from "../log.ts";

// Words of the server's own may be in a trouble: as many different ones are remembered, and no more.
const troublesToldMax = 16;

export class TroubleMemory {
  readonly #told = new Set<string>();
  readonly #log: Log;
  readonly #source: string;
  #repeats = 0;

  constructor(source: string, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  /** `level` error: nothing that goes away by itself. */
  note(level: "warn" | "error", sentence: string, trouble: string, fields: LogFields): void {
    if (this.#told.has(trouble)) {
      this.#repeats += 1;
      return;
    }
    if (this.#told.size >= troublesToldMax) this.forget();
    this.#told.add(trouble);
    this.#log[level](sentence, { source: this.#source, ...fields, trouble });
  }

  /** A session has lasted: the next trouble is news. */
  forget(): void {
    if (this.#repeats > 0) {
      this.#log.warn("data source trouble repeated", { source: this.#source, times: this.#repeats });
    }
    this.#repeats = 0;
    this.#told.clear();
  }
}
