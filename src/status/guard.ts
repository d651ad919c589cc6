// Who may ask. The page has no login, so a browser on this host must not become a way in for a foreign site: a name
// that only resolves to loopback (DNS rebinding) is told apart by its Host header, another site's script by the
// browser's own Sec-Fetch-Site.

import type { MiddlewareHandler } from "hono";

const methodsAllowed = ["GET", "HEAD"];

// Nothing is loaded from elsewhere, nothing inline, and no other page may frame this one.
const contentSecurityPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** `port` is the one that is listened on; asked for each request, since it may have been chosen by the system. */
export function guard(port: () => number): MiddlewareHandler {
  return async (context, next) => {
    const host = context.req.header("host") ?? new URL(context.req.url).host;
    if (!isOwnHost(host, port())) {
      // The header's own text is not repeated: it is the stranger's.
      context.res = context.text(
        `Cannot answer for this Host header: expected localhost:${port()}, 127.0.0.1:${port()} or [::1]:${port()}\n`,
        421,
      );
    } else if (!methodsAllowed.includes(context.req.method)) {
      context.res = context.text("Cannot use this method: expected GET or HEAD\n", 405, {
        Allow: methodsAllowed.join(", "),
      });
    } else if (isForeignSubresource(context.req.header("sec-fetch-site"), context.req.header("sec-fetch-mode"))) {
      context.res = context.text("Cannot answer another site's page\n", 403);
    } else {
      await next();
    }
    context.header("Content-Security-Policy", contentSecurityPolicy);
    context.header("X-Content-Type-Options", "nosniff");
    context.header("X-Frame-Options", "DENY");
    context.header("Referrer-Policy", "no-referrer");
    context.header("Cross-Origin-Resource-Policy", "same-origin");
    context.header("Cross-Origin-Opener-Policy", "same-origin");
    context.header("Cache-Control", "no-store");
  };
}

function isOwnHost(host: string, port: number): boolean {
  const match = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/i.exec(host);
  return match !== null && Number(match[2] ?? 80) === port;
}

function isForeignSubresource(site: string | undefined, mode: string | undefined): boolean {
  if (site === undefined || site === "same-origin" || site === "none") return false;
  return mode !== "navigate"; // A link from elsewhere may lead here; what it cannot do is read or hold a stream.
}
