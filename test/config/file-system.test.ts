import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AskFileSystem, fileSystemProblems, fileSystemWarnings } from "../../src/config/file-system.ts";
import { formatProblem } from "../../src/config/problem.ts";
import { judgeConfig } from "../../src/config.ts";

const ext4 = 0xef53;
const nfs = 0x6969;
const tmpfs = 0x01021994;
const plenty = 1024 ** 5;

function configured(extra = "") {
  const text = `[instance]\nname = "icon-a"\ndbid = 1\ndata_dir = "/mnt/site/data"\n${extra}`;
  const { config } = judgeConfig(text, "/icon.toml");
  return config;
}

/** Folders that are there, and what they are on. */
function mounts(types: Readonly<Record<string, number>>, freeBytes = plenty): AskFileSystem {
  return (folder) => {
    const type = types[folder];
    if (type === undefined) throw Object.assign(new Error("no such folder"), { code: "ENOENT" });
    return { type, freeBytes };
  };
}

test("a data folder on NFS is refused, also when it is not made yet", () => {
  const ask = mounts({ "/": ext4, "/mnt/site": nfs });
  expect(fileSystemProblems(configured(), ask).map((each) => formatProblem("/icon.toml", each))).toEqual([
    '/icon.toml: Cannot use instance.data_dir "/mnt/site/data": it is on a network file system (NFS), which does not ' +
      "keep what fdatasync promises; expected a folder on a disk of this host",
  ]);
});

test("an IDB on NFS is refused though the persistent queue is on a disk", () => {
  const ask = mounts({ "/mnt/site/data": ext4, "/net": nfs });
  expect(fileSystemProblems(configured('[idb]\npath = "/net/idb.db"\n'), ask).map(({ key }) => key)).toEqual([
    "idb.path",
  ]);
});

test("a disk is fine, memory is warned of, and so is a disk that is smaller than what the queue may keep", () => {
  const disk = mounts({ "/mnt/site/data": ext4 });
  expect([fileSystemProblems(configured(), disk), fileSystemWarnings(configured(), disk)]).toEqual([[], []]);
  expect(fileSystemWarnings(configured(), mounts({ "/mnt/site/data": tmpfs })).map(({ sentence }) => sentence)).toEqual(
    ['"/mnt/site/data" is on tmpfs, in memory: a power cut or a restart of this host loses all of it'],
  );
  const small = mounts({ "/mnt/site/data": ext4 }, 1024 ** 3);
  const config = configured('[queue]\nretention_bytes = "20GiB"\n');
  expect(fileSystemWarnings(config, small).map(({ key, sentence }) => `${key}: ${sentence}`)).toEqual([
    'queue.retention_bytes: "/mnt/site/data" has 1.0 GiB free, and the persistent queue may grow by 20.0 GiB',
  ]);
});

test("what the persistent queue holds already is not asked for a second time", () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-file-system-"));
  try {
    mkdirSync(join(folder, "queue"));
    writeFileSync(join(folder, "queue", "segment"), new Uint8Array(8 * 1024 * 1024).fill(1));
    const text = `[instance]\nname = "icon-a"\ndbid = 1\ndata_dir = "${folder}"\n[queue]\nsegment_bytes = "4MiB"\nretention_bytes = "32MiB"\n`;
    const { config } = judgeConfig(text, "/icon.toml");
    const free = (mebibytes: number) => mounts({ [folder]: ext4 }, mebibytes * 1024 * 1024);
    expect(fileSystemWarnings(config, free(25))).toEqual([]);
    expect(fileSystemWarnings(config, free(23)).map(({ key }) => key)).toEqual(["queue.retention_bytes"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the file systems of this host are asked as the kernel knows them", () => {
  const { config } = judgeConfig(
    '[instance]\nname = "icon-a"\ndbid = 1\ndata_dir = "/dev/shm/none/data"\n',
    "/icon.toml",
  );
  expect(fileSystemProblems(config)).toEqual([]);
  expect(
    fileSystemWarnings(config)
      .map(({ sentence }) => sentence)
      .join(),
  ).toContain("/dev/shm/none/data");
});
