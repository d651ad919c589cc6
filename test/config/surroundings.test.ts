import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileWarnings, isMountedNoexec, type Rights, surroundingsWarnings } from "../../src/config/surroundings.ts";
import { judgeConfig } from "../../src/config.ts";

const rights: Rights = { userId: 1000, openFilesMax: 8192 };

function sentencesFor(dataDir: string, environment: Record<string, string>, own: Rights = rights): string[] {
  const text = `[instance]\nname = "icon-a"\ndbid = 1\ndata_dir = "${dataDir}"\n`;
  const { config } = judgeConfig(text, "/icon.toml");
  // How much room this host has is another test's matter.
  return surroundingsWarnings(config, environment, own)
    .filter(({ key }) => key !== "queue.retention_bytes")
    .map(({ sentence }) => sentence);
}

test("folders that are missing, are no folder, or hang in the air are warned of, and none is made", () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-surroundings-"));
  try {
    writeFileSync(join(folder, "file"), "");
    const environment = { TMPDIR: folder };
    expect(sentencesFor(folder, environment)).toEqual([]);
    expect(sentencesFor(join(folder, "data"), environment)).toEqual([
      `"${folder}/data" does not exist yet; the instance makes it at its start`,
    ]);
    expect(sentencesFor(join(folder, "file"), environment)).toEqual([
      `"${folder}/file" is not a folder, so the instance will not start`,
    ]);
    expect(sentencesFor(join(folder, "none", "data"), environment)).toEqual([
      `neither "${folder}/none/data" nor the folder above it exists`,
    ]);
    expect(sentencesFor(folder, { TMPDIR: folder, BUN_TMPDIR: join(folder, "gone") })).toEqual([
      `the temporary folder (BUN_TMPDIR) "${folder}/gone" does not exist; the database library is unpacked there and loaded`,
    ]);
    expect(readdirSync(folder)).toEqual(["file"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the mount that holds the folder decides whether it is noexec", () => {
  const mounts = [
    "/dev/sda1 / ext4 rw,relatime 0 0",
    "tmpfs /tmp tmpfs rw,nosuid,nodev,noexec 0 0",
    "tmpfs /tmp/run tmpfs rw 0 0",
    "/dev/sdb1 /mnt/my\\040disk ext4 rw,noexec 0 0",
    "tmpfs /over tmpfs rw,noexec 0 0",
    "tmpfs /over tmpfs rw 0 0",
  ].join("\n");
  expect(isMountedNoexec("/tmp", mounts)).toBe(true);
  expect(isMountedNoexec("/tmp/icon", mounts)).toBe(true);
  expect(isMountedNoexec("/tmp/run/icon", mounts)).toBe(false);
  expect(isMountedNoexec("/tmpfiles", mounts)).toBe(false);
  expect(isMountedNoexec("/mnt/my disk/a", mounts)).toBe(true);
  expect(isMountedNoexec("/over", mounts)).toBe(false);
});

test("fewer open files than an instance may need are warned of", () => {
  const environment = { TMPDIR: "/" };
  const sentence =
    "a process may have 256 files open here; expected at least 1024 (ulimit -n, LimitNOFILE= in the unit)";
  expect(sentencesFor("/", environment, { ...rights, openFilesMax: 256 })).toContain(sentence);
  for (const openFilesMax of [1024, null]) {
    expect(sentencesFor("/", environment, { ...rights, openFilesMax })).not.toContain(sentence);
  }
});

test.if(process.getuid?.() === 0)(
  `root is warned of a data directory that belongs to another user${process.getuid?.() === 0 ? "" : " (skipped: only root can give a folder away)"}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), "icon-surroundings-"));
    try {
      chownSync(folder, 54_321, 54_321);
      const sentence = `"${folder}" belongs to user 54321: an instance run by root would leave files there that this user cannot use`;
      expect(sentencesFor(folder, { TMPDIR: tmpdir() }, { ...rights, userId: 0 })).toEqual([sentence]);
      expect(sentencesFor(folder, { TMPDIR: tmpdir() })).toEqual([]);
      chownSync(folder, 0, 0);
      expect(sentencesFor(folder, { TMPDIR: tmpdir() }, { ...rights, userId: 0 })).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test("a configuration file that others may change is warned of", () => {
  const folder = mkdtempSync(join(tmpdir(), "icon-surroundings-"));
  try {
    const file = join(folder, "icon.toml");
    writeFileSync(file, "");
    chmodSync(file, 0o644);
    expect(fileWarnings(file)).toEqual([]);
    chmodSync(file, 0o646);
    expect(fileWarnings(file).map(({ sentence }) => sentence)).toEqual([
      "others than its owner can change this file (mode 0646), and with it what is recorded: chmod go-w",
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
