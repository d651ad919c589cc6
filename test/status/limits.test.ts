// The bounds of the HTTP side, with real sockets, over plain HTTP and TLS. The clock is a fake one: nobody waits ten
// seconds for ten seconds to pass.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hashToken, makeToken } from "../../src/access/token.ts";
import { readPair } from "../../src/config/certificates.ts";
import { silentLog } from "../../src/log.ts";
import { type StatusServer, startStatusServer } from "../../src/status/server.ts";
import { Authority, type Pair } from "../harness/certificates.ts";
import { FakeClock } from "../harness/fake-clock.ts";
import { TemporaryDirectory, until } from "../harness/processes.ts";
import { RawClient } from "./raw-client.ts";
import { sampleReport } from "./sample-report.ts";

let directory: TemporaryDirectory;
let pair: Pair;
beforeAll(() => {
  directory = new TemporaryDirectory("limits");
  pair = new Authority(directory, "authority").issue("server", "DNS:localhost");
});
afterAll(() => directory[Symbol.dispose]());

class Setting implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly isTls: boolean;
  server!: StatusServer;
  readonly #stop = new AbortController();
  readonly #clients: RawClient[] = [];
  #probes = 0;

  constructor(isTls: boolean) {
    this.isTls = isTls;
  }

  static async start(kind: string): Promise<Setting> {
    const setting = new Setting(kind === "TLS");
    setting.server = await startStatusServer({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      readTokens: () => [{ name: "test", role: "read", hash: hashToken(token) }],
      readCertificate: setting.isTls ? () => readPair(pair) : null,
      report: () => sampleReport,
      clock: setting.clock,
      log: silentLog,
      signal: setting.#stop.signal,
    });
    return setting;
  }

  get port(): number {
    return this.server.address.port;
  }

  open(
    bytes: string | Uint8Array | null,
    options: { readonly from?: string; readonly isTls?: boolean } = {},
  ): RawClient {
    const client = new RawClient({ port: this.port, isTls: this.isTls, ...options }, bytes);
    this.#clients.push(client);
    return client;
  }

  request(line: string, headers = "", body = ""): string {
    return `${line} HTTP/1.1\r\nHost: 127.0.0.1:${this.port}\r\n${headers}\r\n${body}`;
  }

  /** A whole exchange on a connection of its own. */
  async answer(bytes: string): Promise<RawClient> {
    const client = this.open(bytes);
    await client.closed;
    return client;
  }

  /** Connections there are; asked from an address of its own each time, so that nothing is taken from the others. */
  async count(): Promise<number> {
    this.#probes += 1;
    const from = `127.0.1.${this.#probes % 250}`;
    const headers = `Authorization: Bearer ${token}\r\nConnection: close\r\n`;
    const probe = this.open(this.request("GET /api/v1/status", headers), { from });
    await probe.closed;
    const [, connections] = /"connections": (\d+)/.exec(probe.text) ?? [];
    return Number(connections) - 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const each of this.#clients) each[Symbol.dispose]();
    await this.server.stopped;
  }
}

const token = makeToken();
const closing = "Connection: close\r\n";

describe.each(["plain HTTP", "TLS"])("over %s", (kind) => {
  test("headers that never end, requests that never come and connections left idle are closed after ten seconds", async () => {
    await using setting = await Setting.start(kind);
    const idle = setting.open(setting.request("GET /healthz"));
    await idle.got("ok\n");
    const waiting = [
      setting.open("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "),
      setting.open(""),
      setting.open(null, { isTls: false }), // never says a word, no handshake either
      setting.open(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00]), { isTls: false }),
      idle,
    ];
    // Over plain HTTP the half handshake is turned away at once, as no HTTP.
    const lasting = setting.isTls ? waiting : waiting.filter((_, index) => index !== 3);
    await until("all are connected", 5_000, () => setting.count().then((count) => count === lasting.length));
    await setting.clock.advance(9_000);
    // A drop now and then does not win time.
    waiting[0]?.send("x");
    expect(lasting.filter(({ isClosed }) => isClosed).length).toBe(0);
    await setting.clock.advance(3_000);
    await Promise.all(waiting.map(({ closed }) => closed));
    expect(lasting.filter((each) => each !== idle).map(({ text }) => text)).toEqual(lasting.slice(1).map(() => ""));
  });

  test("new connections and requests of one address beyond their pace are turned away, and another's are not", async () => {
    await using setting = await Setting.start(kind);
    const statuses: number[] = [];
    for (let each = 0; each < 155; each++) {
      statuses.push((await setting.answer(setting.request("GET /healthz", closing))).status);
    }
    expect(statuses).toEqual([...new Array(150).fill(200), 0, 0, 0, 0, 0]);
    const other = setting.open(setting.request("GET /healthz").repeat(320), { from: "127.0.0.9" });
    await other.closed;
    const answers = [...other.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(answers).toEqual([...new Array(300).fill("200"), "503"]);
    await setting.clock.advance(1_000);
    expect((await setting.answer(setting.request("GET /healthz", closing))).status).toBe(200);
  });

  test("a form's body that does not come is not waited for longer than fifteen seconds", async () => {
    await using setting = await Setting.start(kind);
    const headers = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n";
    const client = setting.open(setting.request("POST /login", headers, "token="));
    await client.connected;
    await until("it is connected", 5_000, () => setting.count().then((count) => count === 1));
    await setting.clock.advance(14_000);
    client.send("x");
    expect(client.isClosed).toBe(false);
    await setting.clock.advance(3_000);
    await client.closed;
    expect(client.status).toBe(0);
  });

  test("headers may be 16 KiB and 64 lines, a form 1 KiB; a second Host and a body where none belongs are not taken", async () => {
    await using setting = await Setting.start(kind);
    const statusOf = async (line: string, headers: string, body = "") =>
      (await setting.answer(setting.request(line, closing + headers, body))).status;
    expect(await statusOf("GET /healthz", `X: ${"x".repeat(15_000)}\r\n`)).toBe(200);
    expect(await statusOf("GET /healthz", `X: ${"x".repeat(17_000)}\r\n`)).toBe(431);
    expect(await statusOf("GET /healthz", "X: x\r\n".repeat(60))).toBe(200);
    expect(await statusOf("GET /healthz", "X: x\r\n".repeat(100))).toBe(431);
    expect(await statusOf(`GET /${"x".repeat(17_000)}`, "")).toBe(431);
    expect(await statusOf("GET /healthz", "Host: evil.example\r\n")).toBe(400);
    const form = "Content-Type: application/x-www-form-urlencoded\r\n";
    expect(await statusOf("POST /login", `${form}Content-Length: 1025\r\n`, "x".repeat(1025))).toBe(413);
    expect(await statusOf("POST /login", `${form}Content-Length: 9999999999\r\n`)).toBe(413);
    const chunks = `400\r\n${"x".repeat(1024)}\r\n`.repeat(3);
    expect(await statusOf("POST /login", `${form}Transfer-Encoding: chunked\r\n`, `${chunks}0\r\n\r\n`)).toBe(413);
    // What stands behind a body that nobody reads is no request.
    const smuggled = await setting.answer(
      setting.request("GET /healthz", "Content-Length: 60\r\n", setting.request("GET /login")),
    );
    expect([smuggled.status, smuggled.text.split("HTTP/1.1 ").length - 1]).toEqual([200, 1]);
  });

  test("one address has 64 connections; where there is no more room, the one goes that waited longest without asking", async () => {
    await using setting = await Setting.start(kind);
    const waiting: RawClient[] = [];
    for (let each = 0; each < 64; each++) {
      waiting.push(setting.open("GET /healthz HTTP/1.1\r\n"));
      await until("it is connected", 5_000, async () => (await setting.count()) === waiting.length);
      await setting.clock.advance(20); // no faster than new ones may come
    }
    const honest = await setting.answer(setting.request("GET /healthz", closing));
    expect([honest.status, waiting.filter(({ isClosed }) => isClosed).length]).toEqual([200, 1]);
    expect(waiting[0]?.isClosed).toBe(true);
  });
});
