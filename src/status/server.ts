// The HTTP side as it runs: on loopback, bounded, and never in the way of intake.

import type { Server } from "bun";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { createStatusApp, renderPageBody } from "./app.tsx";
import { Live } from "./live.ts";
import type { StatusReport } from "./report.ts";

// Open pages; each costs one rendered body a second. A wall of screens has fewer.
const pagesMax = 16;
// Requests in hand at once, open pages among them; beyond it a request is turned away at once.
const requestsMax = 64;
// No route takes a body.
const requestBodyBytesMax = 1024;
// A connection that says nothing is closed; an open page gets something every second.
const idleSecondsMax = 20;

export interface StatusServerOptions {
  /** A loopback address (the configuration sees to it); port 0 takes a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Called once a request and once a second while pages are open; must be cheap. */
  readonly report: () => StatusReport;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the server and every connection. */
  readonly signal: AbortSignal;
}

export interface StatusServer {
  readonly address: { readonly host: string; readonly port: number };
  /** Resolves once nothing listens any more. */
  readonly stopped: Promise<void>;
}

/** The address of the status page cannot be listened on. */
export class StatusListenError extends Error {
  override readonly name = "StatusListenError";
}

/** Listens at once. Throws StatusListenError when the address is taken or not ours. */
export function startStatusServer({ listen, report, clock, log, signal }: StatusServerOptions): StatusServer {
  const live = new Live({ clock, pagesMax, render: () => renderPageBody(report(), clock.now()) });
  const app = createStatusApp({ report, clock, log, live, port: () => port });
  const server = serve(listen, (request, running) =>
    running.pendingRequests > requestsMax
      ? new Response("Cannot answer now: too many requests at once\n", { status: 503, headers: { "Retry-After": "1" } })
      : app.fetch(request),
  );
  const port = server.port ?? listen.port;
  log.info("status page listening", { host: listen.host, port });
  const stopped = new Promise<void>((resolve) => {
    const stop = () => {
      live.close();
      void server.stop(true).finally(resolve);
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  return { address: { host: listen.host, port }, stopped };
}

type Handler = (request: Request, server: Server<undefined>) => Response | Promise<Response>;

function serve({ host, port }: StatusServerOptions["listen"], fetch: Handler): Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      idleTimeout: idleSecondsMax,
      maxRequestBodySize: requestBodyBytesMax,
      development: false,
      fetch,
    });
  } catch (cause) {
    const reason =
      cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE" ? "it is in use" : "refused";
    throw new StatusListenError(
      `Cannot listen on ${host}:${port} for the status page: ${reason}; expected http.listen to name a free port`,
      { cause },
    );
  }
}
