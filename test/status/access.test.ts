import { describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { hashToken, makeToken, type Token, type TokenRole } from "../../src/access/token.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { type Access, requires, type StatusEnvironment } from "../../src/status/access.ts";
import { createStatusApp, renderPageBody } from "../../src/status/app.tsx";
import { Live } from "../../src/status/live.ts";
import { TokenTable } from "../../src/status/token-table.ts";
import { Visits } from "../../src/status/visits.ts";
import { WrongTokens } from "../../src/status/wrong-tokens.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { sampleNow, sampleReport } from "./sample-report.ts";

const host = "icon.example.com:8443";
const origin = `https://${host}`;

function made(name: string, role: TokenRole): Token & { readonly text: string } {
  const text = makeToken();
  return { name, role, hash: hashToken(text), text };
}

function setting() {
  const clock = new FakeClock(sampleNow);
  const reader = made("wall", "read");
  const tokens: Token[] = [reader];
  const logged: string[] = [];
  const note = (sentence: string, fields: object = {}) => logged.push(`${sentence} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const state = { read: (): readonly Token[] => [...tokens] };
  const access: Access = {
    tokens: new TokenTable({ read: () => state.read(), clock, log }),
    visits: new Visits(clock),
    wrongTokens: new WrongTokens({ clock, log, signal: new AbortController().signal }),
    cookie: "__Host-icon-visit-8443",
    isEncrypted: true,
  };
  const live = new Live({ clock, pagesMax: 2, render: () => renderPageBody(sampleReport, sampleNow) });
  const app = createStatusApp({
    report: () => sampleReport,
    clock,
    log,
    live,
    pair: null,
    port: () => 8443,
    names: ["icon.example.com"],
    access,
    isEncrypted: true,
  });
  const ask = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    app.fetch(new Request(`${origin}${path}`, { ...init, headers: { host, ...headers } }), { address: "10.0.0.9" });
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    ask(
      path,
      { "content-type": "application/x-www-form-urlencoded", origin, "sec-fetch-site": "same-origin", ...headers },
      { method: "POST", body },
    );
  const signIn = async (token: string) => {
    const answer = await post("/login", `token=${encodeURIComponent(token)}`);
    const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
    return { answer, cookie };
  };
  return { clock, reader, tokens, logged, state, access, live, ask, post, signIn };
}

const protectedPaths = ["/", "/events", "/readyz", "/metrics", "/api/v1/status", "/api/v1/whoami"];

describe("with a token file", () => {
  test("nothing but health, the login page and what it needs is answered without a token", async () => {
    const { ask } = setting();
    for (const path of protectedPaths) {
      const answer = await ask(path);
      expect([path, answer.status, answer.headers.get("www-authenticate")]).toEqual([path, 401, 'Bearer realm="icon"']);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(await answer.json()).toEqual({
        title: "Unauthorized",
        status: 401,
        detail: "This needs a token, as in: Authorization: Bearer icon_…; people sign in at /login.",
      });
    }
    expect(await (await ask("/healthz")).text()).toBe("ok\n");
    for (const path of ["/login", "/status.css", "/status.js"]) expect((await ask(path)).status).toBe(200);
    expect((await ask("/nothing")).status).toBe(404);
  });

  test("a program with a token reads everything, and learns what it may", async () => {
    const { ask, reader } = setting();
    for (const path of protectedPaths) {
      const answer = await ask(path, { authorization: `Bearer ${reader.text}` });
      expect([path, answer.status]).toEqual([path, 200]);
      await answer.body?.cancel();
    }
    const who = await ask("/api/v1/whoami", { authorization: `bearer ${reader.text}` });
    expect(await who.json()).toEqual({ name: "wall", role: "read", may: ["read"] });
  });

  test("a wrong token is answered half a second late, and too many at once are not waited for", async () => {
    const { ask, clock, logged, access } = setting();
    const wrong = makeToken();
    const asked = Array.from({ length: 6 }, () => ask("/metrics", { authorization: `Bearer ${wrong}` }));
    const early = await Promise.race([...asked.slice(0, 4), Promise.resolve("nothing yet")]);
    expect(early).toBe("nothing yet");
    expect((await Promise.all(asked.slice(4))).map(({ status }) => status)).toEqual([429, 429]);
    await clock.advance(499);
    expect(await Promise.race([...asked.slice(0, 4), Promise.resolve("nothing yet")])).toBe("nothing yet");
    await clock.advance(1);
    expect((await Promise.all(asked.slice(0, 4))).map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(access.wrongTokens.total).toBe(6);
    // One line at once, one with the count a minute later; the token in none.
    await clock.advance(60_000);
    expect(logged).toEqual([
      'wrong token refused {"address":"10.0.0.9","total":1}',
      'wrong token refused {"address":"several","total":6}',
    ]);
    expect(logged.join("")).not.toContain(wrong.slice(5, 15));
  });

  test.each(["Basic aWNvbjppY29u", "Bearer", "Bearer ", "Token x", "Bearer a b"])(
    "%p is a wrong token",
    async (header) => {
      const { ask, clock } = setting();
      const asked = ask("/metrics", { authorization: header });
      await clock.advance(500);
      expect((await asked).status).toBe(401);
    },
  );

  test("a token may do what its role is for; another is refused by name", async () => {
    const { access, tokens, clock } = setting();
    const [personal, acting] = [made("desk", "read-personal"), made("runbook", "act")];
    tokens.push(personal, acting);
    await clock.advance(1000);
    const app = new Hono<StatusEnvironment>();
    app.get("/personal", requires(access, "read-personal"), (context) => context.text("yes"));
    app.get("/act", requires(access, "act"), (context) => context.text("yes"));
    const statusOf = async (path: string, { text }: { readonly text: string }) => {
      const answer = await app.request(path, { headers: { authorization: `Bearer ${text}` } });
      return answer.status === 403 ? ((await answer.json()) as { detail: string }).detail : answer.status;
    };
    const [reader] = tokens as [Token & { readonly text: string }];
    expect([await statusOf("/personal", personal), await statusOf("/act", acting)]).toEqual([200, 200]);
    expect([
      await statusOf("/personal", reader),
      await statusOf("/personal", acting),
      await statusOf("/act", personal),
    ]).toEqual([
      'Token "wall" has the role read; this needs one that may read-personal.',
      'Token "runbook" has the role act; this needs one that may read-personal.',
      'Token "desk" has the role read-personal; this needs one that may act.',
    ]);
  });

  test("a token that goes, comes or changes its role does so within a second; a broken file changes nothing", async () => {
    const { ask, clock, tokens, reader, state, logged, access } = setting();
    const whoami = (token: string) => ask("/api/v1/whoami", { authorization: `Bearer ${token}` });
    const later = made("later", "act");
    tokens.push(later);
    await clock.advance(1000);
    expect((await whoami(later.text)).status).toBe(200);
    const read = state.read;
    state.read = () => {
      throw new Error("line 3 is wrong");
    };
    await clock.advance(1000);
    expect((await whoami(reader.text)).status).toBe(200);
    await clock.advance(1000);
    expect((await whoami(reader.text)).status).toBe(200);
    expect(access.tokens.problem).toBe("line 3 is wrong");
    state.read = read;
    tokens.shift();
    await clock.advance(1000);
    const gone = whoami(reader.text);
    await clock.advance(500);
    expect((await gone).status).toBe(401);
    expect(access.tokens.problem).toBeNull();
    expect(logged.filter((each) => !each.startsWith("wrong token"))).toEqual([
      'tokens in force {"tokens":2}',
      'token file is wrong and the tokens stay as they were {"problem":"line 3 is wrong"}',
      'tokens in force {"tokens":1}',
    ]);
  });
});

describe("a person at a browser", () => {
  test("is sent to the login page, which has one form, no script, and may post to this site only", async () => {
    const { ask } = setting();
    const sent = await ask("/", { accept: "text/html,application/xhtml+xml" });
    expect([sent.status, sent.headers.get("location")]).toEqual([303, "/login"]);
    const login = await ask("/login");
    expect(login.headers.get("content-security-policy")).toContain("form-action 'self'");
    const html = await login.text();
    expect(html).toContain('<form method="post" action="/login">');
    expect(html).not.toMatch(/<script|<style| style="| on[a-z]+="/);
    const page = await ask("/healthz");
    expect(page.headers.get("content-security-policy")).toContain("form-action 'none'");
  });

  test("signs in with a token, sees the page, and signs out", async () => {
    const { ask, post, signIn, reader, logged } = setting();
    const { answer, cookie } = await signIn(reader.text);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/"]);
    const attributes = answer.headers.get("set-cookie") ?? "";
    expect(attributes.replace(/=[A-Za-z0-9_-]{43}/, "=…")).toBe(
      "__Host-icon-visit-8443=…; Max-Age=43200; Path=/; HttpOnly; Secure; SameSite=Strict",
    );
    const page = await ask("/", { cookie, accept: "text/html" });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Signed in with token <a href="/login">wall</a>.');
    const html = await (await ask("/login", { cookie })).text();
    expect(html).toContain('<form method="post" action="/logout">');
    const out = await post("/logout", "", { cookie });
    expect([out.status, out.headers.get("location")]).toEqual([303, "/login"]);
    expect(out.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await ask("/api/v1/status", { cookie })).status).toBe(401);
    expect(logged).toEqual(['signed in {"token":"wall","address":"10.0.0.9"}', 'signed out {"token":"wall"}']);
  });

  test("who shows no token or a wrong one is told so after the delay, and gets no cookie", async () => {
    const { post, clock, access } = setting();
    for (const body of ["", "token=", `token=${makeToken()}`, "other=1"]) {
      const asked = post("/login", body);
      await clock.advance(500);
      const answer = await asked;
      expect([answer.status, answer.headers.get("set-cookie")]).toEqual([401, null]);
      expect(await answer.text()).toContain("There is no such token.");
    }
    expect([access.wrongTokens.total, access.visits.count]).toEqual([4, 0]);
  });

  test.each([
    ["another site's form", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }],
    ["another site's form in an old browser", { origin: "https://evil.example", "sec-fetch-site": "" }],
    ["a form of this site on another port", { origin: "https://icon.example.com:9999" }],
    ["a form from nowhere", { origin: "null" }],
    ["a form that does not say where it is from", { origin: "" }],
    ["another kind of body", { "content-type": "text/plain" }],
  ])("%s signs nobody in or out", async (_, headers) => {
    const { post, signIn, reader, ask, access } = setting();
    const { cookie } = await signIn(reader.text);
    expect((await post("/login", `token=${reader.text}`, headers)).status).toBe(403);
    expect((await post("/logout", "", { cookie, ...headers })).status).toBe(403);
    expect(access.visits.count).toBe(1);
    expect((await ask("/api/v1/status", { cookie })).status).toBe(200);
  });

  test("a visit ends with its token, after twelve hours, and when a hundred younger ones are there", async () => {
    const { ask, signIn, reader, clock, tokens, live } = setting();
    const statusWith = async (cookie: string) => (await ask("/api/v1/status", { cookie })).status;
    const first = await signIn(reader.text);
    await clock.advance(12 * 3_600_000 - 1);
    expect(await statusWith(first.cookie)).toBe(200);
    await clock.advance(1);
    expect(await statusWith(first.cookie)).toBe(401);
    const second = await signIn(reader.text);
    for (let each = 0; each < 99; each++) await signIn(reader.text);
    expect(await statusWith(second.cookie)).toBe(200);
    const last = await signIn(reader.text);
    expect([await statusWith(second.cookie), await statusWith(last.cookie)]).toEqual([401, 200]);
    // Its open page ends as well.
    const page = await ask("/events", { cookie: last.cookie });
    expect(live.pageCount).toBe(1);
    tokens.length = 0;
    await clock.advance(2000);
    expect([await statusWith(last.cookie), live.pageCount]).toEqual([401, 0]);
    await page.body?.cancel();
  });

  test("the cookie of somebody else, or of before a restart, is nobody's", async () => {
    const { ask } = setting();
    for (const value of ["", "x", "a".repeat(43), "../../etc/passwd"]) {
      expect((await ask("/api/v1/status", { cookie: `__Host-icon-visit-8443=${value}` })).status).toBe(401);
    }
  });
});

describe("without a token file", () => {
  test("there is no login, whoever reaches the address reads, and nobody does more", async () => {
    const clock = new FakeClock(sampleNow);
    const live = new Live({ clock, pagesMax: 1, render: () => "" });
    const app = createStatusApp({
      ...{ report: () => sampleReport, clock, log: silentLog, live, port: () => 8080 },
      ...{ names: [], access: null, isEncrypted: false, pair: null },
    });
    const ask = (path: string, method = "GET") => app.request(`http://127.0.0.1:8080${path}`, { method });
    expect(await (await ask("/api/v1/whoami")).json()).toEqual({ name: null, role: null, may: ["read"] });
    expect([(await ask("/login")).status, (await ask("/login", "POST")).status]).toEqual([404, 405]);
    const bare = new Hono<StatusEnvironment>();
    bare.get("/act", requires(null, "act"), (context) => context.text("yes"));
    expect((await bare.request("/act")).status).toBe(403);
  });
});
