import { describe, expect, test } from "bun:test";
import type { Clock } from "../../src/clock.ts";
import { silentLog } from "../../src/log.ts";
import { createStatusApp, renderPageBody } from "../../src/status/app.tsx";
import { Live } from "../../src/status/live.ts";
import type { StatusReport } from "../../src/status/report.ts";
import { sampleNow, sampleReport, troubledReport } from "./sample-report.ts";

const stillClock: Clock = { now: () => sampleNow, monotonic: () => 0, after: () => () => {} };

function appOn(report: StatusReport | (() => StatusReport)) {
  const read = typeof report === "function" ? report : () => report;
  const live = new Live({ clock: stillClock, pagesMax: 2, render: () => renderPageBody(read(), sampleNow) });
  const app = createStatusApp({
    report: read,
    clock: stillClock,
    log: silentLog,
    live,
    pair: null,
    port: () => 8080,
    names: [],
    access: null,
    isEncrypted: false,
  });
  return {
    live,
    pair: null,
    get: (path: string, init: RequestInit = {}) => app.request(`http://127.0.0.1:8080${path}`, init),
  };
}

/** The page's text as a reader sees it. */
function textOf(html: string): string {
  return html
    .replaceAll("\u2009", "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
}

describe("the page", () => {
  test("answers at a glance: recording, connected, how far behind, disk, last row, open calls", async () => {
    const response = await appOn(sampleReport).get("/");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=UTF-8");
    const html = await response.text();
    expect(html).toStartWith('<!doctype html><html lang="en">');
    expect(html).toContain("<title>Recording · icon-a</title>");
    const text = textOf(html);
    for (const answer of [
      "Sources connected 2 of 2 448 events/s",
      "IDB behind 12 ms 3 records not applied",
      "Persistent queue on disk 6.0 GiB of 20.0 GiB, 76.0 GiB free",
      "Last row 0.3 s ago last commit 20 ms ago",
      "Open calls 73 181 parties",
      "north tevent connected 10.1.2.3:7001 2 h 5 min 0.4 s ago 412 3093481 2 17 1 3093462 3093460",
      "asterisk ami connected pbx.example:5038 2 h 5 min 0.4 s ago 35.3 81002 0 0 0 – –",
      "Since the IDB was made: 1 hole in its numbers; 3 calls and 7 parties closed that it no longer had when we came back.",
      "Durable up to position 9007199254740993",
      "data source connection lost source=north cause=silence session=41",
    ]) {
      expect(text).toContain(answer);
    }
  });

  test("says what is wrong on a bad night", async () => {
    const text = textOf(await (await appOn(troubledReport).get("/")).text());
    expect(text).toContain("Recording, but look Source asterisk is not connected. The IDB is locked;");
    expect(text).toContain("The IDB is more than a minute behind the persistent queue.");
    expect(text).toContain("Sources connected 1 of 2");
    expect(text).toContain("Last trouble: The server refused the connection; next attempt within 30 s.");
  });

  test("escapes whatever a source says", async () => {
    const [first] = sampleReport.sources;
    if (first === undefined) throw new Error("The sample report has no source");
    const sources = [{ ...first, run: '<script>alert("run")</script>', lastTrouble: "<img src=x>" }];
    const html = await (await appOn({ ...sampleReport, sources }).get("/")).text();
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain("<img");
    expect(html).toContain("&lt;script&gt;alert");
  });

  test("loads nothing from elsewhere and runs nothing inline", async () => {
    const { get } = appOn(sampleReport);
    const response = await get("/");
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const html = await response.text();
    const addresses = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address ?? "");
    expect(addresses.length).toBeGreaterThan(5);
    expect(addresses.filter((each) => !/^[/#]/.test(each) && each !== "data:,")).toEqual([]);
    expect(html).not.toMatch(/<script(?![^>]*src=)|<style| style="| on[a-z]+="/);
    for (const address of addresses.filter((each) => each.startsWith("/"))) {
      expect((await get(address)).status).toBe(200);
    }
  });
});

describe("for machines", () => {
  test("health is the process's alone", async () => {
    const response = await appOn({ ...troubledReport, queue: { ...troubledReport.queue, state: "failed" } }).get(
      "/healthz",
    );
    expect([response.status, await response.text()]).toEqual([200, "ok\n"]);
  });

  test("ready means queue and IDB open and every source connected", async () => {
    const response = await appOn(sampleReport).get("/readyz");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ready: true, reasons: [], warnings: [] });
  });

  test("a reader that lets the write-ahead log grow is warned of, and the instance is ready", async () => {
    const readers = [{ pid: 1234, command: "sqlite3" }];
    const walBlock = { since: sampleNow - 840_000, isAtLimit: false, readers };
    const app = appOn({ ...sampleReport, idb: { ...sampleReport.idb, walBlock } });
    const response = await app.get("/readyz");
    expect(response.status).toBe(200);
    const sentence =
      "Process 1234 (sqlite3) has been reading the IDB since 2026-11-25 02:46:00 UTC or longer, so its write-ahead log grows.";
    expect(await response.json()).toEqual({
      ready: true,
      reasons: [],
      warnings: [{ subject: "idb", source: null, sentence }],
    });
    const page = await (await app.get("/")).text();
    expect(page).toContain(sentence);
    expect(page).toContain("blocked for 14 min 0 s");
    expect(await (await app.get("/metrics")).text()).toMatch(
      /^icon_idb_wal_blocked_since_timestamp_seconds 1795574760$/m,
    );
  });

  test("not ready names every reason", async () => {
    const instance = { ...troubledReport.instance, state: "stopping" } as const;
    const queue = { ...troubledReport.queue, state: "full" } as const;
    const response = await appOn({ ...troubledReport, instance, queue }).get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      ready: false,
      reasons: [
        { subject: "instance", source: null, sentence: "The instance is stopping." },
        { subject: "queue", source: null, sentence: "The persistent queue is full." },
        { subject: "idb", source: null, sentence: "The IDB is locked." },
        { subject: "source", source: "asterisk", sentence: "Source asterisk is waiting." },
      ],
      warnings: [],
    });
  });

  test("the status as JSON holds the whole report, positions as digits", async () => {
    const response = await appOn(sampleReport).get("/api/v1/status");
    expect(response.headers.get("content-type")).toBe("application/json");
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({
      at: sampleNow,
      instance: { name: "icon-a", dbid: 9001, state: "running" },
      queue: { durablePosition: "9007199254740993", recordsNotApplied: 3 },
      openCalls: 73,
    });
    expect(Object.keys(body)).toEqual(["at", ...Object.keys(sampleReport)]);
  });

  test("the metrics parse as Prometheus text, in base units", async () => {
    const response = await appOn(troubledReport).get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const samples = new Map<string, number>();
    const types = new Map<string, string>();
    for (const line of (await response.text()).split("\n")) {
      if (line === "" || line.startsWith("# HELP ")) continue;
      const type = /^# TYPE (icon_[a-z_]+) (gauge|counter)$/.exec(line);
      const sample = /^(icon_[a-z_]+)((?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})?) (-?[0-9.e+-]+)$/.exec(line);
      if (type !== null) types.set(type[1] ?? "", type[2] ?? "");
      else if (sample !== null) samples.set(`${sample[1]}${sample[2]}`, Number(sample[3]));
      else throw new Error(`Not a line of Prometheus text: ${line}`);
    }
    for (const [name, type] of types) expect([name, type === "counter"]).toEqual([name, name.endsWith("_total")]);
    const expected = {
      'icon_source_connected{source="north"}': 1,
      'icon_source_connected{source="asterisk"}': 0,
      'icon_source_frames_total{source="north"}': 3_093_481,
      'icon_source_ended_unseen_total{source="north",what="call"}': 3,
      'icon_source_ended_unseen_total{source="north",what="party"}': 7,
      'icon_source_last_event_timestamp_seconds{source="north"}': (sampleNow - 400) / 1000,
      icon_queue_bytes: 6_442_450_944,
      icon_records_not_applied: 48_211,
      icon_oldest_not_applied_age_seconds: 94,
      icon_applied_position: 9_007_199_254_740_990,
      icon_open_calls: 73,
      'icon_idb_state{state="locked"}': 1,
      'icon_idb_state{state="open"}': 0,
      icon_ready: 0,
    };
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, samples.get(name)]))).toEqual(expected);
    // What is not known is left out, not 0.
    expect(samples.has('icon_source_connected_since_timestamp_seconds{source="asterisk"}')).toBe(false);
    expect(samples.has('icon_source_acked_sequence{source="asterisk"}')).toBe(false);
    expect(samples.get("icon_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  });

  test("an instance without sources and with nothing known yet has metrics all the same", async () => {
    const { queue, idb } = sampleReport;
    const text = await (
      await appOn({
        ...sampleReport,
        sources: [],
        queue: {
          ...queue,
          firstPosition: null,
          durablePosition: null,
          oldestNotAppliedAgeMs: null,
          diskFreeBytes: null,
        },
        idb: { ...idb, state: "unavailable", appliedPosition: null, lastCommitAt: null, lastRowAt: null },
      }).get("/metrics")
    ).text();
    expect(text).toContain("\nicon_oldest_not_applied_age_seconds 0\n");
    expect(text).not.toMatch(/^icon_(applied_position|queue_first_position|idb_last_row_timestamp_seconds|source_)/m);
  });
});

describe("who may ask", () => {
  test.each(["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080", "127.0.0.53:8080"])(
    "a Host header of %p is ours",
    async (host) => {
      expect((await appOn(sampleReport).get("/", { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    ...["icon.example:8080", "localhost.evil.example:8080", "127.0.0.1.evil.example:8080", "localhost:8081"],
    ...["localhost", "10.0.0.1:8080", "evil.example@localhost:8080", "[::2]:8080", ""],
  ])("a Host header of %p is refused on every path", async (host) => {
    for (const path of ["/", "/metrics", "/api/v1/status", "/events", "/healthz", "/nothing"]) {
      const response = await appOn(sampleReport).get(path, { headers: { host } });
      expect(response.status).toBe(421);
      expect(await response.text()).not.toContain("icon-a");
    }
  });

  test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])("%s is refused on every path", async (method) => {
    for (const path of ["/", "/api/v1/status", "/events", "/nothing"]) {
      const response = await appOn(sampleReport).get(path, { method });
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });

  test("HEAD answers as GET does, without a body, and holds no page open", async () => {
    const { get, live } = appOn(sampleReport);
    for (const path of ["/", "/metrics", "/events"]) {
      const response = await get(path, { method: "HEAD" });
      expect([response.status, await response.text()]).toEqual([200, ""]);
    }
    expect(live.pageCount).toBe(0);
  });

  test("another site's page can link here, and neither read nor hold a stream", async () => {
    const { get, live } = appOn(sampleReport);
    const from = (site: string, mode: string) => ({ headers: { "sec-fetch-site": site, "sec-fetch-mode": mode } });
    expect((await get("/", from("cross-site", "navigate"))).status).toBe(200);
    expect((await get("/events", from("cross-site", "cors"))).status).toBe(403);
    expect((await get("/api/v1/status", from("same-site", "no-cors"))).status).toBe(403);
    expect(live.pageCount).toBe(0);
    expect((await get("/api/v1/status", from("same-origin", "cors"))).status).toBe(200);
  });

  test("what is not there is said to be so, with the same headers", async () => {
    const response = await appOn(sampleReport).get("/../etc/passwd");
    expect(response.status).toBe(404);
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("a report that fails is answered with 500 and no detail", async () => {
    const { get } = appOn(() => {
      throw new Error("position 17 of /var/lib/icon");
    });
    for (const path of ["/", "/metrics", "/readyz", "/api/v1/status"]) {
      const response = await get(path);
      expect(response.status).toBe(500);
      expect(await response.text()).not.toContain("position 17");
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
    expect((await get("/healthz")).status).toBe(200);
  });
});
