// Judges a backup before anything is restored from it, from outside in: is it one, of a version we read, with halves that
// belong together. Whether each file's bytes are those that were written is seen when they are copied.

import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { askChild } from "../idb/child.ts";
import type { InspectionOutcome } from "../idb/inspect.ts";
import type { Disk } from "../queue/disk.ts";
import { isMissingFile } from "../queue/error.ts";
import { readHeader } from "../queue/segment.ts";
import { disagreement } from "./halves.ts";
import { BackupUnusableError, decodeManifest, type Manifest, manifestName } from "./manifest.ts";

/** There is no backup at the place that was given. */
export class NoBackupError extends Error {
  override readonly name = "NoBackupError";
}

/** The manifest of a backup whose halves belong together and are of no newer format. Only the hashes are left to check. */
export async function readBackup(backup: string, disk: Disk): Promise<Manifest> {
  const path = join(backup, manifestName);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    if (!isMissingFile(cause) && statSync(backup).isDirectory()) throw cause;
    throw new NoBackupError(
      `Cannot restore from "${backup}": there is no "${manifestName}"; expected a backup that came to its end`,
      { cause },
    );
  }
  const manifest = decodeManifest(text, path);
  for (const { path: name } of manifest.files) {
    if (existsSync(join(backup, name))) continue;
    throw new BackupUnusableError(`Cannot restore from "${backup}": "${name}" is missing`);
  }
  checkSegments(backup, manifest, disk);
  await checkIdb(backup, manifest);
  return manifest;
}

/** Before the hashes: a file of another backup is told as such, and not as a damaged one. */
function checkSegments(backup: string, { files, queue }: Manifest, disk: Disk): void {
  for (const { path } of files) {
    if (!path.endsWith(".segment")) continue;
    const file = disk.open(join(backup, path));
    try {
      const header = readHeader(file, join(backup, path));
      if (header === undefined || header.queueId === queue.queueId) continue;
      throw new BackupUnusableError(
        `Cannot restore from "${backup}": segment "${path}" is of queue ${header.queueId}, and the backup was made of ` +
          `queue ${queue.queueId}: they do not belong together`,
      );
    } finally {
      file.close();
    }
  }
}

async function checkIdb(backup: string, { idb, queue }: Manifest): Promise<void> {
  if (idb === null) return;
  const path = join(backup, "idb.db");
  const outcome = await askChild<InspectionOutcome>(
    ["backup", "--as-child", "identify", path],
    `Cannot read "${path}"`,
  );
  if (outcome.kind !== "inspected") throw new BackupUnusableError(outcome.message);
  const { applied, schemaVersion } = outcome.inspection;
  if (schemaVersion === 0) return;
  const wrong = disagreement(
    { queueId: applied?.queueId ?? null, appliedPosition: BigInt(applied?.position ?? 0) },
    {
      queueId: queue.queueId,
      firstPosition: BigInt(queue.firstPosition),
      lastPosition: BigInt(queue.lastPosition),
    },
  );
  if (wrong !== null) throw new BackupUnusableError(`Cannot restore from "${backup}": ${wrong}`);
}
