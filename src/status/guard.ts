// Whose request it may be at all, before anybody is asked for a token. A browser must not become a way in for a foreign
// site: a name that only resolves to this host (DNS rebinding) is told apart by its Host header, another site's script
// by the browser's own Sec-Fetch-Site, and its form by Origin.

import type { Context, MiddlewareHandler } from "hono";
import { purgePath } from "./purge-route.ts";

const methodsAllowed = ["GET", "HEAD"];
// What a form may be posted to; nothing else takes a body.
const formPaths: ReadonlySet<string> = new Set(["/login", "/logout"]);
// What programs may post to, without a body and with a token in the request itself; pages of browsers may not.
const actionPaths: ReadonlySet<string> = new Set([purgePath]);

// Nothing is loaded from elsewhere, nothing inline, and no other page may frame this one.
const contentSecurityPolicy = (formAction: "'none'" | "'self'") =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    `form-action ${formAction}`,
    "frame-ancestors 'none'",
  ].join("; ");

export interface GuardOptions {
  /** The port that is listened on; asked for each request, since it may have been chosen by the system. */
  readonly port: () => number;
  /** What a Host header may name beside loopback: lower case, without a port, which is not judged for them. */
  readonly names: readonly string[];
  /** Where there is a login page, two paths take a form. */
  readonly hasLogin: boolean;
  readonly isEncrypted: boolean;
}

export function guard({ port, names, hasLogin, isEncrypted }: GuardOptions): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host") ?? new URL(context.req.url).host;
    const isAction = actionPaths.has(context.req.path);
    const isForm = hasLogin && formPaths.has(context.req.path);
    if (!isOwnHost(host, { port: port(), standardPort: isEncrypted ? 443 : 80, names })) {
      context.res = refuseHost(context, port(), names);
    } else if (
      !methodsAllowed.includes(context.req.method) &&
      !((isForm || isAction) && context.req.method === "POST")
    ) {
      const allowed = isForm ? [...methodsAllowed, "POST"] : isAction ? ["POST"] : methodsAllowed;
      context.res = context.text(`Cannot use this method: expected ${allowed.join(" or ")}\n`, 405, {
        Allow: allowed.join(", "),
      });
    } else if (isAction && context.req.header("sec-fetch-site") !== undefined) {
      context.res = context.text("Cannot do this for a browser's page: expected a program with a token\n", 403);
    } else if (context.req.method === "POST" && !isAction && !isOwnForm(context, host)) {
      context.res = context.text("Cannot take this form: expected it to be sent from the page at /login here\n", 403);
    } else if (isForeignSubresource(context)) {
      context.res = context.text("Cannot answer another site's page\n", 403);
    } else {
      await next();
    }
    context.header("Content-Security-Policy", contentSecurityPolicy(isForm ? "'self'" : "'none'"));
    context.header("X-Content-Type-Options", "nosniff");
    context.header("X-Frame-Options", "DENY");
    // Not no-referrer: then a browser says "Origin: null" of our own form.
    context.header("Referrer-Policy", "same-origin");
    context.header("Cross-Origin-Resource-Policy", "same-origin");
    context.header("Cross-Origin-Opener-Policy", "same-origin");
    context.header("Cache-Control", "no-store");
  };
}

interface OwnHosts {
  readonly port: number;
  /** Which port is meant where a Host header has none. */
  readonly standardPort: number;
  readonly names: readonly string[];
}

function isOwnHost(host: string, { port, standardPort, names }: OwnHosts): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:[\]/@]+)(?::(\d{1,5}))?$/i.exec(host);
  if (match === null) return false;
  const name = (match[1] ?? "").toLowerCase();
  if (names.includes(name.replace(/^\[|\]$/g, ""))) return true;
  return /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(name) && Number(match[2] ?? standardPort) === port;
}

function refuseHost(context: Context, port: number, names: readonly string[]): Response {
  const own = [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`];
  const expected = names.length === 0 ? own : [...own, "a name that [http] names lists"];
  // The header's own text is not repeated: it is the stranger's.
  const text = `Cannot answer for this Host header: expected ${expected.slice(0, -1).join(", ")} or ${expected.at(-1)}\n`;
  return context.text(text, 421);
}

function isForeignSubresource(context: Context): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return false;
  return context.req.header("sec-fetch-mode") !== "navigate"; // A link may lead here; it cannot read or hold a stream.
}

/** A form of ours: each browser says where a form comes from, and programs need none. */
function isOwnForm(context: Context, host: string): boolean {
  const site = context.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin") return false;
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded *(;|$)/i.test(type)) return false;
  const origin = context.req.header("origin") ?? "";
  // Of the scheme nothing is asked: a proxy before us may have spoken TLS where we do not.
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase() === host.toLowerCase();
}
