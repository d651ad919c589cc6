// Says what it is told to the HTTP side, over a bare socket or TLS, and keeps what comes back.

import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export interface RawOptions {
  readonly port: number;
  readonly isTls: boolean;
  /** The address that it comes from; any of 127.0.0.0/8. */
  readonly from?: string;
}

export class RawClient {
  text = "";
  isClosed = false;
  /** Resolves when `bytes` have been sent, or the connection has ended. */
  readonly connected: Promise<void>;
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();

  /** Connects, and sends `bytes` once it may. */
  constructor({ port, isTls, from }: RawOptions, bytes: string | Uint8Array | null) {
    const to = { port, host: "127.0.0.1", ...(from === undefined ? {} : { localAddress: from }) };
    this.#socket = isTls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
    this.#socket.on("error", () => {}); // being thrown out is what is looked for
    this.#socket.on("data", (chunk: Buffer) => {
      this.text += chunk.toString("latin1");
      for (const wake of this.#waiting) wake();
    });
    this.connected = new Promise((resolve) => {
      this.#socket.once(isTls ? "secureConnect" : "connect", () => {
        if (bytes !== null) this.#socket.write(bytes);
        resolve();
      });
      this.#socket.once("close", () => resolve());
    });
    this.closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.isClosed = true;
        for (const wake of this.#waiting) wake();
        resolve();
      });
    });
  }

  /** The status of the first answer; 0: none. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.text)?.[1] ?? 0);
  }

  send(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** Takes nothing any more of what is sent to it. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Resolves once `text` holds `part`, or the connection has ended. */
  async got(part: string): Promise<void> {
    while (!this.text.includes(part) && !this.isClosed) await this.more();
  }

  /** Resolves when something comes, or the connection ends. */
  async more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
