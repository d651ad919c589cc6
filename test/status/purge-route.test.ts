// Who may ask for a purge over HTTP, how, and what he is told.

import { expect, test } from "bun:test";
import { hashToken, makeToken, type Token, type TokenRole } from "../../src/access/token.ts";
import { silentLog } from "../../src/log.ts";
import type { Access } from "../../src/status/access.ts";
import { createStatusApp } from "../../src/status/app.tsx";
import { Live } from "../../src/status/live.ts";
import type { PurgeAnswer } from "../../src/status/purge-route.ts";
import { TokenTable } from "../../src/status/token-table.ts";
import { Visits } from "../../src/status/visits.ts";
import { WrongTokens } from "../../src/status/wrong-tokens.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { sampleNow, sampleReport } from "./sample-report.ts";

const path = "/api/v1/purge?before=2026-11-01";

function setting({ hasTokens = true, answer = { kind: "asked for" } as PurgeAnswer } = {}) {
  const clock = new FakeClock(sampleNow);
  const texts = {} as Record<TokenRole, string>;
  const tokens = (["read", "read-personal", "act"] as const).map((role): Token => {
    texts[role] = makeToken();
    return { name: `${role}er`, role, hash: hashToken(texts[role]) };
  });
  const visits = new Visits(clock);
  const access: Access = {
    ...{ tokens: new TokenTable({ read: () => tokens, clock, log: silentLog }), visits },
    wrongTokens: new WrongTokens({ clock, log: silentLog, signal: new AbortController().signal }),
    ...{ cookie: "icon-visit-8080", isEncrypted: false },
  };
  const asked: [before: number, isEvenIfOnlyCopy: boolean, isDryRun: boolean][] = [];
  const app = createStatusApp({
    ...{ report: () => sampleReport, clock, log: silentLog, port: () => 8080, names: [], isEncrypted: false },
    live: new Live({ clock, pagesMax: 1, render: () => "" }),
    pair: null,
    access: hasTokens ? access : null,
    askPurge: async (before, { isEvenIfOnlyCopy, isDryRun }) => {
      asked.push([before, isEvenIfOnlyCopy, isDryRun]);
      return answer;
    },
  });
  const ask = (to: string, role: TokenRole | null, headers: Record<string, string> = {}, method = "POST") => {
    const authorization: Record<string, string> = role === null ? {} : { authorization: `Bearer ${texts[role]}` };
    return app.request(`http://127.0.0.1:8080${to}`, { method, headers: { ...authorization, ...headers } });
  };
  return { ask, asked };
}

const before = Date.parse("2026-11-01T00:00:00.000Z");

test("a token that may act has it purge, and nobody else", async () => {
  const { ask, asked } = setting();
  expect((await ask(path, null)).status).toBe(401);
  expect((await ask(path, "read")).status).toBe(403);
  expect((await ask(path, "read-personal")).status).toBe(403);
  expect((await setting({ hasTokens: false }).ask(path, null)).status).toBe(403);
  expect(asked).toEqual([]);
  const answer = await ask(path, "act");
  expect([answer.status, await answer.json()]).toEqual([
    200,
    { before: "2026-11-01T00:00:00.000Z", result: "asked for" },
  ]);
  expect((await ask(`${path}T00:00:00Z&evenIfOnlyCopy=true`, "act")).status).toBe(200);
  expect((await ask(`${path}&dryRun=true`, "act")).status).toBe(200);
  expect((await ask(`${path}&dryRun=true`, "read")).status).toBe(403);
  expect(asked).toEqual([
    [before, false, false],
    [before, true, false],
    [before, false, true],
  ]);
});

test("a browser's page cannot, whatever it sends along, and no other method does", async () => {
  const { ask, asked } = setting();
  expect((await ask(path, "act", { "sec-fetch-site": "same-origin" })).status).toBe(403);
  expect((await ask(path, "act", { "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect((await ask(path, "act", { host: "rebound.example" })).status).toBe(421);
  expect((await ask(path, "act", {}, "PUT")).status).toBe(405);
  expect((await ask(path, "act", {}, "GET")).status).toBe(404);
  expect(asked).toEqual([]);
});

test("a time that is none, and a parameter that is not there, are 400", async () => {
  const { ask, asked } = setting();
  const wrong = ["", "?before=", "?before=yesterday", "?before=2026-11-01T00:00:00.5Z", "?before=2026-02-30"];
  for (const query of [
    ...wrong,
    "?before=2026-11-01&evenIfOnlyCopy=yes",
    "?before=2026-11-01&force=true",
    "?before=2026-11-01&dryRun=1",
  ]) {
    expect([query, (await ask(`/api/v1/purge${query}`, "act")).status]).toEqual([query, 400]);
  }
  expect(asked).toEqual([]);
});

test("what is refused is told with its reason, and up to when it could be", async () => {
  const answer = { kind: "refused", isPassing: false, heldUntil: before - 86_400_000, reason: "No peer." } as const;
  const refused = await setting({ answer }).ask(path, "act");
  expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
    409,
    "No peer. Up to 2026-10-31T00:00:00.000Z it can be purged.",
  ]);
  const busy = { kind: "refused", isPassing: true, heldUntil: null, reason: "Others are being answered." } as const;
  expect((await setting({ answer: busy }).ask(path, "act")).status).toBe(503);
});
