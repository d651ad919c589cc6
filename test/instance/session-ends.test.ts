// Why a data source session ended, told apart down to the rows: a whole instance on real sockets, a simulated T-Server
// that does what servers do, and the rows of G_DSS_GCC_PROVIDER and ICON_DSS.

import { expect, test } from "bun:test";
import { cpSync, writeFileSync } from "node:fs";
import type { TserverOptions } from "../../src/simulator/tserver/options.ts";
import { type SimulatedTserver, startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { FloodServer } from "../harness/flood-server.ts";
import { TemporaryDirectory, until } from "../harness/processes.ts";
import { type SessionRow, Site, sourceSection } from "../harness/site.ts";

const quiet = { rate: 40, heartbeatMs: 500, lingerSeconds: 0, finalAckMs: 0, talkSeconds: 1 };

interface Given {
  readonly site: Site;
  readonly north: SimulatedTserver;
  readonly sources: string;
}

interface Case {
  readonly what: string;
  readonly server?: Partial<TserverOptions>;
  /** Brings about the end; afterwards the session's rows are waited for. */
  readonly provoke: (given: Given) => Promise<unknown> | unknown;
  readonly first: Partial<SessionRow>;
  /** Of the session after it; null: there is none. */
  readonly next: Partial<SessionRow> | null;
}

// Bun takes up to ten times 512 KiB from one socket before the next one's turn.
const turnBytesMax = 6 * 1024 * 1024;

const seen = { IS_END_SEEN: 1, ICON_ETIME: null };

const cases: readonly Case[] = [
  {
    what: "source shutdown: the server said goodbye",
    provoke: ({ north }) => north.control.cut("bye"),
    first: { END_CAUSE: "source shutdown", END_DETAIL: "shutdown", ...seen },
    next: { DSCONN_TYPE: 2 },
  },
  {
    what: "connection lost: reset",
    provoke: ({ north }) => north.control.cut("reset"),
    first: { END_CAUSE: "connection lost", ...seen },
    next: { DSCONN_TYPE: 2 },
  },
  {
    what: "connection lost: the stream ended without a goodbye",
    provoke: ({ north }) => north.control.cut("end"),
    first: { END_CAUSE: "connection lost", END_DETAIL: "server closed the connection", ...seen },
    next: { DSCONN_TYPE: 2 },
  },
  {
    what: "silence: three heartbeats missed",
    provoke: ({ north }) => north.control.freeze(),
    first: { END_CAUSE: "silence", ...seen },
    next: null,
  },
  {
    what: "CTI link down: the connection goes on, and what comes after the link is back is another session, of type 4",
    provoke: async ({ north, site }) => {
      north.control.cti("down");
      await site.untilSessions("the row ends", ([row]) => row?.DSCONN_ETIME !== null);
      expect(site.sessions()[0]).toMatchObject({ END_CAUSE: null });
      expect(await site.pageText()).toContain("Source north has lost its CTI link");
      const { text } = await site.get("/metrics");
      expect(text).toContain('icon_source_alarm{source="north",alarm="CTI link down"} 1');
      north.control.cti("up");
    },
    first: { END_CAUSE: "CTI link down", END_DETAIL: null, ...seen },
    next: { DSCONN_TYPE: 4 },
  },
  {
    what: "CTI link down, and then the connection was lost: the session had ended before",
    provoke: async ({ north, site }) => {
      north.control.cti("down");
      await site.untilSessions("the row ends", ([row]) => row?.DSCONN_ETIME !== null);
      north.control.cut("end");
    },
    first: { END_CAUSE: "CTI link down", END_DETAIL: "then connection lost: server closed the connection", ...seen },
    next: { DSCONN_TYPE: 2 },
  },
  {
    what: "reload: the configuration changed how it is connected to, which is no stop of the instance",
    provoke: ({ site, sources }) => site.reload(sources.replace('"0.2s"', '"0.3s"')),
    first: { END_CAUSE: "reload", ...seen },
    next: { DSCONN_TYPE: 2 },
  },
];

for (const { what, server, provoke, first, next } of cases) {
  test(what, async () => {
    using directory = new TemporaryDirectory("ends");
    const north = await startSimulatedTserver({ ...quiet, ...server });
    const sources = sourceSection("north", [north.address], 101);
    try {
      await using site = new Site({ directory: directory.at("data"), sources });
      await site.untilSessions("events are recorded", ([row]) => row?.LEVENT_ITIME != null);
      await provoke({ site, north, sources });
      const rows = await site.untilSessions("the end is in the rows", (all) => {
        return all[0]?.END_CAUSE != null && (next === null || all.length > 1);
      });
      expect(rows[0]).toMatchObject(first);
      expect(rows[0]?.DSCONN_ETIME).not.toBeNull();
      if (next !== null) expect(rows[1]).toMatchObject({ ...next, DS_DBID: 101, END_CAUSE: null });
      expect(await site.pageText()).toContain(` ago: ${lastOf(rows[0])}`);
      const { text: metrics } = await site.get("/metrics");
      expect(metrics).toContain(`icon_source_session_ends_total{source="north",cause="${lastOf(rows[0])}"} `);
    } finally {
      north.stop();
      await north.finished;
    }
  }, 60_000);
}

/** What the connection itself ended by: where the CTI link was lost before, the detail says it. */
function lastOf(row: SessionRow | undefined): string {
  return /^then ([a-z ]+)/.exec(row?.END_DETAIL ?? "")?.[1] ?? row?.END_CAUSE ?? "";
}

test("our back-pressure: the server gave up on a connection that was not read, because nothing became durable", async () => {
  using directory = new TemporaryDirectory("ends");
  using flood = new FloodServer({ dbid: 101, giveUpMs: 1_500 });
  const sources = sourceSection("north", [flood.address], 101);
  await using site = new Site({ directory: directory.at("data"), sources });
  await site.untilSessions("events are recorded", ([row]) => row?.LEVENT_ITIME != null);
  site.disk.hold();
  await until("the source is held back", 10_000, async () => (await site.source()).isHeldBack);
  expect(await site.pageText()).toContain("Not read at the moment");
  const bound = (await site.source()).allowanceBytes;
  await until("the server gives it up", 20_000, () => flood.givenUp > 0);
  // What the runtime reads in one turn may come on top of the bound, and nothing more.
  expect((await site.source()).notDurableBytes).toBeLessThan(bound + turnBytesMax);
  site.disk.goOn();
  // On a machine that is busy the server may have given up a connection before, for nobody had the time to read it.
  const heldBack = (all: readonly SessionRow[]) => all.findIndex((row) => row.END_CAUSE === "our back-pressure");
  const rows = await site.untilSessions("the end is in the rows", (all) => {
    return heldBack(all) !== -1 && all.length > heldBack(all) + 1;
  });
  const [first, next] = rows.slice(heldBack(rows));
  expect(first).toMatchObject({ END_CAUSE: "our back-pressure", ...seen });
  expect(first?.END_DETAIL).toMatch(/^not read for \d+\.\d s: more than \d+ bytes of it were not durable yet; /);
  expect(next).toMatchObject({ DSCONN_TYPE: 2 });
  expect(await site.pageText()).toContain(" ago: our back-pressure");
}, 60_000);

test("our stop ends the session and the instance, our crash is found at the next start and closes it at its last arrival", async () => {
  using directory = new TemporaryDirectory("ends");
  const north = await startSimulatedTserver(quiet);
  const sources = sourceSection("north", [north.address], 101);
  try {
    let lastHeard: string | null = null;
    {
      await using site = new Site({ directory: directory.at("data"), sources });
      const [row] = await site.untilSessions("events are recorded", ([first]) => first?.LEVENT_ITIME != null);
      lastHeard = row?.LEVENT_ITIME ?? null;
      // What a process that is gone at this moment leaves: its persistent queue as it stands.
      cpSync(site.queueDirectory, directory.at("crashed", "queue"), { recursive: true });
      await site.stop();
      expect(site.sessions()[0]).toMatchObject({ END_CAUSE: "our stop", IS_END_SEEN: 1 });
      expect(site.sessions()[0]?.ICON_ETIME).toBe(site.sessions()[0]?.DSCONN_ETIME ?? "");
    }
    await using again = new Site({ directory: directory.at("crashed"), sources });
    const [crashed, next] = await again.untilSessions("the next session is there", (rows) => rows.length > 1);
    expect(crashed).toMatchObject({ END_CAUSE: "our crash", IS_END_SEEN: 0, ICON_ETIME: null });
    const endedAt = Date.parse(crashed?.DSCONN_ETIME ?? "");
    expect(endedAt).toBeGreaterThanOrEqual(Date.parse(lastHeard ?? ""));
    expect(endedAt).toBeLessThan(Date.parse(next?.DSCONN_STIME ?? ""));
    expect(next).toMatchObject({ DSCONN_TYPE: 1, END_CAUSE: null });
    expect(await again.pageText()).toContain("Last session ended : our crash (found at this start)");
  } finally {
    north.stop();
    await north.finished;
  }
}, 60_000);

test("a server that refuses the token: the session ends as that, and page, /readyz and metrics say so until it is mended", async () => {
  using directory = new TemporaryDirectory("ends");
  const north = await startSimulatedTserver({ ...quiet, token: "secret" });
  try {
    const sources = sourceSection("north", [north.address], 101);
    await using site = new Site({ directory: directory.at("data"), sources });
    const [row] = await site.untilSessions("the refusal is in the rows", ([first]) => first?.END_CAUSE != null);
    const refusal = "server refuses: auth: wrong or missing token";
    expect(row).toMatchObject({ END_CAUSE: "protocol error", END_DETAIL: refusal });
    const alarm = `Source north and this instance do not accept each other: protocol error: ${refusal}`;
    expect(await site.pageText()).toContain(alarm);
    expect(JSON.parse((await site.get("/readyz")).text).reasons).toContainEqual({
      subject: "source",
      source: "north",
      sentence: `${alarm}.`,
    });
    expect((await site.get("/metrics")).text).toContain('icon_source_alarm{source="north",alarm="refused"} 1');
    const tokenFile = directory.at("token");
    writeFileSync(tokenFile, "secret\n", { mode: 0o600 });
    site.reload(sourceSection("north", [north.address], 101, `token_file = "${tokenFile}"`));
    await site.untilSessions("it is recorded", (rows) => rows.some(({ LEVENT_ITIME }) => LEVENT_ITIME !== null));
    expect((await site.get("/readyz")).status).toBe(200);
    expect((await site.get("/metrics")).text).toContain('icon_source_alarm{source="north",alarm="refused"} 0');
  } finally {
    north.stop();
    await north.finished;
  }
}, 60_000);
