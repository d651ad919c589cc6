import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openIdb } from "../../src/idb/open.ts";
import { silentLog } from "../../src/log.ts";
import { judge, type Verification } from "../../src/maintenance/verify.ts";
import { verifyQueue } from "../../src/maintenance/verify-queue.ts";
import type { Disk } from "../../src/queue/disk.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { runIcon } from "../commands/run-icon.ts";
import { filesOf, fold, manyCalls, store } from "../harness/stored-story.ts";
import { batch, call } from "../idb/temporary.ts";
import { open, payload, TemporaryDirectory } from "../queue/setting.ts";
import { arrival, dataDirectory, recordBytes, recordCount } from "./data-directory.ts";

const headerBytes = 4096;

// The -shm file holds SQLite's locks: whoever reads a file that another has open writes there.
function hashes(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && !each.name.endsWith("-shm"))
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
    .map((file) => `${file} ${createHash("sha256").update(readFileSync(file)).digest("hex")}`);
}

function flip(file: string, offset: number): void {
  const bytes = readFileSync(file);
  bytes[offset] = (bytes[offset] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

/** Also checks that nothing in the directory is different afterwards. */
async function verify(path: string): Promise<Verification & { readonly exitCode: number }> {
  const before = hashes(path);
  const { exitCode, stdout, stderr } = await runIcon(["verify", path, "--json"], path);
  expect(stderr).toBe("");
  expect(hashes(path)).toEqual(before);
  return { ...(JSON.parse(stdout) as Verification), exitCode };
}

function segments(path: string): string[] {
  const queue = join(path, "queue");
  return readdirSync(queue)
    .filter((name) => name.endsWith(".segment"))
    .sort()
    .map((name) => join(queue, name));
}

test("a sound directory is told so, in figures and in words", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const { exitCode, isSound, queue, idb } = await verify(directory.path);
  expect([exitCode, isSound, queue?.recordCount, queue?.lastPosition]).toEqual([0, true, recordCount, "12"]);
  expect([queue?.segmentCount, queue?.damage, idb?.damage]).toEqual([segments(directory.path).length, [], []]);
  expect([idb?.appliedPosition, idb?.queueId]).toEqual(["12", queue?.queueId ?? ""]);
  const { stdout } = await runIcon(["verify", directory.path], directory.path);
  expect(stdout).toEndWith("\nSound.\n");
});

test("a flipped bit is named by segment, position, and the arrivals on both sides of it", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [, second = ""] = segments(directory.path);
  const first = Number(/(\d{20})/.exec(second)?.[1]);
  flip(second, headerBytes + recordBytes + 20);
  const { exitCode, queue } = await verify(directory.path);
  expect([exitCode, queue?.recordCount]).toEqual([65, recordCount - 1]);
  expect(queue?.damage).toEqual([
    {
      what: "records",
      segment: second,
      offset: headerBytes + recordBytes,
      positions: { from: String(first + 1), to: String(first + 1) },
      arrivedAfter: arrival(first),
      arrivedBefore: arrival(first + 2),
    },
  ]);
  const { stdout } = await runIcon(["verify", directory.path], directory.path);
  expect(stdout).toContain(`records damaged; position ${first + 1}, arrived between ${arrival(first)} and `);
});

test("a damaged seal and one damaged copy of a header are told, and cost no record", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [first = "", second = ""] = segments(directory.path);
  flip(first, 100);
  flip(second, readFileSync(second).length - 20);
  const { exitCode, queue } = await verify(directory.path);
  expect([exitCode, queue?.recordCount]).toEqual([65, recordCount]);
  expect(queue?.damage.map(({ what, segment }) => [what, segment])).toEqual([
    ["header copy", first],
    ["seal", second],
  ]);
});

test("damaged records are named by segment, position and the windows of the ledger that they belong to", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [, second = ""] = segments(directory.path);
  flip(second, headerBytes + recordBytes + 20);
  const { windowSeconds, queue } = await verify(directory.path);
  expect([windowSeconds, queue?.damage[0]?.positions?.from]).toEqual([60, "6"]);
  const { stdout } = await runIcon(["verify", directory.path], directory.path);
  expect(stdout).toContain(
    `${second} offset ${headerBytes + recordBytes}: records damaged; position 6, arrived between`,
  );
  expect(stdout).toContain(`and ${arrival(7)}; window 2026-01-02T03:04:00.000Z\n`);
});

test("live state beside a segment is looked at: damage is told, another version's is not judged", async () => {
  using directory = new TemporaryDirectory();
  const queue = `${directory.path}/queue`;
  await store(queue, manyCalls().payloads);
  using elsewhere = new TemporaryDirectory();
  await fold(queue, `${elsewhere.path}/idb.db`);
  const [first = "", second = "", third = "", fourth = ""] = filesOf(queue, ".state").map((file) => join(queue, file));
  expect((await verify(directory.path)).isSound).toBe(true);
  flip(first, readFileSync(first).length - 5);
  writeFileSync(second, readFileSync(second).subarray(0, 20));
  writeFileSync(third, readFileSync(third, "latin1").replace("ICON live state 1", "ICON live state 7"));
  writeFileSync(fourth, readFileSync(join(queue, filesOf(queue, ".state")[4] ?? "")));
  const { exitCode, queue: found } = await verify(directory.path);
  expect([exitCode, found?.recordCount]).toEqual([65, manyCalls().payloads.length]);
  expect(found?.damage.map(({ what, segment }) => [what, segment])).toEqual([
    ["state", first],
    ["state", second],
    ["state", fourth],
  ]);
});

test("a segment that retention takes while it is read is told, and is no damage", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [first = "", second = ""] = segments(directory.path);
  let opened = 0;
  // The second is gone when its records are to be read: the first look was at its header.
  const disk: Disk = {
    ...systemDisk,
    open(path) {
      if (path === first) opened += 1;
      if (opened === 3) for (const each of [first, second]) rmSync(each, { force: true });
      return systemDisk.open(path);
    },
  };
  const queue = verifyQueue(join(directory.path, "queue"), disk);
  const [from = 0] = [first].map((file) => Number(/(\d{20})/.exec(file)?.[1]));
  expect(queue.damage.map(({ what, positions }) => [what, positions?.from])).toEqual([["trimmed", String(from)]]);
  expect(queue.recordCount).toBeLessThan(recordCount);
  expect(judge({ queue, firstPosition: BigInt(from), idb: null }).isSound).toBe(true);
});

test("an IDB that takes too long to read is given up", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const words = ["verify", directory.path, "--timeout", "0.01"];
  const { exitCode, stdout, stderr } = await runIcon(words, directory.path);
  expect([exitCode, stdout]).toEqual([69, ""]);
  expect(stderr).toBe(`Cannot inspect IDB "${directory.path}/idb.db": it took longer than 0.01 s\n`);
});

test("a segment that has lost both copies of its header costs its positions", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [, second = "", third = ""] = segments(directory.path);
  for (const offset of [100, 612]) flip(second, offset);
  const [from = 0, next = 0] = [second, third].map((file) => Number(/(\d{20})/.exec(file)?.[1]));
  const { exitCode, queue } = await verify(directory.path);
  expect(exitCode).toBe(65);
  expect(queue?.damage).toMatchObject([
    {
      what: "header",
      segment: second,
      positions: { from: String(from), to: String(next - 1) },
      arrivedAfter: arrival(from - 1),
      arrivedBefore: arrival(next),
    },
  ]);
});

test("a segment that is gone is a gap, and a torn tail put aside is mentioned without being damage", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const [first = "", second = "", third = ""] = segments(directory.path);
  const torn = second.replace(".segment", ".1a2b3c4d.torn");
  renameSync(second, torn);
  const [from = 0, next = 0] = [second, third].map((file) => Number(/(\d{20})/.exec(file)?.[1]));
  const { exitCode, queue } = await verify(directory.path);
  expect([exitCode, queue?.tornFiles]).toEqual([65, [torn]]);
  expect(queue?.damage).toMatchObject([
    { what: "gap", segment: first, positions: { from: String(from), to: String(next - 1) } },
  ]);
});

test("a damaged page of the IDB is found", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path);
  const file = join(directory.path, "idb.db");
  const bytes = readFileSync(file);
  const pageBytes = bytes.readUInt16BE(16);
  // The page that holds one of the calls.
  const page = Math.floor(bytes.indexOf("call-150") / pageBytes);
  for (let at = 0; at < 8; at += 1) flip(file, page * pageBytes + at);
  const { exitCode, idb, queue } = await verify(directory.path);
  expect([exitCode, queue?.damage]).toEqual([65, []]);
  expect(idb?.damage.length).toBeGreaterThan(0);
});

test("an IDB of another queue is found", async () => {
  using directory = new TemporaryDirectory();
  const other = "0123456789abcdef0123456789abcdef";
  await dataDirectory(directory.path, other);
  const { exitCode, idb, queue } = await verify(directory.path);
  expect(exitCode).toBe(65);
  expect(idb?.damage).toEqual([`it was written from queue ${other}; the queue here is ${queue?.queueId}`]);
});

test("an IDB that is further than its queue is found", async () => {
  using directory = new TemporaryDirectory();
  await dataDirectory(directory.path, undefined, 20n);
  const { exitCode, idb } = await verify(directory.path);
  expect([exitCode, idb?.damage]).toEqual([65, ["its applied position 20 is beyond the queue's last, 12"]]);
});

test("beside a running writer queue and IDB are sound, and the WAL stays as it is", async () => {
  using directory = new TemporaryDirectory();
  await using queue = await open(join(directory.path, "queue"));
  await queue.durable(queue.append(payload("one")));
  using idb = openIdb({ path: join(directory.path, "idb.db"), log: silentLog, windowSeconds: 60 });
  const applied = { queueId: queue.queueId, segmentSalt: 7, position: 1n, rowSeq: 1 };
  idb.commit({ ...batch(1n, { G_CALL: [call(1)] }), applied });
  const { walBytes } = idb.status();
  const { exitCode, queue: found, idb: foundIdb } = await verify(directory.path);
  expect([exitCode, found?.recordCount, found?.damage]).toEqual([0, 1, []]);
  expect([foundIdb?.appliedPosition, foundIdb?.damage]).toEqual(["1", []]);
  expect(walBytes).toBeGreaterThan(0);
  expect(idb.status().walBytes).toBe(walBytes);
});

test("an empty directory ends with 66", async () => {
  using directory = new TemporaryDirectory();
  const { exitCode, stderr } = await runIcon(["verify", directory.path], directory.path);
  expect(exitCode).toBe(66);
  expect(stderr).toStartWith(`Cannot verify "${directory.path}": there is neither a persistent queue nor an IDB`);
});
