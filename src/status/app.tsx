// The routes of the HTTP side. All of them read; none changes anything.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { Hono } from "hono";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { guard } from "./guard.ts";
import type { Live } from "./live.ts";
import { metricsContentType, renderMetrics } from "./metrics.ts";
import { Page, PageBody } from "./page.tsx";
import { reasonsNotReady, warningsOf } from "./readiness.ts";
import type { StatusReport } from "./report.ts";
import { pageScript } from "./script.ts";
import { pageStyle } from "./style.ts";

export interface StatusAppOptions {
  readonly report: () => StatusReport;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: Live;
  /** The port listened on. */
  readonly port: () => number;
}

export function createStatusApp({ report, clock, log, live, port }: StatusAppOptions): Hono {
  const app = new Hono();
  app.use(guard(port));
  app.get("/", (context) => context.html(renderPage(report(), clock.now())));
  app.get("/status.css", (context) => context.body(pageStyle, 200, { "Content-Type": "text/css; charset=utf-8" }));
  app.get("/status.js", (context) =>
    context.body(pageScript, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
  );
  app.get("/events", (context) => {
    const headers = { "Content-Type": "text/event-stream" };
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    const stream = live.open();
    if (stream === null) {
      return context.text("Cannot keep another page live: too many are open\n", 503, { "Retry-After": "5" });
    }
    return context.body(stream, 200, headers);
  });
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const now = report();
    const [reasons, warnings] = [reasonsNotReady(now), warningsOf(now)];
    return context.json({ ready: reasons.length === 0, reasons, warnings }, reasons.length === 0 ? 200 : 503);
  });
  app.get("/metrics", async (context) => {
    const text = await renderMetrics(report(), process.memoryUsage.rss());
    return context.body(text, 200, { "Content-Type": metricsContentType });
  });
  app.get("/api/v1/status", (context) => {
    const text = JSON.stringify({ at: clock.now(), ...report() }, bigintAsDigits, 2);
    return context.body(`${text}\n`, 200, { "Content-Type": "application/json" });
  });
  app.notFound((context) => context.text("There is nothing here; the page is at /\n", 404));
  app.onError((error, context) => {
    log.error("status request failed", { path: new URL(context.req.url).pathname, message: error.message });
    return context.text("Cannot answer: an error of ours; the log says more\n", 500);
  });
  return app;
}

/** The whole document. */
export function renderPage(report: StatusReport, now: number): string {
  return `<!doctype html>${(<Page report={report} now={now} />).toString()}`;
}

/** What an update carries. */
export function renderPageBody(report: StatusReport, now: number): string {
  return (<PageBody report={report} now={now} />).toString();
}

// JSON has no bigint, and a position may exceed what a reader's double holds.
function bigintAsDigits(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
