// R10: an IDB that was deleted, cut short, overwritten, replaced by an older one, by that of another instance, or given a
// WAL that is not its own is noticed by the binary, put aside, and rebuilt from the persistent queue as far as that reaches
// back. An older one is led on. In the end it equals, row for row, what an undisturbed `icon rebuild` makes of the queue.
// ICON_IDB_DAMAGE=all tries everything; otherwise a part.

import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { openReading } from "../../src/idb/reading.ts";
import { differencesBetween, readWhole, rowCount } from "../harness/dump.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { seededRandom } from "../harness/load-verdict.ts";
import {
  dataDirectoryOf,
  Instance,
  type InstanceSetting,
  iconBinary,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";

const isAll = process.env["ICON_IDB_DAMAGE"] === "all";
const pageBytes = 4096;
const { next } = seededRandom("damaged IDB");
/** `tried` is counted first, the others when all checks have passed. */
const counts = { tried: 0, rebuilt: 0, ledOn: 0, rows: 0 };

let fixture: TemporaryDirectory;
/** Data directories: yesterday's and today's, each of an instance that stopped, and of one that was killed. */
const at = (name: string) => fixture.at(name);

beforeAll(async () => {
  await iconBinary();
  fixture = new TemporaryDirectory("damage-fixture");
  const { seed } = seededRandom("damaged IDB, events");
  await record("own", { dbid: 9001, seed }, ["killed yesterday", "stopped yesterday", "stopped", "killed"]);
  await record("foreign", { dbid: 9002, seed: seed + 1 }, ["killed foreign", "stopped foreign"]);
}, 120_000);

afterAll(() => {
  fixture[Symbol.dispose]();
  if (counts.rebuilt + counts.ledOn < counts.tried) return;
  figure(
    "R10",
    `IDB damaged ${counts.rebuilt + counts.ledOn} times: ${counts.rebuilt} rebuilt, ${counts.ledOn} led on, ` +
      `by themselves; ${counts.rows} rows equal an undisturbed rebuild`,
  );
});

/** One instance, run once for each name; its data directory as it stands then is kept under the name. */
async function record(directory: string, by: { dbid: number; seed: number }, names: readonly string[]): Promise<void> {
  await using load = await Load.start({
    name: "north",
    dbid: 101,
    seed: by.seed,
    eventsPerSecond: 3_000,
    paddingMax: 2_000,
  });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: at(directory), dbid: by.dbid, checkEvery: "off", sources };
  for (const name of names) {
    await using instance = await Instance.start(setting);
    await until("the source serves the instance", 20_000, () => load.isServed);
    const goal = load.producedSeq + 1_500;
    load.flow();
    await until("enough has happened", 30_000, () => load.producedSeq >= goal);
    load.pause();
    await until("everything is acknowledged", 20_000, () => load.ackedSeq === load.producedSeq);
    await until("everything is applied", 30_000, async () => (await instance.status()).queue.recordsNotApplied === 0);
    if (name.startsWith("killed")) await instance.kill();
    else expect(await instance.stop()).toBe(0);
    cpSync(dataDirectoryOf(setting), at(name), { recursive: true });
  }
}

const idb = (data: string) => join(data, "idb.db");
const wal = (data: string) => join(data, "idb.db-wal");

function deleteIdb(data: string): void {
  for (const suffix of ["", "-wal", "-shm"]) rmSync(idb(data) + suffix, { force: true });
}

function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, offset);
  closeSync(descriptor);
}

const noise = (length: number) => Uint8Array.from({ length }, () => Math.floor(next() * 256));

function overwritePage(data: string, page: number): void {
  overwrite(idb(data), (page - 1) * pageBytes, noise(pageBytes));
}

/** First page of a table or an index. */
function rootPage(data: string, name: string): number {
  const reading = openReading(idb(data));
  try {
    const [row] = reading.database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").all(name) as {
      rootpage: number;
    }[];
    if (row === undefined) throw new Error(`There is no ${name}`);
    return row.rootpage;
  } finally {
    reading.close();
  }
}

/** The page with a table's oldest rows: nothing that is written leads there. */
function oldestLeaf(data: string, table: string): number {
  const descriptor = openSync(idb(data), "r");
  try {
    for (let page = rootPage(data, table); ; ) {
      const bytes = Buffer.alloc(pageBytes);
      readSync(descriptor, bytes, 0, pageBytes, (page - 1) * pageBytes);
      const isInterior = bytes[0] === 0x05;
      if (!isInterior) return page;
      page = bytes.readUInt32BE(bytes.readUInt16BE(12));
    }
  } finally {
    closeSync(descriptor);
  }
}

type Outcome = "rebuilt" | "made" | "led on";

interface Case {
  readonly name: string;
  readonly of: "stopped" | "killed";
  readonly damage: (data: string) => void;
  /** rebuilt: the file is kept aside; made: there was nothing to keep; led on: the file was good and older. */
  readonly outcome: Outcome;
  readonly isQuick?: boolean;
}

function restore(data: string, from: string, suffixes: readonly string[]): void {
  for (const suffix of suffixes) copyFileSync(idb(at(from)) + suffix, idb(data) + suffix);
}

const truncations = ["to one byte", "to its first page", "to a half", "by a page"] as const;

function truncated(data: string, how: (typeof truncations)[number]): void {
  const { size } = statSync(idb(data));
  const half = Math.floor(size / 2 / pageBytes) * pageBytes;
  const sizes = { "to one byte": 1, "to its first page": pageBytes, "to a half": half, "by a page": size - pageBytes };
  truncateSync(idb(data), sizes[how]);
}

/** Bytes of the header that SQLite or we judge by. */
const headerBytes = { "page size": 16, "write version": 18, "application id": 68, encoding: 56 } as const;
const pages = [
  "G_CALL",
  "IDX_G_CALL_CALLID",
  "IDX_G_PARTY_CALLID",
  "ICON_APPLIED",
  "ICON_LIVE",
  "sqlite_autoindex_ICON_LIVE_1",
];

const cases: readonly Case[] = [
  { name: "deleted", of: "stopped", damage: deleteIdb, outcome: "made", isQuick: true },
  { name: "deleted after a kill, its WAL left", of: "killed", damage: (data) => rmSync(idb(data)), outcome: "made" },
  { name: "emptied", of: "stopped", damage: (data) => truncateSync(idb(data), 0), outcome: "made" },
  ...truncations.map(
    (how): Case => ({
      name: `cut ${how}`,
      of: "stopped",
      damage: (data) => truncated(data, how),
      outcome: "rebuilt",
      isQuick: how === "to a half",
    }),
  ),
  ...(["to a half", "to its first page"] as const).map(
    (how): Case => ({
      name: `cut ${how} after a kill`,
      of: "killed",
      damage: (data) => truncated(data, how),
      outcome: "rebuilt",
    }),
  ),
  { name: "first page overwritten", of: "stopped", damage: (data) => overwritePage(data, 1), outcome: "rebuilt" },
  ...Object.entries(headerBytes).map(
    ([what, offset]): Case => ({
      name: `header damaged: ${what}`,
      of: "stopped",
      damage: (data) => overwrite(idb(data), offset, Uint8Array.of(0x55, 0x66)),
      outcome: "rebuilt",
      isQuick: what === "write version",
    }),
  ),
  ...pages.map(
    (table): Case => ({
      name: `first page of ${table} overwritten`,
      of: "stopped",
      damage: (data) => overwritePage(data, rootPage(data, table)),
      outcome: "rebuilt",
      isQuick: table === "IDX_G_CALL_CALLID",
    }),
  ),
  {
    name: "a page of old rows overwritten that nothing reads",
    of: "stopped",
    damage: (data) => overwritePage(data, oldestLeaf(data, "G_PARTY_HISTORY")),
    outcome: "rebuilt",
    isQuick: true,
  },
  {
    name: "yesterday's put back",
    of: "stopped",
    damage: (data) => restore(data, "stopped yesterday", [""]),
    outcome: "led on",
    isQuick: true,
  },
  {
    name: "yesterday's put back with its WAL",
    of: "killed",
    damage: (data) => restore(data, "killed yesterday", ["", "-wal"]),
    outcome: "led on",
  },
  {
    name: "yesterday's put back beside today's WAL",
    of: "killed",
    damage: (data) => restore(data, "stopped yesterday", [""]),
    outcome: "rebuilt",
    isQuick: true,
  },
  {
    name: "yesterday's WAL put beside today's",
    of: "stopped",
    damage: (data) => restore(data, "killed yesterday", ["-wal"]),
    outcome: "rebuilt",
  },
  {
    name: "the WAL of another instance put beside it",
    of: "stopped",
    damage: (data) => restore(data, "killed foreign", ["-wal"]),
    outcome: "rebuilt",
  },
  {
    name: "the IDB of another instance put there",
    of: "stopped",
    damage: (data) => restore(data, "stopped foreign", [""]),
    outcome: "rebuilt",
    isQuick: true,
  },
  {
    name: "the IDB of another instance put there with its WAL",
    of: "killed",
    damage: (data) => restore(data, "killed foreign", ["", "-wal"]),
    outcome: "rebuilt",
  },
  {
    name: "its WAL cut in the middle",
    of: "killed",
    damage: (data) => truncateSync(wal(data), Math.floor(statSync(wal(data)).size / 2)),
    outcome: "led on",
  },
];

const putAside = "IDB is put aside and rebuilt from the persistent queue";
const timesPutAside = (instance: Instance) => instance.log().filter(({ event }) => event === putAside).length;
const keptAside = (data: string) =>
  readdirSync(data).filter((file) => /^idb\.db\.damaged-\d{8}T\d{6}\.\d{3}Z(-\d+)?$/.test(file)).length;

async function allApplied(instance: Instance): Promise<boolean> {
  const { queue, idb: applied } = await instance.status();
  return applied.state === "open" && applied.appliedPosition !== null && queue.recordsNotApplied === 0;
}

/** Its rows, ids and live state are those of an undisturbed rebuild of the same queue. */
async function expectEqualRebuild(data: string): Promise<void> {
  const out = join(data, "undisturbed.db");
  rmSync(out, { force: true });
  const child = Bun.spawn([await iconBinary(), "rebuild", data, "--out", out], { stdout: "ignore", stderr: "ignore" });
  expect(await child.exited).toBe(0);
  const undisturbed = readWhole(out);
  expect(differencesBetween(undisturbed, readWhole(idb(data))).slice(0, 5)).toEqual([]);
  expect(rowCount(undisturbed, "G_PARTY_HISTORY")).toBeGreaterThan(0);
  for (const table of undisturbed.keys()) counts.rows += rowCount(undisturbed, table);
}

for (const { name, of, damage, outcome } of cases.filter(({ isQuick }) => isAll || isQuick)) {
  test(`${name}, while the instance was ${of}: it is ${outcome} by itself, and equals an undisturbed rebuild`, async () => {
    using directory = new TemporaryDirectory("damage");
    const setting: InstanceSetting = { directory: directory.path, checkEvery: "1s", sources: [] };
    const data = dataDirectoryOf(setting);
    counts.tried += 1;
    cpSync(at(of), data, { recursive: true });
    damage(data);
    await using instance = await Instance.start(setting);
    await instance.ready();
    if (outcome === "rebuilt") await until("the damage is noticed", 30_000, () => timesPutAside(instance) > 0);
    await until("everything is applied", 30_000, () => allApplied(instance));
    expect(await instance.stop()).toBe(0);
    expect([timesPutAside(instance), keptAside(data)]).toEqual(outcome === "rebuilt" ? [1, 1] : [0, keptAside(data)]);
    await expectEqualRebuild(data);
    if (outcome === "led on") counts.ledOn += 1;
    else counts.rebuilt += 1;
  }, 120_000);
}

test("with the first segments trimmed it is rebuilt from the oldest that has its live state, and says what is not known", async () => {
  using directory = new TemporaryDirectory("damage");
  const setting: InstanceSetting = { directory: directory.path, checkEvery: "off", sources: [] };
  const data = dataDirectoryOf(setting);
  counts.tried += 1;
  cpSync(at("stopped"), data, { recursive: true });
  const queue = join(data, "queue");
  const segments = readdirSync(queue)
    .filter((file) => file.endsWith(".segment"))
    .sort();
  expect(segments.length).toBeGreaterThan(2);
  for (const file of readdirSync(queue)) {
    if (file.startsWith((segments[0] ?? "").slice(0, 20))) rmSync(join(queue, file));
  }
  overwritePage(data, rootPage(data, "ICON_APPLIED"));
  await using instance = await Instance.start(setting);
  await until("everything is applied", 30_000, () => allApplied(instance));
  expect(await instance.stop()).toBe(0);
  expect(timesPutAside(instance)).toBe(1);
  await expectEqualRebuild(data);
  const reading = openReading(idb(data));
  const rows = <T>(sql: string) => reading.database.prepare(sql).all() as T[];
  const oldest = Number((segments[1] ?? "").slice(0, 20));
  const marks = rows<{ POSITION: number }>("SELECT POSITION FROM ICON_MARK WHERE KIND = 'history not kept'");
  const [first] = rows<{ FAULTS: string }>("SELECT FAULTS FROM ICON_WINDOW ORDER BY WINDOW_TS");
  const doubtful = rows(
    "SELECT 1 FROM ICON_ROW_QUALITY WHERE REASON = 'earlier rows not kept' AND TABLE_NAME = 'G_CALL'",
  );
  reading.close();
  expect(marks.map(({ POSITION }) => POSITION)).toEqual([oldest]);
  expect(first?.FAULTS).toContain("history not kept");
  expect(doubtful.length).toBeGreaterThan(0);
  counts.rebuilt += 1;
}, 120_000);

test("damaged again and again while it runs, it is noticed each time and rebuilt while events go on", async () => {
  using directory = new TemporaryDirectory("damage");
  const { seed } = seededRandom("IDB damaged while running");
  await using load = await Load.start({ name: "north", dbid: 101, seed, eventsPerSecond: 500, paddingMax: 300 });
  const setting: InstanceSetting = {
    directory: directory.path,
    checkEvery: "1s",
    sources: [{ name: "north", address: load.address, dbid: 101 }],
  };
  const data = dataDirectoryOf(setting);
  const old = directory.at("yesterday.db");
  await using instance = await Instance.start(setting);
  await until("the source serves the instance", 20_000, () => load.isServed);
  load.flow();
  await until("there are old rows", 30_000, async () => Number((await instance.status()).idb.appliedPosition) > 1_000);
  copyFileSync(idb(data), old);
  const running: readonly (readonly [string, () => void])[] = [
    ["cut to a half", () => truncateSync(idb(data), Math.floor(statSync(idb(data)).size / 2))],
    ["a page of old rows overwritten", () => overwritePage(data, oldestLeaf(data, "G_PARTY_HISTORY"))],
    ["yesterday's moved over it", () => renameSync(old, idb(data))],
    ["emptied", () => truncateSync(idb(data), 0)],
    ["another instance's moved over it", () => copyOver(idb(at("stopped foreign")), idb(data))],
  ];
  const chosen = isAll ? running : running.slice(0, 2);
  for (const [index, [what, damage]] of chosen.entries()) {
    // What is in the WAL alone cannot be damaged in the file: enough has to have been moved there.
    await until("rows are in the file itself", 60_000, () => statSync(idb(data)).size > 64 * pageBytes || index > 1);
    damage();
    counts.tried += 1;
    await until(`${what}: it is noticed`, 60_000, () => timesPutAside(instance) === index + 1);
    await until(`${what}: it is rebuilt`, 60_000, async () => existsSync(idb(data)) && (await allApplied(instance)));
  }
  load.pause();
  await until("everything is acknowledged", 20_000, () => load.ackedSeq === load.producedSeq);
  await until("everything is applied", 30_000, () => allApplied(instance));
  expect(await instance.stop()).toBe(0);
  expect(timesPutAside(instance)).toBe(chosen.length);
  await expectEqualRebuild(data);
  counts.rebuilt += chosen.length;
}, 300_000);

/** Another file under the name, as `mv` across file systems or a restore tool puts it. */
function copyOver(from: string, to: string): void {
  copyFileSync(from, `${to}.restored`);
  renameSync(`${to}.restored`, to);
}
