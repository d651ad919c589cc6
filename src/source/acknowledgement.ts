// What a source of the T-Event link may be told to be durable, and when: the contiguous prefix of its run as it stood at
// a position of the persistent queue, once that position is on disk.

import type { ArrivalSink } from "./intake.ts";

export class Acknowledgement {
  /** Oldest first. */
  readonly #notes: { readonly position: bigint; readonly contiguous: number }[] = [];
  readonly #unlisten: () => void;
  /** The contiguous prefix that was last noted, or acknowledged by resuming. */
  #noted: number | null;

  /** `acknowledge` is told each prefix that has become durable. */
  constructor(sink: ArrivalSink, resumeAfter: number | null, acknowledge: (contiguous: number) => void) {
    this.#noted = resumeAfter;
    this.#unlisten = sink.onDurable((durable) => {
      const contiguous = this.#take(durable);
      if (contiguous !== null) acknowledge(contiguous);
    });
  }

  /** What is contiguous now may be acknowledged when this position, the last one appended, is durable. */
  note(position: bigint, contiguous: number | null): void {
    if (contiguous === null || contiguous === this.#noted) return;
    this.#noted = contiguous;
    this.#notes.push({ position, contiguous });
  }

  close(): void {
    this.#unlisten();
  }

  #take(durable: bigint): number | null {
    let contiguous: number | null = null;
    for (let note = this.#notes[0]; note !== undefined && note.position <= durable; note = this.#notes[0]) {
      contiguous = note.contiguous;
      this.#notes.shift();
    }
    return contiguous;
  }
}
