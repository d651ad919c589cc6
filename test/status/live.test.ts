import { afterEach, describe, expect, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type Clock, systemClock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { Live } from "../../src/status/live.ts";
import { spanNamed } from "../../src/status/pair-span.ts";
import { StatusListenError, type StatusServer, startStatusServer } from "../../src/status/server.ts";
import { sampleReport } from "./sample-report.ts";

/** A clock whose time passes when the test says so. */
class HandClock implements Clock {
  #now = 0;
  #waiting: { readonly at: number; readonly act: () => void }[] = [];
  now = () => this.#now;
  monotonic = () => this.#now;
  after(delayMs: number, act: () => void): () => void {
    const entry = { at: this.#now + delayMs, act };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((each) => each !== entry);
    };
  }
  get waitingCount(): number {
    return this.#waiting.length;
  }
  pass(ms: number): void {
    this.#now += ms;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { act } of due) act();
  }
}

interface Reader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

async function next(reader: Reader): Promise<string | null> {
  const { done, value } = await reader.read();
  return done ? null : new TextDecoder().decode(value);
}

describe("the updates of open pages", () => {
  test("the first event comes at once, then one a second, as a whole body of the page", async () => {
    const clock = new HandClock();
    let count = 0;
    const live = new Live({ clock, pagesMax: 1, render: () => `<main>\n${++count}</main>` });
    const reader = live.open()?.getReader();
    if (reader === undefined) throw new Error("No stream was opened");
    expect(await next(reader)).toBe("event: status\nretry: 3000\ndata: <main>\ndata: 1</main>\n\n");
    const second = next(reader);
    clock.pass(1000);
    expect(await second).toContain("data: 2</main>");
    await reader.cancel();
    clock.pass(1000);
    expect([live.pageCount, clock.waitingCount, count]).toEqual([0, 0, 2]);
  });

  test("the time line comes with the first update, and then only when it is another one", async () => {
    const clock = new HandClock();
    let line = "<section>\n1</section>";
    const spans: string[] = [];
    const live = new Live({
      clock,
      pagesMax: 1,
      render: () => "<main></main>",
      renderPair: ({ key }) => {
        spans.push(key);
        return line;
      },
    });
    const reader = live.open({ span: spanNamed("6h") })?.getReader();
    if (reader === undefined) throw new Error("No stream was opened");
    const status = "event: status\nretry: 3000\ndata: <main></main>\n\n";
    expect(await next(reader)).toBe(`${status}event: pair\nretry: 3000\ndata: <section>\ndata: 1</section>\n\n`);
    for (const [shown, expected] of [
      [line, status],
      ["2", `${status}event: pair\nretry: 3000\ndata: 2\n\n`],
      ["2", status],
    ] as const) {
      line = shown;
      const update = next(reader);
      clock.pass(1000);
      expect(await update).toBe(expected);
    }
    expect(spans).toEqual(Array(4).fill("6h"));
    await reader.cancel();
  });

  test("a time line that cannot be put together leaves the page with the one it has", async () => {
    const clock = new HandClock();
    let isFailing = false;
    const renderPair = () => {
      if (isFailing) throw new Error("no line");
      return "line";
    };
    const live = new Live({ clock, pagesMax: 1, render: () => "body", renderPair });
    const reader = live.open()?.getReader();
    if (reader === undefined) throw new Error("No stream was opened");
    expect(await next(reader)).toContain("event: pair\n");
    isFailing = true;
    const update = next(reader);
    clock.pass(1000);
    expect(await update).toBe("event: status\nretry: 3000\ndata: body\n\n");
    await reader.cancel();
  });

  test("one rendering serves all pages, and no more pages are kept than allowed", async () => {
    const clock = new HandClock();
    let count = 0;
    const live = new Live({ clock, pagesMax: 2, render: () => String(++count) });
    const readers = [live.open(), live.open()].map((stream) => stream?.getReader());
    expect(live.open()).toBeNull();
    for (const reader of readers) if (reader !== undefined) await next(reader);
    const updates = readers.map((reader) => (reader === undefined ? null : next(reader)));
    clock.pass(1000);
    expect((await Promise.all(updates)).map((text) => text?.includes("data: 3\n"))).toEqual([true, true]);
    expect(count).toBe(3);
    await readers[0]?.cancel();
    expect(live.open()).not.toBeNull();
  });

  test("a page that takes nothing gets nothing more and is let go after 15 seconds", () => {
    const clock = new HandClock();
    let count = 0;
    const live = new Live({ clock, pagesMax: 1, render: () => String(++count) });
    const stream = live.open();
    expect(stream).not.toBeNull();
    for (let second = 1; second <= 15; second++) clock.pass(1000);
    expect(live.pageCount).toBe(1);
    clock.pass(1000);
    expect([live.pageCount, clock.waitingCount]).toEqual([0, 0]);
  });

  test("a page whose rendering fails is kept connected with a comment", async () => {
    const live = new Live({
      clock: new HandClock(),
      pagesMax: 1,
      render: () => {
        throw new Error("no report");
      },
    });
    const reader = live.open()?.getReader();
    expect(reader === undefined ? null : await next(reader)).toBe(": no update now\n\n");
  });

  test("closing ends every page and opens no other", async () => {
    const live = new Live({ clock: new HandClock(), pagesMax: 2, render: () => "x" });
    const reader = live.open()?.getReader();
    if (reader === undefined) throw new Error("No stream was opened");
    await next(reader);
    live.close();
    expect(await next(reader)).toBeNull();
    expect(live.open()).toBeNull();
  });
});

describe("the server", () => {
  const stop = new Set<AbortController>();
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const each of stop) each.abort();
    for (const each of sockets) each.destroy();
    stop.clear();
    sockets.clear();
  });

  async function start(port = 0): Promise<{ readonly server: StatusServer; readonly controller: AbortController }> {
    const controller = new AbortController();
    stop.add(controller);
    const listen = { host: "127.0.0.1", port };
    const server = await startStatusServer({
      listen,
      names: [],
      readTokens: null,
      readCertificate: null,
      report: () => sampleReport,
      clock: systemClock,
      log: silentLog,
      signal: controller.signal,
    });
    return { server, controller };
  }

  /** Sends `request` as it is and resolves with what comes back until the connection ends or `enough` is in it. */
  function exchange(port: number, request: string, enough: string): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const socket = connect(port, "127.0.0.1", () => socket.write(request));
      sockets.add(socket);
      socket.on("data", (bytes) => {
        text += bytes.toString();
        if (text.includes(enough)) resolve(text);
      });
      socket.on("close", () => resolve(text));
      socket.on("error", reject);
    });
  }

  test("a browser's event source gets its first event over the wire", async () => {
    const { port } = (await start()).server.address;
    const text = await exchange(port, `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`, "</main>");
    expect(text).toStartWith("HTTP/1.1 200 OK");
    expect(text.toLowerCase()).toContain("content-type: text/event-stream");
    expect(text).toContain("event: status\n");
    expect(text).toContain('<main data-title="Recording · icon-a">');
  });

  test("a foreign Host header is refused over the wire, and so is a body that is too long", async () => {
    const { port } = (await start()).server.address;
    const foreign = await exchange(port, "GET / HTTP/1.1\r\nHost: icon.example\r\nConnection: close\r\n\r\n", "\n\n\n");
    expect(foreign).toStartWith("HTTP/1.1 421");
    const long = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x".repeat(5000) });
    expect(long.ok).toBe(false);
    const huge = await exchange(
      port,
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX: ${"x".repeat(200_000)}\r\n\r\n`,
      "HTTP/1.1",
    ).catch(() => "");
    expect(huge).not.toContain("200 OK");
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  });

  test("at most 16 pages are live at once; the page itself and the metrics are served all the same", async () => {
    const { port } = (await start()).server.address;
    const controller = new AbortController();
    const open = () => fetch(`http://127.0.0.1:${port}/events`, { signal: controller.signal });
    const responses = await Promise.all(Array.from({ length: 20 }, open));
    const counts = Map.groupBy(responses, ({ status }) => status);
    expect([counts.get(200)?.length, counts.get(503)?.length]).toEqual([16, 4]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    controller.abort();
  });

  test("stopping ends open pages and frees the port", async () => {
    const { server, controller } = await start();
    const { port } = server.address;
    const page = await fetch(`http://127.0.0.1:${port}/events`);
    const ended = page.text().then(
      () => true,
      () => true,
    );
    controller.abort();
    await server.stopped;
    expect(await ended).toBe(true);
    expect((await start(port)).server.address.port).toBe(port);
  });

  test("a port that is taken is named with the key to change", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = other.address() as AddressInfo;
      await expect(start(port)).rejects.toThrow(StatusListenError);
      await expect(start(port)).rejects.toThrow(
        `Cannot listen on 127.0.0.1:${port} for the status page: it is in use; expected http.listen to name a free port`,
      );
    } finally {
      other.close();
    }
  });
});
