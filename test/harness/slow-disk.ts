// A persistent queue whose disk is as slow, as full or as broken as a test wants.

import { decodeEnvelope } from "../../src/event/envelope.ts";
import type { ArrivalSink } from "../../src/source/intake.ts";
import { settle } from "./fake-clock.ts";

export class SlowDisk implements ArrivalSink {
  readonly records: Uint8Array[] = [];
  #waiting: { position: bigint; resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #listeners = new Set<(position: bigint) => void>();
  #durable = 0n;
  isFull = false;
  #room: (() => void)[] = [];

  append(head: Uint8Array, body = new Uint8Array(0)): bigint {
    this.records.push(new Uint8Array([...head, ...body]));
    return BigInt(this.records.length);
  }

  durable(position: bigint): Promise<void> {
    if (position <= this.#durable) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ position, resolve, reject }));
  }

  onDurable(listener: (position: bigint) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get hasRoom(): boolean {
    return !this.isFull;
  }

  room(): Promise<void> {
    return new Promise((resolve) => this.#room.push(resolve));
  }

  /** The fdatasync under way fails. */
  async fail(): Promise<void> {
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("planted: fdatasync failed"));
    await settle();
  }

  async sync(): Promise<void> {
    this.#durable = BigInt(this.records.length);
    for (const listener of this.#listeners) listener(this.#durable);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    await settle();
  }

  async makeRoom(): Promise<void> {
    this.isFull = false;
    for (const resolve of this.#room.splice(0)) resolve();
    await settle();
  }

  marks(): string[] {
    return this.records
      .map(decodeEnvelope)
      .flatMap((each) => (each.kind === "mark" ? [JSON.stringify(each.mark)] : []));
  }
}
