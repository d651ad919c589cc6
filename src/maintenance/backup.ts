// Makes a backup of a data directory, beside the instance that works in it or without one: a copy of the IDB as of one
// commit, and of the persistent queue from before that up to what is durable at the end. It writes nothing where it
// copies from, and takes no lock that the instance waits for; see hold.ts for what it does hold back.
//
// Everything is written into "<target>.partial", synced, and renamed last, so that a backup that did not come to its end
// is never taken for one. Its name stands in the way of the next backup to the same place until somebody deletes it.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { decodeEnvelope, EnvelopeError } from "../event/envelope.ts";
import { instantMsMax, timestampText } from "../event/instant.ts";
import { IdbDamagedError } from "../idb/error.ts";
import type { IdbInspection } from "../idb/inspect.ts";
import type { Disk } from "../queue/disk.ts";
import { QueueReader } from "../queue/reader.ts";
import { programVersion } from "../version.ts";
import { checkPlaces, NothingToBackUpError } from "./backup-place.ts";
import { disagreement } from "./halves.ts";
import { hashFile, writeHashed } from "./hashed-copy.ts";
import { backUpIdb, type IdbBackup } from "./idb-backup.ts";
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

/**
 * Rejects with what checkPlaces and backUpIdb throw, with what the IDB's and the queue's errors say of what cannot be
 * copied, or with the file system's own; then nothing is left of the backup. `stop` ends it early.
 */
export async function backUp(
  request: BackupRequest,
  { disk, clock, stop }: { readonly disk: Disk; readonly clock: Clock; readonly stop: AbortSignal },
): Promise<BackupReport> {
  const target = resolve(request.target);
  const partial = `${target}.partial`;
  checkPlaces({ ...request, target }, disk);
  mkdirSync(partial, { mode: 0o700 });
  try {
    mkdirSync(join(partial, "queue"), { mode: 0o700 });
    const report = await new Backup({ ...request, partial }, disk, clock, stop).run();
    await disk.rename(partial, target);
    await disk.syncDirectory(dirname(target));
    return report;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

class Backup {
  readonly #request: BackupRequest & { readonly partial: string };
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #stop: AbortSignal;
  readonly #files: BackupFile[] = [];

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
    const idb = await this.#copyIdb();
    const queue = idb?.queue ?? this.#queueCopy(null);
    while (await queue.advance()) this.#stop.throwIfAborted();
    const takenAt = this.#clock.now();
    const copied = await queue.finish();
    for (const { name, bytes, sha256 } of copied) this.#files.push({ path: `queue/${name}`, bytes, sha256 });
    const verification = verifyQueue(join(partial, "queue"), this.#disk);
    const manifest = this.#manifest(verification, idb?.inspection ?? null, takenAt, configurationFile);
    await writeHashed(this.#disk, join(partial, manifestName), new TextEncoder().encode(encodeManifest(manifest)));
    await this.#disk.syncDirectory(partial);
    return { manifest, heldMs: idb?.heldMs ?? 0, walGrewBytes: idb?.walGrewBytes ?? 0 };
  }

  async #copyConfiguration(): Promise<void> {
    const { configurationFile, partial } = this.#request;
    if (configurationFile === null) return;
    const bytes = new Uint8Array(readFileSync(configurationFile));
    this.#files.push({ path: "icon.toml", ...(await writeHashed(this.#disk, join(partial, "icon.toml"), bytes)) });
  }

  async #copyIdb(): Promise<IdbBackup | null> {
    const { idbPath: path, partial, holdMsMax } = this.#request;
    if (path === null) return null;
    const copy = join(partial, "idb.db");
    const queueCopy = (neededFrom: bigint) => this.#queueCopy(neededFrom);
    const made = await backUpIdb({
      path,
      copy,
      holdMsMax,
      disk: this.#disk,
      clock: this.#clock,
      stop: this.#stop,
      queueCopy,
    });
    this.#files.push({ path: "idb.db", ...hashFile(this.#disk, copy) });
    return made;
  }

  #queueCopy(neededFrom: bigint | null): QueueCopy {
    const { dataDirectory, partial } = this.#request;
    const places = { from: join(dataDirectory, "queue"), to: join(partial, "queue") };
    return new QueueCopy({ disk: this.#disk, clock: this.#clock, ...places, neededFrom });
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
