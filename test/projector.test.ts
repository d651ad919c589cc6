import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "libsql";
import { systemClock } from "../src/clock.ts";
import { judgeConfig } from "../src/config.ts";
import { IdbBusyError } from "../src/idb/error.ts";
import { openIdb } from "../src/idb/open.ts";
import { runInstance } from "../src/instance.ts";
import { silentLog } from "../src/log.ts";
import { Projector } from "../src/projector.ts";
import { openQueue } from "../src/queue/queue.ts";
import { QueueReader } from "../src/queue/reader.ts";
import { systemDisk } from "../src/queue/system-disk.ts";
import { startSimulatedTserver } from "../src/simulator/tserver/simulated-tserver.ts";
import { systemNetwork } from "../src/source/network.ts";
import { seeded } from "./harness/fake-network.ts";
import { Story, startMs } from "./harness/story.ts";

/** Records a simulated T-Server with gaps, cuts and a restart; what is in the directory then is the fixture. */
async function recordQueue(directory: string): Promise<void> {
  const server = await startSimulatedTserver({
    seed: 5,
    rate: 1500,
    seconds: 3,
    clientsMin: 1,
    lingerSeconds: 4,
    heartbeatMs: 500,
    cutEvery: { min: 0.7, max: 0.9 },
    cutFor: { min: 0.1, max: 0.2 },
    gapAt: [1.5],
    restartAt: [2.2],
    talkSeconds: 1,
    transferPercent: 20,
  });
  const { config } = judgeConfig(
    `[instance]
name = "icon-a"
dbid = 9001
data_dir = "${directory}"
[callconcentrator]
role = "gcc"
[queue]
segment_bytes = "2MiB"
[idb]
window = "1s"
[http]
listen = "off"
[[source]]
name = "north"
kind = "tevent"
addresses = ["${server.address}"]
dbid = 101
switch_dbid = 1
reconnect_min = "0.1s"
reconnect_max = "0.2s"
[source.gts]
call-deletion-timeout = 1
`,
    join(directory, "icon.toml"),
  );
  const stop = new AbortController();
  const surroundings = {
    clock: systemClock,
    log: silentLog,
    disk: systemDisk,
    network: systemNetwork,
    random: seeded(3),
    waiting: () => {},
    ready: () => {},
    alive: () => {},
  };
  const running = runInstance(config, surroundings, stop.signal);
  await server.finished;
  stop.abort();
  await running;
}

interface Folding {
  /** How far to go at most in one step, as if only so much were durable. */
  readonly step: () => bigint;
  /** Whether to forget everything and go on from what the IDB holds. */
  readonly restarts: () => boolean;
  /** The durable position; left out: all there is. */
  readonly upTo?: bigint;
}

/** Folds the queue into a new IDB and returns every row of every table but the counts of commits. */
function fold(queue: string, idbPath: string, { step, restarts, upTo }: Folding): Record<string, unknown[]> {
  const open = () => openIdb({ path: idbPath, log: silentLog, windowSeconds: 1 });
  const reader = () => new QueueReader({ disk: systemDisk, directory: queue });
  const end = upTo ?? reader().lastWholePosition();
  let idb = open();
  let projector = new Projector({ reader: reader(), idb, log: silentLog });
  for (let durable = 0n; durable < end; ) {
    durable = least(end, durable + step());
    while (projector.advance(durable)) if (restarts()) break;
    if (restarts()) {
      idb.close();
      idb = open();
      projector = new Projector({ reader: reader(), idb, log: silentLog });
    }
  }
  while (projector.advance(end));
  idb.close();
  return rowsOf(idbPath);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function rowsOf(idbPath: string): Record<string, unknown[]> {
  const database = new Database(idbPath, { readonly: true });
  const names = database
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
    .all() as { name: string }[];
  const rows = Object.fromEntries(
    names
      .filter(({ name }) => name !== "ICON_MIGRATION")
      .map(({ name }) => [
        name,
        database
          .prepare(`SELECT * FROM ${name}`)
          .all()
          .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
      ]),
  );
  for (const row of rows["ICON_APPLIED"] as Record<string, unknown>[]) {
    delete row["COMMITS"];
    delete row["IDB_ID"];
  }
  database.close();
  return rows;
}

test("the same queue gives the same rows, however it is cut into batches and wherever the instance was restarted", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    await recordQueue(directory);
    const queue = join(directory, "queue");
    const live = rowsOf(join(directory, "idb.db"));
    expect((live["G_CALL"] ?? []).length).toBeGreaterThan(100);
    expect((live["ICON_ROW_QUALITY"] ?? []).length).toBeGreaterThan(10);
    const atOnce = fold(queue, join(directory, "at-once.db"), { step: () => 1_000_000n, restarts: () => false });
    expect(atOnce).toEqual(live);
    const seed = 20261123;
    const random = seeded(seed);
    const inPieces = fold(queue, join(directory, "pieces.db"), {
      step: () => BigInt(1 + Math.floor(random() * 300)),
      restarts: () => random() < 0.3,
    });
    expect(inPieces, `seed ${seed}`).toEqual(live);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);

test("every call, party and history row refers to a time step, a session and a call that are there", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    await recordQueue(directory);
    const database = new Database(join(directory, "idb.db"), { readonly: true });
    const count = (sql: string) => (database.prepare(`SELECT COUNT(*) AS n FROM ${sql}`).get() as { n: number }).n;
    for (const [table, column] of [
      ["G_CALL", "CREATED_TCODE"],
      ["G_CALL", "TERMINATED_TCODE"],
      ["G_PARTY", "CREATED_TCODE"],
      ["G_PARTY", "TERMINATED_TCODE"],
      ["G_PARTY_HISTORY", "ADDED_TCODE"],
      ["G_CALL_HISTORY", "ADDED_TCODE"],
    ]) {
      const missing = `${table} WHERE ${column} NOT IN (SELECT ID FROM G_TIMECODE)`;
      expect([table, column, count(missing)]).toEqual([table, column, 0]);
    }
    expect(count("G_CALL WHERE GSYS_DOMAIN NOT IN (SELECT DSS_ID FROM G_DSS_GCC_PROVIDER)")).toBe(0);
    expect(count("G_PARTY WHERE CALLID NOT IN (SELECT CALLID FROM G_CALL)")).toBe(0);
    expect(count("G_PARTY_HISTORY WHERE PARTYID NOT IN (SELECT PARTYID FROM G_PARTY)")).toBe(0);
    expect(count("G_CALL WHERE IRID NOT IN (SELECT IRID FROM G_IR)")).toBe(0);
    expect(count("G_CALL_ACTIVE WHERE CALLID NOT IN (SELECT CALLID FROM G_CALL WHERE TERMINATED IS NULL)")).toBe(0);
    expect(count("G_CALL WHERE TERMINATED IS NULL")).toBe(count("G_CALL_ACTIVE"));
    expect(count("G_IR WHERE STATE = 1")).toBe(count("G_IR_ACTIVE"));
    expect(count("G_PROV_CONTROL")).toBe(1);
    database.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);

/** A real queue with these records in it. */
async function queueOf(directory: string, payloads: readonly Uint8Array[]): Promise<void> {
  await using queue = await openQueue({
    directory,
    segmentBytes: 2 * 1024 * 1024,
    reserveBytes: 0,
    pendingBytesMax: 1024 * 1024,
    disk: systemDisk,
    clock: systemClock,
    log: silentLog,
    head: () => new Uint8Array(0),
  });
  let last = 0n;
  for (const payload of payloads) last = queue.append(payload);
  await queue.durable(last);
}

const ringing = (stay: number) =>
  [stay, "EventRinging", { ThisDN: `50${stay}`, ThisDNRole: 2, PartyUUID: `P${stay}`, CallUUID: `C${stay}` }] as const;

test("a damaged record costs that record: the ones behind it are projected once, in two steps as in one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    const story = new Story().events(...[1, 2, 3, 4, 5, 6].map(ringing));
    const queue = join(directory, "queue");
    await queueOf(queue, story.payloads);
    const [segment] = readdirSync(queue).filter((name) => name.endsWith(".segment"));
    const file = join(queue, segment ?? "");
    const bytes = readFileSync(file);
    const at = bytes.indexOf("P3");
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const whole = { restarts: () => false, upTo: BigInt(story.payloads.length) };
    const inSteps = fold(queue, join(directory, "steps.db"), { ...whole, step: () => 4n });
    const atOnce = fold(queue, join(directory, "once.db"), { ...whole, step: () => 100n });
    const calls = (rows: Record<string, unknown[]>) =>
      (rows["G_CALL"] as { CALLID: string }[]).map(({ CALLID }) => CALLID).toSorted();
    expect(calls(atOnce)).toEqual(["C1", "C2", "C4", "C5", "C6"]);
    expect(inSteps).toEqual(atOnce);
    const windows = atOnce["ICON_WINDOW"] as { EVENTS: number; FAULTS: string; HOLES: string }[];
    expect(windows.reduce((sum, { EVENTS }) => sum + EVENTS, 0)).toBe(5);
    expect(JSON.stringify(windows)).toContain("damaged record");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a position on which the recorder died three times is passed over, kept, and everything else goes on", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    const queue = join(directory, "queue");
    const story = new Story().events(...[1, 2, 3].map(ringing));
    await queueOf(queue, story.payloads);
    const end = BigInt(story.payloads.length);
    const idb = openIdb({ path: join(directory, "idb.db"), log: silentLog, windowSeconds: 60 });
    const reader = () => new QueueReader({ disk: systemDisk, directory: queue });
    const before = end - 2n;
    const healthy = new Projector({ reader: reader(), idb, log: silentLog });
    while (healthy.advance(before));
    for (const [count, passed] of [
      [2, 0],
      [3, 1],
    ] as const) {
      const deaths = { position: before, count };
      const projector = new Projector({ reader: reader(), idb, log: silentLog, deaths });
      if (count === 3) while (projector.advance(end));
      expect([count, projector.status().recordsPassedOver]).toEqual([count, passed]);
    }
    idb.close();
    const rows = rowsOf(join(directory, "idb.db"));
    expect((rows["G_CALL"] as { CALLID: string }[]).map(({ CALLID }) => CALLID).toSorted()).toEqual(["C1", "C3"]);
    expect(rows["ICON_UNDECODED"]).toMatchObject([
      { POSITION: Number(end) - 1, REASON: "Error: the recorder died on it" },
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("the recorder's report tells each source's last word and its holes as the ledger has them", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    const queue = join(directory, "queue");
    const story = new Story().snapshot(0).heartbeat(1).events(ringing(2)).skip(3).events(ringing(4)).heartbeat(9);
    await queueOf(queue, story.payloads);
    const idb = openIdb({ path: join(directory, "idb.db"), log: silentLog, windowSeconds: 60 });
    const projector = new Projector({
      reader: new QueueReader({ disk: systemDisk, directory: queue }),
      idb,
      log: silentLog,
    });
    expect(projector.status()).toMatchObject({ lastWord: {}, holes: {} });
    while (projector.advance(BigInt(story.payloads.length)));
    const { lastWord, holes } = projector.status();
    idb.close();
    const spans = rowsOf(join(directory, "idb.db"))["ICON_COVERAGE"] as { UNTIL_TIME: string }[];
    expect(spans.length).toBe(2);
    expect(holes).toEqual({ north: 1 });
    expect(lastWord).toEqual({ north: startMs + 9_000 });
    expect(spans.map(({ UNTIL_TIME }) => Date.parse(UNTIL_TIME))).toContain(startMs + 9_000);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("while somebody has the IDB locked no record is read and no row waits in memory; then all of them are written", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-projector-"));
  try {
    const queue = join(directory, "queue");
    const story = new Story().events(...[1, 2, 3].map(ringing));
    await queueOf(queue, story.payloads);
    const end = BigInt(story.payloads.length);
    const idb = openIdb({ path: join(directory, "idb.db"), log: silentLog, windowSeconds: 60 });
    const reader = new QueueReader({ disk: systemDisk, directory: queue });
    const projector = new Projector({ reader, idb, log: silentLog });
    while (projector.advance(end - 2n));
    const before = { ...projector.status(), reads: reader.position };
    const somebody = new Database(join(directory, "idb.db"));
    somebody.exec("BEGIN IMMEDIATE");
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(() => projector.advance(end)).toThrow(IdbBusyError);
      expect({ ...projector.status(), reads: reader.position }).toEqual(before);
    }
    somebody.exec("ROLLBACK");
    somebody.close();
    while (projector.advance(end));
    expect(projector.status()).toMatchObject({ appliedPosition: end, recordsProjected: Number(end), openCalls: 3 });
    idb.close();
    const rows = rowsOf(join(directory, "idb.db"));
    expect((rows["G_CALL"] as { CALLID: string }[]).map(({ CALLID }) => CALLID).toSorted()).toEqual(["C1", "C2", "C3"]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
