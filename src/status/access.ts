// Who asks, and whether he may. Programs show a token with each request (Authorization: Bearer), browsers once, to the
// login page, and then the cookie of their visit. Without a token file whoever reaches the address may read; the
// configuration sees to it that this is a loopback address then.

import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { mayDo, type Token, type TokenRole } from "../access/token.ts";
import type { TokenTable } from "./token-table.ts";
import type { Visits } from "./visits.ts";
import type { WrongTokens } from "./wrong-tokens.ts";

export interface Access {
  readonly tokens: TokenTable;
  readonly visits: Visits;
  readonly wrongTokens: WrongTokens;
  /** Name of the visits' cookie. */
  readonly cookie: string;
  /** The cookie is for encrypted connections only. */
  readonly isEncrypted: boolean;
}

export interface StatusEnvironment {
  Bindings: { readonly address?: string };
  Variables: { visitor: Token | null };
}

type StatusContext = Context<StatusEnvironment>;

/** Lets pass who may do `needed`, and remembers him as `visitor`; null for everybody when there are no tokens. */
export function requires(access: Access | null, needed: TokenRole): MiddlewareHandler<StatusEnvironment> {
  return async (context, next) => {
    if (access === null) {
      context.set("visitor", null);
      return lacking(context, null, needed) ?? next();
    }
    const presented = bearerOf(context);
    const token = presented === null ? visitorOf(context, access) : access.tokens.find(presented);
    if (token === null) return presented === null ? askWho(context) : refuseWrong(context, access);
    context.set("visitor", token);
    return lacking(context, token, needed) ?? next();
  };
}

/** Null: this visitor may do `needed`. */
export function lacking(context: StatusContext, visitor: Token | null, needed: TokenRole): Response | null {
  if (visitor === null) {
    if (needed === "read") return null;
    const sentence = `This needs a token that may ${needed}, and the instance has no token file ([http] tokens in its configuration).`;
    return refusal(context, 403, sentence);
  }
  if (mayDo(visitor.role).includes(needed)) return null;
  const sentence = `Token "${visitor.name}" has the role ${visitor.role}; this needs one that may ${needed}.`;
  return refusal(context, 403, sentence);
}

/** Whose visit it is; null: nobody's, or one whose token is no more. */
export function visitorOf(context: StatusContext, { tokens, visits, cookie }: Access): Token | null {
  const id = getCookie(context, cookie);
  const token = id === undefined ? null : visits.tokenOf(id);
  return token !== null && tokens.holds(token) ? token : null;
}

export function refusal(context: StatusContext, status: 401 | 403 | 429, detail: string): Response {
  const answer = problem(context, status, detail, status === 429 ? 1 : undefined);
  if (status === 401) answer.headers.set("WWW-Authenticate", 'Bearer realm="icon"');
  return answer;
}

const titles = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  409: "Conflict",
  429: "Too Many Requests",
  503: "Service Unavailable",
} as const;

/** As problem details (RFC 9457), which a person can read as well. */
export function problem(
  context: StatusContext,
  status: keyof typeof titles,
  detail: string,
  retryAfterSeconds?: number,
): Response {
  const headers: Record<string, string> = { "Content-Type": "application/problem+json" };
  if (retryAfterSeconds !== undefined) headers["Retry-After"] = String(retryAfterSeconds);
  return context.body(`${JSON.stringify({ title: titles[status], status, detail })}\n`, status, headers);
}

function bearerOf(context: StatusContext): string | null {
  const header = context.req.header("authorization");
  if (header === undefined) return null;
  // Another scheme is a wrong token too: nothing but a bearer token is right.
  return /^Bearer +([^\s]+) *$/i.exec(header)?.[1] ?? "";
}

function askWho(context: StatusContext): Response {
  const isPerson = context.req.method === "GET" && (context.req.header("accept") ?? "").includes("text/html");
  if (isPerson) return context.redirect("/login", 303);
  return refusal(context, 401, "This needs a token, as in: Authorization: Bearer icon_…; people sign in at /login.");
}

async function refuseWrong(context: StatusContext, { wrongTokens }: Access): Promise<Response> {
  const isInTurn = await wrongTokens.shown(context.env?.address ?? "unknown");
  if (!isInTurn) return refusal(context, 429, "Too many wrong tokens at once.");
  return refusal(context, 401, "There is no such token; `icon token list` names those there are.");
}
