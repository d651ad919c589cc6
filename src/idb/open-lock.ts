// The lock by which SQLite knows that somebody has a database open. Whoever closes a database and finds nobody else with
// it removes its WAL, be it a shell that an operator has asked one question; a writer that goes on then writes to a file
// which nobody will ever read.
//
// SQLite takes it, but once in a process, and the kernel drops all of a process's locks on a file when the process closes
// any descriptor of it. An IDB is looked at before it is opened, by descriptors of ours and by connections that libSQL
// lets go of late: then SQLite believes that it has the lock, and has not. So it is taken here as well, and the descriptor
// kept. A lock is the process's, whichever descriptor it was asked for by; taken twice it is one.

import { dlopen, ptr } from "bun:ffi";
import { closeSync, openSync } from "node:fs";
import { IdbBusyError } from "./error.ts";

// SHARED_FIRST and SHARED_SIZE of SQLite's file format.
const sharedFrom = 0x4000_0002n;
const sharedBytes = 510n;
// Linux on x64 and arm64: F_SETLK, and struct flock: type and whence, 16 bits each; from 8 on start, length and process.
const setLock = 6;
const lockBytes = 32;
const readLock = 0;

function load() {
  return dlopen("libc.so.6", { fcntl: { args: ["i32", "i32", "ptr"], returns: "i32" } }).symbols;
}

let loaded: ReturnType<typeof load> | undefined;

export class OpenLock {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Of a database that this process has open, not exclusively: that would end. Throws IdbBusyError while somebody else has all of it. */
  static take(path: string): OpenLock {
    const lock = new DataView(new ArrayBuffer(lockBytes));
    lock.setInt16(0, readLock, true);
    lock.setBigInt64(8, sharedFrom, true);
    lock.setBigInt64(16, sharedBytes, true);
    loaded ??= load();
    const descriptor = openSync(path, "r");
    if (loaded.fcntl(descriptor, setLock, ptr(lock.buffer)) === 0) return new OpenLock(descriptor);
    closeSync(descriptor);
    throw new IdbBusyError(`Cannot open IDB "${path}": somebody else has locked all of it`);
  }

  /** After the database itself was closed: the process's locks on the file end here. */
  release(): void {
    closeSync(this.#descriptor);
  }
}
