// The read API before anything is read: who may ask what, and what becomes of an answer.

import { expect, test } from "bun:test";
import { hashToken, makeToken, type Token, type TokenRole } from "../../src/access/token.ts";
import { type Log, silentLog } from "../../src/log.ts";
import type { Access } from "../../src/status/access.ts";
import { createStatusApp } from "../../src/status/app.tsx";
import { Live } from "../../src/status/live.ts";
import type { ReadAnswer, ReadQuestion } from "../../src/status/read-api.ts";
import { TokenTable } from "../../src/status/token-table.ts";
import { Visits } from "../../src/status/visits.ts";
import { WrongTokens } from "../../src/status/wrong-tokens.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { sampleNow, sampleReport } from "./sample-report.ts";

const stretch = "from=1795423790&to=1795427390";
const ledgerPaths = [
  `/api/v1/availability?${stretch}`,
  `/api/v1/windows?${stretch}&source=north`,
  "/api/v1/explain?at=1795423790",
  "/api/v1/extract?what=identity",
  `/api/v1/extract?what=ledger&${stretch}`,
];
const callPaths = [
  `/api/v1/extract?what=calls&calls=created&${stretch}`,
  "/api/v1/extract?what=calls&calls=named&call=C1",
];

function setting({ hasTokens = true, answer = answered } = {}) {
  const clock = new FakeClock(sampleNow);
  const texts = {} as Record<TokenRole, string>;
  const tokens = (["read", "read-personal", "act"] as const).map((role): Token => {
    texts[role] = makeToken();
    return { name: `${role}er`, role, hash: hashToken(texts[role]) };
  });
  const logged: string[] = [];
  const note = (sentence: string, fields: object = {}) => logged.push(`${sentence} ${JSON.stringify(fields)}`);
  const log: Log = { ...silentLog, info: note, warn: note, error: note };
  const access: Access = {
    tokens: new TokenTable({ read: () => tokens, clock, log }),
    visits: new Visits(clock),
    wrongTokens: new WrongTokens({ clock, log, signal: new AbortController().signal }),
    cookie: "icon-visit-8080",
    isEncrypted: false,
  };
  const questions: ReadQuestion[] = [];
  const app = createStatusApp({
    ...{ report: () => sampleReport, clock, log, port: () => 8080, names: [], isEncrypted: false },
    live: new Live({ clock, pagesMax: 1, render: () => "" }),
    pair: null,
    access: hasTokens ? access : null,
    readIdb: async (question) => {
      questions.push(question);
      return answer();
    },
  });
  const ask = (path: string, role: TokenRole | null = "read-personal", init: RequestInit = {}) => {
    const authorization: Record<string, string> = role === null ? {} : { authorization: `Bearer ${texts[role]}` };
    return app.request(`http://127.0.0.1:8080${path}`, { ...init, headers: { ...authorization, ...init.headers } });
  };
  return { ask, questions, logged };
}

const answered = (): ReadAnswer => ({
  kind: "answer",
  contentType: "application/x-ndjson",
  body: new Response('{"end":"whole"}\n').body as ReadableStream<Uint8Array>,
});

test("the ledger is for tokens that may read, calls for those that may read what names callers", async () => {
  const { ask, questions } = setting();
  for (const path of [...ledgerPaths, ...callPaths]) {
    for (const role of [null, "read", "act", "read-personal"] as const) {
      questions.length = 0;
      const { status } = await ask(path, role);
      const isCall = callPaths.includes(path);
      const expected = role === null ? 401 : isCall && role !== "read-personal" ? 403 : 200;
      expect([path, role, status, questions.length]).toEqual([path, role, expected, expected === 200 ? 1 : 0]);
    }
  }
});

test("without a token file whoever reaches loopback reads the ledger, and nobody calls", async () => {
  const { ask, questions } = setting({ hasTokens: false });
  for (const path of ledgerPaths) expect([path, (await ask(path, null)).status]).toEqual([path, 200]);
  questions.length = 0;
  for (const path of callPaths) {
    const answer = await ask(path, null);
    expect([path, answer.status, await answer.json()]).toEqual([
      path,
      403,
      {
        title: "Forbidden",
        status: 403,
        detail:
          "This needs a token that may read-personal, and the instance has no token file ([http] tokens in its configuration).",
      },
    ]);
  }
  expect(questions).toEqual([]);
});

test("an answer is passed on with its type, like every other for the same origin and for no cache", async () => {
  const { ask } = setting();
  const answer = await ask("/api/v1/extract?what=identity");
  expect(await answer.text()).toBe('{"end":"whole"}\n');
  const of = (name: string) => answer.headers.get(name);
  expect([of("content-type"), of("cache-control"), of("x-content-type-options"), of("x-accel-buffering")]).toEqual([
    ...["application/x-ndjson", "no-store", "nosniff", "no"],
  ]);
  expect(of("content-security-policy")).toContain("default-src 'none'");
});

test("HEAD is answered without reading anything, other methods and foreign pages are not", async () => {
  const { ask, questions } = setting();
  const [path = ""] = callPaths;
  expect((await ask(path, "read-personal", { method: "HEAD" })).status).toBe(200);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    expect((await ask(path, "read-personal", { method })).status).toBe(405);
  }
  const foreign = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors" };
  expect((await ask(path, "read-personal", { headers: foreign })).status).toBe(403);
  expect(questions).toEqual([]);
});

test("wrong parameters, a busy instance and an IDB that cannot be read are told apart", async () => {
  const refused = (isPassing: boolean) => (): ReadAnswer => ({ kind: "refused", isPassing, reason: "Cannot read IDB" });
  const busy = (): ReadAnswer => ({ kind: "busy", retryAfterSeconds: 3 });
  for (const [answer, path, status, retryAfter, detail] of [
    [answered, "/api/v1/extract?what=all", 400, null, "Cannot use the parameter what: expected identity"],
    [busy, "/api/v1/extract?what=identity", 503, "3", "Cannot answer now: others are being answered"],
    [refused(true), "/api/v1/extract?what=identity", 503, "5", "Cannot read IDB"],
    [refused(false), "/api/v1/extract?what=identity", 409, null, "Cannot read IDB"],
  ] as const) {
    const { ask, logged } = setting({ answer });
    const given = await ask(path);
    expect([given.status, given.headers.get("retry-after"), given.headers.get("content-type")]).toEqual([
      ...[status, retryAfter, "application/problem+json"],
    ]);
    expect(((await given.json()) as { detail: string }).detail).toStartWith(detail);
    expect(logged).toEqual([]);
  }
});
