// bun system-call-tracer.ts PID DIRECTORY AT ERRNO PATTERN
//
// Traces a process and all its threads, and counts its persistent system calls: what changes a file or name below
// DIRECTORY, or syncs one, and matches PATTERN as a text like "fsync /queue". Call number AT is never done: the process is
// killed (SIGKILL) on entering it, or, when ERRNO is not 0, the call fails with that; 0 spares all. When the process is
// gone it prints what it has counted, in order, as a JSON array of such texts.
//
// strace's `inject=…:when=k` counts per thread and per call, so that the one header that a pool thread writes while
// another commits a hundred batches can never be the k-th of anything. Here one number counts them all, in the order in
// which the kernel was asked.

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
const [entry, exit] = [1, 2];
// In the registers of x86-64: the number of the call on its way in, and what it returns.
const pokeUser = 6;
const [callNumber, result] = [15 * 8, 10 * 8];

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

const [pid, directory, at, errno] = [
  Number(process.argv[2]),
  process.argv[3] ?? "",
  Number(process.argv[4]),
  Number(process.argv[5]),
];
const counted = new RegExp(process.argv[6] ?? "");
/** The thread whose call is made to fail. */
let failing: number | null = null;
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
  if (ptrace(getSyscallInfo, thread, infoBytes, ptr(info)) <= 0) return;
  if (info[0] === exit && thread === failing) {
    ptrace(pokeUser, thread, result, -errno);
    failing = null;
  }
  if (info[0] !== entry) return;
  const known = persistent.get(Number(infoView.getBigUint64(24, true)));
  if (known === undefined) return;
  const [name, subject] = known;
  const file = fileOf(thread, subject);
  if (file === null || !file.startsWith(directory)) return;
  const call = `${name} ${file.slice(directory.length)}`;
  if (!counted.test(call)) return;
  calls.push(call);
  if (calls.length !== at) return;
  if (errno === 0) {
    process.kill(pid, "SIGKILL");
  } else {
    ptrace(pokeUser, thread, callNumber, -1); // no such call: nothing is done
    failing = thread;
  }
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
