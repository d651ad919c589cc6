// The time line as text, for whoever asks for the page and for its updates: the same text until something else is known.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import type { Clock } from "../clock.ts";
import { PairSection } from "./page/pair.tsx";
import { type PairKnowledge, PairReading } from "./pair-reading.ts";
import type { ReadPair } from "./pair-report.ts";
import type { PairSpan } from "./pair-span.ts";

// Beyond its time by so much, whoever reads the ledger hangs or is very busy.
const lateMsMax = 20_000;

export interface PairViewOptions {
  readonly clock: Clock;
  readonly read: ReadPair;
  readonly instanceName: () => string;
}

interface Drawn {
  readonly known: PairKnowledge;
  readonly isOld: boolean;
  readonly text: string;
}

export class PairView {
  readonly #options: PairViewOptions;
  readonly #reading: PairReading;
  readonly #drawn = new Map<string, Drawn>();

  constructor(options: PairViewOptions) {
    this.#options = options;
    this.#reading = new PairReading(options.clock, options.read);
  }

  /** What is known now; never waits. */
  text(span: PairSpan): string {
    const known = this.#reading.look(span);
    const ageMs = known.report === null ? 0 : this.#options.clock.now() - known.report.readAt;
    const isOld = ageMs > span.readEveryMs + lateMsMax;
    const last = this.#drawn.get(span.key);
    if (last?.known === known && last.isOld === isOld) return last.text;
    const instanceName = this.#options.instanceName();
    const text = (<PairSection instanceName={instanceName} span={span} known={known} isOld={isOld} />).toString();
    this.#drawn.set(span.key, { known, isOld, text });
    return text;
  }
}
