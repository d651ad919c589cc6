// The last things that somebody should look at, for the status page: what is logged as warning or error passes here.

import type { Clock } from "./clock.ts";
import type { Log, LogFields } from "./log.ts";

export interface Trouble {
  readonly at: number;
  readonly level: "warn" | "error";
  readonly sentence: string;
  readonly fields: LogFields;
}

// A screenful; the journal has the rest.
const troublesKept = 50;

/** A log that also keeps its latest warnings and errors. */
export class TroubleLog implements Log {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #recent: Trouble[] = [];

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The newest last. */
  get recent(): readonly Trouble[] {
    return this.#recent;
  }

  error(sentence: string, fields: LogFields = {}): void {
    this.keep("error", sentence, fields);
    this.#log.error(sentence, fields);
  }

  warn(sentence: string, fields: LogFields = {}): void {
    this.keep("warn", sentence, fields);
    this.#log.warn(sentence, fields);
  }

  info(sentence: string, fields?: LogFields): void {
    this.#log.info(sentence, fields);
  }

  debug(sentence: string, fields?: LogFields): void {
    this.#log.debug(sentence, fields);
  }

  /** Keeps what another thread has logged already. */
  keep(level: Trouble["level"], sentence: string, fields: LogFields): void {
    this.#recent.push({ at: this.#clock.now(), level, sentence, fields });
    if (this.#recent.length > troublesKept) this.#recent.shift();
  }
}
