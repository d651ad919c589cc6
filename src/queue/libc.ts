// Two system calls that Bun's file API lacks, called in the C library. Loaded when first needed, so that what only reads
// a queue does without.

import { dlopen, read } from "bun:ffi";

// Linux on x64 and arm64.
const lockExclusive = 2;
const lockNonBlocking = 4;
const errnoAgain = 11;
const errnoInvalid = 22;
const errnoNotSupported = 95;

function load() {
  return dlopen("libc.so.6", {
    flock: { args: ["i32", "i32"], returns: "i32" },
    posix_fallocate: { args: ["i32", "i64", "i64"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  }).symbols;
}

let loaded: ReturnType<typeof load> | undefined;

function libc(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}

/** Takes an exclusive flock that lives as long as the open file. False: somebody else has it. */
export function tryLock(descriptor: number): boolean {
  const { flock, __errno_location } = libc();
  if (flock(descriptor, lockExclusive | lockNonBlocking) === 0) return true;
  const location = __errno_location();
  // The runtime may have changed errno in between; 0 then. Only a definite other reason is an error.
  const errno = location === null ? 0 : read.i32(location, 0);
  if (errno !== errnoAgain && errno !== 0) {
    throw new Error(`Cannot lock file descriptor ${descriptor}: flock failed with errno ${errno}`);
  }
  return false;
}

/** Reserves blocks. False: this file system cannot, and writing without them is slower but right. */
export function tryAllocate(descriptor: number, bytes: number): boolean {
  const errno = libc().posix_fallocate(descriptor, 0, bytes);
  if (errno === 0) return true;
  if (errno === errnoInvalid || errno === errnoNotSupported) return false;
  throw Object.assign(
    new Error(`Cannot allocate ${bytes} bytes: posix_fallocate failed with errno ${errno}${nameOf(errno)}`),
    { errno },
  );
}

function nameOf(errno: number): string {
  const names: Readonly<Record<number, string>> = {
    5: " (input/output error)",
    27: " (file too large)",
    28: " (no space left on device)",
    122: " (disk quota exceeded)",
  };
  return names[errno] ?? "";
}
