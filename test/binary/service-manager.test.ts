// The binary under a service manager: what it says to it, and that it runs in the box that its unit describes.

import { dlopen, ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { DatagramSocket } from "../harness/datagram-socket.ts";
import { figure } from "../harness/figure.ts";
import { HeldUpThread } from "../harness/held-up-thread.ts";
import { Load } from "../harness/load.ts";
import {
  Instance,
  type InstanceSetting,
  iconBinary,
  idbPathOf,
  TemporaryDirectory,
  until,
} from "../harness/processes.ts";
import { IdbLock } from "../harness/processes-idb-lock.ts";

const hasAnalyze = Bun.which("systemd-analyze") !== null;
const hasStrace = Bun.which("strace") !== null;

function configuration(directory: TemporaryDirectory): string {
  const file = directory.at("icon.toml");
  const sections = {
    instance: { name: "boxed", dbid: 1, data_dir: directory.at("data") },
    callconcentrator: { role: "gcc" },
    http: { listen: "127.0.0.1:0" },
  };
  const lines = Object.entries(sections).flatMap(([name, keys]) => [
    `[${name}]`,
    ...Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
  ]);
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600 });
  return file;
}

for (const kind of ["a path", "the abstract namespace"] as const) {
  test(`systemd hears over a socket in ${kind} that it is ready, how it does, that it lives, reloads and stops`, async () => {
    using directory = new TemporaryDirectory("notify");
    const name = kind === "a path" ? directory.at("notify") : `@icon-test-${process.pid}`;
    using socket = new DatagramSocket(name);
    const config = configuration(directory);
    const instance = Bun.spawn([await iconBinary(), "run", "--config", config], {
      env: { ...process.env, NOTIFY_SOCKET: name },
      stdout: "ignore",
      stderr: "ignore",
    });
    try {
      await until("it is ready", 10_000, () => socket.received().includes("READY=1"));
      const status = "WATCHDOG=1\nSTATUS=0 of 0 data sources connected, 0 records wait for the IDB";
      await until("it says how it does", 10_000, () => socket.received().includes(status));
      await until("it gives signs of life", 10_000, () => socket.received().includes("WATCHDOG=1"));
      expect(socket.received()).not.toContain("STOPPING=1");
      const before = monotonicMicroseconds();
      instance.kill("SIGHUP");
      const isReloading = (said: string) => /^RELOADING=1\nMONOTONIC_USEC=[1-9]\d+$/.test(said);
      await until("it reads its configuration again", 10_000, () => socket.received().some(isReloading));
      const at = socket.received().findIndex(isReloading);
      const microseconds = Number(socket.received()[at]?.split("=").at(-1));
      expect(microseconds).toBeGreaterThanOrEqual(before);
      expect(microseconds).toBeLessThanOrEqual(monotonicMicroseconds());
      await until("it is ready again", 10_000, () => socket.received().indexOf("READY=1", at) !== -1);
      instance.kill("SIGTERM");
      expect(await instance.exited).toBe(0);
      expect(socket.received().at(-1)).toBe("STOPPING=1");
    } finally {
      instance.kill("SIGKILL");
    }
  });
}

test.if(HeldUpThread.whyNot === null)(
  `an instance whose recorder hangs in a write gives no further sign of life, while its intake goes on${HeldUpThread.whyNot === null ? "" : ` (skipped: ${HeldUpThread.whyNot})`}`,
  async () => {
    using directory = new TemporaryDirectory("hanging");
    using socket = new DatagramSocket(directory.at("notify"));
    const binary = directory.at("icon");
    const environment = `NOTIFY_SOCKET='${directory.at("notify")}' WATCHDOG_USEC=3000000`;
    writeFileSync(binary, `#!/bin/sh\n${environment} exec ${await iconBinary()} "$@"\n`, { mode: 0o700 });
    await using load = await Load.start({ name: "north", dbid: 101, seed: 3, eventsPerSecond: 200 });
    const sources = [{ name: "north", address: load.address, dbid: 101 }];
    await using instance = await Instance.start({ directory: directory.path, binary, sources });
    load.flow();
    await until("rows are written", 10_000, async () => (await instance.status()).idb.appliedPosition !== null);
    await using _hanging = await HeldUpThread.hold(instance.pid, "idb.db-wal", 60_000);
    const isHanging = (text: string | undefined) => text?.includes("STATUS=recorder hangs, 1 of 1") ?? false;
    await until("it says that its recorder hangs", 20_000, () => isHanging(socket.received().at(-1)));
    const lifeBefore = socket.received().filter((each) => each.startsWith("WATCHDOG=1")).length;
    expect(lifeBefore).toBeGreaterThan(2);
    // Its intake does not wait for the recorder, and neither is a sign of life.
    const acknowledged = load.ackedSeq;
    await until("events are acknowledged", 5_000, () => load.ackedSeq > acknowledged + 400);
    expect(socket.received().filter((each) => each.startsWith("WATCHDOG=1")).length).toBe(lifeBefore);
    expect(instance.log().filter(({ event }) => event.startsWith("recorder hangs")).length).toBe(1);
  },
  60_000,
);

test("an IDB that somebody holds locked is no reason to give up the signs of life", async () => {
  using directory = new TemporaryDirectory("locked");
  using socket = new DatagramSocket(directory.at("notify"));
  const binary = directory.at("icon");
  const environment = `NOTIFY_SOCKET='${directory.at("notify")}' WATCHDOG_USEC=2000000`;
  writeFileSync(binary, `#!/bin/sh\n${environment} exec ${await iconBinary()} "$@"\n`, { mode: 0o700 });
  await using load = await Load.start({ name: "north", dbid: 101, seed: 4, eventsPerSecond: 200 });
  const sources = [{ name: "north", address: load.address, dbid: 101 }];
  const setting: InstanceSetting = { directory: directory.path, binary, sources };
  await using instance = await Instance.start(setting);
  load.flow();
  await until("rows are written", 10_000, async () => (await instance.status()).idb.appliedPosition !== null);
  const lock = await IdbLock.take(idbPathOf(setting));
  await until("the lock is in the way", 10_000, async () => (await instance.status()).idb.state !== "open");
  // Three times the watchdog's interval, in signs of life.
  const before = socket.received().length;
  await until("it goes on giving them", 20_000, () => socket.received().length >= before + 6);
  const since = socket.received().slice(before);
  lock.release();
  expect(since.filter((each) => !each.startsWith("WATCHDOG=1"))).toEqual([]);
}, 60_000);

test.if(hasAnalyze)(
  `R19: the unit is one that systemd takes, and its exposure is at most 1.0${hasAnalyze ? "" : " (skipped: systemd-analyze is not installed)"}`,
  async () => {
    using directory = new TemporaryDirectory("unit");
    const file = directory.at("icon.service");
    const binary = await iconBinary();
    writeFileSync(file, await output([binary, "unit", "--binary", binary, "--user", "daemon"]));
    expect(await output(["systemd-analyze", "verify", "--man=no", file])).toBe("");
    const verdict = await output(["systemd-analyze", "security", "--offline=true", "--no-pager", file]);
    const exposure = Number(/Overall exposure level for \S+: (\d+\.\d+)/.exec(verdict)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(1);
    figure("R19", `exposure ${exposure} by systemd-analyze security`);
  },
);

test.if(hasAnalyze && hasStrace)(
  `it runs with the system calls that its unit allows, the others refused as the unit refuses them${hasAnalyze && hasStrace ? "" : " (skipped: systemd-analyze or strace is not installed)"}`,
  async () => {
    using directory = new TemporaryDirectory("boxed");
    const allowed = await callsIn("@system-service");
    const refused = new Set([...(await callsIn("@privileged")), ...(await callsIn("@resources"))]);
    const list = [...refused].map((call) => `?${call}`).join(",");
    const trace = directory.at("trace");
    const config = configuration(directory);
    const words = ["strace", "-f", "-qq", "-c", "-o", trace, "-e", `inject=${list}:error=EPERM`];
    const instance = Bun.spawn([...words, await iconBinary(), "run", "--config", config], {
      stdout: "pipe",
      stderr: "inherit",
    });
    const { value } = await instance.stdout.getReader().read();
    const { status } = JSON.parse(new TextDecoder().decode(value)) as { status: string };
    await until("it is ready", 20_000, async () => (await fetch(new URL("/readyz", status))).status === 200);
    const children = await Bun.file(`/proc/${instance.pid}/task/${instance.pid}/children`).text();
    process.kill(Number(children.trim().split(" ")[0]), "SIGTERM");
    expect(await instance.exited).toBe(0);
    const called = (await Bun.file(trace).text())
      .split("\n")
      .flatMap((line) => /^ *[\d.]+ +[\d.]+ +\d+ +\d+ +(?:\d+ +)?(\w+)$/.exec(line)?.[1] ?? [])
      .filter((call) => call !== "total");
    expect(called.length).toBeGreaterThan(20);
    expect(called.filter((call) => !allowed.has(call) && !refused.has(call))).toEqual([]);
  },
  60_000,
);

const { clock_gettime } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } }).symbols;

/** CLOCK_MONOTONIC, as the kernel tells it. */
function monotonicMicroseconds(): number {
  const time = new BigInt64Array(2);
  expect(clock_gettime(1, ptr(time))).toBe(0);
  return Number(time[0]) * 1e6 + Math.floor(Number(time[1]) / 1000);
}

/** The system calls of a filter set, those of the sets within it too. */
async function callsIn(set: string): Promise<Set<string>> {
  const text = await output(["systemd-analyze", "syscall-filter", "--no-pager", set]);
  const names = text.split("\n").flatMap((line) => /^ +([@\w-]+)$/.exec(line)?.[1] ?? []);
  const calls = new Set<string>();
  for (const name of names) {
    if (!name.startsWith("@")) calls.add(name);
    else for (const call of await callsIn(name)) calls.add(call);
  }
  return calls;
}

/** Standard output and standard error; the exit code must be 0. */
async function output(words: readonly string[]): Promise<string> {
  const child = Bun.spawn([...words], { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect({ words, exitCode: await child.exited, stderr }).toMatchObject({ exitCode: 0 });
  return stdout + stderr;
}
