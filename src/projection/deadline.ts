// Which calls (and login sessions, see agent-bounds.ts) to look at again, and when, per source: a binary heap each, the
// earliest at the root. It only reminds; whether a call is still due is read from the call itself. Not stored: built again
// from the calls at a restart.

import type { SourceInstant } from "../event/instant.ts";

interface Deadline {
  readonly at: SourceInstant;
  readonly callId: string;
}

export class DeadlineQueue {
  readonly #heaps = new Map<string, Deadline[]>();

  add(source: string, at: SourceInstant, callId: string): void {
    let heap = this.#heaps.get(source);
    if (heap === undefined) {
      heap = [];
      this.#heaps.set(source, heap);
    }
    heap.push({ at, callId });
    rise(heap, heap.length - 1);
  }

  /** Takes those whose time has come at `now`, the earliest first; equal times in the order of their call ids. */
  take(source: string, now: SourceInstant): readonly Deadline[] {
    const heap = this.#heaps.get(source);
    const due: Deadline[] = [];
    for (let first = heap?.[0]; heap !== undefined && first !== undefined && first.at <= now; first = heap[0]) {
      due.push(first);
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) {
        heap[0] = last;
        sink(heap);
      }
    }
    return due;
  }

  clear(): void {
    this.#heaps.clear();
  }
}

function isBefore(a: Deadline | undefined, b: Deadline | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at !== b.at ? a.at < b.at : a.callId < b.callId;
}

function swap(heap: Deadline[], a: number, b: number): void {
  const kept = heap[a];
  const other = heap[b];
  if (kept === undefined || other === undefined) return;
  heap[a] = other;
  heap[b] = kept;
}

function rise(heap: Deadline[], from: number): void {
  for (let child = from; child > 0; ) {
    const parent = (child - 1) >> 1;
    if (!isBefore(heap[child], heap[parent])) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function sink(heap: Deadline[]): void {
  for (let parent = 0; ; ) {
    const left = 2 * parent + 1;
    const smaller = isBefore(heap[left + 1], heap[left]) ? left + 1 : left;
    if (!isBefore(heap[smaller], heap[parent])) return;
    swap(heap, parent, smaller);
    parent = smaller;
  }
}
