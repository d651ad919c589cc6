// The real disk: Linux, through Bun's file API, with flock and posix_fallocate from the C library.
//
// Commits have a thread of their own (committer.ts), everything else that writes runs in Bun's thread pool: a plain
// pwrite can wait for the file system's journal while another process syncs, and on the main thread that would be time in
// which no socket is read.

import * as fs from "node:fs";
import { dirname } from "node:path";
import { CommitThread } from "./commit-thread.ts";
import type { Disk, DiskFile, LockOutcome } from "./disk.ts";
import { tryAllocate, tryLock } from "./libc.ts";

// Records hold what callers dialled and said of themselves.
const directoryMode = 0o700;
const fileMode = 0o600;

export const systemDisk: Disk = {
  async createDirectory(path) {
    const first = fs.mkdirSync(path, { recursive: true, mode: directoryMode });
    if (first !== undefined) await this.syncDirectory(dirname(first));
  },

  list: (directory) => fs.readdirSync(directory),

  open: (path) => new SystemFile(fs.openSync(path, "r")),

  create: (path) => new SystemFile(fs.openSync(path, "w+", fileMode)),

  rename: (from, to) => fs.promises.rename(from, to),

  unlink: (path) => fs.promises.unlink(path),

  async syncDirectory(path) {
    const directory = await fs.promises.open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },

  freeBytes(directory) {
    const { bavail, bsize } = fs.statfsSync(directory);
    return bavail * bsize;
  },

  lock(path, holder): LockOutcome {
    const descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, fileMode);
    try {
      if (!tryLock(descriptor)) {
        const refused = fs.readFileSync(path, "utf8").trim();
        fs.closeSync(descriptor);
        return { kind: "refused", holder: refused };
      }
      fs.ftruncateSync(descriptor, 0);
      fs.writeSync(descriptor, `${holder}\n`, 0);
    } catch (error) {
      fs.closeSync(descriptor);
      throw error;
    }
    // The file stays: deleting it would let a third process lock a new one beside the second.
    return { kind: "held", release: () => fs.closeSync(descriptor) };
  },
};

// Started with the first commit, so that what only reads does without.
let commitThread: CommitThread | undefined;
let filesOpened = 0;

class SystemFile implements DiskFile {
  private readonly number = ++filesOpened;

  constructor(private readonly descriptor: number) {}

  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  modifiedMs(): number {
    return fs.fstatSync(this.descriptor).mtimeMs;
  }

  read(target: Uint8Array, offset: number): number {
    let done = 0;
    while (done < target.length) {
      const count = fs.readSync(this.descriptor, target, done, target.length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async write(bytes: Uint8Array, offset: number): Promise<void> {
    // A signal or a nearly full disk makes a write short; the next one says why.
    for (let done = 0; done < bytes.length; ) done += await this.writeOnce(bytes, done, offset + done);
  }

  private writeOnce(bytes: Uint8Array, from: number, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.descriptor, bytes, from, bytes.length - from, offset, (error, count) => {
        if (error) reject(error);
        else if (count === 0) reject(new Error(`Cannot write at offset ${offset}: the disk took no bytes`));
        else resolve(count);
      });
    });
  }

  allocate(bytes: number): void {
    tryAllocate(this.descriptor, bytes);
  }

  truncate(bytes: number): Promise<void> {
    return settle((done) => fs.ftruncate(this.descriptor, bytes, done));
  }

  commit(bytes: Uint8Array, offset: number, done: (error: Error | null) => void): void {
    commitThread ??= new CommitThread();
    commitThread.submit({ file: this.number, descriptor: this.descriptor, bytes, offset, done });
  }

  settleCommits(): void {
    commitThread?.settle();
  }

  sync(): Promise<void> {
    return settle((done) => fs.fsync(this.descriptor, done));
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

function settle(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => (error ? reject(error) : resolve())));
}
