// What systemd is told of this process: that it runs, how it does, that it is alive, that it stops. A datagram to the
// socket named in NOTIFY_SOCKET, sent in the C library, since the runtime has no datagrams on Unix sockets.
// Source: sd_notify(3). Without NOTIFY_SOCKET nothing happens; a word that cannot be sent is not worth a failure.
//
// `systemd-notify` would be no second way: where the C library cannot be called the persistent queue cannot be locked
// either, so there is nothing to be said; and systemd takes words from the main process only (NotifyAccess=main).

import { dlopen, ptr } from "bun:ffi";

export interface ServiceManager {
  /** The start waits for something that may take long: it is not to be given up. One line for `systemctl status`. */
  waiting(status: string): void;
  /** Everything runs. */
  ready(): void;
  /**
   * One line for `systemctl status`, and the sign of life that the watchdog waits for. False: no sign of life was given,
   * because the recorder has been silent for longer than the unit's WatchdogSec; the watchdog will end the process, and
   * its next start replays.
   */
  alive(status: string, recorderSilentMs: number): boolean;
  /** The configuration is being read again; false: that is over. */
  reloading(isUnderWay: boolean): void;
  stopping(): void;
}

// Linux on x64 and arm64.
const familyUnix = 1;
const typeDatagram = 2;
const closeOnExec = 0x80000;
const clockMonotonic = 1;
// From each word on; it is said every second.
const waitExtensionMicroseconds = 60_000_000;
// Not to wait for a full socket, and no SIGPIPE for a closed one.
const flags = 0x40 | 0x4000;
// struct sockaddr_un: two bytes of family, 108 of path.
const pathBytesMax = 108;

type Environment = Readonly<Record<string, string | undefined>>;

export function serviceManager(environment: Environment): ServiceManager {
  const path = environment["NOTIFY_SOCKET"] ?? "";
  const address = socketAddress(path);
  const say = address === undefined ? () => {} : (text: string) => send(address, text);
  const watchdogMs = watchdogIntervalMs(environment);
  let told = "";
  return {
    waiting: (status) => say(`EXTEND_TIMEOUT_USEC=${waitExtensionMicroseconds}\nSTATUS=${status}`),
    ready: () => say("READY=1"),
    alive: (status, recorderSilentMs) => {
      const isAlive = recorderSilentMs <= watchdogMs;
      const words = isAlive ? ["WATCHDOG=1"] : [];
      const text = isAlive ? status : `recorder hangs, ${status}`;
      // Harmless without a watchdog in the unit; a status that says nothing new is left out.
      if (text !== told) words.push(`STATUS=${text}`);
      told = text;
      if (words.length > 0) say(words.join("\n"));
      return isAlive;
    },
    reloading: (isUnderWay) => say(isUnderWay ? `RELOADING=1\nMONOTONIC_USEC=${monotonicMicroseconds()}` : "READY=1"),
    stopping: () => say("STOPPING=1"),
  };
}

/** WatchdogSec of the unit, ms; infinite without one, or when it is meant for another process. */
function watchdogIntervalMs(environment: Environment): number {
  const microseconds = Number(environment["WATCHDOG_USEC"] ?? "");
  const watched = environment["WATCHDOG_PID"] ?? "";
  const isForUs = watched === "" || watched === String(process.pid);
  return microseconds > 0 && isForUs ? microseconds / 1000 : Number.POSITIVE_INFINITY;
}

/** Undefined: there is no service manager, or one on a kind of socket that is not ours (vsock). */
function socketAddress(path: string): Uint8Array | undefined {
  const bytes = new TextEncoder().encode(path);
  if (!/^[/@]/.test(path) || bytes.length >= pathBytesMax) return undefined;
  const address = new Uint8Array(2 + bytes.length);
  new DataView(address.buffer).setUint16(0, familyUnix, true);
  address.set(bytes, 2);
  if (path.startsWith("@")) address[2] = 0; // in the abstract namespace
  return address;
}

function send(address: Uint8Array, text: string): void {
  const { socket, sendto, close } = libc();
  const descriptor = socket(familyUnix, typeDatagram | closeOnExec, 0);
  if (descriptor < 0) return;
  const bytes = new TextEncoder().encode(text);
  sendto(descriptor, ptr(bytes), bytes.length, flags, ptr(address), address.length);
  close(descriptor);
}

// CLOCK_MONOTONIC, by which systemd tells this reload from one before. The runtime's own clocks begin with the process.
function monotonicMicroseconds(): bigint {
  const time = new BigInt64Array(2); // struct timespec: seconds, nanoseconds
  libc().clock_gettime(clockMonotonic, ptr(time));
  const [seconds = 0n, nanoseconds = 0n] = time;
  return seconds * 1_000_000n + nanoseconds / 1000n;
}

function load() {
  return dlopen("libc.so.6", {
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
    clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  }).symbols;
}

let loaded: ReturnType<typeof load> | undefined;

function libc(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}
