// Which events of a run a copy has, by their numbers.

import type { CopyOfSource, Doubt, MissingRange } from "./coverage.ts";
import { firstAbove, type RunEvidence } from "./evidence.ts";

type BoundedRange = MissingRange & { readonly to: number };

export class NumbersHere {
  /** Rising, and apart from each other; both ends included. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  constructor(ranges: readonly (readonly [from: number, to: number])[]) {
    for (const [from, to] of ranges.toSorted(([one], [other]) => one - other)) {
      const last = this.#to.length - 1;
      const lastTo = this.#to[last];
      if (lastTo !== undefined && from <= lastTo + 1) this.#to[last] = Math.max(lastTo, to);
      else if (from <= to) {
        this.#from.push(from);
        this.#to.push(to);
      }
    }
  }

  holds(from: number, to: number): boolean {
    const place = firstAbove(this.#to, to - 1);
    return (this.#from[place] ?? Infinity) <= from;
  }

  /** The parts of the range that are not here. */
  lacking(range: BoundedRange): readonly BoundedRange[] {
    const rest: BoundedRange[] = [];
    let { from } = range;
    for (let place = firstAbove(this.#to, range.from - 1); (this.#from[place] ?? Infinity) <= range.to; place++) {
      const [begin, end] = [this.#from[place] ?? 0, this.#to[place] ?? 0];
      if (begin > from) rest.push({ ...range, from, to: begin - 1 });
      from = end + 1;
    }
    if (from <= range.to) rest.push({ ...range, from });
    return rest;
  }
}

const nothing = new NumbersHere([]);

/** By run, of every run that any copy has heard. Runs whose numbers were given out twice are left out: nothing can be told by them. */
export function numbersHere(
  { spans }: CopyOfSource,
  evidence: ReadonlyMap<string, RunEvidence>,
): ReadonlyMap<string, NumbersHere> {
  const ranges = new Map<string, [number, number][]>();
  for (const { row } of spans) {
    if (row.FROM_SEQ === null || row.UNTIL_SEQ === null) continue;
    const known = ranges.get(row.RUN);
    if (known === undefined) ranges.set(row.RUN, [[row.FROM_SEQ + 1, row.UNTIL_SEQ]]);
    else known.push([row.FROM_SEQ + 1, row.UNTIL_SEQ]);
  }
  const here = new Map<string, NumbersHere>();
  for (const [run, { isOrdered }] of evidence) {
    const ofRun = ranges.get(run);
    if (isOrdered) here.set(run, ofRun === undefined ? nothing : new NumbersHere(ofRun));
  }
  return here;
}

/** By run, the numbers of which doubts say where they belong. */
export function numbersPlaced(doubts: readonly Doubt[]): ReadonlyMap<string, NumbersHere> {
  const ranges = new Map<string, [number, number][]>();
  for (const { missing } of doubts) {
    if (missing === null) continue;
    const range: [number, number] = [missing.from, missing.to ?? Number.MAX_SAFE_INTEGER];
    const known = ranges.get(missing.run);
    if (known === undefined) ranges.set(missing.run, [range]);
    else known.push(range);
  }
  return new Map([...ranges].map(([run, each]) => [run, new NumbersHere(each)]));
}
