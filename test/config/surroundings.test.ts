import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isMountedNoexec, surroundingsWarnings } from "../../src/config/surroundings.ts";
import { judgeConfig } from "../../src/config.ts";

function sentencesFor(dataDir: string, environment: Record<string, string>): string[] {
  const text = `[instance]\nname = "icon-a"\ndbid = 1\ndata_dir = "${dataDir}"\n`;
  const { config } = judgeConfig(text, "/icon.toml");
  return surroundingsWarnings(config, environment).map(({ sentence }) => sentence);
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
