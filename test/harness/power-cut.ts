// A disk that can lose power: a file system on a loop device, shut down in mid-write by the ioctl behind
// `xfs_io -x -c shutdown` (XFS_IOC_GOINGDOWN, which ext4 answers as well) without flushing its log. What was not synced
// by then is not there after the next mount.
//
// A cut, in this order: the instance is stopped (SIGSTOP), for an fdatasync that is under way during the shutdown may
// answer success falsely; once its main thread has stopped nothing more is acknowledged, so what was acknowledged is
// older than the cut; the shutdown; kill -9; unmount; mount.

import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TemporaryDirectory, until } from "./processes.ts";

export type FileSystem = "ext4" | "xfs";

export interface DiskSetting {
  readonly fileSystem: FileSystem;
  /** mount -o */
  readonly mountOptions?: string;
}

// The smallest that mkfs.xfs makes is 300 MB. The file is sparse.
const imageBytes = 512 * 1024 * 1024;

/** Why power cannot be cut on this machine; null: it can. */
export function whyNoPowerCut(fileSystem: FileSystem): string | null {
  if (process.platform !== "linux") return "power cuts need Linux";
  if (process.getuid?.() !== 0) return "mounting a loop device needs root";
  if (!existsSync("/dev/loop-control")) return "there are no loop devices";
  if (Bun.which(`mkfs.${fileSystem}`, { PATH: searchPath }) === null) return `mkfs.${fileSystem} is not installed`;
  using directory = new TemporaryDirectory("cut");
  try {
    using disk = CuttableDisk.make(directory.path, { fileSystem });
    writeFileSync(join(disk.path, "probe"), "");
    disk.cut();
    try {
      writeFileSync(join(disk.path, "probe"), "after the cut");
      return "the file system goes on after the shutdown";
    } catch {
      return null;
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const searchPath = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
// _IOR('X', 125, __u32), and "go down without flushing the log".
const goingDown = 0x8004587d;
const noLogFlush = 2;

export class CuttableDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #image: string;
  readonly #mountOptions: string;
  #isMounted = false;

  private constructor(directory: string, { fileSystem, mountOptions }: DiskSetting) {
    this.path = join(directory, `disk-${fileSystem}`);
    this.#image = `${this.path}.img`;
    this.#mountOptions = ["loop", ...(mountOptions === undefined ? [] : [mountOptions])].join(",");
  }

  /** An empty file system, mounted in `directory`. */
  static make(directory: string, setting: DiskSetting): CuttableDisk {
    const disk = new CuttableDisk(directory, setting);
    mkdirSync(disk.path);
    writeFileSync(disk.#image, "");
    truncateSync(disk.#image, imageBytes);
    run([`mkfs.${setting.fileSystem}`, "-q", disk.#image]);
    disk.mount();
    return disk;
  }

  mount(): void {
    run(["mount", "-o", this.#mountOptions, this.#image, this.path]);
    this.#isMounted = true;
  }

  unmount(): void {
    run(["umount", this.path]);
    this.#isMounted = false;
  }

  /** From now on nothing reaches the disk, not even what the file system had in hand. */
  cut(): void {
    const descriptor = openSync(this.path, "r");
    try {
      const flags = new Uint32Array([noLogFlush]);
      if (libc().symbols.ioctl(descriptor, BigInt(goingDown), ptr(flags)) !== 0) {
        throw new Error(`Cannot shut down the file system at "${this.path}": ioctl was refused`);
      }
    } finally {
      closeSync(descriptor);
    }
  }

  [Symbol.dispose](): void {
    if (this.#isMounted) run(["umount", "--lazy", this.path]);
    rmSync(this.#image, { force: true });
  }
}

/** Stops the instance; when it resolves its main thread runs no more, so no acknowledgement can follow. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  const stat = `/proc/${pid}/task/${pid}/stat`;
  const stateOf = () => / ([A-Z]) /.exec(readFileSync(stat, "latin1").replace(/^.*\)/, ""))?.[1];
  if (stateOf() === "T") return;
  await until("the instance has stopped", 10_000, () => stateOf() === "T");
}

function run(words: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...words], {
    env: { ...process.env, PATH: searchPath },
    stdout: "ignore",
  });
  if (exitCode !== 0) throw new Error(`Cannot ${words.join(" ")}: ${stderr.toString().trim()}`);
}

type Libc = ReturnType<typeof openLibc>;
let opened: Libc | undefined;

function libc(): Libc {
  opened ??= openLibc();
  return opened;
}

function openLibc() {
  return dlopen("libc.so.6", {
    ioctl: { args: [FFIType.i32, FFIType.u64, FFIType.ptr], returns: FFIType.i32 },
  });
}
