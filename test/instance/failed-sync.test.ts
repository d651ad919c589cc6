// A failed fdatasync is final: no further acknowledgement, and the instance ends with what an operator's exit code 74
// stands for. Here with the real instance on a disk whose fdatasync fails when told to.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { exitCodeOf } from "../../src/commands/run.ts";
import { judgeConfig } from "../../src/config.ts";
import { runInstance } from "../../src/instance.ts";
import { silentLog } from "../../src/log.ts";
import type { Disk, DiskFile } from "../../src/queue/disk.ts";
import { systemDisk } from "../../src/queue/system-disk.ts";
import { startSimulatedTserver } from "../../src/simulator/tserver/simulated-tserver.ts";
import { systemNetwork } from "../../src/source/network.ts";

function failingAfter(syncs: number): Disk {
  let left = syncs;
  return {
    ...systemDisk,
    create(path) {
      const file = systemDisk.create(path);
      // The next is begun when the one before has ended, as a disk promises.
      let before = Promise.resolve();
      const commit: DiskFile["commit"] = (bytes, offset, done) => {
        before = before.then(async () => {
          left -= 1;
          const error = left < 0 ? new Error("planted: EIO") : await committed(file, bytes, offset);
          done(error);
        });
      };
      return new Proxy(file, {
        get: (target, name) => {
          if (name === "commit") return commit;
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
    },
  };
}

function committed(file: DiskFile, bytes: Uint8Array, offset: number): Promise<Error | null> {
  return new Promise((resolve) => file.commit(bytes, offset, resolve));
}

test("a failed fdatasync ends the instance with exit code 74 and a message that says so", async () => {
  const directory = mkdtempSync(join(tmpdir(), "icon-sync-"));
  const server = await startSimulatedTserver({
    rate: 500,
    seconds: 5,
    clientsMin: 1,
    heartbeatMs: 200,
    lingerSeconds: 0,
  });
  try {
    const { config } = judgeConfig(
      `[instance]
name = "icon-a"
dbid = 9001
data_dir = "${directory}"
[callconcentrator]
role = "gcc"
[http]
listen = "off"
[[source]]
name = "north"
kind = "tevent"
addresses = ["${server.address}"]
dbid = 101
switch_dbid = 1
`,
      join(directory, "icon.toml"),
    );
    const surroundings = {
      clock: systemClock,
      log: silentLog,
      disk: failingAfter(20),
      network: systemNetwork,
      random: () => 0.5,
      ready: () => {},
      alive: () => {},
    };
    let failure: unknown = null;
    await runInstance(config, surroundings, new AbortController().signal).catch((error: unknown) => {
      failure = error;
    });
    expect(String(failure)).toContain("planted: EIO");
    expect(exitCodeOf(failure)).toBe(74);
  } finally {
    server.stop();
    await server.finished;
    rmSync(directory, { recursive: true, force: true });
  }
}, 30_000);
