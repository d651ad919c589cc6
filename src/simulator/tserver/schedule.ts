// What is going to happen in the simulated centre, by source time. Two things at the same instant happen in the order
// in which they were planned, so that a seed gives one stream.

interface Planned {
  readonly atUs: number;
  readonly order: number;
  readonly act: () => void;
}

/** A binary heap of acts. Times are microseconds since 1970 by the simulated switch's clock. */
export class Schedule {
  readonly #heap: Planned[] = [];
  #order = 0;

  plan(atUs: number, act: () => void): void {
    const heap = this.#heap;
    const planned = { atUs, order: this.#order++, act };
    let index = heap.length;
    heap.push(planned);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, planned)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = planned;
  }

  /** Takes the next act out when it is due at or before `limitUs`. */
  takeDue(limitUs: number): { readonly atUs: number; readonly act: () => void } | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.atUs > limitUs) return undefined;
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first;
  }

  #sink(planned: Planned): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (isBefore(planned, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = planned;
  }
}

function isBefore(one: Planned, other: Planned): boolean {
  return one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order);
}
