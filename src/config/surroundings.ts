// What a correct configuration may still run into on this host. Looked at, never changed: `icon validate` must leave no
// trace. These are warnings, for the file may be judged on another host than the one it is meant for.

import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Config, ConfigWarning } from "../config.ts";
import { fileSystemWarnings } from "./file-system.ts";

/** What this process may do here. */
export interface Rights {
  readonly userId: number;
  /** Soft limit on open files; null: none, or unknown. */
  readonly openFilesMax: number | null;
}

// An instance has some 100 files open; sockets of sources and readers come on top.
const openFilesMin = 1024;

/** `environment` is the process's; it decides where the embedded native library is unpacked. */
export function surroundingsWarnings(
  config: Config,
  environment: Readonly<Record<string, string | undefined>>,
  rights: Rights = ownRights(),
): ConfigWarning[] {
  return [
    ...folderWarnings("instance.data_dir", config.instance.dataDir),
    ...(dirname(config.idb.path) === config.instance.dataDir
      ? []
      : folderWarnings("idb.path", dirname(config.idb.path))),
    ...ownerWarnings(config, rights),
    ...fileSystemWarnings(config),
    ...temporaryFolderWarnings(environment),
    ...openFilesWarnings(rights),
  ];
}

/** As `surroundingsWarnings`, for the configuration file itself. */
export function fileWarnings(file: string): ConfigWarning[] {
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o022) === 0) return [];
  const octal = mode.toString(8).padStart(4, "0");
  const sentence = `others than its owner can change this file (mode ${octal}), and with it what is recorded: chmod go-w`;
  return [{ line: null, key: null, sentence }];
}

function ownRights(): Rights {
  let limits = "";
  try {
    limits = readFileSync("/proc/self/limits", "utf8");
  } catch {
    // Without /proc nothing can be said of limits.
  }
  const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
  return { userId: process.getuid?.() ?? -1, openFilesMax: soft === undefined ? null : Number(soft) };
}

function ownerWarnings({ instance: { dataDir } }: Config, { userId }: Rights): ConfigWarning[] {
  if (userId !== 0 || kindOf(dataDir) !== "folder") return [];
  const { uid } = statSync(dataDir);
  if (uid === 0) return [];
  const sentence = `"${dataDir}" belongs to user ${uid}: an instance run by root would leave files there that this user cannot use`;
  return [{ line: null, key: "instance.data_dir", sentence }];
}

function openFilesWarnings({ openFilesMax }: Rights): ConfigWarning[] {
  if (openFilesMax === null || openFilesMax >= openFilesMin) return [];
  const sentence = `a process may have ${openFilesMax} files open here; expected at least ${openFilesMin} (ulimit -n, LimitNOFILE= in the unit)`;
  return [{ line: null, key: null, sentence }];
}

function folderWarnings(key: string, folder: string): ConfigWarning[] {
  const line = null;
  switch (kindOf(folder)) {
    case "folder":
      return isWritable(folder) ? [] : [{ line, key, sentence: `this user may not write to "${folder}"` }];
    case "other":
      return [{ line, key, sentence: `"${folder}" is not a folder, so the instance will not start` }];
    case "missing": {
      const parent = dirname(folder);
      if (kindOf(parent) !== "folder") {
        return [{ line, key, sentence: `neither "${folder}" nor the folder above it exists` }];
      }
      if (!isWritable(parent)) {
        return [{ line, key, sentence: `"${folder}" does not exist, and this user may not make it in "${parent}"` }];
      }
      return [{ line, key, sentence: `"${folder}" does not exist yet; the instance makes it at its start` }];
    }
  }
}

/** What keeps the native library inside the binary from being unpacked to the temporary folder and loaded from there. */
export function temporaryFolderWarnings(environment: Readonly<Record<string, string | undefined>>): ConfigWarning[] {
  const variable = ["BUN_TMPDIR", "TMPDIR"].find((each) => (environment[each] ?? "") !== "");
  const folder = (variable === undefined ? undefined : environment[variable]) ?? "/tmp";
  const origin = variable === undefined ? "the temporary folder" : `the temporary folder (${variable})`;
  const purpose = "the database library is unpacked there and loaded";
  if (kindOf(folder) !== "folder")
    return [{ line: null, key: null, sentence: `${origin} "${folder}" does not exist; ${purpose}` }];
  if (!isWritable(folder)) {
    return [{ line: null, key: null, sentence: `this user may not write to ${origin} "${folder}"; ${purpose}` }];
  }
  if (isMountedNoexec(folder, readMounts())) {
    return [
      {
        line: null,
        key: null,
        sentence: `${origin} "${folder}" is mounted noexec; ${purpose}, so set TMPDIR to another one`,
      },
    ];
  }
  return [];
}

function kindOf(path: string): "folder" | "other" | "missing" {
  try {
    return statSync(path).isDirectory() ? "folder" : "other";
  } catch {
    return "missing"; // Or hidden from this user, which comes to the same.
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readMounts(): string {
  try {
    return readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return ""; // Without /proc nothing can be said of mounts.
  }
}

/** Whether the mount that holds `folder` forbids running what is in it. `mounts` is the text of /proc/self/mounts. */
export function isMountedNoexec(folder: string, mounts: string): boolean {
  let longest = -1;
  let isNoexec = false;
  for (const line of mounts.split("\n")) {
    const [, escapedPoint, , options] = line.split(" ");
    if (escapedPoint === undefined || options === undefined) continue;
    const point = escapedPoint.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = point === "/" || folder === point || folder.startsWith(`${point}/`);
    // Of two mounts at one place the later one covers the earlier.
    if (isAbove && point.length >= longest) {
      longest = point.length;
      isNoexec = options.split(",").includes("noexec");
    }
  }
  return isNoexec;
}
