// One client by its name, over all its connections: what it has acknowledged in which run, what is on its way to it,
// and, when asked for, the observable oracle folded from what has surely arrived.
//
// What is on its way is kept in the order in which it was sent. An acknowledgement, or the next open's `resumeAfter`,
// says how far it has arrived; the rest of a lost connection is forgotten, for it will be sent again or is in a gap.

import type { Observable, Present } from "./observable.ts";
import type { Block } from "./resend-buffer.ts";

type Delivery =
  | { readonly kind: "events"; readonly block: Block }
  /** Sent after event `afterSeq`. */
  | { readonly kind: "heartbeat"; readonly afterSeq: number; readonly atUs: number }
  | {
      readonly kind: "snapshot";
      readonly lastSeq: number;
      readonly present: Present;
      readonly atUs: number;
      readonly sentUs: number;
    };

export interface ClientSummary {
  connections: number;
  resumed: number;
  gaps: number;
  snapshots: number;
  /** Connections that we closed because the client did not read for so long that the resend buffer ran over. */
  tooSlow: number;
  /** The highest acknowledged sequence number by startTime of the server run. */
  readonly acked: Record<string, number>;
}

export class Client {
  readonly name: string;
  readonly summary: ClientSummary = { connections: 0, resumed: 0, gaps: 0, snapshots: 0, tooSlow: 0, acked: {} };
  readonly #observable: Observable | null;
  /** The run that the deliveries on their way belong to; null before the first connection. */
  #run: string | null = null;
  #deliveries: Delivery[] = [];
  /** The highest event number of `#run` that is folded into the oracle. */
  #foldedSeq = 0;
  #sentUs = 0;

  constructor(name: string, observable: Observable | null) {
    this.name = name;
    this.#observable = observable;
  }

  /** A new connection says what is durable of the run before, and begins to be served from `run`. */
  opened(run: string, durable: { readonly run: string; readonly seq: number } | null): void {
    if (durable !== null) this.acknowledged(durable.seq, durable.run);
    this.#deliveries = [];
    if (run === this.#run) return;
    this.#run = run;
    this.#foldedSeq = 0;
  }

  acknowledged(seq: number, run: string): void {
    // Nothing was ever sent to it, or it is served from another run by now, perhaps by the other server of a pair.
    if (this.#run === null || run !== this.#run) return;
    this.summary.acked[this.#run] = Math.max(this.summary.acked[this.#run] ?? 0, seq);
    if (this.#observable !== null) this.#fold(this.#observable, this.#run, seq);
  }

  sentEvents(block: Block): void {
    this.#sentUs = Math.max(this.#sentUs, block.lastAtUs);
    if (this.#observable === null) return;
    this.#deliveries.push({ kind: "events", block });
  }

  sentHeartbeat(afterSeq: number, atUs: number): void {
    this.#sentUs = Math.max(this.#sentUs, atUs);
    if (this.#observable === null) return;
    // Between two events one heartbeat is enough to know of: the last.
    if (this.#deliveries.at(-1)?.kind === "heartbeat") this.#deliveries.pop();
    this.#deliveries.push({ kind: "heartbeat", afterSeq, atUs });
  }

  sentSnapshot(lastSeq: number, present: Present, atUs: number): void {
    if (this.#observable !== null) {
      this.#deliveries.push({ kind: "snapshot", lastSeq, present, atUs, sentUs: this.#sentUs });
    }
    this.#sentUs = Math.max(this.#sentUs, atUs);
  }

  close(): void {
    this.#observable?.close();
  }

  #fold(observable: Observable, run: string, seq: number): void {
    let folded = 0;
    for (const delivery of this.#deliveries) {
      if (!this.#foldOne(observable, run, seq, delivery)) break;
      folded++;
    }
    if (folded > 0) this.#deliveries.splice(0, folded);
  }

  /** False: not all of it has arrived. */
  #foldOne(observable: Observable, run: string, seq: number, delivery: Delivery): boolean {
    switch (delivery.kind) {
      case "events": {
        const { block } = delivery;
        const until = Math.min(seq, block.lastSeq);
        for (let next = Math.max(this.#foldedSeq + 1, block.firstSeq); next <= until; next++) {
          const event = block.events[next - block.firstSeq];
          if (event !== undefined) observable.event(event, run, next);
        }
        this.#foldedSeq = Math.max(this.#foldedSeq, until);
        return block.lastSeq <= seq;
      }
      case "heartbeat":
        // Only an event that was sent after it proves that it arrived.
        if (seq <= delivery.afterSeq) return false;
        observable.heard(delivery.atUs);
        return true;
      case "snapshot":
        if (seq < delivery.lastSeq) return false;
        observable.snapshot(run, delivery.present, delivery.atUs, delivery.sentUs);
        this.#foldedSeq = Math.max(this.#foldedSeq, delivery.lastSeq);
        return true;
    }
  }
}
