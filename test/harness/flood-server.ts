// A server of the T-Event link that sends as fast as the connection takes it and never waits for an acknowledgement: the
// flood that a source can be. It may give a client up that does not read.

import type { Socket, TCPSocketListener } from "bun";

export interface FloodSetting {
  readonly dbid: number;
  /** Length of an event's line. */
  readonly lineBytes?: number;
  /** Resets a connection that has taken nothing for so long; null: waits for ever. */
  readonly giveUpMs?: number | null;
}

interface LinkState {
  /** Not yet taken by the socket. */
  unsent: Uint8Array;
  isFlowing: boolean;
  nextSeq: number;
  movedAt: number;
}

const linesPerBlock = 256;
const lookEveryMs = 20;

export class FloodServer {
  /** Highest acknowledged number. */
  ackedSeq = 0;
  sentSeq = 0;
  givenUp = 0;
  readonly #setting: FloodSetting;
  readonly #startTime = new Date().toISOString();
  readonly #links = new Set<Socket<LinkState>>();
  readonly #listener: TCPSocketListener<LinkState>;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(setting: FloodSetting) {
    this.#setting = setting;
    this.#listener = Bun.listen<LinkState>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          socket.data = { unsent: new Uint8Array(0), isFlowing: false, nextSeq: 1, movedAt: performance.now() };
          this.#links.add(socket);
          socket.write(this.#hello());
        },
        data: (socket, bytes) => this.#hear(socket, Buffer.from(bytes).toString("utf8")),
        drain: (socket) => this.#flow(socket),
        close: (socket) => void this.#links.delete(socket),
        error: (socket) => void this.#links.delete(socket),
      },
    });
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  get address(): string {
    return `127.0.0.1:${this.#listener.port}`;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#listener.stop(true);
  }

  #hello(): string {
    const { dbid } = this.#setting;
    const who = { hello: "tevent/1", server: "Flood", type: "TServer", dbid, primaryDbid: dbid, switchDbid: 1 };
    const run = { startTime: this.#startTime, role: "primary", lastSeq: 0, oldestSeq: null, heartbeatMs: 60_000 };
    return `${JSON.stringify({ ...who, ...run })}\n`;
  }

  #hear(socket: Socket<LinkState>, text: string): void {
    const [, acked] = [...text.matchAll(/\{"ack":(\d+)\}/g)].at(-1) ?? [];
    if (acked !== undefined) this.ackedSeq = Math.max(this.ackedSeq, Number(acked));
    const open = /"open":"tevent\/1".*?"resumeAfter":(null|\d+)/.exec(text);
    if (open === null) return;
    const [, resumeAfter] = open;
    socket.data.nextSeq = resumeAfter === "null" ? 1 : Number(resumeAfter) + 1;
    const answer = resumeAfter === "null" ? '{"snapshot":"begin"}\n{"snapshot":"end","lastSeq":0}\n' : "";
    socket.data.unsent = Buffer.from(answer === "" ? `{"resumed":${resumeAfter}}\n` : answer);
    socket.data.isFlowing = true;
    this.#flow(socket);
  }

  #flow(socket: Socket<LinkState>): void {
    const { data } = socket;
    if (!data.isFlowing) return;
    // In turns with everything else in this process, however much the connection takes.
    for (let block = 0; block < 8; block++) {
      if (data.unsent.length === 0) data.unsent = this.#block(data);
      const taken = Math.max(0, socket.write(data.unsent));
      if (taken > 0) data.movedAt = performance.now();
      data.unsent = data.unsent.subarray(taken);
      if (data.unsent.length > 0) return;
    }
    setImmediate(() => this.#flow(socket));
  }

  #block(data: LinkState): Uint8Array {
    let text = "";
    for (let line = 0; line < linesPerBlock; line++) text += this.#line(data.nextSeq++);
    this.sentSeq = Math.max(this.sentSeq, data.nextSeq - 1);
    return Buffer.from(text);
  }

  #line(seq: number): string {
    const head = `{"id":"EventUserEvent","EventSequenceNumber":${seq},"time":${(Date.now() / 1000).toFixed(3)},"UserData":{"Pad":"`;
    return `${head.padEnd((this.#setting.lineBytes ?? 1000) - 4, "x")}"}}\n`;
  }

  #look(): void {
    const { giveUpMs = null } = this.#setting;
    for (const socket of this.#links) {
      if (giveUpMs === null || !socket.data.isFlowing || performance.now() - socket.data.movedAt < giveUpMs) continue;
      this.givenUp += 1;
      socket.data.isFlowing = false;
      socket.terminate();
    }
  }
}
