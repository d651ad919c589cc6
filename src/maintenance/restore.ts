// Makes a data directory of a backup: a persistent queue and an IDB of their own.
//
// A restored instance gives out positions that the one it was copied from gave out too, for other records; so does a
// second one that is restored from the same backup. "This queue id, this position" would then mean two records. So a
// restored queue gets an id of its own, in the headers of its segments, in the live state beside them and in the IDB that
// follows it; records stay as they are. A half of the one beside a half of another is noticed at the next start. The IDB
// gets an id of its own as well: who remembers how far it has read there begins anew.
//
// Everything is written into "restoring" within the data directory first, held against the manifest while it is copied,
// synced, and moved to its place last: the IDB, then the queue. While "restoring" is there no instance starts.

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { askChild } from "../idb/child.ts";
import type { Disk } from "../queue/disk.ts";
import { sectorsOfQueue } from "../queue/segment.ts";
import { stateOfQueue, stateSuffix } from "../segment-state.ts";
import { readBackup } from "./backup-reading.ts";
import { copyHashed, type HashedFile, hashFile, writeHashed } from "./hashed-copy.ts";
import { type BackupFile, BackupUnusableError, type Manifest, restoringName } from "./manifest.ts";
import { giveTo } from "./ownership.ts";

export interface RestoreRequest {
  readonly backup: string;
  readonly dataDirectory: string;
  readonly idbPath: string;
}

export interface RestoreReport {
  readonly manifest: Manifest;
  /** Of the restored queue. */
  readonly queueId: string;
}

/** Something is where the restored data shall go. Nothing was written. */
export class RestoreTargetError extends Error {
  override readonly name = "RestoreTargetError";
}

/** The restored IDB could not be written where it is: its disk is full, or fails. */
export class RestoreWriteError extends Error {
  override readonly name = "RestoreWriteError";
}

/**
 * Rejects with NoBackupError, RestoreTargetError, RestoreWriteError, BackupUnusableError when the backup is not whole or
 * of a newer format, or with the file system's own; the data directory is then as it was.
 */
export async function restore(request: RestoreRequest, disk: Disk): Promise<RestoreReport> {
  const manifest = await readBackup(request.backup, disk);
  checkTarget(request);
  await disk.createDirectory(request.dataDirectory);
  const restoring = join(request.dataDirectory, restoringName);
  mkdirSync(restoring, { mode: 0o700 });
  try {
    mkdirSync(join(restoring, "queue"), { mode: 0o700 });
    const queueId = randomBytes(16).toString("hex");
    for (const file of manifest.files) await restoreFile({ ...request, restoring, queueId }, file, disk);
    if (manifest.idb !== null) await adopt(join(restoring, "idb.db"), queueId);
    await moveToPlace(request, restoring, manifest, disk);
    return { manifest, queueId };
  } catch (error) {
    rmSync(restoring, { recursive: true, force: true });
    throw error;
  }
}

function checkTarget({ dataDirectory, idbPath }: RestoreRequest): void {
  const there = statSync(dataDirectory, { throwIfNoEntry: false });
  if (there !== undefined && !there.isDirectory()) {
    throw new RestoreTargetError(`Cannot restore to "${dataDirectory}": it is no folder`);
  }
  // A file system of its own has that one from the beginning.
  const found = there === undefined ? [] : readdirSync(dataDirectory).filter((name) => name !== "lost+found");
  if (found.includes(restoringName)) {
    throw new RestoreTargetError(
      `Cannot restore to "${dataDirectory}": a restore that did not end left "${restoringName}" there, or one is ` +
        "running; delete what is in the folder, and restore again",
    );
  }
  if (found.length > 0) {
    throw new RestoreTargetError(
      `Cannot restore to "${dataDirectory}": it is not empty (${found.slice(0, 3).join(", ")}); move what is there ` +
        "elsewhere, or give another folder. Nothing was written",
    );
  }
  for (const each of [idbPath, `${idbPath}-wal`]) {
    if (!existsSync(each)) continue;
    throw new RestoreTargetError(
      `Cannot restore the IDB to "${idbPath}": "${each}" exists; move it elsewhere. Nothing was written`,
    );
  }
}

async function restoreFile(
  { backup, restoring, queueId }: RestoreRequest & { readonly restoring: string; readonly queueId: string },
  file: BackupFile,
  disk: Disk,
): Promise<void> {
  const from = join(backup, file.path);
  const to = join(restoring, file.path);
  if (file.path.endsWith(`.${stateSuffix}`)) return restoreState(backup, to, file, queueId, disk);
  // Where the configuration goes is not known here, and it may name other folders than these.
  if (file.path === "icon.toml") return expectSame(backup, file, hashFile(disk, from));
  const source = disk.open(from);
  try {
    const rewrite = file.path.endsWith(".segment")
      ? (beginning: Uint8Array) => beginning.set(sectorsOfQueue(beginning, queueId) ?? nothing)
      : undefined;
    expectSame(backup, file, await copyHashed(disk, source, to, rewrite === undefined ? {} : { rewrite }));
  } finally {
    source.close();
  }
}

const nothing = new Uint8Array(0);

/** One that cannot be read is left out: no start needs it. */
async function restoreState(backup: string, to: string, file: BackupFile, queueId: string, disk: Disk): Promise<void> {
  const from = join(backup, file.path);
  expectSame(backup, file, hashFile(disk, from));
  const state = stateOfQueue(new Uint8Array(readFileSync(from)), queueId);
  if (state !== undefined) await writeHashed(disk, to, state);
}

function expectSame(backup: string, { path, bytes, sha256 }: BackupFile, found: HashedFile): void {
  if (found.bytes === bytes && found.sha256 === sha256) return;
  const what =
    found.bytes === bytes
      ? "its bytes have changed since the backup was made (SHA-256)"
      : `it has ${found.bytes} bytes, expected ${bytes}`;
  throw new BackupUnusableError(`Cannot restore from "${backup}": "${path}" is damaged: ${what}. Nothing was restored`);
}

/** What became of the restored IDB's new id. */
export type Adoption =
  | { readonly kind: "adopted" }
  | { readonly kind: "damaged" | "unwritten"; readonly message: string };

async function adopt(path: string, queueId: string): Promise<void> {
  const doing = `Cannot make "${path}" an IDB of its own`;
  const answer = await askChild<Adoption>(["restore", "--as-child", "adopt", path, "--queue-id", queueId], doing);
  if (answer.kind === "damaged") throw new BackupUnusableError(`${doing}: ${answer.message}`);
  if (answer.kind === "unwritten") throw new RestoreWriteError(answer.message);
}

async function moveToPlace(
  { dataDirectory, idbPath }: RestoreRequest,
  restoring: string,
  { idb }: Manifest,
  disk: Disk,
): Promise<void> {
  const queue = join(restoring, "queue");
  giveTo(statSync(dataDirectory), [queue, ...readdirSync(queue).map((name) => join(queue, name))]);
  await disk.syncDirectory(queue);
  await disk.syncDirectory(restoring);
  await disk.syncDirectory(dataDirectory);
  if (idb !== null) {
    const folder = dirname(resolve(idbPath));
    const isNew = !existsSync(folder);
    await disk.createDirectory(folder);
    const restored = join(restoring, "idb.db");
    giveTo(statSync(dataDirectory), [restored, ...(isNew ? [folder] : [])]);
    await moveFile(restored, idbPath, disk);
    await disk.syncDirectory(folder);
  }
  try {
    await disk.rename(queue, join(dataDirectory, "queue"));
  } catch (error) {
    if (idb !== null) rmSync(idbPath, { force: true });
    throw error;
  }
  await disk.syncDirectory(dataDirectory);
  rmdirSync(restoring);
  await disk.syncDirectory(dataDirectory);
}

/** The IDB may be on another file system: there it is copied beside its place first. */
async function moveFile(from: string, to: string, disk: Disk): Promise<void> {
  if (statSync(from).dev === statSync(dirname(resolve(to))).dev) return disk.rename(from, to);
  const beside = `${to}.${restoringName}`;
  const source = disk.open(from);
  try {
    await copyHashed(disk, source, beside);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  } finally {
    source.close();
  }
  giveTo(statSync(from), [beside]);
  await disk.rename(beside, to);
  rmSync(from);
}
