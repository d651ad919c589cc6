// R17: whatever comes to the HTTP side, intake goes on and loses nothing, and the page still answers. How fast intake
// was with and without the attack is printed, not judged: other work on the machine changes it.

import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, seededRandom, settle } from "../harness/load-verdict.ts";
import { fromEnvironment, Instance, iconBinary, TemporaryDirectory, until } from "../harness/processes.ts";

const attackSeconds = fromEnvironment("ICON_HTTP_SECONDS", 5);

/** Sockets to the page that nothing but this test keeps in order. */
class Attack {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Connects, sends `bytes`, and reads on; the connection stays until the attack is over. */
  open(bytes: string | Uint8Array): Socket {
    const socket = connect(this.#port, "127.0.0.1");
    this.#sockets.add(socket);
    socket.on("error", () => {}); // being thrown out is what should happen
    socket.on("close", () => this.#sockets.delete(socket));
    socket.write(bytes);
    return socket;
  }

  /** What comes back until the other side closes, or has been silent for a while. */
  answer(bytes: string | Uint8Array): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const socket = this.open(bytes);
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on("close", () => resolve(text));
    return promise;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
const request = (line: string, host: string, more = "") => `${line} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`;
const closing = "Connection: close\r\n";

test(
  `attacked over HTTP for ${attackSeconds} s, an instance loses nothing and its page answers`,
  async () => {
    await iconBinary();
    const { seed } = seededRandom("http");
    using directory = new TemporaryDirectory("http");
    await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 1_000, paddingMax: 300 });
    await using instance = await Instance.start({
      directory: directory.path,
      sources: [{ name: "north", address: load.address, dbid: 101 }],
    });
    const page = new URL(await instance.ready());
    await until("the source serves the instance", 10_000, () => load.isServed);
    load.flow();
    await until("events are acknowledged", 10_000, () => load.ackedSeq > 500);
    const acknowledgedWhile = async (act: () => Promise<void>) => {
      const [before, startedAt] = [load.ackedSeq, performance.now()];
      await act();
      return { events: load.ackedSeq - before, perSecond: (load.ackedSeq - before) / (performance.now() - startedAt) };
    };
    const calm = await acknowledgedWhile(() => Bun.sleep(attackSeconds * 1_000));

    using attack = new Attack(Number(page.port));
    const underAttack = await acknowledgedWhile(async () => {
      const until = performance.now() + attackSeconds * 1_000;
      // Headers that never end, requests that never come, pages that are never read, TLS where there is none.
      for (let each = 0; each < 200; each++) attack.open("GET / HTTP/1.1\r\nHost: ");
      for (let each = 0; each < 100; each++) attack.open(request("GET /events", page.host)).pause();
      for (let each = 0; each < 50; each++) attack.open(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]));
      while (performance.now() < until) {
        attack.open(`GET / HTTP/1.1\r\nHost: ${page.host}\r\nX-Big: ${"x".repeat(1_000_000)}\r\n\r\n`);
        attack.open(request("GET /api/v1/status", page.host).repeat(50)); // one behind the other
        attack.open(crypto.getRandomValues(new Uint8Array(4_096)));
        attack.open(request("POST /", page.host, "Content-Length: 1000000000\r\n"));
        await Bun.sleep(50);
      }
    });
    expect(instance.isOver).toBe(false);
    expect(underAttack.events).toBeGreaterThan(0);
    const loss = 1 - underAttack.perSecond / calm.perSecond;
    console.log(
      `http attack: ${Math.round(calm.perSecond * 1_000)} events/s acknowledged before, ` +
        `${Math.round(underAttack.perSecond * 1_000)} meanwhile, loss ${(loss * 100).toFixed(1)} %`,
    );
    attack[Symbol.dispose]();
    await until("the page answers", 30_000, async () => {
      const response = await fetch(page, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      return response?.status === 200 && (await response.text()).includes("north");
    });

    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce("R17", verdict);
    expect(verdict).toEqual(kept);
    figure(
      "R17",
      `${load.ackedSeq} events, 0 lost; intake ${(loss * 100).toFixed(1)} % slower in ${attackSeconds} s of attack`,
    );
  },
  attackSeconds * 2_000 + 120_000,
);

test("foreign hosts, other methods and paths that climb get nothing", async () => {
  await iconBinary();
  using directory = new TemporaryDirectory("http-refused");
  await using instance = await Instance.start({ directory: directory.path, sources: [] });
  const page = new URL(await instance.ready());
  using attack = new Attack(Number(page.port));
  for (const host of [
    "evil.example",
    `evil.example:${page.port}`,
    "127.0.0.1:1",
    `127.0.0.1.evil.example:${page.port}`,
  ]) {
    const answer = await attack.answer(request("GET /api/v1/status", host, closing));
    expect({ host, status: statusOf(answer) }).toEqual({ host, status: 421 });
    expect(answer).not.toContain("icon-a");
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"]) {
    const status = statusOf(await attack.answer(request(`${method} /api/v1/status`, page.host, closing)));
    expect({ method, isRefused: status === 0 || (status >= 400 && status < 500) }).toEqual({ method, isRefused: true });
  }
  for (const path of ["/../icon-a.toml", "/..%2ficon-a.toml", "/%2e%2e/ami.toml", "/status.css/../../etc/passwd"]) {
    const answer = await attack.answer(request(`GET ${path}`, page.host, closing));
    expect({ path, status: statusOf(answer) }).toEqual({ path, status: 404 });
  }
  const foreign = `${closing}Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n`;
  const answer = await attack.answer(request("GET /api/v1/status", page.host, foreign));
  expect(statusOf(answer)).toBe(403);
  expect(answer).not.toMatch(/access-control-allow/i);
  expect(await instance.stop()).toBe(0);
  figure("R17", "4 foreign hosts, 7 other methods, 4 climbing paths and a foreign page: all refused");
}, 60_000);
