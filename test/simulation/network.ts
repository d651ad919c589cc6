// A network that delays: what one end sends arrives piece by piece when the history lets it, each connection at its own
// pace, so that connections overtake one another; any of them can be cut at any moment, with or without a word to us.

import type { Connection, ConnectionHandlers, Network } from "../../src/source/network.ts";
import type { Dice } from "./dice.ts";

/** What a server does with its end of a connection. */
export interface ServerEnd {
  received(bytes: Uint8Array): void;
  /** The client's lines as it writes them, whether or not they will arrive. */
  told(text: string): void;
  closed(): void;
}

export class Link {
  /** Everything that the server has handed to the network, arrived or not. */
  readonly sent: Uint8Array[] = [];
  server: ServerEnd | null = null;
  #toClient: Uint8Array[] = [];
  #toServer: string[] = [];
  #isPaused = false;
  #isClientGone = false;
  #isServerGone = false;
  /** How the server ended it, once what it sent before has arrived. */
  #ending: "end" | "reset" | null = null;

  constructor(
    private readonly handlers: ConnectionHandlers,
    private readonly dice: Dice,
  ) {}

  get isOver(): boolean {
    return this.#isClientGone && this.#isServerGone;
  }

  /** The server's socket, as far as a link session uses one. */
  readonly socket = {
    write: (bytes: Uint8Array | string): number => {
      const copy = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes.slice();
      if (this.#isServerGone) return copy.length;
      this.sent.push(copy);
      this.#toClient.push(copy);
      return copy.length;
    },
    end: () => this.#serverEnds("end"),
    terminate: () => {
      this.#toClient.length = this.dice.below(this.#toClient.length + 1);
      this.#serverEnds("reset");
    },
  };

  /** The instance's end. */
  connection(): Connection {
    return {
      write: (bytes) => {
        if (this.#isClientGone) return;
        const text = typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes);
        this.server?.told(text);
        this.#toServer.push(text);
      },
      pause: () => {
        this.#isPaused = true;
      },
      resume: () => {
        this.#isPaused = false;
      },
      destroy: () => {
        this.#isClientGone = true;
      },
    };
  }

  /** The process at our end is gone; what it had handed to the kernel may still arrive. */
  abandon(): void {
    this.#isClientGone = true;
    this.#toClient = [];
  }

  /** Nothing more arrives at either end. Silently: our end is not told, and has to find out. */
  cut(isSilent: boolean): void {
    this.#toClient = [];
    this.#toServer = [];
    this.#serverGone();
    if (isSilent || this.#isClientGone) return;
    this.#isClientGone = true;
    this.handlers.closed(new Error("connection reset by peer"));
  }

  /** Lets a piece of what is on its way arrive, or all of it. */
  move(isAll: boolean): void {
    if (isAll || this.dice.chance(0.7)) this.#moveToServer();
    do this.#moveToClient(isAll);
    while (isAll && this.#toClient.length > 0 && !this.#isPaused && !this.#isClientGone);
  }

  #moveToServer(): void {
    for (const text of this.#toServer.splice(0)) {
      if (!this.#isServerGone) this.server?.received(new TextEncoder().encode(text));
    }
    if (this.#isClientGone) this.#serverGone();
  }

  #moveToClient(isAll: boolean): void {
    if (this.#isClientGone || this.#isPaused) return;
    const [first] = this.#toClient;
    if (first === undefined) {
      if (this.#ending === null) return;
      this.#isClientGone = true;
      this.handlers.closed(this.#ending === "reset" ? new Error("connection reset by peer") : null);
      return;
    }
    const length = isAll || this.dice.chance(0.5) ? first.length : 1 + this.dice.below(first.length);
    if (length === first.length) this.#toClient.shift();
    else this.#toClient[0] = first.subarray(length);
    this.handlers.data(first.slice(0, length));
  }

  #serverEnds(manner: "end" | "reset"): void {
    this.#ending ??= manner;
    this.#serverGone();
  }

  #serverGone(): void {
    if (this.#isServerGone) return;
    this.#isServerGone = true;
    this.server?.closed();
  }
}

export class SimulatedNetwork implements Network {
  isRefusing = false;
  #links: Link[] = [];

  /** `accept` is given the server's end of every connection made to its port. */
  constructor(
    private readonly dice: Dice,
    private readonly accept: (link: Link, port: number) => void,
  ) {}

  async connect({ port }: { readonly port: number }, handlers: ConnectionHandlers): Promise<Connection> {
    if (this.isRefusing) throw new Error("connection refused");
    const link = new Link(handlers, this.dice);
    this.#links.push(link);
    this.accept(link, port);
    return link.connection();
  }

  move(isAll = false): void {
    this.#links = this.#links.filter((link) => !link.isOver);
    for (const link of this.#links) if (isAll || this.dice.chance(0.6)) link.move(isAll);
  }

  cut(): void {
    for (const link of this.#links) if (this.dice.chance(0.6)) link.cut(this.dice.chance(0.3));
  }

  /** The process is gone. */
  abandonAll(): void {
    for (const link of this.#links) link.abandon();
  }
}
