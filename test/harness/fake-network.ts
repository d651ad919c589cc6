// A network of one process: servers are scripts, chunks are split where the seed says, and a connection can be cut.

import type { Address, Connection, ConnectionHandlers, Network } from "../../src/source/network.ts";

/** The server's end of one connection. */
export class FakePeer {
  readonly received: string[] = [];
  readonly #handlers: ConnectionHandlers;
  readonly #random: () => number;
  #isOpen = true;
  #isPaused = false;
  #held: Uint8Array[] = [];
  onReceive: (text: string) => void = () => {};

  constructor(handlers: ConnectionHandlers, random: () => number) {
    this.#handlers = handlers;
    this.#random = random;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Sends text, split into chunks at places that the seed chooses. */
  send(text: string | Uint8Array): void {
    let rest = typeof text === "string" ? new TextEncoder().encode(text) : text;
    while (rest.length > 0 && this.#isOpen) {
      const length = 1 + Math.floor(this.#random() * rest.length);
      this.#deliver(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  }

  /** The connection is gone: in order (null), or with an error. */
  close(error: Error | null): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#handlers.closed(error);
  }

  /** The instance's end. */
  connection(): Connection {
    return {
      write: (bytes) => {
        const text = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
        this.received.push(text);
        this.onReceive(text);
      },
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
        const held = this.#held;
        this.#held = [];
        for (const chunk of held) this.#deliver(chunk);
      },
      destroy: () => {
        this.#isOpen = false;
      },
    };
  }

  #deliver(chunk: Uint8Array): void {
    if (this.#isPaused) this.#held.push(chunk.slice());
    else this.#handlers.data(chunk.slice());
  }
}

export class FakeNetwork implements Network {
  /** Every connection that was made, in order. */
  readonly peers: FakePeer[] = [];
  readonly addresses: Address[] = [];
  readonly #random: () => number;
  /** Says whether an address answers; null: it does, else why not. */
  refuses: (address: Address) => Error | null = () => null;

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async connect(address: Address, handlers: ConnectionHandlers): Promise<Connection> {
    this.addresses.push(address);
    const refusal = this.refuses(address);
    if (refusal !== null) throw refusal;
    const peer = new FakePeer(handlers, this.#random);
    this.peers.push(peer);
    return peer.connection();
  }

  get last(): FakePeer {
    const peer = this.peers.at(-1);
    if (peer === undefined) throw new Error("Cannot speak for a server: nobody has connected");
    return peer;
  }
}

/** mulberry32: numbers from 0 up to 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
