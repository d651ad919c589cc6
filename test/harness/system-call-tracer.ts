// bun system-call-tracer.ts PID DIRECTORY KILL_AT
//
// Traces a process and all its threads, counts its persistent system calls (what changes a file below DIRECTORY, or
// syncs one), and kills it (SIGKILL) on entering call number KILL_AT, which is then never done; 0 kills nothing. When the
// process is gone it prints the calls it has seen, the one it was killed at too, as a JSON array of texts.
//
// strace's `inject=…:when=k` counts per thread and per call, so that the one header that a pool thread writes while
// another thread commits a hundred batches can never be the k-th of anything. Here one number counts them all, across all threads, in
// the order in which the kernel was asked.

import { dlopen, FFIType, ptr } from "bun:ffi";
import { closeSync, openSync, readlinkSync, readSync, writeSync } from "node:fs";

const seize = 0x4206;
const syscallStep = 24;
const listen = 0x4208;
const getSyscallInfo = 0x420e;
// Told apart from other traps, followed into threads and children, and nothing lives on without us.
const options = 0x01 | 0x02 | 0x04 | 0x08 | 0x10 | 0x100000;
const waitForAll = 0x40000000;
const syscallStop = 5 | 0x80;
const eventStop = 128;
const openForCreation = 0o100;
const infoBytes = 88;
const entry = 1;

/** Where the call says which file it is about. */
type Subject = "descriptor" | "path" | "path after a directory" | "creating";

/** By their numbers on x86-64. */
const persistent = new Map<number, readonly [name: string, subject: Subject]>([
  [1, ["write", "descriptor"]],
  [18, ["pwrite64", "descriptor"]],
  [20, ["writev", "descriptor"]],
  [74, ["fsync", "descriptor"]],
  [75, ["fdatasync", "descriptor"]],
  [76, ["truncate", "path"]],
  [77, ["ftruncate", "descriptor"]],
  [82, ["rename", "path"]],
  [83, ["mkdir", "path"]],
  [87, ["unlink", "path"]],
  [257, ["openat", "creating"]],
  [258, ["mkdirat", "path after a directory"]],
  [263, ["unlinkat", "path after a directory"]],
  [264, ["renameat", "path after a directory"]],
  [277, ["sync_file_range", "descriptor"]],
  [285, ["fallocate", "descriptor"]],
  [296, ["pwritev", "descriptor"]],
  [316, ["renameat2", "path after a directory"]],
  [328, ["pwritev2", "descriptor"]],
]);

const libc = dlopen("libc.so.6", {
  ptrace: { args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64], returns: FFIType.i64 },
  waitpid: { args: [FFIType.i32, FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
});

const [pid, directory, killAt] = [Number(process.argv[2]), process.argv[3] ?? "", Number(process.argv[4])];
const calls: string[] = [];
const status = new Int32Array(1);
const info = new Uint8Array(infoBytes);
const infoView = new DataView(info.buffer);

if (ptrace(seize, pid, 0, options) !== 0) throw new Error(`Cannot trace process ${pid}: the system refuses it`);
ask("traced\n");
for (;;) {
  const thread = libc.symbols.waitpid(-1, ptr(status), waitForAll);
  if (thread < 0) break;
  const word = status[0] ?? 0;
  if ((word & 0xff) !== 0x7f) continue; // gone
  const signal = (word >> 8) & 0xff;
  const event = word >> 16;
  if (signal === syscallStop) {
    lookAt(thread);
    ptrace(syscallStep, thread, 0, 0);
  } else if (event === eventStop && signal !== 5) {
    ptrace(listen, thread, 0, 0); // stopped by somebody, until SIGCONT
  } else {
    ptrace(syscallStep, thread, 0, event === 0 ? signal : 0);
  }
}
ask(`${JSON.stringify(calls)}\n`);

function lookAt(thread: number): void {
  if (ptrace(getSyscallInfo, thread, infoBytes, ptr(info)) <= 0 || info[0] !== entry) return;
  const known = persistent.get(Number(infoView.getBigUint64(24, true)));
  if (known === undefined) return;
  const [name, subject] = known;
  const file = fileOf(thread, subject);
  if (file === null || !file.startsWith(directory)) return;
  calls.push(`${name} ${file.slice(directory.length)}`);
  if (calls.length === killAt) process.kill(pid, "SIGKILL");
}

function fileOf(thread: number, subject: Subject): string | null {
  const argument = (at: number) => Number(infoView.getBigUint64(32 + 8 * at, true));
  switch (subject) {
    case "descriptor":
      return linkOf(`/proc/${thread}/fd/${argument(0)}`);
    case "path":
      return textAt(thread, argument(0));
    case "path after a directory":
      return textAt(thread, argument(1));
    case "creating":
      return (argument(2) & openForCreation) === 0 ? null : textAt(thread, argument(1));
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // no such descriptor: the call fails, and changes nothing
  }
}

function textAt(thread: number, address: number): string {
  const bytes = new Uint8Array(4096);
  const memory = openSync(`/proc/${thread}/mem`, "r");
  try {
    const count = readSync(memory, bytes, 0, bytes.length, address);
    return new TextDecoder().decode(bytes.subarray(0, Math.max(0, bytes.subarray(0, count).indexOf(0))));
  } finally {
    closeSync(memory);
  }
}

function ptrace(request: number, thread: number, address: number, data: number): number {
  return Number(libc.symbols.ptrace(BigInt(request), BigInt(thread), BigInt(address), BigInt(data)));
}

// Not through the event loop, which does not turn here.
function ask(text: string): void {
  writeSync(1, text);
}
