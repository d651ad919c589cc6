// The network, as far as sources need it: outgoing connections whose bytes come in chunks and can be held back.

import { connect as connectTcp } from "node:net";

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Connection {
  /** Hands bytes to the peer; a slow peer's bytes are buffered up to its bound, then the connection fails. */
  write(bytes: Uint8Array | string): void;
  /** Stops and goes on reading: how a source is slowed down. */
  pause(): void;
  resume(): void;
  /** Closes at once. `closed` follows. */
  destroy(): void;
}

export interface ConnectionHandlers {
  data(chunk: Uint8Array): void;
  /** Once, when the connection is over; `error` says why, null: the peer ended it in order. */
  closed(error: Error | null): void;
}

export interface Network {
  /** Resolves when connected; rejects with the reason when the peer cannot be reached within `timeoutMs`, or on `stop`. */
  connect(address: Address, handlers: ConnectionHandlers, timeoutMs: number, stop: AbortSignal): Promise<Connection>;
}

// A server that does not read our few bytes of acknowledgements is not one to stay with.
const unsentBytesMax = 1024 * 1024;

export const systemNetwork: Network = {
  connect(address, handlers, timeoutMs, stop) {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host: address.host, port: address.port });
      let isOpen = false;
      let failure: Error | null = null;
      const giveUp = setTimeout(() => {
        socket.destroy(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
      const abandon = () => socket.destroy(new Error("instance stops"));
      stop.addEventListener("abort", abandon, { once: true });
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      socket.on("connect", () => {
        clearTimeout(giveUp);
        stop.removeEventListener("abort", abandon);
        isOpen = true;
        resolve({
          write(bytes) {
            if (socket.destroyed) return;
            socket.write(bytes);
            if (socket.writableLength > unsentBytesMax) socket.destroy(new Error("peer does not read what we send"));
          },
          pause: () => socket.pause(),
          resume: () => socket.resume(),
          destroy: () => socket.destroy(),
        });
      });
      socket.on("data", (chunk) => handlers.data(chunk as unknown as Uint8Array));
      socket.on("end", () => socket.destroy());
      socket.on("error", (error) => {
        failure = error;
      });
      socket.on("close", () => {
        clearTimeout(giveUp);
        stop.removeEventListener("abort", abandon);
        if (isOpen) handlers.closed(failure);
        else reject(failure ?? new Error("connection closed before it was open"));
      });
    });
  },
};

export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
