// The network, as far as sources need it: outgoing connections whose bytes come in chunks and can be held back.

import type { Socket, TLSOptions } from "bun";
import { handshakeError, type TlsTerms, tlsAlert } from "./tls.ts";

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
  /** The chunk is gone when this returns: who needs bytes of it for longer copies them. */
  data(chunk: Uint8Array): void;
  /** Once, when the connection is over; `error` says why, null: the peer ended it in order. */
  closed(error: Error | null): void;
}

export interface Network {
  /**
   * Resolves when connected, with `tls` after the server's certificate was accepted; rejects with the reason when the peer
   * cannot be reached within `timeoutMs`, or on `stop`; with TlsError when a certificate is not accepted.
   */
  connect(
    address: Address,
    handlers: ConnectionHandlers,
    timeoutMs: number,
    stop: AbortSignal,
    tls: TlsTerms | null,
  ): Promise<Connection>;
}

// A server that does not read our few bytes of acknowledgements is not one to stay with.
const unsentBytesMax = 1024 * 1024;
const keepAliveMs = 30_000;

// The runtime's own sockets: node:net's streams on top of them cost more for each chunk than taking its lines in does.
export const systemNetwork: Network = {
  connect({ host, port }, handlers, timeoutMs, stop, tls) {
    return new Promise((resolve, reject) => {
      let open: SystemConnection | null = null;
      let shaking: Socket<undefined> | null = null;
      const serverName = tls?.serverName ?? host;
      let isDecided = false;
      const decide = () => {
        isDecided = true;
        clearTimeout(giveUp);
        stop.removeEventListener("abort", abandon);
      };
      const refuse = (error: Error) => {
        if (isDecided) return;
        decide();
        shaking?.terminate();
        reject(error);
      };
      const giveUp = setTimeout(() => refuse(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      const abandon = () => refuse(new Error("instance stops"));
      stop.addEventListener("abort", abandon, { once: true });
      if (stop.aborted) return abandon();
      const accept = (socket: Socket<undefined>) => {
        decide();
        socket.setNoDelay(true);
        socket.setKeepAlive(true, keepAliveMs);
        open = new SystemConnection(socket, handlers);
        resolve(open);
      };
      Bun.connect({
        hostname: host,
        port,
        ...(tls === null ? {} : { tls: bunTls(tls, serverName) }),
        socket: {
          open(socket) {
            if (isDecided) return socket.terminate();
            if (tls === null) accept(socket);
            else shaking = socket;
          },
          handshake(socket, isTrusted, error) {
            if (isDecided) return socket.terminate();
            if (isTrusted && error === null && socket.authorized) accept(socket);
            else refuse(handshakeError(error, serverName, socket.getPeerCertificate()));
          },
          data: (_, chunk) => {
            handlers.data(chunk);
            // Given back at once: in a flood, read chunks that wait for a collection are many times what is in use.
            (chunk.buffer as ArrayBuffer).transfer(0);
          },
          drain: () => open?.drained(),
          end: (socket) => {
            socket.end();
          },
          error: (_, error) =>
            open === null ? refuse(tlsAlert(error) ?? error) : open.failed(tlsAlert(error) ?? error),
          close: (_, error) => {
            if (error !== undefined && error !== null) open?.failed(error);
            if (open === null) refuse(handshakeError(error ?? null, serverName, null));
            else open.closed();
          },
          connectError: (_, error) => refuse(error),
        },
      }).catch(refuse);
    });
  },
};

function bunTls({ ca, client }: TlsTerms, serverName: string): TLSOptions {
  return {
    ...(ca === null ? {} : { ca }),
    ...(client === null ? {} : { cert: client.certificate, key: client.key }),
    serverName,
    rejectUnauthorized: true,
  };
}

class SystemConnection implements Connection {
  #unsent: Uint8Array = new Uint8Array(0);
  #failure: Error | null = null;
  #isOver = false;

  constructor(
    private readonly socket: Socket<undefined>,
    private readonly handlers: ConnectionHandlers,
  ) {}

  write(bytes: Uint8Array | string): void {
    if (this.#isOver) return;
    const all = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    const sent = this.#unsent.length > 0 ? 0 : Math.max(0, this.socket.write(all));
    if (sent === all.length) return;
    this.#unsent = Buffer.concat([this.#unsent, all.subarray(sent)]);
    if (this.#unsent.length > unsentBytesMax) this.failed(new Error("peer does not read what we send"));
  }

  drained(): void {
    if (this.#unsent.length === 0) return;
    this.#unsent = this.#unsent.subarray(Math.max(0, this.socket.write(this.#unsent)));
  }

  pause(): void {
    if (!this.#isOver) this.socket.pause();
  }

  resume(): void {
    if (!this.#isOver) this.socket.resume();
  }

  /** What was handed over goes out before the end, as far as the peer takes it now. */
  destroy(): void {
    if (!this.#isOver) this.socket.end();
  }

  failed(error: Error): void {
    this.#failure ??= error;
    this.socket.terminate();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handlers.closed(this.#failure);
  }
}

export function addressText({ host, port }: Address): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
