// What a server run can still send again: its last events, as the bytes that go over the wire. All clients are served
// from the same blocks, each from its own position, so that a second client costs no second encoding.
//
//   firstSeq ≤ … oldestSeq … ≤ lastSeq      blocks in order, without gaps; the oldest block may be forgotten in part

import type { SwitchEvent } from "./switch-event.ts";

export interface Block {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly bytes: Uint8Array;
  /** Source time of the last event, microseconds since 1970. */
  readonly lastAtUs: number;
  /** The same events as values, for the observable oracle; empty when nobody asked for one. */
  readonly events: readonly SwitchEvent[];
}

const lineFeed = 10;

export class ResendBuffer {
  readonly eventsMax: number;
  #blocks: Block[] = [];
  #oldestSeq = 1;
  #lastSeq = 0;

  constructor(eventsMax: number) {
    this.eventsMax = eventsMax;
  }

  /** Null when nothing can be sent again. */
  get oldestSeq(): number | null {
    return this.#oldestSeq > this.#lastSeq ? null : this.#oldestSeq;
  }

  /** The last event told, whether or not it can be sent again. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Follows the block before without a gap. */
  append(block: Block): void {
    this.#blocks.push(block);
    this.#lastSeq = block.lastSeq;
    this.#oldestSeq = Math.max(this.#oldestSeq, this.#lastSeq - this.eventsMax + 1);
    this.#forgetBlocks();
  }

  clear(): void {
    this.#oldestSeq = this.#lastSeq + 1;
    this.#forgetBlocks();
  }

  canSendAfter(seq: number): boolean {
    return seq >= this.#oldestSeq - 1 && seq <= this.#lastSeq;
  }

  /** The lines from `seq` + 1 to the end of their block; undefined when there is no later event or it is forgotten. */
  after(seq: number): { readonly block: Block; readonly bytes: Uint8Array } | undefined {
    if (seq >= this.#lastSeq || !this.canSendAfter(seq)) return undefined;
    const block = this.#find(seq + 1);
    if (block === undefined) return undefined;
    return { block, bytes: block.bytes.subarray(offsetOfLine(block.bytes, seq + 1 - block.firstSeq)) };
  }

  #find(seq: number): Block | undefined {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle];
      if (block === undefined) return undefined;
      if (seq < block.firstSeq) high = middle - 1;
      else if (seq > block.lastSeq) low = middle + 1;
      else return block;
    }
    return undefined;
  }

  #forgetBlocks(): void {
    let forgotten = 0;
    for (const block of this.#blocks) {
      if (block.lastSeq >= this.#oldestSeq) break;
      forgotten++;
    }
    if (forgotten > 0) this.#blocks.splice(0, forgotten);
  }
}

function offsetOfLine(bytes: Uint8Array, index: number): number {
  let offset = 0;
  for (let passed = 0; passed < index; passed++) offset = bytes.indexOf(lineFeed, offset) + 1;
  return offset;
}
