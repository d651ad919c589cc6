// TLS in front of a server that speaks plain TCP, as stunnel or a manager's own TLS port would be.

import { readFileSync } from "node:fs";
import type { Socket, TCPSocketListener } from "bun";
import type { Pair } from "./certificates.ts";

interface Ends {
  behind: Socket<undefined> | null;
  early: Uint8Array[];
}

export class TlsFront {
  /** What clients have said, decrypted. */
  heard = "";
  readonly #listener: TCPSocketListener<Ends>;

  /** `behind` is host:port of the plain server. */
  constructor(pair: Pair, behind: string) {
    const [hostname = "", port] = behind.split(":");
    this.#listener = Bun.listen<Ends>({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: readFileSync(pair.certFile, "utf8"), key: readFileSync(pair.keyFile, "utf8") },
      socket: {
        open: (socket) => {
          socket.data = { behind: null, early: [] };
        },
        handshake: (front, isDone) => {
          if (!isDone) return;
          void Bun.connect({
            hostname,
            port: Number(port),
            socket: {
              open: (socket) => {
                front.data.behind = socket;
                for (const bytes of front.data.early.splice(0)) socket.write(bytes);
              },
              data: (_, bytes) => void front.write(bytes),
              close: () => void front.end(),
            },
          }).catch(() => front.end());
        },
        data: (front, bytes) => {
          this.heard += Buffer.from(bytes).toString("latin1");
          if (front.data.behind === null) front.data.early.push(bytes.slice());
          else front.data.behind.write(bytes);
        },
        close: (front) => void front.data.behind?.end(),
      },
    });
  }

  get port(): number {
    return this.#listener.port;
  }

  [Symbol.dispose](): void {
    this.#listener.stop(true);
  }
}
