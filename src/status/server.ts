// The HTTP side as it runs: bounded, and never in the way of intake.
//
//   socket ──▶ Connections (bounds) ──▶ TLS, where there is a certificate ──▶ HTTP ──▶ routes (app.tsx)

import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer, type Server, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Token } from "../access/token.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Access } from "./access.ts";
import { createStatusApp, renderPageBody } from "./app.tsx";
import { Certificate, type ReadCertificate } from "./certificate.ts";
import { type Connection, type ConnectionBounds, Connections } from "./connections.ts";
import { exchange, refuse } from "./exchange.ts";
import { Live } from "./live.ts";
import type { ReadPair } from "./pair-report.ts";
import { PairView } from "./pair-view.tsx";
import type { AskPurge } from "./purge-route.ts";
import type { ReadIdb } from "./read-api.ts";
import type { InstanceReport, StatusReport } from "./report.ts";
import { TokenTable } from "./token-table.ts";
import { Visits } from "./visits.ts";
import { WrongTokens } from "./wrong-tokens.ts";

// Open pages; each costs one rendered body a second. A wall of screens has fewer.
const pagesMax = 16;
const connectionBounds: ConnectionBounds = {
  inAllMax: 256,
  perAddressMax: 64,
  newInAll: { perSecond: 200, atOnceMax: 600 },
  newPerAddress: { perSecond: 50, atOnceMax: 150 },
  requestsInAll: { perSecond: 300, atOnceMax: 900 },
  requestsPerAddress: { perSecond: 100, atOnceMax: 300 },
  headersMsMax: 10_000,
  answerMsMax: 15_000,
};
// The login form; no other route takes a body.
const bodyBytesMax = 1024;
// A browser's headers are a few hundred bytes, and cookies of other services on the same name come on top.
const headerBytesMax = 16_384;
const headersMax = 64;

export interface StatusServerOptions {
  /** Port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** What a Host header may name beside loopback. */
  readonly names: readonly string[];
  /** The token file as it is now; null: whoever reaches the address may read. Throws when the file cannot be used. */
  readonly readTokens: (() => readonly Token[]) | null;
  /** The certificate's files as they are now; null: plain HTTP. Throws when they cannot be used. */
  readonly readCertificate: (() => ReadCertificate) | null;
  /** Called once a request and once a second while pages are open; must be cheap. */
  readonly report: () => InstanceReport;
  /** Reads the IDB for the read API; absent: there is none. */
  readonly readIdb?: ReadIdb | undefined;
  /** Absent: nobody can ask for a purge. */
  readonly askPurge?: AskPurge | undefined;
  /** Absent: the page has no time line. */
  readonly readPair?: ReadPair | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the server and every connection. */
  readonly signal: AbortSignal;
}

export interface StatusServer {
  readonly address: { readonly host: string; readonly port: number };
  readonly isEncrypted: boolean;
  /** Reads the certificate's files again. */
  renew(): void;
  /** Resolves once nothing listens any more. */
  readonly stopped: Promise<void>;
}

/** The address of the status page cannot be listened on. */
export class StatusListenError extends Error {
  override readonly name = "StatusListenError";
}

/** Resolves once it listens. Rejects with StatusListenError when the address is taken or not ours. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { listen, names, readTokens, readCertificate, readPair, clock, log, signal } = options;
  const isEncrypted = readCertificate !== null;
  const certificate = readCertificate === null ? null : new Certificate({ read: readCertificate, clock, log, signal });
  const connections = new Connections(clock, connectionBounds);
  const access = readTokens === null ? null : accessOf(readTokens, isEncrypted, options);
  const report = (): StatusReport => ({
    ...options.report(),
    http: {
      connections: connections.count,
      connectionsMax: connectionBounds.inAllMax,
      turnedAway: connections.turnedAway,
      wrongTokens: access?.wrongTokens.total ?? 0,
      tokensProblem: access?.tokens.problem ?? null,
      certificate: certificate?.status() ?? null,
    },
  });
  const instanceName = () => options.report().instance.name;
  const pair = readPair === undefined ? null : new PairView({ clock, read: readPair, instanceName });
  const live = new Live({
    clock,
    pagesMax,
    render: () => renderPageBody(report(), clock.now()),
    ...(pair === null ? {} : { renderPair: (span) => pair.text(span) }),
  });
  let { port } = listen;
  const app = createStatusApp({
    report,
    clock,
    log,
    live,
    pair,
    port: () => port,
    names,
    access,
    isEncrypted,
    readIdb: options.readIdb,
    askPurge: options.askPurge,
  });

  const connectionOf = new WeakMap<Socket, Connection>();
  const http = serveHttp((incoming, outgoing) => {
    const connection = connectionOf.get(incoming.socket);
    // Refused before: what was sent behind that request is not worth an answer.
    if (connection === undefined) return;
    // Closed with it: whoever floods us has to come in again, which is bounded too.
    if (!connection.asked()) {
      connectionOf.delete(incoming.socket);
      refuse(outgoing, 503, "Cannot answer now: too many requests at once");
      return;
    }
    outgoing.once("close", () => connection.answered());
    exchange(incoming, outgoing, {
      isEncrypted,
      bodyBytesMax,
      answer: (request) => app.fetch(request, { address: connection.address }),
      progressed: () => connection.progressed(),
    }).catch(() => incoming.socket.destroy()); // gone in the middle of it
  });
  const server = createServer((socket) => {
    socket.on("error", () => {}); // its end is all that matters, and "close" tells that
    const connection = connections.accept(socket);
    if (connection === null) return;
    if (certificate === null) {
      connectionOf.set(socket, connection);
      http.emit("connection", socket);
      return;
    }
    const secure = new TLSSocket(socket, { isServer: true, secureContext: certificate.context });
    secure.on("error", () => socket.destroy());
    secure.once("secure", () => {
      connectionOf.set(secure, connection);
      http.emit("connection", secure);
    });
  });
  port = await listenOn(server, listen);
  log.info("status page listening", { host: listen.host, port, tls: isEncrypted, tokens: access !== null });
  const stopped = new Promise<void>((resolve) => {
    const stop = () => {
      live.close();
      server.close(() => resolve());
      connections.closeAll();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return { address: { host: listen.host, port }, isEncrypted, renew: () => certificate?.renew(), stopped };
}

function accessOf(
  read: () => readonly Token[],
  isEncrypted: boolean,
  { clock, log, signal, listen }: StatusServerOptions,
): Access {
  return {
    tokens: new TokenTable({ read, clock, log }),
    visits: new Visits(clock),
    wrongTokens: new WrongTokens({ clock, log, signal }),
    // Cookies do not know of ports, and several instances may be on one host.
    cookie: `${isEncrypted ? "__Host-" : ""}icon-visit-${listen.port}`,
    isEncrypted,
  };
}

function serveHttp(serve: Parameters<HttpServer["on"]>[1]): HttpServer {
  const http = createHttpServer({ maxHeaderSize: headerBytesMax, requireHostHeader: false }, serve);
  http.maxHeadersCount = headersMax;
  http.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    socket.destroySoon();
  });
  return http;
}

function listenOn(server: Server, { host, port }: StatusServerOptions["listen"]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once("error", (cause: NodeJS.ErrnoException) => {
    const reason = cause.code === "EADDRINUSE" ? "it is in use" : `refused (${cause.code ?? cause.message})`;
    reject(
      new StatusListenError(
        `Cannot listen on ${host}:${port} for the status page: ${reason}; expected http.listen to name a free port`,
        { cause },
      ),
    );
  });
  server.listen(port, host, () => {
    const bound = server.address();
    resolve(bound === null || typeof bound === "string" ? port : bound.port);
  });
  return promise;
}
