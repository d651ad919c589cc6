// R17: whatever comes to the HTTP side, intake goes on and loses nothing, whoever may see the page sees it, and who may
// not sees nothing. How fast page and intake were, with the attack and without, is reported and not judged: the
// attacker takes its time from the same processors, and other work on the machine changes it.
// The load is that of a small site in the check, and twice the peak of one with 10,000 agents in `bun run fault`.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { hashToken, makeToken } from "../../src/access/token.ts";
import { spread } from "../bench/figures.ts";
import { Authority } from "../harness/certificates.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import {
  fromEnvironment,
  type HttpSetting,
  Instance,
  iconBinary,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { RawClient } from "../status/raw-client.ts";
import { Attacker } from "./http-attack.ts";

const attackSeconds = fromEnvironment("ICON_HTTP_SECONDS", 2);
const eventsPerSecond = fromEnvironment("ICON_HTTP_EVENTS_PER_SECOND", 1_000);
const pairs = Math.max(2, Math.round(attackSeconds / 4));
const stretchMs = (attackSeconds * 1_000) / pairs;
// An honest reader asks again a few times a second while the others do their worst.
const lookEveryMs = 200;

/** Open to every address, with a certificate and one token. */
function opened(directory: TemporaryDirectory): HttpSetting & { readonly token: string } {
  const { certFile, keyFile } = new Authority(directory, "authority").issue("icon", "IP:127.0.0.1");
  const token = makeToken();
  const hash = Buffer.from(hashToken(token)).toString("hex");
  writeFileSync(directory.at("icon.tokens"), `reader read sha256:${hash}\n`, { mode: 0o600 });
  const lines = [
    ...['listen = "0.0.0.0:0"', 'names = ["127.0.0.1"]', 'tokens = "icon.tokens"'],
    ...[`tls_certificate = ${JSON.stringify(certFile)}`, `tls_key = ${JSON.stringify(keyFile)}`],
  ];
  return { lines, token };
}

test.each(["on loopback as it comes", "open to others with tokens and TLS"])(
  `attacked over HTTP for ${attackSeconds} s, an instance %s loses nothing, and its page is seen all the while`,
  async (how) => {
    await iconBinary();
    const isTls = how.includes("TLS");
    const { seed } = seededRandom("http");
    using directory = new TemporaryDirectory("http");
    const http = isTls ? opened(directory) : undefined;
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond, paddingMax: 300 });
    await using instance = await Instance.start({
      directory: directory.path,
      sources: [{ name: "north", address: load.address, dbid: 101 }],
      ...(http === undefined ? {} : { http }),
    });
    const page = new URL(await instance.ready());
    const port = Number(page.port);
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until("events are acknowledged", 10_000, () => load.ackedSeq > 500);
    await using attacker = new Attacker(port, isTls);
    const looks: number[] = [];
    const acknowledgedPerSecond = async (word: "attack" | "calm") => {
      await attacker.tell(word);
      await Bun.sleep(200); // what was open is gone, what is to come has begun
      const [before, startedAt] = [load.ackedSeq, performance.now()];
      while (performance.now() < startedAt + stretchMs) {
        if (word === "attack") looks.push(await lookAtPage(port, isTls, http?.token));
        await Bun.sleep(lookEveryMs);
      }
      return ((load.ackedSeq - before) / (performance.now() - startedAt)) * 1_000;
    };
    const losses: number[] = [];
    const calmRates: number[] = [];
    for (let pair = 0; pair < pairs; pair++) {
      const calm = await acknowledgedPerSecond("calm");
      const attacked = await acknowledgedPerSecond("attack");
      calmRates.push(calm);
      losses.push(1 - attacked / calm);
      expect(attacked).toBeGreaterThan(0);
    }
    let repulse = await attacker.tell("calm");
    // On a machine that is short of time it may not have come to much yet.
    await until("the attacker was answered in several ways", 60_000, async () => {
      if (Object.keys(repulse.statuses).length > 2) return true;
      await attacker.tell("attack");
      await Bun.sleep(stretchMs);
      repulse = await attacker.tell("calm");
      return false;
    });
    expect(instance.isOver).toBe(false);
    // Late is a matter of the machine, and reported; not at all is not: this process makes the load as well.
    expect(Math.max(...looks)).toBeLessThan(10_000);
    // Without a token nothing of the state is told; with one in hand everything was.
    if (isTls) expect([repulse.told, repulse.statuses["200"] ?? 0]).toEqual([0, 0]);
    expect(Object.keys(repulse.statuses).length).toBeGreaterThan(2);

    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("R17", verdict);
    expect(verdict).toEqual(kept);
    const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
    const { median, min, max } = spread(losses);
    figure(
      "R17",
      `${isTls ? "with tokens and TLS" : "on loopback"}, ${Math.round(spread(calmRates).median)} events/s: intake loss ` +
        `${percent(median)} (${percent(min)} to ${percent(max)}) in ${pairs} pairs of ${stretchMs / 1_000} s calm and attacked, ` +
        `${repulse.opened} connections of the attacker; the page seen ${looks.length} times, after ${Math.round(spread(looks).median)} ms (${Math.round(Math.max(...looks))} ms at most); nothing lost`,
    );
  },
  attackSeconds * 2_500 + 240_000,
);

/** As an honest reader from elsewhere; resolves with how long it took, ms. */
async function lookAtPage(port: number, isTls: boolean, token: string | undefined): Promise<number> {
  const startedAt = performance.now();
  const authorization = token === undefined ? "" : `Authorization: Bearer ${token}\r\n`;
  using client = new RawClient(
    { port, isTls, from: "127.0.0.77" },
    `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n${authorization}\r\n`,
  );
  await client.closed;
  expect(client.status).toBe(200);
  expect(client.text).toContain("north");
  return performance.now() - startedAt;
}

test("foreign hosts, other methods and paths that climb get nothing, and nobody changes anything", async () => {
  await iconBinary();
  using directory = new TemporaryDirectory("http-refused");
  await using instance = await Instance.start({ directory: directory.path, sources: [] });
  const page = new URL(await instance.ready());
  const answer = async (line: string, host: string, more = "") => {
    using client = new RawClient(
      { port: Number(page.port), isTls: false },
      `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`,
    );
    await client.closed;
    return client;
  };
  for (const host of [
    "evil.example",
    `evil.example:${page.port}`,
    "127.0.0.1:1",
    `127.0.0.1.evil.example:${page.port}`,
  ]) {
    const { status, text } = await answer("GET /api/v1/status", host);
    expect({ host, status }).toEqual({ host, status: 421 });
    expect(text).not.toContain("icon-a");
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]) {
    for (const path of ["/", "/api/v1/status", "/login", "/logout"]) {
      const { status } = await answer(`${method} ${path}`, page.host);
      const isRefused = status === 0 || (status >= 400 && status < 500);
      expect({ method, path, isRefused }).toEqual({ method, path, isRefused: true });
    }
  }
  for (const path of ["/../icon-a.toml", "/..%2ficon-a.toml", "/%2e%2e/ami.toml", "/status.css/../../etc/passwd"]) {
    const { status } = await answer(`GET ${path}`, page.host);
    expect({ path, status }).toEqual({ path, status: 404 });
  }
  const foreign = "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n";
  const { status, text } = await answer("GET /api/v1/status", page.host, foreign);
  expect(status).toBe(403);
  expect(text).not.toMatch(/access-control-allow/i);
  expect(await instance.stop()).toBe(0);
}, 60_000);

test("an open instance asks for tokens, takes up new ones and a new certificate, and refuses to start on what it cannot use", async () => {
  const binary = await iconBinary();
  using directory = new TemporaryDirectory("http-open");
  const http = opened(directory);
  await using instance = await Instance.start({ directory: directory.path, sources: [], http });
  const page = await instance.ready();
  expect(page).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
  const ca = await Bun.file(directory.at("authority.pem")).text();
  const ask = async (path: string, token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return (await fetch(new URL(path, page), { headers, tls: { ca }, redirect: "manual" })).status;
  };
  expect([await ask("/"), await ask("/metrics"), await ask("/healthz"), await ask("/login")]).toEqual([
    401, 401, 200, 200,
  ]);
  expect([await ask("/", http.token), await ask("/api/v1/whoami", http.token)]).toEqual([200, 200]);

  // The commands that an operator has, while it runs.
  const token = (...words: string[]) =>
    Bun.spawnSync([binary, "token", ...words, "--config", directory.at("icon-a.toml")]);
  const added = token("add", "second", "--role", "act").stdout.toString().trim();
  await until("the new token is known", 5_000, async () => (await ask("/metrics", added)) === 200);
  expect(token("remove", "second").exitCode).toBe(0);
  await until("the removed token is forgotten", 5_000, async () => (await ask("/metrics", added)) === 401);

  const next = new Authority(directory, "next").issue("icon", "IP:127.0.0.1");
  for (const [file, from] of [
    ["pem", next.certFile],
    ["key", next.keyFile],
  ] as const) {
    await Bun.write(directory.at(`authority-icon.${file}`), Bun.file(from));
  }
  instance.signal("SIGHUP");
  const nextCa = await Bun.file(directory.at("next.pem")).text();
  const isRenewed = () =>
    fetch(new URL("/healthz", page), { tls: { ca: nextCa }, keepalive: false }).then(
      ({ status }) => status === 200,
      () => false,
    );
  await until("the new certificate is shown", 5_000, isRenewed);
  expect(instance.log().map(({ event }) => event)).toContain("certificate renewed");
  expect(await instance.stop()).toBe(0);

  const configuration = await Bun.file(directory.at("icon-a.toml")).text();
  const late = new Authority(directory, "late").issue("icon", "IP:127.0.0.1", -1);
  const wrong = {
    "without tokens": [configuration.replace(/^tokens.*$/m, ""), "other hosts can reach this address; expected tokens"],
    "without TLS": [
      configuration.replace(/^tls_.*$/gm, ""),
      "expected tls_certificate with tls_key (or plaintext = true",
    ],
    "plaintext, without tokens": [
      configuration.replace(/^tls_.*$/gm, "").replace(/^tokens.*$/m, "plaintext = true"),
      "expected tokens",
    ],
    "an expired certificate": [
      configuration.replaceAll("authority-icon", "late-icon"),
      `Cannot use http.tls_certificate "${late.certFile}": the certificate expired at`,
    ],
    "another one's key": [
      configuration.replace("authority-icon.key", "late-icon.key"),
      "the private key is not the certificate's",
    ],
    "no certificate": [configuration.replace("authority-icon.pem", "none.pem"), "the file cannot be read (ENOENT)"],
    "no token file": [configuration.replace('"icon.tokens"', '"none"'), "there is no such file"],
  } as const;
  for (const [name, [text, expected]] of Object.entries(wrong)) {
    writeFileSync(directory.at("wrong.toml"), text);
    for (const command of ["validate", "run"]) {
      const { exitCode, stderr } = Bun.spawnSync([binary, command, "--config", directory.at("wrong.toml")]);
      expect({ name, command, exitCode }).toEqual({ name, command, exitCode: 78 });
      expect(stderr.toString()).toContain(expected);
    }
  }
  const plaintext = configuration.replace(/^tls_.*$/gm, "").replace(/^names/m, "plaintext = true\nnames");
  writeFileSync(directory.at("plaintext.toml"), plaintext);
  expect(Bun.spawnSync([binary, "validate", "--config", directory.at("plaintext.toml")]).exitCode).toBe(0);
}, 60_000);
