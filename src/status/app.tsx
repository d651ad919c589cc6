// The routes of the HTTP side. None changes anything but a browser's visit and, with a token that may act, what a purge
// deletes. Each says what a token must be for; health
// and what the login page needs are open.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { Hono } from "hono";
import { mayDo, type Token } from "../access/token.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { type Access, requires, type StatusEnvironment } from "./access.ts";
import { streamHeader } from "./exchange.ts";
import { guard } from "./guard.ts";
import type { Live } from "./live.ts";
import { loginRoutes } from "./login.tsx";
import { Page, PageBody, titleOf } from "./page/page.tsx";
import { pairSpans, spanNamed } from "./pair-span.ts";
import { pairStyle } from "./pair-style.ts";
import type { PairView } from "./pair-view.tsx";
import { type AskPurge, purgeRoute } from "./purge-route.ts";
import type { ReadIdb } from "./read-api.ts";
import { readRoutes } from "./read-routes.ts";
import { reasonsNotReady, warningsOf } from "./readiness.ts";
import { Rendered } from "./rendered.ts";
import type { StatusReport } from "./report.ts";
import { pageScript } from "./script.ts";
import { pageStyle } from "./style.ts";

export interface StatusAppOptions {
  readonly report: () => StatusReport;
  readonly clock: Clock;
  readonly log: Log;
  readonly live: Live;
  /** Null: the page has no time line. */
  readonly pair: PairView | null;
  /** The port listened on. */
  readonly port: () => number;
  /** What a Host header may name beside loopback. */
  readonly names: readonly string[];
  /** Null: whoever reaches the address may read. */
  readonly access: Access | null;
  readonly isEncrypted: boolean;
  /** Reads the IDB for the read API; absent: there is none. */
  readonly readIdb?: ReadIdb | undefined;
  /** Absent: nobody can ask for a purge. */
  readonly askPurge?: AskPurge | undefined;
}

export function createStatusApp(options: StatusAppOptions): Hono<StatusEnvironment> {
  const { report, clock, log, live, pair, port, names, access, isEncrypted, readIdb, askPurge } = options;
  const app = new Hono<StatusEnvironment>();
  const reader = requires(access, "read");
  app.use(guard({ port, names, hasLogin: access !== null, isEncrypted }));
  const pages = new Map(
    pairSpans.map((span) => [
      span.key,
      new Rendered(clock, () => pageParts(report(), clock.now(), pair?.text(span) ?? "")),
    ]),
  );
  // The client library is loaded for whoever asks first: most of an instance's memory at rest is loaded code.
  const metrics = new Rendered(clock, async () => {
    const { metricsContentType, renderMetrics } = await import("./metrics.ts");
    return { type: metricsContentType, text: await renderMetrics(report(), process.memoryUsage.rss()) };
  });
  app.get("/", reader, (context) => {
    const parts = pages.get(spanNamed(context.req.query("span")).key)?.get();
    return parts === undefined ? context.notFound() : context.html(renderPage(parts, context.get("visitor")));
  });
  app.get("/status.css", (context) =>
    context.body(pageStyle + pairStyle, 200, { "Content-Type": "text/css; charset=utf-8" }),
  );
  app.get("/status.js", (context) =>
    context.body(pageScript, 200, { "Content-Type": "text/javascript; charset=utf-8" }),
  );
  if (access !== null)
    app.route(
      "/",
      loginRoutes(access, () => report().instance.name, log),
    );
  app.get("/events", reader, (context) => {
    const headers = { "Content-Type": "text/event-stream", [streamHeader]: "no" };
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    const visitor = context.get("visitor");
    const stream = live.open({
      isAllowed: () => visitor === null || access === null || access.tokens.holds(visitor),
      span: spanNamed(context.req.query("span")),
    });
    if (stream === null) {
      return context.text("Cannot keep another page live: too many are open\n", 503, { "Retry-After": "5" });
    }
    return context.body(stream, 200, headers);
  });
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", reader, (context) => {
    const now = report();
    const [reasons, warnings] = [reasonsNotReady(now), warningsOf(now)];
    return context.json({ ready: reasons.length === 0, reasons, warnings }, reasons.length === 0 ? 200 : 503);
  });
  app.get("/metrics", reader, async (context) => {
    const { type, text } = await metrics.get();
    return context.body(text, 200, { "Content-Type": type });
  });
  app.get("/api/v1/whoami", reader, (context) => {
    const visitor = context.get("visitor");
    return context.json({
      name: visitor?.name ?? null,
      role: visitor?.role ?? null,
      may: mayDo(visitor?.role ?? "read"),
    });
  });
  app.get("/api/v1/status", reader, (context) => {
    const text = JSON.stringify({ at: clock.now(), ...report() }, bigintAsDigits, 2);
    return context.body(`${text}\n`, 200, { "Content-Type": "application/json" });
  });
  if (readIdb !== undefined) app.route("/", readRoutes(readIdb, access));
  if (askPurge !== undefined) app.route("/", purgeRoute(askPurge, access));
  app.notFound((context) => context.text("There is nothing here; the page is at /\n", 404));
  app.onError((error, context) => {
    log.error("status request failed", { path: new URL(context.req.url).pathname, message: error.message });
    return context.text("Cannot answer: an error of ours; the log says more\n", 500);
  });
  return app;
}

function pageParts(report: StatusReport, now: number, pair: string) {
  return { title: titleOf(report, now), main: renderPageBody(report, now, pair) };
}

/** The whole document. */
function renderPage(parts: ReturnType<typeof pageParts>, visitor: Token | null): string {
  return `<!doctype html>${(<Page {...parts} visitor={visitor?.name ?? null} />).toString()}`;
}

/** What an update carries, without the time line, which is sent apart; the page has it in its place. */
export function renderPageBody(report: StatusReport, now: number, pair = ""): string {
  return (<PageBody report={report} now={now} pair={pair} />).toString();
}

// JSON has no bigint, and a position may exceed what a reader's double holds.
function bigintAsDigits(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
