// A small client of link.md for tests: it says what it is told to, keeps every line it gets, and reads no faster than
// asked. It shares no code with the program under test.

import type { Socket } from "bun";

/** One line of the server, parsed; `raw` is its text without the line end. */
export interface LinkLine {
  readonly raw: string;
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Open {
  readonly client: string;
  readonly resumeAfter?: number | null;
  readonly run?: string;
  readonly token?: string;
}

/** One connection. Closed by `close` or `using`. */
export class LinkClient {
  readonly lines: LinkLine[] = [];
  isClosed = false;
  /** Sends an acknowledgement for every event and snapshot end as soon as it is there. */
  acksAtOnce = false;
  lastSeq = 0;
  #socket: Socket<undefined> | null = null;
  #rest: Uint8Array = new Uint8Array(0);
  #wake: () => void = () => {};

  /** Resolves once connected; rejects when nobody listens. The hello comes when it comes: see `hello`. */
  static async connect(address: string): Promise<LinkClient> {
    const client = new LinkClient();
    const border = address.lastIndexOf(":");
    client.#socket = await Bun.connect<undefined>({
      hostname: address.slice(0, border),
      port: Number(address.slice(border + 1)),
      socket: {
        data: (_, bytes) => client.#received(bytes),
        close: () => client.#gone(),
        error: () => client.#gone(),
      },
    });
    return client;
  }

  /** The server's first line. */
  hello(): Promise<LinkLine> {
    return this.find((line) => line.json["hello"] === "tevent/1");
  }

  open(open: Open): void {
    const { resumeAfter = null, ...rest } = open;
    this.send({ open: "tevent/1", dbid: 9001, resumeAfter, ...rest });
  }

  ack(seq: number): void {
    this.send({ ack: seq });
  }

  send(line: object): void {
    this.sendText(`${JSON.stringify(line)}\n`);
  }

  sendText(text: string): void {
    this.#socket?.write(text);
  }

  /** Stops taking bytes from the socket. */
  stopReading(): void {
    this.#socket?.pause();
  }

  readOn(): void {
    this.#socket?.resume();
  }

  /** The first line that fits, now or later. Rejects when the connection ends before, or after 10 s. */
  async find(fits: (line: LinkLine) => boolean): Promise<LinkLine> {
    let seen = 0;
    let found: LinkLine | undefined;
    await this.until(() => {
      for (; found === undefined && seen < this.lines.length; seen++) {
        const line = this.lines[seen];
        if (line !== undefined && fits(line)) found = line;
      }
      return found !== undefined || this.isClosed;
    });
    if (found === undefined) throw new Error("Cannot find the line: the connection has ended before it came");
    return found;
  }

  /** Resolves when the condition holds; asked again whenever bytes come or the connection ends. */
  async until(condition: () => boolean, withinMs = 10_000): Promise<void> {
    const giveUpAt = performance.now() + withinMs;
    while (!condition()) {
      if (performance.now() >= giveUpAt) throw new Error(`Cannot wait any longer than ${withinMs} ms for a condition`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Events outside of snapshots. */
  get events(): LinkLine[] {
    return this.lines.filter((line) => "id" in line.json && line.json["snapshot"] !== true);
  }

  get snapshotEvents(): LinkLine[] {
    return this.lines.filter((line) => line.json["snapshot"] === true);
  }

  close(): void {
    this.#socket?.terminate();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #received(bytes: Uint8Array): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    let acked = -1;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const raw = rest.subarray(0, end).toString("utf8").replace(/\r$/, "");
      rest = rest.subarray(end + 1);
      const json = JSON.parse(raw);
      this.lines.push({ raw, json });
      const seq = sequenceOf(json);
      if (seq !== null) {
        this.lastSeq = seq;
        acked = seq;
      }
    }
    this.#rest = rest;
    if (this.acksAtOnce && acked >= 0) this.ack(acked);
    this.#wake();
  }

  #gone(): void {
    this.isClosed = true;
    this.#wake();
  }
}

/** The number of an event, or the `lastSeq` of a snapshot's end; null for every other line. */
export function sequenceOf(json: Readonly<Record<string, unknown>>): number | null {
  if (json["snapshot"] === "end") return Number(json["lastSeq"]);
  const number = json["EventSequenceNumber"];
  if (typeof number === "number") return number;
  return typeof number === "string" ? Number.parseInt(number, 16) : null;
}

/** Source time in whole microseconds since 1970, from whichever form the line uses. */
export function microsecondsOf(time: unknown): number {
  if (typeof time === "object" && time !== null && "sec" in time && "usec" in time) {
    return Number(time.sec) * 1_000_000 + Number(time.usec);
  }
  return Math.round(Number(time) * 1_000_000);
}

/**
 * Stays with a server as an instance does, over cuts and restarts, until the server says goodbye for good (nobody listens
 * any more) or `stop` is called. Keeps the lines of all connections in order.
 */
export class FaithfulLinkClient {
  readonly lines: LinkLine[] = [];
  connectionCount = 0;
  #isStopped = false;
  #current: LinkClient | null = null;
  #durable: { run: string; seq: number } | null = null;

  constructor(
    readonly address: string,
    readonly name: string,
  ) {}

  async run(): Promise<void> {
    while (!this.#isStopped) {
      let client: LinkClient;
      try {
        client = await LinkClient.connect(this.address);
      } catch {
        return; // Nobody listens any more.
      }
      this.#current = client;
      client.acksAtOnce = true;
      await this.#stay(client).catch(() => {}); // A refused or lost connection is what this client is for.
      this.lines.push(...client.lines);
      client.close();
      await Bun.sleep(5);
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#current?.close();
  }

  async #stay(client: LinkClient): Promise<void> {
    const run = String((await client.hello()).json["startTime"]);
    client.open({
      client: this.name,
      ...(this.#durable === null ? {} : { resumeAfter: this.#durable.seq, run: this.#durable.run }),
    });
    this.connectionCount++;
    await client.until(() => client.isClosed, 120_000);
    const isAnswered = client.lines.some(({ json }) => "resumed" in json || json["snapshot"] === "end");
    const resumed = client.lines.find(({ json }) => "resumed" in json)?.json["resumed"];
    if (isAnswered) this.#durable = { run, seq: Math.max(client.lastSeq, Number(resumed ?? 0)) };
  }
}
