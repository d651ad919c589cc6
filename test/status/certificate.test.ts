// A certificate is renewed under the eyes of whoever is connected: what is open goes on, and what comes gets the new one.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { connect, type PeerCertificate } from "node:tls";
import { readPair } from "../../src/config/certificates.ts";
import { CredentialsError } from "../../src/config/credentials.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { type StatusServer, startStatusServer } from "../../src/status/server.ts";
import { Authority, type Pair } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { TemporaryDirectory } from "../harness/processes.ts";
import { RawClient } from "./raw-client.ts";
import { sampleReport } from "./sample-report.ts";

const dayMs = 86_400_000;

class Setting implements AsyncDisposable {
  readonly directory = new TemporaryDirectory("certificate");
  readonly authority = new Authority(this.directory, "authority");
  // Ahead of the certificates that openssl makes while it stands still.
  readonly clock = new FakeClock(Date.now() + 60_000);
  readonly logged: string[] = [];
  readonly inPlace: Pair = { certFile: this.directory.at("in-place.pem"), keyFile: this.directory.at("in-place.key") };
  readonly #stop = new AbortController();
  server!: StatusServer;

  async start(): Promise<void> {
    this.put(this.authority.issue("first", "DNS:localhost", 40));
    const note =
      (level: string) =>
      (sentence: string, fields: object = {}) =>
        this.logged.push(`${level} ${sentence} ${JSON.stringify(fields)}`);
    const log: Log = { ...silentLog, info: note("info"), warn: note("warn"), error: note("error") };
    this.server = await startStatusServer({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      readTokens: null,
      readCertificate: () => readPair(this.inPlace),
      report: () => sampleReport,
      clock: this.clock,
      log,
      signal: this.#stop.signal,
    });
    this.logged.length = 0;
  }

  get port(): number {
    return this.server.address.port;
  }

  put({ certFile, keyFile }: Pair): void {
    copyFileSync(certFile, this.inPlace.certFile);
    copyFileSync(keyFile, this.inPlace.keyFile);
  }

  /** Name in the certificate that a new connection is shown; also checks that the authority vouches for it. */
  async shown(): Promise<string> {
    const ca = await Bun.file(this.authority.file).text();
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.port, host: "127.0.0.1", servername: "localhost", ca }, () => {
        const { subject } = socket.getPeerCertificate() as PeerCertificate;
        socket.destroy();
        resolve(String(subject.CN));
      });
      socket.on("error", reject);
    });
  }

  async page(): Promise<string> {
    const client = this.open(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\nConnection: close\r\n\r\n`);
    await client.closed;
    return client.text;
  }

  open(bytes: string): RawClient {
    return new RawClient({ port: this.port, isTls: true }, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.server.stopped;
    this.directory[Symbol.dispose]();
  }
}

let setting: Setting;
beforeEach(async () => {
  setting = new Setting();
  await setting.start();
});
afterEach(() => setting[Symbol.asyncDispose]());

test("a new certificate is noticed within a minute, or at once when asked; a live page and a half sent request go on", async () => {
  using live = setting.open(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${setting.port}\r\n\r\n`);
  using slow = setting.open(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${setting.port}\r\n`);
  const updates = () => live.text.split("</main>").length - 1;
  await live.got("</main>");
  await slow.connected;
  expect(await setting.shown()).toBe("first");

  setting.put(setting.authority.issue("second", "DNS:localhost", 40));
  setting.server.renew();
  expect(await setting.shown()).toBe("second");
  slow.send("Connection: close\r\n\r\n");
  await slow.closed;
  expect(slow.status).toBe(200);

  setting.put(setting.authority.issue("third", "DNS:localhost", 40));
  expect(await setting.shown()).toBe("second");
  for (let second = 0; second < 60; second++) {
    await setting.clock.advance(1_000);
    while (updates() < second + 2 && !live.isClosed) await live.more();
  }
  expect(await setting.shown()).toBe("third");
  expect([live.isClosed, updates()]).toEqual([false, 61]);
  expect(setting.logged.map((each) => each.replace(/{.*/, ""))).toEqual([
    "info certificate renewed ",
    "info certificate renewed ",
  ]);
});

test.each([
  [
    "has expired",
    ({ authority }: Setting) => authority.issue("late", "DNS:localhost", -1),
    "The new certificate has expired",
  ],
  [
    "has another one's key",
    ({ authority, inPlace }: Setting) => ({ ...authority.issue("other", "DNS:localhost"), keyFile: inPlace.keyFile }),
    "the private key is not the certificate's",
  ],
  [
    "is none",
    ({ directory, inPlace }: Setting) => {
      writeFileSync(directory.at("garbage"), "no certificate");
      return { ...inPlace, certFile: directory.at("garbage") };
    },
    "it holds no certificate",
  ],
])(
  "a new certificate that %s is not used: the one before it stays, the log says so once, and the page until it is mended",
  async (_, make, problem) => {
    const first = { certFile: setting.directory.at("kept.pem"), keyFile: setting.directory.at("kept.key") };
    copyFileSync(setting.inPlace.certFile, first.certFile);
    copyFileSync(setting.inPlace.keyFile, first.keyFile);
    const { certFile, keyFile } = make(setting);
    copyFileSync(certFile, setting.inPlace.certFile);
    if (keyFile !== setting.inPlace.keyFile) copyFileSync(keyFile, setting.inPlace.keyFile);
    for (let minute = 0; minute < 3; minute++) await setting.clock.advance(60_000);
    expect(await setting.shown()).toBe("first");
    expect(setting.logged).toEqual([expect.stringContaining(problem)]);
    expect(setting.logged[0]).toStartWith("warn certificate not renewed, the one before it stays in use ");
    expect(setting.logged[0]).not.toContain("PRIVATE");
    expect(await setting.page()).toContain("The certificate was not renewed; the one before it is in use.");
    setting.put(first);
    setting.server.renew();
    expect(await setting.page()).not.toContain("was not renewed");
  },
);

test("the page and the metrics say how long the certificate holds, and the log warns from fourteen days on, once a day", async () => {
  expect(await setting.page()).toMatch(/39 days left, until<\/span> <time/);
  setting.put(setting.authority.issue("short", "DNS:localhost", 14));
  setting.server.renew();
  await setting.clock.advance(60_000);
  expect(await setting.page()).toContain("The certificate of this page: 13 days left, until ");
  await setting.clock.advance(dayMs);
  expect(setting.logged.filter((each) => each.includes("expires soon"))).toEqual([
    'warn certificate expires soon {"daysLeft":13}',
    'warn certificate expires soon {"daysLeft":12}',
  ]);
  setting.clock.step(13 * dayMs);
  setting.server.renew();
  expect(await setting.page()).toContain("The certificate of this page: expired");
  expect(setting.logged.at(-1)).toBe('warn certificate has expired {"daysLeft":-1}');
});

test("an old version of TLS, and no TLS at all, are refused", async () => {
  const old = await new Promise<string>((resolve) => {
    const options = {
      port: setting.port,
      host: "127.0.0.1",
      rejectUnauthorized: false,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
    } as const;
    const socket = connect(options, () => resolve("connected"));
    socket.on("error", (error) => resolve(error.message));
    socket.on("close", () => resolve("closed"));
  });
  expect(old).not.toBe("connected");
  const answer = await fetch(`http://127.0.0.1:${setting.port}/healthz`).catch(() => null);
  expect(answer).toBeNull();
  expect(() => readPair({ certFile: setting.inPlace.keyFile, keyFile: setting.inPlace.keyFile })).toThrow(
    CredentialsError,
  );
});
