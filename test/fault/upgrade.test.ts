// R16: data directories that an earlier version left are opened, and recording goes on as if nothing had been; what a
// newer version wrote is refused untouched, with both versions named.

import { expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { decodeHead, encodeHead } from "../../src/event/intake-state.ts";
import { encodeHeader, readHeader } from "../../src/queue/segment.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { directoryDigest } from "../harness/directory-digest.ts";
import { figure } from "../harness/figure.ts";
import { Load } from "../harness/load.ts";
import { announce, judge, kept, settle } from "../harness/load-verdict.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  readLog,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import {
  type GoldenName,
  type GoldenStory,
  goldenDirectory,
  goldenNames,
  goldenSeed,
} from "../upgrade/golden-story.ts";

function unpack(name: GoldenName, directory: TemporaryDirectory): GoldenStory {
  const bytes = Bun.zstdDecompressSync(readFileSync(join(goldenDirectory, `${name}.tar.zst`)));
  const tar = Bun.spawnSync(["tar", "-xf", "-", "-C", directory.path], { stdin: bytes });
  expect(tar.exitCode).toBe(0);
  return JSON.parse(readFileSync(directory.at("story.json"), "utf8")) as GoldenStory;
}

for (const name of goldenNames) {
  test(`a data directory of version 0.1.0 is gone on with: ${name}`, async () => {
    await iconBinary();
    using directory = new TemporaryDirectory("upgrade");
    const story = unpack(name, directory);
    // That version stored nobody outside of the switch, and what its marks say holds for what it recorded.
    const place = { name: "north", dbid: 101, hasOutside: false };
    const options = { ...place, seed: goldenSeed, eventsPerSecond: 600, paddingMax: 200 };
    await using load = await Load.start(options, story);
    const setting: InstanceSetting = {
      directory: directory.path,
      deliveredFlag: 3,
      sources: [{ name: "north", address: load.address, dbid: 101 }],
    };
    await using instance = await Instance.start(setting);
    await until("the run is gone on with", 20_000, () => load.isServed);
    load.flow();
    await until("new events are acknowledged", 20_000, () => load.ackedSeq > story.producedSeq + 100);
    load.complete();
    const late = await settle(instance, [load]);
    expect(await instance.stop()).toBe(0);
    const verdict = judge(instance, [load], late);
    announce(`R16 ${name}`, verdict);
    expect(verdict).toEqual(kept);
    figure("R16", `0.1.0 ${name}: gone on with, ${load.ackedSeq} events, nothing lost`);
  }, 60_000);
}

/** What a later version would leave, put into a directory of this one; `message` names both versions. */
const newer: Readonly<
  Record<string, { readonly plant: (data: string) => void; readonly exitCode: number; readonly message: RegExp }>
> = {
  "the segments of the persistent queue": {
    plant: (data) =>
      rewriteNewestHeader(data, (bytes) => {
        for (const sector of [bytes.subarray(0, 512), bytes.subarray(512, 1024)]) {
          new DataView(sector.buffer, sector.byteOffset).setUint32(8, 2, true);
          sealSector(sector);
        }
        return bytes;
      }),
    exitCode: 65,
    message: /version 2, too new for this program, which reads up to 1\b/,
  },
  "the intake's head": {
    plant: (data) =>
      rewriteNewestHeader(data, (bytes, header) => {
        const text = new TextDecoder().decode(encodeHead(decodeHead(header.head ?? new Uint8Array(0))));
        const head = new TextEncoder().encode(text.replace('"version":1', '"version":2'));
        bytes.set(encodeHeader({ ...header, head }));
        return bytes;
      }),
    exitCode: 65,
    message: /head of version 2: this program reads version 1\b/,
  },
  "the schema of the IDB": {
    plant: (data) => migrateFurther(data, "PRAGMA wal_checkpoint(TRUNCATE)"),
    exitCode: 78,
    message: /schema version is 99 and this program knows versions up to \d/,
  },
  "the schema of an IDB that was killed with it in its WAL": {
    plant: (data) => migrateFurther(data, "SELECT 1"),
    exitCode: 78,
    message: /schema version is 99 and this program knows versions up to \d/,
  },
};

for (const [what, { plant, exitCode, message }] of Object.entries(newer)) {
  test(`refused with nothing changed, naming both versions: ${what}, of a newer version`, async () => {
    await iconBinary();
    using directory = new TemporaryDirectory("newer");
    unpack("stopped", directory);
    plant(directory.at("data"));
    // Every file's name and bytes: locks, notes and half-written files too.
    const digest = () => directoryDigest(directory.at("data"));
    const before = digest();
    const setting: InstanceSetting = {
      directory: directory.path,
      sources: [{ name: "north", address: "127.0.0.1:9", dbid: 101 }],
    };
    await using instance = await Instance.start(setting);
    expect(await instance.exited).toBe(exitCode);
    const text = readLog(setting)
      .map(({ event, reason }) => `${event} ${reason ?? ""}`)
      .join("\n");
    expect(text).toMatch(message);
    expect(digest()).toBe(before);
    figure("R16", `newer ${what}: refused with ${exitCode}, 0 bytes changed`);
  }, 30_000);
}

test("live state of another version is put aside with its IDB, and rebuilt from the persistent queue", async () => {
  await iconBinary();
  using directory = new TemporaryDirectory("live");
  unpack("stopped", directory);
  const database = new Database(directory.at("data", "idb.db"));
  database.exec("UPDATE ICON_LIVE SET VERSION = 99; PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const setting: InstanceSetting = {
    directory: directory.path,
    sources: [{ name: "north", address: "127.0.0.1:9", dbid: 101 }],
  };
  await using instance = await Instance.start(setting);
  await until("the IDB holds what the queue holds", 20_000, async () => {
    const { queue, idb } = await instance.status();
    return idb.state === "open" && queue.recordsNotApplied === 0 && idb.appliedPosition !== null;
  });
  expect(await instance.stop()).toBe(0);
  const reasons = readLog(setting).map(({ reason }) => String(reason));
  expect(reasons.some((reason) => /live state of version 99: this program reads version \d/.test(reason))).toBe(true);
  expect(readdirSync(directory.at("data")).some((name) => name.startsWith("idb.db.other-version-"))).toBe(true);
}, 30_000);

/** In a process that is killed: what it had open stays as it was. */
function migrateFurther(data: string, afterwards: string): void {
  const script = `
    const database = new (require("libsql"))(${JSON.stringify(join(data, "idb.db"))});
    database.exec("INSERT INTO ICON_MIGRATION VALUES (99, 'future', '2030-01-01T00:00:00.000Z'); ${afterwards}");
    process.kill(process.pid, "SIGKILL");
  `;
  const { signalCode } = Bun.spawnSync([process.execPath, "-e", script], { cwd: import.meta.dir });
  expect(signalCode).toBe("SIGKILL");
}

function sealSector(sector: Uint8Array): void {
  new DataView(sector.buffer, sector.byteOffset).setUint32(508, Bun.hash.crc32(sector.subarray(0, 508)), true);
}

type Header = NonNullable<ReturnType<typeof readHeader>>;

function rewriteNewestHeader(data: string, change: (bytes: Uint8Array, header: Header) => Uint8Array): void {
  const queue = join(data, "queue");
  const name = readdirSync(queue)
    .filter((each) => /^\d{20}\.[a-z]+$/.test(each))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error("The golden directory has no segment");
  const path = join(queue, name);
  const file = systemDisk.open(path);
  const header = readHeader(file, name);
  file.close();
  if (header === undefined) throw new Error("The golden segment's header cannot be read");
  writeFileSync(path, change(new Uint8Array(readFileSync(path)), header));
}
