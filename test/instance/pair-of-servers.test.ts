// The two servers of a pair: who is recorded when the roles change, and what is said when nobody or both are primary.

import { expect, test } from "bun:test";
import { type SimulatedTserver, startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { TemporaryDirectory, until } from "../harness/processes.ts";
import { Site, sourceSection } from "../harness/site.ts";

const quiet = { rate: 40, heartbeatMs: 500, lingerSeconds: 0, finalAckMs: 0, talkSeconds: 1, primaryDbid: 101 };

interface Pair {
  readonly north: SimulatedTserver;
  readonly south: SimulatedTserver;
  readonly site: Site;
  marks(): string[];
}

async function withPair(
  roles: readonly ["primary" | "backup", "primary" | "backup"],
  act: (pair: Pair) => Promise<void>,
): Promise<void> {
  using directory = new TemporaryDirectory("pair");
  const north = await startSimulatedTserver({ ...quiet, dbid: 101, role: roles[0], seed: 1 });
  const south = await startSimulatedTserver({ ...quiet, dbid: 102, role: roles[1], seed: 2 });
  try {
    const sources = sourceSection("north", [north.address, south.address], 101);
    await using site = new Site({ directory: directory.at("data"), sources });
    const marks = () =>
      site.query("SELECT KIND, DETAIL FROM ICON_MARK ORDER BY ID").map((each) => {
        const { KIND, DETAIL } = each as { KIND: string; DETAIL: string | null };
        return `${KIND}: ${DETAIL}`;
      });
    await act({ north, south, site, marks });
  } finally {
    for (const server of [north, south]) {
      server.stop();
      await server.finished;
    }
  }
}

test("roles change: the session on the other server is of type 5, and so is the one after they changed back", async () => {
  await withPair(["primary", "backup"], async ({ north, south, site }) => {
    await site.untilSessions("the primary is recorded", ([row]) => row?.LEVENT_ITIME != null);
    south.control.setRole("primary");
    north.control.setRole("backup");
    await site.untilSessions("the other is recorded", (rows) => rows[1]?.LEVENT_ITIME != null);
    north.control.setRole("primary");
    south.control.setRole("backup");
    const rows = await site.untilSessions("the first is again", (all) => all[2]?.LEVENT_ITIME != null);
    const told = rows.map((row) => [row.DSCONN_TYPE, row.DS_DBID, row.DS_DBID_PRIM, row.END_CAUSE, row.END_DETAIL]);
    expect(told).toEqual([
      [1, 101, 101, "switchover", "server is no longer primary"],
      [5, 102, 101, "switchover", "server is no longer primary"],
      [5, 101, 101, null, null],
    ]);
    expect((await site.get("/readyz")).status).toBe(200);
  });
}, 60_000);

test("the primary is lost and the backup takes over: connection lost, then type 5", async () => {
  await withPair(["primary", "backup"], async ({ north, south, site }) => {
    await site.untilSessions("the primary is recorded", ([row]) => row?.LEVENT_ITIME != null);
    north.control.setRole("backup"); // what it is when it comes back
    await site.untilSessions("its session ends", ([row]) => row?.END_CAUSE !== null);
    south.control.setRole("primary");
    const rows = await site.untilSessions("the other is recorded", (all) => all[1]?.LEVENT_ITIME != null);
    expect(rows[1]).toMatchObject({ DSCONN_TYPE: 5, DS_DBID: 102, DS_DBID_PRIM: 101 });
  });
}, 60_000);

test("both say backup: one mark, an alarm on page, /readyz and metrics; when one is primary again it is recorded and the alarm is over", async () => {
  await withPair(["backup", "backup"], async ({ south, site, marks }) => {
    await until("it is marked", 15_000, () => marks().some((mark) => mark.startsWith("no primary")));
    const alarm = "Source north has no primary: each says that it is the backup";
    expect(await site.pageText()).toContain(alarm);
    const readiness = await site.get("/readyz");
    expect(readiness.status).toBe(503);
    expect(readiness.text).toContain(alarm);
    const metric = 'icon_source_alarm{source="north",alarm="no primary"}';
    expect((await site.get("/metrics")).text).toContain(`${metric} 1`);
    const { reconnects } = JSON.parse((await site.get("/api/v1/status")).text).sources[0];
    await until("it is tried again and again", 15_000, async () => {
      return JSON.parse((await site.get("/api/v1/status")).text).sources[0].reconnects > reconnects + 4;
    });
    expect(marks().filter((mark) => mark.startsWith("no primary"))).toHaveLength(1);
    south.control.setRole("primary");
    const [row] = await site.untilSessions("the primary is recorded", ([first]) => first?.LEVENT_ITIME != null);
    expect(row).toMatchObject({ DSCONN_TYPE: 1, DS_DBID: 102 });
    expect(await site.pageText()).not.toContain(alarm);
    expect((await site.get("/readyz")).status).toBe(200);
    expect((await site.get("/metrics")).text).toContain(`${metric} 0`);
  });
}, 60_000);

test("both say primary: the session stays where it is, with a mark and an alarm until one gives way", async () => {
  await withPair(["primary", "primary"], async ({ south, site, marks }) => {
    await until("it is marked", 15_000, () => marks().some((mark) => mark.startsWith("two primaries")));
    const alarm = "Source north has two primaries, ";
    expect(await site.pageText()).toContain(alarm);
    const readiness = await site.get("/readyz");
    expect(readiness.status).toBe(200);
    expect(readiness.text).toContain(alarm);
    const metric = 'icon_source_alarm{source="north",alarm="two primaries"}';
    expect((await site.get("/metrics")).text).toContain(`${metric} 1`);
    expect(site.sessions()).toMatchObject([{ DS_DBID: 101, END_CAUSE: null }]);
    expect(south.progress().clientsServed).toBe(0);
  });
}, 60_000);
