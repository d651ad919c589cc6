// `icon rebuild` as an operator runs it: a process of its own, real files, real signals.

import { expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { callTypes } from "../../src/event/happening.ts";
import { runIcon } from "../commands/run-icon.ts";
import { asteriskPayloads } from "../harness/ami-payloads.ts";
import { loadRecording } from "../harness/ami-recording.ts";
import { copyIdb, type Dump, differencesBetween, readDump, readWhole, rowCount } from "../harness/dump.ts";
import { TemporaryDirectory, until } from "../harness/processes.ts";
import { filesOf, fold, manyCalls, openStored, store, trim } from "../harness/stored-story.ts";

const entry = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

interface Report {
  readonly idb: string;
  readonly putAside: string | null;
  readonly begunAt: string;
  readonly begunWith: string;
  readonly lastPosition: string;
  readonly knownFrom: string | null;
  readonly records: number;
  readonly events: number;
  readonly rows: number;
  readonly undecoded: number;
  readonly damaged: number;
  readonly windowSeconds: number;
}

async function rebuilt(data: string, ...words: readonly string[]): Promise<Report> {
  const { exitCode, stdout, stderr } = await runIcon(["rebuild", data, "--json", ...words], data);
  expect([
    exitCode,
    stderr
      .split("\n")
      .filter((line) => !line.includes("not known here"))
      .join(),
  ]).toEqual([0, ""]);
  return JSON.parse(stdout) as Report;
}

/** A data directory with a story's queue, and its IDB. */
async function recorded(data: string, payloads: readonly Uint8Array[], segmentBytes?: number): Promise<void> {
  await store(`${data}/queue`, payloads, segmentBytes);
  await fold(`${data}/queue`, `${data}/idb.db`);
}

const digestOfFile = (path: string) => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

/** Without what holds SQLite's locks while this process has an IDB open. */
const idbFiles = (data: string) =>
  readdirSync(data).filter((file) => /^idb\.db/.test(file) && !/(lock|-wal|-shm)$/.test(file));

test("the rebuilt IDB equals the one that was there, row for row, and that one is kept beside it", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  const { payloads } = manyCalls().line("no line of the link");
  await recorded(data, payloads);
  const before = readWhole(`${data}/idb.db`);
  const digest = digestOfFile(`${data}/idb.db`);
  // What an earlier rebuild that was killed has left.
  writeFileSync(`${data}/idb.db.rebuilding`, "half of an IDB");

  const report = await rebuilt(data);
  expect(differencesBetween(before, readWhole(`${data}/idb.db`))).toEqual([]);
  const { putAside, ...rest } = report;
  expect(rest).toMatchObject({
    idb: `${data}/idb.db`,
    begunAt: "1",
    begunWith: "first record",
    lastPosition: String(payloads.length),
    knownFrom: null,
    records: payloads.length,
    undecoded: 1,
    damaged: 0,
    windowSeconds: 60,
  });
  expect(rest.events).toBe(payloads.length - 3);
  expect(rest.rows).toBeGreaterThan(rest.events);
  expect(digestOfFile(putAside ?? "")).toBe(digest);
  expect(idbFiles(data)).toHaveLength(2);
});

test("the figures are told in words too, and what the queue no longer holds is said", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  await recorded(data, manyCalls().payloads);
  const oldest = BigInt(trim(`${data}/queue`, 4));
  const { exitCode, stdout, stderr } = await runIcon(["rebuild", data], data);
  expect([exitCode, stderr.replace(/"time":"[^"]*"/, "")]).toEqual([0, expect.stringContaining("not known here")]);
  const lines = stdout.trim().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^Rebuilt .*idb\.db: records \d+, events \d+, rows \d+, in \d+\.\d s \(\d+ records\/s\)\.$/),
    `Begun at position ${oldest}: what was open there is known from the live state beside that segment. Ended with position 180.`,
    expect.stringMatching(/^Windows before 2026-11-23T08:0\d:00\.000Z are not known here\.$/),
    expect.stringMatching(/^The IDB that was there is kept as .*idb\.db\.replaced-\d{8}T\d{6}\.\d{3}Z\.$/),
  ]);
});

test("with --from-segment it begins there: with the live state beside it, or with the head where none is kept", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  await recorded(data, manyCalls().payloads);
  const [, , third = "", fourth = ""] = filesOf(`${data}/queue`, ".segment").map((file) =>
    String(BigInt(file.slice(0, 20))),
  );
  const out = (name: string) => directory.at(name);
  const withState = await rebuilt(data, "--from-segment", third, "--out", out("third.db"));
  expect(withState).toMatchObject({ begunAt: third, begunWith: "segment state", lastPosition: "180" });
  expect(withState.knownFrom).not.toBeNull();
  await Bun.file(`${data}/queue/${fourth.padStart(20, "0")}.state`).delete();
  const withHead = await rebuilt(data, "--from-segment", fourth, "--out", out("fourth.db"));
  expect(withHead).toMatchObject({ begunAt: fourth, begunWith: "segment head" });
  const wrong = await runIcon(["rebuild", data, "--from-segment", "2", "--out", out("second.db")], data);
  expect(wrong.exitCode).toBe(64);
  expect(wrong.stderr).toContain("no segment begins with it; expected one that icon dump --segments lists");
  expect(filesOf(data, ".rebuilding")).toEqual([]);
});

test("beside an instance it refuses and says what to do; with --out it writes another file up to what is durable", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  const { payloads } = manyCalls();
  await recorded(data, payloads);
  const digest = digestOfFile(`${data}/idb.db`);
  // The instance: its lock, and an open segment whose last write is not known to be durable.
  await using queue = await openStored(`${data}/queue`, 1024 * 1024);
  await queue.durable(queue.append(payloads[1] ?? new Uint8Array(0)));
  await queue.durable(queue.append(payloads[2] ?? new Uint8Array(0)));
  const refused = await runIcon(["rebuild", data], data);
  expect(refused.exitCode).toBe(69);
  expect(refused.stderr.trim()).toBe(
    `Cannot rebuild IDB "${data}/idb.db": process ${process.pid} is using it. Stop the instance first ` +
      "(systemctl stop icon), or write another file beside it with --out FILE",
  );
  const report = await rebuilt(data, "--out", directory.at("copy.db"));
  expect(report).toMatchObject({ putAside: null, lastPosition: String(payloads.length + 1) });
  expect(digestOfFile(`${data}/idb.db`)).toBe(digest);
  expect(idbFiles(data)).toEqual(["idb.db"]);
  const again = await runIcon(["rebuild", data, "--out", directory.at("copy.db")], data);
  expect([again.exitCode, again.stderr]).toEqual([73, expect.stringContaining("expected a file that is not")]);
});

test("what is no data directory is told so", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const none = await runIcon(["rebuild", directory.at("nowhere")], directory.path);
  expect([none.exitCode, none.stderr]).toEqual([66, expect.stringContaining("there is no persistent queue in")]);
  const unsaid = await runIcon(["rebuild"], directory.path);
  expect([unsaid.exitCode, unsaid.stderr]).toEqual([
    64,
    expect.stringContaining("expected a data directory, or --config"),
  ]);
});

function configurationFile(data: string, source: string): string {
  const file = `${data}/icon.toml`;
  const text = `[instance]\nname = "icon-a"\ndbid = 9001\ndata_dir = "${data}"\n[callconcentrator]\nrole = "gcc"\n[http]\nlisten = "off"\n${source}`;
  writeFileSync(file, text);
  return file;
}

/** The G_CALL and G_PARTY rows that are not in both, by table. */
function differingRows(one: Dump, other: Dump, table: string): number {
  return differencesBetween(one, other).filter((line) => line.startsWith(`${table}:`)).length;
}

test("with another call-deletion-timeout given, the rows are those of an instance that always had it", async () => {
  /** A call whose party comes back 10 s after the last had gone: one call with a long timeout, two with a short one. */
  const story = (callDeletionTimeoutSeconds: number) =>
    manyCalls({ callDeletionTimeoutSeconds })
      .events([200, "EventRinging", { ThisDN: "7", ThisDNRole: 2, PartyUUID: "A", CallUUID: "CX", ConnID: "0a" }])
      .events([201, "EventReleased", { ThisDN: "7", ThisDNRole: 2, PartyUUID: "A", CallUUID: "CX", ConnID: "0a" }])
      .events([211, "EventRinging", { ThisDN: "8", ThisDNRole: 2, PartyUUID: "B", CallUUID: "CX", ConnID: "0a" }])
      .events([212, "EventReleased", { ThisDN: "8", ThisDNRole: 2, PartyUUID: "B", CallUUID: "CX", ConnID: "0a" }])
      .heartbeat(220).payloads;
  using directory = new TemporaryDirectory("rebuild");
  const [long, short] = [directory.at("long"), directory.at("short")];
  await recorded(long, story(30));
  await recorded(short, story(1));
  const config = configurationFile(
    long,
    '[[source]]\nname = "north"\nkind = "tevent"\naddresses = ["127.0.0.1:7001"]\ndbid = 101\nswitch_dbid = 1\n[source.gts]\ncall-deletion-timeout = 1\n',
  );
  const asRecorded = readDump(`${long}/idb.db`);
  await rebuilt(long, "--with-current-configuration", "--config", config);
  const mapped = readDump(`${long}/idb.db`);
  expect(differencesBetween(readDump(`${short}/idb.db`), mapped)).toEqual([]);
  expect(differingRows(asRecorded, mapped, "G_CALL")).toBeGreaterThan(0);
  // Without being told so, it maps as it was mapped at the time.
  await rebuilt(long);
  expect(differencesBetween(asRecorded, readDump(`${long}/idb.db`))).toEqual([]);
});

test("with other dialplan contexts given, an Asterisk's calls have the types of an instance that always had them", async () => {
  const without = { callDeletionTimeoutSeconds: 30, inboundContexts: [], internalContexts: [], outboundContexts: [] };
  const contexts = [...new Set(asteriskContexts())];
  expect(contexts.length).toBeGreaterThan(0);
  using directory = new TemporaryDirectory("rebuild");
  const [plain, told] = [directory.at("plain"), directory.at("told")];
  await recorded(plain, asteriskPayloads(without), 1024 * 1024);
  await recorded(told, asteriskPayloads({ ...without, inboundContexts: contexts }), 1024 * 1024);
  const config = configurationFile(
    plain,
    `[[source]]\nname = "pbx1"\nkind = "ami"\naddresses = ["127.0.0.1:5038"]\ndbid = 201\nswitch_dbid = 2\ncredentials_file = "ami.toml"\ninbound_contexts = ${JSON.stringify(contexts)}\n`,
  );
  writeFileSync(`${plain}/ami.toml`, 'username = "icon"\nsecret = "secret"\n', { mode: 0o600 });
  const asRecorded = readDump(`${plain}/idb.db`);
  await rebuilt(plain, "--with-current-configuration", "--config", config, "--out", directory.at("mapped.db"));
  const mapped = readDump(directory.at("mapped.db"));
  expect(differencesBetween(readDump(`${told}/idb.db`), mapped)).toEqual([]);
  const typeIs = (type: number) =>
    [...(mapped.get("G_CALL")?.keys() ?? [])].some((row) => row.includes(`"CALLTYPE":${type}`));
  expect([typeIs(callTypes.inbound), differingRows(asRecorded, mapped, "G_CALL") > 0]).toEqual([true, true]);
});

function asteriskContexts(): string[] {
  const text = loadRecording("ami").connections.flatMap(({ messages }) =>
    messages.map(({ bytes }) => new TextDecoder().decode(bytes)),
  );
  return text.flatMap((message) => {
    const [, context] = /^Event: Newchannel\r?\n(?:.*\r?\n)*?Context: (.*?)\r?$/m.exec(message) ?? [];
    return context === undefined ? [] : [context];
  });
}

test("a signal in the middle, SIGTERM or SIGKILL, leaves the IDB as it was, and the next rebuild is whole", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  await recorded(data, manyCalls({ calls: 12_000 }).payloads, 4 * 1024 * 1024);
  const before = readWhole(`${data}/idb.db`);
  const digest = digestOfFile(`${data}/idb.db`);
  const interrupted = async (signal: "SIGKILL" | "SIGTERM") => {
    const child = Bun.spawn([process.execPath, entry, "rebuild", data], { stdout: "ignore", stderr: "pipe" });
    const building = `${data}/idb.db.rebuilding`;
    const hasRows = () => (statSync(building, { throwIfNoEntry: false })?.size ?? 0) > 1024 * 1024;
    await until("rows are being written", 40_000, hasRows);
    child.kill(signal);
    await child.exited;
    expect(digestOfFile(`${data}/idb.db`)).toBe(digest);
    return child;
  };
  const stopped = await interrupted("SIGTERM");
  expect(await new Response(stopped.stderr).text()).toMatch(
    /^Stopped at position \d+ of \d+\. The IDB is as it was\n$/,
  );
  expect(stopped.exitCode).toBe(75);
  expect(idbFiles(data)).toEqual(["idb.db"]);
  const killed = await interrupted("SIGKILL");
  expect(killed.signalCode).toBe("SIGKILL");
  expect(idbFiles(data)).toHaveLength(2);
  await rebuilt(data);
  expect(idbFiles(data)).toHaveLength(2);
  expect(differencesBetween(before, readWhole(`${data}/idb.db`))).toEqual([]);
}, 120_000);

/** A file system of its own, which only root can mount; or why there is none. */
function smallDisk(path: string, bytes: number): string | null {
  mkdirSync(path, { mode: 0o700 });
  const { success, stderr } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes},mode=0700`, "none", path]);
  return success ? null : stderr.toString().trim();
}

const fullDisk = "a disk that is full, whenever in the rebuild, leaves the IDB as it was and nothing beside it";
const whyNone = (() => {
  using directory = new TemporaryDirectory("mount");
  const why = smallDisk(directory.at("disk"), 65_536);
  if (why === null) Bun.spawnSync(["umount", "-l", directory.at("disk")]);
  return why;
})();
if (whyNone !== null) test.skip(`skipped: ${whyNone}: ${fullDisk}`, () => {});
else {
  test(fullDisk, async () => {
    using directory = new TemporaryDirectory("rebuild");
    const mib = 1024 * 1024;
    expect(smallDisk(directory.at("disk"), 16 * mib)).toBeNull();
    try {
      const data = directory.at("disk", "data");
      await recorded(directory.at("made"), manyCalls({ calls: 1_500 }).payloads, mib);
      mkdirSync(data);
      cpSync(directory.at("made", "queue"), `${data}/queue`, { recursive: true });
      await runIcon(["rebuild", data], directory.path);
      const digest = digestOfFile(`${data}/idb.db`);
      const refused: number[] = [];
      for (let freeBytes = 65_536; ; freeBytes += mib / 2) {
        const { bavail, bsize } = statfsSync(data);
        writeFileSync(directory.at("disk", "neighbour"), new Uint8Array(bavail * bsize - freeBytes));
        const { exitCode, stderr } = await runIcon(["rebuild", data], directory.path);
        rmSync(directory.at("disk", "neighbour"));
        if (exitCode === 0) break;
        refused.push(freeBytes);
        expect([exitCode, stderr]).toEqual([74, expect.stringMatching(/full\. The IDB is as it was\n$/)]);
        expect([digestOfFile(`${data}/idb.db`), idbFiles(data)]).toEqual([digest, ["idb.db"]]);
      }
      expect(refused.length).toBeGreaterThan(1);
      expect(idbFiles(data)).toHaveLength(2);
    } finally {
      Bun.spawnSync(["umount", "-l", directory.at("disk")]);
    }
  }, 60_000);
}

test("what goes on from a rebuilt IDB goes on as from the one that was there", async () => {
  using directory = new TemporaryDirectory("rebuild");
  const data = directory.path;
  const { payloads } = manyCalls();
  const more = manyCalls({ calls: 80 }).payloads.slice(payloads.length);
  await recorded(data, payloads);
  copyIdb(`${data}/idb.db`, directory.at("kept", "idb.db"));
  await rebuilt(data);
  await store(`${data}/queue`, more);
  for (const path of [`${data}/idb.db`, directory.at("kept", "idb.db")]) await fold(`${data}/queue`, path);
  const [kept, led] = [readWhole(directory.at("kept", "idb.db")), readWhole(`${data}/idb.db`)];
  expect(differencesBetween(kept, led)).toEqual([]);
  expect(rowCount(led, "G_CALL")).toBe(80);
  expect(rowCount(led, "ICON_LIVE")).toBeGreaterThan(0);
});
