// The copy of an IDB that is being written and checkpointed all the time is the state of one commit.

import { expect, test } from "bun:test";
import { copyFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyIdb } from "../../src/idb/copy.ts";
import type { InspectionOutcome } from "../../src/idb/inspect.ts";
import { sizeOf } from "../../src/idb/reading.ts";
import type { Adoption } from "../../src/maintenance/restore.ts";
import { fromEnvironment, isWithin, whenGone } from "../harness/processes.ts";
import { SmallDisk, whyNoSmallDisk } from "../harness/small-disk.ts";
import { query, TemporaryDirectory } from "./temporary.ts";

const icon = [process.execPath, fileURLToPath(new URL("../../src/main.ts", import.meta.url))];
const copies = fromEnvironment("ICON_IDB_COPIES", 4);
const never = new AbortController().signal;

/** A writer of its own process; ended with the test. */
async function writeOn(directory: string) {
  const script = fileURLToPath(new URL("write-on.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script, directory], { stdout: "pipe", stderr: "inherit" });
  void child.exited.then(whenGone(["kill", "-9", String(child.pid)]));
  expect((await child.stdout.getReader().read()).value?.toString()).toBeDefined();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** The child that `icon backup` holds the IDB with. */
async function hold(path: string) {
  const child = Bun.spawn([...icon, "backup", "--as-child", "hold", path], { stdin: "pipe", stdout: "pipe" });
  const reader = child.stdout.getReader();
  const said = async () => new TextDecoder().decode((await reader.read()).value);
  return {
    said: JSON.parse(await said()) as { held: { appliedPosition: string } },
    release: () => {
      child.stdin.end();
      return said();
    },
  };
}

async function settle(path: string): Promise<InspectionOutcome> {
  const child = Bun.spawn([...icon, "backup", "--as-child", "settle", path], { stdout: "pipe" });
  return JSON.parse(await new Response(child.stdout).text()) as InspectionOutcome;
}

/** The child that `icon restore` gives the IDB its new id with. */
async function adopt(path: string): Promise<Adoption> {
  const words = ["restore", "--as-child", "adopt", path, "--queue-id", "q2"];
  const child = Bun.spawn([...icon, ...words], { stdout: "pipe" });
  return JSON.parse(await new Response(child.stdout).text()) as Adoption;
}

test(`${copies} copies of an IDB that is written and checkpointed all the time are each the state of one commit`, async () => {
  using directory = new TemporaryDirectory();
  await using _writer = await writeOn(directory.path);
  for (let number = 1; number <= copies; number += 1) {
    const held = await hold(directory.idb);
    const copy = join(directory.path, `copy-${number}.db`);
    await copyIdb(directory.idb, copy, never);
    expect(await held.release()).toBe("kept\n");
    const outcome = await settle(copy);
    if (outcome.kind !== "inspected") throw new Error(outcome.message);
    const { complaints, applied } = outcome.inspection;
    const position = Number(applied?.position);
    expect({ number, complaints }).toEqual({ number, complaints: [] });
    expect(position).toBeGreaterThanOrEqual(Number(held.said.held.appliedPosition));
    // Each commit adds ten calls and twenty rows of history.
    const counts = query(copy, "SELECT (SELECT count(*) FROM G_CALL), (SELECT count(*) FROM G_CALL_HISTORY)");
    expect({ number, counts }).toEqual({ number, counts: [[position * 10, position * 20]] });
    expect([sizeOf(`${copy}-wal`), statSync(copy).mode & 0o777]).toEqual([0, 0o600]);
  }
}, 120_000);

test("while an IDB is held its WAL is not emptied, and once it is let go it is", async () => {
  using directory = new TemporaryDirectory();
  await using _writer = await writeOn(directory.path);
  const held = await hold(directory.idb);
  const before = sizeOf(`${directory.idb}-wal`);
  const hasGrown = () => sizeOf(`${directory.idb}-wal`) > before + 8 * 1024 * 1024;
  expect(await isWithin(20_000, hasGrown)).toBe(true);
  expect(await held.release()).toBe("kept\n");
  expect(await isWithin(20_000, () => sizeOf(`${directory.idb}-wal`) < before + 1024 * 1024)).toBe(true);
}, 60_000);

test("a copy that is called off ends, and says so", async () => {
  using directory = new TemporaryDirectory();
  directory.open().close();
  const copied = copyIdb(directory.idb, join(directory.path, "copy.db"), AbortSignal.abort(new Error("called off")));
  expect(copied).rejects.toThrow("called off");
  await copied.catch(() => {});
});

const fullDisk =
  "a copy whose disk is full before it is one file is said not to be writable, by backup and restore, and never to be damaged";
const why = whyNoSmallDisk();
if (why !== null) test.skip(`skipped: ${why}: ${fullDisk}`, () => {});
else
  test(fullDisk, async () => {
    using directory = new TemporaryDirectory();
    const held = join(directory.path, "held.db");
    {
      await using _writer = await writeOn(directory.path);
      const hasWal = () => sizeOf(`${directory.idb}-wal`) > 1024 * 1024;
      expect(await isWithin(20_000, hasWal)).toBe(true);
      const { release } = await hold(directory.idb);
      await copyIdb(directory.idb, held, never);
      expect(await release()).toBe("kept\n");
    }
    using disk = new SmallDisk(join(directory.path, "disk"), 256 * 1024 * 1024);
    const copy = join(disk.path, "copy.db");
    // The -shm, which is needed to read the WAL, takes eight pages.
    for (const freePages of [0, 1, 7]) {
      rmSync(join(disk.path, "neighbour"), { force: true });
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${copy}${suffix}`, { force: true });
      for (const suffix of ["", "-wal"]) copyFileSync(`${held}${suffix}`, `${copy}${suffix}`);
      const { bavail, bsize } = statfsSync(disk.path);
      writeFileSync(join(disk.path, "neighbour"), new Uint8Array((bavail - freePages) * bsize));
      const message = expect.stringMatching(/^Cannot make one file of the copy .*(I\/O|full)/);
      expect({ freePages, settled: await settle(copy), adopted: await adopt(copy) }).toEqual({
        freePages,
        settled: { kind: "unavailable", message },
        adopted: { kind: "unwritten", message },
      });
    }
    rmSync(join(disk.path, "neighbour"));
    expect((await settle(copy)).kind).toBe("inspected");
  }, 60_000);
