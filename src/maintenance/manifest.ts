// What a backup says of itself: manifest.json, the last file that is written into one.
//
//   <backup>/manifest.json
//            idb.db                          one file, no WAL; missing in a backup of the queue alone
//            queue/<first position>.segment  sealed, also what was being written
//            queue/<first position>.state    live state beside a segment
//            icon.toml                       when it was made by the configuration file
//
// It is laid out as a data directory, so `icon verify`, `icon sql` and `icon dump` can look into it.

export const manifestName = "manifest.json";
/** What is in a data directory while a restore into it has not come to its end. */
export const restoringName = "restoring";
export const manifestFormat = 1;
const magic = "ICON backup";

export interface BackupFile {
  /** Within the backup, with "/". */
  readonly path: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface Manifest {
  readonly programVersion: string;
  /** Everything that was durable at this time is in it; ISO 8601 in UTC. */
  readonly takenAt: string;
  readonly queue: {
    readonly queueId: string;
    readonly firstPosition: string;
    /** The last durable position that it holds. */
    readonly lastPosition: string;
    /** Arrival of the last record; null when there is none that can be read. */
    readonly lastArrivedAt: string | null;
    /** In words, one a finding; the damaged records were damaged where they came from. */
    readonly damage: readonly string[];
  };
  readonly idb: {
    readonly schemaVersion: number;
    /** Null: no batch was ever committed. */
    readonly queueId: string | null;
    readonly appliedPosition: string;
  } | null;
  /** Path within the backup. */
  readonly configuration: string | null;
  readonly files: readonly BackupFile[];
}

/** It is no backup of this program, of a newer one, or not what its manifest says. Nothing was written. */
export class BackupUnusableError extends Error {
  override readonly name = "BackupUnusableError";
}

export function encodeManifest(manifest: Manifest): string {
  return `${JSON.stringify({ format: magic, formatVersion: manifestFormat, ...manifest }, null, 2)}\n`;
}

/** Throws BackupUnusableError. `path` is for its message. */
export function decodeManifest(text: string, path: string): Manifest {
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new BackupUnusableError(`Cannot read manifest "${path}": it is no JSON; the file is damaged`, { cause });
  }
  const { format, formatVersion, ...manifest } = parsed ?? {};
  if (format !== magic || typeof formatVersion !== "number") {
    throw new BackupUnusableError(
      `Cannot read manifest "${path}": it does not say "${magic}"; expected that of a backup`,
    );
  }
  if (formatVersion > manifestFormat) {
    throw new BackupUnusableError(
      `Cannot restore from "${path}": its format is version ${formatVersion}, made by icon ${String(manifest["programVersion"])}, ` +
        `and this program reads up to ${manifestFormat}. Nothing was written; use the program that made it, or a later one`,
    );
  }
  if (!isManifest(manifest)) {
    throw new BackupUnusableError(`Cannot read manifest "${path}": something is missing in it; the file is damaged`);
  }
  return manifest;
}

const pathShape = /^(?:idb\.db|icon\.toml|queue\/\d{20}\.[A-Za-z0-9.-]+)$/;

function isManifest(value: Record<string, unknown>): value is Manifest & Record<string, unknown> {
  const queue = value["queue"] as Record<string, unknown> | undefined;
  const idb = value["idb"] as Record<string, unknown> | null | undefined;
  const files = value["files"];
  return (
    typeof value["programVersion"] === "string" &&
    typeof value["takenAt"] === "string" &&
    typeof queue === "object" &&
    /^[0-9a-f]{32}$/.test(String(queue["queueId"])) &&
    [queue["firstPosition"], queue["lastPosition"]].every((position) => /^\d{1,20}$/.test(String(position))) &&
    (idb === null || (typeof idb === "object" && /^\d{1,20}$/.test(String(idb["appliedPosition"])))) &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}

// Nothing but what a backup holds is ever written by a restore, and never outside of its target.
function isFile(value: unknown): value is BackupFile {
  const file = value as Partial<Record<keyof BackupFile, unknown>> | null;
  return (
    typeof file === "object" &&
    file !== null &&
    typeof file.path === "string" &&
    pathShape.test(file.path) &&
    !file.path.includes("..") &&
    Number.isSafeInteger(file.bytes) &&
    typeof file.sha256 === "string"
  );
}
