// The other processor's binary: built and looked at, not started.

import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { checkout } from "../check/installed.ts";
import { TemporaryDirectory } from "../harness/processes.ts";

const registry = process.env["npm_config_registry"] ?? "https://registry.npmjs.org/";
const isReachable = await fetch(registry, { method: "HEAD", signal: AbortSignal.timeout(5_000) }).then(
  ({ ok }) => ok,
  () => false,
);
const machineOf = { x86_64: 0x3e, aarch64: 0xb7 } as const;

test.skipIf(!isReachable)(
  `the build for linux-arm64 is an aarch64 program, and SHA256SUMS holds for both${isReachable ? "" : " (skipped: the package registry is not reachable)"}`,
  async () => {
    using directory = new TemporaryDirectory("arm64");
    const child = Bun.spawn([process.execPath, "build.ts", "--all", "--outfile", directory.at("icon")], {
      cwd: checkout,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const [stderr, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    // What is fetched for another machine says so there.
    expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 });
    expect(machine(directory.at("icon"))).toBe(machineOf.x86_64);
    expect(machine(directory.at("icon-linux-arm64"))).toBe(machineOf.aarch64);
    // The addon within is an ELF file of the same machine.
    expect(machinesWithin(directory.at("icon-linux-arm64"))).toEqual(new Set([machineOf.aarch64]));
    const check = Bun.spawnSync(["sha256sum", "-c", "SHA256SUMS"], { cwd: directory.path });
    expect(check.stdout.toString()).toBe("icon: OK\nicon-linux-arm64: OK\n");
  },
  180_000,
);

/** e_machine of an ELF file. */
function machine(file: string): number {
  const bytes = readFileSync(file);
  expect(bytes.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
  return bytes.readUInt16LE(18);
}

/** e_machine of every 64-bit little-endian ELF shared object or program in the file. */
function machinesWithin(file: string): Set<number> {
  const bytes = readFileSync(file);
  const machines = new Set<number>();
  const start = Buffer.from("\x7fELF\x02\x01\x01", "latin1");
  for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at + 4)) {
    const type = bytes.readUInt16LE(at + 16);
    if (type === 2 || type === 3) machines.add(bytes.readUInt16LE(at + 18));
  }
  return machines;
}
