// Where people show their token: a page with one form, which works without a script.
//
// Said here too, because outside of the checkout's folder the runtime does not find tsconfig.json.
/** @jsxImportSource hono/jsx */

import { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Token } from "../access/token.ts";
import type { Log } from "../log.ts";
import { type Access, refusal, type StatusEnvironment, visitorOf } from "./access.ts";
import { visitSecondsMax } from "./visits.ts";

/** The routes /login and /logout. */
export function loginRoutes(access: Access, instanceName: () => string, log: Log): Hono<StatusEnvironment> {
  const { tokens, visits, wrongTokens, cookie, isEncrypted } = access;
  const routes = new Hono<StatusEnvironment>();
  const page = (visitor: Token | null, problem: string | null) =>
    `<!doctype html>${(<LoginPage name={instanceName()} visitor={visitor} problem={problem} />).toString()}`;

  routes.get("/login", (context) => context.html(page(visitorOf(context, access), null)));

  routes.post("/login", async (context) => {
    const address = context.env?.address ?? "unknown";
    const form = new URLSearchParams(await context.req.text());
    const token = tokens.find(form.get("token")?.trim() ?? "");
    if (token === null) {
      if (!(await wrongTokens.shown(address))) return refusal(context, 429, "Too many wrong tokens at once.");
      return context.html(page(null, "There is no such token."), 401);
    }
    setCookie(context, cookie, visits.begin(token), {
      path: "/",
      httpOnly: true,
      sameSite: "Strict",
      secure: isEncrypted,
      maxAge: visitSecondsMax,
    });
    log.info("signed in", { token: token.name, address });
    return context.redirect("/", 303);
  });

  routes.post("/logout", (context) => {
    const visitor = visitorOf(context, access);
    visits.end(getCookie(context, cookie) ?? "");
    deleteCookie(context, cookie, { path: "/", secure: isEncrypted });
    if (visitor !== null) log.info("signed out", { token: visitor.name });
    return context.redirect("/login", 303);
  });
  return routes;
}

interface LoginProps {
  readonly name: string;
  readonly visitor: Token | null;
  readonly problem: string | null;
}

function LoginPage({ name, visitor, problem }: LoginProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Sign in · {name}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/status.css" />
      </head>
      <body>
        <main class="login">
          <header>
            <h1>{name}</h1>
            <span class="quiet">ICON</span>
          </header>
          {visitor === null ? <SignIn problem={problem} /> : <SignedIn visitor={visitor} />}
        </main>
      </body>
    </html>
  );
}

function SignIn({ problem }: Pick<LoginProps, "problem">) {
  return (
    <section aria-labelledby="sign-in">
      <h2 id="sign-in">Sign in</h2>
      <form method="post" action="/login">
        {problem === null ? null : (
          <p class="mark bad" role="alert">
            {problem}
          </p>
        )}
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        <button type="submit">Sign in</button>
      </form>
      <p class="quiet">
        Whoever runs this instance makes one with <code>icon token add</code>.
      </p>
    </section>
  );
}

function SignedIn({ visitor }: { readonly visitor: Token }) {
  return (
    <section aria-labelledby="signed-in">
      <h2 id="signed-in">Signed in</h2>
      <p>
        With token <strong>{visitor.name}</strong>, role {visitor.role}. <a href="/">To the page</a>
      </p>
      <form method="post" action="/logout">
        <button type="submit">Sign out</button>
      </form>
    </section>
  );
}
