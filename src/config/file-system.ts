// What kind of file system a folder is on. Over a network neither fdatasync nor a lock promises what the persistent queue
// and the IDB stand on, and the server can be away while this host lives.
// Source of the numbers: statfs(2), linux/magic.h.

import { readdirSync, statfsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../config.ts";
import type { ConfigProblem, ConfigWarning } from "./problem.ts";

const networkTypes: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x517b, "SMB"],
  [0x01021997, "9p"],
  [0x00c36400, "Ceph"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x786f4256, "a folder shared by a virtual machine's host"],
  // What is behind it cannot be told: sshfs, s3fs and GlusterFS among others.
  [0x65735546, "FUSE"],
]);
const memoryTypes: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

/** What statfs says of a folder. Throws an error with the code ENOENT when it is not there. */
export type AskFileSystem = (folder: string) => { readonly type: number; readonly freeBytes: number };

const askSystem: AskFileSystem = (folder) => {
  const { type, bavail, bsize } = statfsSync(folder);
  return { type, freeBytes: bavail * bsize };
};

/** Folders of the configuration on a file system that would lose what was acknowledged: nothing is to be started. */
export function fileSystemProblems(config: Config, ask: AskFileSystem = askSystem): ConfigProblem[] {
  return folders(config).flatMap(({ key, folder }) => {
    const name = networkTypes.get(nearest(folder, ask)?.type ?? 0);
    if (name === undefined) return [];
    const problem = `it is on a network file system (${name}), which does not keep what fdatasync promises`;
    return [
      { line: null, column: null, key, value: `"${folder}"`, problem, expected: "a folder on a disk of this host" },
    ];
  });
}

/** File systems that hold, but will hurt. */
export function fileSystemWarnings(config: Config, ask: AskFileSystem = askSystem): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  for (const { key, folder } of folders(config)) {
    const found = nearest(folder, ask);
    const name = memoryTypes.get(found?.type ?? 0);
    if (name === undefined) continue;
    const sentence = `"${folder}" is on ${name}, in memory: a power cut or a restart of this host loses all of it`;
    warnings.push({ line: null, key, sentence });
  }
  const free = nearest(config.instance.dataDir, ask)?.freeBytes;
  // What the persistent queue holds already, it need not find again.
  const growth = config.queue.retentionBytes - bytesIn(join(config.instance.dataDir, "queue"));
  if (free !== undefined && free < growth) {
    const sentence = `"${config.instance.dataDir}" has ${gibibytes(free)} GiB free, and the persistent queue may grow by ${gibibytes(growth)} GiB`;
    warnings.push({ line: null, key: "queue.retention_bytes", sentence });
  }
  return warnings;
}

function folders(config: Config): readonly { readonly key: string; readonly folder: string }[] {
  const data = { key: "instance.data_dir", folder: config.instance.dataDir };
  const idb = { key: "idb.path", folder: dirname(config.idb.path) };
  return idb.folder === data.folder ? [data] : [data, idb];
}

/** Of the folder, or of the nearest one above it that is there; undefined where the system does not say. */
function nearest(folder: string, ask: AskFileSystem): ReturnType<AskFileSystem> | undefined {
  for (let at = folder; ; at = dirname(at)) {
    try {
      return ask(at);
    } catch {
      if (dirname(at) === at) return undefined;
    }
  }
}

/** On disk, of the files in a folder. 0 when it is not there or not this user's to look at. */
function bytesIn(folder: string): number {
  try {
    return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * 512, 0);
  } catch {
    return 0;
  }
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
