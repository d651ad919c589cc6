// Mutates bytes from a seed: what comes out is close enough to the real thing to get past the first look at it.

import { onTestFinished } from "bun:test";
import { figure } from "../harness/figure.ts";
import { seededRandom } from "../harness/load-verdict.ts";

const tokens = [
  '"',
  "{",
  "}",
  ",",
  ":",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "[",
  "]",
  "null",
  "-1",
  "0",
  "1e999",
  "\0",
  "\ufffd",
];
const tokenBytes = tokens.map((each) => Buffer.from(each));

/** How many inputs the fuzz tests try in all, 100,000 unless ICON_FUZZ_INPUTS says otherwise; each takes its share. */
export const inputsInAll = Number(process.env["ICON_FUZZ_INPUTS"] ?? 100_000);

export class Mutator {
  readonly seed: number;
  readonly #next: () => number;
  #inputs = 0;

  constructor(label: string) {
    const { seed, next } = seededRandom(label);
    this.seed = seed;
    this.#next = next;
    onTestFinished(() => {
      if (this.#inputs > 0) figure("R15", `${label}: ${this.#inputs} inputs`);
    });
  }

  /** A whole number from 0 to below `bound`. */
  below(bound: number): number {
    return Math.floor(this.#next() * bound);
  }

  pick<T>(among: readonly T[]): T {
    const picked = among[this.below(among.length)];
    if (picked === undefined) throw new RangeError("Cannot pick from nothing");
    return picked;
  }

  /** A copy with up to four changes, at times none: bits turned over, bytes set, parts dropped, doubled or put in. */
  mutate(original: Uint8Array): Uint8Array {
    this.#inputs += 1;
    let bytes: Uint8Array = Uint8Array.from(original);
    for (let changes = this.below(5); changes > 0; changes -= 1) {
      const at = this.below(bytes.length + 1);
      const to = Math.min(bytes.length, at + 1 + this.below(24));
      const [before, part, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
      const kind = this.below(6);
      if (kind === 0)
        bytes = Uint8Array.from(part.length === 0 ? bytes : Buffer.concat([before, this.#flipped(part), after]));
      else if (kind === 1) bytes = Buffer.concat([before, Uint8Array.of(this.below(256)), bytes.subarray(at + 1)]);
      else if (kind === 2) bytes = Buffer.concat([before, after]);
      else if (kind === 3) bytes = Buffer.concat([before, part, part, after]);
      else if (kind === 4) bytes = Buffer.concat([before, this.pick(tokenBytes), bytes.subarray(at)]);
      else bytes = this.below(4) === 0 ? before.slice() : bytes;
    }
    return bytes;
  }

  /** The bytes in pieces of chance lengths. */
  chunks(bytes: Uint8Array): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + 1 + this.below(this.below(2) === 0 ? 4 : 400));
      pieces.push(bytes.subarray(from, to));
      from = to;
    }
    return pieces;
  }

  #flipped(part: Uint8Array): Uint8Array {
    return part.map((byte, index) => (index === 0 ? byte ^ (1 << this.below(8)) : byte));
  }
}
