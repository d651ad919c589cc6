// A disk that can lose power in two ways. Either way, what was not synced by then is not there after the next mount.
//
// 1. `cut`: the file system is shut down in mid-write by the ioctl behind `xfs_io -x -c shutdown` (XFS_IOC_GOINGDOWN,
//    which ext4 answers as well) without flushing its log.
// 2. `hang`, later `cutWhileHanging`: as failing disks do, it answers nothing for a moment before the power goes. Writes
//    still find room in memory, syncs wait. The disk's image lies on an outer file system that is frozen meanwhile; what
//    the image holds then is what the disk held, and a copy of it is what comes back.
//
//      data ▸ file system ▸ loop device ▸ image ▸ outer file system ▸ loop device ▸ outer image
//
// The instance is stopped (SIGSTOP) just before the shutdown, for an fdatasync that is under way during it may answer
// success falsely. Once its main thread has stopped nothing more is acknowledged: what was, is older than the cut.

import { dlopen, FFIType, ptr } from "bun:ffi";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { TemporaryDirectory, until, whenGone } from "./processes.ts";

export type FileSystem = "ext4" | "xfs";

export interface DiskSetting {
  readonly fileSystem: FileSystem;
  /** mount -o */
  readonly mountOptions?: string;
  /** The image lies on a tmpfs of so many bytes, which can be filled: then what was never written cannot be written. */
  readonly thinBytes?: number;
}

// The smallest that mkfs.xfs makes is 300 MB. The files are sparse.
const imageBytes = 512 * 1024 * 1024;
const outerBytes = 768 * 1024 * 1024;

/** Why power cannot be cut on this machine; null: it can. */
export function whyNoPowerCut(fileSystem: FileSystem): string | null {
  if (process.platform !== "linux") return "power cuts need Linux";
  if (process.getuid?.() !== 0) return "mounting a loop device needs root";
  if (!existsSync("/dev/loop-control")) return "there are no loop devices";
  for (const tool of ["mkfs.ext4", `mkfs.${fileSystem}`, "mount", "umount", "fsfreeze"]) {
    if (Bun.which(tool, { PATH: searchPath }) === null) return `${tool} is not installed`;
  }
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

// Outer mount point, mount point, directory; each step may have nothing to do.
const leaveNothing =
  'PATH=$PATH:/usr/sbin:/sbin; fsfreeze -u "$1"; umount -l "$2"; umount -l "$1"; rm -rf --one-file-system "$3"';

export class CuttableDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #outer: string;
  readonly #mountOptions: string;
  #isMounted = false;
  #isOuterMounted = false;
  #isHanging = false;
  #callOff: () => void = () => {};

  private constructor(directory: string, { fileSystem, mountOptions }: DiskSetting) {
    this.path = join(directory, `disk-${fileSystem}`);
    this.#outer = join(directory, `outer-${fileSystem}`);
    this.#mountOptions = ["loop", ...(mountOptions === undefined ? [] : [mountOptions])].join(",");
  }

  /** An empty file system, mounted in `directory`. */
  static make(directory: string, setting: DiskSetting): CuttableDisk {
    const disk = new CuttableDisk(directory, setting);
    disk.#callOff = whenGone(["sh", "-c", leaveNothing, "power-cut", disk.#outer, disk.path, directory]);
    mkdirSync(disk.path);
    mkdirSync(disk.#outer);
    try {
      if (setting.thinBytes === undefined) {
        makeImage(disk.#outerImage, outerBytes, "ext4");
        run(["mount", "-o", "loop", disk.#outerImage, disk.#outer]);
      } else {
        run(["mount", "-t", "tmpfs", "-o", `size=${setting.thinBytes}`, "none", disk.#outer]);
      }
      disk.#isOuterMounted = true;
      makeImage(disk.#image, imageBytes, setting.fileSystem);
      disk.mount();
      return disk;
    } catch (error) {
      disk[Symbol.dispose]();
      throw error;
    }
  }

  get #outerImage(): string {
    return `${this.#outer}.img`;
  }

  get #image(): string {
    return join(this.#outer, "image");
  }

  get #filler(): string {
    return join(this.#outer, "filler");
  }

  mount(): void {
    run(["mount", "-o", this.#mountOptions, this.#image, this.path]);
    this.#isMounted = true;
    letWritersIn(this.path);
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

  /** Of a thin disk: from now on whatever it has no place for yet fails, when it is written back or synced. */
  fill(): void {
    const chunk = new Uint8Array(64 * 1024);
    const filler = openSync(this.#filler, "w");
    try {
      for (;;) writeSync(filler, chunk);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    } finally {
      closeSync(filler);
    }
  }

  /** There is a place for everything again. What has failed stays lost. */
  makeRoom(): void {
    rmSync(this.#filler);
  }

  /** From now on the disk answers nothing: whoever syncs waits. */
  hang(): void {
    run(["fsfreeze", "--freeze", this.#outer]);
    this.#isHanging = true;
  }

  /**
   * The power goes while the disk hangs. `gone` must end whoever uses it and is awaited when the disk answers again;
   * nothing that happens then counts. Afterwards the disk is mounted as it was when the power went.
   */
  async cutWhileHanging(gone: () => Promise<void>): Promise<void> {
    const held = `${this.path}.held`;
    run(["cp", "--sparse=always", this.#image, held]);
    const going = gone();
    this.answerAgain();
    await going;
    this.unmount();
    run(["cp", "--sparse=always", held, this.#image]);
    rmSync(held);
    this.mount();
  }

  /** Whatever waited for the disk goes on. */
  answerAgain(): void {
    run(["fsfreeze", "--unfreeze", this.#outer]);
    this.#isHanging = false;
  }

  [Symbol.dispose](): void {
    this.#callOff();
    if (this.#isHanging) this.answerAgain();
    if (this.#isMounted) run(["umount", "--lazy", this.path]);
    this.#isMounted = false;
    if (this.#isOuterMounted) run(["umount", "--lazy", this.#outer]);
    this.#isOuterMounted = false;
    rmSync(this.#outerImage, { force: true });
  }
}

function makeImage(file: string, bytes: number, fileSystem: FileSystem): void {
  writeFileSync(file, "");
  truncateSync(file, bytes);
  run([`mkfs.${fileSystem}`, "-q", file]);
}

// The kernel lets only few background writes wait for a slow device: whoever writes back then waits with pages locked that
// others want to read. A disk that hangs is to take what is written.
function letWritersIn(path: string): void {
  const major = statSync(path).dev >> 8;
  const minor = statSync(path).dev & 0xff;
  const file = `/sys/dev/block/${major}:${minor}/queue/wbt_lat_usec`;
  if (existsSync(file)) writeFileSync(file, "0");
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
