// Who reads the IDB now, told by the lock that every SQLite reader holds on the WAL's index. Only asked when a reader is
// in the way: it costs a look at the kernel's list of locks, or at the open files of every process that we may look at.

import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";

export interface WalReader {
  readonly pid: number;
  /** Name of its program, as the kernel has it: at most 15 letters. */
  readonly command: string;
}

// Bytes of the -shm file that readers lock, in SQLite's format of the WAL index: WAL_READ_LOCK(0) to (4).
const readLockMin = 123;
const readLockMax = 127;
const readersMax = 8;

/** Other processes that read the IDB, at most 8. Empty when none can be seen: in a boxed unit /proc shows only our own. */
export function walReaders(idbPath: string): WalReader[] {
  const pids = lockHolders(`${idbPath}-shm`) ?? openers(`${idbPath}-shm`);
  return [...new Set(pids)]
    .filter((pid) => pid > 0 && pid !== process.pid)
    .slice(0, readersMax)
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

/** Undefined: the kernel's list of locks is not shown to us. */
function lockHolders(shmPath: string): number[] | undefined {
  const inode = statSync(shmPath, { throwIfNoEntry: false })?.ino;
  const text = read("/proc/locks");
  if (text === undefined || inode === undefined) return undefined;
  return text.split("\n").flatMap((line) => {
    // «4: POSIX  ADVISORY  READ  1234 08:01:5678 124 124»: number, kind, kind, access, process, file, first and last byte
    const [, pid, file, first, last] =
      /^\d+: POSIX +ADVISORY +READ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) (\d+) (\d+)$/.exec(line) ?? [];
    const isReader = Number(file) === inode && Number(first) <= readLockMax && Number(last) >= readLockMin;
    return isReader ? [Number(pid)] : [];
  });
}

/** Processes that have the file open, among those whose open files we may see. */
function openers(path: string): number[] {
  let file: string;
  let entries: string[];
  try {
    file = realpathSync(path);
    entries = readdirSync("/proc");
  } catch {
    return []; // No index, or no /proc: nobody to name.
  }
  return entries.filter((entry) => /^\d+$/.test(entry) && hasOpen(entry, file)).map(Number);
}

function hasOpen(pid: string, file: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((each) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${each}`) === file;
      } catch {
        return false; // Closed meanwhile.
      }
    });
  } catch {
    return false; // Gone, or somebody else's.
  }
}

function commandOf(pid: number): string {
  return read(`/proc/${pid}/comm`)?.trim() ?? "?";
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // Not shown to us, or gone.
  }
}
