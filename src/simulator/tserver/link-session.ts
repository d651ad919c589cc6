// The server's end of one connection of link.md: hello, then either an error or the answer to the client's open, then
// events as fast as the client reads. Nothing is kept for a client that does not read: the rest stays in the resend
// buffer, and a client that falls out of it is closed and must resume.

import type { Socket } from "bun";
import type { Client } from "./client.ts";
import { secondsText } from "./line.ts";
import type { ServerRun } from "./server-run.ts";

/** What a session needs of the server around it. */
export interface SessionHost {
  readonly role: "primary" | "backup";
  readonly isFrozen?: boolean;
  readonly token: string | null;
  readonly run: ServerRun;
  /** Source time up to which everything is told, microseconds since 1970. */
  readonly nowUs: number;
  /** What the server's clock shows: later than that, by as much as the simulation is behind. */
  readonly clockUs?: number | null;
  hello(): string;
  /** The client of this name; ends an older connection of the same client. */
  claim(name: string, session: LinkSession): Client;
  /** Something moved: an acknowledgement came, bytes went out, the connection opened or closed. */
  progressed(): void;
}

// The longest line that link.md lets a client send is far below this.
const clientLineBytesMax = 65_536;
// Besides one block of events only a snapshot stands here: half a kilobyte a party and agent, so for 100,000 of them.
const outboxBytesMax = 64 * 1024 * 1024;
// A client that does not read gets no more heartbeats and pongs than this.
const controlBacklogBytesMax = 262_144;
// So many events may be on their way unacknowledged at least, however small the resend buffer is: link.md lets a client
// take a second before it acknowledges.
const unackedMin = 100_000;

const lineFeed = 10;
const encoder = new TextEncoder();

type ErrorCode = "auth" | "role" | "protocol" | "busy";

export class LinkSession {
  readonly #host: SessionHost;
  readonly #socket: Socket<unknown>;
  #phase: "greeting" | "streaming" | "closed" = "greeting";
  #client: Client | null = null;
  /** Fixed at open: a restarted server has cut this connection. */
  readonly #run: ServerRun;
  /** Handed to the socket or the outbox, so far. */
  #sentSeq = 0;
  #ackedSeq = 0;
  /** What the client itself has said to be durable; -1 before it said anything. */
  #provenSeq = -1;
  #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #received: Uint8Array = new Uint8Array(0);

  constructor(host: SessionHost, socket: Socket<unknown>) {
    this.#host = host;
    this.#socket = socket;
    this.#run = host.run;
    this.#send(host.hello());
  }

  get isStreaming(): boolean {
    return this.#phase === "streaming";
  }

  get client(): Client | null {
    return this.#client;
  }

  /** Events that were told but are not handed to the socket yet. */
  get behind(): number {
    return this.#run.buffer.lastSeq - this.#sentSeq;
  }

  get hasUnsentBytes(): boolean {
    return this.#outboxBytes > 0;
  }

  get isFullyAcked(): boolean {
    return this.isStreaming && this.#provenSeq >= this.#run.buffer.lastSeq;
  }

  received(bytes: Uint8Array): void {
    if (this.#phase === "closed") return;
    let rest = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    for (let end = rest.indexOf(lineFeed); end >= 0; end = rest.indexOf(lineFeed)) {
      const line = rest.subarray(0, end);
      rest = rest.subarray(end + 1);
      this.#line(Buffer.from(line).toString("utf8"));
      if (this.#isClosed()) return;
    }
    // The socket's buffer is reused: keep a copy.
    this.#received = rest.slice();
    if (rest.length > clientLineBytesMax) {
      this.#refuse("protocol", `a line is longer than ${clientLineBytesMax} bytes`);
    }
  }

  /** Sends what the socket takes. Called when there are new events and when the socket has drained. */
  pump(): void {
    if (this.#host.isFrozen || this.#phase === "closed" || !this.#drainOutbox() || this.#phase !== "streaming") return;
    const unackedMax = Math.max(unackedMin, this.#run.buffer.eventsMax);
    while (this.behind > 0 && this.#sentSeq - this.#ackedSeq < unackedMax) {
      const next = this.#run.buffer.after(this.#sentSeq);
      if (next === undefined) {
        this.#tooSlow();
        return;
      }
      this.#sentSeq = next.block.lastSeq;
      this.#client?.sentEvents(next.block);
      this.#put(next.bytes);
      if (!this.#drainOutbox()) break;
    }
    if (this.behind > 0 && !this.#run.buffer.canSendAfter(this.#sentSeq)) this.#tooSlow();
  }

  heartbeat(): void {
    if (this.#host.isFrozen) return;
    if (this.isStreaming && this.#outboxBytes <= controlBacklogBytesMax) this.#beat();
  }

  /** Sends what there is; false: the client does not take it all now. */
  hasToldAll(): boolean {
    this.pump();
    return this.behind === 0;
  }

  /** A control line, after what was sent before. */
  say(line: string): void {
    if (this.isStreaming) this.#send(line);
  }

  /** Ends the connection as an outage or a shutdown does. */
  close(manner: "bye" | "end" | "half line" | "reset"): void {
    if (this.#phase === "closed") return;
    // Whoever says that it ends in order has told everything before.
    if (manner === "bye" && (!this.isStreaming || this.hasToldAll()))
      this.#send(`{"bye":"shutdown","time":${secondsText(this.#host.nowUs)}}`);
    // Only at a border of lines, else it would be part of an event.
    if (manner === "half line" && this.#outboxBytes === 0) this.#socket.write('{"id":"EventRing');
    this.#phase = "closed";
    if (manner === "reset") this.#socket.terminate();
    else this.#socket.end();
    this.#host.progressed();
  }

  /** The connection is gone. */
  closed(): void {
    this.#phase = "closed";
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#host.progressed();
  }

  // ---- the client's lines

  #line(text: string): void {
    const message = parseObject(text);
    if (message === undefined) {
      this.#refuse("protocol", "a line is no JSON object");
      return;
    }
    if (this.#phase === "greeting") {
      // A client that meets a backup says so and goes.
      if (typeof message["bye"] === "string") {
        this.close("end");
        return;
      }
      this.#open(message);
      return;
    }
    if (typeof message["ack"] === "number") this.#acknowledged(message["ack"]);
    else if (message["ping"] !== undefined) this.#pong(message["ping"]);
    else if (message["bye"] !== undefined) this.close("end");
    // link.md: an unknown control line is ignored.
  }

  #open(message: Readonly<Record<string, unknown>>): void {
    const { client: name, resumeAfter, run, token } = message;
    if (message["open"] !== "tevent/1") {
      this.#refuse("protocol", 'expected {"open":"tevent/1",…}');
      return;
    }
    if (typeof name !== "string" || name === "") {
      this.#refuse("protocol", 'expected a name in "client"');
      return;
    }
    if (this.#host.token !== null && token !== this.#host.token) {
      this.#refuse("auth", "wrong or missing token");
      return;
    }
    if (this.#host.role === "backup") {
      this.#refuse("role", "this server is the backup of its pair");
      return;
    }
    const durable = readDurable(resumeAfter, run);
    if (durable === undefined) {
      this.#refuse("protocol", 'expected "resumeAfter" null, or a number from 0 together with "run"');
      return;
    }

    const client = this.#host.claim(name, this);
    this.#client = client;
    this.#phase = "streaming";
    client.summary.connections++;
    client.opened(this.#run.startTime, durable);
    this.#answer(client, durable);
    this.#host.progressed();
    this.pump();
  }

  #answer(client: Client, durable: { readonly run: string; readonly seq: number } | null): void {
    const { buffer, startTime } = this.#run;
    const isKnown = durable !== null && durable.run === startTime && durable.seq <= buffer.lastSeq;
    if (isKnown && buffer.canSendAfter(durable.seq)) {
      client.summary.resumed++;
      this.#sentSeq = durable.seq;
      this.#ackedSeq = durable.seq;
      this.#provenSeq = durable.seq;
      this.#send(`{"resumed":${durable.seq}}`);
      return;
    }
    if (isKnown) {
      client.summary.gaps++;
      this.#send(`{"gap":{"from":${durable.seq + 1},"to":${buffer.lastSeq}}}`);
    }
    client.summary.snapshots++;
    const snapshot = this.#run.snapshot();
    this.#put(snapshot.bytes);
    this.#sentSeq = snapshot.lastSeq;
    this.#ackedSeq = snapshot.lastSeq;
    client.sentSnapshot(snapshot.lastSeq, snapshot.present, this.#host.nowUs);
    // Tells the client at once how late it is by the source's clock, for what it must close.
    this.#beat();
  }

  #acknowledged(seq: number): void {
    if (!Number.isInteger(seq) || seq < 0 || seq > this.#sentSeq) {
      this.#refuse("protocol", `acknowledged ${seq}, but the last event sent is ${this.#sentSeq}`);
      return;
    }
    this.#ackedSeq = Math.max(this.#ackedSeq, seq);
    this.#provenSeq = Math.max(this.#provenSeq, seq);
    this.#client?.acknowledged(seq, this.#run.startTime);
    this.#host.progressed();
    this.pump();
  }

  #beat(): void {
    const { nowUs } = this.#host;
    this.#client?.sentHeartbeat(this.#sentSeq, nowUs);
    this.#send(`{"heartbeat":${secondsText(nowUs)},"lastSeq":${this.#run.buffer.lastSeq}}`);
  }

  #pong(token: unknown): void {
    if (this.#host.isFrozen || this.#outboxBytes > controlBacklogBytesMax) return;
    const { clockUs = this.#host.nowUs } = this.#host;
    const time = clockUs === null ? "" : `,"time":${secondsText(clockUs)}`;
    this.#send(`{"pong":${JSON.stringify(token)}${time}}`);
  }

  #refuse(code: ErrorCode, message: string): void {
    this.#send(JSON.stringify({ error: { code, message } }));
    this.close("end");
  }

  #tooSlow(): void {
    if (this.#client !== null) this.#client.summary.tooSlow++;
    this.close("reset");
  }

  // ---- bytes out

  #send(line: string): void {
    this.#put(encoder.encode(`${line}\n`));
    this.#drainOutbox();
  }

  #put(bytes: Uint8Array): void {
    this.#outbox.push(bytes);
    this.#outboxBytes += bytes.length;
    if (this.#outboxBytes > outboxBytesMax) this.close("reset");
  }

  /** True when everything is with the socket. */
  #drainOutbox(): boolean {
    if (this.#phase === "closed") return false;
    let sent = 0;
    for (const bytes of this.#outbox) {
      const written = this.#socket.write(bytes);
      if (written < 0) break;
      this.#outboxBytes -= written;
      if (written < bytes.length) {
        this.#outbox[sent] = bytes.subarray(written);
        break;
      }
      sent++;
    }
    if (sent > 0) this.#outbox.splice(0, sent);
    return this.#outbox.length === 0;
  }

  #isClosed(): boolean {
    return this.#phase === "closed";
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    return parsed as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Undefined: it is neither of the two forms that link.md knows. */
function readDurable(seq: unknown, run: unknown): { readonly run: string; readonly seq: number } | null | undefined {
  if (seq === null || seq === undefined) return null;
  if (typeof seq !== "number" || !Number.isInteger(seq) || seq < 0 || typeof run !== "string") return undefined;
  return { run, seq };
}
