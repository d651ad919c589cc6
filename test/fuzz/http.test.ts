import { expect, test } from "bun:test";
import { connect } from "node:net";
import { hashToken, makeToken } from "../../src/access/token.ts";
import { type Clock, systemClock } from "../../src/clock.ts";
import { type Log, silentLog } from "../../src/log.ts";
import { startStatusServer } from "../../src/status/server.ts";
import { until } from "../harness/processes.ts";
import { sampleReport } from "../status/sample-report.ts";
import { inputsInAll, Mutator } from "./mutator.ts";

const atOnce = 16;
// 2,000 a second: what comes faster is turned away for its pace alone.
const atOnceMsMin = 8;
const answerMsMax = 5000;

const token = makeToken();

// The bounds on how fast requests may come would turn most of them away.
const times = 50;
const fastClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic() * times,
  after: (delayMs, act) => systemClock.after(delayMs / times, act),
};

test.each(["without tokens", "with tokens"])(
  "%s a mutated HTTP request is answered or turned away, never with an error of ours, and the page goes on",
  async (how) => {
    const mutator = new Mutator("HTTP requests");
    const stop = new AbortController();
    const failures: string[] = [];
    const log: Log = {
      ...silentLog,
      error: (sentence, fields) => failures.push(`${sentence} ${JSON.stringify(fields)}`),
    };
    const server = await startStatusServer({
      listen: { host: "127.0.0.1", port: 0 },
      names: [],
      readTokens: how === "with tokens" ? () => [{ name: "fuzz", role: "read", hash: hashToken(token) }] : null,
      readCertificate: null,
      report: () => sampleReport,
      clock: fastClock,
      log,
      signal: stop.signal,
    });
    const { port } = server.address;
    const host = `Host: 127.0.0.1:${port}\r\nConnection: close\r\n`;
    const originals = [
      `GET / HTTP/1.1\r\n${host}\r\n`,
      `GET /api/v1/status?x=%2e%2e%2f HTTP/1.1\r\n${host}Accept: */*\r\nSec-Fetch-Site: cross-site\r\n\r\n`,
      `HEAD /../..//metrics HTTP/1.1\r\n${host}\r\n`,
      `POST /readyz HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`,
      `POST /healthz HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      `GET http://user:pass@127.0.0.1:${port}/status.js HTTP/1.1\r\n${host}Cookie: a=b\r\nRange: bytes=0-1\r\n\r\n`,
      `GET /metrics HTTP/1.1\r\n${host}Authorization: Bearer ${token}\r\n\r\n`,
      `GET /api/v1/whoami HTTP/1.1\r\n${host}Cookie: icon-visit-0=${"A".repeat(43)}; x="y\r\n\r\n`,
      `POST /login HTTP/1.1\r\n${host}Origin: http://127.0.0.1:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${6 + token.length}\r\n\r\ntoken=${token}`,
      `POST /logout HTTP/1.1\r\n${host}Origin: http://127.0.0.1:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\n\r\n`,
    ].map((each) => Buffer.from(each));

    /** What came back until the server closed; our side of the connection ends once the request is sent. */
    const exchange = (request: Uint8Array) =>
      new Promise<string>((resolve) => {
        let answer = "";
        const socket = connect({ port, host: "127.0.0.1" }, () => socket.end(request));
        socket.setTimeout(answerMsMax, () => socket.destroy());
        socket.on("data", (bytes) => {
          answer += bytes.toString("latin1");
        });
        socket.on("error", () => {}); // turned away: the server may reset
        socket.on("close", () => resolve(answer));
      });

    const statuses = new Set<string>();
    let closedCount = 0;
    try {
      const inputs = inputsInAll * 0.005;
      for (let input = 0; input < inputs; input += atOnce) {
        const requests = Array.from({ length: atOnce }, () => mutator.mutate(mutator.pick(originals)));
        const [answers] = await Promise.all([Promise.all(requests.map(exchange)), Bun.sleep(atOnceMsMin)]);
        for (const [index, answer] of answers.entries()) {
          const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? (answer === "" ? "closed" : "no HTTP");
          statuses.add(status);
          if (status === "closed") closedCount += 1;
          if (status === "no HTTP" || (status.startsWith("5") && status !== "503" && status !== "505")) {
            throw new Error(
              `${JSON.stringify(Buffer.from(requests[index] ?? []).toString("latin1"))}: ${answer.slice(0, 200)}`,
            );
          }
        }
      }
      await until("the page is served", 10_000, async () => {
        const page = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
        return page?.status === 200 && (await page.text()) === "ok\n";
      });
      // Those that were turned away without a word are few, or nothing was tried.
      expect(closedCount).toBeLessThan(inputs / 2);
    } finally {
      stop.abort();
      await server.stopped;
    }
    expect(failures).toEqual([]);
    expect([...statuses]).toEqual(expect.arrayContaining(["200", "400"]));
  },
  900_000,
);
