// Makes a backup of a data directory, beside the instance that works in it or without one: a copy of the IDB as of one
// commit, and of the persistent queue from before that up to what is durable at the end. It writes nothing where it
// copies from, and takes no lock that the instance waits for; see hold.ts for what it does hold back.
//
// Everything is written into "<target>.partial", synced, and renamed last, so that a backup that did not come to its end
// is never taken for one. Its name stands in the way of the next backup to the same place until somebody deletes it.

import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type Clock, sleep } from "../clock.ts";
import { decodeEnvelope, EnvelopeError } from "../event/envelope.ts";
import { instantMsMax, timestampText } from "../event/instant.ts";
import { askChild } from "../idb/child.ts";
import { copyIdb } from "../idb/copy.ts";
import { IdbDamagedError, IdbUnavailableError } from "../idb/error.ts";
import { holdIdb } from "../idb/hold.ts";
import type { IdbInspection, InspectionOutcome } from "../idb/inspect.ts";
import { sizeOf } from "../idb/reading.ts";
import type { Disk } from "../queue/disk.ts";
import { QueueReader } from "../queue/reader.ts";
import { segmentsAmong } from "../queue/segment.ts";
import { programVersion } from "../version.ts";
import { disagreement } from "./halves.ts";
import { hashFile, writeHashed } from "./hashed-copy.ts";
import { type BackupFile, encodeManifest, type Manifest, manifestName } from "./manifest.ts";
import { QueueCopy } from "./queue-copy.ts";
import { damageLine } from "./verify.ts";
import { type QueueVerification, verifyQueue } from "./verify-queue.ts";

export interface BackupRequest {
  readonly dataDirectory: string;
  /** Null: the persistent queue alone. */
  readonly idbPath: string | null;
  /** Null: none is known. */
  readonly configurationFile: string | null;
  /** Does not exist; its parent does. */
  readonly target: string;
  /** For so long the IDB may be held. */
  readonly holdMsMax: number;
}

export interface BackupReport {
  readonly manifest: Manifest;
  /** How long the IDB was held, and what its WAL grew by meanwhile. */
  readonly heldMs: number;
  readonly walGrewBytes: number;
}

/** There is nothing to back up at the place that was given. */
export class NothingToBackUpError extends Error {
  override readonly name = "NothingToBackUpError";
}

/** The target is there already, or cannot be made. */
export class BackupTargetError extends Error {
  override readonly name = "BackupTargetError";
}

/** The target's disk has too little room. */
export class BackupRoomError extends Error {
  override readonly name = "BackupRoomError";
}

/** The IDB would have been held for longer than was allowed. */
export class BackupBoundError extends Error {
  override readonly name = "BackupBoundError";
}

// Left free on the target's disk, for an instance may live on it.
const leftFreeBytes = 64 * 1024 * 1024;
const lookEveryMs = 100;
const attemptsMax = 3;

/**
 * Rejects with one of the errors above, with what the IDB's and the queue's errors say of what cannot be copied, or with
 * the file system's own; then nothing is left of the backup. `stop` ends it early.
 */
export async function backUp(
  request: BackupRequest,
  { disk, clock, stop }: { readonly disk: Disk; readonly clock: Clock; readonly stop: AbortSignal },
): Promise<BackupReport> {
  const target = resolve(request.target);
  const partial = `${target}.partial`;
  checkPlaces(request, target, disk);
  mkdirSync(join(partial, "queue"), { recursive: true, mode: 0o700 });
  try {
    const report = await new Backup({ ...request, partial }, disk, clock, stop).run();
    await disk.rename(partial, target);
    await disk.syncDirectory(dirname(target));
    return report;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

function checkPlaces({ dataDirectory, idbPath, configurationFile }: BackupRequest, target: string, disk: Disk): void {
  const queueDirectory = join(dataDirectory, "queue");
  if (!isDirectory(queueDirectory) || segmentsAmong(disk.list(queueDirectory)).length === 0) {
    throw new NothingToBackUpError(
      `Cannot back up "${dataDirectory}": there is no persistent queue; expected the data directory of an instance`,
    );
  }
  if (idbPath !== null && !existsSync(idbPath)) {
    throw new NothingToBackUpError(
      `Cannot back up IDB "${idbPath}": there is no such file; --queue-only leaves it out, and an instance that is ` +
        "restored from that makes it anew of the persistent queue",
    );
  }
  for (const each of [target, `${target}.partial`]) {
    if (!existsSync(each)) continue;
    const meaning = each === target ? "it exists already" : "a backup that did not end left it, or one is running";
    throw new BackupTargetError(`Cannot make backup "${each}": ${meaning}; delete it, or give another name`);
  }
  const parent = dirname(target);
  if (!isDirectory(parent)) {
    throw new BackupTargetError(`Cannot make backup "${target}": there is no folder "${parent}"; expected one`);
  }
  const way = relative(realpathSync(dataDirectory), join(realpathSync(parent), basename(target)));
  if (!way.startsWith("..")) {
    throw new BackupTargetError(
      `Cannot make backup "${target}": it would be in the data directory; expected a place outside, on another disk`,
    );
  }
  checkRoom({ queueDirectory, idbPath, configurationFile, parent }, disk);
}

function checkRoom(
  places: {
    readonly queueDirectory: string;
    readonly idbPath: string | null;
    readonly configurationFile: string | null;
    readonly parent: string;
  },
  disk: Disk,
): void {
  const { queueDirectory, idbPath, parent } = places;
  const queueBytes = disk.list(queueDirectory).reduce((sum, name) => sum + sizeOf(join(queueDirectory, name)), 0);
  // Once as it is copied, once more for what its WAL holds until the copy is one file.
  const idbBytes = idbPath === null ? 0 : sizeOf(idbPath) + 2 * sizeOf(`${idbPath}-wal`);
  const neededBytes = queueBytes + idbBytes + leftFreeBytes;
  const freeBytes = disk.freeBytes(parent);
  if (freeBytes >= neededBytes) return;
  throw new BackupRoomError(
    `Cannot make a backup in "${parent}": it takes up to ${neededBytes} bytes, with ${leftFreeBytes} left free, and ` +
      `${freeBytes} are free; expected a disk with more room`,
  );
}

class Backup {
  readonly #request: BackupRequest & { readonly partial: string };
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #stop: AbortSignal;
  readonly #files: BackupFile[] = [];
  #held = { ms: 0, walGrewBytes: 0 };

  constructor(request: BackupRequest & { readonly partial: string }, disk: Disk, clock: Clock, stop: AbortSignal) {
    this.#request = request;
    this.#disk = disk;
    this.#clock = clock;
    this.#stop = stop;
  }

  async run(): Promise<BackupReport> {
    const { partial, configurationFile } = this.#request;
    await this.#copyConfiguration();
    // The IDB first: what it has applied is in the queue by then, and what it lacks is copied after it.
    const { queue, inspection } = await this.#copyIdb();
    const takenAt = this.#clock.now();
    const copied = await queue.finish();
    for (const { name, bytes, sha256 } of copied) this.#files.push({ path: `queue/${name}`, bytes, sha256 });
    const verification = verifyQueue(join(partial, "queue"), this.#disk);
    const manifest = this.#manifest(verification, inspection, takenAt, configurationFile);
    await writeHashed(this.#disk, join(partial, manifestName), new TextEncoder().encode(encodeManifest(manifest)));
    await this.#disk.syncDirectory(partial);
    return { manifest, heldMs: this.#held.ms, walGrewBytes: this.#held.walGrewBytes };
  }

  async #copyConfiguration(): Promise<void> {
    const { configurationFile, partial } = this.#request;
    if (configurationFile === null) return;
    const bytes = new Uint8Array(readFileSync(configurationFile));
    this.#files.push({ path: "icon.toml", ...(await writeHashed(this.#disk, join(partial, "icon.toml"), bytes)) });
  }

  async #copyIdb(): Promise<{ readonly queue: QueueCopy; readonly inspection: IdbInspection | null }> {
    const { idbPath, partial } = this.#request;
    if (idbPath === null) return { queue: this.#queueCopy(null), inspection: null };
    const copy = join(partial, "idb.db");
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      for (const suffix of ["", "-wal"]) rmSync(`${copy}${suffix}`, { force: true });
      const queue = await this.#copyHeld(idbPath, copy);
      if (queue === null) continue;
      const settled = askChild<InspectionOutcome>(["backup", "--as-child", "settle", copy], `Cannot read "${copy}"`);
      const outcome = await this.#meanwhile(settled, () => queue.advance());
      this.#files.push({ path: "idb.db", ...hashFile(this.#disk, copy) });
      return { queue, inspection: soundOf(outcome, idbPath) };
    }
    throw new IdbUnavailableError(`Cannot copy IDB "${idbPath}": it was replaced ${attemptsMax} times meanwhile`);
  }

  /** Null: a writer came while the file was taken for unused. */
  async #copyHeld(idbPath: string, copy: string): Promise<QueueCopy | null> {
    const { holdMsMax } = this.#request;
    const hold = await holdIdb(idbPath, holdMsMax);
    const startedMs = this.#clock.monotonic();
    const walBytes = sizeOf(`${idbPath}-wal`);
    const failed = new AbortController();
    try {
      const queue = this.#queueCopy(hold.appliedPosition + 1n);
      const end = AbortSignal.any([this.#stop, hold.lost, failed.signal]);
      const copied = copyIdb(idbPath, copy, end).catch((error: unknown) => {
        if (!hold.lost.aborted) throw error;
      });
      await this.#meanwhile(copied, () => queue.advance({ onlyNeeded: true }), failed);
      this.#held = {
        ms: Math.round(this.#clock.monotonic() - startedMs),
        walGrewBytes: Math.max(0, sizeOf(`${idbPath}-wal`) - walBytes),
      };
      const ending = await hold.release();
      if (ending === "too late") {
        throw new BackupBoundError(
          `Stopped: copying IDB "${idbPath}" took longer than ${holdMsMax / 1000} s, in which its WAL cannot be emptied; ` +
            "raise --hold-max, or back up to a faster disk",
        );
      }
      return ending === "kept" ? queue : null;
    } finally {
      await hold.release();
    }
  }

  #queueCopy(neededFrom: bigint | null): QueueCopy {
    const { dataDirectory, partial } = this.#request;
    const places = { from: join(dataDirectory, "queue"), to: join(partial, "queue") };
    return new QueueCopy({ disk: this.#disk, clock: this.#clock, ...places, neededFrom });
  }

  /** Does one step after the other until `main` has ended. When a step fails, `main` has ended too, sooner for `failed`. */
  async #meanwhile<T>(main: Promise<T>, step: () => Promise<boolean>, failed?: AbortController): Promise<T> {
    let isOver = false;
    const over = main.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true; // thrown below
      },
    );
    try {
      while (!isOver) {
        this.#stop.throwIfAborted();
        if (!(await step())) await Promise.race([over, sleep(this.#clock, lookEveryMs)]);
      }
    } catch (error) {
      failed?.abort();
      await over;
      throw error;
    }
    return main;
  }

  #manifest(
    verification: QueueVerification,
    inspection: IdbInspection | null,
    takenAt: number,
    configurationFile: string | null,
  ): Manifest {
    const { queueId, firstPosition, lastPosition } = verification;
    if (queueId === null) {
      throw new NothingToBackUpError(
        `Cannot back up "${this.#request.dataDirectory}": its persistent queue holds no record yet`,
      );
    }
    const { applied, schemaVersion } = inspection ?? {};
    const idb =
      inspection === null
        ? null
        : {
            schemaVersion: schemaVersion ?? 0,
            queueId: applied?.queueId ?? null,
            appliedPosition: applied?.position ?? "0",
          };
    const wrong =
      idb &&
      disagreement(
        { queueId: idb.queueId, appliedPosition: BigInt(idb.appliedPosition) },
        { queueId, firstPosition: BigInt(firstPosition), lastPosition: BigInt(lastPosition) },
      );
    if (wrong !== null) {
      throw new IdbDamagedError(
        `Cannot back up "${this.#request.dataDirectory}": ${wrong}; start the instance, which makes them agree`,
      );
    }
    return {
      programVersion,
      takenAt: new Date(takenAt).toISOString(),
      queue: {
        queueId,
        firstPosition,
        lastPosition,
        lastArrivedAt: lastArrival(this.#disk, join(this.#request.partial, "queue"), BigInt(lastPosition)),
        damage: verification.damage.map((each) => damageLine({ ...each, segment: basename(each.segment) })),
      },
      idb,
      configuration: configurationFile === null ? null : "icon.toml",
      files: this.#files,
    };
  }
}

/** A damaged IDB is no backup, and there is something better: the persistent queue, from which it is rebuilt. */
function soundOf(outcome: InspectionOutcome, idbPath: string): IdbInspection {
  if (outcome.kind === "unavailable") throw new IdbUnavailableError(outcome.message);
  const complaint = outcome.kind === "refused" ? outcome.message : outcome.inspection.complaints[0];
  if (outcome.kind === "inspected" && complaint === undefined) return outcome.inspection;
  throw new IdbDamagedError(
    `Cannot back up IDB "${idbPath}": it is damaged (${complaint}). Start the instance, which puts it aside and rebuilds ` +
      "it; or back up with --queue-only",
  );
}

function lastArrival(disk: Disk, directory: string, last: bigint): string | null {
  using reader = new QueueReader({ disk, directory });
  reader.seek(last);
  const [outcome] = reader.read(last, { recordsMax: 1, bytesMax: 1 });
  if (outcome?.kind !== "record") return null;
  try {
    const { arrivedAt } = decodeEnvelope(outcome.payload);
    return arrivedAt >= 0 && arrivedAt <= instantMsMax ? timestampText(arrivedAt) : null;
  } catch (error) {
    if (error instanceof EnvelopeError) return null;
    throw error;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
