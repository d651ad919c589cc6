// A front before a simulated T-Server that tells one client something else than what the server says: about one event,
// from its number. Everything else passes through as it is, and numbers are put so that the lie shows nowhere.

import { connect, createServer, type Server, type Socket } from "node:net";

export type Lie =
  /** The event is left out, and the numbers behind it are closed up. */
  | "an event left out"
  /** Another caller. */
  | "an attribute changed"
  /** It and the next one have each other's number. */
  | "two numbers exchanged";

export class LyingFront implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  /** Number of the event that it lies about; null: of none yet. */
  seq: number | null = null;

  private constructor(
    readonly lie: Lie,
    serverPort: number,
  ) {
    this.#server = createServer((client) => this.#join(client, serverPort));
  }

  /** In front of the server on this port of loopback. The server must write events in the usual encoding. */
  static async start(lie: Lie, serverPort: number, host: string): Promise<LyingFront> {
    const front = new LyingFront(lie, serverPort);
    await new Promise<void>((resolve) => front.#server.listen(0, host, resolve));
    return front;
  }

  get port(): number {
    const bound = this.#server.address();
    if (bound === null || typeof bound === "string") throw new Error("Cannot tell on which port the front listens");
    return bound.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket, serverPort: number): void {
    const server = connect(serverPort, "127.0.0.1");
    let held: string | null = null;
    relay(client, server, (line) => [this.#toServer(line)]);
    relay(server, client, (line) => {
      const seq = sequenceIn(line);
      if (seq === null || this.seq === null) return [this.#controlToClient(line)];
      if (this.lie === "an event left out") {
        return seq === this.seq ? [] : [numbered(line, seq > this.seq ? seq - 1 : seq)];
      }
      if (this.lie === "an attribute changed") {
        if (seq !== this.seq) return [line];
        return [`${line.slice(0, -1)},"ANI":"5550000","OtherDN":"5550000"}`];
      }
      if (seq === this.seq) {
        held = line;
        return [];
      }
      if (held === null || seq !== this.seq + 1) return [line];
      const exchanged = [numbered(line, this.seq), numbered(held, this.seq + 1)];
      held = null;
      return exchanged;
    });
    for (const each of [client, server]) {
      this.#sockets.add(each);
      each.on("error", () => each.destroy());
      each.on("close", () => {
        this.#sockets.delete(each);
        for (const other of [client, server]) other.destroy();
      });
    }
  }

  /** Numbers of events up to which something is told, as the client is to hear them. */
  #controlToClient(line: string): string {
    const { lie, seq } = this;
    if (lie !== "an event left out" || seq === null) return line;
    return line.replaceAll(/"(lastSeq|resumed|from|to)":(\d+)/g, (whole, name: string, digits: string) => {
      return Number(digits) >= seq ? `"${name}":${Number(digits) - 1}` : whole;
    });
  }

  #toServer(line: string): string {
    const { lie, seq } = this;
    if (lie !== "an event left out" || seq === null) return line;
    return line.replaceAll(/"(ack|resumeAfter)":(\d+)/g, (whole, name: string, digits: string) => {
      return Number(digits) >= seq ? `"${name}":${Number(digits) + 1}` : whole;
    });
  }
}

function relay(from: Socket, to: Socket, changed: (line: string) => readonly string[]): void {
  let rest = "";
  from.on("data", (bytes) => {
    const lines = (rest + bytes.toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    const text = lines.flatMap(changed).map((line) => `${line}\n`);
    if (text.length > 0) to.write(Buffer.from(text.join(""), "latin1"));
  });
}

const sequence = /"EventSequenceNumber":(\d+)/;

function sequenceIn(line: string): number | null {
  const [, digits] = sequence.exec(line) ?? [];
  return digits === undefined ? null : Number(digits);
}

function numbered(line: string, seq: number): string {
  return line.replace(sequence, `"EventSequenceNumber":${seq}`);
}
