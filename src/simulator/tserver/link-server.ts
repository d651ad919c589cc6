// The port and the connections behind it: who is served, by which server run, and how far each has come.

import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Socket, TCPSocketListener, TLSOptions } from "bun";
import { type Clock, sleep } from "../../clock.ts";
import { Client } from "./client.ts";
import { secondsText } from "./line.ts";
import { LinkSession, type SessionHost } from "./link-session.ts";
import { Observable } from "./observable.ts";
import type { TserverOptions } from "./options.ts";
import type { Outage } from "./outage.ts";
import type { ServerRun } from "./server-run.ts";

interface SocketState {
  session: LinkSession | null;
}

interface Surroundings {
  readonly clock: Clock;
  /** Source time up to which everything is told. */
  readonly sourceNowUs: () => number;
  /** What the server's clock shows. */
  readonly sourceClockUs: () => number;
  readonly run: ServerRun;
  /** By name; of a pair, both servers'. Whoever gives them closes them. */
  readonly clients: Map<string, Client>;
}

const connectionsMax = 64;

export class LinkServer implements SessionHost {
  role: TserverOptions["role"];
  /** It says nothing more, though its connections stay: as a server that hangs. */
  isFrozen = false;
  readonly token: string | null;
  readonly #options: TserverOptions;
  readonly #clock: Clock;
  readonly #sourceNowUs: () => number;
  readonly #sourceClockUs: () => number;
  readonly #clients: Map<string, Client>;
  readonly #sessions = new Set<LinkSession>();
  readonly #listener: TCPSocketListener<SocketState>;
  #currentRun: ServerRun;
  #clockStepUs = 0;
  #isRefusing = false;
  #wake = new AbortController();

  /** Listens at once. Throws when the address cannot be used. */
  constructor(options: TserverOptions, surroundings: Surroundings) {
    this.#options = options;
    this.role = options.role;
    this.token = options.token;
    this.#clients = surroundings.clients;
    this.#clock = surroundings.clock;
    this.#sourceNowUs = surroundings.sourceNowUs;
    this.#sourceClockUs = surroundings.sourceClockUs;
    this.#currentRun = surroundings.run;
    if (options.observable !== null && !existsSync(dirname(options.observable))) {
      throw new Error(`Cannot write oracles to "${options.observable}": its folder does not exist`);
    }
    this.#listener = this.#listen(options.listen);
  }

  /** host:port, with the port that was chosen. */
  get address(): string {
    return `${parseAddress(this.#options.listen).hostname}:${this.#listener.port}`;
  }

  /** Connections that have said who they are and are being sent events. */
  get servedCount(): number {
    let count = 0;
    for (const session of this.#sessions) if (session.isStreaming) count++;
    return count;
  }

  /** How many events the slowest reader lacks. */
  get behindMax(): number {
    let behind = 0;
    for (const session of this.#sessions) if (session.isStreaming) behind = Math.max(behind, session.behind);
    return behind;
  }

  /** Every client that ever came is served and has said that it has everything. */
  get isAllAcked(): boolean {
    let acked = 0;
    for (const session of this.#sessions) if (session.isFullyAcked) acked++;
    return acked >= this.#clients.size;
  }

  /** Sends every client what it can take. */
  pump(): void {
    for (const session of this.#sessions) session.pump();
  }

  heartbeat(): void {
    for (const session of this.#sessions) session.heartbeat();
  }

  /** Cuts all connections; until `accept` new ones are closed before a word is said. */
  refuse(manner: Outage["manner"]): void {
    this.#isRefusing = true;
    for (const session of this.#sessions) session.close(manner);
  }

  accept(): void {
    this.#isRefusing = false;
  }

  /** Ends all connections, or those of one client; whoever comes again is served. */
  cut(manner: Outage["manner"], client?: string): void {
    for (const session of this.#sessions) {
      if (client === undefined || session.client?.name === client) session.close(manner);
    }
  }

  /** Its role is another from now on; who is served hears so. */
  setRole(role: TserverOptions["role"]): void {
    this.role = role;
    for (const session of this.#sessions) {
      // It may not look as if a client had heard everything that was told before.
      if (session.isStreaming && !session.hasToldAll()) session.close("reset");
      else session.say(`{"role":"${role}","time":${secondsText(this.nowUs)}}`);
    }
  }

  /** A control line to every client that is served; `line` is given the server's time. */
  say(line: (time: string) => string): void {
    for (const session of this.#sessions) session.say(line(secondsText(this.nowUs)));
  }

  /** What it says of its own clock goes on from another time; the centre's events do not. */
  stepClock(ms: number): void {
    this.#clockStepUs += ms * 1000;
  }

  /** From now on clients are served from `run`. */
  beginRun(run: ServerRun): void {
    this.#currentRun = run;
  }

  /** Says goodbye and closes the port. */
  close(): void {
    for (const session of this.#sessions) session.close("bye");
    this.#listener.stop();
  }

  /** Resolves when something moved at a connection, or after `delayMs`. */
  async moved(delayMs: number): Promise<void> {
    await sleep(this.#clock, delayMs, this.#wake.signal);
  }

  // ---- for the sessions

  get run(): ServerRun {
    return this.#currentRun;
  }

  get nowUs(): number {
    return this.#sourceNowUs() + this.#clockStepUs;
  }

  /** Null: it runs at another speed than clocks do, and comparing it would find a step each time. */
  get clockUs(): number | null {
    return this.#options.clockSpeed === 1 ? this.#sourceClockUs() + this.#clockStepUs : null;
  }

  hello(): string {
    const { buffer, startTime } = this.#currentRun;
    return JSON.stringify({
      hello: "tevent/1",
      server: this.#options.serverName,
      type: "TServer",
      dbid: this.#options.dbid,
      primaryDbid: this.#options.primaryDbid,
      switch: this.#options.switchName,
      switchDbid: this.#options.switchDbid,
      startTime,
      role: this.role,
      lastSeq: buffer.lastSeq,
      oldestSeq: buffer.oldestSeq,
      heartbeatMs: this.#options.heartbeatMs,
    });
  }

  claim(name: string, claimant: LinkSession): Client {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = new Client(name, this.#openObservable(name));
      this.#clients.set(name, client);
      return client;
    }
    // A client that comes again has lost its older connection, though we may not have heard of that.
    for (const session of this.#sessions) {
      if (session !== claimant && session.client === client) session.close("reset");
    }
    return client;
  }

  progressed(): void {
    const wake = this.#wake;
    this.#wake = new AbortController();
    wake.abort();
  }

  // ---- sockets

  #listen(address: string): TCPSocketListener<SocketState> {
    const { tls } = this.#options;
    const overTls = tls === null ? {} : { tls: bunTls(tls) };
    try {
      return Bun.listen<SocketState>({
        ...parseAddress(address),
        ...overTls,
        socket: {
          open: (socket) => {
            socket.data = { session: null };
            if (tls === null) this.#accept(socket);
          },
          handshake: (socket, isDone, error) => {
            const isTrusted = tls?.clientCaFile == null || (error === null && socket.authorized);
            if (isDone && isTrusted) this.#accept(socket);
            else socket.terminate();
          },
          data: (socket, bytes) => socket.data.session?.received(bytes),
          drain: (socket) => {
            socket.data.session?.pump();
            this.progressed();
          },
          close: (socket) => this.#forget(socket),
          error: (socket) => this.#forget(socket),
        },
      });
    } catch (cause) {
      if (!(cause instanceof Error) || cause instanceof RangeError) throw cause;
      throw new Error(`Cannot listen on "${address}": ${cause.message}; is another program using it?`, { cause });
    }
  }

  #accept(socket: Socket<SocketState>): void {
    if (this.#isRefusing) {
      socket.terminate();
      return;
    }
    if (this.#sessions.size >= connectionsMax) {
      const message = `${connectionsMax} connections are open already`;
      socket.end(`${JSON.stringify({ error: { code: "busy", message } })}\n`);
      return;
    }
    const session = new LinkSession(this, socket);
    socket.data.session = session;
    this.#sessions.add(session);
  }

  #forget(socket: Socket<SocketState>): void {
    const { session } = socket.data;
    if (session === null) return;
    socket.data.session = null;
    this.#sessions.delete(session);
    session.closed();
  }

  #openObservable(name: string): Observable | null {
    const path = this.#options.observable;
    return path === null ? null : new Observable(observablePath(path, name), this.#options);
  }
}

function bunTls({ certFile, keyFile, clientCaFile }: NonNullable<TserverOptions["tls"]>): TLSOptions {
  return {
    cert: readPem(certFile),
    key: readPem(keyFile),
    ...(clientCaFile === null ? {} : { ca: readPem(clientCaFile), requestCert: true, rejectUnauthorized: true }),
  };
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot serve TLS with "${file}": ${reason}; expected a readable PEM file`, { cause });
  }
}

/** Where the observable oracle of one client is written, given the option's path. */
export function observablePath(path: string, client: string): string {
  // A client's name comes from outside and must not lead to another folder.
  const name = client.replaceAll(/[^A-Za-z0-9._-]/g, "_");
  return `${path.replace(/\.ndjson$/, "")}-${name}.ndjson`;
}

/** Throws RangeError with what would be right. */
export function parseAddress(address: string): { readonly hostname: string; readonly port: number } {
  const [, hostname, digits] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  const port = Number(digits);
  if (hostname === undefined || !(port <= 65_535)) {
    throw new RangeError(`Cannot listen on "${address}": expected host:port with a port from 0 to 65535`);
  }
  return { hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port };
}
